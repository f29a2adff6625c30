package no.bindeledd.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Deadlines of the shipped contracts, and what is found when they are broken. */
class ContractLinksTest {
  private static final List<String> E06 =
      List.of("youth-referral", "follow-up-offer", "deadline-notice");

  private final ContractReader reader = new ContractReader();

  @Test
  void theShippedContractsFitTogether() throws IOException {
    try (Stream<Path> folders = Files.list(Path.of("routes"))) {
      List<Contract> all = folders.filter(Files::isDirectory).map(reader::read).toList();
      assertThat(ContractLinks.problems(all)).isEmpty();
    }
  }

  @Test
  void aNoticeThatThereIsNotIsFoundWithItsLine(@TempDir Path folder) throws IOException {
    assertThat(problems(folder, "notice: deadline-notice", "notice: a-notice"))
        .containsExactly(
            "youth-referral/exchange.yaml:25: There is no exchange 'a-notice'; correct the name to"
                + " a folder under routes/, or add the exchange");
  }

  @Test
  void aSenderThatTheHubMayNotWriteForIsFound(@TempDir Path folder) throws IOException {
    assertThat(problems(folder, "authentication: HUB", "authentication: CHANNEL"))
        .containsExactly(
            "youth-referral/exchange.yaml:25: The hub may not write 'deadline-notice' for"
                + " 311013572; add the organisation to a sender there with authentication HUB");
  }

  @Test
  void anAnswerToWhatNobodyAsksForIsFound(@TempDir Path folder) throws IOException {
    assertThat(
            problems(
                folder, "answers: {exchange: youth-referral", "answers: {exchange: measure-event"))
        .containsExactly(
            "follow-up-offer/exchange.yaml:14: There is no exchange 'measure-event' with a"
                + " deadline; correct the name, or add deadline to that exchange");
  }

  @Test
  void onlyWhatIsAboutSomebodyAndNotAskedAtOnceHasADeadline(@TempDir Path folder) {
    assertThatThrownBy(() -> problems(folder, "mode: ASYNCHRONOUS", "mode: MATCHING"))
        .isInstanceOf(ProblemsException.class)
        .hasMessageContaining("Only an ASYNCHRONOUS exchange with a subject has deadline");
  }

  private List<String> problems(Path folder, String found, String put) throws IOException {
    List<Contract> contracts = new ArrayList<>();
    for (String id : E06) {
      String yaml = Files.readString(Path.of("routes", id, ContractReader.FILE));
      Path copy = Files.createDirectories(folder.resolve(id)).resolve(ContractReader.FILE);
      Files.writeString(copy, yaml.replace(found, put));
      contracts.add(reader.read(folder.resolve(id)));
    }
    return ContractLinks.problems(contracts).stream()
        .map(problem -> problem.toString().substring(folder.toString().length() + 1))
        .toList();
  }
}
