package no.bindeledd.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.gate.SampleRunner;
import no.bindeledd.hub.ExchangeFolders;
import no.bindeledd.policy.PolicyPack;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The samples of every exchange folder, each case a test of its own. */
class SamplesTest {
  private final ExchangeFolders folders = new ExchangeFolders(Path.of("."));

  @TestFactory
  Stream<DynamicTest> everySampleComesOutAsItSays(@TempDir Path scratch) {
    PolicyPack pack = folders.pack();
    SampleRunner runner = new SampleRunner(scratch);
    return folders.ids().stream()
        .flatMap(
            id -> {
              LiveExchange exchange = folders.exchange(id, folders.codeLists());
              return runner.run(exchange, pack).stream()
                  .map(
                      result ->
                          DynamicTest.dynamicTest(
                              id + "/" + result.name(),
                              () -> assertThat(result.problems()).isEmpty()));
            });
  }

  @Test
  void everyExchangeHasSamplesAndALineInTheHandbook(@TempDir Path scratch) throws IOException {
    PolicyPack pack = folders.pack();
    SampleRunner runner = new SampleRunner(scratch);
    String handbook = Files.readString(Path.of("README.md"));
    assertThat(folders.ids()).isNotEmpty();
    for (String id : folders.ids()) {
      assertThat(handbook).contains("| `" + id + "` (");
      assertThat(runner.run(folders.exchange(id, folders.codeLists()), pack))
          .as(id)
          .hasSizeGreaterThanOrEqualTo(3)
          .allSatisfy(result -> assertThat(result.expectations()).isPositive());
    }
  }

  @Test
  void theProjectsOwnFoldersAreClean() {
    assertThat(ValidateCommand.problems(folders)).isEmpty();
  }
}
