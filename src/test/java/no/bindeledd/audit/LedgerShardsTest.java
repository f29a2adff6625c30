package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two short logs in one database that hold checkpoints of each other. */
@SuppressWarnings("NullAway.Init")
class LedgerShardsTest {
  private static final Instant NOW = Instant.parse("2026-09-01T10:00:00Z");
  private static final String FIRST = LogDatabase.ORIGIN;
  private static final Shard SHARD = new Shard(1);
  private static final String SECOND = SHARD.origin(FIRST);

  private static LogDatabase database;

  @TempDir Path folder;
  private final List<String> told = new ArrayList<>();
  private LogKey secondKey;
  private Ledger first;
  private Ledger second;

  @BeforeAll
  static void start() throws IOException {
    database = LogDatabase.shared();
  }

  @BeforeEach
  void begin() throws Exception {
    database.clear();
    secondKey = LogKey.open(folder.resolve("log-1.key"), SECOND);
    first = database.open(LogKey.open(folder.resolve("log.key"), FIRST));
    second = hold(secondKey);
  }

  @AfterEach
  void end() {
    first.close();
    second.close();
  }

  private static Ledger hold(LogKey key) throws SQLException {
    return Ledger.hold(database.source, key, FIRST, SHARD, InstantSource.system());
  }

  /** The first holds checkpoints of the second at 10 (entry 5) and 30 (entry 11); 12 and 40. */
  private void fill() throws SQLException {
    add(first, 0, 5);
    add(second, 100, 10);
    link(first, second.checkpoint());
    add(second, 110, 20);
    add(first, 5, 5);
    link(first, second.checkpoint());
    link(second, first.checkpoint());
    add(second, 130, 9);
  }

  private static void add(Ledger ledger, int from, int count) throws SQLException {
    database.append(ledger, Entries.batch(from, count));
  }

  private static void link(Ledger ledger, SignedNote note) throws SQLException {
    database.append(ledger, List.of(CrossLink.entry(note, NOW)));
  }

  private Verification verify(SignedNote... known) throws Exception {
    return LedgerVerifier.verify(
        database.source,
        VerifierKey.ofHouse(folder),
        List.of(known),
        (done, total) -> told.add(done + " of " + total));
  }

  private @Nullable String problem(SignedNote... known) throws Exception {
    return verify(known).firstProblem();
  }

  @Test
  void shardsThatAgreeVerifyAsOneAndProgressRunsOverThem() throws Exception {
    fill();
    assertThat(verify(second.checkpoint(), first.checkpoint()))
        .isEqualTo(new Verification(true, 12 + 40, null));
    assertThat(told).containsExactly("12 of 52", "52 of 52");
  }

  @ParameterizedTest
  @CsvSource({"3, 0, 9, 5", "9, 0, 9, 5", "10, 10, 29, 11", "29, 10, 29, 11"})
  void aShardWrittenAnewWithItsKeyContradictsTheOther(int changed, int from, int to, int holder)
      throws Exception {
    fill();
    List<AuditEntry> entries = new ArrayList<>();
    try (var c = database.source.getConnection()) {
      AuditReader.scan(c, SHARD.first(), SHARD.end(), (number, entry) -> entries.add(entry));
    }
    entries.set(changed, Entries.number(77));
    second.close();
    database.sql("DELETE FROM audit_head WHERE shard = 1");
    database.sql("DELETE FROM audit_entry WHERE idx >= " + SHARD.first());
    java.nio.file.Files.delete(folder.resolve("log-1.key.checkpoint"));
    second = hold(secondKey);
    database.append(second, entries);
    assertThat(problem())
        .startsWith(
            "%s: The first broken entry is one of %d to %d: by the checkpoint that entry %d of %s holds at size %d the signed root is "
                .formatted(SECOND, from, to, holder, FIRST, to + 1));
  }

  @Test
  void aShardThatWasCutOffContradictsTheOther() throws Exception {
    add(first, 0, 5);
    add(second, 100, 10);
    String head = "size, frontier, checkpoint FROM audit_head WHERE shard = 1";
    database.sql("DROP TABLE IF EXISTS earlier_head");
    database.sql("CREATE TABLE earlier_head AS SELECT " + head);
    add(second, 110, 20);
    link(first, second.checkpoint());
    database.sql("DELETE FROM audit_entry WHERE idx >= " + SHARD.entry(10));
    database.sql(
        "UPDATE audit_head h SET (size, frontier, checkpoint) ="
            + " (e.size, e.frontier, e.checkpoint) FROM earlier_head e WHERE h.shard = 1");
    database.sql("DROP TABLE earlier_head");
    assertThat(problem())
        .isEqualTo(
            SECOND
                + ": Entry 10 is missing: the checkpoint that entry 5 of "
                + FIRST
                + " holds is of size 30");
  }

