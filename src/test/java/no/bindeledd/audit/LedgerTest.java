package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@SuppressWarnings("NullAway.Init")
class LedgerTest {
  private static final String ORIGIN = "audit.example.no/bindeledd";

  /** Past two kept checkpoints (1,200 and 2,100), with entries after the last. */
  private static final int ENTRIES = 2500;

  private static DataSource source;

  @TempDir Path folder;
  private LogKey key;
  private Ledger ledger;

  @BeforeAll
  static void startPostgres() throws IOException {
    source = LogDatabase.shared().source;
  }

  @BeforeEach
  void begin() throws Exception {
    LogDatabase.shared().clear();
    key = LogKey.open(folder.resolve("log.key"), ORIGIN);
    ledger = open();
  }

  @AfterEach
  void end() {
    ledger.close();
  }

  @Test
  void anHonestLogVerifiesAtEverySizeAndAfterEveryRestart() throws Exception {
    int written = 0;
    for (int batch : new int[] {1, 2, 7, 300, 900, 1024, 5, 2048}) {
      append(written, batch);
      written += batch;
      assertThat(verify()).isEqualTo(new Verification(true, written, null));
      ledger.close();
      ledger = open();
      assertThat(ledger.size()).isEqualTo(written);
    }
    assertThat(verifyWith(ledger.checkpoint()).verified()).isTrue();
  }

  @Test
  void anEmptyLogVerifies() throws Exception {
    assertThat(verify()).isEqualTo(new Verification(true, 0, null));
  }

  @Test
  void theSignedRootIsTheTreeOfTheStoredBytes() throws Exception {
    append(0, 9);
    TreeHash hash = new TreeHash();
    List<byte[]> leaves = new ArrayList<>();
    try (Connection c = source.getConnection();
        Statement s = c.createStatement();
        ResultSet rs = s.executeQuery("SELECT entry, leaf FROM audit_entry ORDER BY idx")) {
      while (rs.next()) {
        leaves.add(hash.leaf(rs.getBytes(1)));
        assertThat(rs.getBytes(2)).isEqualTo(leaves.getLast());
      }
    }
    Checkpoint checkpoint = Checkpoint.parse(ledger.checkpoint().text());
    assertThat(checkpoint).isEqualTo(new Checkpoint(ORIGIN, 9, MerkleProof.root(leaves)));
    assertThat(ledger.checkpoint().verify(List.of(key.verifier()))).isTrue();
  }

  @Test
  void indexesAreConsecutiveAndMemoryMovesOnlyOnConfirm() throws Exception {
    append(0, 3);
    try (Connection c = transaction()) {
      Appended appended = ledger.append(c, Entries.batch(3, 2));
      assertThat(appended.firstEntry()).isEqualTo(3);
      assertThat(appended.size()).isEqualTo(5);
      assertThat(ledger.size()).isEqualTo(3);
      assertThatThrownBy(() -> ledger.append(c, Entries.batch(5, 1)))
          .isInstanceOf(IllegalStateException.class);
      c.rollback();
      ledger.discard(appended);
      assertThatThrownBy(() -> ledger.confirm(appended)).isInstanceOf(IllegalStateException.class);
    }
    append(3, 4);
    assertThat(verify()).isEqualTo(new Verification(true, 7, null));
  }

  @Test
  void aBatchNeedsEntriesAndATransaction() throws Exception {
    try (Connection c = source.getConnection()) {
      assertThatThrownBy(() -> ledger.append(c, Entries.batch(0, 1)))
          .isInstanceOf(IllegalStateException.class);
    }
    try (Connection c = transaction()) {
      assertThatThrownBy(() -> ledger.append(c, List.of()))
          .isInstanceOf(IllegalStateException.class);
    }
  }

