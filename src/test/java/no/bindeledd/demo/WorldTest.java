package no.bindeledd.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.source.JWKSourceBuilder;
import com.nimbusds.jose.proc.JWSVerificationKeySelector;
import com.nimbusds.jose.proc.SecurityContext;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.proc.DefaultJWTProcessor;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import no.bindeledd.demo.World.Received;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.sshd.client.SshClient;
import org.apache.sshd.client.keyverifier.KnownHostsServerKeyVerifier;
import org.apache.sshd.client.keyverifier.RejectAllServerKeyVerifier;
import org.apache.sshd.client.session.ClientSession;
import org.apache.sshd.common.SshException;
import org.apache.sshd.sftp.client.SftpClient;
import org.apache.sshd.sftp.client.SftpClientFactory;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every agency over its real protocol, with a stand-in for the hub. */
@Timeout(120)
class WorldTest {
  private static final Population PEOPLE = Population.of(42, 1_000);
  private static final Hub.Patience QUICK =
      new Hub.Patience(4, Duration.ofMillis(1), Duration.ofMillis(5));

  /** As a seal for the test: the content with one byte in front. */
  private static final Function<byte[], byte[]> UNSEAL =
      value -> {
        if (value[0] != 'S') {
          throw new IllegalArgumentException("Not sealed");
        }
        return java.util.Arrays.copyOfRange(value, 1, value.length);
      };

  private static EmbeddedKafka kafka;
  private static World world;
  private static final HttpClient HTTP = HttpClient.newHttpClient();

  @BeforeAll
  static void start(@TempDir Path directory) {
    kafka = EmbeddedKafka.start(directory.resolve("kafka"));
    kafka.createTopics(2, World.topics());
    world = world(directory.resolve("world"));
  }

  @AfterAll
  static void stop() {
    world.close();
    kafka.close();
  }

  private static World world(Path directory) {
    return world(kafka, directory);
  }

  private static World world(EmbeddedKafka kafka, Path directory) {
    return World.start(
        new World.Settings(
            directory,
            kafka.bootstrap(),
            PEOPLE,
            organisation -> UNSEAL,
            true,
            (topic, key, plain) -> {},
            Clock.systemUTC()));
  }

  @Test
  void the_school_hands_out_whole_files_in_both_charsets_and_reads_the_reports() throws Exception {
    SchoolSystem school = world.school();
    SchoolSystem.Sent sent = school.sendFiles(rows -> {});
    assertThat(sent.rows()).isEqualTo((int) PEOPLE.dropouts().count() + sent.badRows());
    assertThat(sent.badRows()).isGreaterThanOrEqualTo(5);
    assertThat(school.waitingFiles()).isEqualTo(sent.files());

    try (SshClient client = client();
        ClientSession session = session(client, school.password());
        SftpClient sftp = SftpClientFactory.instance().createSftpClient(session)) {
      List<String> names = new ArrayList<>();
      sftp.readDir("dropout").forEach(e -> names.add(e.getFilename()));
      assertThat(names).contains("avbrudd-2026-001.csv").noneMatch(n -> n.endsWith(".part"));
      String first = read(sftp, "dropout/avbrudd-2026-001.csv", StandardCharsets.UTF_8);
      assertThat(first).startsWith(SchoolSystem.HEADER + "\r\n").contains("videregående");
      assertThat(first.lines().skip(1).filter(l -> l.split(";", -1).length == 14).count())
          .isEqualTo(first.lines().count() - 2);

      sftp.mkdir("dropout/done");
      sftp.rename("dropout/avbrudd-2026-001.csv", "dropout/done/avbrudd-2026-001.csv");
      try (var out = sftp.write("dropout/done/avbrudd-2026-001.csv.report.json")) {
        out.write("{\"rows\":3}".getBytes(StandardCharsets.UTF_8));
      }
      assertThat(school.waitingFiles()).isEqualTo(sent.files() - 1);
      assertThat(school.reports()).extracting(r -> r.path("rows").asInt()).containsExactly(3);
    }
  }

