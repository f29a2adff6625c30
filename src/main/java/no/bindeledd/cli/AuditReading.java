package no.bindeledd.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.time.YearMonth;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import javax.sql.DataSource;
import no.bindeledd.audit.Appended;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.exchange.Contract;
import no.bindeledd.hub.AuditWords;
import no.bindeledd.hub.ExchangeFolders;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Secrets;
import no.bindeledd.reading.Glossary;
import no.bindeledd.reading.ReadRecord;
import no.bindeledd.reading.ReportFiles;
import no.bindeledd.reading.Statistics;
import no.bindeledd.reading.SubjectTrail;
import no.bindeledd.reading.SupervisionExport;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * Reading the audit trail where the hub's keys are. Each command enters in the ledger that it read,
 * before it leaves anything; a hub that runs meanwhile notices and goes on.
 */
final class AuditReading {
  private AuditReading() {}

  /** Whose ledger is read. */
  static final class House {
    @Mixin private final HubData hub = new HubData();

    @Option(
        names = "--origin",
        paramLabel = "NAME",
        defaultValue = "bindeledd.local/1",
        description = "The log's name (default: bindeledd.local/1)")
    private String origin = "bindeledd.local/1";

    @Option(
        names = "--out",
        paramLabel = "DIR",
        required = true,
        description = "Where the files are written; made when it is not there")
    private Path out = Path.of(".");

    Path secrets() {
      return hub.secrets();
    }

    LogDirectory log(@Nullable Path folder) {
      return folder == null
          ? LogDirectory.of(hub.folder().resolve("log"), origin)
          : new LogDirectory(folder);
    }

    /** What a command does with the ledger: how many rows it gave. */
    interface Work {
      int with(DataSource database, Ledger ledger, LogKey key) throws Exception;
    }

    int open(Work work) throws Exception {
      LogKey key = LogKey.open(secrets().resolve("log.key"), origin);
      return hub.read(
          database -> {
            try (Ledger ledger = Ledger.open(database, key, origin, Clock.systemUTC())) {
              return work.with(database, ledger, key);
            }
          });
    }

    /** The reading is in the ledger first; then the files appear. */
    void deliver(DataSource database, Ledger ledger, AuditEntry reading, Map<String, byte[]> files)
        throws IOException, SQLException {
      record(database, ledger, reading);
      Files.createDirectories(out);
      for (Map.Entry<String, byte[]> file : files.entrySet()) {
        Files.write(out.resolve(file.getKey()), file.getValue());
      }
    }

    static void record(DataSource database, Ledger ledger, AuditEntry reading) throws SQLException {
      try (Connection connection = database.getConnection()) {
        connection.setAutoCommit(false);
        Appended appended = ledger.append(connection, List.of(reading));
        connection.commit();
        ledger.confirm(appended);
      }
    }
  }

  @Command(
      name = "report",
      mixinStandardHelpOptions = true,
      description = {
        "The report to one person (GDPR article 15): what was shared or stopped, in Norwegian and",
        "English, as HTML and PDF, with proofs. Built only from entries that are proved."
      },
      footer = "%nExample: bindeledd audit report --subject-file - --out report < number.txt")
  static final class Report implements Callable<Integer> {
    @Mixin private final House house = new House();

    @Option(
        names = "--subject-file",
        paramLabel = "FILE",
        required = true,
        description = "File with the identity number, - for standard input; never an argument")
    private String subjectFile = "-";

    @Option(
        names = "--from-dir",
        paramLabel = "DIR",
        description = "The published log (default: DATA/log/ORIGIN)")
    private @Nullable Path published;

    @Option(
        names = "--home",
        paramLabel = "DIR",
        description = "Folder with routes, mappings and policies (default: the project's)")
    private @Nullable Path home;

    @SuppressWarnings("NullAway.Init")
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Pseudonym subject = subject();
      return house.open(
          (database, ledger, key) -> {
            Instant now = Clock.systemUTC().instant();
            try (Connection connection = database.getConnection()) {
              List<VerifierKey> keys = VerifierKey.ofHouse(house.secrets());
              SubjectTrail trail =
                  SubjectTrail.read(connection, house.log(published), keys, subject);
              Map<String, byte[]> files = ReportFiles.of(trail, glossary(), keys, now);
              String asked = "the report to one person, log of " + trail.size() + " entries";
              house.deliver(
                  database,
                  ledger,
                  ReadRecord.of(
                      now,
                      ReadRecord.Kind.SUBJECT_REPORT,
                      null,
                      subject,
                      null,
                      asked,
                      trail.entries().size()),
                  files);
              return told(spec, trail.entries().size() + " entries, all proved: " + house.out);
            }
          });
    }