  @Test
  void aCheckpointThatNoKeyOfItsLogHasSignedIsAFindingAndCanBeDisregarded() throws Exception {
    add(first, 0, 3);
    link(first, new Checkpoint(SECOND, 2, new byte[32]).sign(keyOf("thief/log-1.key", SECOND)));
    add(first, 3, 2);
    add(second, 100, 4);
    assertThat(problem())
        .startsWith("Entry 3 is broken: it holds a checkpoint of the log " + SECOND)
        .contains("audit_published");
    assertThat(
            LedgerVerifier.verify(
                database.source,
                VerifierKey.ofHouse(folder),
                List.of(),
                Set.of(3L),
                ProgressListener.NONE))
        .isEqualTo(new Verification(true, 6 + 4, null));
  }

  private LogKey keyOf(String file, String name) throws IOException {
    return LogKey.open(folder.resolve(file), name);
  }

  @Test
  void aLogThatIsNoLongerThereIsMissed() throws Exception {
    fill();
    database.sql("DELETE FROM audit_head WHERE shard = 1");
    assertThat(problem())
        .isEqualTo("There are entries of shard 1 and no signed head: it was removed");
    database.sql("DELETE FROM audit_entry WHERE idx >= " + SHARD.first());
    assertThat(problem())
        .startsWith("Entry 5 is broken: it holds a checkpoint of the log " + SECOND)
        .endsWith("which is not in the database any more");
  }

  @Test
  void anEntryOfAShardThatWasNeverBegunIsAStranger() throws Exception {
    fill();
    for (int number : new int[] {2, 15}) {
      Shard shard = new Shard(number);
      try (var c = database.source.getConnection()) {
        Segments.extend(c, shard, shard.first());
      }
      database.sql(
          ("INSERT INTO audit_entry SELECT %d, at, station, exchange, outcome, message, subject,"
                  + " salt, leaf, entry FROM audit_entry WHERE idx = 0")
              .formatted(shard.first()));
      assertThat(problem())
          .isEqualTo("There are entries of " + shard + " and no signed head: it was removed");
      database.sql("DELETE FROM audit_entry WHERE idx = " + shard.first());
    }
    assertThat(problem()).isNull();
  }

  @Test
  void aProblemInALaterShardIsSaidWithItsNameAndCountsWhatWasRead() throws Exception {
    fill();
    database.sql("DELETE FROM audit_entry WHERE idx = " + SHARD.entry(3));
    assertThat(verify())
        .isEqualTo(
            new Verification(
                false, 12 + 3, SECOND + ": Entry 3 is missing: the next stored has index 4"));
    database.sql("DELETE FROM audit_entry WHERE idx = 4");
    assertThat(verify())
        .isEqualTo(new Verification(false, 4, "Entry 4 is missing: the next stored has index 5"));
  }

  @Test
  void checkpointsFromOutsideAreHeldAgainstTheLogTheyAreOf() throws Exception {
    add(second, 100, 4);
    SignedNote four = second.checkpoint();
    add(second, 104, 4);
    SignedNote eight = second.checkpoint();
    SignedNote wrong = new Checkpoint(SECOND, 6, new byte[32]).sign(secondKey);
    assertThat(problem(eight, four)).isNull();
    assertThat(problem(eight, wrong, four))
        .startsWith(
            SECOND
                + ": The first broken entry is one of 4 to 5: by the checkpoint from outside at size 6");
    assertThat(problem(new Checkpoint(SECOND, 9, new byte[32]).sign(secondKey)))
        .isEqualTo(
            "Entry 8 is missing: the head says 8 entries, a checkpoint from outside 9 (newest"
                + " entries removed, or an old backup restored)");
    assertThat(problem(new Checkpoint(FIRST, 0, new byte[32]).sign(secondKey)))
        .startsWith("The checkpoint from outside at size 0 is not signed by a known key");
    assertThat(problem(new Checkpoint("other.example.no", 1, new byte[32]).sign(secondKey)))
        .isEqualTo(
            "A checkpoint from outside is of the log other.example.no, which is not in the database");
    assertThat(problem(SignedNote.sign("x\n", secondKey)))
        .startsWith("A checkpoint given from outside is no checkpoint: ");
  }

  @Test
  void aHeadIsSignedByAKeyOfItsOwnLog() throws Exception {
    fill();
    String note =
        new Checkpoint(SECOND, 40, Checkpoint.parse(second.checkpoint().text()).root())
            .sign(keyOf("log.key", FIRST))
            .encoded();
    database.sql("UPDATE audit_head SET checkpoint = '%s' WHERE shard = 1".formatted(note));
    assertThat(problem()).isEqualTo(SECOND + ": The head at size 40 is not signed by a known key");
  }
}
