package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonMetaSchema;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.NonValidationKeyword;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.InputStream;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import no.bindeledd.gate.RouteYaml.Entry;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * The words of a route file, before Camel reads it: one route, only listed words, and Camel's own
 * JSON Schema for the rest. Thread-safe; making one takes about half a second.
 */
final class RouteWords {
  private static final Set<String> FILE_WORDS = Set.of("route");
  private static final Set<String> ROUTE_WORDS = Set.of("id", "description", "note", "from");
  private static final Set<String> FROM_WORDS =
      Set.of("id", "description", "note", "uri", "parameters", "steps");

  /** The steps that a route may have; also what the model may hold, see {@link RouteModel}. */
  static final Set<String> STEP_WORDS =
      Set.of("delay", "log", "removeHeader", "removeHeaders", "setHeader", "to");

  static final String STEPS_REMEDY =
      "a route may only delay, log, set or remove a header, and then end in one 'to'";

  private final JsonSchema schema;
  private final Map<String, Set<String>> dslWords;

  RouteWords() {
    // Loading every definition up front takes seconds; a route uses few of them.
    SchemaValidatorsConfig config =
        SchemaValidatorsConfig.builder().preloadJsonSchema(false).build();
    JsonMetaSchema draft4 =
        JsonMetaSchema.builder(JsonMetaSchema.getV4())
            .keyword(new NonValidationKeyword("deprecated"))
            .build();
    JsonSchemaFactory factory =
        JsonSchemaFactory.builder()
            .defaultMetaSchemaIri(draft4.getIri())
            .metaSchema(draft4)
            .build();
    try (InputStream in = RouteWords.class.getResourceAsStream("/schema/camelYamlDsl.json")) {
      schema =
          factory.getSchema(
              Objects.requireNonNull(in, "camel-yaml-dsl is not on the class path"), config);
    } catch (IOException e) {
      throw new IllegalStateException("cannot read Camel's YAML schema", e);
    }
    var items = schema.getSchemaNode().path("items");
    Map<String, Set<String>> words = new HashMap<>();
    words.put("file", names(items.path("properties")));
    String model = "org.apache.camel.model.";
    words.put("route", names(items.at("/definitions/" + model + "RouteDefinition/properties")));
    words.put("from", names(items.at("/definitions/" + model + "FromDefinition/properties")));
    words.put("step", names(items.at("/definitions/" + model + "ProcessorDefinition/properties")));
    dslWords = Map.copyOf(words);
  }

  private static Set<String> names(JsonNode properties) {
    Set<String> names = new TreeSet<>();
    properties.fieldNames().forEachRemaining(names::add);
    return names;
  }

  void check(RouteYaml yaml, RouteFindings findings) {
    checkWords(yaml.root(), findings);
    if (findings.none()) {
      checkSchema(yaml, findings);
    }
  }

  private void checkWords(Node root, RouteFindings findings) {
    List<Node> items = RouteYaml.items(root);
    if (!(root instanceof SequenceNode) || items.isEmpty()) {
      findings.add(
          RouteYaml.line(root),
          "the file is not a list of one route",
          "begin it with '- route:'; other kinds of Camel files are not loaded");
      return;
    }
    for (Node item : items) {
      checkWords(
          findings, item, "file", FILE_WORDS, "", "a route file holds one '- route:' and no more");
    }
    if (items.size() > 1 && findings.none()) {
      findings.add(
          RouteYaml.line(items.get(1)),
          "the file holds more than one entry",
          "write each route in a file of its own");
    }
    Entry route = RouteYaml.entry(items.get(0), "route");
    if (!findings.none() || route == null) {
      return;
    }
    checkWords(
        findings,
        route.value(),
        "route",
        ROUTE_WORDS,
        "the route's ",
        "remove it; the hub decides it");
    Entry from = RouteYaml.entry(route.value(), "from");
    if (from == null) {
      findings.add(route.line(), "the route has no 'from'", "say where it receives from");
      return;
    }
    checkWords(
        findings, from.value(), "from", FROM_WORDS, "from's ", "remove it; the hub decides it");
    Entry steps = RouteYaml.entry(from.value(), "steps");
    if (steps == null || RouteYaml.items(steps.value()).isEmpty()) {
      findings.add(from.line(), "the route has no steps", "end it with one 'to'");
      return;
    }
    int number = 0;
    for (Node step : RouteYaml.items(steps.value())) {
      number++;
      checkWords(findings, step, "step", STEP_WORDS, "step " + number + " ", STEPS_REMEDY);
      if (RouteYaml.entries(step).size() > 1 && findings.none()) {
        findings.add(
            RouteYaml.line(step),
            "step " + number + " holds more than one word",
            "begin each step with its own '-'");
      }
    }
  }

