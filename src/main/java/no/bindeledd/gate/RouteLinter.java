package no.bindeledd.gate;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.gate.RouteFile.Direction;
import org.apache.camel.StartupSummaryLevel;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RoutesDefinition;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.Node;

/**
 * Proves that a route file holds no way round the gate. Default deny, in three steps, each on what
 * the one before let through:
 *
 * <ol>
 *   <li>the words of the file, with exact lines: plain YAML, one route, only listed words, and
 *       Camel's own JSON Schema for the rest (a file is never loaded before that, as other words
 *       can make Camel create beans);
 *   <li>Camel's model, read by Camel's loader into a context that is never started: every class and
 *       every set field must be listed;
 *   <li>what the model says: a receiving route goes from an outside channel to {@code
 *       gate:<exchange>?from=<sender>}, a delivering route from {@code gate:<exchange>?to=<name>}
 *       to that recipient's address in the contract; harmless steps have constant arguments;
 *       endpoint options stand on a list per scheme.
 * </ol>
 *
 * Never throws for what a file holds. Thread-safe; holds no state but the schema and the catalog,
 * so one instance serves the whole process. Creating one takes about half a second.
 */
public final class RouteLinter {
  private final EndpointOptions options = new EndpointOptions();
  private final RouteWords words = new RouteWords();

  /**
   * What the linter found in one file.
   *
   * @param problems empty when the file is proved
   * @param route the proved file; empty when there are problems
   */
  public record Result(List<Problem> problems, Optional<RouteFile> route) {
    public Result {
      problems = List.copyOf(problems);
    }
  }

  /** The problems of one route file; empty when it holds no way round the gate. */
  public List<Problem> lint(Path routeFile, Contract contract, Placeholders placeholders) {
    return check(routeFile, contract, placeholders).problems();
  }

  /** Reads the file once and proves what was read. */
  public Result check(Path routeFile, Contract contract, Placeholders placeholders) {
    RouteFindings findings = new RouteFindings(routeFile);
    RouteFile route = null;
    try {
      route = examine(routeFile, contract, placeholders, findings);
    } catch (RuntimeException | StackOverflowError e) {
      // Default deny: what surprises the linter is refused like what it knows to be wrong.
      findings.add(
          0,
          "the file cannot be judged (" + e.getClass().getSimpleName() + ")",
          "write it like the routes in the project's own routes/ folder");
    }
    return new Result(
        findings.sorted(), findings.none() ? Optional.ofNullable(route) : Optional.empty());
  }

  /**
   * What the linter found in the route files of one exchange, each alone and all together.
   *
   * @param files the proved files, in the order given; empty when there are problems
   */
  public record FolderResult(List<Problem> problems, List<RouteFile> files) {
    public FolderResult {
      problems = List.copyOf(problems);
      files = List.copyOf(files);
    }
  }

  /**
   * Judges all route files of one exchange: each file, then that route ids are unique and that each
   * recipient has exactly one delivering route (without one its messages would wait for ever, with
   * two they would race).
   */
  public FolderResult checkFolder(
      Contract contract, Collection<Path> files, Placeholders placeholders) {
    List<Problem> problems = new ArrayList<>();
    List<RouteFile> proved = new ArrayList<>();
    for (Path file : files) {
      Result result = check(file, contract, placeholders);
      problems.addAll(result.problems());
      result.route().ifPresent(proved::add);
    }
    Map<String, Path> ids = new HashMap<>();
    Map<String, Path> recipients = new HashMap<>();
    for (RouteFile route : proved) {
      Path first = ids.putIfAbsent(route.routeId(), route.path());
      if (first != null) {
        problems.add(
            new Problem(
                route.path(),
                0,
                "the route id '" + route.routeId() + "' is also used in " + first.getFileName(),
                "give each route its own id"));
      }
      if (route.direction() == Direction.DELIVERING) {
        Path other = recipients.putIfAbsent(route.party(), route.path());
        if (other != null) {
          problems.add(
              new Problem(
                  route.path(),
                  0,
                  "the recipient '"
                      + route.party()
                      + "' is also delivered to in "
                      + other.getFileName(),
                  "keep one delivering route for each recipient"));
        }
      }
    }
    if (problems.isEmpty()) {
      for (Contract.Recipient recipient : contract.to()) {
        if (!recipients.containsKey(recipient.name())) {
          problems.add(
              new Problem(
                  contract.folder().resolve("exchange.yaml"),
                  0,
                  "no route delivers to the recipient '" + recipient.name() + "'",
                  "add deliver-"
                      + recipient.name()
                      + ".camel.yaml with a route from gate:"
                      + contract.id()
                      + "?to="
                      + recipient.name()));
        }
      }
    }
    return new FolderResult(problems, problems.isEmpty() ? proved : List.of());
  }

