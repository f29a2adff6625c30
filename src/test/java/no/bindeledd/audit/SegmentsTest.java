package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
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

  /** One full segment, and the open one with what is unusual in both. */
  @BeforeAll
  static void fill() throws Exception {
    database = new LogDatabase();
    key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    ledger = database.open(key);
    for (int from = 0; from < ENTRIES; from += 4000) {
      List<AuditEntry> batch = new ArrayList<>(Entries.batch(from, Math.min(4000, ENTRIES - from)));
      if (from == 0) {
        batch.set(7, odd());
      } else if (from + 4000 > ENTRIES) {
        batch.set(batch.size() - 1, odd());
      }
      database.append(ledger, batch);
    }
    assertThat(new SegmentIndexer(database.source).index(Segments.SIZE - 1)).isZero();
    SegmentIndexer indexer = new SegmentIndexer(database.source);
    assertThat(indexer.index(ledger.size())).isOne();
    assertThat(indexer.index(ledger.size())).isZero();
  }

  @SuppressWarnings("NullAway") // it does not read a nullable array from class files
  private static AuditEntry odd() {
    return new AuditEntry(
        Instant.EPOCH,
        Station.DECIDE,
        "rights-query",
        "311000020",
        "odd \"receiver\"",
        null,
        null,
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "HELD",
        "PROTECTED",
        List.of("odd-rule@1", "odd-rule@2"),
        "odd@1",
        List.of("odd-consent@3"),
        null,
        null,
        List.of(),
        List.of(),
        null,
        null,
        null);
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
                + "audit_entry_0_subject\naudit_entry_0_terms\n");
    assertThat(indexesOf("audit_entry_1")).isEqualTo("audit_entry_1_at_idx\naudit_entry_1_pkey\n");
  }

  @Test
  void anIndexThatACrashLeftOutIsMadeTheNextTime() throws Exception {
    database.sql("DROP INDEX audit_entry_0_subject");
    assertThat(new SegmentIndexer(database.source).index(ledger.size())).isOne();
    assertThat(indexesOf("audit_entry_0")).contains("audit_entry_0_subject");
  }

  @Test
  void everyTermFindsItsEntriesInTheFullAndInTheOpenSegment() throws Exception {
    long first = 7;
    long second = ENTRIES - 1;
    Map<EntryTerm.Kind, String> values = new EnumMap<>(EntryTerm.Kind.class);
    values.put(EntryTerm.Kind.SENDER, "311000020");
    values.put(EntryTerm.Kind.RECEIVER, "odd \"receiver\"");
    values.put(EntryTerm.Kind.REASON, "PROTECTED");
    values.put(EntryTerm.Kind.AGREEMENT, "odd@1");
    values.put(EntryTerm.Kind.EXCHANGE, "rights-query");
    values.put(EntryTerm.Kind.OUTCOME, "HELD");
    values.put(EntryTerm.Kind.TRACE, "0af7651916cd43dd8448eb211c80319c");
    values.put(EntryTerm.Kind.RULE, "odd-rule@2");
    values.put(EntryTerm.Kind.CONSENT, "odd-consent@3");
    assertThat(values).containsOnlyKeys(EntryTerm.Kind.values());
    for (Map.Entry<EntryTerm.Kind, String> term : values.entrySet()) {
      assertThat(find(term.getKey(), term.getValue()))
          .as(term.getKey().name())
          .containsExactly(first, second);
      assertThat(find(term.getKey(), term.getValue() + "x")).isEmpty();
    }
  }

  @Test
  void aTraceIsFoundByTheIdInItsTraceparent() throws Exception {
    assertThat(
            database.text(
                "SELECT audit_terms(convert_to('{\"trace\":"
                    + "\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}', 'UTF8'))"))
        .isEqualTo("{trace=4bf92f3577b34da6a3ce929d0e0e4736}\n");
  }

  @Test
  void damagedBytesHaveNoTermsAndStopNothing() throws Exception {
    assertThat(database.text("SELECT audit_terms('\\x00ff'), audit_terms('')")).isEqualTo("{}\n");
    assertThat(database.text("SELECT audit_terms(convert_to('{\"rules\":1}', 'UTF8'))"))
        .isEqualTo("{}\n");
  }

  @Test
  void aSubjectAndATermUseTheIndexesOfTheFullSegment() throws Exception {
    assertThat(database.text("EXPLAIN SELECT idx FROM audit_entry WHERE subject = '\\x00'"))
        .contains("audit_entry_0_subject");
    assertThat(
            database.text(
                "EXPLAIN SELECT idx FROM audit_entry WHERE audit_terms(entry) @>"
                    + " ARRAY['outcome=HELD'] ORDER BY idx DESC LIMIT 101"))
        .contains("audit_entry_0_terms");
    assertThat(database.text("EXPLAIN SELECT idx FROM audit_entry WHERE message = 'message-3'"))
        .contains("audit_entry_0_message");
  }

  private static String indexesOf(String table) throws SQLException {
    return database.text(
        "SELECT indexname FROM pg_indexes WHERE tablename = '" + table + "' ORDER BY 1");
  }

  private static List<Long> find(EntryTerm.Kind kind, String value) throws SQLException {
    List<Long> found = new ArrayList<>();
    try (Connection c = database.source.getConnection();
        PreparedStatement select =
            c.prepareStatement(
                "SELECT idx FROM audit_entry WHERE " + EntryTerm.CONDITION + " ORDER BY idx")) {
      int at = 1;
      for (Object parameter : new EntryTerm(kind, value).parameters()) {
        select.setObject(at++, parameter);
      }
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          found.add(rs.getLong(1));
        }
      }
    }
    return found;
  }
}
