package no.bindeledd.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import no.bindeledd.demo.EmbeddedDatabase;
import no.bindeledd.demo.EmbeddedKafka;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.logging.LogLevel;
import org.springframework.boot.logging.LoggingSystem;

/** The benchmark's parts hang together; how fast anything is has no say here. */
class BenchmarkTest {
  private static final LoggingSystem LOGS = LoggingSystem.get(BenchmarkTest.class.getClassLoader());

  /** The benchmark keeps the hub quiet; the tests after it may want to hear it. */
  @AfterAll
  static void listenAgain() {
    LOGS.setLogLevel(LoggingSystem.ROOT_LOGGER_NAME, LogLevel.INFO);
  }

  @Test
  void aTinyRunGivesEveryFigureAndItsBooksBalance(@TempDir Path data) throws Exception {
    List<String> said = new ArrayList<>();
    Benchmark.Settings settings =
        new Benchmark.Settings(Path.of("bench"), data, 400, 1, Duration.ofMillis(300), 4, 300, 0);
    Figures figures;
    try (EmbeddedDatabase database = EmbeddedDatabase.start(data.resolve("postgres"));
        EmbeddedKafka kafka = EmbeddedKafka.start(data.resolve("kafka"))) {
      Map<String, Object> hub = new HashMap<>();
      hub.put("bindeledd.secrets", data.resolve("secrets").toString());
      hub.put("bindeledd.create-secrets", true);
      hub.put("spring.datasource.url", database.jdbcUrl());
      hub.put("spring.datasource.username", database.user());
      hub.put("spring.datasource.password", database.password());
      hub.put("kafka.brokers", kafka.bootstrap());
      figures = new Benchmark(settings, database, kafka, hub, said::add).run();
    }

    assertThat(figures.sound()).isTrue();
    assertThat(said).isNotEmpty();
    assertThat(figures.ledgerEntries()).isGreaterThan(2 * 400);
    assertThat(figures.hub().busy()).isPositive();
    assertThat(Report.table(figures)).contains("bindeledd.record.commit", "Books balance");
    JsonNode json = new ObjectMapper().readTree(Report.json(figures));
    for (String figure :
        List.of(
            "/bare/messagesPerSecond",
            "/hub/messagesPerSecond",
            "/syncBare/requestsPerSecond",
            "/syncBare/p99Millis",
            "/sync/requestsPerSecond",
            "/sync/p99Millis",
            "/audit/appendsPerSecond",
            "/audit/copyRowsPerSecond",
            "/audit/syncsPerSecond",
            "/audit/p99Millis",
            "/ratio")) {
      assertThat(json.at(figure).isNumber()).as(figure).isTrue();
    }
  }
}
