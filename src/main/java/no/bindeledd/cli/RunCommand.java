package no.bindeledd.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import no.bindeledd.demo.EmbeddedDatabase;
import no.bindeledd.demo.EmbeddedKafka;
import no.bindeledd.hub.RunningHub;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Starts the hub alone. */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    description = {
      "Start the hub against the configured Kafka and PostgreSQL, until Ctrl-C.",
      "Settings come from --config, the environment (SPRING_DATASOURCE_URL, KAFKA_BROKERS, …) and"
          + " arguments as --name=value."
    },
    footer = {
      "%nExamples:",
      "  bindeledd run --embedded",
      "  bindeledd run --config /etc/bindeledd/application.yaml -- --server.port=8443"
    })
final class RunCommand implements Callable<Integer> {
  @Option(
      names = "--embedded",
      description = "Start a broker and a database of its own, with data under --data")
  private boolean embedded;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "data",
      description = "Folder for secrets and for the embedded parts (default: ./data)")
  private Path data = Path.of("data");

  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "Folder with routes/, mappings/ and policies/ (default: the project's own)")
  private @Nullable Path home;

  @Option(names = "--config", paramLabel = "FILE", description = "A settings file (YAML)")
  private @Nullable Path config;

  @Parameters(arity = "0..*", paramLabel = "--name=value", description = "More settings")
  private List<String> settings = List.of();

  @SuppressWarnings("NullAway.Init")
  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    Map<String, Object> properties = new HashMap<>();
    if (home != null) {
      properties.put("bindeledd.home", home.toString());
    }
    List<String> arguments = new ArrayList<>(settings);
    if (config != null) {
      arguments.add("--spring.config.additional-location=file:" + config.toAbsolutePath());
    }
    if (!embedded) {
      return stay(properties, arguments);
    }
    try (EmbeddedDatabase database = EmbeddedDatabase.start(data.resolve("postgres"));
        EmbeddedKafka kafka = EmbeddedKafka.start(data.resolve("kafka"))) {
      properties.putAll(EmbeddedParts.settings(data, database, kafka));
      return stay(properties, arguments);
    }
  }

  private int stay(Map<String, Object> properties, List<String> arguments)
      throws InterruptedException {
    CountDownLatch stop = new CountDownLatch(1);
    CountDownLatch stopped = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  stop.countDown();
                  try {
                    stopped.await();
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                }));
    try (RunningHub hub = RunningHub.start(properties, arguments.toArray(String[]::new))) {
      PrintWriter out = spec.commandLine().getOut();
      out.println("Ready. Health: http://localhost:" + hub.port() + "/actuator/health");
      out.flush();
      stop.await();
    } finally {
      stopped.countDown();
    }
    return 0;
  }
}
