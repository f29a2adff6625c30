package no.bindeledd.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogProof;
import no.bindeledd.audit.LogPublisher;
import no.bindeledd.audit.LogVerifier;
import no.bindeledd.audit.ProgressListener;
import no.bindeledd.audit.SignedNote;
import no.bindeledd.audit.Station;
import no.bindeledd.audit.TileTree;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.fault.Parts;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.Forgetting;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.PolicyPack;
import no.bindeledd.reading.EntryQuery;
import no.bindeledd.reading.EntrySearch;
import no.bindeledd.reading.Glossary;
import no.bindeledd.reading.ReportFiles;
import no.bindeledd.reading.SubjectTrail;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The hourly chore: dropout notices are kept ten years, under school-ot two. */
@SuppressWarnings("NullAway.Init")
class RetentionTest {
  private static final String EXCHANGE = "dropout-notice";
  private static final Instant SIX_YEARS_AGO = Instant.parse("2020-09-01T10:00:00Z");
  private static final Instant ELEVEN_YEARS_AGO = Instant.parse("2015-09-01T10:00:00Z");

  private static final Pseudonym PERSON = new Pseudonym("ab".repeat(16));

  private static final AtomicInteger messages = new AtomicInteger();
  private static EmbeddedPostgres postgres;
  private static DataSource database;

  private Parts parts;
  private Path folder;
  private Retention retention;

  @BeforeAll
  static void start() throws IOException {
    postgres = EmbeddedPostgres.builder().start();
    database = postgres.getPostgresDatabase();
    Flyway.configure().dataSource(database).locations("classpath:db/migration").load().migrate();
  }

  @AfterAll
  static void stop() throws IOException {
    postgres.close();
  }

  @BeforeEach
  void open(@TempDir Path folder, @TempDir Path policies) throws Exception {
    Parts.empty(database);
    sql("TRUNCATE audit_shredded, audit_shredded_segment, audit_shredding");
    this.folder = folder;
    parts = new Parts(folder, database, EXCHANGE);
    copy(Path.of("policies"), policies);
    Path agreement = policies.resolve("agreements/school-ot.yaml");
    Files.writeString(agreement, Files.readString(agreement).replace("P10Y", "P2Y"));
    Catalogue catalogue =
        new Catalogue(
            new Catalogue.Edition(
                parts.catalogue.current().exchanges(), PolicyPack.read(policies)));
    retention = new Retention(parts.journal, catalogue, parts.clock);
  }

  @AfterEach
  void close() throws Exception {
    parts.close();
  }

  @Test
  void theAgreementsRetentionRulesAndElseTheContracts() throws Exception {
    enter(
        entry(ELEVEN_YEARS_AGO, null),
        entry(SIX_YEARS_AGO, "school-ot@1#2.1"), // as the gate writes it, with clauses
        entry(SIX_YEARS_AGO, null),
        entry(SIX_YEARS_AGO, "another@1#1"),
        entry(Parts.NOW, "school-ot@1#2.1,2.2"));
    while (retention.next()) {}
    assertThat(
            text(
                "SELECT string_agg(idx::text, ' ' ORDER BY idx) FROM audit_entry"
                    + " WHERE subject IS NULL AND station = 'DECIDE'"))
        .isEqualTo("0 1");
    assertThat(
            text(
                "SELECT string_agg(convert_from(entry, 'UTF8')::json ->> 'detail', '; '"
                    + " ORDER BY idx) FROM audit_entry WHERE outcome = 'SHREDDED'"))
        .isEqualTo(
            "1 entry of dropout-notice from before 2016-09-01T10:00:00Z;"
                + " 1 entry of dropout-notice under school-ot@1 from before 2024-09-01T10:00:00Z");
    assertThat(parts.verify().verified()).isTrue();
    assertThat(retention.next()).isFalse();
  }

  @Test
  void whatWasForgottenCannotBeFoundAndEveryProofStillHolds() throws Exception {
    LogDirectory log = new LogDirectory(folder.resolve("log"));
    LogPublisher publisher =
        new LogPublisher(database, parts.ledger, parts.logKey, log, LogPublisher.Cosigners.NONE);
    publisher.open();
    AuditEntry old = entry(SIX_YEARS_AGO, "school-ot@1#2.1");
    enter(old, receipt(old), entry(SIX_YEARS_AGO, null), entry(Parts.NOW, "school-ot@1#2.1"));
    deadline(1, "school-ot@1", "2020-10-27", "ANSWERED");
    publisher.publish();
    LogProof proof = LogProof.of(log, 0, SignedNote.parse(parts.ledger.checkpoint().encoded()));
    Map<String, byte[]> before = report(log);
    assertThat(found(null)).containsExactly(3L, 2L, 0L);
    assertThat(found("school-ot@1")).containsExactly(3L, 0L);
    assertThat(found("school-ot@2")).isEmpty();
    assertThat(text(before, "report.nb.html"))
        .contains("nr. 0<", "nr. 2<", "nr. 3<", "levert 1. september 2020")
        .doesNotContain("slettes koblingen");

    while (retention.next()) {}
    publisher.publish();

    assertThat(found(null)).containsExactly(3L, 2L);
    assertThat(found("school-ot@1")).containsExactly(3L);
    Map<String, byte[]> after = report(log);
    assertThat(text(after, "report.nb.html"))
        .contains("<dd>Avtale mellom skolene og oppfølgingstjenesten, punkt 2.1</dd>")
        .contains("nr. 2<", "nr. 3<", "slettes koblingen mellom innslag og person")
        .contains("Det skjedde sist 1. september 2026")
        .doesNotContain("nr. 0<", "levert 1. september 2020");
    assertThat(text(after, "report.en.html"))
        .contains("That was last done on 1 September 2026")
        .contains("nobody can tell whom those entries are about");
    assertThat(text(after, "proofs.json")).doesNotContain("index 0\\n", "index 1\\n");
    assertThat(text("SELECT count(*)::text FROM deadline")).isEqualTo("0");
    assertThat(
            text(
                "SELECT (SELECT count(*) FROM audit_entry WHERE idx = 0 AND (subject IS NOT NULL"
                    + " OR salt IS NOT NULL))::text"))
        .isEqualTo("0");

    assertThat(parts.verify().firstProblem()).isNull();
    assertThat(
            LogVerifier.verify(log, parts.logKey.verifiers(), List.of(), 1, ProgressListener.NONE)
                .firstProblem())
        .isNull();
    byte[] bytes = new TileTree(log, parts.ledger.size()).entry(0);
    assertThat(proof.problem(bytes, parts.logKey.verifiers())).isNull();
  }

