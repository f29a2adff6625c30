package no.bindeledd.demo;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import no.bindeledd.demo.AgencyServer.Answer;
import no.bindeledd.demo.Person.Change;
import no.bindeledd.demo.Person.Participation;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * NAV's own systems: the topic {@code amt.deltaker-ekstern-v1} of participations in measures
 * (contracts.md § 3), and the REST services {@code POST /ips-referrals} of the employment
 * specialists, {@code /consent-withdrawals} and {@code /collection-answers}. Thread-safe.
 */
public final class NavSystem implements AutoCloseable {
  public static final String MEASURE_EVENTS = "amt.deltaker-ekstern-v1";
  private static final String REFERRALS = "/ips-referrals";
  private static final String WITHDRAWALS = "/consent-withdrawals";
  private static final String ANSWERS = "/collection-answers";

  private final Population population;
  private final String bootstrap;
  private final Faults faults;
  private final AgencyServer server;
  private final ReceivedLog received;
  private final ReceivedLog notices;
  private final ReceivedLog answers;

  private record Event(Person person, Participation participation, Change change) {}

  /**
   * Starts the REST service.
   *
   * @param directory keeps which referrals came over restarts
   * @param faults answer 503
   */
  public NavSystem(Population population, String bootstrap, Path directory, Faults faults) {
    this.population = population;
    this.bootstrap = bootstrap;
    this.faults = faults;
    this.received = new ReceivedLog(directory.resolve("ips-referrals"));
    this.notices = new ReceivedLog(directory.resolve("consent-withdrawals"));
    this.answers = new ReceivedLog(directory.resolve("collection-answers"));
    this.server = new AgencyServer(this::answer);
  }

  public String url() {
    return server.url();
  }

  /** Referrals that were taken, at this start and earlier ones, repeated ones included. */
  public long accepted() {
    return received.records();
  }

  /** Notices of withdrawn consents that were taken, repeated ones included. */
  public long acceptedNotices() {
    return notices.records();
  }

  /** Different notices of withdrawn consents. */
  public long notices() {
    return notices.different();
  }

  /** Answers to what NAV asked for under a consent, repeated ones included. */
  public long acceptedAnswers() {
    return answers.records();
  }

  /** Different such answers. */
  public long answers() {
    return answers.different();
  }

  /** Different referrals. */
  public long referrals() {
    return received.different();
  }

  /**
   * Puts every change of every participation on the topic, oldest first, and one record that is not
   * JSON. The events carry what must never leave the hub: the cause (SYK) and, which the real topic
   * does not, the effort group.
   *
   * @return the number of records, the bad one included
   */
  public int sendMeasureEvents(IntConsumer progress) throws InterruptedException {
    List<Event> events =
        population.people().stream()
            .flatMap(
                p ->
                    p.participations().stream()
                        .flatMap(t -> t.changes().stream().map(c -> new Event(p, t, c))))
            .sorted(
                Comparator.comparing((Event e) -> e.change().at())
                    .thenComparing(e -> e.participation().id()))
            .toList();
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      int sent = 0;
      Future<RecordMetadata> last =
          producer.send(record("00000000-0000-4000-8000-000000000000", "{\"id\": \"ikke JSON"));
      for (Event event : events) {
        last = producer.send(record(event.participation().id().toString(), json(event)));
        if (++sent % 100 == 0) {
          progress.accept(sent);
        }
      }
      producer.flush();
      last.get();
      progress.accept(sent + 1);
      return sent + 1;
    } catch (ExecutionException e) {
      throw new IllegalStateException("The broker did not take the measure events", e.getCause());
    }
  }

  private static ProducerRecord<byte[], byte[]> record(String key, String value) {
    return new ProducerRecord<>(
        MEASURE_EVENTS,
        key.getBytes(StandardCharsets.US_ASCII),
        value.getBytes(StandardCharsets.UTF_8));
  }

  private static String json(Event event) {
    Participation participation = event.participation();
    Change change = event.change();
    String at = LocalDateTime.ofInstant(change.at(), ZoneOffset.UTC).toString();
    ObjectNode json = AgencyServer.JSON.createObjectNode();
    json.put("id", participation.id().toString());
    json.put("gjennomforingId", participation.measure().toString());
    json.put("personIdent", event.person().identityNumber());
    json.put("startDato", participation.start().toString());
    json.put("sluttDato", participation.end().toString());
    ObjectNode status = json.putObject("status");
    status.put("type", change.status());
    status.put(
        "tekst", change.status().charAt(0) + change.status().substring(1).toLowerCase(Locale.ROOT));
    status.putObject("aarsak").put("type", change.cause());
    status.put("opprettetTidspunkt", at);
    json.put("registrertTidspunkt", participation.start().minusDays(10) + "T12:00:00");
    json.put("endretTidspunkt", at);
    json.put("kilde", "KOMET");
    json.putArray("deltakelsesmengder")
        .addObject()
        .put("deltakelsesprosent", 100)
        .put("dagerPerUke", 5)
        .put("gyldigFraDato", participation.start().toString());
    json.put("innsatsgruppe", "TRENGER_VEILEDNING_NEDSATT_ARBEIDSEVNE");
    return new String(Json.bytes(json), StandardCharsets.UTF_8);
  }

  private KafkaProducer<byte[], byte[]> producer() {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            ProducerConfig.ACKS_CONFIG,
            "all",
            ProducerConfig.LINGER_MS_CONFIG,
            5),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private Answer answer(String method, String path, byte[] body) throws IOException {
    ReceivedLog log =
        switch (path) {
          case REFERRALS -> received;
          case WITHDRAWALS -> notices;
          case ANSWERS -> answers;
          default -> null;
        };
    if (!method.equals("POST") || log == null) {
      return Answer.empty(404);
    }
    if (faults.next()) {
      return new Answer(503, Map.of("Retry-After", "1"), new byte[0]);
    }
    String reference;
    try {
      var json = AgencyServer.JSON.readTree(body);
      reference =
          switch (path) {
            case REFERRALS -> json.path("referanse").asText("");
            case WITHDRAWALS -> json.path("samtykke").toString();
            // The school and OT answer about the same consent, each with fields of its own.
            default -> json.path("samtykke").isMissingNode() ? "" : json.toString();
          };
    } catch (IOException | RuntimeException e) {
      return Answer.empty(400);
    }
    if (reference.isEmpty()) {
      return Answer.empty(400);
    }
    log.add(reference);
    return Answer.empty(201);
  }

  @Override
  public void close() {
    server.close();
    received.close();
    notices.close();
    answers.close();
  }
}
