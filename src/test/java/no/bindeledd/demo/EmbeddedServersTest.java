package no.bindeledd.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The embedded broker and database as real processes, through stops, crashes and kill -9. */
@Timeout(180)
class EmbeddedServersTest {
  private static final String TOPIC = "kept";

  @Test
  void records_survive_a_stop_a_crash_and_a_killed_parent(@TempDir Path directory)
      throws Exception {
    Path kafka = directory.resolve("kafka");
    String address;
    try (EmbeddedKafka broker = EmbeddedKafka.start(kafka)) {
      address = broker.bootstrap();
      broker.createTopics(1, TOPIC, TOPIC);
      broker.createTopics(1, List.of(TOPIC));
      send(address, "1");
      broker.stop();
      assertThat(broker.process()).isEmpty();
      broker.startAgain();
      send(address, "2");
      broker.kill();
      broker.startAgain();
      assertThat(broker.bootstrap()).isEqualTo(address);
      send(address, "3");
    }

    ProcessHandle orphan;
    try (Parent parent = Parent.start("kafka", kafka)) {
      assertThat(parent.address()).isEqualTo(address);
      send(address, "4");
      orphan = parent.server();
      parent.kill();
    }
    try (EmbeddedKafka broker = EmbeddedKafka.start(kafka)) {
      assertThat(new RunningProcess(orphan).runs()).isFalse();
      assertThat(read(broker.bootstrap())).containsExactly("1", "2", "3", "4");
    }
  }

  @Test
  void the_broker_is_deaf_to_the_terminals_interrupt_and_ends_with_its_parent(
      @TempDir Path directory) throws Exception {
    try (Parent parent = Parent.start("kafka", directory)) {
      long server = parent.server().pid();
      assertThat(new ProcessBuilder("kill", "-INT", Long.toString(server)).start().waitFor())
          .isZero();
      send(parent.address(), "after the interrupt");
      parent.kill();
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> !new RunningProcess(parent.server()).runs());
    }
  }

  @Test
  void rows_survive_a_stop_a_crash_and_a_killed_parent(@TempDir Path directory) throws Exception {
    Path postgres = directory.resolve("postgres");
    String url;
    try (EmbeddedDatabase database = EmbeddedDatabase.start(postgres)) {
      url = database.jdbcUrl();
      execute(database, "CREATE TABLE kept (n int)");
      execute(database, "INSERT INTO kept VALUES (1)");
      database.stop();
      assertThatThrownBy(database::connect).isInstanceOf(SQLException.class);
      database.startAgain();
      execute(database, "INSERT INTO kept VALUES (2)");
      database.kill();
      database.startAgain();
      assertThat(database.jdbcUrl()).isEqualTo(url);
      execute(database, "INSERT INTO kept VALUES (3)");
    }

    ProcessHandle orphan;
    try (Parent parent = Parent.start("postgres", postgres)) {
      assertThat(parent.address()).isEqualTo(url);
      orphan = parent.server();
      parent.kill();
    }
    try (EmbeddedDatabase database = EmbeddedDatabase.start(postgres)) {
      assertThat(new RunningProcess(orphan).runs()).isFalse();
      assertThat(value(database, "SELECT string_agg(n::text, ',' ORDER BY n) FROM kept"))
          .isEqualTo("1,2,3");
    }
  }

  @Test
  void a_killed_parent_leaves_no_database_server_behind(@TempDir Path directory) throws Exception {
    try (Parent parent = Parent.start("postgres", directory)) {
      parent.kill();
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> !new RunningProcess(parent.server()).runs());
    }
  }

  @Test
  void the_database_is_durable_and_its_password_is_for_its_owner_only(@TempDir Path directory)
      throws Exception {
    try (EmbeddedDatabase database = EmbeddedDatabase.start(directory)) {
      for (String on : List.of("fsync", "synchronous_commit", "full_page_writes")) {
        assertThat(value(database, "SHOW " + on)).as(on).isEqualTo("on");
      }
      assertThat(value(database, "SHOW listen_addresses")).isEqualTo("127.0.0.1");
      assertThat(Files.getPosixFilePermissions(directory.resolve("password")))
          .extracting(Enum::name)
          .containsExactlyInAnyOrder("OWNER_READ", "OWNER_WRITE");
      assertThatThrownBy(
              () -> java.sql.DriverManager.getConnection(database.jdbcUrl(), "bindeledd", "guess"))
          .isInstanceOf(SQLException.class);
      assertThat(database.jdbcUrl()).doesNotContain(database.password());
    }
  }

  @Test
  void a_directory_in_use_is_refused_with_the_process_that_uses_it(@TempDir Path directory) {
    try (DirectoryLock first = DirectoryLock.of(directory)) {
      assertThat(first).isNotNull();
      assertThatThrownBy(() -> EmbeddedDatabase.start(directory))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("in use by process " + ProcessHandle.current().pid());
      assertThatThrownBy(() -> EmbeddedKafka.start(directory))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("choose another data directory");
    }
    DirectoryLock.of(directory).close();
  }

  private static void execute(EmbeddedDatabase database, String sql) throws SQLException {
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private static String value(EmbeddedDatabase database, String sql) throws SQLException {
    try (Connection connection = database.connect();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(sql)) {
      row.next();
      return row.getString(1);
    }
  }

  private static void send(String bootstrap, String value) throws Exception {
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      producer.send(new ProducerRecord<>(TOPIC, value.getBytes(StandardCharsets.US_ASCII))).get();
    }
  }

  private static List<String> read(String bootstrap) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      TopicPartition partition = new TopicPartition(TOPIC, 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      List<String> values = new java.util.ArrayList<>();
      long end = consumer.endOffsets(List.of(partition)).getOrDefault(partition, 0L);
      while (consumer.position(partition) < end) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
          values.add(new String(record.value(), StandardCharsets.US_ASCII));
        }
      }
      return values;
    }
  }

  /** Another JVM that starts a server, so that a test can kill it as {@code kill -9} does. */
  private record Parent(Process process, String address, ProcessHandle server)
      implements AutoCloseable {

    static Parent start(String kind, Path directory) throws IOException {
      Process process =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-cp",
                  System.getProperty("java.class.path"),
                  ParentMain.class.getName(),
                  kind,
                  directory.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      BufferedReader said = process.inputReader(StandardCharsets.UTF_8);
      for (String line = said.readLine(); line != null; line = said.readLine()) {
        if (line.startsWith("server ")) {
          String[] words = line.split(" ");
          ProcessHandle server = ProcessHandle.of(Long.parseLong(words[1])).orElseThrow();
          return new Parent(process, words[2], server);
        }
      }
      throw new IllegalStateException("The parent said no address");
    }

    void kill() {
      new RunningProcess(process.toHandle()).kill();
    }

    @Override
    public void close() {
      kill();
    }
  }

  /** Runs in the other JVM. */
  static final class ParentMain {
    private ParentMain() {}

    public static void main(String[] arguments) throws Exception {
      Path directory = Path.of(arguments[1]);
      if (arguments[0].equals("kafka")) {
        EmbeddedKafka broker = EmbeddedKafka.start(directory);
        System.out.println(
            "server " + broker.process().orElseThrow().pid() + " " + broker.bootstrap());
      } else {
        EmbeddedDatabase database = EmbeddedDatabase.start(directory);
        System.out.println(
            "server " + database.process().orElseThrow().pid() + " " + database.jdbcUrl());
      }
      Thread.sleep(Duration.ofMinutes(5));
    }
  }
}
