package no.bindeledd.demo;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.tools.StorageTool;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;

/**
 * The broker's own process, started by {@link EmbeddedKafka}: formats the storage on first use,
 * says {@value #READY} on standard output when it serves, and ends when its standard input closes.
 * The system closes that input when the parent ends, {@code kill -9} included.
 */
public final class EmbeddedKafkaMain {
  static final String READY = "ready";

  /** The same for every directory, so that a format that was cut short is taken up again. */
  private static final Uuid CLUSTER = new Uuid(0x42696e64656c6564L, 0x6400000000000001L);

  /** Longer than an orderly stop takes; after it the log recovers at the next start. */
  private static final long STOP_MILLIS = 15_000;

  private EmbeddedKafkaMain() {}

  /** Runs the broker on the properties file that is the only argument. */
  public static void main(String[] arguments) throws IOException {
    Path file = Path.of(arguments[0]);
    format(file);
    Properties settings = Utils.loadProps(file.toString());
    KafkaRaftServer server =
        new KafkaRaftServer(KafkaConfig.fromProps(settings, false), Time.SYSTEM);
    Thread.ofPlatform().daemon().name("parent-watch").start(() -> haltWithoutParent(server));
    try {
      server.startup();
      System.out.println(READY);
      System.out.flush();
      server.awaitShutdown();
    } catch (Throwable e) {
      System.err.println("The broker failed: " + e);
      System.err.flush();
      Runtime.getRuntime().halt(1);
    }
    Runtime.getRuntime().halt(0);
  }

  private static void format(Path file) {
    String[] arguments = {
      "format",
      "--ignore-formatted",
      "--cluster-id",
      CLUSTER.toString(),
      "--config",
      file.toString()
    };
    PrintStream quiet =
        new PrintStream(PrintStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    int code = StorageTool.execute(arguments, quiet);
    if (code != 0) {
      throw new IllegalStateException("Formatting the broker's storage failed with code " + code);
    }
  }

  private static void haltWithoutParent(KafkaRaftServer server) {
    try {
      while (System.in.read() >= 0) {
        // Only the end of the input has a meaning.
      }
    } catch (IOException e) {
      // The input is gone: the same as its end.
    }
    Thread.ofPlatform()
        .daemon()
        .name("stop-limit")
        .start(
            () -> {
              try {
                Thread.sleep(STOP_MILLIS);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              Runtime.getRuntime().halt(2);
            });
    server.shutdown();
  }
}
