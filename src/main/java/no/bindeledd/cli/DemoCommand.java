package no.bindeledd.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LedgerVerifier;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.Verification;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.channel.RecipientKeys;
import no.bindeledd.demo.EmbeddedDatabase;
import no.bindeledd.demo.EmbeddedKafka;
import no.bindeledd.demo.Population;
import no.bindeledd.demo.Progress;
import no.bindeledd.demo.SummaryTable;
import no.bindeledd.demo.World;
import no.bindeledd.gate.Books;
import no.bindeledd.hub.Publication;
import no.bindeledd.hub.RunningHub;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Everything on this machine: broker, database, synthetic agencies, the hub, and the books. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Start a broker, a database, synthetic agencies and the hub, let them exchange records, and"
          + " show the books.",
      "Exit code 0: the books balance and the audit trail is verified, 1: not."
    },
    footer = {
      "%nExamples:",
      "  bindeledd demo",
      "  bindeledd demo --once --json --people 5000 --seed 7"
    })
final class DemoCommand implements Callable<Integer> {
  private static final String ORIGIN = "bindeledd.local/1";
  private static final int PARTITIONS = 4;

  @Option(names = "--once", description = "Stop when everything is exchanged")
  private boolean once;

  @Option(names = "--json", description = "Print one JSON document as the last line")
  private boolean json;

