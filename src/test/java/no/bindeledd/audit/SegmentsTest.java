package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.util.List;
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
  void aSegmentHasOnlyWhatIsCheapToWrite() throws Exception {
    for (String table : List.of("audit_entry_0", "audit_entry_1")) {
      assertThat(
              database.text(
                  "SELECT indexname FROM pg_indexes WHERE tablename = '" + table + "' ORDER BY 1"))
          .isEqualTo(table + "_at_idx\n" + table + "_pkey\n");
    }
  }
}
