package no.bindeledd.mapping;

import com.schibsted.spt.data.jslt.parser.JsltParser;
import com.schibsted.spt.data.jslt.parser.JsltParserConstants;
import com.schibsted.spt.data.jslt.parser.JsltParserTreeConstants;
import com.schibsted.spt.data.jslt.parser.Node;
import com.schibsted.spt.data.jslt.parser.ParseException;
import com.schibsted.spt.data.jslt.parser.SimpleNode;
import com.schibsted.spt.data.jslt.parser.Token;
import com.schibsted.spt.data.jslt.parser.TokenMgrError;
import java.io.Reader;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import no.bindeledd.exchange.Problem;
import org.jspecify.annotations.Nullable;

/**
 * Reads a JSLT file the way the compiler does and reports what the compiler lets pass: input paths
 * that the input schema does not know and variables that nobody declares (JSLT makes both null in
 * silence), calls of {@code code} with a list or column that does not exist, and functions whose
 * answer differs from call to call (a resend or a replay must give the same bytes). Inside {@code
 * def}, and below anything computed, paths are not followed.
 *
 * <p>Used once per file, at load time.
 */
final class JsltReview {
  private static final Set<String> NOT_REPEATABLE = Set.of("random", "uuid", "now");
  private static final Pattern LEXICAL = Pattern.compile("line (\\d+), column");
  private static final At UNKNOWN = new At(null, null);

  private final Path file;
  private final CodeLists lists;
  private final List<Problem> problems;
  private final List<CodeCall> codeCalls = new ArrayList<>();
  private final List<Import> imports = new ArrayList<>();

  /** A call of {@code code}; the pointer is null when the value is computed. */
  record CodeCall(String list, @Nullable String pointer) {}

  /** An import as written. */
  record Import(String source, int line) {}

  /** What a value is known to be: its schema, and where in the input it stands. */
  private record At(@Nullable SchemaShape shape, @Nullable String pointer) {}

  /** The generated parser keeps its tree to itself and its heirs. */
  private static final class Tree extends JsltParser {
    Tree(Reader reader) {
      super(reader);
    }

    Node root() {
      return jjtree.rootNode();
    }
  }

  private JsltReview(Path file, CodeLists lists, List<Problem> problems) {
    this.file = file;
    this.lists = lists;
    this.problems = problems;
  }

  /**
   * Reviews a file.
   *
   * @param input the input's shape, or null when it is not known
   * @param module true for an imported file, which may lack an expression
   * @return null when the file does not parse
   */
  static @Nullable JsltReview of(
      Path file,
      String text,
      CodeLists lists,
      @Nullable SchemaShape input,
      boolean module,
      List<Problem> problems) {
    Tree tree = new Tree(new StringReader(text));
    try {
      if (module) {
        tree.Module();
      } else {
        tree.Start();
      }
    } catch (ParseException e) {
      Token at = e.currentToken == null ? null : e.currentToken.next;
      problems.add(syntax(file, at == null ? 0 : at.beginLine, e.getMessage()));
      return null;
    } catch (TokenMgrError e) {
      Matcher line = LEXICAL.matcher(String.valueOf(e.getMessage()));
      problems.add(syntax(file, line.find() ? Integer.parseInt(line.group(1)) : 0, e.getMessage()));
      return null;
    }
    JsltReview review = new JsltReview(file, lists, problems);
    At context = module ? UNKNOWN : new At(input, "");
    review.top((SimpleNode) tree.root(), context);
    return review;
  }

  static Problem syntax(Path file, int line, @Nullable String message) {
    String first = message == null ? "" : message.strip().lines().findFirst().orElse("");
    return new Problem(file, line, "the mapping is not JSLT: " + first, "correct the syntax there");
  }

  List<CodeCall> codeCalls() {
    return codeCalls;
  }

  List<Import> imports() {
    return imports;
  }

  private void top(SimpleNode root, At context) {
    Map<String, At> variables = new HashMap<>();
    for (SimpleNode child : children(root)) {
      switch (child.getId()) {
        case JsltParserTreeConstants.JJTIMPORT -> {
          Token source = child.jjtGetFirstToken().next;
          imports.add(new Import(unquoted(source), source.beginLine));
        }
        case JsltParserTreeConstants.JJTFUNCTIONDECL ->
            sequence(child, UNKNOWN, functionScope(root, child));
        case JsltParserTreeConstants.JJTLET -> let(child, context, variables);
        default -> value(child, context, variables);
      }
    }
  }