  @Test
  void theCommitWaitsForTheDiskWhateverTheServersDefault() throws Exception {
    try (Connection c = transaction();
        Statement s = c.createStatement()) {
      s.execute("SET LOCAL synchronous_commit = off");
      ledger.discard(ledger.append(c, Entries.batch(0, 1)));
      assertThat(text(s, "SHOW synchronous_commit")).isEqualTo("on");
      c.rollback();
      s.execute("SET LOCAL synchronous_commit = remote_apply");
      ledger.discard(ledger.append(c, Entries.batch(0, 1)));
      assertThat(text(s, "SHOW synchronous_commit")).isEqualTo("remote_apply");
      c.rollback();
    }
  }

  private static String text(Statement s, String query) throws SQLException {
    try (ResultSet rs = s.executeQuery(query)) {
      rs.next();
      return rs.getString(1);
    }
  }

  @Test
  void anUnknownOutcomeIsSettledByReadingTheHead() throws Exception {
    append(0, 10);
    try (Connection c = transaction()) {
      ledger.append(c, Entries.batch(10, 5));
      c.commit();
      assertThat(ledger.resync(c)).isTrue();
      assertThat(ledger.size()).isEqualTo(15);
      ledger.append(c, Entries.batch(15, 5));
      c.rollback();
      assertThat(ledger.resync(c)).isFalse();
      assertThat(ledger.size()).isEqualTo(15);
    }
    append(15, 1);
    assertThat(verify()).isEqualTo(new Verification(true, 16, null));
  }

  @Test
  void twoInstancesCannotBothWriteTheSamePlace() throws Exception {
    append(0, 10);
    try (Ledger second = open();
        Connection c = transaction()) {
      append(10, 5);
      assertThatThrownBy(() -> second.append(c, Entries.batch(90, 5)))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("another instance");
      c.rollback();
      assertThat(second.resync(c)).isFalse();
      second.confirm(commit(c, second.append(c, Entries.batch(15, 5))));
      assertThatThrownBy(() -> append(20, 1)).isInstanceOf(LedgerException.class);
      assertThat(ledger.resync(c)).isFalse();
    }
    append(20, 1);
    assertThat(verify()).isEqualTo(new Verification(true, 21, null));
  }

  @Test
  void oddTextDoesNotStopTheLedger() throws Exception {
    List<AuditEntry> odd =
        Stream.of("", "\u0000", "\ud800", "x".repeat(100_000), "æøå€😀\"\\\n", "'; DROP TABLE held")
            .map(m -> Entries.of("x", "REFUSED", null, null, m, Instant.EPOCH))
            .toList();
    append(odd);
    assertThat(verify()).isEqualTo(new Verification(true, odd.size(), null));
    assertThat(
            found(AuditReader.Narrowing.messages(List.of(AuditEntry.cut("x".repeat(100_000)))), 10))
        .hasSize(1);
  }

  /** What was done to the database, and what the verification must say of it. */
  record Tampering(String expected, List<String> statements) {}

