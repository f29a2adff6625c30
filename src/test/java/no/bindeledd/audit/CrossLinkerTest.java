package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one instance enters about the logs of the others. */
@SuppressWarnings("NullAway.Init")
class CrossLinkerTest {
  private static final Instant NOW = Instant.parse("2026-09-01T10:00:00Z");
  private static final Shard OTHER = new Shard(1);
  private static final String OTHERS = OTHER.origin(LogDatabase.ORIGIN);

  private static LogDatabase database;

  @TempDir Path folder;
  private LogKey key;
  private final CrossLinker linker =
      new CrossLinker(Shard.FIRST, LogDatabase.ORIGIN, () -> VerifierKey.ofHouse(folder));

  @BeforeAll
  static void start() throws IOException {
    database = LogDatabase.shared();
  }

  @BeforeEach
  void clear() throws Exception {
    database.clear();
    key = LogKey.open(folder.resolve("log-1.key"), OTHERS);
  }

  private Ledger other() throws SQLException {
    return Ledger.hold(database.source, key, LogDatabase.ORIGIN, OTHER, InstantSource.fixed(NOW));
  }

  private void published(Shard shard, String note) throws SQLException {
    database.sql(
        "INSERT INTO audit_published (shard, checkpoint) VALUES (%d, '%s')"
                .formatted(shard.number(), note)
            + " ON CONFLICT (shard) DO UPDATE SET checkpoint = excluded.checkpoint");
  }

  private List<AuditEntry> due() throws SQLException, IOException {
    try (Connection c = database.source.getConnection()) {
      return linker.due(c, NOW);
    }
  }

  @Test
  void eachNewCheckpointOfAnotherIsEnteredOnce() throws Exception {
    assertThat(due()).isEmpty();
    try (Ledger other = other()) {
      published(OTHER, other.checkpoint().encoded());
      assertThat(due()).isEmpty(); // an empty log is no news
      database.append(other, Entries.batch(0, 3));
      assertThat(due()).isEmpty(); // not published yet
      published(OTHER, other.checkpoint().encoded());
      published(Shard.FIRST, other.checkpoint().encoded()); // one's own is none of the others
      List<AuditEntry> entries = due();
      assertThat(entries).hasSize(1);
      AuditEntry entry = entries.getFirst();
      assertThat(entry.station()).isEqualTo(Station.ADMIN);
      assertThat(entry.at()).isEqualTo(NOW);
      assertThat(entry.outcome()).isEqualTo("CROSS_LINK");
      assertThat(entry.detail()).isEqualTo(other.checkpoint().encoded());
      assertThat(CrossLink.read(entry)).isEqualTo(other.checkpoint());
      assertThat(due()).isEmpty();
    }
  }

  @Test
  void whatGrewOnlyByCrossLinksIsNoNews() throws Exception {
    try (Ledger other = other()) {
      database.append(other, Entries.batch(0, 3));
      published(OTHER, other.checkpoint().encoded());
      assertThat(due()).hasSize(1);
      database.append(other, List.of(CrossLink.entry(other.checkpoint(), NOW)));
      published(OTHER, other.checkpoint().encoded());
      assertThat(due()).isEmpty();
      database.append(other, Entries.batch(3, 1));
      published(OTHER, other.checkpoint().encoded());
      assertThat(due())
          .extracting(AuditEntry::detail)
          .containsExactly(other.checkpoint().encoded());
    }
  }

  @Test
  void whatTheOtherHasNotSignedIsNotEnteredUntilItWritesAnew() throws Exception {
    try (Ledger other = other()) {
      database.append(other, Entries.batch(0, 3));
      LogKey thief = LogKey.open(folder.resolve("thief.key"), OTHERS);
      LogKey itself = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
      for (String planted :
          List.of(
              "x",
              SignedNote.sign("x\n", key).encoded(),
              new Checkpoint(OTHERS, 7, new byte[32]).sign(thief).encoded(),
              new Checkpoint(LogDatabase.ORIGIN, 7, new byte[32]).sign(itself).encoded())) {
        published(OTHER, planted);
        assertThat(due()).as(planted).isEmpty();
      }
      published(OTHER, other.checkpoint().encoded());
      assertThat(due()).hasSize(1);
    }
  }

  @Test
  void asManySignaturesAreEnteredAsThereIsRoomForTheLogsOwnFirst() throws Exception {
    SignedNote alone = new Checkpoint(OTHERS, 7, new byte[32]).sign(key);
    SignedNote.Line witness =
        LogKey.openWitness(folder.resolve("w.key"), "governor.example.no/witness")
            .cosign(alone.text(), NOW)
            .getFirst();
    SignedNote one = alone.and(List.of(witness));
    assertThat(CrossLink.entry(one, NOW).detail()).isEqualTo(one.encoded());
    SignedNote many = alone.and(java.util.Collections.nCopies(9, witness));
    String detail = String.valueOf(CrossLink.entry(many, NOW).detail());
    assertThat(detail).startsWith(one.encoded());
    assertThat(detail.length())
        .isBetween(AuditEntry.MAX_TEXT - witness.encoded().length(), AuditEntry.MAX_TEXT);
    assertThat(SignedNote.parse(detail).verify(List.of(key.verifier()))).isTrue();
  }

  private static AuditEntry entry(Station station, String outcome, @Nullable String detail) {
    return AuditEntry.plain(
        NOW, station, "audit", null, null, null, null, null, outcome, outcome, detail);
  }

  @Test
  void onlyACrossLinkIsReadAsOne() throws Exception {
    String note = new Checkpoint(OTHERS, 7, new byte[32]).sign(key).encoded();
    AuditEntry link = entry(Station.ADMIN, "CROSS_LINK", note);
    assertThat(CrossLink.read(link)).isEqualTo(SignedNote.parse(note));
    assertThat(CrossLink.read(entry(Station.DECIDE, "CROSS_LINK", note))).isNull();
    assertThat(CrossLink.read(entry(Station.ADMIN, "ARCHIVED", note))).isNull();
    for (String wrong : new String[] {null, "x", SignedNote.sign("x\n", key).encoded()}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> CrossLink.read(entry(Station.ADMIN, "CROSS_LINK", wrong)));
    }
  }

  @Test
  void aLookAtAFewBytesNeverMissesOne() throws Exception {
    byte[] link =
        CrossLink.entry(new Checkpoint(OTHERS, 7, new byte[32]).sign(key), NOW).canonical();
    byte[] within = new byte[link.length + 20];
    System.arraycopy(link, 0, within, 10, link.length);
    assertThat(CrossLink.maybe(within, 10, link.length)).isTrue();
    assertThat(CrossLink.maybe(within, 9, link.length)).isFalse();
    assertThat(CrossLink.maybe(link, 0, 20)).isFalse(); // too short to be one, and read no further
    for (AuditEntry other : Entries.batch(0, 3)) {
      byte[] bytes = other.canonical();
      assertThat(CrossLink.maybe(bytes, 0, bytes.length)).isFalse();
    }
  }
}