  /** Parameters, and every top-level variable, wherever it is declared. */
  private static Map<String, At> functionScope(SimpleNode root, SimpleNode function) {
    Map<String, At> variables = new HashMap<>();
    for (SimpleNode child : children(root)) {
      if (child.getId() == JsltParserTreeConstants.JJTLET) {
        variables.put("$" + child.jjtGetFirstToken().next.image, UNKNOWN);
      }
    }
    Token token = function.jjtGetFirstToken().next;
    for (; token.kind != JsltParserConstants.RPAREN; token = token.next) {
      variables.put("$" + token.image, UNKNOWN);
    }
    return variables;
  }

  private void let(SimpleNode node, At context, Map<String, At> variables) {
    At value = value(child(node, 0), context, variables);
    variables.put("$" + node.jjtGetFirstToken().next.image, value);
  }

  /** Lets and expressions that share a scope; what they make is not followed further. */
  private At sequence(SimpleNode node, At context, Map<String, At> outer) {
    Map<String, At> variables = new HashMap<>(outer);
    for (SimpleNode child : children(node)) {
      if (child.getId() == JsltParserTreeConstants.JJTLET) {
        let(child, context, variables);
      } else {
        value(child, context, variables);
      }
    }
    return UNKNOWN;
  }

  private At value(SimpleNode node, At context, Map<String, At> variables) {
    return switch (node.getId()) {
      case JsltParserTreeConstants.JJTEXPR -> pipe(node, context, variables);
      case JsltParserTreeConstants.JJTCHAINABLE -> chain(node, context, variables);
      case JsltParserTreeConstants.JJTARRAY, JsltParserTreeConstants.JJTOBJECTCOMPREHENSION ->
          node.jjtGetFirstToken().next.kind == JsltParserConstants.FOR
              ? loop(node, context, variables)
              : sequence(node, context, variables);
      case JsltParserTreeConstants.JJTMATCHER -> sequence(node, UNKNOWN, variables);
      case JsltParserTreeConstants.JJTIFSTATEMENT,
          JsltParserTreeConstants.JJTELSEBRANCH,
          JsltParserTreeConstants.JJTOBJECT,
          JsltParserTreeConstants.JJTPAIR ->
          sequence(node, context, variables);
      default -> {
        if (node.jjtGetNumChildren() == 1) {
          yield value(child(node, 0), context, variables);
        }
        yield sequence(node, context, variables);
      }
    };
  }

  private At pipe(SimpleNode node, At context, Map<String, At> variables) {
    At value = value(child(node, 0), context, variables);
    for (int i = 2; i < node.jjtGetNumChildren(); i += 2) {
      value = value(child(node, i), value, variables);
    }
    return value;
  }

  private At loop(SimpleNode node, At context, Map<String, At> outer) {
    At list = value(child(node, 0), context, outer);
    At element = element(list);
    Map<String, At> variables = new HashMap<>(outer);
    for (int i = 1; i < node.jjtGetNumChildren(); i++) {
      SimpleNode child = child(node, i);
      if (child.getId() == JsltParserTreeConstants.JJTLET) {
        let(child, element, variables);
      } else {
        value(child, element, variables);
      }
    }
    return UNKNOWN;
  }

  private static At element(At list) {
    SchemaShape shape = list.shape();
    SchemaShape element = shape == null ? null : shape.element();
    String pointer = list.pointer();
    return new At(element, pointer == null ? null : pointer + "/*");
  }

  private At chain(SimpleNode node, At context, Map<String, At> variables) {
    Token token = node.jjtGetFirstToken();
    At value =
        switch (token.kind) {
          case JsltParserConstants.VARIABLE -> variable(token, variables);
          case JsltParserConstants.DOT -> first(token, context);
          default -> call(child(node, 0), context, variables);
        };
    int links = node.jjtGetNumChildren();
    boolean more =
        links > 0 && child(node, links - 1).getId() == JsltParserTreeConstants.JJTCHAINLINK;
    return more ? link(child(node, links - 1), value, context, variables) : value;
  }

