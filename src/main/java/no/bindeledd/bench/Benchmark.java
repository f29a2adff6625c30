package no.bindeledd.bench;

import io.micrometer.core.instrument.MeterRegistry;
import java.lang.management.CompilationMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import javax.sql.DataSource;
import no.bindeledd.audit.LedgerVerifier;
import no.bindeledd.audit.Verification;
import no.bindeledd.demo.EmbeddedDatabase;
import no.bindeledd.demo.EmbeddedKafka;
import no.bindeledd.demo.TokenIssuer;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.Books;
import no.bindeledd.gate.Journal;
import no.bindeledd.hub.RunningHub;
import no.bindeledd.person.Secrets;
import org.apache.camel.CamelContext;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;

/**
 * Measures the hub beside bare Camel, warm, on one machine and in one run: rounds of both in turn,
 * over the same messages, which lie on the broker before anything is measured. Uses the calling
 * thread; run one at a time on a machine that does nothing else.
 */
public final class Benchmark {
  private static final String ASYNC = "bench-async";
  private static final String SYNC = "bench-sync";
  private static final String SYNC_SCOPE = "bindeledd:bench-sync";
  private static final OrganisationNumber ASKER = new OrganisationNumber("311067850");
  private static final long POLL_MILLIS = 20;

  /** Of a warm-up round's time; more than that means that there is still code to compile. */
  private static final double COMPILER_SHARE = 0.05;

  /** A round of questions goes by time and is long. */
  private static final int WARM_UPS_OF_QUESTIONS = 5;

  private static final long STUCK_NANOS = 60_000_000_000L;

  /**
   * How much is measured.
   *
   * @param home folder with the benchmark's routes, mappings and policies
   * @param disk folder on the disk that the database writes to
   * @param messages of each asynchronous round, besides a quarter as many to warm up
   * @param rounds of bare and hub in turn
   * @param each how long each measurement lasts that goes by time
   * @param connections of the synchronous part
   * @param people who have consents
   * @param warmUps at most so many rounds before the measured ones; fewer when the compiler has
   *     little left to do
   */
  public record Settings(
      Path home,
      Path disk,
      int messages,
      int rounds,
      Duration each,
      int connections,
      int people,
      int warmUps) {}

  private final Settings settings;
  private final EmbeddedDatabase database;
  private final EmbeddedKafka kafka;
  private final Map<String, Object> hubSettings;
  private final Consumer<String> progress;
  private final String run = "b" + Long.toString(System.currentTimeMillis(), 36);
  private final Meter meter;
  private long serial;

  /**
   * @param hubSettings where the hub finds the two servers and its secrets
   * @param progress hears what is being done
   */
  public Benchmark(
      Settings settings,
      EmbeddedDatabase database,
      EmbeddedKafka kafka,
      Map<String, Object> hubSettings,
      Consumer<String> progress) {
    this.settings = settings;
    this.database = database;
    this.kafka = kafka;
    this.hubSettings = hubSettings;
    this.progress = progress;
    this.meter = new Meter(kafka::process, database::process);
  }

  /** Runs all of it; takes minutes. */
  public Figures run() throws Exception {
    long started = System.nanoTime();
    LoggingSystem.get(Benchmark.class.getClassLoader()).setLogLevel("ROOT", LogLevel.WARN);
    progress.accept("People and consents");
    People people = People.of(settings.people(), 1);
    kafka.createTopics(Topics.PARTITIONS, Topics.IN, Topics.OUT, Topics.BARE_OUT);
    Path mappings = settings.home().resolve("mappings");
    try (Topics topics = new Topics(kafka.bootstrap());
        AnswerSource source = new AnswerSource();
        TokenIssuer tokens = new TokenIssuer(Clock.systemUTC());
        RunningHub hub =
            RunningHub.start(hubProperties(source, tokens), "--logging.level.root=WARN");
        BareKafka bare =
            new BareKafka(kafka.bootstrap(), mappings.resolve(ASYNC).resolve("ot.jslt"));
        BareHttp bareHttp =
            new BareHttp(
                source.url(),
                mappings.resolve(SYNC).resolve("county.jslt"),
                mappings.resolve(SYNC).resolve("answer.jslt"))) {
      people.seedConsents(hub.database(), hub.part(Secrets.class).pseudonymizer());
      return new Run(started, people, topics, tokens, hub, bare, bareHttp).all();
    }
  }

