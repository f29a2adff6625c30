package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.HexFormat;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** When a segment may leave the database, and what is left of it there. */
@SuppressWarnings("NullAway.Init")
class ArchivingRulesTest {
  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");

  private static LogDatabase database;
  private static ArchivedLog made;

  @TempDir Path folder;
  private Connection connection; // everything is rolled back

  @BeforeAll
  static void start() throws IOException {
    database = LogDatabase.shared();
    made = ArchivedLog.shared();
  }

  @BeforeEach
  void connect() throws SQLException {
    database.clear();
    connection = database.source.getConnection();
    connection.setAutoCommit(false);
  }

  @AfterEach
  void forget() throws SQLException {
    connection.rollback();
    connection.close();
  }

  private void sql(String statement) throws SQLException {
    try (Statement s = connection.createStatement()) {
      s.execute(statement);
    }
  }

  private String text(String query) throws SQLException {
    StringBuilder text = new StringBuilder();
    try (Statement s = connection.createStatement();
        var rows = s.executeQuery(query)) {
      while (rows.next()) {
        text.append(rows.getString(1)).append(' ');
      }
    }
    return text.toString().strip();
  }

  private Archiving.@Nullable Ready prepare(LogSource log, Instant before) throws Exception {
    return Archiving.prepare(
        connection, Shard.FIRST, log, made.key.verifiers(), folder.resolve("archive"), before);
  }

  @Test
  void whatIsNotFullOrYoungOrNotPublishedStays() throws Exception {
    assertThat(prepare(made.log, NOW)).isNull();
    made.insert(connection, Segments.SIZE - 1);
    Instant newest = made.entries.get(Segments.SIZE - 1).at();
    assertThat(prepare(made.log, newest)).isNull();
    assertThat(prepare(path -> null, NOW)).isNull();
    MemoryLog short1 = new MemoryLog(made.log.entries.subList(0, Segments.SIZE - 1), made.key);
    assertThat(prepare(short1, NOW)).isNull();
    assertThat(folder.resolve("archive")).doesNotExist();
    // Published, full and older: what is missing in the database is told.
    assertThatThrownBy(() -> prepare(made.log, newest.plusNanos(1000)))
        .isInstanceOf(LedgerException.class)
        .hasMessage("Entry 0 is not what was published: run the verification");
  }

  @Test
  void nothingIsWrittenWhileAnEarlierFileIsAway() throws Exception {
    sql("INSERT INTO audit_archive VALUES (0, '" + folder.resolve("away.zip") + "', '')");
    assertThatThrownBy(() -> prepare(made.log, NOW))
        .isInstanceOf(LedgerException.class)
        .hasMessageStartingWith("The entries 0 to 65535 are archived in ");
  }

  @Test
  void aWholeSegmentIsReadyWithTheDigestOfItsFile() throws Exception {
    made.insertAll(connection, Segments.SIZE);
    Archiving.Ready ready = Objects.requireNonNull(prepare(made.log, NOW));
    assertThat(ready.segment()).isZero();
    assertThat(ready.table()).isEqualTo("audit_entry_0");
    assertThat(ready.rest()).isTrue();
    assertThat(ready.file())
        .isEqualTo(folder.resolve("archive/audit.example.no_bindeledd-00000.zip"));
    assertThat(ready.digest()).isEqualTo(TreeHash.sha256(Files.readAllBytes(ready.file())));
    sql("UPDATE audit_entry SET outcome = 'HELD' WHERE idx = 4711");
    refused("Entry 4711 is not what was published: run the verification");
    sql("UPDATE audit_entry SET outcome = 'RELEASED' WHERE idx = 4711");
    sql("INSERT INTO audit_entry SELECT -3" + copied());
    refused("Entry -3 is not in the log: run the verification");
  }

  private static String copied() {
    return ", at, station, exchange, outcome, message, subject, salt, leaf, entry FROM audit_entry"
        + " WHERE idx = 9";
  }

  private void refused(String problem) {
    assertThatThrownBy(() -> prepare(made.log, NOW))
        .isInstanceOf(LedgerException.class)
        .hasMessage(problem);
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whatMovesLeavesItsLinksCountsAndTheFilesNameBehind(boolean rest) throws Exception {
    Shard shard = new Shard(9);
    Segments.extend(connection, shard, shard.first());
    long segment = shard.first() / Segments.SIZE;
    for (int index : new int[] {6, 7, 8, 10_007}) {
      made.insertAs(connection, shard.entry(index), index);
    }
    Path file = folder.resolve("nine.zip");
    AuditEntry entry =
        Archiving.move(
            connection,
            new Archiving.Ready(
                segment, "audit_entry_" + segment, rest, file, HexFormat.of().parseHex("abcd")),
            NOW);
    assertThat(text("SELECT count(*) FROM audit_entry WHERE idx >= " + shard.first()))
        .isEqualTo("0");
    assertThat(text("SELECT to_regclass('audit_entry_" + segment + "') IS NULL"))
        .isEqualTo(rest ? "t" : "f");
    assertThat(text("SELECT idx || ':' || encode(subject, 'hex') FROM audit_link ORDER BY idx"))
        .isEqualTo(
            "%d:%s %d:%s"
                .formatted(
                    shard.entry(7),
                    Entries.subject(7).value(),
                    shard.entry(10_007),
                    Entries.subject(10_007).value()));
    assertThat(
            text(
                "SELECT exchange || ' ' || entries FROM audit_archived WHERE segment = %d ORDER BY 1"
                    .formatted(segment)))
        .isEqualTo("dropout-notice 2 measure-event 2");
    assertThat(
            text(
                "SELECT segment || ' ' || file || ' ' || encode(digest, 'hex') FROM audit_archive"))
        .isEqualTo(segment + " " + file + " abcd");
    assertThat(entry.at()).isEqualTo(NOW);
    assertThat(entry.station()).isEqualTo(Station.ADMIN);
    assertThat(entry.outcome()).isEqualTo("ARCHIVED");
    assertThat(entry.detail())
        .isEqualTo(
            "entries %d to %d in nine.zip, SHA-256 abcd"
                .formatted(shard.first(), shard.first() + Segments.SIZE - 1));
  }

  @ParameterizedTest
  @CsvSource({"true", "false"})
  void whoeverWritesMeanwhileIsNotWaitedForLong(boolean rest) throws Exception {
    try (Connection writer = database.source.getConnection();
        Statement s = writer.createStatement()) {
      writer.setAutoCommit(false);
      s.execute("LOCK TABLE audit_entry_0 IN ROW EXCLUSIVE MODE");
      assertThatThrownBy(
              () ->
                  Archiving.move(
                      connection,
                      new Archiving.Ready(0, "audit_entry_0", rest, made.file, new byte[32]),
                      NOW))
          .isInstanceOf(SQLException.class)
          .hasMessageContaining("lock timeout");
      writer.rollback();
    }
  }
}
