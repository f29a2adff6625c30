package no.bindeledd.fault;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.stream.Stream;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LedgerVerifier;
import no.bindeledd.audit.Verification;
import no.bindeledd.channel.RecipientKeys;
import no.bindeledd.demo.ConsentPortal;
import no.bindeledd.demo.EmbeddedDatabase;
import no.bindeledd.demo.EmbeddedKafka;
import no.bindeledd.demo.Hub;
import no.bindeledd.demo.Population;
import no.bindeledd.demo.World;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.Books;
import no.bindeledd.hub.RunningHub;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A whole hub with a database and a broker that a test may stop, and the synthetic agencies around
 * it. Started once for all tests that ask for it; each leaves everything running and delivered. As
 * an extension it gives the hub to test methods that have it as a parameter.
 */
public final class RealHub implements ExtensionContext.Store.CloseableResource {
  static final OrganisationNumber NAV = new OrganisationNumber("311067850");
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Gives the one hub. */
  public static final class Extension implements ParameterResolver {
    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
      return parameter.getParameter().getType() == RealHub.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
      return context
          .getRoot()
          .getStore(ExtensionContext.Namespace.GLOBAL)
          .getOrComputeIfAbsent(RealHub.class, key -> started(), RealHub.class);
    }

    private static RealHub started() {
      try {
        return new RealHub();
      } catch (Exception e) {
        throw new IllegalStateException("The hub did not start", e);
      }
    }
  }

  /** A record that an agency read from a topic. */
  record Received(String topic, String key, JsonNode value) {}

  final Path folder;
  final Path home;
  final EmbeddedDatabase database;
  final EmbeddedKafka kafka;
  final World world;
  final RunningHub hub;
  final List<Received> received = new CopyOnWriteArrayList<>();

  /** What NAV's referral service answers. */
  volatile int navAnswers = 201;

  /** The idempotency keys of the referrals that NAV's service took. */
  final List<String> referrals = new CopyOnWriteArrayList<>();

  private final HttpServer nav;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  RealHub() throws Exception {
    folder = Files.createTempDirectory("bindeledd-fault");
    home = folder.resolve("home");
    copyHome(home);
    database = EmbeddedDatabase.start(folder.resolve("postgres"));
    kafka = EmbeddedKafka.start(folder.resolve("kafka"));
    kafka.createTopics(4, World.topics());
    nav = navService();
    RecipientKeys keys =
        RecipientKeys.openOrCreate(folder.resolve("secrets").resolve("recipients"));
    world =
        World.start(
            new World.Settings(
                folder.resolve("agencies"),
                kafka.bootstrap(),
                Population.of(11, 600),
                organisation -> keys.of(organisation)::open,
                false,
                this::received,
                Clock.systemUTC()));
    hub = RunningHub.start(settings());
  }

  private void received(String topic, byte[] key, byte[] plain) {
    try {
      received.add(
          new Received(
              topic,
              key == null ? "" : new String(key, StandardCharsets.UTF_8),
              JSON.readTree(plain)));
    } catch (IOException e) {
      throw new IllegalStateException("What an agency received is not JSON", e);
    }
  }

  private HttpServer navService() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 128);
    server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            exchange.getRequestBody().readAllBytes();
            int answer = navAnswers;
            if (answer < 300) {
              referrals.add(exchange.getRequestHeaders().getFirst("Idempotency-Key"));
            }
            exchange.sendResponseHeaders(answer, -1);
          }
        });
    server.start();
    return server;
  }

  Map<String, Object> settings() throws IOException {
    Map<String, Object> settings = new HashMap<>(world.properties());
    settings.put("peers.nav.url", "http://127.0.0.1:" + nav.getAddress().getPort());
    settings.put("bindeledd.home", home.toString());
    settings.put("bindeledd.secrets", folder.resolve("secrets").toString());
    settings.put("bindeledd.create-secrets", "true");
    settings.put("bindeledd.numbers", "SYNTHETIC_ONLY");
    settings.put("bindeledd.watch", "200ms");
    settings.put("bindeledd.delivery.attempts", "3");
    settings.put("bindeledd.delivery.first-pause", "50ms");
    settings.put("bindeledd.delivery.longest-pause", "500ms");
    settings.put("bindeledd.tokens.issuer", world.properties().get("peers.maskinporten.issuer"));
    settings.put(
        "bindeledd.tokens.audience", world.properties().get("peers.maskinporten.audience"));
    settings.put("spring.datasource.url", database.jdbcUrl());
    settings.put("spring.datasource.username", database.user());
    settings.put("spring.datasource.password", database.password());
    settings.put("spring.datasource.hikari.connection-timeout", "1000");
    settings.put("spring.datasource.hikari.data-source-properties.socketTimeout", "3");
    settings.put("kafka.brokers", kafka.bootstrap());
    // An outage is noticed in a second, so that there are many attempts in a short one.
    settings.put("camel.component.kafka.max-block-ms", "1000");
    settings.put("camel.component.kafka.request-timeout-ms", "1000");
    settings.put("camel.component.kafka.delivery-timeout-ms", "1500");
    settings.put("server.port", "0");
    settings.put("hub.mllp.port", Integer.toString(freePort()));
    return settings;
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  static void copyHome(Path to) throws IOException {
    for (String part : List.of("routes", "mappings", "policies")) {
      try (Stream<Path> files = Files.walk(Path.of(part))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Path copy = to.resolve(file);
          Files.createDirectories(copy.getParent());
          Files.copy(file, copy);
        }
      }
    }
  }

  // ---- talking to it

  URI rest() {
    return URI.create("http://127.0.0.1:" + hub.port());
  }

  /** As an agency that gives up after so many attempts. */
  Hub asSender(int attempts) {
    return new Hub(
        rest(),
        Integer.parseInt(hub.setting("hub.mllp.port")),
        world.tokens(),
        new Hub.Patience(attempts, Duration.ofMillis(100), Duration.ofMillis(500)));
  }

  ConsentPortal portal() {
    return new ConsentPortal(rest(), world.tokens());
  }

  HttpResponse<String> post(String exchange, String json) throws Exception {
    return http.send(
        HttpRequest.newBuilder(rest().resolve("/exchanges/" + exchange))
            .header("Content-Type", "application/json")
            .header("Authorization", "Bearer " + world.tokens().token(NAV, "bindeledd:" + exchange))
            .POST(HttpRequest.BodyPublishers.ofString(json))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  /** A notice without personal data, for OT and for the schools. */
  static String capacity(String id) {
    return """
        {"messageId": "%s", "office": "311040715", "measure": "ARBEIDSTRENING", "open": true,
         "places": 6, "targetGroup": "Ungdom 16-24 utenfor skole og arbeid",
         "validFrom": "2026-12-07"}"""
        .formatted(id);
  }

  static String question(String id, int person) {
    return """
        {"messageId": "%s", "foedselsnummer": "%s", "question": "RETT_TIL_VIDEREGAAENDE"}"""
        .formatted(id, Letters.number(person));
  }

  /** Gives a consent to share health information with NAV, as a keeper. */
  HttpResponse<String> consent(UUID id, int person) throws Exception {
    String json =
        """
        {"subject": "%s", "purpose": "EMPLOYMENT_SUPPORT", "recipients": [], "categories": [],
         "validFrom": "2026-01-01T00:00:00Z", "textVersion": "test@1", "captured": "PORTAL"}"""
            .formatted(Letters.number(person));
    return keeper("PUT", "/consents/" + id, json, "If-None-Match", "*");
  }

  HttpResponse<String> withdrawal(UUID id, int person) throws Exception {
    return keeper(
        "POST",
        "/consents/" + id + "/withdrawal",
        "{\"subject\": \"" + Letters.number(person) + "\", \"captured\": \"SPOKEN\"}",
        "If-Match",
        "\"1\"");
  }

  private HttpResponse<String> keeper(String method, String path, String json, String... headers)
      throws Exception {
    return http.send(
        HttpRequest.newBuilder(rest().resolve(path))
            .header("Content-Type", "application/json")
            .header("Authorization", "Bearer " + world.tokens().token(NAV, ConsentPortal.SCOPE))
            .headers(headers)
            .method(method, HttpRequest.BodyPublishers.ofString(json))
            .build(),
        HttpResponse.BodyHandlers.ofString());
  }

  HttpResponse<String> get(String path) throws Exception {
    return http.send(
        HttpRequest.newBuilder(rest().resolve(path)).build(), HttpResponse.BodyHandlers.ofString());
  }

  /** Sends an HL7 message over MLLP and returns the acknowledgement. */
  String mllp(byte[] message) throws IOException {
    try (Socket socket =
        new Socket(
            InetAddress.getLoopbackAddress(), Integer.parseInt(hub.setting("hub.mllp.port")))) {
      socket.setSoTimeout(30_000);
      socket.getOutputStream().write(0x0B);
      socket.getOutputStream().write(message);
      socket.getOutputStream().write(new byte[] {0x1C, 0x0D});
      socket.getOutputStream().flush();
      StringBuilder acknowledgement = new StringBuilder();
      for (int b = socket.getInputStream().read();
          b >= 0 && b != 0x1C;
          b = socket.getInputStream().read()) {
        acknowledgement.append((char) b);
      }
      return acknowledgement.toString().replace('\r', '\n');
    }
  }

  // ---- what became of it

  SortedMap<String, Books> books() throws SQLException {
    try (Connection connection = database.connect()) {
      return Books.read(connection, hub.catalogue().current());
    }
  }

  Books books(String exchange) throws SQLException {
    return books().getOrDefault(exchange, new Books(0, 0, 0, 0, 0, 0, 0, 0, 0));
  }

  /** What the agencies got and what the books say, by exchange, for comparing two moments. */
  record Tally(Map<String, Long> received, Map<String, Long> delivered) {
    Tally since(Tally before) {
      return new Tally(less(received, before.received), less(delivered, before.delivered));
    }

    private static Map<String, Long> less(Map<String, Long> now, Map<String, Long> before) {
      Map<String, Long> difference = new TreeMap<>();
      now.forEach(
          (exchange, count) -> difference.put(exchange, count - before.getOrDefault(exchange, 0L)));
      return difference;
    }
  }

  Tally tally() throws SQLException {
    Map<String, Long> records = new TreeMap<>();
    for (World.Received one : world.received()) {
      if (!one.exchange().equals("ips-referral")) {
        records.merge(one.exchange(), one.records(), Long::sum);
      }
    }
    records.put("ips-referral", (long) referrals.size());
    Map<String, Long> delivered = new TreeMap<>();
    records.keySet().forEach(exchange -> delivered.put(exchange, 0L));
    books().forEach((exchange, book) -> delivered.replace(exchange, book.delivered()));
    return new Tally(records, delivered);
  }

  /** True when nothing waits and the agencies have what the books say. */
  boolean settled() throws SQLException {
    for (Books book : books().values()) {
      if (!book.balance() || book.pending() > 0) {
        return false;
      }
    }
    return world.school().waitingFiles() == 0;
  }

  long count(String query) throws SQLException {
    try (Connection connection = database.connect();
        var statement = connection.createStatement();
        var row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  Verification verify() throws SQLException {
    return LedgerVerifier.verify(
        hub.database(),
        hub.logKey().verifiers(),
        List.of(hub.part(Ledger.class).checkpoint()),
        (done, of) -> {});
  }

  double retried(String exchange) {
    var counter =
        hub.part(io.micrometer.core.instrument.MeterRegistry.class)
            .find("bindeledd.deliver")
            .tag("exchange", exchange)
            .tag("result", "retried")
            .counter();
    return counter == null ? 0 : counter.count();
  }

  @Override
  public void close() {
    hub.close();
    world.close();
    nav.stop(0);
    kafka.close();
    database.close();
  }
}
