package no.bindeledd.exchange;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.DumperOptions.ScalarStyle;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.composer.Composer;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeId;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.parser.ParserImpl;
import org.yaml.snakeyaml.reader.StreamReader;
import org.yaml.snakeyaml.resolver.Resolver;

/**
 * A YAML file that a person wrote, as a JSON tree that remembers on which line each node stands, so
 * that every later finding can name its line. Immutable after reading, and safe on any thread as
 * long as nobody changes {@link #tree()}.
 *
 * <p>Plain scalars follow the JSON-like core schema of YAML 1.2: only {@code true} and {@code
 * false} are booleans (the language code {@code no} stays text), dates and times stay text as
 * written, and digits with a leading zero stay text (county {@code 03} is a code, not the number
 * three). Anchors and aliases work; merge keys ({@code <<}), tags, repeated keys and more than one
 * document are refused.
 */
public final class YamlSource {
  /** Bounds what a chain of aliases can grow to. */
  private static final int MAX_NODES = 100_000;

  private static final int MAX_DEPTH = 100;

  private static final Pattern INTEGER = Pattern.compile("[-+]?(0|[1-9][0-9]*)");
  private static final Pattern DECIMAL =
      Pattern.compile("[-+]?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][-+]?[0-9]+)?");

  /** Marks a plain scalar, so that an explicit tag is told apart from none. */
  private static final Tag PLAIN = new Tag("tag:bindeledd.no,2026:plain");

  private final Path file;
  private final JsonNode tree;
  private final Map<String, Integer> lines;

  private YamlSource(Path file, JsonNode tree, Map<String, Integer> lines) {
    this.file = file;
    this.tree = tree;
    this.lines = lines;
  }

  /**
   * Reads one YAML document, UTF-8.
   *
   * @throws ProblemsException when the file is missing, empty, not UTF-8 or not such YAML; each
   *     problem has its line
   */
  public static YamlSource read(Path file) {
    return of(file, decode(file));
  }

  /** The same for text that is not, or not yet, on disk; {@code file} names it in problems. */
  public static YamlSource of(Path file, String text) {
    Node root = compose(file, text);
    Reading reading = new Reading(file);
    reading.lines.put("", line(root));
    JsonNode tree = reading.node(root, "", 0);
    if (!reading.problems.isEmpty()) {
      throw new ProblemsException(reading.problems);
    }
    return new YamlSource(file, tree, Map.copyOf(reading.lines));
  }

  public Path file() {
    return file;
  }

  /** The document; callers do not change it. */
  public JsonNode tree() {
    return tree;
  }

  /**
   * The line, from 1, of the node at an RFC 6901 pointer: the line of its key, or of its first
   * character when it is an element of a list. When there is no such node, the line of its nearest
   * ancestor.
   */
  public int line(String pointer) {
    String at = pointer;
    while (true) {
      Integer line = lines.get(at);
      if (line != null) {
        return line;
      }
      int slash = at.lastIndexOf('/');
      if (slash < 0) {
        return lines.getOrDefault("", 1);
      }
      at = at.substring(0, slash);
    }
  }

  /** A problem at a pointer of this file. */
  public Problem problem(String pointer, String what, String remedy) {
    return new Problem(file, line(pointer), what, remedy);
  }

  /** One reference token of an RFC 6901 pointer, escaped. */
  public static String token(String key) {
    return key.replace("~", "~0").replace("/", "~1");
  }

