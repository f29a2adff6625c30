package no.bindeledd.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalTime;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.gate.DecisionArchive;
import no.bindeledd.gate.DecisionReplay;
import no.bindeledd.hub.ExchangeFolders;
import no.bindeledd.person.Secrets;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Decides recorded facts once more under another rule pack. */
@Command(
    name = "replay-decisions",
    mixinStandardHelpOptions = true,
    description = {
      "Decide what was decided from one time to another once more under another rule pack, and count"
          + " what would have come out otherwise. Reads recorded facts only: no payload is touched,"
          + " nothing is sent.",
      "Exit code 0: replayed, 2: the rules are broken."
    },
    footer = {
      "%nExample: bindeledd replay-decisions --from 2026-01-01 --to 2026-07-01 --policies ./proposed"
    })
final class ReplayDecisionsCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Option(
      names = "--from",
      required = true,
      paramLabel = "WHEN",
      description = "The first day, or an instant")
  private String from = "";

  @Option(
      names = "--to",
      required = true,
      paramLabel = "WHEN",
      description = "The day after the last, or an instant")
  private String to = "";

  @Option(
      names = "--policies",
      required = true,
      paramLabel = "DIR",
      description = "The other rule pack")
  private Path policies = Path.of("policies");

  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "Folder with routes/ and mappings/ (default: the project's own)")
  private @Nullable Path home;

  @Option(names = "--json", description = "Print JSON")
  private boolean json;

  @Mixin private HubData hub = new HubData();

  @SuppressWarnings("NullAway.Init")
  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    PrintWriter out = spec.commandLine().getOut();
    DecisionReplay replay;
    Instant first = Moments.parse("--from", from, LocalTime.MIDNIGHT);
    Instant end = Moments.parse("--to", to, LocalTime.MIDNIGHT);
    try {
      ExchangeFolders folders = new ExchangeFolders(home == null ? Bindeledd.projectHome() : home);
      Map<String, Contract> contracts = new HashMap<>();
      folders
          .all(folders.codeLists())
          .exchanges()
          .forEach((id, live) -> contracts.put(id, live.contract()));
      replay = new DecisionReplay(contracts, PolicyPack.read(policies));
    } catch (ProblemsException e) {
      e.problems().forEach(out::println);
      out.flush();
      return 2;
    }
    DecisionArchive archive = new DecisionArchive(Secrets.open(hub.secrets()).vault());
    hub.read(
        database -> {
          archive.read(database, first, end, replay::take);
          return true;
        });
    if (json) {
      out.println(JSON.writeValueAsString(json(replay)));
    } else {
      print(out, replay);
    }
    out.flush();
    return 0;
  }

  private static void print(PrintWriter out, DecisionReplay replay) {
    for (Map.Entry<DecisionReplay.Change, Long> entry : replay.inOrder()) {
      DecisionReplay.Change change = entry.getKey();
      out.printf(
          "%,10d  %-24s %-12s %s -> %s%n",
          entry.getValue(),
          change.exchange(),
          change.recipient().isEmpty() ? "(answer)" : change.recipient(),
          words(change.was()),
          change.fields() ? "the same, with other fields withheld" : words(change.wouldBe()));
    }
    long changed = replay.changes().values().stream().mapToLong(Long::longValue).sum();
    out.printf(
        "%d of %d decisions would have come out otherwise; %d could not be made again%n",
        changed, replay.replayed(), replay.unknown());
  }

  private static String words(DecisionReplay.Result result) {
    return result.outcome() + (isSame(result) ? "" : " " + result.reason());
  }

  private static boolean isSame(DecisionReplay.Result result) {
    return result.outcome().name().equals(result.reason().name());
  }

  private static ObjectNode json(DecisionReplay replay) {
    ObjectNode json = JSON.createObjectNode();
    json.put("replayed", replay.replayed());
    json.put("unknown", replay.unknown());
    ArrayNode changes = json.putArray("changes");
    for (Map.Entry<DecisionReplay.Change, Long> entry : replay.inOrder()) {
      DecisionReplay.Change change = entry.getKey();
      changes
          .addObject()
          .put("exchange", change.exchange())
          .put("recipient", change.recipient())
          .put("was", change.was().outcome().name())
          .put("wasReason", change.was().reason().name())
          .put("wouldBe", change.wouldBe().outcome().name())
          .put("wouldBeReason", change.wouldBe().reason().name())
          .put("onlyFields", change.fields())
          .put("count", entry.getValue());
    }
    return json;
  }
}
