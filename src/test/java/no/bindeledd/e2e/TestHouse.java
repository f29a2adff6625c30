package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import no.bindeledd.channel.RecipientKeys;
import no.bindeledd.demo.Agencies;
import no.bindeledd.demo.EmbeddedDatabase;
import no.bindeledd.demo.EmbeddedKafka;
import no.bindeledd.demo.Population;
import no.bindeledd.demo.SchoolSystem;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.Books;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.hub.RunningHub;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolver;

/**
 * A running hub with a real broker, database, SFTP server, token issuer and agencies, started by
 * the first test that asks for it and shared by all: a test brings people of its own and leaves
 * nothing waiting. Its data, and the hub's log, lie under {@code target/e2e/}.
 */
final class TestHouse implements ExtensionContext.Store.CloseableResource {
  static final ObjectMapper JSON = new ObjectMapper();

  static final String DROPOUT_NOTICE = "ot.dropout-notice.v1";
  static final String MEASURE_EVENTS = "amt.deltaker-ekstern-v1";
  static final String MEASURE_EVENT = "ot.measure-event.v1";
  static final String LIST_ANSWER = "ot.list-reconciliation.v1";
  static final String MEASURE_CAPACITY = "ot.measure-capacity.v1";
  static final String SCHOOL_CAPACITY = "school.measure-capacity.v1";

  /** Whoever consents to it lets NAV see the exact status. */
  static final String ALTINN_RESOURCE = "bindeledd-ot-status";

  static final String DISCUSSION = "nav.case-discussion.v1";
  static final String WITHDRAWALS = "ot.consent-withdrawal.v1";
  static final String SCHOOL_REQUESTS = "school.collection-request.v1";
  static final String OT_REQUESTS = "ot.collection-request.v1";
  static final String SCHOOL_WITHDRAWALS = "school.consent-withdrawal.v1";
  static final String CHILD_WELFARE_REPORTS = "child-welfare.child-welfare-report.v1";
  static final String YOUTH_REFERRALS = "nav-a.youth-referral.v1";
  static final String INVITATION = "school.meeting-invitation.v1";

  /** How long anything may take on a busy machine. */
  static final Duration PATIENCE = Duration.ofSeconds(45);

  private static final Path ALL_RUNS = Path.of("target", "e2e").toAbsolutePath();

