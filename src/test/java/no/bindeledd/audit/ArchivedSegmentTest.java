package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A ledger whose first segment lies in a file, and its three newest entries in the database. */
@SuppressWarnings("NullAway.Init")
class ArchivedSegmentTest {
  private static final int SIZE = ArchivedLog.SIZE;

  private static LogDatabase database;
  private static ArchivedLog made;

  @TempDir Path folder;

  @BeforeAll
  static void make() throws IOException {
    database = LogDatabase.shared();
    made = ArchivedLog.shared();
  }

  @BeforeEach
  void store() throws Exception {
    made.store(database);
  }

  private static List<AuditReader.Found> at(Long... numbers) throws SQLException {
    try (Connection c = database.source.getConnection()) {
      return AuditReader.at(c, Arrays.asList(numbers));
    }
  }

  private static List<Long> scanned(long from, long to) throws SQLException {
    List<Long> seen = new ArrayList<>();
    try (Connection c = database.source.getConnection()) {
      AuditReader.scan(
          c,
          from,
          to,
          (number, entry) -> {
            assertThat(entry).isEqualTo(made.entries.get((int) number));
            seen.add(number);
          });
    }
    return seen;
  }

  private static List<Long> newest(long from, long to, AuditReader.Narrowing narrowing, int limit)
      throws SQLException {
    try (Connection c = database.source.getConnection()) {
      return AuditReader.newest(c, from, to, narrowing, limit).stream()
          .map(AuditReader.Found::index)
          .toList();
    }
  }