    private Pseudonym subject() throws IOException {
      byte[] bytes =
          subjectFile.equals("-")
              ? System.in.readNBytes(100)
              : Files.readAllBytes(Path.of(subjectFile));
      String number = new String(bytes, StandardCharsets.US_ASCII).strip();
      for (Numbers accept : Numbers.values()) {
        if (NationalId.parse(number, accept) instanceof NationalId id) {
          return Secrets.open(house.secrets()).pseudonymizer().pseudonym(id);
        }
      }
      throw new IllegalArgumentException("What was given is not an identity number");
    }

    private Glossary glossary() {
      ExchangeFolders folders = new ExchangeFolders(home == null ? Bindeledd.projectHome() : home);
      List<Contract> contracts =
          folders.ids().stream()
              .map(id -> folders.exchange(id, folders.codeLists()).contract())
              .toList();
      return AuditWords.glossary(folders, folders.pack(), contracts);
    }
  }

  @Command(
      name = "export",
      mixinStandardHelpOptions = true,
      description = "What organisations did in a period, without persons: CSV and JSON Lines.",
      footer =
          "%nExample: bindeledd audit export --organisation 311000004 --from 2026-09-01T00:00:00Z"
              + " --to 2026-10-01T00:00:00Z --out export")
  static final class Export implements Callable<Integer> {
    @Mixin private final House house = new House();

    @Option(
        names = "--organisation",
        paramLabel = "NUMBER",
        required = true,
        description = "Sender or receiver; can be repeated")
    private Set<String> organisations = Set.of();

    @Option(names = "--from", paramLabel = "TIME", required = true, description = "Included")
    private Instant from = Instant.EPOCH;

    @Option(names = "--to", paramLabel = "TIME", required = true, description = "Excluded")
    private Instant to = Instant.EPOCH;

    @SuppressWarnings("NullAway.Init")
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      SupervisionExport.Scope scope = new SupervisionExport.Scope(organisations, from, to);
      return house.open(
          (database, ledger, key) -> {
            Instant now = Clock.systemUTC().instant();
            Path unfinished = house.out.resolveSibling(house.out.getFileName() + ".unfinished");
            long rows;
            try (Connection connection = database.getConnection()) {
              rows = SupervisionExport.write(connection, scope, now, unfinished);
            }
            House.record(
                database,
                ledger,
                ReadRecord.of(
                    now,
                    ReadRecord.Kind.SUPERVISION_EXPORT,
                    null,
                    null,
                    null,
                    scope.described(),
                    rows));
            Files.move(unfinished, house.out);
            return told(spec, rows + " entries: " + house.out);
          });
    }
  }

  @Command(
      name = "statistics",
      mixinStandardHelpOptions = true,
      description = "The messages of a month by exchange and sender, small cells hidden: CSV.",
      footer = "%nExample: bindeledd audit statistics --month 2026-09 --out statistics")
  static final class Month implements Callable<Integer> {
    @Mixin private final House house = new House();

    @Option(
        names = "--month",
        paramLabel = "YYYY-MM",
        required = true,
        description = "A month that is over")
    private YearMonth month = YearMonth.of(1970, 1);

    @SuppressWarnings("NullAway.Init")
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      return house.open(
          (database, ledger, key) -> {
            Instant now = Clock.systemUTC().instant();
            Statistics statistics;
            try (Connection connection = database.getConnection()) {
              statistics = Statistics.of(connection, month, now);
            }
            house.deliver(
                database,
                ledger,
                ReadRecord.of(
                    now,
                    ReadRecord.Kind.STATISTICS,
                    null,
                    null,
                    null,
                    "statistics of " + month,
                    statistics.cells()),
                Map.of(
                    "statistics-" + month + ".csv",
                    statistics.csv().getBytes(StandardCharsets.UTF_8)));
            return told(spec, statistics.cells() + " cells: " + house.out);
          });
    }
  }

  private static int told(CommandSpec spec, String line) {
    spec.commandLine().getOut().println(line);
    spec.commandLine().getOut().flush();
    return 0;
  }
}
