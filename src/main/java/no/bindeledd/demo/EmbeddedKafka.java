package no.bindeledd.demo;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.errors.TopicExistsException;
import org.jspecify.annotations.Nullable;

/**
 * A real Kafka broker (KRaft, one node, 127.0.0.1 only) in a process of its own, on the class path
 * of this one. Its directory keeps topics, port, settings and log from start to start:
 *
 * <pre>
 * kafka/topics/             the topics' data
 * kafka/broker.properties   written anew at each start
 * kafka/broker.log          the broker's log
 * kafka/port                the port of the last start, taken again when it is free
 * kafka/pid                 the broker's process
 * </pre>
 *
 * <p>The broker ends with this process however it ends. A start waits for a broker that an earlier,
 * killed process left behind to close its storage. Like every Kafka by default it writes to the
 * page cache and does not force each record to disk: records survive the broker's death, not the
 * machine's. Thread-safe.
 */
public final class EmbeddedKafka implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofSeconds(60);
  private static final Duration STOP_LIMIT = Duration.ofSeconds(20);
  private static final int ATTEMPTS = 4;

  private final Path directory;
  private final DirectoryLock lock;
  private final boolean fixedPort;
  private int port;
  private @Nullable Process broker;

  private EmbeddedKafka(Path directory, DirectoryLock lock, int port) {
    this.directory = directory;
    this.lock = lock;
    this.fixedPort = port > 0;
    this.port = port;
  }

  /** Starts a broker on the port of its last start, or any free one, and waits until it serves. */
  public static EmbeddedKafka start(Path directory) {
    return start(directory, 0);
  }

  /**
   * Starts a broker and waits until it serves.
   *
   * @param directory created when missing; reused as it was left
   * @param port 0 for the port of its last start, or any free one
   * @throws IllegalStateException when another process uses the directory, or the broker does not
   *     start; names the broker's log
   */
  public static EmbeddedKafka start(Path directory, int port) {
    Path absolute = directory.toAbsolutePath().normalize();
    EmbeddedKafka kafka = new EmbeddedKafka(absolute, DirectoryLock.of(absolute), port);
    try {
      kafka.startAgain();
      return kafka;
    } catch (RuntimeException e) {
      kafka.close();
      throw e;
    }
  }

  /** {@code 127.0.0.1:port}, the same for the life of this object. */
  public synchronized String bootstrap() {
    return "127.0.0.1:" + port;
  }

  /** The broker's process; none while it is stopped. */
  public synchronized Optional<ProcessHandle> process() {
    return Optional.ofNullable(broker).map(Process::toHandle);
  }

  /**
   * Creates the topics that do not exist yet.
   *
   * @param partitions the number of partitions of each new topic
   */
  public void createTopics(int partitions, String... names) {
    createTopics(partitions, Arrays.asList(names));
  }

  /** Creates the topics that do not exist yet. */
  public void createTopics(int partitions, List<String> names) {
    List<NewTopic> topics =
        names.stream().distinct().map(n -> new NewTopic(n, partitions, (short) 1)).toList();
    try (Admin admin = admin()) {
      Map<String, org.apache.kafka.common.KafkaFuture<Void>> results =
          admin.createTopics(topics).values();
      for (var result : results.entrySet()) {
        await(result.getKey(), result.getValue());
      }
    }
  }

  private static void await(String topic, org.apache.kafka.common.KafkaFuture<Void> created) {
    try {
      created.get(30, TimeUnit.SECONDS);
    } catch (ExecutionException e) {
      if (!(e.getCause() instanceof TopicExistsException)) {
        throw new IllegalStateException("Cannot create the topic " + topic, e.getCause());
      }
    } catch (TimeoutException e) {
      throw new IllegalStateException("The broker did not create the topic " + topic, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while creating the topic " + topic, e);
    }
  }

  /** Stops the broker in good order; {@link #startAgain} brings it back on the same port. */
  public synchronized void stop() {
    Process running = broker;
    if (running == null) {
      return;
    }
    broker = null;
    try {
      running.getOutputStream().close();
    } catch (IOException e) {
      running.destroy();
    }
    new RunningProcess(running.toHandle()).end(STOP_LIMIT);
  }

  /** Ends the broker at once, as a crash would. */
  public synchronized void kill() {
    Process running = broker;
    if (running == null) {
      return;
    }
    broker = null;
    new RunningProcess(running.toHandle()).kill();
  }

  /** Starts the broker after {@link #stop} or {@link #kill}; does nothing while it runs. */
  public synchronized void startAgain() {
    if (broker != null && broker.isAlive()) {
      return;
    }
    awaitLeftover();
    boolean keepPort = port > 0;
    for (int attempt = 1; ; attempt++) {
      int candidate = keepPort ? port : LoopbackPort.remembered(directory.resolve("port"));
      boolean started = launch(candidate);
      if (started) {
        port = candidate;
        LoopbackPort.remember(directory.resolve("port"), port);
        return;
      }
      if (attempt == ATTEMPTS || (fixedPort && !LoopbackPort.isFree(port))) {
        throw new IllegalStateException(
            "The Kafka broker did not start on port "
                + candidate
                + "; the reason is in "
                + directory.resolve("broker.log")
                + " or "
                + directory.resolve("broker.err"));
      }
    }
  }

  @Override
  public synchronized void close() {
    stop();
    lock.close();
  }

  private Admin admin() {
    return Admin.create(
        Map.of(
            AdminClientConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap(),
            AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
            30_000));
  }

  /** True when the broker says it serves; false when its process ended or said nothing in time. */
  private boolean launch(int candidate) {
    Process process = null;
    try {
      Files.writeString(directory.resolve("broker.properties"), settings(candidate));
      process =
          new ProcessBuilder(command())
              .directory(directory.toFile())
              .redirectError(directory.resolve("broker.err").toFile())
              .start();
      Files.writeString(directory.resolve("pid"), identity(process.toHandle()));
      if (saysReady(process)) {
        broker = process;
        return true;
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot start the Kafka broker in " + directory, e);
    } finally {
      if (process != null && broker != process) {
        new RunningProcess(process.toHandle()).kill();
      }
    }
    return false;
  }

  private static boolean saysReady(Process process) throws IOException {
    ProcessHandle handle = process.toHandle();
    Thread limit =
        Thread.ofVirtual()
            .start(
                () -> {
                  try {
                    Thread.sleep(START_LIMIT);
                    handle.destroyForcibly();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                });
    try {
      BufferedReader said = process.inputReader(StandardCharsets.UTF_8);
      for (String line = said.readLine(); line != null; line = said.readLine()) {
        if (line.equals(EmbeddedKafkaMain.READY)) {
          return true;
        }
      }
      return false;
    } finally {
      limit.interrupt();
    }
  }

  /**
   * The shell makes the broker deaf to Ctrl-C, which a terminal sends to every process in front:
   * the hub must drain before its broker goes.
   */
  private List<String> command() {
    List<String> command = new ArrayList<>();
    command.addAll(List.of("/bin/sh", "-c", "trap '' INT HUP; exec \"$@\"", "bindeledd-kafka"));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    String classPath = absoluteClassPath();
    if (Arrays.stream(classPath.split(File.pathSeparator)).allMatch(e -> e.endsWith(".jar"))) {
      // The JVM keeps its loaded classes for the next start; it can do so for jars only.
      command.add("-XX:+AutoCreateSharedArchive");
      command.add("-XX:SharedArchiveFile=" + directory.resolve("classes.jsa"));
      command.add("-Xlog:cds=off,aot=off,cds+dynamic=off");
    }
    command.addAll(
        List.of(
            "-Xmx512m",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-Djava.awt.headless=true",
            "-Dlogback.configurationFile=no/bindeledd/demo/broker-logback.xml",
            "-Dbroker.log.dir=" + directory,
            "-cp",
            classPath,
            EmbeddedKafkaMain.class.getName(),
            directory.resolve("broker.properties").toString()));
    return command;
  }

  /** The broker runs in its own directory, so relative entries would lead nowhere. */
  private static String absoluteClassPath() {
    return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
        .filter(entry -> !entry.isEmpty())
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  private String settings(int brokerPort) {
    int controllerPort = LoopbackPort.free();
    Map<String, Object> settings =
        Map.ofEntries(
            Map.entry("process.roles", "broker,controller"),
            Map.entry("node.id", 1),
            Map.entry("controller.quorum.voters", "1@127.0.0.1:" + controllerPort),
            Map.entry("controller.listener.names", "CONTROLLER"),
            Map.entry(
                "listeners",
                "PLAINTEXT://127.0.0.1:"
                    + brokerPort
                    + ",CONTROLLER://127.0.0.1:"
                    + controllerPort),
            Map.entry("advertised.listeners", "PLAINTEXT://127.0.0.1:" + brokerPort),
            Map.entry("log.dirs", directory.resolve("topics")),
            // A route for a new topic works on the embedded broker without further ado.
            Map.entry("auto.create.topics.enable", true),
            Map.entry("num.partitions", 4),
            Map.entry("offsets.topic.replication.factor", 1),
            Map.entry("offsets.topic.num.partitions", 4),
            Map.entry("transaction.state.log.replication.factor", 1),
            Map.entry("transaction.state.log.min.isr", 1),
            Map.entry("transaction.state.log.num.partitions", 4),
            Map.entry("share.coordinator.state.topic.replication.factor", 1),
            Map.entry("share.coordinator.state.topic.min.isr", 1),
            Map.entry("group.initial.rebalance.delay.ms", 0),
            Map.entry("num.network.threads", 2),
            Map.entry("num.io.threads", 4),
            // The cleaner's map is allocated at start: 128 MB by default.
            Map.entry("log.cleaner.dedupe.buffer.size", 8 * 1024 * 1024),
            Map.entry("log.segment.bytes", 256 * 1024 * 1024),
            // After a crash the controller waits this long before it lets the broker back in.
            Map.entry("broker.session.timeout.ms", 3_000),
            Map.entry("broker.heartbeat.interval.ms", 500));
    StringBuilder text = new StringBuilder();
    settings.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(e -> text.append(e.getKey()).append('=').append(e.getValue()).append('\n'));
    return text.toString();
  }

  /** A process id may be given to another process later; its start time tells them apart. */
  private static String identity(ProcessHandle process) {
    return process.pid()
        + " "
        + process.info().startInstant().map(i -> Long.toString(i.toEpochMilli())).orElse("")
        + "\n";
  }

  private void awaitLeftover() {
    Path file = directory.resolve("pid");
    try {
      if (!Files.exists(file)) {
        return;
      }
      String written = Files.readString(file);
      String pid = written.strip().split(" ", 2)[0];
      if (!pid.matches("[0-9]{1,10}")) {
        return;
      }
      ProcessHandle.of(Long.parseLong(pid))
          .filter(p -> identity(p).equals(written))
          .ifPresent(p -> new RunningProcess(p).end(STOP_LIMIT));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + file, e);
    }
  }
}
