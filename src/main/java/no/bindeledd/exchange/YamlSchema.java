package no.bindeledd.exchange;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.PathType;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion.VersionFlag;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.StreamSupport;

/**
 * Holds a YAML file against one of the hub's own JSON Schemas (the same that editors use), and says
 * what is wrong in the schema's own descriptions: those are the remedies, so a schema for this
 * class describes every property, and shows examples where a form is asked for. Of JSON Schema it
 * explains {@code properties}, {@code items} and {@code $ref} into {@code #/$defs}. Immutable and
 * safe on any thread.
 */
public final class YamlSchema {
  private static final String DEFS = "#/$defs/";

  private final JsonNode source;
  private final JsonSchema schema;

  private YamlSchema(JsonNode source) {
    this.source = source;
    this.schema =
        JsonSchemaFactory.getInstance(VersionFlag.V202012)
            .getSchema(
                source,
                SchemaValidatorsConfig.builder()
                    .pathType(PathType.JSON_POINTER)
                    .locale(Locale.ROOT)
                    .build());
  }

  /** Loads a schema from the class path, such as {@code /schema/exchange.schema.json}. */
  public static YamlSchema ofResource(String name) {
    try (InputStream in = YamlSchema.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IllegalArgumentException("No schema " + name + " on the class path");
      }
      return new YamlSchema(new ObjectMapper().readTree(in));
    } catch (IOException e) {
      throw new UncheckedIOException("The schema " + name + " cannot be read", e);
    }
  }

  /** Everything that the schema has against the file; empty when it holds. */
  public List<Problem> problems(YamlSource yaml) {
    List<ValidationMessage> messages = List.copyOf(schema.validate(yaml.tree()));
    Set<String> wrongType = new HashSet<>();
    for (ValidationMessage message : messages) {
      if (message.getType().equals("type")) {
        wrongType.add(message.getInstanceLocation().toString());
      }
    }
    List<Problem> problems = new ArrayList<>();
    for (ValidationMessage message : messages) {
      boolean follows =
          !message.getType().equals("type")
              && wrongType.contains(message.getInstanceLocation().toString());
      if (!follows) {
        problems.add(problem(yaml, message));
      }
    }
    return problems;
  }

  private Problem problem(YamlSource yaml, ValidationMessage message) {
    String at = message.getInstanceLocation().toString();
    String child = at + "/" + YamlSource.token(String.valueOf(message.getProperty()));
    return switch (message.getType()) {
      case "required" -> yaml.problem(at, name(child) + " is missing", "add it: " + meaning(child));
      case "additionalProperties" ->
          yaml.problem(child, "The key " + name(child) + " is unknown", otherKeys(yaml, at));
      case "type" ->
          yaml.problem(
              at,
              name(at) + " must be " + type(at) + ", not " + type(yaml.tree().at(at)),
              "it is " + meaning(at));
      case "enum" ->
          yaml.problem(
              at,
              name(at) + " is '" + yaml.tree().at(at).asText() + "', which is no choice",
              "write " + String.join(" or ", strings(keyword(at, "enum"))));
      case "pattern" ->
          yaml.problem(at, name(at) + " does not have the right form", "it is " + meaning(at));
      case "minItems" -> yaml.problem(at, name(at) + " is empty", "it is " + meaning(at));
      default -> yaml.problem(at, name(at) + ": " + message.getError(), "it is " + meaning(at));
    };
  }

  private String otherKeys(YamlSource yaml, String at) {
    JsonNode present = yaml.tree().at(at);
    List<String> missing = new ArrayList<>();
    keyword(at, "properties")
        .fieldNames()
        .forEachRemaining(
            key -> {
              if (!present.has(key)) {
                missing.add(key);
              }
            });
    return missing.isEmpty()
        ? "remove it"
        : "remove it, or correct it to one of: " + String.join(", ", missing);
  }

  /** {@code /to/0/view} as people write it: {@code to[0].view}. */
  private static String name(String pointer) {
    StringBuilder name = new StringBuilder();
    for (String token : tokens(pointer)) {
      if (isIndex(token)) {
        name.append('[').append(token).append(']');
      } else {
        name.append(name.isEmpty() ? "" : ".").append(unescaped(token));
      }
    }
    return name.isEmpty() ? "The document" : name.toString();
  }

  private String meaning(String pointer) {
    String description = keyword(pointer, "description").asText("part of the document");
    JsonNode example = keyword(pointer, "examples").path(0);
    String sentence =
        description.substring(0, 1).toLowerCase(Locale.ROOT) + description.substring(1);
    return example.isMissingNode() ? sentence : sentence + ", such as " + example.asText();
  }

  private String type(String pointer) {
    JsonNode type = keyword(pointer, "type");
    List<String> names = type.isArray() ? strings(type) : List.of(type.asText());
    return String.join(" or ", names.stream().map(YamlSchema::typeName).toList());
  }

  private static String type(JsonNode value) {
    return typeName(value.getNodeType().name().toLowerCase(Locale.ROOT));
  }

  private static String typeName(String jsonName) {
    return switch (jsonName) {
      case "string" -> "text";
      case "object" -> "a mapping";
      case "array" -> "a list";
      case "number", "integer" -> "a number";
      case "boolean" -> "true or false";
      default -> "nothing";
    };
  }

  /**
   * The value of a keyword for the place a pointer names. What stands beside a {@code $ref} goes
   * before what it refers to.
   */
  private JsonNode keyword(String pointer, String keyword) {
    JsonNode at = source;
    for (String token : tokens(pointer)) {
      at = isIndex(token) ? find(at, "items") : find(at, "properties").path(unescaped(token));
    }
    return find(at, keyword);
  }

  private JsonNode find(JsonNode at, String keyword) {
    if (at.has(keyword) || !at.has("$ref")) {
      return at.path(keyword);
    }
    String name = at.get("$ref").asText().substring(DEFS.length());
    return find(source.path("$defs").path(name), keyword);
  }

  private static String[] tokens(String pointer) {
    return pointer.isEmpty() ? new String[0] : pointer.substring(1).split("/", -1);
  }

  private static boolean isIndex(String token) {
    return !token.isEmpty() && token.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private static String unescaped(String token) {
    return token.replace("~1", "/").replace("~0", "~");
  }

  private static List<String> strings(JsonNode array) {
    return StreamSupport.stream(array.spliterator(), false).map(JsonNode::asText).toList();
  }
}