  static Stream<Tampering> tamperings() {
    String swap =
        "UPDATE audit_entry a SET (at,station,exchange,outcome,message,subject,salt,leaf,entry) ="
            + " (b.at,b.station,b.exchange,b.outcome,b.message,b.subject,b.salt,b.leaf,b.entry)"
            + " FROM audit_entry b WHERE a.idx + b.idx = 21 AND a.idx IN (10, 11)";
    String forge = // an entry and its recorded hash, rewritten together
        "UPDATE audit_entry SET entry = e, leaf = sha256('\\x00'::bytea || e), outcome = 'RELEASED'"
            + " FROM (SELECT convert_to(replace(convert_from(entry, 'UTF8'), 'REFUSED',"
            + " 'RELEASED'), 'UTF8') AS e FROM audit_entry WHERE idx = 1500) f WHERE idx = 1500";
    return Stream.of(
        tamper("Entry 7 ", "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 7"),
        tamper("Entry 0 ", "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 0"),
        tamper(
            "Entry 2499 ",
            "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 2499"),
        tamper("Entry 7 ", "UPDATE audit_entry SET entry = '' WHERE idx = 7"),
        tamper(
            "Entry 7 ",
            "UPDATE audit_entry SET leaf = set_byte(leaf, 0, 255 - get_byte(leaf, 0)) WHERE idx ="
                + " 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET leaf = '' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET subject = NULL WHERE idx = 7"),
        tamper(
            "Entry 7 ",
            "UPDATE audit_entry SET subject = decode(repeat('00', 16), 'hex') WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET subject = '\\x00' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET salt = NULL WHERE idx = 7"),
        tamper(
            "Entry 7 ",
            "UPDATE audit_entry SET salt = set_byte(salt, 0, 255 - get_byte(salt, 0)) WHERE idx ="
                + " 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET message = 'another' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET message = NULL WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET outcome = 'HELD' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET exchange = 'another' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET station = 'SHAPE' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET at = at + interval '1 us' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET at = 'infinity' WHERE idx = 7"),
        tamper("Entry 0 ", "DELETE FROM audit_entry WHERE idx = 0"),
        tamper("Entry 1300 ", "DELETE FROM audit_entry WHERE idx = 1300"),
        tamper("Entry 2499 ", "DELETE FROM audit_entry WHERE idx = 2499"),
        tamper("Entry 0 ", "DELETE FROM audit_entry"),
        tamper("one of 0 to 1199", swap),
        tamper("one of 1200 to 2099", forge),
        tamper(
            "one of 1200 to 2099",
            forge,
            "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 1600"),
        tamper(
            "Entry 8 ",
            "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx IN (8, 9, 1300)"),
        tamper(
            "Entry 2499 ",
            "ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_pkey",
            "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE idx = 2499",
            "UPDATE audit_entry SET idx = idx"),
        tamper(
            "Entry 2500 ",
            "INSERT INTO audit_entry SELECT 2500, at, station, exchange, outcome, message, subject,"
                + " salt, leaf, entry FROM audit_entry WHERE idx = 2499"),
        tamper(
            "Entry -1 ",
            "INSERT INTO audit_entry SELECT -1, at, station, exchange, outcome, message, subject,"
                + " salt, leaf, entry FROM audit_entry WHERE idx = 0"),
        tamper("no signed head", "DELETE FROM audit_head"),
        tamper(
            "other: Entry 0 is missing",
            "INSERT INTO audit_head (shard, origin, size, frontier, checkpoint)"
                + " SELECT 1, 'other', size, frontier, checkpoint FROM audit_head"),
        tamper(
            "The head ",
            "UPDATE audit_head SET frontier = set_byte(frontier, 0, 255 - get_byte(frontier, 0))"),
        tamper("The head ", "UPDATE audit_head SET checkpoint = replace(checkpoint, '=', '')"),
        tamper("The head ", "UPDATE audit_head SET checkpoint = ''"),
        tamper(
            "Entry 2498 ",
            "DELETE FROM audit_entry WHERE idx = 2499",
            "UPDATE audit_head SET size = 2498"),
        tamper(
            "The kept checkpoint at size 1200",
            "UPDATE audit_checkpoint SET checkpoint = 'x' WHERE size = 1200"),
        tamper(
            "The kept checkpoint at size 1200",
            "UPDATE audit_checkpoint SET frontier = '' WHERE size = 1200"),
        tamper("kept checkpoint", "UPDATE audit_checkpoint SET size = 1201 WHERE size = 1200"),
        tamper(
            "Entry 1200 ", // the tail cut off, under an earlier genuine checkpoint
            "DELETE FROM audit_entry WHERE idx >= 1200",
            "UPDATE audit_head h SET (size, frontier, checkpoint) = (c.size, c.frontier,"
                + " c.checkpoint) FROM audit_checkpoint c WHERE c.size = 1200"));
  }

  private static Tampering tamper(String expected, String... statements) {
    return new Tampering(expected, List.of(statements));
  }

  @ParameterizedTest
  @MethodSource("tamperings")
  void everyTamperingIsDetectedAndTheFirstBrokenEntryNamed(Tampering tampering) throws Exception {
    fill();
    assertThat(verify()).isEqualTo(new Verification(true, ENTRIES, null));
    for (String statement : tampering.statements()) {
      sql(statement);
    }
    Verification verification = verify();
    if (tampering.statements().getFirst().contains("DROP CONSTRAINT")) {
      sql("TRUNCATE audit_entry");
      sql("ALTER TABLE audit_entry ADD PRIMARY KEY (idx)");
    }
    assertThat(verification.verified()).isFalse();
    assertThat(verification.firstProblem()).contains(tampering.expected());
  }

