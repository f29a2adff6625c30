package no.bindeledd.mapping;

import static no.bindeledd.mapping.MappingFolder.json;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class FieldTreeTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      quoteCharacter = '`',
      nullValues = "-",
      textBlock =
          """
          /a       # -      # {'a': {'b': 1}, 'c': 2}   # {'a':{'b':1}}
          /a/b     # -      # {'a': {'b': 1, 'c': 2}}   # {'a':{'b':1}}
          /a       # /a/b   # {'a': {'b': 1, 'c': 2}}   # {'a':{'c':2}}
          /a       # /a/b   # {'a': {'b': 1}}           # -
          /a       # /a/b   # {'a': [{'b': 1}]}         # -
          /a/b     # /a     # {'a': {'b': 1}}           # -
          /a/b     # -      # {'a': 7}                  # -
          /a/b     # -      # {'a': [{'b': 1}]}         # -
          /a/*/b   # -      # {'a': [{'b': 1, 'c': 2}, {'c': 3}, {'b': null}]} # {'a':[{'b':1},{'b':null}]}
          /a/*     # /a/*/b # {'a': [{'b': 1}, {'c': 2}]} # {'a':[{'c':2}]}
          /a/*     # /a/*/b # {'a': {'b': 1}}           # -
          /a/*     # -      # {'a': {'*': 1}}           # -
          /a~1b    # -      # {'a/b': 1, 'a': {'b': 2}} # {'a/b':1}
          """)
  void whatLeavesIsListedAndNotWithheld(
      String listed, @Nullable String withheld, String value, @Nullable String expected) {
    Set<String> stays = withheld == null ? Set.of() : Set.of(withheld);
    JsonNode kept = FieldTree.of(List.of(listed), stays).keep(json(value), new boolean[1]);

    assertThat(kept == null ? null : kept.toString().replace('"', '\'')).isEqualTo(expected);
  }

  @Provide
  Arbitrary<String> paths() {
    return Arbitraries.of("a", "b", "c", "*")
        .list()
        .ofMinSize(1)
        .ofMaxSize(3)
        .map(FieldTreeTest::path);
  }

  @Provide
  Arbitrary<JsonNode> values() {
    Arbitrary<JsonNode> leaf =
        Arbitraries.integers()
            .between(0, 9)
            .map(number -> (JsonNode) JsonNodeFactory.instance.numberNode(number));
    Arbitrary<JsonNode> value = leaf;
    for (int depth = 0; depth < 3; depth++) {
      Arbitrary<JsonNode> below = value;
      Arbitrary<JsonNode> object =
          Arbitraries.maps(Arbitraries.of("a", "b", "c"), below)
              .ofMaxSize(3)
              .map(FieldTreeTest::object);
      Arbitrary<JsonNode> array =
          below.list().ofMaxSize(3).map(list -> JsonNodeFactory.instance.arrayNode().addAll(list));
      value = Arbitraries.oneOf(leaf, object, array);
    }
    return value;
  }

  private static JsonNode object(Map<String, JsonNode> members) {
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    members.forEach(object::set);
    return object;
  }

  private static String path(List<String> segments) {
    return "/" + String.join("/", segments);
  }

  @Property(tries = 2000)
  void noLeafLeavesThatIsUnlistedOrWithheldAndNoListedOneIsLost(
      @ForAll("values") JsonNode value,
      @ForAll("paths") String one,
      @ForAll("paths") String two,
      @ForAll("paths") String three,
      @ForAll("paths") String stays) {
    List<String> fields = new ArrayList<>(new LinkedHashSet<>(List.of(one, two, three)));
    Set<String> withheld = Set.of(stays);
    JsonNode before = value.deepCopy();
    boolean[] seen = new boolean[fields.size()];

    JsonNode kept = FieldTree.of(fields, withheld).keep(value, seen);

    Set<List<String>> left = new HashSet<>();
    leaves(kept, List.of(), left);
    for (List<String> leaf : left) {
      assertThat(fields).anyMatch(field -> covers(field, leaf));
      assertThat(withheld).noneMatch(field -> covers(field, leaf));
    }
    Set<List<String>> all = new HashSet<>();
    leaves(value, List.of(), all);
    boolean unmixed = withheld.stream().allMatch(path -> exists(value, path));
    for (List<String> leaf : all) {
      boolean listed = fields.stream().anyMatch(field -> covers(field, leaf));
      boolean stopped = withheld.stream().anyMatch(field -> covers(field, leaf));
      if (listed && !stopped && unmixed) {
        assertThat(left).contains(leaf);
      }
    }
    assertThat(value).isEqualTo(before);
  }

  /** Leaves with every list index written as {@code *}. */
  private static void leaves(@Nullable JsonNode node, List<String> at, Set<List<String>> found) {
    if (node == null) {
      return;
    }
    if (node.isValueNode()) {
      found.add(at);
    }
    node.properties()
        .forEach(member -> leaves(member.getValue(), plus(at, member.getKey()), found));
    if (node.isArray()) {
      node.forEach(element -> leaves(element, plus(at, "*"), found));
    }
  }

  private static List<String> plus(List<String> at, String segment) {
    List<String> path = new ArrayList<>(at);
    path.add(segment);
    return path;
  }

  private static boolean covers(String field, List<String> leaf) {
    List<String> path = FieldTree.segments(field);
    return path.size() <= leaf.size() && leaf.subList(0, path.size()).equals(path);
  }

  /** True when the value has the kinds of containers that the path goes through, everywhere. */
  private static boolean exists(JsonNode value, String path) {
    List<JsonNode> here = List.of(value);
    for (String segment : FieldTree.segments(path)) {
      List<JsonNode> next = new ArrayList<>();
      for (JsonNode node : here) {
        boolean fits = segment.equals("*") ? node.isArray() : node.isObject() && node.has(segment);
        if (!fits) {
          return false;
        }
        if (segment.equals("*")) {
          node.forEach(next::add);
        } else {
          next.add(node.path(segment));
        }
      }
      here = next;
    }
    return true;
  }
}