  private At variable(Token name, Map<String, At> variables) {
    At value = variables.get(name.image);
    if (value == null) {
      problems.add(
          new Problem(
              file,
              name.beginLine,
              "the variable " + name.image + " is not declared",
              "declare it with let, or correct its name"));
      return UNKNOWN;
    }
    return value;
  }

  private At first(Token dot, At context) {
    int next = dot.next.kind;
    boolean key = next == JsltParserConstants.IDENT || next == JsltParserConstants.STRING;
    return key ? member(context, dot.next) : context;
  }

  private At link(SimpleNode node, At parent, At context, Map<String, At> variables) {
    Token token = node.jjtGetFirstToken();
    At value;
    if (token.kind == JsltParserConstants.DOT) {
      value = member(parent, token.next);
    } else {
      SimpleNode slice = child(node, 0);
      boolean range = false;
      for (SimpleNode part : children(slice)) {
        if (part.getId() == JsltParserTreeConstants.JJTCOLON) {
          range = true;
        } else {
          value(part, context, variables);
        }
      }
      value = range ? parent : element(parent);
    }
    return node.jjtGetNumChildren() == 2 ? link(child(node, 1), value, context, variables) : value;
  }

  private At member(At parent, Token key) {
    String name = unquoted(key);
    SchemaShape shape = parent.shape();
    String pointer = parent.pointer() == null ? null : parent.pointer() + "/" + name;
    if (shape == null) {
      return new At(null, pointer);
    }
    SchemaShape member = shape.member(name);
    if (member == null) {
      problems.add(
          new Problem(
              file,
              key.beginLine,
              "the mapping reads "
                  + (pointer == null ? "'" + name + "'" : pointer)
                  + ", which the input schema does not know",
              "correct the path, or add the member to the input schema"));
    }
    return new At(member, pointer);
  }

  private At call(SimpleNode node, At context, Map<String, At> variables) {
    Token name = node.jjtGetFirstToken();
    List<At> arguments = new ArrayList<>();
    for (SimpleNode argument : children(node)) {
      arguments.add(value(argument, context, variables));
    }
    if (NOT_REPEATABLE.contains(name.image)) {
      problems.add(
          new Problem(
              file,
              name.beginLine,
              name.image + "() gives another answer each time",
              "take the value from the input: a message sent twice must be mapped the same"));
    }
    if (name.image.equals(CodeFunction.NAME) && arguments.size() >= 2) {
      codeCall(node, arguments.get(1));
    }
    return UNKNOWN;
  }

  private void codeCall(SimpleNode node, At value) {
    String list = literal(child(node, 0));
    int line = node.jjtGetFirstToken().beginLine;
    if (list == null || !lists.has(list)) {
      problems.add(
          new Problem(
              file,
              line,
              list == null
                  ? "the name of the code list is computed"
                  : "there is no code list '" + list + "'",
              "name one of " + lists.names()));
      return;
    }
    codeCalls.add(new CodeCall(list, value.pointer()));
    String column = node.jjtGetNumChildren() < 3 ? "code" : literal(child(node, 2));
    if (column == null || !lists.hasColumn(list, column)) {
      problems.add(
          new Problem(
              file,
              line,
              column == null
                  ? "the name of the code list's column is computed"
                  : "code list '" + list + "' has no column '" + column + "'",
              "name a column of its header"));
    }
  }

  private static @Nullable String literal(SimpleNode expression) {
    Token token = expression.jjtGetFirstToken();
    boolean alone = token == expression.jjtGetLastToken();
    return alone && token.kind == JsltParserConstants.STRING ? unquoted(token) : null;
  }

  private static String unquoted(Token token) {
    String image = token.image;
    return token.kind == JsltParserConstants.STRING
        ? image.substring(1, image.length() - 1).replace("\\\"", "\"").replace("\\\\", "\\")
        : image;
  }

  private static SimpleNode child(SimpleNode node, int index) {
    return (SimpleNode) node.jjtGetChild(index);
  }

  private static List<SimpleNode> children(SimpleNode node) {
    List<SimpleNode> children = new ArrayList<>();
    for (int i = 0; i < node.jjtGetNumChildren(); i++) {
      children.add(child(node, i));
    }
    return children;
  }
}