  private static String decode(Path file) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException missing) {
      throw refused(file, 0, "The file does not exist", "create it or correct the name");
    } catch (IOException unreadable) {
      throw refused(
          file, 0, "The file cannot be read", "check that it is a file and its permissions");
    }
    CharsetDecoder decoder =
        StandardCharsets.UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CoderResult result = decoder.decode(in, out, true);
    out.flip();
    String text = out.toString();
    if (result.isError()) {
      int line = 1 + (int) text.chars().filter(c -> c == '\n').count();
      throw refused(file, line, "The text is not UTF-8", "save the file as UTF-8");
    }
    return text.startsWith("\uFEFF") ? text.substring(1) : text;
  }

  private static Node compose(Path file, String text) {
    LoaderOptions options = new LoaderOptions();
    // Nothing is ever constructed from a tag, and MAX_NODES bounds aliases: our own words refuse
    // both.
    options.setTagInspector(tag -> true);
    options.setMaxAliasesForCollections(Integer.MAX_VALUE);
    Composer composer =
        new Composer(new ParserImpl(new StreamReader(text), options), new NoGuessing(), options);
    try {
      Node root = composer.getSingleNode();
      if (root == null) {
        throw refused(file, 1, "The file is empty", "write the document or remove the file");
      }
      return root;
    } catch (MarkedYAMLException e) {
      int line = e.getProblemMark() == null ? 0 : e.getProblemMark().getLine() + 1;
      String problem = e.getProblem() == null ? "syntax error" : e.getProblem();
      throw refused(
          file,
          line,
          "Not valid YAML: " + problem.replaceAll("\\s+", " ").strip(),
          "check indentation, quotes and colons on this line and the one before");
    } catch (YAMLException e) {
      throw refused(
          file,
          0,
          "Not valid YAML: " + String.valueOf(e.getMessage()).lines().findFirst().orElse(""),
          "remove control characters and keep the file under 3 MB");
    }
  }

  private static ProblemsException refused(Path file, int line, String what, String remedy) {
    return new ProblemsException(List.of(new Problem(file, line, what, remedy)));
  }

  private static int line(Node node) {
    return node.getStartMark().getLine() + 1;
  }

  /** Leaves plain scalars to {@link Reading#plain}, instead of YAML 1.1's guesses. */
  private static final class NoGuessing extends Resolver {
    @Override
    public Tag resolve(NodeId kind, @Nullable String value, boolean implicit) {
      return switch (kind) {
        case scalar -> implicit ? PLAIN : Tag.STR;
        case sequence -> Tag.SEQ;
        case mapping, anchor -> Tag.MAP;
      };
    }
  }

  /** The state of one conversion. */
  private static final class Reading {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;

    private final Path file;
    private final Map<String, Integer> lines = new HashMap<>();
    private final List<Problem> problems = new ArrayList<>();
    private int nodes;

    Reading(Path file) {
      this.file = file;
    }

    JsonNode node(Node node, String pointer, int depth) {
      if (++nodes > MAX_NODES || depth > MAX_DEPTH) {
        problem(
            node,
            "The document grows too large or too deep through its aliases",
            "write the repeated part out instead of using an alias");
        throw new ProblemsException(problems);
      }
      return switch (node) {
        case MappingNode mapping -> object(mapping, pointer, depth);
        case SequenceNode sequence -> array(sequence, pointer, depth);
        case ScalarNode scalar -> scalar(scalar);
        default -> throw new IllegalStateException("Unknown node " + node.getNodeId());
      };
    }

    private JsonNode object(MappingNode mapping, String pointer, int depth) {
      refuseTag(mapping, Tag.MAP);
      ObjectNode object = JSON.objectNode();
      for (NodeTuple tuple : mapping.getValue()) {
        if (!(tuple.getKeyNode() instanceof ScalarNode keyNode)) {
          problem(
              tuple.getKeyNode(), "A key is a list or a mapping", "use a plain word as the key");
          continue;
        }
        String key = keyNode.getValue();
        if (key.equals("<<") && keyNode.getScalarStyle() == ScalarStyle.PLAIN) {
          problem(
              keyNode, "Merge keys (<<) are not supported", "write the keys out, or use an alias");
          continue;
        }
        if (object.has(key)) {
          problem(keyNode, "The key '" + key + "' stands twice", "keep one of them");
          continue;
        }
        String child = pointer + "/" + token(key);
        lines.put(child, line(keyNode));
        object.set(key, node(tuple.getValueNode(), child, depth + 1));
      }
      return object;
    }

    private JsonNode array(SequenceNode sequence, String pointer, int depth) {
      refuseTag(sequence, Tag.SEQ);
      ArrayNode array = JSON.arrayNode();
      for (Node element : sequence.getValue()) {
        String child = pointer + "/" + array.size();
        lines.put(child, line(element));
        array.add(node(element, child, depth + 1));
      }
      return array;
    }

    private JsonNode scalar(ScalarNode scalar) {
      if (scalar.getTag().equals(PLAIN)) {
        return plain(scalar.getValue());
      }
      refuseTag(scalar, Tag.STR);
      return JSON.textNode(scalar.getValue());
    }

    private static JsonNode plain(String text) {
      switch (text) {
        case "", "~", "null", "Null", "NULL":
          return JSON.nullNode();
        case "true", "True", "TRUE":
          return JSON.booleanNode(true);
        case "false", "False", "FALSE":
          return JSON.booleanNode(false);
        default:
          break;
      }
      if (INTEGER.matcher(text).matches()) {
        BigInteger number = new BigInteger(text.startsWith("+") ? text.substring(1) : text);
        if (number.bitLength() < Integer.SIZE) {
          return JSON.numberNode(number.intValue());
        }
        return number.bitLength() < Long.SIZE
            ? JSON.numberNode(number.longValue())
            : JSON.numberNode(number);
      }
      if (DECIMAL.matcher(text).matches()) {
        return JSON.numberNode(Double.parseDouble(text));
      }
      return JSON.textNode(text);
    }

    private void refuseTag(Node node, Tag allowed) {
      if (!node.getTag().equals(allowed)) {
        problem(node, "YAML tags (!) are not supported", "remove the tag");
      }
    }

    private void problem(Node node, String what, String remedy) {
      problems.add(new Problem(file, line(node), what, remedy));
    }
  }
}
