package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** When the ledger writes nothing more, so that the gate stays shut, and when it goes on. */
@SuppressWarnings("NullAway.Init")
class LedgerRefusalsTest {
  private static final Shard SHARD = new Shard(1);

  private static LogDatabase database;

  @TempDir Path folder;
  private LogKey key;
  private Path memory;

  @BeforeAll
  static void start() throws IOException {
    database = LogDatabase.shared();
  }

  @BeforeEach
  void begin() throws Exception {
    database.clear();
    key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    memory = folder.resolve("log.key.checkpoint");
  }

  private static void append(Ledger ledger, int from, int count) throws SQLException {
    database.append(ledger, Entries.batch(from, count));
  }

  private static Connection transaction() throws SQLException {
    Connection connection = database.source.getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  @Test
  void whoeverTakesAShardShutsOutWhoeverHadIt() throws Exception {
    LogKey shardKey = LogKey.open(folder.resolve("log-1.key"), SHARD.origin(LogDatabase.ORIGIN));
    Ledger first =
        Ledger.hold(database.source, shardKey, LogDatabase.ORIGIN, SHARD, InstantSource.system());
    append(first, 0, 3);
    assertThat(first.next()).isEqualTo(SHARD.entry(3));
    try (Ledger next =
            Ledger.hold(
                database.source, shardKey, LogDatabase.ORIGIN, SHARD, InstantSource.system());
        Connection c = transaction()) {
      assertThatThrownBy(() -> append(first, 3, 1))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("no longer has the size 3")
          .hasMessageContaining("has taken it");
      assertThatThrownBy(() -> first.requireWritable(c))
          .isInstanceOf(LedgerException.class)
          .hasMessageStartingWith("Another instance has taken shard 1 of the ledger");
      assertThatThrownBy(() -> first.resync(c)).isInstanceOf(LedgerException.class);
      next.requireWritable(c);
      c.rollback();
      append(next, 3, 2);
      assertThat(next.size()).isEqualTo(5);
      assertThat(next.shard()).isEqualTo(SHARD);
    }
  }

  @Test
  void aGuestWritesBesideTheHolder() throws Exception {
    try (Ledger holder =
            Ledger.hold(
                database.source, key, LogDatabase.ORIGIN, Shard.FIRST, InstantSource.system());
        Ledger guest = database.open(key);
        Connection c = transaction()) {
      guest.requireWritable(c);
      c.rollback();
      append(guest, 0, 2);
      holder.requireWritable(c);
      assertThat(holder.resync(c)).isFalse();
      c.rollback();
      append(holder, 2, 1);
      assertThat(holder.size()).isEqualTo(3);
    }
  }

  @Test
  void aLedgerThatCannotRememberItsCheckpointDoesNotGoOn() throws Exception {
    Ledger ledger = database.open(key);
    append(ledger, 0, 1);
    try (Connection c = transaction()) {
      Appended appended = ledger.append(c, Entries.batch(1, 2));
      c.commit();
      Thread.currentThread().interrupt(); // it closes the file under the writer
      ledger.confirm(appended);
      assertThat(Thread.interrupted()).isTrue();
      assertThat(ledger.size()).isEqualTo(3); // durable all the same
      assertThatThrownBy(() -> ledger.append(c, Entries.batch(3, 1)))
          .isInstanceOf(LedgerException.class)
          .hasMessage("The checkpoint file " + memory + " cannot be written");
      c.rollback();
    }
    assertThatThrownBy(ledger::close).isInstanceOf(LedgerException.class);
    try (Ledger again = database.open(key)) {
      assertThat(Files.readString(memory)).isEqualTo(again.checkpoint().encoded());
      append(again, 3, 1);
    }
  }

  @Test
  void openingBringsAnOlderMemoryUpToDate() throws Exception {
    try (Ledger ledger = database.open(key)) {
      append(ledger, 0, 3);
      SignedNote older = SignedNote.parse(Files.readString(memory));
      append(ledger, 3, 1200);
      LogKey witness = LogKey.openWitness(folder.resolve("w.key"), "governor.example.no/w");
      Files.writeString( // longer than what is written over it
          memory, older.and(witness.cosign(older.text(), Instant.EPOCH)).encoded());
      database.open(key).close();
      assertThat(Files.readString(memory)).isEqualTo(ledger.checkpoint().encoded());
    }
  }

  @Test
  void entriesThatTheDatabaseLosesAreNotTakenForWritten() throws Exception {
    database.sql(
        "CREATE OR REPLACE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS"
            + " 'BEGIN IF NEW.idx = 1 THEN RETURN NULL; END IF; RETURN NEW; END'");
    database.sql(
        "CREATE TRIGGER lose BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION lose()");
    try (Ledger ledger = database.open(key);
        Connection c = transaction()) {
      assertThatThrownBy(() -> ledger.append(c, Entries.batch(0, 3)))
          .isInstanceOf(LedgerException.class)
          .hasMessage("The database took 2 of 3 entries: roll back");
      c.rollback();
      assertThat(ledger.size()).isZero();
      append(ledger, 0, 1);
    } finally {
      database.sql("DROP TRIGGER lose ON audit_entry");
    }
  }

  @Test
  void onlyTheOutstandingBatchIsConfirmedOrDiscarded() throws Exception {
    try (Ledger ledger = database.open(key);
        Connection c = transaction()) {
      Appended none = new Appended(0, 1, new byte[32]);
      assertThatIllegalStateException()
          .isThrownBy(() -> ledger.confirm(none))
          .withMessage("Not the outstanding batch");
      Appended appended = ledger.append(c, Entries.batch(0, 1));
      assertThatIllegalStateException().isThrownBy(() -> ledger.confirm(none));
      assertThatIllegalStateException().isThrownBy(() -> ledger.discard(none));
      c.commit();
      ledger.confirm(appended);
      assertThat(ledger.size()).isEqualTo(1);
    }
  }

  @Test
  void aDatabaseWithoutItsHeadIsRefusedFromTheFirstEntryOn() throws Exception {
    try (Ledger ledger = database.open(key);
        Connection c = transaction()) {
      append(ledger, 0, 1);
      database.sql("DELETE FROM audit_head");
      assertThatThrownBy(() -> database.open(key))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("has audit entries but no signed head");
      assertThatThrownBy(() -> ledger.resync(c))
          .isInstanceOf(LedgerException.class)
          .hasMessageStartingWith("The database has no head of the log");
      c.rollback();
      database.sql("DELETE FROM audit_entry");
      assertThatThrownBy(() -> database.open(key))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("has 0 entries, but the checkpoint file says 1");
    }
  }

  @Test
  void aLogThatWasBegunAndNeverWrittenMayBeginAgain() throws Exception {
    database.open(key).close();
    database.sql("DELETE FROM audit_head");
    try (Ledger ledger = database.open(key)) {
      append(ledger, 0, 1);
      assertThat(ledger.size()).isEqualTo(1);
    }
  }

  @Test
  void aKeyOfAnotherNameIsRefusedByItsName() throws Exception {
    LogKey other = LogKey.open(folder.resolve("other.key"), "other.example.no");
    assertThatThrownBy(() -> database.open(other))
        .isInstanceOf(LedgerException.class)
        .hasMessage("The log is " + LogDatabase.ORIGIN + " but its key is named other.example.no");
  }

  @Test
  void aHeadThatSaysOtherThanItsCheckpointIsRefused() throws Exception {
    try (Ledger ledger = database.open(key)) {
      append(ledger, 0, 3);
      String note = ledger.checkpoint().encoded();
      append(ledger, 3, 1);
      database.sql("UPDATE audit_head SET checkpoint = '" + note + "'");
      assertThatThrownBy(() -> database.open(key))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("does not agree with its checkpoint: size 4 and root ");
      database.sql("UPDATE audit_head SET checkpoint = 'x'");
      assertThatThrownBy(() -> database.open(key))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("cannot be read");
    }
  }

  /** An older memory, at size 5, and ten entries of which something was changed afterwards. */
  private void refuses(String change, String problem) throws Exception {
    database.clear();
    Files.deleteIfExists(memory);
    try (Ledger ledger = database.open(key)) {
      append(ledger, 0, 5);
      String older = Files.readString(memory);
      append(ledger, 5, 5);
      Files.writeString(memory, older);
      database.sql(change);
      assertThatThrownBy(() -> database.open(key))
          .as(change)
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining(problem);
      Files.writeString(memory, ledger.checkpoint().encoded());
    }
  }

  @Test
  void whatWasChangedSinceItRemembersIsRefused() throws Exception {
    refuses(
        "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 7",
        "at size 10 the stored entries give the root ");
    refuses(
        "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 3",
        "at size 5 the stored entries give the root ");
    refuses("DELETE FROM audit_entry WHERE idx = 7", "Entry 7 is missing from the ledger");
    refuses(
        "DELETE FROM audit_entry WHERE idx = 9",
        "says 10 entries, so the newest has index 9, but the newest stored has index 8");
  }

  @Test
  void anotherHistoryUnderTheSameKeyIsNotTakenOver() throws Exception {
    try (Ledger ledger = database.open(key);
        Connection c = transaction()) {
      append(ledger, 0, 10);
      database.clear();
      Files.delete(memory);
      try (Ledger other = database.open(key)) {
        append(other, 500, 12);
      }
      assertThatThrownBy(() -> ledger.resync(c))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("is not the one that was signed: at size 12 ");
      c.rollback();
    }
  }

  @Test
  void afterALostConnectionTheMemoryIsOfWhatIsStored() throws Exception {
    try (Ledger ledger = database.open(key);
        Connection c = transaction()) {
      ledger.append(c, Entries.batch(0, 2));
      c.commit();
      assertThat(ledger.resync(c)).isTrue();
      c.rollback();
      assertThat(Files.readString(memory)).isEqualTo(ledger.checkpoint().encoded());
      assertThat(Checkpoint.parse(ledger.checkpoint().text()).size()).isEqualTo(2);
    }
  }

  @Test
  void aMemoryOfAnotherLogIsRefusedThoughThisKeySignedIt() throws Exception {
    database.open(key).close();
    Files.writeString(
        memory, new Checkpoint("other.example.no", 0, new byte[32]).sign(key).encoded());
    assertThatThrownBy(() -> database.open(key))
        .isInstanceOf(LedgerException.class)
        .hasMessage(
            "The checkpoint file " + memory + " is not signed by the log " + LogDatabase.ORIGIN);
  }

  @Test
  void aHeadThatAnotherKeySignedIsRefused() throws Exception {
    database.open(key).close();
    LogKey thief = LogKey.open(folder.resolve("thief/log.key"), LogDatabase.ORIGIN);
    assertThatThrownBy(() -> database.open(thief))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("is not signed by any of its keys");
  }

  @Test
  void whoeverFollowsIsToldOfEachBatchWhenItIsDurable() throws Exception {
    try (Ledger ledger = database.open(key);
        Connection c = transaction()) {
      List<Confirmed> told = new ArrayList<>();
      ledger.follow(told::add);
      List<AuditEntry> entries = Entries.batch(0, 2);
      database.append(ledger, entries);
      assertThat(told.getFirst().first()).isZero();
      assertThat(told.getFirst().entries()).isEqualTo(entries);
      List<byte[]> bytes = entries.stream().map(AuditEntry::canonical).toList();
      assertThat(EntryBundle.entries(told.getFirst().bundle(), 2)).containsExactlyElementsOf(bytes);
      assertThat(told.getFirst().leaves())
          .isEqualTo(MemoryLog.join(bytes.stream().map(new TreeHash()::leaf).toList()));
      Appended appended = ledger.append(c, Entries.batch(2, 3));
      assertThat(told).hasSize(1);
      c.rollback();
      ledger.discard(appended);
      append(ledger, 2, 1);
      assertThat(told).hasSize(2);
      assertThat(told.getLast().first()).isEqualTo(2);
    }
  }
}
