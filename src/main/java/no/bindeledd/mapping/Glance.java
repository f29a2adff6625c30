package no.bindeledd.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;

/**
 * A schema, compiled for nearly every record: those that follow it. {@link #follows} says yes only
 * where the full {@link Validator} finds nothing; a no is no verdict, and the validator is asked,
 * which also knows what to say about it. One pass over the members, no paths, no messages.
 *
 * <p>Knows the keywords in {@link #compile}. A schema with any other assertion has no glance.
 * Immutable once compiled, safe on any thread.
 */
final class Glance {
  private static final int STRING = 1;
  private static final int INTEGER = 1 << 1;
  private static final int NUMBER = 1 << 2;
  private static final int BOOLEAN = 1 << 3;
  private static final int NULL = 1 << 4;
  private static final int OBJECT = 1 << 5;
  private static final int ARRAY = 1 << 6;
  private static final int ANY = (1 << 7) - 1;
  private static final int MOST_REQUIRED = 64;
  private static final int DATE = 10;

  private int types = ANY;
  private @Nullable Set<JsonNode> values;
  private int shortest;
  private int longest = Integer.MAX_VALUE;
  private final List<Predicate<String>> texts = new ArrayList<>();
  private @Nullable BigDecimal least;
  private @Nullable BigDecimal most;
  private @Nullable BigDecimal above;
  private @Nullable BigDecimal below;
  private final Map<String, Member> members = new HashMap<>();
  private long required;
  private @Nullable Glance otherMembers;
  private int fewestMembers;
  private int mostMembers = Integer.MAX_VALUE;
  private @Nullable Glance elements;
  private int fewestElements;
  private int mostElements = Integer.MAX_VALUE;
  private final List<Glance> all = new ArrayList<>();

  /**
   * @param bit of {@link #required}; 0 when the member may be missing
   */
  private record Member(@Nullable Glance glance, long bit) {}

  private Glance() {}

  /** Compiles a schema document; null when it asserts something that is not known here. */
  static @Nullable Glance compile(JsonNode root) {
    try {
      return new Compiler(root).glance(root);
    } catch (Unknown e) {
      return null;
    }
  }

  /** Yes, or perhaps not. */
  boolean follows(JsonNode node) {
    if ((types & typesOf(node)) == 0 || (values != null && !values.contains(node))) {
      return false;
    }
    for (int i = 0; i < all.size(); i++) {
      if (!all.get(i).follows(node)) {
        return false;
      }
    }
    return switch (node.getNodeType()) {
      case STRING -> followsAsText(node.textValue());
      case NUMBER -> followsAsNumber(node);
      case OBJECT -> followsAsObject((ObjectNode) node);
      case ARRAY -> followsAsArray((ArrayNode) node);
      case BOOLEAN, NULL -> true;
      case BINARY, MISSING, POJO -> false;
    };
  }

  private static int typesOf(JsonNode node) {
    return switch (node.getNodeType()) {
      case STRING -> STRING;
      case NUMBER -> node.isIntegralNumber() ? INTEGER | NUMBER : NUMBER;
      case OBJECT -> OBJECT;
      case ARRAY -> ARRAY;
      case BOOLEAN -> BOOLEAN;
      case NULL -> NULL;
      case BINARY, MISSING, POJO -> 0;
    };
  }

  private boolean followsAsText(String text) {
    if (shortest > 0 || longest < text.length()) {
      int length = text.codePointCount(0, text.length());
      if (length < shortest || length > longest) {
        return false;
      }
    }
    for (int i = 0; i < texts.size(); i++) {
      if (!texts.get(i).test(text)) {
        return false;
      }
    }
    return true;
  }

  private boolean followsAsNumber(JsonNode node) {
    if (least == null && most == null && above == null && below == null) {
      return true;
    }
    if (!node.isIntegralNumber() && !node.isBigDecimal() && !Double.isFinite(node.doubleValue())) {
      return false;
    }
    BigDecimal value = node.decimalValue();
    return (least == null || value.compareTo(least) >= 0)
        && (most == null || value.compareTo(most) <= 0)
        && (above == null || value.compareTo(above) > 0)
        && (below == null || value.compareTo(below) < 0);
  }