  private List<Long> found(@Nullable String rule) throws SQLException {
    EntryQuery query = new EntryQuery(PERSON, null, null, null, null, null, rule, null, null);
    return new EntrySearch(database)
        .search(query, null, 100).entries().stream().map(AuditReader.Found::index).toList();
  }

  private Map<String, byte[]> report(LogDirectory log) throws Exception {
    List<VerifierKey> keys = parts.logKey.verifiers();
    Glossary glossary = new Glossary(parts.catalogue.current().pack(), List.of(), number -> null);
    try (Connection connection = database.getConnection()) {
      return ReportFiles.of(
          SubjectTrail.read(connection, log, keys, PERSON), glossary, keys, Parts.NOW);
    }
  }

  private static String text(Map<String, byte[]> files, String name) {
    return new String(Objects.requireNonNull(files.get(name)), StandardCharsets.UTF_8);
  }

  /** Names nobody: only the message leads from it to the person. */
  @SuppressWarnings("NullAway") // it does not read a nullable array from class files
  private static AuditEntry receipt(AuditEntry of) {
    return AuditEntry.plain(
        of.at().plusSeconds(60),
        Station.DELIVER,
        EXCHANGE,
        "311000004",
        "ot",
        null,
        of.message(),
        null,
        "DELIVERED",
        "DELIVERED",
        null);
  }

  @Test
  void deadlinesThatAreOverGoWithTheirAgreement() throws Exception {
    deadline(1, "school-ot@1", "2024-08-31", "ANSWERED");
    deadline(2, "school-ot@1", "2024-08-31", "RUNNING");
    deadline(3, "school-ot@1", "2024-09-02", "ANSWERED");
    deadline(4, null, "2016-08-31", "ESCALATED");
    deadline(5, null, "2024-08-31", "ESCALATED");
    retention.next();
    assertThat(text("SELECT string_agg(encode(id, 'hex'), ' ' ORDER BY id) FROM deadline"))
        .isEqualTo("02 03 05");
  }

  @Test
  void whatTheGateRemembersOfAPersonGoesWithTheEntries() throws Exception {
    sql("UPDATE deadline SET subject = NULL");
    deadline(1, null, "2026-12-31", "RUNNING");
    deadline(2, null, "2026-12-31", "RUNNING");
    sql("UPDATE deadline SET subject = decode(repeat('11', 16), 'hex') WHERE id = '\\x01'");
    sql("UPDATE deadline SET subject = decode(repeat('22', 16), 'hex') WHERE id = '\\x02'");
    sql(
        "INSERT INTO single_holder SELECT 'coordinating-service', subject, '311000004'"
            + " FROM deadline");
    try (Connection connection = database.getConnection()) {
      Forgetting.person(connection, new Pseudonym("11".repeat(16)));
    }
    assertThat(text("SELECT string_agg(encode(id, 'hex'), ' ') FROM deadline")).isEqualTo("02");
    assertThat(text("SELECT string_agg(encode(subject, 'hex'), ' ') FROM single_holder"))
        .isEqualTo("22".repeat(16));
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
  }

  private void enter(AuditEntry... entries) {
    parts.journal.enter(List.of(entries)).join();
  }

  @SuppressWarnings("NullAway") // it does not read a nullable array from class files
  private static AuditEntry entry(Instant at, @Nullable String agreement) {
    return new AuditEntry(
        at,
        Station.DECIDE,
        EXCHANGE,
        "311000004",
        "311013572",
        PERSON,
        "%032x".formatted(messages.incrementAndGet()),
        null,
        "RELEASED",
        "RELEASED",
        List.of(),
        agreement,
        List.of(),
        null,
        null,
        List.of(),
        List.of(),
        null,
        null,
        null);
  }

  private static void deadline(int id, @Nullable String agreement, String last, String state)
      throws SQLException {
    sql(
        "INSERT INTO deadline (id, exchange, waiting, owing, agreement, warn_on, last_day, state,"
            + " facts) VALUES ('\\x0"
            + id
            + "', '"
            + EXCHANGE
            + "', '311000004', '311013572', "
            + (agreement == null ? "NULL" : "'" + agreement + "'")
            + ", '"
            + last
            + "', '"
            + last
            + "', '"
            + state
            + "', '')");
  }

  private static void sql(String statement) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement run = connection.createStatement()) {
      run.execute(statement);
    }
  }

  private static String text(String query) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement run = connection.createStatement();
        ResultSet rs = run.executeQuery(query)) {
      rs.next();
      return rs.getString(1);
    }
  }
}