  @Option(
      names = "--people",
      paramLabel = "N",
      defaultValue = "2000",
      description = "Size of the synthetic population (default: ${DEFAULT-VALUE})")
  private int people;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Makes the same people and messages again (default: ${DEFAULT-VALUE})")
  private long seed;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "data",
      description = "Where everything lies; a second start goes on with it (default: ./data)")
  private Path data = Path.of("data");

  @Option(
      names = "--port",
      paramLabel = "PORT",
      defaultValue = "8080",
      description = "HTTP port of the hub; another free one is taken when it is in use")
  private int port;

  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "Folder with routes/, mappings/ and policies/ (default: the project's own)")
  private @Nullable Path home;

  @Option(
      names = "--no-faults",
      description = "Let the agencies' services never fail (they do now and then)")
  private boolean noFaults;

  @SuppressWarnings("NullAway.Init")
  @Spec
  private CommandSpec spec;

  private final CountDownLatch stop = new CountDownLatch(1);
  private final CountDownLatch closed = new CountDownLatch(1);

  @Override
  public Integer call() throws Exception {
    Files.createDirectories(data);
    data = data.toAbsolutePath();
    Path log = data.resolve("hub.log");
    System.setProperty("bindeledd.log", log.toString());
    System.setProperty("logback.configurationFile", "logback-file.xml");
    System.setProperty("logging.config", "classpath:logback-file.xml");
    long started = System.nanoTime();
    Population population = Population.of(seed, people);
    try (EmbeddedDatabase database = EmbeddedDatabase.start(data.resolve("postgres"));
        EmbeddedKafka kafka = EmbeddedKafka.start(data.resolve("kafka"))) {
      kafka.createTopics(PARTITIONS, World.topics());
      RecipientKeys keys =
          RecipientKeys.openOrCreate(data.resolve("secrets").resolve("recipients"));
      try (World world =
              World.start(
                  new World.Settings(
                      data.resolve("agencies"),
                      kafka.bootstrap(),
                      population,
                      organisation -> keys.of(organisation)::open,
                      !noFaults,
                      (topic, key, plain) -> {},
                      Clock.systemUTC()));
          DemoWitnesses witnesses =
              DemoWitnesses.start(data.resolve("witnesses"), logKeys(), Clock.systemUTC());
          RunningHub hub = RunningHub.start(settings(database, kafka, world, witnesses))) {
        return play(world, hub, witnesses, started, log);
      }
    } finally {
      closed.countDown();
    }
  }

  /** The witnesses know the log before it has an entry: its key is made now, if need be. */
  private List<VerifierKey> logKeys() throws IOException {
    return LogKey.open(data.resolve("secrets").resolve("log.key"), ORIGIN).verifiers();
  }

  private Map<String, Object> settings(
      EmbeddedDatabase database, EmbeddedKafka kafka, World world, DemoWitnesses witnesses)
      throws IOException {
    Map<String, Object> settings = new HashMap<>(EmbeddedParts.settings(data, database, kafka));
    settings.put("bindeledd.origin", ORIGIN);
    settings.putAll(witnesses.settings());
    Map<String, String> peers = world.properties();
    settings.putAll(peers);
    settings.put("bindeledd.home", (home == null ? Bindeledd.projectHome() : home).toString());
    settings.put("bindeledd.numbers", "SYNTHETIC_ONLY");
    settings.put("bindeledd.tokens.issuer", String.valueOf(peers.get("peers.maskinporten.issuer")));
    settings.put(
        "bindeledd.tokens.audience", String.valueOf(peers.get("peers.maskinporten.audience")));
    settings.put("server.port", freePort(port));
    settings.put("hub.mllp.port", freePort(0));
    return settings;
  }

  private static int freePort(int wanted) throws IOException {
    try (ServerSocket socket = new ServerSocket(wanted)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      if (wanted == 0) {
        throw e;
      }
      return freePort(0);
    }
  }

  private int play(World world, RunningHub hub, DemoWitnesses witnesses, long started, Path log)
      throws Exception {
    DemoPlay.Played played = new DemoPlay(world, hub, Progress.onStandardError()).play();
    List<String> faults = new ArrayList<>(played.faults());
    Verification audit = verify(hub);
    if (!audit.verified()) {
      faults.add("the audit trail is broken: " + audit.firstProblem());
    }
    String[] check = check(hub, witnesses);
    hub.part(Publication.class).now();
    Verification offline = AuditCommand.verify(check);
    if (!offline.verified() || offline.entries() < audit.entries()) {
      faults.add(
          "the published log is broken: "
              + (offline.verified() ? "it lacks entries" : offline.firstProblem()));
    }
    double seconds = (System.nanoTime() - started) / 1e9;
    Verification whole = audit.verified() ? offline : audit;
    print(hub, world, played, whole, check, faults, seconds, log);
    if (!once) {
      closeInOrder();
      stop.await();
    }
    return faults.isEmpty() ? 0 : 1;
  }

  private static Verification verify(RunningHub hub) throws SQLException {
    return LedgerVerifier.verify(
        hub.database(),
        hub.logKey().verifiers(),
        List.of(hub.part(Ledger.class).checkpoint()),
        (done, of) -> {});
  }

  /** What anybody says to check the published files, with nothing but keys. */
  private String[] check(RunningHub hub, DemoWitnesses witnesses) {
    return new String[] {
      "--from-dir",
      hub.part(LogDirectory.class).folder().toString(),
      "--key",
      data.resolve("secrets").resolve("log.key.vkey").toString(),
      "--witness",
      witnesses.keys().toString(),
      "--quorum",
      String.valueOf(witnesses.count())
    };
  }

  private void print(
      RunningHub hub,
      World world,
      DemoPlay.Played played,
      Verification audit,
      String[] check,
      List<String> faults,
      double seconds,
      Path log)
      throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    List<SummaryTable.Row> rows = new ArrayList<>();
    played
        .books()
        .forEach(
            (exchange, book) ->
                rows.add(
                    new SummaryTable.Row(
                        exchange,
                        book.received(),
                        book.released(),
                        book.reduced(),
                        book.deidentified(),
                        book.held(),
                        book.refused(),
                        book.delivered(),
                        book.pending(),
                        book.deadLettered())));
    out.println(new SummaryTable(rows).print());
    out.printf(
        "Audit trail: %d entries, %s. rights-query: %s, p99 %.1f ms. %.1f seconds in all.%n",
        audit.entries(),
        audit.verified()
            ? "verified in the database, and offline as cosigned by %s witnesses"
                .formatted(check[check.length - 1])
            : "BROKEN",
        played.questions(),
        played.questions().millis(0.99),
        seconds);
    world.replies().seen().forEach((what, times) -> out.printf("%-28s%6d%n", what, times));
    faults.forEach(fault -> out.println("FAULT: " + fault));
    if (!once) {
      out.println("Health:     http://localhost:" + hub.port() + "/actuator/health");
      out.println("Metrics:    http://localhost:" + hub.port() + "/actuator/prometheus");
      out.println("Tokens:     " + world.tokens().issuer());
      out.println("Log:        " + log);
      out.println("Audit log:  bindeledd audit verify " + String.join(" ", check));
      out.println("Ctrl-C stops everything; the data stay in " + data);
    }
    if (json) {
      out.println(document(played.books(), world, audit, seconds));
    }
    out.flush();
  }

  private static String document(
      SortedMap<String, Books> books, World world, Verification audit, double seconds)
      throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode document = mapper.createObjectNode();
    ObjectNode exchanges = document.putObject("exchanges");
    books.forEach(
        (exchange, book) ->
            exchanges
                .putObject(exchange)
                .put("received", book.received())
                .put("released", book.released())
                .put("reduced", book.reduced())
                .put("deidentified", book.deidentified())
                .put("held", book.held())
                .put("refused", book.refused())
                .put("delivered", book.delivered())
                .put("pending", book.pending())
                .put("deadLettered", book.deadLettered()));
    ObjectNode agencies = document.putObject("agencies");
    world.replies().seen().forEach(agencies::put);
    document.putObject("audit").put("entries", audit.entries()).put("verified", audit.verified());
    document.put("seconds", Math.round(seconds * 10) / 10.0);
    return mapper.writeValueAsString(document);
  }

  /** Ends {@link #stop} at Ctrl-C, and keeps the process until everything is closed. */
  private void closeInOrder() {
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  stop.countDown();
                  try {
                    if (!closed.await(60, TimeUnit.SECONDS)) {
                      System.err.println("Not everything stopped within 60 seconds");
                    }
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                }));
  }
}
