package no.bindeledd.policy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.YamlSource;

/**
 * The contracts against the pack: words that the vocabulary does not have, exchanges and fields
 * that clauses name and no contract has. Used once, by one thread.
 */
final class ContractChecks {
  private final Vocabulary vocabulary;
  private final List<TargetGroup> groups;
  private final List<Problem> problems = new ArrayList<>();

  private ContractChecks(Vocabulary vocabulary, List<TargetGroup> groups) {
    this.vocabulary = vocabulary;
    this.groups = groups;
  }

  /** What clauses name that no contract has. */
  static List<Problem> ofClauses(
      Vocabulary vocabulary,
      List<Placed<Agreement>> agreements,
      Collection<Contract> contracts,
      Set<String> unread) {
    ContractChecks checks = new ContractChecks(vocabulary, List.of());
    Map<String, Contract> byId = new HashMap<>();
    for (Contract contract : contracts) {
      byId.put(contract.id(), contract);
    }
    for (Placed<Agreement> agreement : agreements) {
      for (Entry clause : agreement.entry().list("clauses")) {
        // The pack collects no problems any more; these are this check's own.
        Entry own = new Entry(clause.yaml(), clause.at(), checks.problems);
        if (!unread.contains(own.line("exchange"))) {
          checks.clause(own, byId);
        }
      }
    }
    return checks.sorted();
  }

  /** What a contract says that the pack does not have. */
  static List<Problem> ofContract(
      Vocabulary vocabulary, List<TargetGroup> groups, Contract contract) {
    ContractChecks checks = new ContractChecks(vocabulary, groups);
    checks.contract(contract);
    return checks.sorted();
  }

  private List<Problem> sorted() {
    problems.sort(PackReader.BY_PLACE);
    return List.copyOf(problems);
  }

  private void clause(Entry clause, Map<String, Contract> contracts) {
    String exchange = clause.line("exchange");
    Contract contract = contracts.get(exchange);
    if (contract == null) {
      clause.problem(
          "/exchange",
          "There is no exchange '" + exchange + "'",
          "correct the name to a folder under routes/, or remove the clause");
      return;
    }
    Set<String> known = new TreeSet<>();
    for (Contract.Recipient recipient : contract.to()) {
      if (recipient.organisation().value().equals(clause.line("to"))) {
        recipient.view().fields().forEach(field -> known.add(field.path()));
      }
    }
    if (contract.answer() != null) {
      contract.answer().fields().forEach(field -> known.add(field.path()));
    }
    for (Entry field : clause.list("fields")) {
      String path = field.node().asText();
      if (!known.contains(path)) {
        field.problem(
            "",
            "No view of " + exchange + " to that receiver has the field " + path,
            "correct the path to one of the contract's, or remove it");
      }
    }
  }

  private void contract(Contract contract) {
    Path file = contract.folder().resolve("exchange.yaml");
    if (!Files.isRegularFile(file)) {
      return;
    }
    Entry whole = new Entry(YamlSource.read(file), "", problems);
    word(whole.child("purpose"), Vocabulary.Sort.PURPOSE);
    whole.list("to").forEach(to -> to.child("view").list("fields").forEach(this::category));
    whole.child("answer").list("fields").forEach(this::category);
    if (contract.deadline() != null) {
      deadline(whole.child("deadline").child("rule"), contract.deadline());
    }
  }

  private void deadline(Entry rule, Contract.Deadline asked) {
    List<TargetGroup> versions =
        groups.stream().filter(group -> group.id().equals(asked.group())).toList();
    if (versions.isEmpty()) {
      rule.problem(
          "/group",
          "There is no target group '" + asked.group() + "'",
          "correct the name to a group of policies/target-groups, or add the group");
    } else if (versions.stream().noneMatch(group -> group.deadline(asked.rule()).isPresent())) {
      rule.problem(
          "/deadline",
          "The target group '" + asked.group() + "' sets no deadline '" + asked.rule() + "'",
          "correct the name to one of its deadlines, or add it there");
    }
  }

  private void category(Entry field) {
    word(field.child("category"), Vocabulary.Sort.CATEGORY);
  }

  private void word(Entry at, Vocabulary.Sort sort) {
    JsonNode code = at.node();
    if (code.isTextual() && !vocabulary.has(sort, code.asText())) {
      Problem problem =
          at.yaml()
              .problem(
                  at.at(),
                  "There is no "
                      + (sort == Vocabulary.Sort.PURPOSE ? "purpose" : "data category")
                      + " '"
                      + code.asText()
                      + "'",
                  vocabulary.remedy(sort, code.asText()));
      // A view that several recipients share is one place.
      if (!problems.contains(problem)) {
        problems.add(problem);
      }
    }
  }
}
