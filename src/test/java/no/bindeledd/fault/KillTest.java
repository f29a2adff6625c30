package no.bindeledd.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The demo as a process of its own, ended in the middle and started again on the same data. */
@Timeout(240)
class KillTest {
  @TempDir Path folder;

  @Test
  void a_demo_that_is_killed_twice_ends_with_books_that_balance() throws Exception {
    // While the lists are being handed in: some of their rows are recorded.
    killWhen(
        "SELECT (SELECT count(*) FROM envelope WHERE exchange = 'list-reconciliation') > 0"
            + " AND ((SELECT count(*) FROM outbox) > 0 OR EXISTS (SELECT FROM parcel))");
    // In the middle of the deliveries: some have a receipt, some not.
    killWhen(
        "SELECT (SELECT count(*) FROM audit_entry WHERE exchange IN ('measure-event',"
            + " 'dropout-notice') AND station = 'DELIVER') > 0"
            + " AND EXISTS (SELECT FROM outbox WHERE exchange = 'dropout-notice'"
            + " UNION ALL SELECT FROM parcel WHERE exchange = 'dropout-notice')");

    Process last = start("out");
    assertThat(last.waitFor(150, TimeUnit.SECONDS)).isTrue();
    List<String> out = Files.readAllLines(folder.resolve("out"));
    assertThat(last.exitValue()).as(String.join("\n", out)).isZero();
    JsonNode summary = new ObjectMapper().readTree(out.getLast());
    assertThat(summary.at("/audit/verified").asBoolean()).isTrue();
    for (JsonNode exchange : summary.path("exchanges")) {
      assertThat(exchange.path("pending").asLong()).isZero();
      assertThat(exchange.path("deadLettered").asLong()).isZero();
    }
    assertThat(out).noneMatch(line -> line.startsWith("FAULT"));
    // Every row of every list has its answer, whichever run took it.
    assertThat(summary.at("/exchanges/list-reconciliation/delivered").asLong()).isPositive();
  }

  private void killWhen(String condition) throws Exception {
    Process process = start("out");
    try {
      Awaitility.await()
          .atMost(Duration.ofSeconds(100))
          .pollInterval(Duration.ofMillis(10))
          .until(() -> !process.isAlive() || holds(condition));
      assertThat(process.isAlive()).as("it ended before it could be killed").isTrue();
    } finally {
      process.destroyForcibly().waitFor();
    }
  }

  private Process start(String out) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx768m",
            "--enable-native-access=ALL-UNNAMED",
            "-Dbindeledd.project=" + Path.of("").toAbsolutePath(),
            "-cp",
            System.getProperty("java.class.path"),
            "no.bindeledd.cli.Bindeledd",
            "demo",
            "--people",
            "500",
            "--once",
            "--json",
            "--port",
            "0",
            "--data",
            folder.resolve("data").toString())
        .redirectOutput(folder.resolve(out).toFile())
        .redirectError(folder.resolve("err").toFile())
        .start();
  }

  /** Asks the demo's own database; false while there is none. */
  private boolean holds(String condition) {
    try {
      Path postgres = folder.resolve("data/postgres");
      if (!Files.exists(postgres.resolve("port"))) {
        return false;
      }
      String url =
          "jdbc:postgresql://127.0.0.1:"
              + Files.readString(postgres.resolve("port")).strip()
              + "/bindeledd";
      String password = Files.readString(postgres.resolve("password")).strip();
      try (Connection connection = DriverManager.getConnection(url, "bindeledd", password);
          var statement = connection.createStatement();
          var row = statement.executeQuery(condition)) {
        return row.next() && row.getBoolean(1);
      }
    } catch (IOException | SQLException e) {
      return false;
    }
  }
}