  /** Gives tests the house; closes it when the last of them is done. */
  static final class Resident implements ParameterResolver {
    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
      return parameter.getParameter().getType() == TestHouse.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
      return context
          .getRoot()
          .getStore(ExtensionContext.Namespace.GLOBAL)
          .getOrComputeIfAbsent(TestHouse.class, key -> new TestHouse(), TestHouse.class);
    }
  }

  /** What the hub answered over HTTP. */
  record Reply(int status, Map<String, List<String>> headers, String body) {
    JsonNode json() {
      try {
        return JSON.readTree(body);
      } catch (IOException e) {
        throw new AssertionError("Not JSON: " + body, e);
      }
    }

    /** The answers of a receipt. */
    List<JsonNode> answers() {
      return json().path("answers").valueStream().toList();
    }

    String header(String name) {
      return headers.getOrDefault(name.toLowerCase(java.util.Locale.ROOT), List.of("")).getFirst();
    }

    @Override
    public String toString() {
      return status + " " + body;
    }
  }

  final Path data;
  final Path home;
  final RecipientKeys keys;
  final Tokens tokens;
  final SchoolSystem school;
  final Peer fint;
  final Peer nav;
  final Peer county;
  final Inbox inbox;
  final RunningHub hub;
  final LedgerPages ledger;

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final KafkaProducer<byte[], byte[]> producer;
  private final Queue<Reply> replies = new ConcurrentLinkedQueue<>();
  private final int mllpPort;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .build();

  TestHouse() {
    try {
      forgetEarlierRuns();
      Files.createDirectories(ALL_RUNS);
      data = Files.createTempDirectory(ALL_RUNS, "run-");
      home = data.resolve("home");
      for (String folder : List.of("routes", "mappings", "policies")) {
        copy(Path.of(folder), home.resolve(folder));
      }
      EmbeddedDatabase database = opened(EmbeddedDatabase.start(data.resolve("postgres")));
      EmbeddedKafka kafka = opened(EmbeddedKafka.start(data.resolve("kafka")));
      keys = RecipientKeys.openOrCreate(data.resolve("secrets").resolve("recipients"));
      Map<String, UnaryOperator<byte[]>> topics = topics();
      kafka.createTopics(4, List.copyOf(topics.keySet()));
      kafka.createTopics(4, MEASURE_EVENTS);
      tokens = opened(new Tokens());
      school = opened(new SchoolSystem(Population.of(1, 1), data.resolve("school")));
      fint = opened(new Peer(TestHouse::fint));
      nav = opened(new Peer(call -> Peer.Answer.of(201)));
      county = opened(new Peer(call -> Peer.Answer.json(200, COUNTY_ANSWER)));
      inbox = opened(new Inbox(kafka.bootstrap(), topics));
      producer = opened(producer(kafka.bootstrap()));
      mllpPort = freePort();
      System.setProperty("bindeledd.log", log().toString());
      hub =
          opened(
              RunningHub.start(
                  settings(database, kafka), "--logging.config=classpath:logback-file.xml"));
      ledger = new LedgerPages(hub.database());
      await().atMost(PATIENCE).until(() -> health().path("status").asText().equals("UP"));
    } catch (IOException e) {
      close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /** The county knows everybody, and says more than anyone may see. */
  static final String COUNTY_ANSWER =
      """
      {"rett": true, "rettighetstype": "UNGDOMSRETT", "restAar": 2,
       "otStatus": {"kode": "OTOV", "gruppe": 2}, "merknad": "Kanari skal ikke deles"}
      """;

  /** 202, and a status that is final at once. */
  private static Peer.Answer fint(Peer.Call call) {
    return call.method().equals("POST")
        ? new Peer.Answer(202, Map.of("Location", "/status/" + UUID.randomUUID()), new byte[0])
        : Peer.Answer.of(201);
  }

  private Map<String, UnaryOperator<byte[]>> topics() {
    Map<String, UnaryOperator<byte[]>> topics = new LinkedHashMap<>();
    for (String topic : List.of(DROPOUT_NOTICE, MEASURE_EVENT, LIST_ANSWER, WITHDRAWALS)) {
      topics.put(topic, keys.of(Agencies.OT)::open);
    }
    topics.put(answersTo("nav-a"), keys.of(Agencies.NAV_A)::open);
    topics.put(answersTo("nav-b"), keys.of(Agencies.NAV_B)::open);
    topics.put(answersTo("nav-c"), keys.of(Agencies.NAV_C)::open);
    topics.put(MEASURE_CAPACITY, UnaryOperator.identity());
    topics.put(SCHOOL_CAPACITY, UnaryOperator.identity());
    topics.put(DISCUSSION, keys.of(Agencies.NAV_STATE)::open);
    topics.put(INVITATION, keys.of(Agencies.SCHOOL)::open);
    topics.put(SCHOOL_REQUESTS, keys.of(Agencies.SCHOOL)::open);
    topics.put(SCHOOL_WITHDRAWALS, keys.of(Agencies.SCHOOL)::open);
    topics.put(OT_REQUESTS, keys.of(Agencies.OT)::open);
    topics.put(CHILD_WELFARE_REPORTS, keys.of(Agencies.CHILD_WELFARE)::open);
    topics.put(YOUTH_REFERRALS, keys.of(Agencies.NAV_A)::open);
    return topics;
  }

  /** The topic with the answers to an office's list. */
  static String answersTo(String office) {
    return office + ".list-reconciliation.v1";
  }

  private Map<String, Object> settings(EmbeddedDatabase database, EmbeddedKafka kafka) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("server.port", 0);
    settings.put("hub.mllp.port", mllpPort);
    settings.put("spring.datasource.url", database.jdbcUrl());
    settings.put("spring.datasource.username", database.user());
    settings.put("spring.datasource.password", database.password());
    settings.put("kafka.brokers", kafka.bootstrap());
    settings.put("bindeledd.home", home.toString());
    settings.put("bindeledd.secrets", data.resolve("secrets").toString());
    settings.put("bindeledd.numbers", "SYNTHETIC_ONLY");
    settings.put("bindeledd.create-secrets", true);
    settings.put("bindeledd.watch", "200ms");
    settings.put("bindeledd.tokens.issuer", tokens.issuer());
    settings.put("bindeledd.tokens.audience", Tokens.AUDIENCE);
    settings.put("bindeledd.altinn." + ALTINN_RESOURCE + ".purpose", "RIGHTS_QUERY");
    settings.put("bindeledd.altinn." + ALTINN_RESOURCE + ".metadata", "skoleaar");
    settings.put("bindeledd.delivery.attempts", 3);
    settings.put("bindeledd.delivery.first-pause", "20ms");
    settings.put("bindeledd.delivery.longest-pause", "200ms");
    settings.put("bindeledd.delivery.answer-within", "2s");
    // A receiver that is down all the time: nothing waits for it.
    settings.put("bindeledd.audit.syslog.host", "127.0.0.1");
    settings.put("bindeledd.audit.syslog.port", 9);
    settings.put("peers.school.sftp", school.address());
    settings.put("peers.school.username", school.username());
    settings.put("peers.school.password", school.password());
    settings.put("peers.school.knownHosts", school.knownHosts().toString());
    settings.put("peers.fint.url", fint.url());
    settings.put("peers.nav.url", nav.url());
    settings.put("peers.county.url", county.url());
    return settings;
  }

  // ---- REST

  String address(String path) {
    return "http://127.0.0.1:" + hub.port() + path;
  }

  Reply get(String path) {
    return send(HttpRequest.newBuilder(URI.create(address(path))).GET());
  }

  /** Posts JSON as the organisation, with a token for the exchange. */
  Reply post(String exchange, OrganisationNumber sender, String json) {
    return post(exchange, Tokens.of(sender, "bindeledd:" + exchange), json.getBytes(UTF_8));
  }

  Reply post(String exchange, Tokens.Wanted token, byte[] body) {
    return post(exchange, body, with -> with.header("Authorization", bearer(token)));
  }

  Reply post(String exchange, byte[] body, Consumer<HttpRequest.Builder> with) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(address("/exchanges/" + exchange)))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofByteArray(body));
    with.accept(request);
    return send(request);
  }

  String bearer(Tokens.Wanted token) {
    return "Bearer " + tokens.issue(token);
  }

  Reply send(HttpRequest.Builder request) {
    try {
      HttpResponse<String> response =
          http.send(request.timeout(PATIENCE).build(), HttpResponse.BodyHandlers.ofString(UTF_8));
      Reply reply = new Reply(response.statusCode(), response.headers().map(), response.body());
      replies.add(reply);
      return reply;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }

  /** Everything the hub has answered over HTTP. */
  List<Reply> replies() {
    return List.copyOf(replies);
  }

  // ---- the keepers

  Reply keeper(String method, String path, String json, String... headers) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(address(path)))
            .header("Content-Type", "application/json")
            .header("Authorization", bearer(Tokens.of(Agencies.NAV_STATE, "bindeledd:keeper")))
            .method(method, HttpRequest.BodyPublishers.ofString(json));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return send(request);
  }

  /** The person consents, to all recipients and categories; answers the consent's id. */
  UUID consent(Youth youth, String purpose) {
    return consent(youth, purpose, "GIVEN");
  }

  UUID consent(Youth youth, String purpose, String state) {
    UUID id = UUID.randomUUID();
    ObjectNode body = JSON.createObjectNode();
    body.put("subject", youth.number());
    body.put("state", state);
    body.put("purpose", purpose);
    body.put("textVersion", "e2e@1");
    body.put("captured", "PORTAL");
    Reply reply = keeper("PUT", "/consents/" + id, body.toString(), "If-None-Match", "*");
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    return id;
  }

  void withdraw(UUID consent, Youth youth) {
    Reply reply =
        keeper(
            "POST",
            "/consents/" + consent + "/withdrawal",
            "{\"subject\": \"" + youth.number() + "\", \"captured\": \"SPOKEN\"}",
            "If-Match",
            "\"1\"");
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
  }

  void protect(Youth youth, String grade, boolean shielded) {
    ObjectNode body = JSON.createObjectNode();
    body.put("subject", youth.number());
    body.put("grade", grade);
    body.put("shielded", shielded);
    assertThat(keeper("PUT", "/protection", body.toString()).status()).isEqualTo(204);
  }

  // ---- files

  static final String CSV_HEADER =
      "fodselsnummer;fornavn;etternavn;fodselsdato;telefon;epost;skole_orgnr;skole_navn;"
          + "programomrade;trinn;avbruddsdato;avbruddsarsak;fravaersprosent;oppdatert";

  static String csvRow(Youth youth) {
    return String.join(
        ";",
        youth.number(),
        youth.given(),
        youth.family(),
        "%1$td.%1$tm.%1$tY".formatted(youth.birthDate()),
        "+4799990001",
        "ung@example.no",
        "311000004",
        "Eksempelvik videregående skole",
        "BABAT1----",
        "1",
        "28.08.2026",
        "FV",
        "12,5",
        "31.08.2026");
  }

  static byte[] csv(String... rows) {
    return (CSV_HEADER + "\r\n" + String.join("\r\n", rows) + "\r\n").getBytes(UTF_8);
  }

  Path dropFolder() {
    return data.resolve("school").resolve("sftp").resolve("dropout");
  }

  /** Leaves a file on the school's SFTP server and waits for the hub's report. */
  JsonNode drop(String name, byte[] content) {
    try {
      Path draft = dropFolder().resolve(name + ".part");
      Files.write(draft, content);
      Files.move(draft, dropFolder().resolve(name), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return await()
        .atMost(PATIENCE)
        .until(() -> report(name, !Files.exists(dropFolder().resolve(name))), Optional::isPresent)
        .orElseThrow();
  }

  /** The newest report about files of that name, and which folder it lies in. */
  private Optional<JsonNode> report(String name, boolean moved) throws IOException {
    if (!moved) {
      return Optional.empty();
    }
    String stem = name.substring(0, name.lastIndexOf('.'));
    Optional<Path> newest = Optional.empty();
    for (String folder : List.of("done", "failed")) {
      Path place = dropFolder().resolve(folder);
      if (!Files.isDirectory(place)) {
        continue;
      }
      try (Stream<Path> files = Files.list(place)) {
        newest =
            Stream.concat(files, newest.stream())
                .filter(file -> file.getFileName().toString().startsWith(stem + "."))
                .filter(file -> file.getFileName().toString().endsWith(".report.json"))
                .max(Comparator.comparing(TestHouse::modified));
      }
    }
    if (newest.isEmpty()) {
      return Optional.empty();
    }
    ObjectNode report = (ObjectNode) JSON.readTree(newest.get().toFile());
    report.put("_folder", newest.get().getParent().getFileName().toString());
    return Optional.of(report);
  }

  private static java.nio.file.attribute.FileTime modified(Path file) {
    try {
      return Files.getLastModifiedTime(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  // ---- Kafka and MLLP

  /** Puts a record on a topic, as the agency that owns it does. */
  void publish(String topic, String key, byte[] value, Map<String, String> headers) {
    ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, key.getBytes(UTF_8), value);
    headers.forEach((name, text) -> record.headers().add(name, text.getBytes(UTF_8)));
    try {
      producer.send(record).get(30, TimeUnit.SECONDS);
    } catch (InterruptedException | ExecutionException | java.util.concurrent.TimeoutException e) {
      throw new AssertionError(e);
    }
  }

  static String measureEvent(String id, Youth youth) {
    ObjectNode json = JSON.createObjectNode();
    json.put("id", id);
    json.put("gjennomforingId", UUID.nameUUIDFromBytes(id.getBytes(UTF_8)).toString());
    json.put("personIdent", youth.number());
    json.put("startDato", "2026-08-17");
    json.put("sluttDato", "2026-12-18");
    ObjectNode status = json.putObject("status");
    status.put("type", "HAR_SLUTTET");
    status.putObject("aarsak").put("type", "SYK");
    json.put("endretTidspunkt", "2026-08-17T09:00:00");
    json.put("kilde", "KOMET");
    json.put("innsatsgruppe", "TRENGER_VEILEDNING_NEDSATT_ARBEIDSEVNE");
    json.put("navn", youth.given() + " " + youth.family());
    return json.toString();
  }

  MllpLine mllp() {
    return new MllpLine(mllpPort);
  }

  int mllpPort() {
    return mllpPort;
  }

  // ---- what the hub says of itself

  Path log() {
    return data.resolve("hub.log");
  }

  JsonNode health() {
    return get("/actuator/health").json();
  }

  SortedMap<String, Books> books() {
    try (Connection connection = hub.database().getConnection()) {
      return Books.read(connection, hub.catalogue().current());
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  Books books(String exchange) {
    return books().getOrDefault(exchange, new Books(0, 0, 0, 0, 0, 0, 0, 0, 0));
  }

  /** Waits until nothing is under way. */
  void settle() {
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                hub.part(HeldMessages.class).idle()
                    && books().values().stream().allMatch(b -> b.balance() && b.pending() == 0));
  }

  /** Counters and gauges of the hub, by name and tags as Prometheus writes them. */
  Map<String, Double> metrics() {
    Map<String, Double> metrics = new TreeMap<>();
    for (String line : get("/actuator/prometheus").body().split("\n")) {
      if (!line.startsWith("#")) {
        int space = line.lastIndexOf(' ');
        metrics.put(line.substring(0, space), Double.valueOf(line.substring(space + 1)));
      }
    }
    return metrics;
  }

  /** A new W3C trace context. */
  static String newTrace() {
    ThreadLocalRandom random = ThreadLocalRandom.current();
    return "00-%016x%016x-%016x-01"
        .formatted(random.nextLong(), random.nextLong(), random.nextLong());
  }

  // ---- house-keeping

  static void copy(Path from, Path to) {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Path copy = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(copy);
        } else {
          Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void remove(Path folder) {
    if (!Files.exists(folder)) {
      return;
    }
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static void forgetEarlierRuns() {
    try {
      remove(ALL_RUNS);
    } catch (UncheckedIOException e) {
      // Files of a run that was killed may belong to the database's user; they are in nobody's way.
    }
  }

  private static KafkaProducer<byte[], byte[]> producer(String bootstrap) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap, ProducerConfig.ACKS_CONFIG, "all"),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private <T extends AutoCloseable> T opened(T part) {
    open.push(part);
    return part;
  }

  @Override
  public void close() {
    while (!open.isEmpty()) {
      try {
        open.pop().close();
      } catch (Exception e) {
        e.printStackTrace();
      }
    }
    http.shutdownNow();
  }
}
