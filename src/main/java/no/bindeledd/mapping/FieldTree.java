package no.bindeledd.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The allow-list of one view under one set of withheld fields, as a tree that is walked beside the
 * value. A value leaves when a listed field covers it and no withheld field does; everything else
 * stays, also what no one thought of. Containers that end up empty go too, since an empty one still
 * tells that there was something. Immutable once built, safe on any thread.
 */
final class FieldTree {
  private static final String ELEMENT = "*";

  private final Map<String, FieldTree> members = new HashMap<>();
  private @Nullable FieldTree elements;
  private int field = -1;
  private boolean withheld;
  private boolean withheldBelow;

  private FieldTree() {}

  /** The paths are RFC 6901 pointers where {@code *} is any element of a list. */
  static FieldTree of(List<String> fields, Set<String> withheld) {
    FieldTree root = new FieldTree();
    for (int i = 0; i < fields.size(); i++) {
      root.at(segments(fields.get(i))).field = i;
    }
    for (String path : withheld) {
      root.at(segments(path)).withheld = true;
    }
    root.summarise();
    return root;
  }

  /** The reference tokens of a pointer, unescaped. */
  static List<String> segments(String path) {
    List<String> segments = new ArrayList<>();
    String[] tokens = path.split("/", -1);
    for (int i = 1; i < tokens.length; i++) {
      segments.add(tokens[i].replace("~1", "/").replace("~0", "~"));
    }
    return segments;
  }

  private FieldTree at(List<String> segments) {
    FieldTree node = this;
    for (String segment : segments) {
      if (segment.equals(ELEMENT)) {
        FieldTree next = node.elements == null ? new FieldTree() : node.elements;
        node.elements = next;
        node = next;
      } else {
        node = node.members.computeIfAbsent(segment, s -> new FieldTree());
      }
    }
    return node;
  }

  private boolean summarise() {
    FieldTree each = elements;
    withheldBelow = each != null && each.summarise();
    for (FieldTree member : members.values()) {
      withheldBelow |= member.summarise();
    }
    return withheld || withheldBelow;
  }

  /**
   * What may leave of the value, or null for nothing. The value itself is never changed; parts that
   * leave whole are shared with it.
   *
   * @param seen set to true at the index of each listed field that holds something
   */
  @Nullable JsonNode keep(JsonNode value, boolean[] seen) {
    return keep(value, false, seen);
  }

  private @Nullable JsonNode keep(JsonNode value, boolean covered, boolean[] seen) {
    if (withheld) {
      return null;
    }
    boolean listed = covered || field >= 0;
    JsonNode kept = kept(value, listed, seen);
    if (kept != null && field >= 0 && !kept.isNull()) {
      seen[field] = true;
    }
    return kept;
  }

  private @Nullable JsonNode kept(JsonNode value, boolean listed, boolean[] seen) {
    if (members.isEmpty() && elements == null) {
      return listed ? value : null;
    }
    if (value instanceof ObjectNode object && !members.isEmpty()) {
      return members(object, listed, seen);
    }
    if (value instanceof ArrayNode array && elements != null) {
      return elements(array, elements, listed, seen);
    }
    // Another kind of value than the contract speaks of: fields to withhold could hide in it.
    boolean hides = withheldBelow && value.isContainerNode();
    return listed && !hides ? value : null;
  }

  private @Nullable JsonNode members(ObjectNode object, boolean listed, boolean[] seen) {
    ObjectNode kept = JsonNodeFactory.instance.objectNode();
    for (Map.Entry<String, JsonNode> entry : object.properties()) {
      FieldTree member = members.get(entry.getKey());
      JsonNode value = entry.getValue();
      JsonNode part = member == null ? (listed ? value : null) : member.keep(value, listed, seen);
      if (part != null) {
        kept.set(entry.getKey(), part);
      }
    }
    return kept.isEmpty() ? null : kept;
  }

  private static @Nullable JsonNode elements(
      ArrayNode array, FieldTree each, boolean listed, boolean[] seen) {
    ArrayNode kept = JsonNodeFactory.instance.arrayNode(array.size());
    for (JsonNode value : array) {
      JsonNode part = each.keep(value, listed, seen);
      if (part != null) {
        kept.add(part);
      }
    }
    return kept.isEmpty() ? null : kept;
  }
}
