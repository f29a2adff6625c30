package no.bindeledd.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import no.bindeledd.exchange.Problem;

/**
 * The schema of what leaves. For each set of withheld fields it gives a validator that lets exactly
 * those be missing: a required member may be absent when it is withheld, or when everything that
 * would keep it from being empty is; every other required member must still be there. Immutable.
 */
final class OutputSchema {
  private static final List<String> BRANCHES = List.of("allOf", "anyOf", "oneOf");
  private static final List<String> CONDITIONS = List.of("then", "else");

  private final SchemaFile file;
  private final ObjectNode inlined;

  OutputSchema(SchemaFile file, ObjectNode inlined) {
    this.file = file;
    this.inlined = inlined;
  }

  /** True when the schema can hold something at that contract path. */
  boolean knows(String path) {
    SchemaShape shape = SchemaShape.of(inlined);
    for (String segment : FieldTree.segments(path)) {
      SchemaShape next = segment.equals("*") ? shape.element() : shape.member(segment);
      if (next == null) {
        return false;
      }
      shape = next;
    }
    return true;
  }

  /** Adds a problem for each required member that no listed field covers: it could never leave. */
  void checkRequired(Collection<String> fields, List<Problem> problems) {
    Paths listed = new Paths(fields);
    Set<String> reported = new HashSet<>();
    checkRequired(inlined, List.of(), listed, reported, problems);
  }

  private void checkRequired(
      JsonNode schema,
      List<String> at,
      Paths listed,
      Set<String> reported,
      List<Problem> problems) {
    if (!schema.isObject() || listed.cover(at) || !(at.isEmpty() || listed.haveBelow(at))) {
      return;
    }
    for (JsonNode name : schema.path("required")) {
      List<String> path = append(at, name.asText());
      boolean canLeave = listed.cover(path) || listed.haveBelow(path);
      if (!canLeave && reported.add(pointer(path))) {
        problems.add(
            file.problem(
                "/properties/"
                    + String.join("/properties/", path).replace("/properties/*", "/items"),
                "'" + pointer(path) + "' is required but is no field of the contract's view",
                "list it in the contract, or take it out of 'required'"));
      }
    }
    for (Map.Entry<String, JsonNode> member : schema.path("properties").properties()) {
      checkRequired(member.getValue(), append(at, member.getKey()), listed, reported, problems);
    }
    if (schema.has("items")) {
      checkRequired(schema.path("items"), append(at, "*"), listed, reported, problems);
    }
    for (String branch : BRANCHES) {
      for (JsonNode one : schema.path(branch)) {
        checkRequired(one, at, listed, reported, problems);
      }
    }
    for (String condition : CONDITIONS) {
      checkRequired(schema.path(condition), at, listed, reported, problems);
    }
  }

  /** The validator for what leaves when these fields do not. */
  Validator validator(Set<String> withheld) {
    if (withheld.isEmpty()) {
      return Validator.of(inlined);
    }
    ObjectNode tolerant = inlined.deepCopy();
    relax(tolerant, List.of(), new Paths(withheld));
    return Validator.of(tolerant);
  }

  private static void relax(JsonNode node, List<String> at, Paths withheld) {
    if (!(node instanceof ObjectNode schema) || !withheld.haveBelow(at)) {
      return;
    }
    for (Map.Entry<String, JsonNode> member : schema.path("properties").properties()) {
      relax(member.getValue(), append(at, member.getKey()), withheld);
    }
    relax(schema.path("items"), append(at, "*"), withheld);
    for (JsonNode item : schema.path("prefixItems")) {
      relax(item, append(at, "*"), withheld);
    }
    for (String branch : BRANCHES) {
      for (JsonNode one : schema.path(branch)) {
        relax(one, at, withheld);
      }
    }
    for (String condition : CONDITIONS) {
      relax(schema.path(condition), at, withheld);
    }
    for (JsonNode dependent : schema.path("dependentSchemas")) {
      relax(dependent, at, withheld);
    }
    JsonNode alternatives = schema.remove("oneOf");
    if (alternatives != null && !schema.has("anyOf")) {
      // With members gone, more than one alternative may fit.
      schema.set("anyOf", alternatives);
    }
    for (String count :
        List.of("minProperties", "minItems", "contains", "minContains", "dependentRequired")) {
      schema.remove(count);
    }
    if (schema.get("required") instanceof ArrayNode required) {
      ArrayNode still = schema.arrayNode();
      for (JsonNode name : required) {
        if (staysFilled(schema, name.asText(), append(at, name.asText()), withheld)) {
          still.add(name);
        }
      }
      schema.set("required", still);
    }
  }

  /** True when the member must be there although fields are withheld; its own schema is relaxed. */
  private static boolean staysFilled(
      ObjectNode schema, String name, List<String> path, Paths withheld) {
    if (withheld.cover(path)) {
      return false;
    }
    return !withheld.haveBelow(path) || requiresMember(schema.path("properties").path(name));
  }

  private static boolean requiresMember(JsonNode schema) {
    if (!schema.path("required").isEmpty()) {
      return true;
    }
    if (schema.has("items") && requiresMember(schema.path("items"))) {
      return true;
    }
    for (JsonNode one : schema.path("allOf")) {
      if (requiresMember(one)) {
        return true;
      }
    }
    return false;
  }

  private static List<String> append(List<String> at, String segment) {
    List<String> path = new ArrayList<>(at);
    path.add(segment);
    return path;
  }

  private static String pointer(List<String> path) {
    return "/" + String.join("/", path);
  }

  /** Contract paths, asked about at load time only. */
  private static final class Paths {
    private final List<List<String>> paths;

    Paths(Collection<String> paths) {
      this.paths = paths.stream().map(FieldTree::segments).toList();
    }

    /** One of them is this path or stands above it. */
    boolean cover(List<String> path) {
      return paths.stream()
          .anyMatch(p -> p.size() <= path.size() && path.subList(0, p.size()).equals(p));
    }

    /** One of them stands below this path. */
    boolean haveBelow(List<String> path) {
      return paths.stream()
          .anyMatch(p -> p.size() > path.size() && p.subList(0, path.size()).equals(path));
    }
  }
}
