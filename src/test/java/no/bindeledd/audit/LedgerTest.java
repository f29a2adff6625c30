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

@SuppressWarnings("NullAway.Init")
class LedgerTest {
  private static final String ORIGIN = "audit.example.no/bindeledd";

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
    try (Connection c = source.getConnection()) {
      AuditReader.Narrowing cut =
          AuditReader.Narrowing.messages(List.of(AuditEntry.cut("x".repeat(100_000))));
      assertThat(AuditReader.newest(c, 0, Long.MAX_VALUE, cut, 10)).hasSize(1);
    }
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

  private Ledger open() throws SQLException {
    return Ledger.open(source, key, ORIGIN, InstantSource.system());
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