  private Map<String, Object> hubProperties(AnswerSource source, TokenIssuer tokens) {
    Map<String, Object> properties = new HashMap<>(hubSettings);
    properties.put("bindeledd.home", settings.home().toString());
    properties.put("bindeledd.numbers", "SYNTHETIC_ONLY");
    properties.put("bindeledd.tokens.issuer", tokens.issuer());
    properties.put(
        "bindeledd.tokens.metadata", tokens.issuer() + "/.well-known/oauth-authorization-server");
    properties.put("bindeledd.tokens.audience", TokenIssuer.AUDIENCE);
    properties.put("peers.bench.url", source.url());
    properties.put("server.port", 0);
    return properties;
  }

  /** The parts that run, and the measuring of them. */
  private final class Run {
    private final long started;
    private final People people;
    private final Topics topics;
    private final TokenIssuer tokens;
    private final RunningHub hub;
    private final BareKafka bare;
    private final BareHttp bareHttp;
    private final MeterRegistry registry;
    private final HttpLoad questions;

    Run(
        long started,
        People people,
        Topics topics,
        TokenIssuer tokens,
        RunningHub hub,
        BareKafka bare,
        BareHttp bareHttp) {
      this.started = started;
      this.people = people;
      this.topics = topics;
      this.tokens = tokens;
      this.hub = hub;
      this.bare = bare;
      this.bareHttp = bareHttp;
      this.registry = hub.part(MeterRegistry.class);
      this.questions = new HttpLoad(people, run);
    }

    Figures all() throws Exception {
      hubRoute(false);
      LongFunction<byte[]> notices = new Notices(people, run, 7)::notice;
      long messageBytes = notices.apply(0).length;
      warmUp(
          settings.warmUps(),
          () -> {
            fill(settings.messages(), notices);
            bareRound(settings.messages());
            return hubRound(settings.messages());
          });

      List<Figures.Flow> bareRounds = new ArrayList<>();
      List<Figures.Flow> hubRounds = new ArrayList<>();
      double[] ratios = new double[settings.rounds()];
      Stations before = Stations.read(registry, ASYNC);
      int each = settings.messages() + settings.messages() / 4;
      for (int round = 0; round < settings.rounds(); round++) {
        fill(each, notices);
        boolean bareFirst = round % 2 == 0;
        if (bareFirst) {
          bareRounds.add(bareRound(each));
        }
        hubRounds.add(hubRound(each));
        if (!bareFirst) {
          bareRounds.add(bareRound(each));
        }
        ratios[round] =
            hubRounds.getLast().messagesPerSecond() / bareRounds.getLast().messagesPerSecond();
        progress.accept(
            "Round %d: bare %s, hub %s, ratio %.2f"
                .formatted(
                    round + 1,
                    words(bareRounds.getLast()),
                    words(hubRounds.getLast()),
                    ratios[round]));
      }
      Map<String, Double> stations = Stations.read(registry, ASYNC).microsPerMessageSince(before);
      long heap = Meter.heapAfterCollection();
      Figures.Flow bareFlow = Figures.Flow.median(bareRounds);
      Figures.Flow hubFlow = Figures.Flow.median(hubRounds);

      int pace = Math.max(100, (int) (hubFlow.messagesPerSecond() / 2));
      progress.accept("Latency at " + pace + " msg/s");
      Latencies.Percentiles hubLatency = paced(Topics.OUT, pace, notices);
      // Both read the same topic: bare Camel takes what the hub was given before it is paced
      // itself.
      bareRound(Paced.messages(pace, settings.each()));
      Latencies.Percentiles bareLatency = paced(Topics.BARE_OUT, pace, notices);

      progress.accept("Synchronous path");
      warmUp(
          Math.min(WARM_UPS_OF_QUESTIONS, settings.warmUps()),
          () -> {
            askBare();
            return askHub();
          });
      Stations syncBefore = Stations.read(registry, SYNC);
      List<HttpLoad.Result> bareCalls = new ArrayList<>();
      List<HttpLoad.Result> hubCalls = new ArrayList<>();
      for (int round = 0; round < settings.rounds(); round++) {
        bareCalls.add(askBare());
        hubCalls.add(askHub());
        progress.accept(
            "Round %d: bare %,.0f requests/s, hub %,.0f requests/s, p99 %.1f ms"
                .formatted(
                    round + 1,
                    bareCalls.getLast().requestsPerSecond(),
                    hubCalls.getLast().requestsPerSecond(),
                    hubCalls.getLast().latency().p99Millis()));
      }
      Map<String, Double> syncStations =
          Stations.read(registry, SYNC).microsPerMessageSince(syncBefore);

      progress.accept("Ledger");
      long millis = settings.each().toMillis() / 2;
      Figures.Ledger ledger =
          LedgerRate.measure(hub.part(Journal.class), hub.database(), settings.disk(), millis);

      progress.accept("Checking the books and the ledger");
      drained();
      boolean balanced = books().stream().allMatch(Books::balance);
      Verification verification =
          LedgerVerifier.verify(hub.database(), hub.logKey().verifiers(), (done, of) -> {});
      return new Figures(
          bareFlow,
          hubFlow,
          Figures.Flow.median(ratios),
          bareLatency,
          hubLatency,
          pace,
          calls(bareCalls),
          calls(hubCalls),
          ledger,
          stations,
          syncStations,
          heap,
          messageBytes,
          balanced,
          verification.verified(),
          verification.entries(),
          (System.nanoTime() - started) / 1e9);
    }

