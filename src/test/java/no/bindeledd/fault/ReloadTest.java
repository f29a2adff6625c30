package no.bindeledd.fault;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import no.bindeledd.demo.Hub;
import no.bindeledd.demo.NavSystem;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** Exchange folders that are changed, and broken, while messages flow. */
@ExtendWith(RealHub.Extension.class)
@Timeout(150)
class ReloadTest {
  private static final String TITLE = "en: Event in a NAV measure";

  @Test
  void under_load_a_folder_is_replaced_or_refused_whole_and_no_message_is_lost_or_doubled(
      RealHub real) throws Exception {
    RealHub.Tally before = real.tally();
    AtomicBoolean stop = new AtomicBoolean();
    AtomicBoolean foreign = new AtomicBoolean();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Integer> notices = threads.submit(() -> sendNotices(real, stop));
      Future<Integer> events = threads.submit(() -> sendEvents(real, stop));
      Thread watching =
          Thread.ofPlatform()
              .start(
                  () -> {
                    while (!stop.get()) {
                      foreign.compareAndSet(false, title(real).equals("Refused"));
                    }
                  });
      try {
        for (int round = 1; round <= 2; round++) {
          // A good change: contract, receiving and delivering route.
          long changes = changes(real);
          edit(real, "exchange.yaml", TITLE, "en: Event in a NAV measure, " + round);
          edit(
              real,
              "receive.camel.yaml",
              "pollTimeoutMs: 20" + (round - 1),
              "pollTimeoutMs: 20" + round);
          edit(real, "deliver-ot.camel.yaml", "- route:", "# round " + round + "\n- route:");
          patiently().until(() -> changes(real) > changes);
          assertThat(title(real)).isEqualTo("Event in a NAV measure, " + round);

          // A broken one: its contract must not be in force for a moment either.
          int running = round;
          Map<String, String> good = texts(real);
          edit(real, "exchange.yaml", "Event in a NAV measure, " + round, "Refused");
          edit(real, "deliver-ot.camel.yaml", "kafka:ot.measure", "kafka:elsewhere.measure");
          patiently().until(() -> folders(real).contains("deliver-ot.camel.yaml"));
          assertThat(title(real)).isEqualTo("Event in a NAV measure, " + running);
          double delivered = real.books("measure-event").delivered();
          patiently().until(() -> real.books("measure-event").delivered() > delivered);

          for (Map.Entry<String, String> file : good.entrySet()) {
            write(real, file.getKey(), file.getValue().replace(", " + round, ""));
          }
          patiently().until(() -> title(real).equals("Event in a NAV measure"));
          patiently().until(() -> !folders(real).contains("deliver-ot.camel.yaml"));
        }
      } finally {
        stop.set(true);
      }
      watching.join();
      int sentEvents = events.get();
      int sentNotices = notices.get();
      assertThat(foreign).as("the refused contract was in force").isFalse();
      patiently().until(real::settled);
      patiently()
          .untilAsserted(
              () -> {
                RealHub.Tally since = real.tally().since(before);
                assertThat(since.delivered())
                    .containsEntry("measure-event", (long) sentEvents)
                    .containsEntry("measure-capacity", 2L * sentNotices);
                assertThat(since.received()).isEqualTo(since.delivered());
              });
    }
    assertThat(real.verify().verified()).isTrue();
  }

  private static int sendNotices(RealHub real, AtomicBoolean stop) throws Exception {
    int sent = 0;
    try (Hub sender = real.asSender(100)) {
      while (!stop.get()) {
        byte[] json = RealHub.capacity("RELOAD-" + sent).getBytes(UTF_8);
        assertThat(sender.post("measure-capacity", RealHub.NAV, json).status()).isEqualTo(202);
        sent++;
      }
    }
    return sent;
  }

  private static int sendEvents(RealHub real, AtomicBoolean stop) throws Exception {
    int sent = 0;
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, real.kafka.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      while (!stop.get()) {
        int number = 500_000 + sent++;
        producer
            .send(
                new ProducerRecord<>(
                    NavSystem.MEASURE_EVENTS,
                    ("reload-" + number).getBytes(UTF_8),
                    Letters.event(number % 40, number).raw().body()))
            .get();
      }
    }
    return sent;
  }

  private static String title(RealHub real) {
    return real.hub
        .catalogue()
        .current()
        .exchange("measure-event")
        .orElseThrow()
        .contract()
        .title()
        .en();
  }

  private static String folders(RealHub real) throws Exception {
    return real.get("/actuator/health").body();
  }

  private static long changes(RealHub real) throws Exception {
    return real.count(
        "SELECT count(*) FROM audit_entry WHERE station = 'ROUTE' AND exchange = 'measure-event'");
  }

  private static Path file(RealHub real, String name) {
    return real.home.resolve("routes/measure-event").resolve(name);
  }

  private static Map<String, String> texts(RealHub real) throws Exception {
    Map<String, String> texts = new java.util.TreeMap<>();
    for (String name : List.of("exchange.yaml", "deliver-ot.camel.yaml")) {
      texts.put(name, Files.readString(file(real, name)));
    }
    return texts;
  }

  private static void edit(RealHub real, String name, String from, String to) throws Exception {
    String text = Files.readString(file(real, name));
    assertThat(text).contains(from);
    write(real, name, text.replace(from, to));
  }

  private static void write(RealHub real, String name, String text) throws Exception {
    Path draft = real.folder.resolve("draft");
    Files.writeString(draft, text);
    Files.move(
        draft,
        file(real, name),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  private static ConditionFactory patiently() {
    return Awaitility.await().atMost(Duration.ofSeconds(40)).pollInterval(Duration.ofMillis(50));
  }
}
