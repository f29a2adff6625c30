package no.bindeledd.reading;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import no.bindeledd.audit.AuditEntry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the index is made of when the ledger tells it, against what it is when it reads back. */
@SuppressWarnings("NullAway.Init")
class EntryIndexTest {
  private static final Instant START = Instant.parse("2026-09-01T08:00:00Z");

  private TestLedger ledger;

  @BeforeEach
  void begin() throws Exception {
    ledger = new TestLedger();
  }

  @AfterEach
  void end() throws Exception {
    ledger.close();
  }

  @Test
  void whatTheLedgerTellsIsIndexedAsWhatIsReadBack() throws Exception {
    EntryIndex told = new EntryIndex(ledger.source);
    ledger.ledger.follow(told);
    ledger.append(entries(2 * Blocks.SIZE + 10));
    ledger.sql("INSERT INTO audit_shredded VALUES (40), (" + (Blocks.SIZE + 41) + ")");
    ledger.sql("UPDATE audit_entry SET subject = NULL, salt = NULL WHERE idx IN (40, 32809)");
    indexAll(told);
    List<String> index = index();
    assertThat(index).hasSizeGreaterThan(2 * Terms.BUCKETS);
    clear();
    indexAll(new EntryIndex(ledger.source));
    assertThat(index()).isEqualTo(index);
  }

  @Test
  void aBlockThatWasNotToldFromItsFirstEntryIsReadBack() throws Exception {
    List<AuditEntry> entries = entries(2 * Blocks.SIZE + 10);
    ledger.append(entries.subList(0, 1000));
    EntryIndex told = new EntryIndex(ledger.source);
    ledger.ledger.follow(told);
    ledger.append(entries.subList(1000, Blocks.SIZE + 2000));
    // The fate of a commit is unknown: nobody is told of it.
    try (Connection connection = ledger.source.getConnection()) {
      connection.setAutoCommit(false);
      ledger.ledger.append(connection, entries.subList(Blocks.SIZE + 2000, Blocks.SIZE + 4000));
      connection.commit();
      assertThat(ledger.ledger.resync(connection)).isTrue();
      connection.rollback();
    }
    ledger.append(entries.subList(Blocks.SIZE + 4000, entries.size()));
    indexAll(told);
    List<String> index = index();
    clear();
    indexAll(new EntryIndex(ledger.source));
    assertThat(index()).isEqualTo(index);
  }

  @Test
  void whatWasToldIsNotReadBackAndWhatThereIsNoRoomForIs() throws Exception {
    EntryIndex told = new EntryIndex(ledger.source);
    ledger.ledger.follow(told);
    List<AuditEntry> entries = entries(Blocks.SIZE);
    for (int block = 0; block < 5; block++) {
      ledger.append(entries);
    }
    ledger.append(entries.subList(0, 1));
    // Of each block all but the ends, which say that it is full.
    ledger.sql("DELETE FROM audit_entry WHERE idx % 32768 NOT IN (0, 32767)");
    indexAll(told);
    assertThat(rows("SELECT block, sum(length(places)) / 2 FROM audit_posting GROUP BY block"))
        .contains("0|2", "1|32768", "4|32768")
        .hasSize(5);
  }

  private static List<AuditEntry> entries(int count) {
    List<AuditEntry> entries = new ArrayList<>(count);
    for (int i = 0; i < count; i++) {
      Instant at = START.plusMillis(i);
      String trace = String.format("00-%032x-00f067aa0ba902b7-01", i / 5 + 1);
      // A message id has what its sender put there, also what no text can hold.
      String message = i % 1000 == 7 ? "\0 and \ud800 and \ud83d\ude00 " + i : "message " + i / 2;
      entries.add(
          i % 2 == 1
              ? TestLedger.delivery(at, "dropout-notice", "311000004", "ot", message, trace)
              : TestLedger.decision(
                  at,
                  i % 3 == 0 ? "measure-event" : "dropout-notice",
                  "311000004",
                  i % 7 == 0 ? null : "311013572",
                  i % 11 == 0 ? null : TestLedger.person(i % 400),
                  message,
                  trace,
                  i % 10 == 0 ? "REFUSED" : "RELEASED",
                  "RELEASED",
                  i % 4 == 0 ? List.of("b@2", "a@1", "school-ot@1") : List.of("a@1", "b@2"),
                  List.of(),
                  i % 10 == 0 ? List.of() : List.of("/reference"),
                  List.of()));
    }
    return entries;
  }

  private static void indexAll(EntryIndex index) throws SQLException {
    while (index.indexNextBlock()) {
      // the next
    }
  }

  /** All of it, with flows by what they say. */
  private List<String> index() throws SQLException {
    List<String> rows = new ArrayList<>();
    rows.addAll(rows("SELECT block, earliest, latest, steps FROM audit_block ORDER BY block"));
    rows.addAll(
        rows(
            "SELECT p.block, f.station, f.exchange, f.sender, f.receiver, f.outcome, f.rules,"
                + " f.rule_ids, md5(p.places) FROM audit_posting p JOIN audit_flow f"
                + " ON f.id = p.flow ORDER BY p.block, f.digest"));
    rows.addAll(
        rows("SELECT block, bucket, length(terms), md5(terms) FROM audit_term ORDER BY 1, 2"));
    return rows;
  }

  private void clear() throws SQLException {
    ledger.sql("TRUNCATE audit_block, audit_flow, audit_posting, audit_term");
  }

  private List<String> rows(String query) throws SQLException {
    List<String> rows = new ArrayList<>();
    try (Connection connection = ledger.source.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rs = statement.executeQuery(query)) {
      while (rs.next()) {
        List<String> columns = new ArrayList<>();
        for (int i = 1; i <= rs.getMetaData().getColumnCount(); i++) {
          columns.add(rs.getString(i));
        }
        rows.add(String.join("|", columns));
      }
    }
    return rows;
  }
}