    private static String words(Figures.Flow flow) {
      return "%,.0f msg/s (%.0f+%.0f+%.0f µs of JVM, broker and database, processors %.0f %% busy)"
          .formatted(
              flow.messagesPerSecond(),
              flow.jvmMicros(),
              flow.brokerMicros(),
              flow.databaseMicros(),
              flow.busy() * 100);
    }

    private void fill(int count, LongFunction<byte[]> notices) {
      topics.fill(serial, count, notices);
      serial += count;
    }

    private Figures.Flow bareRound(int messages) throws Exception {
      return round(
          Topics.BARE_OUT,
          messages,
          () -> {
            bare.startRoute();
            return null;
          },
          () -> {
            bare.stopRoute();
            return null;
          });
    }

    private Figures.Flow hubRound(int messages) throws Exception {
      Figures.Flow flow =
          round(
              Topics.OUT,
              messages,
              () -> {
                hubRoute(true);
                return null;
              },
              () -> {
                hubRoute(false);
                return null;
              });
      drained();
      return flow;
    }

    private void hubRoute(boolean run) throws Exception {
      var routes = hub.part(CamelContext.class).getRouteController();
      if (run) {
        routes.startRoute(ASYNC + ".receive");
      } else {
        routes.stopRoute(ASYNC + ".receive");
      }
    }

    /** From the moment the first fifth is through until everything is. */
    private Figures.Flow round(String output, int messages, Callable<?> start, Callable<?> stop)
        throws Exception {
      long first = topics.count(output);
      start.call();
      long mark = reached(output, first + messages / 5);
      Meter.Usage before = meter.read();
      long end = reached(output, first + messages);
      Meter.Usage used = meter.read().since(before);
      stop.call();
      return Figures.Flow.of(end - mark, used);
    }