  @Test
  void caseworkers_send_the_same_letters_each_time_with_their_own_token() throws Exception {
    try (FakeHub fake = new FakeHub();
        Hub hub = fake.hub(world)) {
      for (String exchange : Casework.EXCHANGES.stream().flatMap(List::stream).toList()) {
        int expected = world.casework().messages(exchange);
        assertThat(expected).as(exchange).isGreaterThan(5);
        assertThat(world.casework().send(hub, exchange, sent -> {}).taken()).isEqualTo(expected);
        List<String> first = fake.bodies(exchange).stream().sorted().toList();
        assertThat(new java.util.HashSet<>(first)).hasSize(expected);
        world.casework().send(hub, exchange, sent -> {});
        assertThat(new java.util.HashSet<>(fake.bodies(exchange))).hasSize(expected);
        assertThat(fake.bodies(exchange)).hasSize(2 * expected);
      }
      assertThat(fake.rejected).isEmpty();
    }
  }

  @Test
  void every_second_file_is_latin_1(@TempDir Path other) throws Exception {
    try (SchoolSystem school = new SchoolSystem(Population.of(1, 2_000), other)) {
      assertThat(school.sendFiles(rows -> {}).files()).isGreaterThan(1);
      Path second = other.resolve("sftp/dropout/avbrudd-2026-002.csv");
      byte[] content = java.nio.file.Files.readAllBytes(second);
      assertThat(new String(content, StandardCharsets.ISO_8859_1)).contains("videregående");
      assertThat(new String(content, StandardCharsets.UTF_8)).doesNotContain("videregående");
    }
  }

  @Test
  void the_school_refuses_a_wrong_password_and_is_known_by_its_host_key() throws Exception {
    try (SshClient client = client()) {
      assertThatThrownBy(() -> session(client, "guess")).isInstanceOf(SshException.class);
    }
  }

  @Test
  void fint_takes_a_resource_through_its_status_and_a_repeated_one_only_once() throws Exception {
    FintAdapter fint = world.fint();
    long different = fint.stored();
    int failures = 0;
    for (int i = 0; i < 30; i++) {
      String body =
          "{\"_links\":{\"person\":[{\"href\":\"${felles.person}/fodselsnummer/x%d\"}]}}"
              .formatted(i % 15);
      HttpResponse<String> accepted = post(fint.url() + "/utdanning/ot/otungdom", body);
      if (accepted.statusCode() == 500) {
        failures++;
        continue;
      }
      assertThat(accepted.statusCode()).isEqualTo(202);
      URI status = URI.create(accepted.headers().firstValue("Location").orElseThrow());
      int first = get(status).statusCode();
      assertThat(first).isIn(201, 202);
      assertThat(get(status).statusCode()).isEqualTo(201);
    }
    assertThat(failures).isPositive();
    assertThat(fint.stored() - different).isEqualTo(15);
    assertThat(post(fint.url() + "/utdanning/ot/otungdom", "{}").statusCode()).isEqualTo(400);
    assertThat(post(fint.url() + "/utdanning/ot/otungdom", "{").statusCode()).isEqualTo(400);
    assertThat(get(URI.create(fint.url() + "/status/none")).statusCode()).isEqualTo(404);
  }

  @Test
  void nav_takes_referrals_fails_now_and_then_and_remembers_over_a_restart(@TempDir Path other)
      throws Exception {
    Set<Integer> statuses = new TreeSet<>();
    try (World first = world(other)) {
      for (int i = 0; i < 8; i++) {
        String body = "{\"referanse\":\"IPS-" + i % 4 + "\"}";
        statuses.add(post(first.nav().url() + "/ips-referrals", body).statusCode());
      }
      assertThat(statuses).containsExactly(201, 503);
      assertThat(post(first.nav().url() + "/ips-referrals", "{}").statusCode())
          .as("without a reference")
          .isEqualTo(400);
      assertThat(received(first, "ips-referral", "nav"))
          .isEqualTo(new Received("ips-referral", "nav", 7, 4));
    }
    try (World second = world(other)) {
      assertThat(received(second, "ips-referral", "nav"))
          .isEqualTo(new Received("ips-referral", "nav", 7, 4));
    }
  }

