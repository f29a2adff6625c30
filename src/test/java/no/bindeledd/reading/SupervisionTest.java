package no.bindeledd.reading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.Connection;
import java.time.Instant;
import java.time.YearMonth;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.exchange.Csv;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What those who supervise get: entries of organisations in a period, and counts of a month. */
@SuppressWarnings("NullAway.Init")
class SupervisionTest {
  private static final Instant SEPTEMBER = Instant.parse("2026-08-31T22:00:00Z"); // Oslo's midnight
  private static final Instant OCTOBER = Instant.parse("2026-09-30T22:00:00Z");
  private static final Instant LATER = Instant.parse("2026-11-01T00:00:00Z");
  private static final String SCHOOL = "311000004";
  private static final String SECOND_SCHOOL = "311122134";
  private static final String OT = "311013572";
  private static final ObjectMapper JSON = new ObjectMapper();

  private static TestLedger ledger;
  private static int serial;

  @TempDir Path folder;

  @BeforeAll
  static void write() throws Exception {
    ledger = new TestLedger();
    List<AuditEntry> entries = new ArrayList<>();
    entries.add(decision(SEPTEMBER.minusSeconds(1), "dropout-notice", SCHOOL, "RELEASED"));
    for (int i = 0; i < 30; i++) {
      entries.add(decision(SEPTEMBER.plusSeconds(i), "dropout-notice", SCHOOL, "RELEASED"));
      entries.add(decision(SEPTEMBER.plusSeconds(i), "dropout-notice", SECOND_SCHOOL, "RELEASED"));
      entries.add(decision(SEPTEMBER.plusSeconds(i), "measure-event", SECOND_SCHOOL, "RELEASED"));
    }
    for (int i = 0; i < 2; i++) {
      entries.add(decision(SEPTEMBER.plusSeconds(100), "dropout-notice", SCHOOL, "REFUSED"));
    }
    for (int i = 0; i < 12; i++) {
      entries.add(decision(SEPTEMBER.plusSeconds(100), "measure-event", SECOND_SCHOOL, "REFUSED"));
    }
    entries.add(decision(SEPTEMBER.plusSeconds(200), "measure-event", SCHOOL, "HELD"));
    entries.add(decision(OCTOBER, "dropout-notice", SCHOOL, "REFUSED"));
    ledger.append(entries);
  }

  @AfterAll
  static void stop() throws Exception {
    ledger.close();
  }

  private static AuditEntry decision(Instant at, String exchange, String sender, String outcome) {
    serial++;
    return TestLedger.decision(
        at,
        exchange,
        sender,
        OT,
        TestLedger.person(serial),
        String.format("%032x", serial),
        "cd",
        outcome,
        outcome.equals("REFUSED") ? "=NO,\"BASIS\"" : outcome,
        List.of("a-rule@1"),
        List.of(),
        List.of("/reference"),
        List.of());
  }

  private static SupervisionExport.Scope scope(String... organisations) {
    return new SupervisionExport.Scope(Set.of(organisations), SEPTEMBER, OCTOBER);
  }

  @Test
  void anExportHasTheEntriesOfThePeriodAndNoOthersAndNoPersons() throws Exception {
    long rows;
    try (Connection connection = ledger.source.getConnection()) {
      rows = SupervisionExport.write(connection, scope(SCHOOL), LATER, folder);
    }
    assertThat(rows).isEqualTo(33);
    List<String> lines = Files.readAllLines(folder.resolve("entries.jsonl"));
    assertThat(lines).hasSize(33);
    List<Long> indexes = new ArrayList<>();
    for (String line : lines) {
      JsonNode entry = JSON.readTree(line);
      assertThat(entry.path("sender").asText()).isEqualTo(SCHOOL);
      assertThat(entry.has("subject")).isFalse();
      indexes.add(entry.path("index").asLong());
    }
    assertThat(indexes).isSorted().doesNotContain(0L);
    byte[] csv = Files.readAllBytes(folder.resolve("entries.csv"));
    Csv reader = new Csv(csv, 0, ',', '"', StandardCharsets.UTF_8, 100_000);
    Csv.Row header = Objects.requireNonNull(reader.next());
    int reason = header.cells().indexOf("reason");
    List<Long> same = new ArrayList<>();
    for (Csv.Row row = reader.next(); row != null; row = reader.next()) {
      assertThat(row.fault()).isNull();
      same.add(Long.valueOf(row.cells().getFirst()));
      assertThat(row.cells().get(reason)).isIn("RELEASED", "HELD", "'=NO,\"BASIS\"");
    }
    assertThat(same).isEqualTo(indexes);
    manifestFits();
  }

