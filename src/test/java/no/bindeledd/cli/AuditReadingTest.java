package no.bindeledd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;
import no.bindeledd.audit.Appended;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.LogPublisher;
import no.bindeledd.audit.Witnesses;
import no.bindeledd.demo.EmbeddedDatabase;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Secrets;
import no.bindeledd.reading.ReadRecord;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import org.postgresql.ds.PGSimpleDataSource;
import picocli.CommandLine;

/** The commands that read the audit trail of a hub that is not running. */
@SuppressWarnings("NullAway.Init")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class AuditReadingTest {
  private static final String ORIGIN = "bindeledd.local/1";
  private static final String NUMBER = "14830851160";

  @TempDir static Path data;

  @BeforeAll
  static void write() throws Exception {
    Path secrets = Files.createDirectories(data.resolve("secrets"));
    Pseudonym person =
        Secrets.openOrCreate(secrets)
            .pseudonymizer()
            .pseudonym((NationalId) NationalId.parse(NUMBER, Numbers.SYNTHETIC_ONLY));
    LogKey key = LogKey.open(secrets.resolve("log.key"), ORIGIN);
    try (EmbeddedDatabase embedded = EmbeddedDatabase.start(data.resolve("postgres"))) {
      PGSimpleDataSource database = database(embedded);
      Flyway.configure().dataSource(database).locations("classpath:db/migration").load().migrate();
      try (Ledger ledger = Ledger.open(database, key, ORIGIN, Clock.systemUTC())) {
        AuditEntry looked =
            ReadRecord.of(
                Instant.parse("2026-09-01T08:00:00Z"),
                ReadRecord.Kind.SUBJECTS_READ,
                "311108565",
                person,
                null,
                "one person",
                0);
        try (Connection connection = database.getConnection()) {
          connection.setAutoCommit(false);
          Appended appended = ledger.append(connection, List.of(looked));
          connection.commit();
          ledger.confirm(appended);
        }
        try (DemoWitnesses witnesses =
            DemoWitnesses.start(data.resolve("w"), key.verifiers(), Clock.systemUTC())) {
          LogPublisher publisher =
              new LogPublisher(
                  database,
                  ledger,
                  key,
                  LogDirectory.of(data.resolve("log"), ORIGIN),
                  new Witnesses(witnesses.peers()));
          publisher.open();
          publisher.publish();
        }
      }
    }
  }

  private static PGSimpleDataSource database(EmbeddedDatabase embedded) {
    PGSimpleDataSource database = new PGSimpleDataSource();
    database.setUrl(embedded.jdbcUrl());
    database.setUser(embedded.user());
    database.setPassword(embedded.password());
    return database;
  }

  private static String run(int expected, String... arguments) {
    StringWriter said = new StringWriter();
    CommandLine line = Bindeledd.commandLine();
    line.setOut(new PrintWriter(said));
    line.setErr(new PrintWriter(said));
    assertThat(line.execute(arguments)).as(said::toString).isEqualTo(expected);
    return said.toString();
  }

  @Test
  @Order(0)
  void theWitnessesThatAreDemandedMustHaveCosigned() throws Exception {
    String log = LogDirectory.of(data.resolve("log"), ORIGIN).folder().toString();
    String key = data.resolve("secrets").resolve("log.key.vkey").toString();
    String both = data.resolve("w").resolve("witnesses.vkey").toString();
    String third =
        LogKey.openWitness(data.resolve("third.key"), "third.example.no/w1").verifier().vkey();
    List<String> verify = List.of("audit", "verify", "--from-dir", log, "--key", key);
    assertThat(run(0, with(verify, "--witness", both))).contains("Verified: 1 entries");
    assertThat(run(0, with(verify, "--witness", both, "--witness", third, "--quorum", "2")))
        .contains("Verified: 1 entries");
    for (List<String> all : List.of(List.<String>of(), List.of("--quorum", "3"))) {
      String said = run(2, with(with(verify, "--witness", both, "--witness", third), all));
      assertThat(said)
          .contains("NOT verified: Only 2 of the 3 witnesses")
          .contains("missing: third.example.no/w1");
    }
    assertThat(run(2, with(verify, "--witness", third))).contains("Only 0 of the 1 witnesses");
    assertThat(run(1, with(verify, "--witness", key))).contains("the key of a log");
    assertThat(run(1, with(verify, "--quorum", "1"))).contains("the 0 witnesses named");
    assertThat(run(1, with(verify, "--witness", both, "--quorum", "3")))
        .contains("at most the 2 witnesses named");
    assertThat(run(1, "audit", "verify", "--data", data.toString(), "--witness", both))
        .contains("The database holds no cosignatures");
  }

  private static String[] with(List<String> command, String... more) {
    return with(command.toArray(String[]::new), List.of(more));
  }

  private static String[] with(String[] command, List<String> more) {
    return Stream.concat(Stream.of(command), more.stream()).toArray(String[]::new);
  }

  @Test
  @Order(1)
  void theReportIsWrittenWithItsProofsAndTheNumberIsReadFromAFile() throws Exception {
    Path number = Files.writeString(data.resolve("number.txt"), NUMBER + "\n");
    Path out = data.resolve("report");
    String said =
        run(
            0,
            "audit",
            "report",
            "--data",
            data.toString(),
            "--subject-file",
            number.toString(),
            "--out",
            out.toString());
    assertThat(said).contains("1 entries, all proved").doesNotContain(NUMBER);
    assertThat(Files.readString(out.resolve("report.nb.html")))
        .contains("Eksempelvik fylkeskommune")
        .doesNotContain(NUMBER);
    assertThat(out.resolve("report.en.pdf")).isNotEmptyFile();
    assertThat(out.resolve("proofs.json")).isNotEmptyFile();
  }

  @Test
  @Order(2)
  void anExportTellsOfTheReadingsBeforeIt() throws Exception {
    Path out = data.resolve("export");
    run(
        0,
        "audit",
        "export",
        "--data",
        data.toString(),
        "--organisation",
        "311108565",
        "--from",
        "2026-01-01T00:00:00Z",
        "--to",
        "2999-01-01T00:00:00Z",
        "--out",
        out.toString());
    assertThat(Files.readString(out.resolve("entries.jsonl")).lines()).hasSize(1);
    run(
        0,
        "audit",
        "statistics",
        "--data",
        data.toString(),
        "--month",
        "2026-01",
        "--out",
        data.resolve("statistics").toString());
    assertThat(data.resolve("statistics").resolve("statistics-2026-01.csv")).isNotEmptyFile();
    try (EmbeddedDatabase embedded = EmbeddedDatabase.start(data.resolve("postgres"));
        Connection connection = database(embedded).getConnection();
        var rows =
            connection
                .createStatement()
                .executeQuery(
                    "SELECT string_agg(outcome, ' ' ORDER BY idx) FROM audit_entry"
                        + " WHERE station = 'READ'")) {
      rows.next();
      assertThat(rows.getString(1))
          .isEqualTo("SUBJECTS_READ SUBJECT_REPORT SUPERVISION_EXPORT STATISTICS");
    }
  }

  @Test
  @Order(3)
  void whatIsNoNumberIsSaidSoWithoutRepeatingIt() throws Exception {
    Path number = Files.writeString(data.resolve("wrong.txt"), "14830851161\n");
    String said =
        run(
            1,
            "audit",
            "report",
            "--data",
            data.toString(),
            "--subject-file",
            number.toString(),
            "--out",
            data.resolve("none").toString());
    assertThat(said).contains("not an identity number").doesNotContain("14830851161");
  }
}
