package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Compose;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionEndEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.DocumentStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.NodeTuple;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;
import org.snakeyaml.engine.v2.nodes.Tag;

/**
 * The plain part of YAML that a route file may use, with exact lines: one document, no anchors, no
 * aliases, no tags, no key twice, no deep nesting. Two readers of such a file cannot disagree about
 * what it says.
 */
final class RouteYaml {
  static final int MAX_BYTES = 64 * 1024;
  private static final int MAX_DEPTH = 30;

  private final Node root;

  private RouteYaml(Node root) {
    this.root = root;
  }

  /** The file is not plain YAML. */
  static final class NotPlain extends Exception {
    private static final long serialVersionUID = 1L;
    private final int line;
    private final String what;
    private final String remedy;

    NotPlain(int line, String what, String remedy) {
      super(what);
      this.line = line;
      this.what = what;
      this.remedy = remedy;
    }

    int line() {
      return line;
    }

    String what() {
      return what;
    }

    String remedy() {
      return remedy;
    }
  }

  /**
   * A key and its value.
   *
   * @param line where the key stands, from 1
   */
  record Entry(String key, int line, Node value) {}

  static RouteYaml parse(String text) throws NotPlain {
    LoadSettings settings =
        LoadSettings.builder()
            .setAllowDuplicateKeys(false)
            .setParseComments(false)
            .setCodePointLimit(MAX_BYTES)
            .build();
    try {
      checkEvents(settings, text);
      Optional<Node> root = new Compose(settings).composeString(text);
      if (root.isEmpty()) {
        throw empty();
      }
      checkKeys(root.get());
      return new RouteYaml(root.get());
    } catch (MarkedYamlEngineException e) {
      int line = e.getProblemMark().map(m -> m.getLine() + 1).orElse(0);
      throw new NotPlain(line, "the file is not valid YAML", "correct the YAML at this line");
    } catch (YamlEngineException e) {
      throw new NotPlain(0, "the file is not valid YAML", "write it as UTF-8 YAML text");
    }
  }

  private static NotPlain empty() {
    return new NotPlain(
        1, "the file holds no route", "write one '- route:' entry, or remove the file");
  }

  /** Depth, anchors, aliases and tags are judged on the event stream, before any tree is built. */
  private static void checkEvents(LoadSettings settings, String text) throws NotPlain {
    int depth = 0;
    int documents = 0;
    for (Event event : new Parse(settings).parseString(text)) {
      if (event instanceof DocumentStartEvent && ++documents > 1) {
        throw new NotPlain(
            line(event),
            "the file holds more than one YAML document",
            "keep one document with one route in each file");
      }
      if (event instanceof CollectionStartEvent && ++depth > MAX_DEPTH) {
        throw new NotPlain(
            line(event),
            "the YAML is nested too deeply",
            "a route needs no more than a few levels");
      }
      if (event instanceof CollectionEndEvent) {
        depth--;
      }
      if (event instanceof AliasEvent
          || (event instanceof NodeEvent && ((NodeEvent) event).getAnchor().isPresent())) {
        throw new NotPlain(
            line(event),
            "YAML anchors and aliases ('&' and '*') are not allowed in a route file",
            "write the value out; quote a text that starts with one of these signs");
      }
      if (isTagged(event)) {
        throw new NotPlain(
            line(event), "YAML tags ('!') are not allowed in a route file", "remove the tag");
      }
    }
    if (documents == 0) {
      throw empty();
    }
  }

  private static boolean isTagged(Event event) {
    return switch (event) {
      case ScalarEvent s -> s.getTag().isPresent();
      case CollectionStartEvent c -> c.getTag().isPresent();
      default -> false;
    };
  }

  private static int line(Event event) {
    return event.getStartMark().map(Mark::getLine).orElse(-1) + 1;
  }

  private static void checkKeys(Node node) throws NotPlain {
    if (node instanceof SequenceNode) {
      for (Node child : ((SequenceNode) node).getValue()) {
        checkKeys(child);
      }
    }
    if (!(node instanceof MappingNode)) {
      return;
    }
    Set<String> seen = new HashSet<>();
    for (NodeTuple tuple : ((MappingNode) node).getValue()) {
      if (!(tuple.getKeyNode() instanceof ScalarNode)) {
        throw new NotPlain(line(tuple.getKeyNode()), "a key is not a word", "write plain keys");
      }
      String key = ((ScalarNode) tuple.getKeyNode()).getValue();
      if (!seen.add(key)) {
        throw new NotPlain(
            line(tuple.getKeyNode()), "'" + key + "' stands twice", "keep one of them");
      }
      checkKeys(tuple.getValueNode());
    }
  }

