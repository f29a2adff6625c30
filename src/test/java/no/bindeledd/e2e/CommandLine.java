package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs {@code bindeledd} as a user does: as a process with an exit code. */
final class CommandLine {
  private CommandLine() {}

  /**
   * How a command ended.
   *
   * @param out its standard output; standard error is left to the log
   */
  record Ended(int exitCode, List<String> out) {}

  static Ended bindeledd(String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add("no.bindeledd.cli.Bindeledd");
    command.addAll(List.of(arguments));
    return run(command);
  }

  static Ended run(List<String> command) {
    try {
      Path out = Files.createTempFile("bindeledd", ".out");
      try {
        Process process =
            new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        process.getOutputStream().close();
        if (!process.waitFor(120, TimeUnit.SECONDS)) {
          process.destroyForcibly();
          throw new AssertionError("The command did not end: " + command.getLast());
        }
        return new Ended(process.exitValue(), Files.readAllLines(out, UTF_8));
      } finally {
        Files.deleteIfExists(out);
      }
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
