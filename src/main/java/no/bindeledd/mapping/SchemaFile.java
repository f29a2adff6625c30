package no.bindeledd.mapping;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.YamlSource;
import org.jspecify.annotations.Nullable;

/**
 * A {@code *.schema.json} file, checked more strictly than the standard asks: draft 2020-12, no
 * misspelled keywords (the standard ignores them), and references only within the file, so that
 * nothing is ever fetched.
 */
final class SchemaFile {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private static final String DRAFT = "https://json-schema.org/draft/2020-12/schema";
  private static final int MAX_DEPTH = 48;

  private static final Set<String> ONE_SCHEMA =
      Set.of(
          "items",
          "additionalProperties",
          "contains",
          "not",
          "if",
          "then",
          "else",
          "propertyNames",
          "unevaluatedItems",
          "unevaluatedProperties");
  private static final Set<String> NAMED_SCHEMAS =
      Set.of("properties", "patternProperties", "$defs", "dependentSchemas");
  private static final Set<String> LISTED_SCHEMAS =
      Set.of("allOf", "anyOf", "oneOf", "prefixItems");
  private static final Set<String> OTHERS =
      Set.of(
          "$schema",
          "$id",
          "$ref",
          "$comment",
          "$anchor",
          "title",
          "description",
          "default",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "type",
          "enum",
          "const",
          "format",
          "pattern",
          "minLength",
          "maxLength",
          "minimum",
          "maximum",
          "exclusiveMinimum",
          "exclusiveMaximum",
          "multipleOf",
          "required",
          "minProperties",
          "maxProperties",
          "dependentRequired",
          "minItems",
          "maxItems",
          "uniqueItems",
          "minContains",
          "maxContains");

  private final Path file;
  private final byte[] bytes;
  private final JsonNode tree;

  private SchemaFile(Path file, byte[] bytes, JsonNode tree) {
    this.file = file;
    this.bytes = bytes;
    this.tree = tree;
  }

  /** The schema, or null after adding what is wrong to the problems. */
  static @Nullable SchemaFile read(Path file, List<Problem> problems) {
    byte[] bytes;
    JsonNode tree;
    try {
      bytes = Files.readAllBytes(file);
      tree = JSON.readTree(bytes);
    } catch (NoSuchFileException e) {
      problems.add(new Problem(file, 0, "the schema file does not exist", "create it"));
      return null;
    } catch (JsonProcessingException e) {
      JsonLocation at = e.getLocation();
      problems.add(
          new Problem(
              file,
              at == null ? 0 : at.getLineNr(),
              "the schema is not JSON: " + e.getOriginalMessage(),
              "correct the syntax"));
      return null;
    } catch (IOException e) {
      problems.add(new Problem(file, 0, "the schema cannot be read", "check permissions"));
      return null;
    }
    SchemaFile schema = new SchemaFile(file, bytes, tree);
    int before = problems.size();
    schema.check(problems);
    return problems.size() > before ? null : schema;
  }

  byte[] bytes() {
    return bytes;
  }

  JsonNode tree() {
    return tree;
  }

  /** A problem with the line of the place it speaks of. */
  Problem problem(String pointer, String what, String remedy) {
    int line = 0;
    try {
      line = YamlSource.read(file).line(pointer);
    } catch (ProblemsException linesUnknown) {
      // JSON that YAML reads otherwise: the pointer in the text must do
    }
    return new Problem(file, line, what, remedy);
  }

  private void check(List<Problem> problems) {
    JsonNode draft = tree.get("$schema");
    if (!tree.isObject() || (draft != null && !draft.asText().equals(DRAFT))) {
      problems.add(
          problem("/$schema", "the schema is not one of draft 2020-12", "set $schema to " + DRAFT));
      return;
    }
    Validator.Finding finding = Validator.ofSchemas().check(tree);
    if (finding != null) {
      problems.add(
          problem(finding.pointer(), "the schema is not valid: " + finding, "correct the keyword"));
      return;
    }
    checkWords(tree, "", problems);
  }