  @Test
  void aHistoryRewrittenWithAnotherKeyIsDetectedAndRefused() throws Exception {
    fill();
    LogKey thief = LogKey.open(folder.resolve("thief/log.key"), ORIGIN);
    sql("TRUNCATE audit_entry, audit_head, audit_checkpoint");
    try (Ledger forged = Ledger.open(source, thief, ORIGIN, InstantSource.system());
        Connection c = transaction()) {
      forged.confirm(commit(c, forged.append(c, Entries.batch(5000, ENTRIES))));
    }
    assertThat(verify().firstProblem()).contains("is not signed by a known key");
    assertThatThrownBy(this::open)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("not signed");
  }

  @Test
  void anOldBackupIsRefusedByTheLedgerAndByACheckpointFromOutside() throws Exception {
    append(0, 1500);
    sql("CREATE TABLE backup_entry AS TABLE audit_entry");
    sql("CREATE TABLE backup_head AS TABLE audit_head");
    append(1500, 10);
    sql("TRUNCATE audit_entry, audit_head");
    sql("INSERT INTO audit_entry TABLE backup_entry");
    sql("INSERT INTO audit_head TABLE backup_head");
    sql("DROP TABLE backup_entry, backup_head");
    assertThat(verify().verified()).isTrue(); // the backup was honest
    assertThat(verifyWith(ledger.checkpoint()).firstProblem()).startsWith("Entry 1500 is missing");
    assertThatThrownBy(this::open)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("1500 entries, but the checkpoint file says 1510");
    try (Connection c = transaction()) {
      assertThatThrownBy(() -> ledger.resync(c))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("old backup");
      c.rollback();
      assertThatThrownBy(() -> ledger.append(c, Entries.batch(1500, 1)))
          .isInstanceOf(LedgerException.class);
    }
  }

  @Test
  void anEmptiedDatabaseIsRefused() throws Exception {
    append(0, 10);
    sql("TRUNCATE audit_entry, audit_head");
    assertThatThrownBy(this::open)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("has 0 entries, but the checkpoint file says 10");
  }

  @Test
  void aLogThatForkedAfterTheRememberedCheckpointIsRefused() throws Exception {
    append(0, 1300);
    Path remembered = folder.resolve("log.key.checkpoint");
    byte[] before = Files.readAllBytes(remembered);
    append(1300, 1000);
    Files.write(remembered, before);
    open().close(); // an older memory of the same log is no obstacle
    sql("TRUNCATE audit_entry, audit_head, audit_checkpoint");
    Files.delete(remembered);
    ledger = open();
    append(7000, 1200);
    append(8200, 1100);
    Files.write(remembered, before);
    assertThatThrownBy(this::open)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("at size 1300");
    assertThat(verifyWith(SignedNote.parse(before)).firstProblem()).contains("1200 to 1299");
  }

  @Test
  void aHeadThatIsNotTheEntriesIsRefused() throws Exception {
    append(0, 10);
    sql("DELETE FROM audit_entry WHERE idx = 9");
    assertThatThrownBy(this::open)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("newest stored has index 8");
    sql("DELETE FROM audit_head");
    assertThatThrownBy(this::open)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("no signed head");
  }

  @Test
  void anotherLogOrADamagedCheckpointFileIsRefused() throws Exception {
    LogKey other = LogKey.open(folder.resolve("other.key"), "other");
    assertThatThrownBy(() -> Ledger.open(source, other, "other", InstantSource.system()))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining(ORIGIN);
    assertThatThrownBy(() -> Ledger.open(source, key, "other", InstantSource.system()))
        .isInstanceOf(LedgerException.class);
    Path remembered = folder.resolve("log.key.checkpoint");
    for (String content : List.of("", "x", "a\n1\nb\n\n— x AAAAAAAA\n")) {
      Files.writeString(remembered, content);
      assertThatThrownBy(this::open).isInstanceOf(LedgerException.class);
    }
    Checkpoint foreign = new Checkpoint("other", 0, new byte[32]);
    Files.writeString(remembered, foreign.sign(other).encoded());
    assertThatThrownBy(this::open)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("not signed by the log");
  }