    private long reached(String topic, long goal) throws InterruptedException {
      long last = -1;
      long moved = System.nanoTime();
      while (true) {
        long count = topics.count(topic);
        if (count >= goal) {
          return count;
        }
        if (count != last) {
          last = count;
          moved = System.nanoTime();
        } else if (System.nanoTime() - moved > STUCK_NANOS) {
          throw new IllegalStateException(
              topic + " stays at " + count + " records; " + goal + " were expected");
        }
        Thread.sleep(POLL_MILLIS);
      }
    }

    /** Waits until every receipt is in, so that no work of one round falls into the next. */
    private void drained() throws SQLException, InterruptedException {
      long until = System.nanoTime() + STUCK_NANOS;
      while (outboxHasRows(hub.database())) {
        if (System.nanoTime() > until) {
          throw new IllegalStateException("Deliveries are still waiting after a minute");
        }
        Thread.sleep(POLL_MILLIS);
      }
    }

    private Latencies.Percentiles paced(String output, int pace, LongFunction<byte[]> notices)
        throws Exception {
      boolean ofHub = output.equals(Topics.OUT);
      if (ofHub) {
        hubRoute(true);
      } else {
        bare.startRoute();
      }
      try {
        long begin = serial;
        serial += Paced.messages(pace, settings.each());
        return new Paced(topics, kafka.bootstrap())
            .run(output, pace, settings.each(), begin, notices);
      } finally {
        if (ofHub) {
          hubRoute(false);
        } else {
          bare.stopRoute();
        }
      }
    }

    private HttpLoad.Result askBare() throws InterruptedException {
      return ask(bareHttp.port(), BareHttp.PATH, "");
    }

    private HttpLoad.Result askHub() throws InterruptedException {
      return ask(hub.port(), "/exchanges/" + SYNC, tokens.token(ASKER, SYNC_SCOPE));
    }

    private HttpLoad.Result ask(int port, String path, String token) throws InterruptedException {
      return questions.run(
          port,
          path,
          token,
          settings.connections(),
          settings.each().toMillis() / 5,
          settings.each().toMillis(),
          meter);
    }

    /** Repeats until the compiler takes little of the time, so that what is measured is warm. */
    private void warmUp(int most, Callable<?> round) throws Exception {
      CompilationMXBean compiler = ManagementFactory.getCompilationMXBean();
      for (int i = 1; i <= most; i++) {
        long began = System.nanoTime();
        long compiled = compiler.getTotalCompilationTime();
        round.call();
        double millis = (System.nanoTime() - began) / 1e6;
        double share = (compiler.getTotalCompilationTime() - compiled) / millis;
        progress.accept("Warming up, compiler %.0f %%".formatted(share * 100));
        if (share < COMPILER_SHARE) {
          return;
        }
      }
    }

    private Collection<Books> books() throws SQLException {
      try (Connection connection = hub.database().getConnection()) {
        return Books.read(connection, hub.catalogue().current()).values();
      }
    }
  }

  private static boolean outboxHasRows(DataSource database) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery(
                "SELECT EXISTS (SELECT 1 FROM outbox) OR EXISTS (SELECT 1 FROM parcel)")) {
      row.next();
      return row.getBoolean(1);
    }
  }

  private static Figures.Calls calls(List<HttpLoad.Result> rounds) {
    return new Figures.Calls(
        median(rounds, HttpLoad.Result::requestsPerSecond),
        median(rounds, r -> r.latency().p50Millis()),
        median(rounds, r -> r.latency().p99Millis()),
        median(rounds, r -> r.latency().p999Millis()),
        median(rounds, r -> perRequest(r, r.usage().jvm() / 1e3)),
        median(rounds, r -> perRequest(r, r.usage().database() / 1e3)),
        median(rounds, r -> perRequest(r, r.usage().allocated())));
  }

  private static double perRequest(HttpLoad.Result round, double amount) {
    return amount / (round.requestsPerSecond() * round.usage().nanos() / 1e9);
  }

  private static double median(
      List<HttpLoad.Result> rounds, java.util.function.ToDoubleFunction<HttpLoad.Result> figure) {
    return Figures.Flow.median(rounds.stream().mapToDouble(figure).toArray());
  }
}
