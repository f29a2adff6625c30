package no.bindeledd.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.gate.SampleRunner;
import no.bindeledd.hub.ExchangeFolders;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Runs an exchange's samples. */
@Command(
    name = "test",
    mixinStandardHelpOptions = true,
    description = {
      "Run the samples of an exchange (of all, without a name): input, expected decision, expected"
          + " output.",
      "Exit code 0: all as expected, 1: some not, 2: the exchange itself is broken."
    },
    footer = {"%nExample: bindeledd test dropout-notice"})
final class TestCommand implements Callable<Integer> {
  @Parameters(arity = "0..*", paramLabel = "EXCHANGE", description = "The exchange's folder name")
  private List<String> exchanges = List.of();

  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "Folder with routes/, mappings/ and policies/ (default: the project's own)")
  private @Nullable Path home;

  @SuppressWarnings("NullAway.Init")
  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() throws IOException {
    PrintWriter out = spec.commandLine().getOut();
    ExchangeFolders folders = new ExchangeFolders(home == null ? Bindeledd.projectHome() : home);
    Path scratch = Files.createTempDirectory("bindeledd-test");
    int failed = 0;
    int passed = 0;
    try {
      SampleRunner runner = new SampleRunner(scratch);
      for (String id : exchanges.isEmpty() ? folders.ids() : exchanges) {
        List<SampleRunner.Result> results =
            runner.run(folders.exchange(id, folders.codeLists()), folders.pack());
        for (SampleRunner.Result result : results) {
          out.printf("%s %s/%s%n", result.passed() ? "ok    " : "FAILED", id, result.name());
          result.problems().forEach(problem -> out.println("  " + problem));
          passed += result.passed() ? 1 : 0;
          failed += result.passed() ? 0 : 1;
        }
        if (results.isEmpty()) {
          out.println("FAILED " + id + " has no samples; add routes/" + id + "/samples/<case>/");
          failed++;
        }
      }
    } catch (ProblemsException e) {
      e.problems().forEach(out::println);
      out.flush();
      return 2;
    } finally {
      Files.deleteIfExists(scratch.resolve("samples.keyset.json"));
      Files.deleteIfExists(scratch);
    }
    out.printf("%d passed, %d failed%n", passed, failed);
    out.flush();
    return failed == 0 ? 0 : 1;
  }
}
