package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@SuppressWarnings("NullAway.Init")
class SegmentsTest {
  private static final int ENTRIES = Segments.SIZE + 500;

  @TempDir static Path folder;
  private static LogDatabase database;
  private static LogKey key;
  private static Ledger ledger;

  /** One full segment, and the open one. */
  @BeforeAll
  static void fill() throws Exception {
    database = new LogDatabase();
    key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    ledger = database.open(key);
    for (int from = 0; from < ENTRIES; from += 4000) {
      database.append(ledger, Entries.batch(from, Math.min(4000, ENTRIES - from)));
    }
    assertThat(new SegmentIndexer(database.source, Shard.FIRST).index(Segments.SIZE - 1)).isZero();
    SegmentIndexer indexer = new SegmentIndexer(database.source, Shard.FIRST);
    assertThat(indexer.index(ledger.size())).isOne();
    assertThat(indexer.index(ledger.size())).isZero();
  }

  @AfterAll
  static void stop() throws IOException {
    ledger.close();
    database.close();
  }

  @Test
  void segmentsAreThereBeforeTheyAreNeeded() throws Exception {
    try (Connection connection = database.source.getConnection()) {
      assertThat(Segments.list(connection))
          .containsExactly(
              new Segments.Segment("audit_entry_0", 0, Segments.SIZE),
              new Segments.Segment("audit_entry_1", Segments.SIZE, 2 * Segments.SIZE));
    }
  }

  @Test
  void theLedgerVerifiesAcrossSegments() throws Exception {
    assertThat(LedgerVerifier.verify(database.source, key.verifiers(), ProgressListener.NONE))
        .isEqualTo(new Verification(true, ENTRIES, null));
  }

  @Test
  void onlyTheFullSegmentHasTheIndexes() throws Exception {
    assertThat(indexesOf("audit_entry_0"))
        .isEqualTo(
            "audit_entry_0_at_idx\naudit_entry_0_message\naudit_entry_0_pkey\n"
                + "audit_entry_0_subject\n");
    assertThat(indexesOf("audit_entry_1")).isEqualTo("audit_entry_1_at_idx\naudit_entry_1_pkey\n");
  }

  @Test
  void anIndexThatACrashLeftOutIsMadeTheNextTime() throws Exception {
    database.sql("DROP INDEX audit_entry_0_subject");
    assertThat(new SegmentIndexer(database.source, Shard.FIRST).index(ledger.size())).isOne();
    assertThat(indexesOf("audit_entry_0")).contains("audit_entry_0_subject");
  }

  @Test
  void subjectsAndMessagesUseTheIndexesOfTheFullSegment() throws Exception {
    assertThat(database.text("EXPLAIN SELECT idx FROM audit_entry WHERE subject = '\\x00'"))
        .contains("audit_entry_0_subject");
    assertThat(database.text("EXPLAIN SELECT idx FROM audit_entry WHERE message = 'message-3'"))
        .contains("audit_entry_0_message");
    assertThat(
            new AuditReader(database.source)
                    .read(
                        new AuditReader.Query(Entries.subject(7), null, null, null, null, null),
                        null,
                        1000)
                    .entries()
                    .stream()
                    .map(AuditReader.Found::index))
        .contains((long) ENTRIES - 29, (long) ENTRIES - 79) // in the open segment
        .hasSize(1000);
  }

  private static String indexesOf(String table) throws SQLException {
    return database.text(
        "SELECT indexname FROM pg_indexes WHERE tablename = '" + table + "' ORDER BY 1");
  }
}