  private void checkWords(JsonNode schema, String at, List<Problem> problems) {
    for (Map.Entry<String, JsonNode> entry : schema.properties()) {
      String keyword = entry.getKey();
      String below = at + "/" + YamlSource.token(keyword);
      JsonNode value = entry.getValue();
      if (ONE_SCHEMA.contains(keyword)) {
        checkWords(value, below, problems);
      } else if (NAMED_SCHEMAS.contains(keyword)) {
        for (Map.Entry<String, JsonNode> named : value.properties()) {
          checkWords(named.getValue(), below + "/" + YamlSource.token(named.getKey()), problems);
        }
      } else if (LISTED_SCHEMAS.contains(keyword)) {
        for (int i = 0; i < value.size(); i++) {
          checkWords(value.get(i), below + "/" + i, problems);
        }
      } else if (!OTHERS.contains(keyword) && !keyword.startsWith("x-")) {
        problems.add(
            problem(
                below,
                "unknown keyword '" + keyword + "'",
                "use a keyword of JSON Schema 2020-12, or begin its name with x-"));
      } else if (keyword.equals("$ref")) {
        checkReference(value.asText(), below, problems);
      }
    }
  }

  private void checkReference(String ref, String at, List<Problem> problems) {
    if (!ref.startsWith("#") || SchemaShape.resolve(tree, ref).isMissingNode()) {
      problems.add(
          problem(
              at,
              "'" + ref + "' does not lead to a place in this file",
              "refer to #/$defs/<name>; nothing outside the file is read"));
    }
  }

  /**
   * The schema with every reference replaced by what it means, so that each place has its own copy;
   * null after adding a problem when it refers to itself.
   */
  @Nullable ObjectNode inlined(List<Problem> problems) {
    JsonNode inlined = inline(tree, 0);
    if (inlined instanceof ObjectNode object) {
      object.remove("$defs");
      return object;
    }
    problems.add(
        problem("", "the schema refers to itself", "write out as many levels as may leave"));
    return null;
  }

  private @Nullable JsonNode inline(JsonNode schema, int depth) {
    if (depth > MAX_DEPTH) {
      return null;
    }
    if (!schema.isObject()) {
      return schema;
    }
    ObjectNode copy = JsonNodeFactory.instance.objectNode();
    for (Map.Entry<String, JsonNode> entry : schema.properties()) {
      String keyword = entry.getKey();
      JsonNode value = entry.getValue();
      JsonNode replaced = value;
      if (ONE_SCHEMA.contains(keyword)) {
        replaced = inline(value, depth + 1);
      } else if (NAMED_SCHEMAS.contains(keyword) && !keyword.equals("$defs")) {
        replaced = inlineNamed(value, depth + 1);
      } else if (LISTED_SCHEMAS.contains(keyword)) {
        replaced = inlineListed(value, depth + 1);
      } else if (keyword.equals("$ref")) {
        replaced = inline(SchemaShape.resolve(tree, value.asText()), depth + 1);
      }
      if (replaced == null) {
        return null;
      }
      copy.set(keyword, replaced);
    }
    JsonNode target = copy.remove("$ref");
    if (target == null) {
      return copy;
    }
    if (copy.isEmpty()) {
      return target;
    }
    ArrayNode all = copy.withArray("allOf");
    all.add(target);
    return copy;
  }

  private @Nullable JsonNode inlineNamed(JsonNode schemas, int depth) {
    ObjectNode copy = JsonNodeFactory.instance.objectNode();
    for (Map.Entry<String, JsonNode> entry : schemas.properties()) {
      JsonNode one = inline(entry.getValue(), depth);
      if (one == null) {
        return null;
      }
      copy.set(entry.getKey(), one);
    }
    return copy;
  }

  private @Nullable JsonNode inlineListed(JsonNode schemas, int depth) {
    ArrayNode copy = JsonNodeFactory.instance.arrayNode();
    for (JsonNode schema : schemas) {
      JsonNode one = inline(schema, depth);
      if (one == null) {
        return null;
      }
      copy.add(one);
    }
    return copy;
  }
}
