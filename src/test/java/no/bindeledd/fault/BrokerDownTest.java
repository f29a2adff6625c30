package no.bindeledd.fault;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import no.bindeledd.gate.Books;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A whole hub whose broker stops and comes back. */
@ExtendWith(RealHub.Extension.class)
@Timeout(150)
class BrokerDownTest {
  private static final int PEOPLE = 5;
  private static final int ROWS = 8;
  private static final LocalDate FIRST = LocalDate.of(2026, 9, 1);

  @Test
  void with_the_broker_down_messages_are_taken_and_wait_and_then_arrive_once_and_in_order(
      RealHub real) throws Exception {
    Map<String, Books> before = new HashMap<>(real.books());
    int received = real.received.size();
    real.kafka.stop();
    double retried = real.retried("measure-capacity");
    try {
      for (int i = 0; i < 20; i++) {
        if (i == 1) {
          // The first goes alone, to OT and to the schools; the others wait behind it.
          patiently().until(() -> real.retried("measure-capacity") >= retried + 2);
        }
        assertThat(real.post("measure-capacity", RealHub.capacity("BROKER-" + i)).statusCode())
            .isEqualTo(202);
      }
      dropFile(real);
      // FINT does not need the broker, and does not wait for it.
      patiently()
          .until(
              () ->
                  real.books("dropout-notice").pending() == PEOPLE * ROWS
                      && real.world.school().waitingFiles() == 0);
      assertThat(real.get("/actuator/health/message-broker").statusCode()).isEqualTo(503);
      assertThat(real.get("/actuator/health/readiness").statusCode()).isEqualTo(200);

      // More than the three attempts that make a dead letter.
      patiently().until(() -> real.retried("measure-capacity") > retried + 2 * 4);
      assertThat(real.books("measure-capacity").pending()).isEqualTo(40);
      assertThat(real.books().values()).extracting(Books::deadLettered).containsOnly(0L);
    } finally {
      real.kafka.startAgain();
    }
    patiently().until(real::settled);
    assertThat(real.books("measure-capacity").delivered())
        .isEqualTo(delivered(before, "measure-capacity") + 40);
    assertThat(real.books("dropout-notice").delivered())
        .isEqualTo(delivered(before, "dropout-notice") + 2 * PEOPLE * ROWS);
    // A send that got no answer may have arrived all the same, and is repeated: the same message,
    // and the last of each in order.
    patiently()
        .untilAsserted(
            () -> {
              List<RealHub.Received> arrived =
                  real.received.subList(received, real.received.size());
              assertThat(lastOfEach(arrived, "ot.measure-capacity.v1")).hasSize(20);
              assertThat(lastOfEach(arrived, "school.measure-capacity.v1")).hasSize(20);
              assertThat(lastOfEach(arrived, "ot.dropout-notice.v1")).hasSize(PEOPLE * ROWS);
            });
    Map<String, List<String>> days = new HashMap<>();
    for (RealHub.Received one :
        lastOfEach(real.received.subList(received, real.received.size()), "ot.dropout-notice.v1")) {
      days.computeIfAbsent(one.key(), person -> new ArrayList<>())
          .add(one.value().at("/avbrudd/dato").asText());
    }
    List<String> inOrder = new ArrayList<>();
    for (int row = 0; row < ROWS; row++) {
      inOrder.add(FIRST.plusDays(row).toString());
    }
    assertThat(days).hasSize(PEOPLE);
    assertThat(days.values()).allMatch(inOrder::equals);
    patiently().until(() -> real.get("/actuator/health/message-broker").statusCode() == 200);
    assertThat(real.verify().verified()).isTrue();
  }

  private static List<RealHub.Received> lastOfEach(List<RealHub.Received> all, String topic) {
    LinkedHashSet<RealHub.Received> last = new LinkedHashSet<>();
    for (RealHub.Received one : all) {
      if (one.topic().equals(topic)) {
        last.remove(one);
        last.add(one);
      }
    }
    return List.copyOf(last);
  }

  private static long delivered(Map<String, Books> books, String exchange) {
    return books.containsKey(exchange) ? books.get(exchange).delivered() : 0;
  }

  /** The same people again and again, each time a day later. */
  private static void dropFile(RealHub real) throws Exception {
    List<String> sample =
        Files.readAllLines(
            Path.of("routes/dropout-notice/samples/without-consent/input.csv"), UTF_8);
    String header = sample.get(0);
    String[] columns = sample.get(1).split(";", -1);
    List<String> lines = new ArrayList<>(List.of(header));
    for (int row = 0; row < ROWS; row++) {
      for (int person = 0; person < PEOPLE; person++) {
        columns[0] = Letters.number(person + 20);
        columns[10] = DateTimeFormatter.ofPattern("dd.MM.yyyy").format(FIRST.plusDays(row));
        lines.add(String.join(";", columns));
      }
    }
    Path folder = real.folder.resolve("agencies/school/sftp/dropout");
    Path draft = folder.resolve("broker.part");
    Files.write(draft, lines, UTF_8);
    Files.move(draft, folder.resolve("broker.csv"), StandardCopyOption.ATOMIC_MOVE);
  }

  private static ConditionFactory patiently() {
    return Awaitility.await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(50));
  }
}