  private void manifestFits() throws Exception {
    JsonNode manifest = JSON.readTree(folder.resolve("manifest.json").toFile());
    assertThat(manifest.path("entries").asLong()).isEqualTo(33);
    assertThat(manifest.path("from").asText()).isEqualTo(SEPTEMBER.toString());
    assertThat(manifest.path("to").asText()).isEqualTo(OCTOBER.toString());
    assertThat(manifest.path("organisations").get(0).asText()).isEqualTo(SCHOOL);
    assertThat(manifest.path("files")).hasSize(3);
    for (JsonNode file : manifest.path("files")) {
      byte[] bytes = Files.readAllBytes(folder.resolve(file.path("name").asText()));
      assertThat(file.path("bytes").asInt()).isEqualTo(bytes.length);
      assertThat(file.path("sha256").asText())
          .isEqualTo(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes)));
    }
    assertThat(Files.readString(folder.resolve("checkpoint")))
        .isEqualTo(ledger.ledger.checkpoint().encoded());
  }

  @Test
  void aMonthIsCountedOnceItIsOverAndSmallCellsAreHidden() throws Exception {
    Statistics statistics;
    try (Connection connection = ledger.source.getConnection()) {
      statistics = Statistics.of(connection, YearMonth.of(2026, 9), LATER);
    }
    Statistics.Table byExchange = statistics.tables().getFirst();
    assertThat(byExchange.columns()).containsExactly("HELD+REFUSED", "RELEASED");
    assertThat(byExchange.totals()).containsExactly(15L, 90L);
    assertThat(byExchange.rows())
        .extracting(Statistics.Row::name)
        .containsExactly("dropout-notice", "measure-event");
    // Two refusals in dropout-notice: hidden, with what would give them away.
    assertThat(byExchange.rows().get(0).cells().getFirst()).isNull();
    assertThat(byExchange.rows().get(1).cells().getFirst()).isNull();
    Statistics.Table bySender = statistics.tables().get(1);
    assertThat(bySender.totals()).isEqualTo(byExchange.totals());
    assertThat(bySender.rows().getFirst().cells().getFirst()).isNull();
    assertThat(statistics.csv())
        .startsWith("month,by,row,column,count\r\n")
        .contains("2026-09,exchange,dropout-notice,HELD+REFUSED,\r\n")
        .contains("2026-09,exchange,total,RELEASED,90\r\n");
  }

  @Test
  void aMonthWithTooFewPeopleTellsNothing() throws Exception {
    try (Connection connection = ledger.source.getConnection()) {
      Statistics statistics = Statistics.of(connection, YearMonth.of(2026, 10), LATER);
      assertThat(statistics.tables()).allSatisfy(table -> assertThat(table.rows()).isEmpty());
      assertThat(statistics.csv()).isEqualTo("month,by,row,column,count\r\n");
    }
  }

  @Test
  void aMonthThatIsNotOverIsNotCounted() throws Exception {
    try (Connection connection = ledger.source.getConnection()) {
      assertThatIllegalArgumentException()
          .isThrownBy(
              () -> Statistics.of(connection, YearMonth.of(2026, 9), OCTOBER.minusNanos(1)));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "'',''",
    "a,a",
    "'a,b','\"a,b\"'",
    "'a\"b','\"a\"\"b\"'",
    "=1+1,'''=1+1'",
    "-1,'''-1'"
  })
  void aCellIsQuotedAndNeverAFormula(String value, String cell) {
    assertThat(SupervisionExport.cell(value)).isEqualTo(cell);
  }
}
