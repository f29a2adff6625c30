package no.bindeledd.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalTime;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.Text;
import no.bindeledd.gate.DecisionQuestion;
import no.bindeledd.hub.ExchangeFolders;
import no.bindeledd.hub.RegistryFacts;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.ProtectionRegistry;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Secrets;
import no.bindeledd.policy.Explanation;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows the whole reasoning of a decision, and sends nothing. */
@Command(
    name = "explain",
    mixinStandardHelpOptions = true,
    description = {
      "Show what would be decided about a message, on a day, and why: protection, block, agreement,"
          + " every legal basis, and what becomes of every field. Sends nothing.",
      "Exit code 0: explained, 2: the exchange or the rules are broken."
    },
    footer = {
      "%nExamples:",
      "  bindeledd explain --exchange dropout-notice --at 2024-08-01",
      "  bindeledd explain --exchange ips-referral --facts facts.json --policies ./proposed",
      "  bindeledd explain --exchange dropout-notice --subject - < number.txt"
    })
final class ExplainCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  enum Language {
    NB,
    EN,
    BOTH
  }

  @Option(
      names = "--exchange",
      required = true,
      paramLabel = "ID",
      description = "The exchange's folder name")
  private String exchange = "";

  @Option(names = "--from", paramLabel = "NAME", description = "A sender (default: the first)")
  private @Nullable String from;

  @Option(
      names = "--to",
      paramLabel = "NAME",
      description = "A recipient (default: the first); answer for what comes back to a question")
  private @Nullable String to;

  @Option(
      names = "--subject",
      paramLabel = "FILE",
      description =
          "A file with the person's identity number, - for standard input; never the number itself."
              + " Consents and protection are then the hub's own (--data or --jdbc-url)")
  private @Nullable Path subject;

  @Option(
      names = "--facts",
      paramLabel = "FILE",
      description = "JSON with birthDate, consents, protection, acts and record, as you state them")
  private @Nullable Path facts;

  @Option(
      names = "--at",
      paramLabel = "WHEN",
      description = "A day (noon in Oslo) or an instant (default: now)")
  private @Nullable String at;

  @Option(
      names = "--policies",
      paramLabel = "DIR",
      description = "Another rule pack than the home's: a proposed law, a revised agreement")
  private @Nullable Path policies;

  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "Folder with routes/, mappings/ and policies/ (default: the project's own)")
  private @Nullable Path home;

  @Option(
      names = "--numbers",
      defaultValue = "REAL_ONLY",
      description = "Which identity numbers are taken: ${COMPLETION-CANDIDATES}")
  private Numbers numbers = Numbers.REAL_ONLY;

  @Option(names = "--language", defaultValue = "BOTH", description = "${COMPLETION-CANDIDATES}")
  private Language language = Language.BOTH;

  @Option(names = "--json", description = "Print JSON")
  private boolean json;

  @Mixin private HubData hub = new HubData();

  @SuppressWarnings("NullAway.Init")
  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    try {
      ExchangeFolders folders = new ExchangeFolders(home == null ? Bindeledd.projectHome() : home);
      Contract contract = folders.exchange(exchange, folders.codeLists()).contract();
      PolicyPack pack = policies == null ? folders.pack() : PolicyPack.read(policies);
      Explanation explanation = question().explain(contract, pack);
      if (json) {
        out.println(
            JSON.writerWithDefaultPrettyPrinter()
                .writeValueAsString(DecisionQuestion.json(explanation)));
      } else {
        print(out, explanation);
      }
      out.flush();
      return 0;
    } catch (ProblemsException e) {
      e.problems().forEach(out::println);
      out.flush();
      return 2;
    }
  }

  private DecisionQuestion question() throws Exception {
    Instant when =
        at == null ? Clock.systemUTC().instant() : Moments.parse("--at", at, LocalTime.NOON);
    JsonNode tree =
        facts == null ? MissingNode.getInstance() : JSON.readTree(Files.readAllBytes(facts));
    DecisionQuestion.Stated stated = DecisionQuestion.Stated.parse(tree);
    if (subject == null) {
      return new DecisionQuestion(
          exchange,
          from,
          to,
          null,
          stated.protection(),
          stated.consents(),
          stated.acts(),
          stated.birthDate(),
          stated.attributes(),
          when);
    }
    Pseudonym person = person(subject);
    return hub.read(
        database -> {
          RegistryFacts known =
              new RegistryFacts(
                  database,
                  new ConsentRegistry(database, Clock.systemUTC()),
                  new ProtectionRegistry(database));
          return new DecisionQuestion(
              exchange,
              from,
              to,
              person,
              known.protection(person),
              known.consents(List.of(person)).getOrDefault(person, List.of()),
              stated.acts(),
              stated.birthDate(),
              stated.attributes(),
              when);
        });
  }

  private Pseudonym person(Path file) throws IOException {
    String text =
        file.toString().equals("-")
            ? new String(System.in.readNBytes(64), StandardCharsets.US_ASCII)
            : Files.readString(file, StandardCharsets.US_ASCII);
    if (!(NationalId.parse(text.strip(), numbers) instanceof NationalId number)) {
      throw new IllegalArgumentException(
          "The file of --subject holds no identity number that is taken; check it, and --numbers");
    }
    return Secrets.open(hub.secrets()).pseudonymizer().pseudonym(number);
  }

  private void print(PrintWriter out, Explanation explanation) {
    var grounds = explanation.decision().grounds();
    out.printf("%s  %s%n", explanation.decision().outcome(), grounds.reason());
    print(out, "", explanation.summary());
    if (explanation.told() != grounds.reason()) {
      out.printf("told to the sender: %s%n", explanation.told());
      print(out, "    ", explanation.told().text());
    }
    out.println();
    for (Explanation.Step step : explanation.steps()) {
      out.printf(
          "%s %-12s %s%n",
          mark(step.finding()), step.topic().name().toLowerCase(Locale.ROOT), step.subject());
      print(out, "    ", step.text());
    }
    out.println();
    for (Explanation.Field field : explanation.fields()) {
      out.printf("%s %s (%s)%n", field.leaves() ? "+" : "-", field.path(), field.category());
      print(out, "    ", field.why());
    }
  }

  private void print(PrintWriter out, String indent, Text text) {
    if (language != Language.EN) {
      out.println(indent + text.nb());
    }
    if (language != Language.NB) {
      out.println(indent + text.en());
    }
  }

  private static String mark(Explanation.Finding finding) {
    return switch (finding) {
      case PASSED, CARRIES -> "+";
      case STOPS -> "!";
      case SILENT -> " ";
    };
  }
}
