package no.bindeledd.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import no.bindeledd.bench.Benchmark;
import no.bindeledd.bench.DecisionRate;
import no.bindeledd.bench.Figures;
import no.bindeledd.bench.LedgerSearch;
import no.bindeledd.bench.Report;
import no.bindeledd.demo.EmbeddedDatabase;
import no.bindeledd.demo.EmbeddedKafka;
import no.bindeledd.hub.ExchangeFolders;
import org.flywaydb.core.Flyway;
import org.postgresql.ds.PGSimpleDataSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Measures the hub beside bare Camel. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = {
      "Measure the hub beside bare Camel, warm, on this machine: throughput, latency, processor"
          + " time and where it goes, the synchronous path, and the ledger.",
      "Starts a broker and a database of its own, with every control on. Takes about five minutes;"
          + " leave the machine alone meanwhile. Exit code 1: the books do not balance or the"
          + " ledger does not verify."
    },
    footer = {"%nExamples:", "  bindeledd bench", "  bindeledd bench --json --rounds 5"})
final class BenchCommand implements Callable<Integer> {
  private static final int CONNECTIONS = 64;
  private static final int PEOPLE = 100_000;
  private static final int WARM_UPS = 20;

  @Option(names = "--json", description = "Print the figures as JSON, as the last line")
  private boolean json;

  @Option(
      names = "--messages",
      paramLabel = "N",
      defaultValue = "60000",
      description = "Messages in each asynchronous round (default: ${DEFAULT-VALUE})")
  private int messages;

  @Option(
      names = "--rounds",
      paramLabel = "R",
      defaultValue = "3",
      description = "Rounds of bare Camel and hub in turn (default: ${DEFAULT-VALUE})")
  private int rounds;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      defaultValue = "6",
      description = "Length of each measurement that goes by time (default: ${DEFAULT-VALUE})")
  private int seconds;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "data/bench",
      description =
          "A new folder for the broker's and the database's files, removed afterwards; the figures"
              + " depend on its disk (default: ./data/bench)")
  private Path data = Path.of("data/bench");

  @Option(
      names = "--decisions",
      paramLabel = "SUBJECTS",
      description =
          "Measure only what a decision costs on one core, with the consents of so many people in"
              + " memory (5600000 takes about 2 GB of heap); starts no broker and no database")
  private int subjects;

  @Option(
      names = "--search",
      paramLabel = "ENTRIES",
      description =
          "Measure only how long queries on a ledger of so many entries take (10000000 takes about"
              + " 7 GB of disk and ten minutes); starts no broker")
  private long searched;

  @SuppressWarnings("NullAway.Init")
  @Spec
  private CommandSpec spec;

  private int decisions() {
    ExchangeFolders folders = new ExchangeFolders(Bindeledd.projectHome());
    DecisionRate.Result result =
        DecisionRate.measure(
            folders.exchange("dropout-notice", folders.codeLists()).contract(),
            folders.pack(),
            subjects,
            seconds);
    PrintWriter out = spec.commandLine().getOut();
    out.printf(
        "%,.0f decisions/s on one core, each with its look-up among %,d people's consents (%.0f"
            + " bytes of heap each)%n",
        result.perSecond(), result.subjects(), result.bytesPerSubject());
    out.flush();
    return 0;
  }

  private void search() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    try (EmbeddedDatabase database = EmbeddedDatabase.start(data.resolve("postgres"))) {
      PGSimpleDataSource source = new PGSimpleDataSource();
      source.setUrl(database.jdbcUrl());
      source.setUser(database.user());
      source.setPassword(database.password());
      Flyway.configure().dataSource(source).locations("classpath:db/migration").load().migrate();
      LedgerSearch search =
          new LedgerSearch(
              source,
              said -> {
                out.println(said);
                out.flush();
              });
      search.fill(data, searched);
      search.index();
      for (LedgerSearch.Took took : search.measure(searched, 25)) {
        out.printf(
            "%-34s %3d entries: first %6.1f ms, median %6.1f ms, slowest %6.1f ms%n",
            took.what(), took.found(), took.first(), took.median(), took.slowest());
      }
      out.flush();
    }
  }

  @Override
  public Integer call() throws Exception {
    if (subjects > 0) {
      return decisions();
    }
    if (messages < 1000 || rounds < 1 || seconds < 1) {
      throw new IllegalArgumentException(
          "Give at least --messages 1000, --rounds 1 and --seconds 1");
    }
    Files.createDirectories(data);
    try (Stream<Path> inside = Files.list(data)) {
      if (inside.findAny().isPresent()) {
        throw new IllegalArgumentException(
            data + " is not empty: remove it, or give another folder with --data");
      }
    }
    Figures figures;
    try {
      if (searched > 0) {
        search();
        return 0;
      }
      figures = measure();
    } finally {
      remove(data);
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(Report.table(figures));
    if (json) {
      out.println(Report.json(figures));
    }
    out.flush();
    return figures.sound() ? 0 : 1;
  }

  private Figures measure() throws Exception {
    PrintWriter err = spec.commandLine().getErr();
    Benchmark.Settings settings =
        new Benchmark.Settings(
            Bindeledd.projectHome().resolve("bench"),
            data,
            messages,
            rounds,
            Duration.ofSeconds(seconds),
            CONNECTIONS,
            PEOPLE,
            WARM_UPS);
    try (EmbeddedDatabase database = EmbeddedDatabase.start(data.resolve("postgres"));
        EmbeddedKafka kafka = EmbeddedKafka.start(data.resolve("kafka"))) {
      return new Benchmark(
              settings,
              database,
              kafka,
              EmbeddedParts.settings(data, database, kafka),
              said -> {
                err.println(said);
                err.flush();
              })
          .run();
    }
  }

  private static void remove(Path folder) {
    try (Stream<Path> all = Files.walk(folder)) {
      all.sorted(Comparator.reverseOrder())
          .forEach(
              path -> {
                try {
                  Files.delete(path);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot remove " + folder, e);
    }
  }
}
