package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What people find in the ledger, newest first. */
@SuppressWarnings("NullAway.Init")
class AuditReaderTest {
  private static LogDatabase database;

  @TempDir Path folder;
  private Ledger ledger;

  @BeforeAll
  static void start() throws IOException {
    database = LogDatabase.shared();
  }

  @BeforeEach
  void begin() throws Exception {
    database.clear();
    ledger = database.open(LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN));
  }

  @AfterEach
  void end() {
    ledger.close();
  }

  @Test
  void theReaderFindsBySubjectMessageTimeAndTextFromTheEnd() throws Exception {
    List<AuditEntry> written = Entries.batch(0, 500);
    database.append(ledger, written);
    assertThat(indexes(AuditReader.Narrowing.subject(Entries.subject(7)), 1000))
        .containsExactly(457L, 407L, 357L, 307L, 257L, 207L, 157L, 107L, 57L, 7L);
    assertThat(indexes(AuditReader.Narrowing.subject(Entries.subject(7)), 2))
        .containsExactly(457L, 407L);
    assertThat(
            indexes(AuditReader.Narrowing.messages(List.of("message-42", "message-9", "no")), 1000))
        .containsExactly(42L, 9L);
    assertThat(
            indexes(
                new AuditReader.Narrowing(
                    null,
                    List.of(),
                    written.get(30).at(),
                    written.get(90).at(),
                    List.of("\"exchange\":\"measure-event\"", "\"outcome\":\"REFUSED\"")),
                1000))
        .containsExactly(75L, 60L, 45L, 30L);
    AuditReader.Found newest = found(ANY, 1).getFirst();
    assertThat(newest.entry()).isEqualTo(written.getLast());
    assertThat(newest.intact()).isTrue();
    try (Connection connection = database.source.getConnection()) {
      assertThat(AuditReader.newest(connection, 10, 13, ANY, 1000))
          .extracting(AuditReader.Found::index)
          .containsExactly(12L, 11L, 10L);
      assertThat(AuditReader.at(connection, List.of(3L, 499L, 77_777L)))
          .extracting(AuditReader.Found::index)
          .containsExactly(499L, 3L);
      assertThat(AuditReader.at(connection, List.of())).isEmpty();
    }
  }

  @Test
  void theReaderSaysWhenAnEntryIsNotWhatWasWritten() throws Exception {
    database.append(ledger, Entries.batch(0, 3));
    database.sql("UPDATE audit_entry SET outcome = 'HELD' WHERE idx = 1");
    assertThat(found(ANY, 10).stream().map(AuditReader.Found::intact))
        .containsExactly(true, false, true);
    database.sql("UPDATE audit_entry SET entry = '' WHERE idx = 1");
    assertThatThrownBy(() -> found(ANY, 10))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("Entry 1 ");
  }

  @Test
  void aLongRangeIsReadInPortionsWithoutGapOrRepetition() throws Exception {
    for (int from = 0; from < 4100; from += 2050) {
      database.append(ledger, Entries.batch(from, 2050));
    }
    try (Connection c = database.source.getConnection()) {
      for (long[] range : new long[][] {{0, 4100}, {0, 9000}, {1, 2001}, {1, 2002}, {99, 4001}}) {
        List<Long> seen = new ArrayList<>();
        AuditReader.scan(c, range[0], range[1], (number, entry) -> seen.add(number));
        assertThat(seen)
            .isEqualTo(LongStream.range(range[0], Math.min(range[1], 4100)).boxed().toList());
      }
      for (long last : new long[] {0, 1999, 2000, 3000}) {
        List<Long> seen = new ArrayList<>();
        StoredEntry.each(
            c,
            0,
            4100,
            entry -> {
              seen.add(entry.index());
              return entry.index() < last;
            });
        assertThat(seen).isEqualTo(LongStream.rangeClosed(0, last).boxed().toList());
      }
      assertThat(AuditReader.next(c, Shard.FIRST)).isEqualTo(4100);
      assertThat(AuditReader.next(c, Shard.FIRST, 4000)).isEqualTo(4100);
      assertThat(AuditReader.next(c, Shard.FIRST, 4100)).isEqualTo(4100);
      assertThat(AuditReader.next(c, new Shard(1))).isEqualTo(new Shard(1).first());
    }
  }

  @Test
  void anEntryThatCannotBeReadIsSeenAsNothingAndTheRestGoesOn() throws Exception {
    database.append(ledger, Entries.batch(0, 3));
    database.sql("UPDATE audit_entry SET entry = '' WHERE idx = 1");
    List<String> seen = new ArrayList<>();
    try (Connection c = database.source.getConnection()) {
      AuditReader.scan(
          c,
          0,
          3,
          (number, entry) -> seen.add(number + (entry == null ? " -" : " " + entry.message())));
      assertThat(seen).containsExactly("0 message-0", "1 -", "2 message-2");
      assertThat(AuditReader.checkpoints(c))
          .containsOnly(Map.entry(Shard.FIRST, ledger.checkpoint()));
    }
  }

  private static final AuditReader.Narrowing ANY =
      new AuditReader.Narrowing(null, List.of(), null, null, List.of());

  private List<AuditReader.Found> found(AuditReader.Narrowing narrowing, int limit)
      throws SQLException {
    try (Connection connection = database.source.getConnection()) {
      return AuditReader.newest(connection, 0, Long.MAX_VALUE, narrowing, limit);
    }
  }

  private List<Long> indexes(AuditReader.Narrowing narrowing, int limit) throws SQLException {
    return found(narrowing, limit).stream().map(AuditReader.Found::index).toList();
  }
}
