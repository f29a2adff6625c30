package no.bindeledd.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonNodePath;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.PathType;
import com.networknt.schema.SchemaId;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import com.networknt.schema.ValidationMessage;
import java.util.HashSet;
import java.util.Iterator;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A compiled JSON Schema, draft 2020-12, that stops at the first finding and asserts formats. A
 * value that follows the schema is known by a {@link Glance} where the schema has one. Immutable,
 * safe on any thread.
 */
final class Validator {
  private static final int MAX_EXPECTED = 200;

  private final JsonSchema schema;
  private final @Nullable Glance glance;
  private final Set<String> names = new HashSet<>();

  private Validator(JsonSchema schema, JsonNode tree) {
    this.schema = schema;
    this.glance = Glance.compile(tree);
    collectNames(tree);
  }

  static Validator of(JsonNode tree) {
    JsonSchema schema = factory().getSchema(tree, config());
    schema.initializeValidators();
    return new Validator(schema, tree);
  }

  /** The schema of schemas. */
  static Validator ofSchemas() {
    JsonSchema schema = factory().getSchema(SchemaLocation.of(SchemaId.V202012), config());
    return new Validator(schema, schema.getSchemaNode());
  }

  private static JsonSchemaFactory factory() {
    return JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
  }

  private static SchemaValidatorsConfig config() {
    return SchemaValidatorsConfig.builder()
        .failFast(true)
        .formatAssertionsEnabled(true)
        .locale(Locale.ROOT)
        .pathType(PathType.JSON_POINTER)
        .build();
  }

  /** The first finding, or null when the value follows the schema. */
  @Nullable Finding check(JsonNode value) {
    return glance != null && glance.follows(value) ? null : find(value);
  }

  /** What {@link #check} finds, without the short cut. */
  @Nullable Finding find(JsonNode value) {
    Set<ValidationMessage> messages = schema.validate(value);
    if (messages.isEmpty()) {
      return null;
    }
    ValidationMessage first = messages.iterator().next();
    return new Finding(pointer(first.getInstanceLocation()), first.getType(), expected(first));
  }

  /**
   * A broken rule, told by the schema's words only.
   *
   * @param pointer where; member names that the schema does not spell out are written {@code *}
   */
  record Finding(String pointer, String keyword, String expected) {
    @Override
    public String toString() {
      return (pointer.isEmpty() ? "the record" : pointer)
          + " breaks '"
          + keyword
          + "'"
          + (expected.isEmpty() ? "" : ": expected " + expected);
    }
  }

  private String pointer(JsonNodePath location) {
    StringBuilder pointer = new StringBuilder();
    for (int i = 0; i < location.getNameCount(); i++) {
      Object element = location.getElement(i);
      String name = String.valueOf(element);
      boolean ours = element instanceof Integer || names.contains(name);
      pointer.append('/').append(ours ? name.replace("~", "~0").replace("/", "~1") : "*");
    }
    return pointer.toString();
  }

  private static String expected(ValidationMessage message) {
    String keyword = message.getType();
    if (keyword.equals("required")) {
      return "member '" + message.getProperty() + "'";
    }
    if (keyword.equals("additionalProperties") || keyword.equals("unevaluatedProperties")) {
      return "no members but the schema's";
    }
    JsonNode rule = message.getSchemaNode();
    if (rule != null && rule.isObject() && rule.has(keyword)) {
      rule = rule.get(keyword);
    }
    if (rule == null || !isPlain(rule)) {
      return "";
    }
    String text = rule.toString();
    return text.length() > MAX_EXPECTED ? text.substring(0, MAX_EXPECTED) + "…" : text;
  }

  private static boolean isPlain(JsonNode rule) {
    if (rule.isValueNode()) {
      return true;
    }
    if (!rule.isArray()) {
      return false;
    }
    for (JsonNode one : rule) {
      if (!one.isValueNode()) {
        return false;
      }
    }
    return true;
  }

  private void collectNames(JsonNode node) {
    for (Iterator<String> it = node.path("properties").fieldNames(); it.hasNext(); ) {
      names.add(it.next());
    }
    for (JsonNode child : node) {
      if (child.isContainerNode()) {
        collectNames(child);
      }
    }
  }
}
