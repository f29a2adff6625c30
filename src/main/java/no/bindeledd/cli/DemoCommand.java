package no.bindeledd.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LedgerVerifier;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.Verification;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.channel.RecipientKeys;
import no.bindeledd.demo.Casework;
import no.bindeledd.demo.ConsentPortal;
import no.bindeledd.demo.EmbeddedDatabase;
import no.bindeledd.demo.EmbeddedKafka;
import no.bindeledd.demo.Hub;
import no.bindeledd.demo.NavOffice;
import no.bindeledd.demo.Population;
import no.bindeledd.demo.Progress;
import no.bindeledd.demo.Questions;
import no.bindeledd.demo.SummaryTable;
import no.bindeledd.demo.World;
import no.bindeledd.gate.Books;
import no.bindeledd.gate.Deadlines;
import no.bindeledd.gate.HeldMessages;
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
  private static final Duration SETTLED = Duration.ofSeconds(1);
  private static final Duration LONGEST_READING = Duration.ofSeconds(15);
  private static final Duration LONGEST_SETTLING = Duration.ofMinutes(10);

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
    Progress progress = Progress.onStandardError();
    URI rest = URI.create("http://127.0.0.1:" + hub.port());
    int mllp = Integer.parseInt(hub.setting("hub.mllp.port"));
    List<String> faults = new ArrayList<>();
    Questions questions;
    try (ConsentPortal portal = new ConsentPortal(rest, world.tokens());
        Hub agenciesView = new Hub(rest, mllp, world.tokens(), Hub.Patience.STANDARD)) {
      Progress.Task consents = progress.task("consents and protection", 0);
      int protections = portal.registerProtections(world.population());
      int given = portal.registerConsents(world.population(), false);
      consents.ended(given + " consents, " + protections + " protected");
      questions = exchange(world, agenciesView, progress);
      int late = portal.registerConsents(world.population(), true);
      progress.task("late consents", 0).ended(late + " given after the messages were sent");
      int owed = hub.part(Deadlines.class).send();
      progress.task("deadlines", 0).ended(owed + " warnings and escalations");
      settle(world, hub, progress.task("deliveries", 0), faults);
      reply(world, hub, agenciesView, portal, progress, faults);
      settle(world, hub, progress.task("deliveries of the replies", 0), faults);
    }
    SortedMap<String, Books> books = books(hub);
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
    faults.addAll(disagreements(world, books));
    double seconds = (System.nanoTime() - started) / 1e9;
    Verification whole = audit.verified() ? offline : audit;
    print(hub, world, books, whole, check, questions, faults, seconds, log);
    if (!once) {
      closeInOrder();
      stop.await();
    }
    return faults.isEmpty() ? 0 : 1;
  }

  /** All agencies send at once. */
  private static Questions exchange(World world, Hub hub, Progress progress)
      throws InterruptedException, ExecutionException {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> sending = new ArrayList<>();
      Progress.Task files = progress.task("dropout-notice", 0);
      sending.add(
          threads.submit(
              () -> files.ended(world.school().sendFiles(files::at).rows() + " rows sent")));
      Progress.Task events = progress.task("measure-event", 0);
      sending.add(
          threads.submit(
              () -> {
                events.ended(world.nav().sendMeasureEvents(events::at) + " events sent");
                return null;
              }));
      Progress.Task referrals = progress.task("ips-referral", world.treatmentTeam().messages());
      sending.add(
          threads.submit(
              () -> {
                var sent = world.treatmentTeam().sendReferrals(hub, referrals::at);
                referrals.ended(sent.taken() + " taken, " + sent.refused() + " refused");
                return null;
              }));
      Progress.Task lists = progress.task("list-reconciliation", 0);
      sending.add(
          threads.submit(
              () -> {
                int rows = 0;
                for (NavOffice office : world.offices()) {
                  world.ot().sendList(hub, World.LIST_ID, office.organisation());
                  office.sendList(hub, World.LIST_ID);
                  rows += world.ot().listSize() + office.listSize();
                  lists.at(rows);
                }
                lists.ended(rows + " rows in " + 2 * world.offices().size() + " lists");
                return null;
              }));
      for (List<String> inOrder : Casework.EXCHANGES) {
        List<Progress.Task> letters = inOrder.stream().map(id -> progress.task(id, 0)).toList();
        sending.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < inOrder.size(); i++) {
                    Progress.Task task = letters.get(i);
                    task.ended(world.casework().send(hub, inOrder.get(i), task::at).toString());
                  }
                  return null;
                }));
      }
      Progress.Task capacities = progress.task("measure-capacity", 0);
      Progress.Task asking = progress.task("rights-query", 0);
      Future<Questions> asked =
          threads.submit(
              () -> {
                int sent = 0;
                Questions all = null;
                for (NavOffice office : world.offices()) {
                  sent += office.sendCapacities(hub);
                  capacities.at(sent);
                  Questions some = office.askRights(hub, asking::at);
                  all = all == null ? some : all.and(some);
                }
                capacities.ended(sent + " sent");
                asking.ended(String.valueOf(all));
                return java.util.Objects.requireNonNull(all, "there is no NAV office");
              });
      for (Future<?> one : sending) {
        one.get();
      }
      return asked.get();
    }
  }

  /** The agencies answer what they have read; some people change their minds meanwhile. */
  private static void reply(
      World world,
      RunningHub running,
      Hub hub,
      ConsentPortal portal,
      Progress progress,
      List<String> faults)
      throws SQLException, InterruptedException {
    Progress.Task receipts = progress.task("child-welfare-receipt", 0);
    receipts.ended(world.replies().confirmReports(hub, receipts::at).toString());
    Progress.Task school = progress.task("collection-answer, school", 0);
    school.ended(world.replies().answerAsSchool(hub, school::at).toString());
    // What the school has answered is with NAV before anybody changes their mind.
    settle(world, running, progress.task("deliveries of answers", 0), faults);
    int withdrawn = portal.withdrawSome(world.population());
    progress.task("withdrawals", 0).ended(withdrawn + " consents withdrawn");
    Progress.Task ot = progress.task("collection-answer, OT", 0);
    ot.ended(world.replies().answerAsOt(hub, ot::at).toString());
  }

  private static void settle(World world, RunningHub hub, Progress.Task task, List<String> faults)
      throws SQLException, InterruptedException {
    boolean settled = settle(world, hub);
    task.ended(settled ? "all done" : "not all done");
    if (!settled) {
      faults.add("not everything was delivered in time");
    }
  }

  /** Waits until nothing moves any more. */
  private static boolean settle(World world, RunningHub hub)
      throws SQLException, InterruptedException {
    long deadline = System.nanoTime() + LONGEST_SETTLING.toNanos();
    SortedMap<String, Books> before = new TreeMap<>();
    long since = System.nanoTime();
    while (System.nanoTime() < deadline) {
      SortedMap<String, Books> now = books(hub);
      boolean quiet =
          now.equals(before)
              && now.values().stream().allMatch(Books::balance)
              && now.values().stream().allMatch(book -> book.pending() == 0)
              && world.school().waitingFiles() == 0
              && noticesDue(hub) == 0
              && hub.part(HeldMessages.class).idle();
      if (!quiet) {
        since = System.nanoTime();
      }
      // The agencies may still be reading what has been delivered.
      Duration still = disagreements(world, now).isEmpty() ? SETTLED : LONGEST_READING;
      if (System.nanoTime() - since > still.toNanos()) {
        return true;
      }
      before = now;
      Thread.sleep(100);
    }
    return false;
  }

  /** Requests and notices that follow from consents and have not been sent. */
  private static int noticesDue(RunningHub hub) throws SQLException {
    try (Connection connection = hub.database().getConnection();
        PreparedStatement count =
            connection.prepareStatement("SELECT count(*) FROM consent_notice");
        ResultSet row = count.executeQuery()) {
      row.next();
      return row.getInt(1);
    }
  }

  private static SortedMap<String, Books> books(RunningHub hub) throws SQLException {
    try (Connection connection = hub.database().getConnection()) {
      return Books.read(connection, hub.catalogue().current());
    }
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

  /** Where the books do not balance, or say something else than the agencies received. */
  private static List<String> disagreements(World world, SortedMap<String, Books> books) {
    List<String> disagreements = new ArrayList<>();
    books.forEach(
        (exchange, book) -> {
          if (!book.balance()) {
            disagreements.add("the books of " + exchange + " do not balance");
          }
        });
    Map<String, Long> received = new TreeMap<>();
    for (World.Received one : world.received()) {
      received.merge(one.exchange(), one.different(), Long::sum);
    }
    received.forEach(
        (exchange, different) -> {
          Books book = books.get(exchange);
          long delivered = book == null ? 0 : book.delivered();
          if (different != delivered) {
            disagreements.add(
                "%s: the books say %d delivered, the agencies have %d different messages"
                    .formatted(exchange, delivered, different));
          }
        });
    Books requests = books.get("collection-request");
    long asked = requests == null ? 0 : requests.received();
    if (asked != 2L * world.replies().collections()) {
      disagreements.add(
          "collection-request: %d consents name two sources each, the books say %d requests"
              .formatted(world.replies().collections(), asked));
    }
    if (world.unreadable() > 0) {
      disagreements.add(world.unreadable() + " messages could not be opened by their recipient");
    }
    return disagreements;
  }

  private void print(
      RunningHub hub,
      World world,
      SortedMap<String, Books> books,
      Verification audit,
      String[] check,
      Questions questions,
      List<String> faults,
      double seconds,
      Path log)
      throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    List<SummaryTable.Row> rows = new ArrayList<>();
    books.forEach(
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
        questions,
        questions.millis(0.99),
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
      out.println(document(books, world, audit, seconds));
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
