package no.bindeledd.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Instant;
import java.time.Period;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import javax.sql.DataSource;
import no.bindeledd.audit.Archiving;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogPublisher;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.Shredder;
import no.bindeledd.audit.Station;
import no.bindeledd.delivery.DeadLetters;
import no.bindeledd.exchange.Text;
import no.bindeledd.fault.Letters;
import no.bindeledd.fault.Parts;
import no.bindeledd.gate.Books;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.OutboxRows;
import no.bindeledd.hub.ArchiveChore;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.reading.EntryIndex;
import no.bindeledd.reading.EntryQuery;
import no.bindeledd.reading.EntrySearch;
import no.bindeledd.reading.Glossary;
import no.bindeledd.reading.ReportFiles;
import no.bindeledd.reading.SubjectTrail;
import no.bindeledd.reading.SupervisionExport;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/**
 * A ledger from before there were segments, whose first 65,536 entries leave the database by the
 * hub's own chore: whoever reads sees no difference. Told step by step.
 */
@SuppressWarnings("NullAway.Init")
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class ArchivedSegmentTest {
  private static final int SEGMENT = 65_536;
  private static final int ENTRIES = SEGMENT + 200;
  private static final String ORIGIN = "fault.example.no/bindeledd";
  private static final String SCHOOL = "311000004";
  private static final Instant FIRST = Instant.parse("2024-01-01T08:00:00Z");
  private static final Instant BETWEEN = FIRST.plusSeconds(SEGMENT + 100L);
  private static final Period AFTER = Period.ofYears(2);

  @TempDir static Path folder;

  private static EmbeddedPostgres postgres;
  private static DataSource database;
  private static Parts parts;
  private static LogDirectory log;
  private static LogPublisher publisher;
  private static Pseudonym person;
  private static Path archives;
  private static Seen before;

  /** What five kinds of readers see. */
  private record Seen(
      Map<String, String> report,
      List<AuditReader.Found> query,
      List<String> export,
      Books books,
      List<DeadLetters.DeadLetter> dead) {}

  @BeforeAll
  static void fill() throws Exception {
    postgres = EmbeddedPostgres.builder().start();
    database = postgres.getPostgresDatabase();
    Flyway.configure().dataSource(database).locations("classpath:db/migration").load().migrate();
    sql( // as migration V10 leaves a database that had more than 65,536 entries
        "ALTER TABLE audit_entry DETACH PARTITION audit_entry_0;"
            + " ALTER TABLE audit_entry ATTACH PARTITION audit_entry_0"
            + " FOR VALUES FROM (MINVALUE) TO ("
            + 2 * SEGMENT
            + ")");
    parts = new Parts(Files.createDirectories(folder.resolve("secrets")), database);
    person = parts.pseudonym(0);
    for (int from = 0; from < ENTRIES; from += 4000) {
      List<AuditEntry> batch = new ArrayList<>();
      for (int i = from; i < Math.min(ENTRIES, from + 4000); i++) {
        batch.add(entry(i));
      }
      parts.journal.enter(batch).join();
    }
    sql( // cannot be opened; the second of its messages is not in it any more
        "INSERT INTO parcel (id, last, exchange, recipient, state, waiting, gone, payload)"
            + " VALUES (3, 6, 'dropout-notice', 'ot', 'DEAD', 3, '\\x02', '')");
    log = LogDirectory.of(folder.resolve("log"), ORIGIN);
    publisher =
        new LogPublisher(database, parts.ledger, parts.logKey, log, LogPublisher.Cosigners.NONE);
    publisher.open();
    archives = folder.resolve("archive");
  }

  @AfterAll
  static void stop() throws Exception {
    parts.close();
    postgres.close();
  }

  /** Every 20,000th entry is about the person, the one behind it is its receipt. */
  @SuppressWarnings("NullAway") // it does not read a nullable array from class files
  private static AuditEntry entry(int i) {
    boolean receipt = i % 20_000 == 8;
    return new AuditEntry(
        FIRST.plusSeconds(i),
        receipt ? Station.DELIVER : Station.DECIDE,
        "dropout-notice",
        SCHOOL,
        receipt ? "ot" : "311013572",
        receipt ? null : i % 20_000 == 7 ? person : new Pseudonym("%032x".formatted(i)),
        "%032x".formatted(receipt ? i - 1 : i),
        null,
        receipt ? "DELIVERED" : "RELEASED",
        receipt ? "DELIVERED" : "RELEASED",
        receipt ? List.of() : List.of("oppl-9-4-dropout@1"),
        receipt ? null : "school-ot@1",
        List.of(),
        null,
        null,
        receipt ? List.of() : List.of("/reference"),
        List.of(),
        null,
        receipt ? null : AuditEntry.newSalt(),
        null);
  }

  @Test
  @Order(1)
  void nothingMovesBeforeItIsPublishedOldAndWhole() throws Exception {
    assertThat(chore().next()).as("not published").isFalse();
    publisher.publish();
    parts.now.set(
        FIRST
            .plusSeconds(SEGMENT)
            .atZone(Clock.systemUTC().getZone())
            .plus(AFTER)
            .minusDays(1)
            .toInstant());
    assertThat(chore().next()).as("too young").isFalse();
    parts.now.set(Parts.NOW);
    assertThat(archives).doesNotExist();
    Path tile = log.folder().resolve("tile/0/100");
    byte[] good = Files.readAllBytes(tile);
    byte[] bad = good.clone();
    bad[77] ^= 1;
    Files.write(tile, bad);
    assertThatThrownBy(() -> chore().next())
        .isInstanceOf(LedgerException.class)
        .hasMessageStartingWith("Not archived: ")
        .hasMessageContaining("25602"); // entry 100 * 256 + 77 / 32
    Files.write(tile, good);
    assertThat(count("audit_entry")).isEqualTo(ENTRIES);
  }

  @Test
  @Order(2)
  void aCrashBetweenTheFileAndTheDatabaseLosesNothing() throws Exception {
    try (Connection connection = database.getConnection()) {
      assertThat(
              Archiving.prepare(
                  connection, Shard.FIRST, log, parts.logKey.verifiers(), archives, Parts.NOW))
          .isNotNull(); // and here the process ends
    }
    Files.writeString(archives.resolve("fault.example.no_bindeledd-00000.zip.new"), "half a file");
    assertThat(count("audit_entry")).isEqualTo(ENTRIES);
    assertThat(parts.verify().verified()).isTrue();
    EntryIndex index = new EntryIndex(database);
    while (index.indexNextBlock()) {} // two blocks; what is behind is looked through
    before = seen();
    assertThat(before.query()).hasSize(4);
    assertThat(before.export()).hasSize(2);
    assertThat(before.books().delivered()).isEqualTo(4);
    assertThat(before.dead()).extracting(DeadLetters.DeadLetter::id).containsExactly(3L, 5L, 6L);
  }

  @Test
  @Order(3)
  void theChoreMovesTheSegmentAndNobodySeesADifference() throws Exception {
    assertThat(chore().next()).isTrue();
    assertThat(chore().next()).as("the next one is not full").isFalse();
    assertThat(count("audit_entry")).isEqualTo(ENTRIES - SEGMENT + 1);
    assertThat(count("audit_link")).isEqualTo(SEGMENT - 4);
    try (Stream<Path> files = Files.list(archives)) {
      assertThat(files).containsExactly(file());
    }
    assertThat(seen()).usingRecursiveComparison().isEqualTo(before);
    assertThat(parts.verify().firstProblem()).isNull();
    publisher.publish();
  }

  @Test
  @Order(6)
  void shreddingReachesThePersonInTheFile() throws Exception {
    parts = new Parts(folder.resolve("secrets"), database);
    parts
        .journal
        .write(
            (connection, next) -> {
              List<Long> about =
                  EntrySearch.about(connection, person).stream()
                      .map(AuditReader.Found::index)
                      .toList();
              Shredder.Shredding done =
                  Objects.requireNonNull(
                      Shredder.subject(connection, person, about, next, Parts.NOW, SCHOOL));
              EntryIndex.forget(connection, done.links());
              return Journal.Written.of(done.entry());
            })
        .join();
    try (Connection connection = database.getConnection()) {
      assertThat(EntrySearch.about(connection, person)).isEmpty();
    }
    assertThat(parts.verify().firstProblem()).isNull();
  }

  @Test
  @Order(4)
  void theCommandsReadThroughTheFileWhenThePublishedEntriesAreGone() throws Exception {
    String key = folder.resolve("secrets/log.key.vkey").toString();
    String[] published = {"--from-dir", log.folder().toString(), "--key", key};
    assertThat(run(0, "audit verify", published)).contains("Verified: " + (ENTRIES + 1));
    assertThat(run(0, "audit verify", hub())).contains("Verified: " + (ENTRIES + 1));
    for (int bundle = 0; bundle < 256; bundle++) {
      Files.delete(log.folder().resolve("tile/entries/%03d".formatted(bundle)));
    }
    assertThat(run(2, "audit verify", published)).contains("tile/entries/000");
    String archive = " --archive " + file();
    assertThat(run(0, "audit verify" + archive, published)).contains("Verified: " + (ENTRIES + 1));
    assertThat(run(0, "audit verify --key " + key + archive)).contains("Verified: " + SEGMENT);
    String out = " --out " + folder.resolve("proof");
    assertThat(run(0, "audit prove 40007" + archive + out, published)).contains("Entry 40007 of");
    assertThat(
            run(
                0,
                "audit check-proof --key " + key + " " + folder.resolve("proof/40007.tlog-proof"),
                folder.resolve("proof/40007.json").toString()))
        .contains("The entry is number 40007");
    Path number = Files.writeString(folder.resolve("number"), Letters.number(0));
    String report = "audit report --subject-file " + number + " --origin " + ORIGIN;
    String into = " --from-dir " + log.folder() + " --out " + folder.resolve("report");
    assertThat(run(0, report + into, hub())).contains("8 entries, all proved");
  }

  @Test
  @Order(5)
  void theCommandMovesNothingThatIsTooYoungAndMissesAFileThatIsAway() throws Exception {
    parts.close();
    String move =
        "audit archive-old --after P2Y --origin " + ORIGIN + " --from-dir " + log.folder();
    assertThat(run(0, move, hub())).contains("Nothing is old enough");
    Path away = folder.resolve("away");
    Files.move(archives, away);
    assertThat(run(1, move, hub()))
        .contains("The entries 0 to 65535 are archived in " + file())
        .contains("which is not there");
    assertThat(archives).doesNotExist();
    Files.move(away, archives);
  }

  private static ArchiveChore chore() {
    return new ArchiveChore(
        database,
        ArchiveChore.Writer.of(parts.journal),
        Shard.FIRST,
        log,
        parts.logKey.verifiers(),
        archives,
        AFTER,
        parts.clock);
  }

  private static Path file() {
    return archives.resolve("fault.example.no_bindeledd-00000.zip");
  }

  private static Seen seen() throws Exception {
    Map<String, String> report = new java.util.TreeMap<>();
    Path export = folder.resolve("export");
    Books books;
    try (Connection connection = database.getConnection()) {
      SubjectTrail trail = SubjectTrail.read(connection, log, parts.logKey.verifiers(), person);
      ReportFiles.of(trail, glossary(), parts.logKey.verifiers(), Parts.NOW)
          .forEach((name, bytes) -> report.put(name, text(name, bytes)));
      SupervisionExport.write(
          connection,
          new SupervisionExport.Scope(
              java.util.Set.of(SCHOOL), FIRST.plusSeconds(20_007), FIRST.plusSeconds(20_009)),
          Parts.NOW,
          export);
      books =
          Objects.requireNonNull(
              Books.read(connection, parts.catalogue.current()).get("dropout-notice"));
    }
    EntryQuery about = new EntryQuery(person, null, null, null, null, null, null, null, BETWEEN);
    return new Seen(
        report,
        new EntrySearch(database).search(about, null, 100).entries(),
        Files.readAllLines(export.resolve("entries.jsonl")),
        books,
        new DeadLetters(
                database,
                parts.catalogue,
                new OutboxRows(parts.secrets.vault()),
                parts.journal,
                parts.clock)
            .list(-1, 10));
  }

  /** A PDF file's own identity differs each time: its pages are compared as text. */
  private static String text(String name, byte[] bytes) {
    if (!name.endsWith(".pdf")) {
      return new String(bytes, java.nio.charset.StandardCharsets.UTF_8);
    }
    try (var pdf = org.apache.pdfbox.Loader.loadPDF(bytes)) {
      return new org.apache.pdfbox.text.PDFTextStripper().getText(pdf);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static Glossary glossary() {
    return new Glossary(
        parts.catalogue.current().pack(), List.of(), number -> new Text("En skole", "A school"));
  }

  private static String[] hub() {
    return new String[] {
      "--jdbc-url",
      postgres.getJdbcUrl("postgres", "postgres"),
      "--secrets",
      folder.resolve("secrets").toString()
    };
  }

  private static String run(int expected, String words, String... more) {
    StringWriter said = new StringWriter();
    CommandLine line = Bindeledd.commandLine();
    line.setOut(new PrintWriter(said));
    line.setErr(new PrintWriter(said));
    String[] arguments =
        Stream.concat(Stream.of(words.split(" ")), Stream.of(more)).toArray(String[]::new);
    assertThat(line.execute(arguments)).as(said::toString).isEqualTo(expected);
    return said.toString();
  }

  private static void sql(String statement) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement run = connection.createStatement()) {
      run.execute(statement);
    }
  }

  private static long count(String table) throws SQLException {
    return Parts.count(database, "SELECT count(*) FROM " + table);
  }
}
