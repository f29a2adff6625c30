package no.bindeledd.exchange;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.file.Path;
import java.time.Period;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * Reads the contract of an exchange from {@code routes/<id>/exchange.yaml}: schema first ({@code
 * schema/exchange.schema.json}, also for editors), then the rules that a schema cannot say. Whole
 * or not at all. It does not look at the mapping files, the policies or the routes that the
 * contract names. Immutable and safe on any thread.
 */
public final class ContractReader {
  /** The contract's file in its folder. */
  public static final String FILE = "exchange.yaml";

  private final YamlSchema schema = YamlSchema.ofResource("/schema/exchange.schema.json");

  /**
   * Reads the contract of one folder.
   *
   * @throws ProblemsException with everything that is wrong, in the order of the lines
   */
  public Contract read(Path folder) {
    YamlSource yaml = YamlSource.read(folder.resolve(FILE));
    List<Problem> problems = new ArrayList<>(schema.problems(yaml));
    problems.addAll(ContractRules.problems(yaml, name(folder)));
    if (!problems.isEmpty()) {
      problems.sort(Comparator.comparingInt(Problem::line));
      throw new ProblemsException(problems);
    }
    return contract(yaml.tree(), folder);
  }

  private static String name(Path folder) {
    Path name = folder.toAbsolutePath().normalize().getFileName();
    return name == null ? "" : name.toString();
  }

  private static Contract contract(JsonNode node, Path folder) {
    return new Contract(
        text(node, "id"),
        text(node, "code"),
        new Text(text(node.path("title"), "nb"), text(node.path("title"), "en")),
        Contract.Mode.valueOf(text(node, "mode")),
        text(node, "purpose"),
        input(node.path("input")),
        pointer(node, "subject"),
        pointer(node, "messageId"),
        pointer(node, "receiver"),
        pointer(node, "birthDate"),
        node.has("match") ? match(node.path("match")) : null,
        list(node.path("from"), ContractReader::sender),
        list(node.path("to"), ContractReader::recipient),
        node.has("answer") ? view(node.path("answer")) : null,
        node.has("deadline") ? deadline(node.path("deadline")) : null,
        node.has("answers") ? answers(node.path("answers")) : null,
        node.has("single") ? single(node.path("single")) : null,
        Period.parse(text(node, "retention")),
        folder);
  }

  private static Contract.Input input(JsonNode node) {
    JsonNode profile = node.path("profile");
    return new Contract.Input(
        text(node, "format"),
        text(node, "schema"),
        pointer(node, "records"),
        profile.isMissingNode() ? JsonNodeFactory.instance.objectNode() : profile);
  }

  private static Contract.Match match(JsonNode node) {
    return new Contract.Match(
        JsonPointer.compile(text(node, "counterpart")),
        JsonPointer.compile(text(node, "list")),
        JsonPointer.compile(text(node, "code")));
  }

  private static Contract.Deadline deadline(JsonNode node) {
    return new Contract.Deadline(
        JsonPointer.compile(text(node, "reference")),
        pointer(node, "starts"),
        text(node.path("rule"), "group"),
        text(node.path("rule"), "deadline"),
        text(node, "notice"));
  }

  private static Contract.Answers answers(JsonNode node) {
    return new Contract.Answers(
        text(node, "exchange"), JsonPointer.compile(text(node, "reference")));
  }

  private static Contract.Single single(JsonNode node) {
    return new Contract.Single(
        JsonPointer.compile(text(node, "holder")), JsonPointer.compile(text(node, "ended")));
  }

  private static Contract.Sender sender(JsonNode node) {
    return new Contract.Sender(
        text(node, "name"),
        AgencyKind.valueOf(text(node, "kind")),
        list(node.path("organisations"), n -> new OrganisationNumber(n.asText())),
        Contract.Authentication.valueOf(text(node, "authentication")),
        node.has("scope") ? text(node, "scope") : null);
  }

  private static Contract.Recipient recipient(JsonNode node) {
    return new Contract.Recipient(
        text(node, "name"),
        AgencyKind.valueOf(text(node, "kind")),
        new OrganisationNumber(text(node, "organisation")),
        text(node, "address"),
        node.path("sealed").asBoolean(),
        view(node.path("view")));
  }

  private static Contract.View view(JsonNode node) {
    return new Contract.View(
        text(node, "mapping"),
        text(node, "schema"),
        list(node.path("fields"), ContractReader::field));
  }

  private static Contract.Field field(JsonNode node) {
    return new Contract.Field(
        text(node, "path"),
        text(node, "category"),
        text(node, "meaning"),
        text(node, "example"),
        node.path("identifier").asBoolean(),
        node.path("freeText").asBoolean(),
        node.path("locating").asBoolean());
  }

  private static String text(JsonNode node, String key) {
    return node.path(key).asText();
  }

  private static @Nullable JsonPointer pointer(JsonNode node, String key) {
    return node.has(key) ? JsonPointer.compile(text(node, key)) : null;
  }

  private static <T> List<T> list(JsonNode array, Function<JsonNode, T> read) {
    return StreamSupport.stream(array.spliterator(), false).map(read).toList();
  }
}
