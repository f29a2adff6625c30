package no.bindeledd.cli;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import no.bindeledd.exchange.ContractLinks;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.gate.RouteLinter;
import no.bindeledd.hub.ExchangeFolders;
import no.bindeledd.mapping.CodeLists;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Checks everything that lies in folders, without starting anything. */
@Command(
    name = "validate",
    mixinStandardHelpOptions = true,
    description = {
      "Check routes, mappings and policies: contracts, schemas, mappings, rules, and that no route"
          + " passes the gate by.",
      "Prints one finding per line as file:line: what; what to do. Exit code 0: clean, 2: findings."
    },
    footer = {"%nExample: bindeledd validate --home ./my-flows"})
final class ValidateCommand implements Callable<Integer> {
  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "Folder with routes/, mappings/ and policies/ (default: the project's own)")
  private @Nullable Path home;

  @SuppressWarnings("NullAway.Init")
  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() {
    Path folder = home == null ? Bindeledd.projectHome() : home;
    PrintWriter out = spec.commandLine().getOut();
    List<Problem> problems = problems(new ExchangeFolders(folder));
    problems.forEach(out::println);
    if (problems.isEmpty()) {
      out.println("Clean: " + String.join(", ", new ExchangeFolders(folder).ids()));
    }
    out.flush();
    return problems.isEmpty() ? 0 : 2;
  }

  static List<Problem> problems(ExchangeFolders folders) {
    List<Problem> problems = new ArrayList<>();
    CodeLists codes = CodeLists.none();
    try {
      codes = folders.codeLists();
    } catch (ProblemsException e) {
      problems.addAll(e.problems());
    }
    ExchangeFolders.Read read = folders.all(codes);
    problems.addAll(read.problems());
    RouteLinter linter = new RouteLinter();
    for (LiveExchange exchange : read.exchanges().values()) {
      // Placeholders are an installation's own: here every one stands for itself.
      problems.addAll(
          linter
              .checkFolder(
                  exchange.contract(),
                  folders.routeFiles(exchange.contract().id()),
                  ValidateCommand::anyValue)
              .problems());
    }
    problems.addAll(
        ContractLinks.problems(
            read.exchanges().values().stream().map(LiveExchange::contract).toList()));
    try {
      PolicyPack pack = folders.pack();
      problems.addAll(
          pack.danglingReferences(
              read.exchanges().values().stream().map(LiveExchange::contract).toList()));
    } catch (ProblemsException e) {
      problems.addAll(e.problems());
    }
    return problems;
  }

  private static String anyValue(String name) {
    if (name.endsWith(".port")) {
      return "1";
    }
    return name.endsWith(".url") ? "http://" + name + ".invalid" : name;
  }
}