  Node root() {
    return root;
  }

  static int line(Node node) {
    return node.getStartMark().map(Mark::getLine).orElse(-1) + 1;
  }

  /** The elements when the node is a list; empty otherwise. */
  static List<Node> items(@Nullable Node node) {
    return node instanceof SequenceNode ? ((SequenceNode) node).getValue() : List.of();
  }

  /** The entries when the node is a mapping; empty otherwise. */
  static List<Entry> entries(@Nullable Node node) {
    if (!(node instanceof MappingNode)) {
      return List.of();
    }
    List<Entry> entries = new ArrayList<>();
    for (NodeTuple tuple : ((MappingNode) node).getValue()) {
      ScalarNode key = (ScalarNode) tuple.getKeyNode();
      entries.add(new Entry(key.getValue(), line(key), tuple.getValueNode()));
    }
    return entries;
  }

  static @Nullable Entry entry(@Nullable Node node, String key) {
    for (Entry entry : entries(node)) {
      if (entry.key().equals(key)) {
        return entry;
      }
    }
    return null;
  }

  /** The line of the first such key anywhere below the node; the other line when there is none. */
  static int lineOf(Node node, String key, int otherwise) {
    for (Node item : items(node)) {
      int line = lineOf(item, key, 0);
      if (line > 0) {
        return line;
      }
    }
    for (Entry entry : entries(node)) {
      int line = entry.key().equals(key) ? entry.line() : lineOf(entry.value(), key, 0);
      if (line > 0) {
        return line;
      }
    }
    return otherwise;
  }

  /** The line of the node that an RFC 6901 pointer names, or of the last one on the way to it. */
  int lineAt(String pointer) {
    Node node = root;
    int line = line(root);
    for (String step : pointer.split("/")) {
      if (step.isEmpty()) {
        continue;
      }
      Node next = null;
      if (node instanceof SequenceNode && step.chars().allMatch(Character::isDigit)) {
        List<Node> items = items(node);
        int index = Integer.parseInt(step);
        next = index < items.size() ? items.get(index) : null;
        line = next == null ? line : line(next);
      } else {
        Entry entry = entry(node, step.replace("~1", "/").replace("~0", "~"));
        next = entry == null ? null : entry.value();
        line = entry == null ? line : entry.line();
      }
      if (next == null) {
        return line;
      }
      node = next;
    }
    return line;
  }

  /** The tree for the JSON Schema. Numbers become texts, as Camel reads them. */
  JsonNode json() {
    return json(root);
  }

  private static JsonNode json(Node node) {
    JsonNodeFactory factory = JsonNodeFactory.instance;
    if (node instanceof SequenceNode) {
      var array = factory.arrayNode();
      items(node).forEach(child -> array.add(json(child)));
      return array;
    }
    if (node instanceof MappingNode) {
      var object = factory.objectNode();
      entries(node).forEach(entry -> object.set(entry.key(), json(entry.value())));
      return object;
    }
    String value = ((ScalarNode) node).getValue();
    if (node.getTag().equals(Tag.BOOL)) {
      return factory.booleanNode(Boolean.parseBoolean(value));
    }
    return node.getTag().equals(Tag.NULL) ? factory.nullNode() : factory.textNode(value);
  }

  /** The mapping below {@code from}. */
  @Nullable Node from() {
    Entry route = entry(items(root).get(0), "route");
    Entry from = route == null ? null : entry(route.value(), "from");
    return from == null ? null : from.value();
  }

  /** The list below {@code steps}. */
  @Nullable Node steps() {
    Entry steps = entry(from(), "steps");
    return steps == null ? null : steps.value();
  }

  /** Where the step stands, counted from 0; 0 when there is no such step. */
  int stepLine(int step) {
    List<Node> steps = items(steps());
    return step >= 0 && step < steps.size() ? line(steps.get(step)) : 0;
  }
}