  private boolean followsAsObject(ObjectNode node) {
    if (node.size() < fewestMembers || node.size() > mostMembers) {
      return false;
    }
    long missing = required;
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      Member member = members.get(entry.getKey());
      Glance glance = otherMembers;
      if (member != null) {
        missing &= ~member.bit();
        glance = member.glance() == null ? otherMembers : member.glance();
      }
      if (glance != null && !glance.follows(entry.getValue())) {
        return false;
      }
    }
    return missing == 0;
  }

  private boolean followsAsArray(ArrayNode node) {
    if (node.size() < fewestElements || node.size() > mostElements) {
      return false;
    }
    if (elements != null) {
      for (int i = 0; i < node.size(); i++) {
        if (!elements.follows(node.get(i))) {
          return false;
        }
      }
    }
    return true;
  }

  /** The schema asserts something that only the full validator can judge. */
  private static final class Unknown extends Exception {
    private static final long serialVersionUID = 1L;
  }

  /** Each place of the document is compiled once, so that a schema may refer to itself. */
  private static final class Compiler {
    private final JsonNode root;
    private final Map<String, Glance> referred = new HashMap<>();

    Compiler(JsonNode root) {
      this.root = root;
    }

    Glance glance(JsonNode schema) throws Unknown {
      Glance glance = new Glance();
      fill(glance, schema);
      return glance;
    }

    private void fill(Glance glance, JsonNode schema) throws Unknown {
      if (schema.isBoolean()) {
        glance.types = schema.booleanValue() ? ANY : 0;
        return;
      }
      if (!schema.isObject()) {
        throw new Unknown();
      }
      for (Map.Entry<String, JsonNode> entry : schema.properties()) {
        assertion(glance, entry.getKey(), entry.getValue());
      }
    }

    private void assertion(Glance glance, String keyword, JsonNode value) throws Unknown {
      switch (keyword) {
        case "type" -> glance.types = types(value);
        case "enum" -> oneOf(glance, value);
        case "const" -> oneOf(glance, List.of(value));
        case "minLength" -> glance.shortest = count(value);
        case "maxLength" -> glance.longest = count(value);
        case "pattern" -> glance.texts.add(pattern(value.asText()));
        case "format" -> glance.texts.add(format(value.asText()));
        case "minimum" -> glance.least = number(value);
        case "maximum" -> glance.most = number(value);
        case "exclusiveMinimum" -> glance.above = number(value);
        case "exclusiveMaximum" -> glance.below = number(value);
        case "properties" -> {
          for (Map.Entry<String, JsonNode> member : value.properties()) {
            Glance inner = glance(member.getValue());
            glance.members.merge(
                member.getKey(), new Member(inner, 0), (old, now) -> new Member(inner, old.bit()));
          }
        }
        case "required" -> require(glance, value);
        case "additionalProperties" -> glance.otherMembers = glance(value);
        case "minProperties" -> glance.fewestMembers = count(value);
        case "maxProperties" -> glance.mostMembers = count(value);
        case "items" -> glance.elements = glance(value);
        case "minItems" -> glance.fewestElements = count(value);
        case "maxItems" -> glance.mostElements = count(value);
        case "allOf" -> {
          for (JsonNode one : value) {
            glance.all.add(glance(one));
          }
        }
        case "$ref" -> glance.all.add(referred(value.asText()));
        // They describe, and assert nothing.
        case "$schema",
            "$id",
            "$comment",
            "$defs",
            "title",
            "description",
            "default",
            "examples",
            "deprecated" -> {}
        default -> {
          if (!keyword.startsWith("x-")) {
            throw new Unknown();
          }
        }
      }
    }

    private static void oneOf(Glance glance, Iterable<JsonNode> values) {
      Set<JsonNode> set = new HashSet<>();
      values.forEach(set::add);
      if (glance.values != null) {
        set.retainAll(glance.values);
      }
      glance.values = set;
    }

    private static void require(Glance glance, JsonNode names) throws Unknown {
      if (names.size() > MOST_REQUIRED) {
        throw new Unknown();
      }
      for (int i = 0; i < names.size(); i++) {
        long bit = 1L << i;
        glance.required |= bit;
        glance.members.merge(
            names.get(i).asText(),
            new Member(null, bit),
            (old, now) -> new Member(old.glance(), old.bit() | now.bit()));
      }
    }

    private Glance referred(String reference) throws Unknown {
      Glance known = referred.get(reference);
      if (known != null) {
        return known;
      }
      JsonNode target = SchemaShape.resolve(root, reference);
      if (target.isMissingNode()) {
        throw new Unknown();
      }
      Glance glance = new Glance();
      referred.put(reference, glance);
      fill(glance, target);
      return glance;
    }

    private static int types(JsonNode value) throws Unknown {
      if (value.isTextual()) {
        return type(value.asText());
      }
      int types = 0;
      for (JsonNode one : value) {
        types |= type(one.asText());
      }
      return types;
    }

    private static int type(String name) throws Unknown {
      return switch (name) {
        case "string" -> STRING;
        case "integer" -> INTEGER;
        case "number" -> NUMBER;
        case "boolean" -> BOOLEAN;
        case "null" -> NULL;
        case "object" -> OBJECT;
        case "array" -> ARRAY;
        default -> throw new Unknown();
      };
    }

    private static int count(JsonNode value) throws Unknown {
      if (!value.canConvertToInt() || !value.isIntegralNumber()) {
        throw new Unknown();
      }
      return value.intValue();
    }

    private static BigDecimal number(JsonNode value) throws Unknown {
      if (!value.isNumber()) {
        throw new Unknown();
      }
      return value.decimalValue();
    }

    private static Predicate<String> pattern(String regex) throws Unknown {
      PlainPattern plain = PlainPattern.compile(regex);
      if (plain != null) {
        return plain;
      }
      try {
        return Pattern.compile(regex).asPredicate();
      } catch (PatternSyntaxException e) {
        throw new Unknown();
      }
    }

    private static Predicate<String> format(String name) throws Unknown {
      if (!name.equals("date")) {
        throw new Unknown();
      }
      return Glance::isDate;
    }
  }

  private static boolean isDate(String text) {
    if (text.length() != DATE) {
      return false;
    }
    try {
      LocalDate.parse(text);
      return true;
    } catch (DateTimeException e) {
      return false;
    }
  }
}
