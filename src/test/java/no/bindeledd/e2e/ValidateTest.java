package no.bindeledd.e2e;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code bindeledd validate} and {@code bindeledd test}, on the project's own home and copies. */
class ValidateTest {
  @TempDir Path home;

  @BeforeEach
  void copyTheProjectsHome() {
    for (String folder : List.of("routes", "mappings", "policies")) {
      TestHouse.copy(Path.of(folder), home.resolve(folder));
    }
  }

  @Test
  void theProjectsOwnHomeIsClean() {
    CommandLine.Ended ended = CommandLine.bindeledd("validate");

    assertThat(ended.exitCode()).as(ended.out().toString()).isZero();
    assertThat(ended.out().getLast())
        .contains("dropout-notice", "ips-referral", "list-reconciliation", "rights-query");
  }

  @Test
  void eachFindingOfABrokenHomeStandsOnALineOfItsOwnWithFileAndLine() throws IOException {
    change("routes/dropout-notice/deliver-ot.camel.yaml", "kafka:ot.dropout-notice.v1", "kafka:x");
    change("routes/ips-referral/receive.camel.yaml", "gate:ips-referral?from", "gate:rights?from");
    change("routes/rights-query/exchange.yaml", "mode: SYNCHRONOUS", "mode: SOMETIMES");
    change("mappings/measure-event/ot.jslt", ".personIdent", ".personIdnt");
    change("policies/agreements/school-ot.yaml", "bindingness: SKAL", "bindingness: MAYBE");

    CommandLine.Ended ended = CommandLine.bindeledd("validate", "--home", home.toString());

    assertThat(ended.exitCode()).isEqualTo(2);
    assertThat(ended.out()).allMatch(line -> line.matches("[^:]+\\.[a-z]+:[0-9]+: .+; .+"));
    for (String file :
        List.of(
            "routes/dropout-notice/deliver-ot.camel.yaml",
            "routes/ips-referral/receive.camel.yaml",
            "routes/rights-query/exchange.yaml",
            "mappings/measure-event/ot.jslt",
            "policies/agreements/school-ot.yaml")) {
      assertThat(ended.out()).as(file).anyMatch(line -> line.contains(file));
    }
  }

  @Test
  void aSampleThatComesOutOtherwiseFailsTheTestCommand() throws IOException {
    change(
        "routes/measure-event/samples/started-with-consent/expected-ot.json",
        "\"iTiltak\": true",
        "\"iTiltak\": false");

    CommandLine.Ended ended =
        CommandLine.bindeledd("test", "measure-event", "--home", home.toString());

    assertThat(ended.exitCode()).isEqualTo(1);
    assertThat(ended.out()).anyMatch(line -> line.startsWith("FAILED measure-event/started-with"));
    assertThat(ended.out()).anyMatch(line -> line.startsWith("ok     measure-event/"));
  }

  private void change(String file, String from, String to) throws IOException {
    Path path = home.resolve(file);
    String text = Files.readString(path);
    assertThat(text).as(file).contains(from);
    Files.writeString(path, text.replace(from, to));
  }
}