  /** Reads text into Camel's model in a context that is made for this and never started. */
  static RoutesDefinition loadApart(Path file, String text) throws RouteModel.NotLoadable {
    try (DefaultCamelContext scratch = new DefaultCamelContext(false)) {
      scratch.disableJMX();
      scratch.setStartupSummaryLevel(StartupSummaryLevel.Off);
      scratch.setLoadTypeConverters(false);
      scratch.build();
      return RouteModel.load(scratch, file, text);
    } catch (IOException e) {
      throw new RouteModel.NotLoadable("Camel's scratch context cannot be closed", e);
    }
  }

  /** Returns null when it has found something. */
  private @Nullable RouteFile examine(
      Path file, Contract contract, Placeholders placeholders, RouteFindings findings) {
    String text = text(file, findings);
    if (text == null) {
      return null;
    }
    RouteYaml yaml;
    try {
      yaml = RouteYaml.parse(text);
    } catch (RouteYaml.NotPlain e) {
      findings.add(e.line(), e.what(), e.remedy());
      return null;
    }
    words.check(yaml, findings);
    RouteDefinition route = findings.none() ? model(file, yaml, text, findings) : null;
    if (route == null) {
      return null;
    }
    RouteWay way = new RouteWay(contract, placeholders, options, findings);
    way.check(yaml, route);
    return findings.none()
        ? new RouteFile(file, contract.id(), way.direction(), way.party(), route.getRouteId(), text)
        : null;
  }

  private static @Nullable String text(Path file, RouteFindings findings) {
    try {
      if (Files.size(file) > RouteYaml.MAX_BYTES) {
        findings.add(0, "the file is larger than 64 KiB", "a route file holds one short route");
        return null;
      }
      byte[] bytes = Files.readAllBytes(file);
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      findings.add(0, "the file is not UTF-8 text", "save it as UTF-8");
    } catch (IOException e) {
      findings.add(
          0, "the file cannot be read", "check that it exists and that the hub may read it");
    }
    return null;
  }

  private static @Nullable RouteDefinition model(
      Path file, RouteYaml yaml, String text, RouteFindings findings) {
    try {
      RoutesDefinition routes = loadApart(file, text);
      for (RouteModel.Finding finding : RouteModel.unlisted(routes)) {
        String step = finding.step() < 0 ? "" : "step " + (finding.step() + 1) + " ";
        findings.add(findingLine(yaml, finding), step + finding.what(), finding.remedy());
      }
      if (routes.getRoutes().size() != 1) {
        findings.add(0, "Camel does not read one route from the file", "write one '- route:'");
        return null;
      }
      RouteDefinition route = routes.getRoutes().get(0);
      int steps = RouteYaml.items(yaml.steps()).size();
      if (route.getOutputs().size() != steps) {
        findings.add(0, "Camel reads other steps than the file shows", RouteWords.STEPS_REMEDY);
      }
      return findings.none() ? route : null;
    } catch (RouteModel.NotLoadable e) {
      findings.add(
          0, Objects.requireNonNullElse(e.getMessage(), ""), "write it like the other routes");
      return null;
    }
  }

  /** Where the word of the finding stands, or else its step. */
  private static int findingLine(RouteYaml yaml, RouteModel.Finding finding) {
    List<Node> steps = RouteYaml.items(yaml.steps());
    int line = yaml.stepLine(finding.step());
    return line == 0 ? 0 : RouteYaml.lineOf(steps.get(finding.step()), finding.word(), line);
  }
}