  private void checkWords(
      RouteFindings findings,
      Node node,
      String level,
      Set<String> allowed,
      String where,
      String remedy) {
    if (!(node instanceof MappingNode) || RouteYaml.entries(node).isEmpty()) {
      findings.add(
          RouteYaml.line(node),
          (where.isEmpty() ? "the entry " : where) + "is empty or not a mapping",
          "write it as 'word:' with its content below");
      return;
    }
    Set<String> known = dslWords.getOrDefault(level, Set.of());
    for (Entry entry : RouteYaml.entries(node)) {
      String word = entry.key();
      if (allowed.contains(word)) {
        continue;
      }
      String shown = where + "'" + Words.quotable(word) + "'";
      if (known.contains(word)) {
        findings.add(entry.line(), shown + " is not allowed", remedy);
        continue;
      }
      String near = Words.nearest(word, allowed);
      findings.add(
          entry.line(),
          shown + " is not a word that Camel knows here",
          near == null ? remedy : "did you mean '" + near + "'?");
    }
  }

  private void checkSchema(RouteYaml yaml, RouteFindings findings) {
    Map<Integer, ValidationMessage> perLine = new LinkedHashMap<>();
    for (ValidationMessage message : schema.validate(yaml.json())) {
      int line = schemaLine(yaml, message);
      perLine.merge(line, message, (a, b) -> rank(a) <= rank(b) ? a : b);
    }
    perLine.forEach(
        (line, message) -> {
          String property = message.getProperty();
          String step = stepAt(message.getInstanceLocation().toString());
          switch (message.getType()) {
            case "additionalProperties" ->
                findings.add(
                    line,
                    step + "'" + Words.quotable(property) + "' is not a word that Camel knows here",
                    "remove it, or correct the spelling");
            case "required" ->
                findings.add(
                    line, step + "'" + Words.quotable(property) + "' is missing", "add it");
            default ->
                findings.add(
                    line,
                    step + "the value does not fit Camel's schema (" + message.getType() + ")",
                    "write it as the Camel YAML reference for this word says");
          }
        });
  }

  private static int schemaLine(RouteYaml yaml, ValidationMessage message) {
    String pointer = pointer(message);
    return message.getType().equals("additionalProperties")
        ? yaml.lineAt(pointer + "/" + message.getProperty())
        : yaml.lineAt(pointer);
  }

  private static String pointer(ValidationMessage message) {
    StringBuilder pointer = new StringBuilder();
    var path = message.getInstanceLocation();
    for (int i = 0; i < path.getNameCount(); i++) {
      String name = path.getName(i).toString();
      pointer.append('/').append(name.replace("~", "~0").replace("/", "~1"));
    }
    return pointer.toString();
  }

  private static int rank(ValidationMessage message) {
    return switch (message.getType()) {
      case "additionalProperties" -> 0;
      case "required" -> 1;
      case "enum" -> 2;
      default -> 3;
    };
  }

  private static String stepAt(String location) {
    Matcher step = Pattern.compile("steps[\\[/.](\\d+)").matcher(location);
    return step.find() ? "step " + (Integer.parseInt(step.group(1)) + 1) + " " : "";
  }
}