  @Test
  void aLogGoesOnUnderANewKeyWhileTheOldOneIsListed() throws Exception {
    append(0, 1100);
    VerifierKey old = key.verifier();
    Files.delete(folder.resolve("log.key"));
    key = LogKey.open(folder.resolve("log.key"), ORIGIN);
    ledger.close();
    ledger = open();
    append(1100, 1100);
    assertThat(verify()).isEqualTo(new Verification(true, 2200, null));
    Verification oldOnly = LedgerVerifier.verify(source, List.of(old), ProgressListener.NONE);
    assertThat(oldOnly.firstProblem()).contains("not signed by a known key");
  }

  @Test
  void theCheckpointFileHoldsTheNewestConfirmedCheckpoint() throws Exception {
    append(0, 9);
    append(9, 1);
    assertThat(Files.readString(folder.resolve("log.key.checkpoint")))
        .isEqualTo(ledger.checkpoint().encoded());
  }

  @Test
  void progressIsToldUpToTheEnd() throws Exception {
    append(0, 9000);
    List<Long> told = new ArrayList<>();
    LedgerVerifier.verify(source, key.verifiers(), (done, total) -> told.add(done));
    assertThat(told).containsExactly(8192L, 9000L);
  }

  @Test
  void theReaderFindsBySubjectMessageTimeAndTextFromTheEnd() throws Exception {
    List<AuditEntry> written = Entries.batch(0, 500);
    append(written);
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
    try (Connection connection = source.getConnection()) {
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
    append(0, 3);
    sql("UPDATE audit_entry SET outcome = 'HELD' WHERE idx = 1");
    assertThat(found(ANY, 10).stream().map(AuditReader.Found::intact))
        .containsExactly(true, false, true);
    sql("UPDATE audit_entry SET entry = '' WHERE idx = 1");
    assertThatThrownBy(() -> found(ANY, 10))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("Entry 1 ");
  }

  private static final AuditReader.Narrowing ANY =
      new AuditReader.Narrowing(null, List.of(), null, null, List.of());

  private List<AuditReader.Found> found(AuditReader.Narrowing narrowing, int limit)
      throws SQLException {
    try (Connection connection = source.getConnection()) {
      return AuditReader.newest(connection, 0, Long.MAX_VALUE, narrowing, limit);
    }
  }

  private List<Long> indexes(AuditReader.Narrowing narrowing, int limit) throws SQLException {
    return found(narrowing, limit).stream().map(AuditReader.Found::index).toList();
  }

  private Ledger open() throws SQLException {
    return Ledger.open(source, key, ORIGIN, InstantSource.system());
  }

  /** {@link #ENTRIES} entries with checkpoints kept at 1,200 and 2,100. */
  private void fill() throws SQLException {
    append(0, 1200);
    append(1200, 900);
    append(2100, 400);
  }

  private void append(int from, int count) throws SQLException {
    append(Entries.batch(from, count));
  }

  private void append(List<AuditEntry> entries) throws SQLException {
    try (Connection c = transaction()) {
      ledger.confirm(commit(c, ledger.append(c, entries)));
    }
  }

  private static Appended commit(Connection c, Appended appended) throws SQLException {
    c.commit();
    return appended;
  }

  private static Connection transaction() throws SQLException {
    Connection connection = source.getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  private static void sql(String statement) throws SQLException {
    try (Connection c = source.getConnection();
        Statement s = c.createStatement()) {
      s.execute(statement);
    }
  }

  private Verification verify() throws SQLException {
    return LedgerVerifier.verify(source, key.verifiers(), ProgressListener.NONE);
  }

  private Verification verifyWith(SignedNote... known) throws SQLException {
    return LedgerVerifier.verify(
        source, key.verifiers(), Arrays.asList(known), ProgressListener.NONE);
  }
}