  @Test
  void anEntryIsTheSameWhereverItLies() throws Exception {
    Long[] asked = {65_538L, 0L, 255L, 256L, 65_535L, 65_536L, 30_007L, 4L * SIZE};
    List<AuditReader.Found> found = at(asked);
    assertThat(found)
        .extracting(AuditReader.Found::index)
        .containsExactly(65_538L, 65_536L, 65_535L, 30_007L, 256L, 255L, 0L);
    for (AuditReader.Found each : found) {
      assertThat(each.entry()).isEqualTo(made.entries.get((int) each.index()));
      assertThat(each.intact()).as("%d", each.index()).isTrue();
    }
    assertThat(at(7L).getFirst().entry().subject()).isEqualTo(Entries.subject(7));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 3",
    "254, 258",
    "255, 256",
    "65530, 65539",
    "65535, 65536",
    "65536, 65539",
    "300, 300",
    "10, 5",
    "65538, 9999999"
  })
  void aRangeIsReadInOrderAcrossTheBorder(long from, long to) throws Exception {
    assertThat(scanned(from, to))
        .isEqualTo(LongStream.range(from, Math.min(to, SIZE)).boxed().toList());
  }

  @Test
  void whoeverWantsNoMoreIsGivenNoMore() throws Exception {
    for (long last : new long[] {5, 65_535, 65_536}) {
      List<Long> seen = new ArrayList<>();
      try (Connection c = database.source.getConnection()) {
        StoredEntry.each(
            c,
            0,
            SIZE,
            entry -> {
              seen.add(entry.index());
              return entry.index() < last;
            });
      }
      assertThat(seen).hasSize((int) last + 1).endsWith(last);
    }
  }

  @Test
  void theNewestThatAreMeantAreFoundInTheFileToo() throws Exception {
    assertThat(newest(0, SIZE, AuditReader.Narrowing.subject(Entries.subject(30_007)), 9))
        .containsExactly(30_007L);
    assertThat(
            newest(
                0, SIZE, AuditReader.Narrowing.messages(List.of("message-9", "message-65537")), 9))
        .containsExactly(65_537L, 9L);
    AuditReader.Narrowing any = new AuditReader.Narrowing(null, List.of(), null, null, List.of());
    assertThat(newest(65_530, 65_538, any, 4)).containsExactly(65_537L, 65_536L, 65_535L, 65_534L);
    assertThat(newest(65_530, SIZE, any, 3)).containsExactly(65_538L, 65_537L, 65_536L);
    Instant from = made.entries.get(100).at();
    Instant to = made.entries.get(110).at();
    assertThat(
            newest(
                0,
                SIZE,
                new AuditReader.Narrowing(
                    null, List.of(), from, to, List.of("\"exchange\":\"measure-event\"", "10")),
                9))
        .containsExactly(108L, 106L, 104L, 102L, 100L);
  }

  @Test
  void aFileThatIsNotNeededMayBeAwayAndOneThatIsNeededIsNamed() throws Exception {
    Path away = folder.resolve("away.zip");
    database.sql("UPDATE audit_archive SET file = '" + away + "'");
    assertThat(scanned(Segments.SIZE, SIZE)).hasSize(3);
    assertThat(at(65_536L)).hasSize(1);
    assertThat(newest(0, SIZE, AuditReader.Narrowing.messages(List.of("message-65537")), 1))
        .hasSize(1);
    String problem =
        "The entries 0 to 65535 are archived in %s, which is not there".formatted(away);
    assertThatThrownBy(() -> at(65_535L))
        .isInstanceOf(LedgerException.class)
        .hasMessageStartingWith(problem);
    assertThatThrownBy(() -> scanned(65_535, SIZE))
        .isInstanceOf(LedgerException.class)
        .hasMessageStartingWith(problem);
  }

  static List<Object[]> damages() {
    return List.of(
        new Object[] {"tile/entries/001", null},
        new Object[] {"tile/entries/001", new byte[] {0, 5, 1}},
        new Object[] {"tile/0/001", null},
        new Object[] {"tile/0/001", new byte[32]});
  }

  @ParameterizedTest
  @MethodSource("damages")
  void aFileThatLacksAPieceCannotBeRead(String piece, byte @Nullable [] bytes) throws Exception {
    Path damaged = folder.resolve("damaged.zip");
    Files.copy(made.file, damaged);
    try (FileSystem zip = FileSystems.newFileSystem(damaged)) {
      if (bytes == null) {
        Files.delete(zip.getPath(piece));
      } else {
        Files.write(zip.getPath(piece), bytes);
      }
    }
    database.sql("UPDATE audit_archive SET file = '" + damaged + "'");
    assertThat(at(255L, 512L)).hasSize(2);
    assertThatThrownBy(() -> at(256L))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("cannot be read");
  }

  @Test
  void whoeverLooksOnlyAtFilesIsToldWhetherAllWereSeen() throws Exception {
    try (Connection c = database.source.getConnection()) {
      long[] seen = {0};
      assertThat(ArchivedSegment.each(c, 10, 20, entry -> ++seen[0] > 0)).isTrue();
      assertThat(seen[0]).isEqualTo(10);
      assertThat(ArchivedSegment.each(c, 10, 20, entry -> ++seen[0] < 15)).isFalse();
      assertThat(seen[0]).isEqualTo(15);
      assertThat(ArchivedSegment.each(c, Segments.SIZE, SIZE, entry -> false)).isTrue();
      assertThat(ArchivedSegment.within(c, 5, 5)).isEmpty();
      assertThat(ArchivedSegment.within(c, Segments.SIZE, SIZE)).isEmpty();
      assertThat(ArchivedSegment.within(c, Segments.SIZE - 1, SIZE))
          .containsExactly(new ArchivedSegment(0, made.file));
      assertThat(ArchivedSegment.within(c, -1, 1)).hasSize(1);
    }
  }

  @Test
  void aFileThatMustBeThereIsNamedWhenItIsAway() throws Exception {
    new ArchivedSegment(0, made.file).requireThere();
    Path away = folder.resolve("away.zip");
    assertThatThrownBy(() -> new ArchivedSegment(0, away).requireThere())
        .isInstanceOf(LedgerException.class)
        .hasMessageStartingWith("The entries 0 to 65535 are archived in " + away);
  }

  @Test
  void aShardOfItsOwnHasItsOwnFiles() throws Exception {
    Shard second = new Shard(1);
    made.archived(database, second.first() / Segments.SIZE);
    assertThat(at(second.entry(9)))
        .extracting(found -> found.entry().message())
        .containsExactly("message-9");
    List<Long> seen = new ArrayList<>();
    try (Connection c = database.source.getConnection()) {
      StoredEntry.each(
          c,
          second.first(),
          second.end(),
          entry -> {
            seen.add(Shard.index(entry.index()));
            return seen.size() < 300;
          });
    }
    assertThat(seen).isEqualTo(LongStream.range(0, 300).boxed().toList());
  }
}
