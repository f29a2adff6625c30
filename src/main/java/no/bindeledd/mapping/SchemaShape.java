package no.bindeledd.mapping;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a JSON Schema says can stand at one place: used at load time to ask whether a path can exist
 * at all. Branches ({@code allOf}, {@code anyOf}, {@code oneOf}, {@code if}) count together: what
 * one of them knows is known. Immutable.
 */
final class SchemaShape {
  private static final int MAX_DEPTH = 32;

  private final JsonNode root;

  /** Empty means: anything. */
  private final List<JsonNode> schemas;

  private SchemaShape(JsonNode root, List<JsonNode> schemas) {
    this.root = root;
    this.schemas = schemas;
  }

  static SchemaShape of(JsonNode root) {
    return new SchemaShape(root, List.of()).of(List.of(root));
  }

  /** The member of that name; null when the schema does not know one. */
  @Nullable SchemaShape member(String name) {
    if (schemas.isEmpty()) {
      return this;
    }
    List<JsonNode> found = new ArrayList<>();
    boolean open = false;
    boolean closed = false;
    for (JsonNode schema : schemas) {
      JsonNode child = schema.path("properties").get(name);
      if (child != null) {
        found.add(child);
      }
      open |= isOpen(schema, "additionalProperties") || isOpen(schema, "unevaluatedProperties");
      open |= schema.has("patternProperties");
      closed |= schema.has("properties") || isFalse(schema, "additionalProperties");
      closed |= excludes(schema, "object");
    }
    if (!found.isEmpty()) {
      return of(found);
    }
    return open || !closed ? anything() : null;
  }

  /** Any element of the list; null when what stands here is not a list. */
  @Nullable SchemaShape element() {
    if (schemas.isEmpty()) {
      return this;
    }
    List<JsonNode> found = new ArrayList<>();
    boolean open = false;
    boolean closed = false;
    for (JsonNode schema : schemas) {
      JsonNode items = schema.get("items");
      if (items != null && items.isObject()) {
        found.add(items);
      }
      open |= schema.has("prefixItems");
      closed |= excludes(schema, "array");
    }
    if (open || found.isEmpty()) {
      return closed ? null : anything();
    }
    return of(found);
  }

  private SchemaShape anything() {
    return new SchemaShape(root, List.of());
  }

  private SchemaShape of(List<JsonNode> found) {
    List<JsonNode> flat = new ArrayList<>();
    for (JsonNode schema : found) {
      flatten(schema, flat, 0);
    }
    return new SchemaShape(root, flat);
  }

  private void flatten(JsonNode schema, List<JsonNode> flat, int depth) {
    if (depth > MAX_DEPTH || !schema.isObject()) {
      return;
    }
    flat.add(schema);
    JsonNode ref = schema.get("$ref");
    if (ref != null) {
      flatten(resolve(root, ref.asText()), flat, depth + 1);
    }
    for (String branches : List.of("allOf", "anyOf", "oneOf")) {
      for (JsonNode branch : schema.path(branches)) {
        flatten(branch, flat, depth + 1);
      }
    }
    for (String branch : List.of("if", "then", "else")) {
      flatten(schema.path(branch), flat, depth + 1);
    }
  }

  /** What a reference within the file means; a missing node when there is nothing. */
  static JsonNode resolve(JsonNode root, String ref) {
    if (ref.equals("#")) {
      return root;
    }
    try {
      return root.at(JsonPointer.compile(ref.startsWith("#") ? ref.substring(1) : ref));
    } catch (IllegalArgumentException notAPointer) {
      return root.path("");
    }
  }

  private static boolean isOpen(JsonNode schema, String keyword) {
    return schema.has(keyword) && !isFalse(schema, keyword);
  }

  private static boolean isFalse(JsonNode schema, String keyword) {
    return schema.path(keyword).isBoolean() && !schema.path(keyword).booleanValue();
  }

  private static boolean excludes(JsonNode schema, String type) {
    JsonNode types = schema.get("type");
    if (types == null) {
      return false;
    }
    if (types.isTextual()) {
      return !types.asText().equals(type);
    }
    for (JsonNode one : types) {
      if (one.asText().equals(type)) {
        return false;
      }
    }
    return true;
  }
}
