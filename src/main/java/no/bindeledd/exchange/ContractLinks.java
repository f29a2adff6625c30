package no.bindeledd.exchange;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import no.bindeledd.exchange.Contract.Authentication;

/** What contracts say of one another, and what does not fit. */
public final class ContractLinks {
  private final Map<String, Contract> all;
  private final List<Problem> problems = new ArrayList<>();

  private ContractLinks(Collection<Contract> contracts) {
    this.all = contracts.stream().collect(Collectors.toMap(Contract::id, Function.identity()));
  }

  /** Everything that is wrong between these contracts; their files are read again for the lines. */
  public static List<Problem> problems(Collection<Contract> contracts) {
    ContractLinks links = new ContractLinks(contracts);
    for (Contract contract : contracts) {
      links.deadline(contract);
      links.answers(contract);
    }
    return List.copyOf(links.problems);
  }

  private void deadline(Contract contract) {
    Contract.Deadline deadline = contract.deadline();
    if (deadline == null) {
      return;
    }
    Contract notice = all.get(deadline.notice());
    if (notice == null) {
      problem(
          contract,
          "/deadline/notice",
          "There is no exchange '" + deadline.notice() + "'",
          "correct the name to a folder under routes/, or add the exchange");
      return;
    }
    for (Contract.Sender sender : contract.from()) {
      for (OrganisationNumber organisation : sender.organisations()) {
        boolean written =
            notice.from().stream()
                .filter(from -> from.authentication() == Authentication.HUB)
                .anyMatch(from -> from.organisations().contains(organisation));
        if (!written) {
          problem(
              contract,
              "/deadline/notice",
              "The hub may not write '" + notice.id() + "' for " + organisation,
              "add the organisation to a sender there with authentication HUB");
        }
      }
    }
  }

  private void answers(Contract contract) {
    Contract.Answers answers = contract.answers();
    if (answers == null) {
      return;
    }
    Contract asked = all.get(answers.exchange());
    if (asked == null || asked.deadline() == null) {
      problem(
          contract,
          "/answers/exchange",
          "There is no exchange '" + answers.exchange() + "' with a deadline",
          "correct the name, or add deadline to that exchange");
    }
  }

  private void problem(Contract contract, String at, String what, String remedy) {
    problems.add(
        YamlSource.read(contract.folder().resolve(ContractReader.FILE)).problem(at, what, remedy));
  }
}