  @Test
  void the_county_answers_about_everyone_and_more_than_may_be_told() throws Exception {
    Person person = PEOPLE.dropouts().filter(p -> "OTSY".equals(p.otStatus())).findFirst().get();
    String path = world.county().url() + "/utdanning/ot/rettigheter";
    HttpResponse<String> answer =
        post(path, "{\"foedselsnummer\":\"" + person.identityNumber() + "\"}");
    JsonNode json = AgencyServer.JSON.readTree(answer.body());
    assertThat(answer.statusCode()).isEqualTo(200);
    assertThat(json.path("rett").asBoolean()).isTrue();
    assertThat(json.at("/otStatus/kode").asText()).isEqualTo("OTSY");
    assertThat(json.at("/otStatus/gruppe").asInt()).isEqualTo(4);
    assertThat(json.path("merknad").asText()).isNotEmpty();
    assertThat(post(path, "{\"foedselsnummer\":\"none\"}").statusCode()).isEqualTo(404);
  }

  @Test
  void navs_events_are_keyed_by_participation_and_carry_what_must_not_leave() throws Exception {
    int sent = world.nav().sendMeasureEvents(n -> {});
    Map<String, List<String>> byKey = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : read(NavSystem.MEASURE_EVENTS, sent)) {
      byKey
          .computeIfAbsent(
              new String(record.key(), StandardCharsets.US_ASCII), k -> new ArrayList<>())
          .add(new String(record.value(), StandardCharsets.UTF_8));
    }
    assertThat(byKey.values().stream().mapToInt(List::size).sum()).isEqualTo(sent);
    for (Person person : PEOPLE.people()) {
      for (Person.Participation participation : person.participations()) {
        List<String> events = byKey.getOrDefault(participation.id().toString(), List.of());
        assertThat(events).hasSize(participation.changes().size());
        JsonNode last = AgencyServer.JSON.readTree(events.getLast());
        assertThat(last.path("personIdent").asText()).isEqualTo(person.identityNumber());
        assertThat(last.at("/status/type").asText())
            .isEqualTo(participation.changes().getLast().status());
        assertThat(last.path("endretTidspunkt").asText()).matches("[0-9-]{10}T.*");
      }
    }
    assertThat(byKey.values().toString()).contains("SYK", "innsatsgruppe", "ikke JSON");
  }

  @Test
  void agencies_count_what_comes_on_their_topics_and_what_their_key_does_not_open()
      throws Exception {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (String topic : World.topics()) {
        if (topic.equals(NavSystem.MEASURE_EVENTS)) {
          continue;
        }
        String seal = topic.contains("capacity") ? "" : "S";
        for (String value : List.of("{\"n\":1}", "{\"n\":2}", "{\"n\":1}")) {
          producer.send(
              new ProducerRecord<>(topic, (seal + value).getBytes(StandardCharsets.UTF_8)));
        }
      }
      byte[] open = "{\"clear\":true}".getBytes(StandardCharsets.UTF_8);
      producer.send(new ProducerRecord<>(OtSystem.DROPOUT_NOTICE, open));
      producer.flush();
    }
    Awaitility.await().until(() -> world.unreadable() == 1);
    Awaitility.await()
        .untilAsserted(
            () ->
                assertThat(world.received())
                    .filteredOn(
                        r ->
                            !r.exchange().equals("ips-referral")
                                && !r.recipient().equals("ot-fint")
                                && !r.exchange().equals("collection-answer")
                                && !(r.exchange().equals("consent-withdrawal")
                                    && r.recipient().equals("nav")))
                    .hasSize(World.topics().size() - 1)
                    .allSatisfy(
                        r -> {
                          assertThat(r.records()).isEqualTo(3);
                          assertThat(r.different()).isEqualTo(2);
                        }));
  }

  @Test
  void agencies_answer_what_they_have_read_and_the_same_at_a_later_start(@TempDir Path other)
      throws Exception {
    Person asked =
        PEOPLE
            .dropouts()
            .filter(p -> p.consents().stream().anyMatch(c -> !c.sources().isEmpty()))
            .filter(p -> p.number() % 7 != 0)
            .findFirst()
            .orElseThrow();
    String report = "{\"meldingId\": \"MELD-7\", \"foedselsnummer\": \"14830851160\"}";
    String request =
        "{\"samtykke\": {\"id\": \"8a7d2c5e-5f0f-4d0f-9d57-2f6f6f1f0a02\"}, \"foedselsnummer\": \"%s\"}"
            .formatted(asked.identityNumber());
    try (EmbeddedKafka own = EmbeddedKafka.start(other.resolve("kafka"))) {
      own.createTopics(1, World.topics());
      try (KafkaProducer<byte[], byte[]> producer =
          new KafkaProducer<>(
              Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, own.bootstrap()),
              new ByteArraySerializer(),
              new ByteArraySerializer())) {
        for (Map.Entry<String, String> letter :
            Map.of(
                    "child-welfare.child-welfare-report.v1",
                    report,
                    "school.collection-request.v1",
                    request,
                    "ot.collection-request.v1",
                    request)
                .entrySet()) {
          byte[] sealed = ("S" + letter.getValue()).getBytes(StandardCharsets.UTF_8);
          producer.send(new ProducerRecord<>(letter.getKey(), sealed));
          producer.send(new ProducerRecord<>(letter.getKey(), sealed));
        }
      }
      Set<String> bodies = new TreeSet<>();
      for (int start = 1; start <= 2; start++) {
        try (World again = world(own, other.resolve("world"));
            FakeHub fake = new FakeHub();
            Hub hub = fake.hub(again)) {
          Awaitility.await()
              .untilAsserted(
                  () -> assertThat(again.replies().seen()).containsEntry("collectionRequests", 2L));
          assertThat(again.replies().confirmReports(hub, n -> {}).taken()).isEqualTo(1);
          assertThat(again.replies().answerAsSchool(hub, n -> {}).taken()).isEqualTo(1);
          assertThat(again.replies().answerAsOt(hub, n -> {}).taken()).isEqualTo(1);
          assertThat(fake.senders)
              .containsExactlyInAnyOrder(
                  "child-welfare-receipt 0192:" + Agencies.CHILD_WELFARE,
                  "collection-answer 0192:" + Agencies.SCHOOL,
                  "collection-answer 0192:" + Agencies.OT);
          bodies.addAll(fake.bodies("child-welfare-receipt"));
          bodies.addAll(fake.bodies("collection-answer"));
        }
      }
      assertThat(bodies).as("the same letters at both starts").hasSize(3);
      assertThat(bodies.toString())
          .contains("KVITT-MELD-7", asked.programme(), "otStatusGroup")
          .doesNotContain(String.valueOf(asked.givenName()));
    }
  }

  @Test
  void senders_show_a_maskinporten_token_and_try_again_what_was_not_taken_for_now()
      throws Exception {
    try (FakeHub fake = new FakeHub();
        Hub hub = fake.hub(world)) {
      assertThat(world.ot().sendList(hub, World.LIST_ID, Agencies.NAV_A).attempts()).isEqualTo(2);
      for (NavOffice office : world.offices()) {
        assertThat(office.sendList(hub, World.LIST_ID).status()).isEqualTo(202);
        assertThat(office.sendCapacities(hub)).isEqualTo(office.capacities());
        Questions questions = office.askRights(hub, n -> {});
        assertThat(questions.answered()).isEqualTo(office.questions());
        assertThat(questions.millis(0.99)).isGreaterThanOrEqualTo(questions.millis(0.5));
      }
      assertThat(fake.rejected).isEmpty();
      assertThat(fake.senders)
          .containsExactlyInAnyOrder(
              "list-reconciliation 0192:311013572",
              "list-reconciliation 0192:311040715",
              "list-reconciliation 0192:311054287",
              "list-reconciliation 0192:311135708",
              "measure-capacity 0192:311067850",
              "rights-query 0192:311067850");
      JsonNode list = AgencyServer.JSON.readTree(fake.bodies("list-reconciliation").getFirst());
      assertThat(list.path("counterpart").asText()).isEqualTo("311040715");
      assertThat(list.path("persons")).hasSize(world.ot().listSize());
      Set<String> references = new TreeSet<>();
      list.path("persons").forEach(p -> references.add(p.path("reference").asText()));
      assertThat(references).hasSize(world.ot().listSize());
    }
  }

  @Test
  void a_second_start_sends_the_same_messages() throws Exception {
    try (FakeHub fake = new FakeHub();
        Hub hub = fake.hub(world)) {
      for (int i = 0; i < 2; i++) {
        world.ot().sendList(hub, World.LIST_ID, Agencies.NAV_B);
        world.offices().getFirst().sendCapacities(hub);
        world.treatmentTeam().sendReferrals(hub, n -> {});
      }
      List<String> lists = fake.bodies("list-reconciliation");
      assertThat(Set.copyOf(lists)).hasSize(1);
      assertThat(Set.copyOf(fake.bodies("measure-capacity"))).hasSize(9);
      assertThat(Set.copyOf(fake.mllp)).hasSize(world.treatmentTeam().messages());
    }
  }

  @Test
  void the_treatment_team_sends_each_referral_until_it_is_acknowledged() throws Exception {
    try (FakeHub fake = new FakeHub();
        Hub hub = fake.hub(world)) {
      TreatmentTeam.Sent sent = world.treatmentTeam().sendReferrals(hub, n -> {});
      assertThat(sent.taken()).isEqualTo((int) PEOPLE.referred().count()).isPositive();
      assertThat(sent.refused()).isEqualTo(1);
      assertThat(fake.mllp).hasSize(world.treatmentTeam().messages() + 2);
      assertThat(fake.mllp.getFirst())
          .isEqualTo(fake.mllp.get(1))
          .isEqualTo(fake.mllp.get(2))
          .contains("|REF^I12^REF_I12|", "\rDG1|1|I10|F", "\rNTE|1||")
          .endsWith("\r");
    }
  }

  private static Received received(World world, String exchange, String recipient) {
    return world.received().stream()
        .filter(r -> r.exchange().equals(exchange) && r.recipient().equals(recipient))
        .findFirst()
        .orElseThrow();
  }

  private static SshClient client() {
    SshClient client = SshClient.setUpDefaultClient();
    client.setServerKeyVerifier(
        new KnownHostsServerKeyVerifier(
            RejectAllServerKeyVerifier.INSTANCE, world.school().knownHosts()));
    client.start();
    return client;
  }

  private static ClientSession session(SshClient client, String password) throws IOException {
    int port = Integer.parseInt(world.school().address().split(":")[1]);
    ClientSession session =
        client
            .connect(world.school().username(), "127.0.0.1", port)
            .verify(Duration.ofSeconds(20))
            .getSession();
    session.addPasswordIdentity(password);
    session.auth().verify(Duration.ofSeconds(20));
    return session;
  }

  private static String read(SftpClient sftp, String path, Charset charset) throws IOException {
    try (InputStream in = sftp.read(path)) {
      return new String(in.readAllBytes(), charset);
    }
  }

  private static HttpResponse<String> post(String url, String body) throws Exception {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create(url))
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    return HTTP.send(request, HttpResponse.BodyHandlers.ofString());
  }

  private static HttpResponse<String> get(URI url) throws Exception {
    return HTTP.send(HttpRequest.newBuilder(url).build(), HttpResponse.BodyHandlers.ofString());
  }

  private static List<ConsumerRecord<byte[], byte[]>> read(String topic, int number) {
    List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, kafka.bootstrap()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> partitions =
          List.of(new TopicPartition(topic, 0), new TopicPartition(topic, 1));
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Awaitility.await()
          .until(
              () -> {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
                return records.size() >= number;
              });
    }
    return records;
  }

  /** Takes what the agencies send: the first request of each kind only at the second try. */
  private static final class FakeHub implements AutoCloseable {
    private final Map<String, List<String>> bodies = new HashMap<>();
    private final Set<String> senders = new TreeSet<>();
    private final List<String> rejected = Collections.synchronizedList(new ArrayList<>());
    private final List<String> mllp = Collections.synchronizedList(new ArrayList<>());
    private final DefaultJWTProcessor<SecurityContext> tokens = new DefaultJWTProcessor<>();
    private final HttpServer rest;
    private final ServerSocket port;
    private boolean failed;

    FakeHub() throws IOException {
      tokens.setJWSKeySelector(
          new JWSVerificationKeySelector<>(
              JWSAlgorithm.RS256,
              JWKSourceBuilder.create(URI.create(world.tokens().keys()).toURL()).build()));
      rest = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
      rest.createContext("/exchanges/", this::take);
      rest.start();
      port = new ServerSocket(0, 10, LoopbackPort.LOOPBACK);
      Thread.ofVirtual().start(this::listen);
    }

    Hub hub(World of) {
      URI address = URI.create("http://127.0.0.1:" + rest.getAddress().getPort());
      return new Hub(address, port.getLocalPort(), of.tokens(), QUICK);
    }

    synchronized List<String> bodies(String exchange) {
      return List.copyOf(bodies.getOrDefault(exchange, List.of()));
    }

    private synchronized void take(com.sun.net.httpserver.HttpExchange exchange)
        throws IOException {
      try (exchange) {
        String id = exchange.getRequestURI().getPath().substring("/exchanges/".length());
        byte[] body = exchange.getRequestBody().readAllBytes();
        if (!failed) {
          failed = true;
          exchange.sendResponseHeaders(503, -1);
          return;
        }
        JWTClaimsSet claims =
            tokens.process(
                exchange.getRequestHeaders().getFirst("Authorization").substring(7), null);
        if (!claims.getAudience().contains(TokenIssuer.AUDIENCE)
            || !claims.getIssuer().equals(world.tokens().issuer())
            || !claims.getStringClaim("scope").equals("bindeledd:" + id)) {
          rejected.add(id);
        }
        senders.add(id + " " + claims.getJSONObjectClaim("consumer").get("ID"));
        bodies
            .computeIfAbsent(id, i -> new ArrayList<>())
            .add(new String(body, StandardCharsets.UTF_8));
        exchange.sendResponseHeaders(id.equals("rights-query") ? 200 : 202, -1);
      } catch (java.text.ParseException
          | com.nimbusds.jose.JOSEException
          | com.nimbusds.jose.proc.BadJOSEException e) {
        rejected.add(e.getMessage());
      }
    }

    /** Drops the first message, fails the second and takes the rest. */
    private void listen() {
      while (!port.isClosed()) {
        try (Socket socket = port.accept()) {
          answer(socket);
        } catch (IOException e) {
          // The sender went away, or the port is closed.
        }
      }
    }

    private void answer(Socket socket) throws IOException {
      InputStream in = socket.getInputStream();
      while (in.read() == 0x0B) {
        ByteArrayOutputStream content = new ByteArrayOutputStream();
        for (int b = in.read(); b != 0x1C; b = in.read()) {
          content.write(b);
        }
        in.read();
        String message = content.toString(StandardCharsets.UTF_8);
        mllp.add(message);
        if (mllp.size() == 1) {
          return;
        }
        String code = mllp.size() == 2 ? "AR" : message.contains("KIR-") ? "AE" : "AA";
        String error = mllp.size() == 2 ? "ERR|||207^Application internal error|E\r" : "";
        String answer = "MSH|^~\\&|X\rMSA|" + code + "|id\r" + error;
        socket
            .getOutputStream()
            .write(("\u000b" + answer + "\u001c\r").getBytes(StandardCharsets.UTF_8));
      }
    }

    @Override
    public void close() throws IOException {
      rest.stop(0);
      port.close();
    }
  }
}
