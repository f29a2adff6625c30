package no.bindeledd.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.schibsted.spt.data.jslt.Expression;
import com.schibsted.spt.data.jslt.JsltException;
import com.schibsted.spt.data.jslt.Parser;
import java.io.IOException;
import java.io.Reader;
import java.io.StringReader;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * One compiled JSLT file with what it imports. JSLT has no access to files or the network: imports
 * are read here, before compiling, and only from the folder {@code mappings}. Immutable, safe on
 * any thread.
 */
final class Mapping {
  private final Path file;
  private final Expression expression;
  private final Map<String, String> sources;
  private final List<JsltReview.CodeCall> codeCalls;

  private Mapping(
      Path file,
      Expression expression,
      Map<String, String> sources,
      List<JsltReview.CodeCall> codeCalls) {
    this.file = file;
    this.expression = expression;
    this.sources = sources;
    this.codeCalls = codeCalls;
  }

  /** The mapping could not be carried out; {@code detail} holds no values. */
  static final class Refused extends Exception {
    private static final long serialVersionUID = 1L;

    private final ReasonCode reason;

    Refused(ReasonCode reason, String detail) {
      super(detail, null, false, false);
      this.reason = reason;
    }

    ReasonCode reason() {
      return reason;
    }
  }

  /**
   * Compiles a mapping.
   *
   * @param root the folder {@code mappings}, outside which nothing is read
   * @param folder the exchange's folder in it; the file's name and imports are relative to it
   * @param input the input's shape, or null when it is not known
   * @return null after adding what is wrong to the problems
   */
  static @Nullable Mapping compile(
      Path root,
      Path folder,
      String name,
      CodeLists lists,
      @Nullable SchemaShape input,
      List<Problem> problems) {
    int before = problems.size();
    Path file = folder.resolve(name);
    String text = read(root, folder, name, file, 0, problems);
    if (text == null) {
      return null;
    }
    Map<String, String> sources = new TreeMap<>();
    sources.put(name, text);
    List<JsltReview.CodeCall> codeCalls = new ArrayList<>();
    JsltReview review = JsltReview.of(file, text, lists, input, false, problems);
    if (review != null) {
      codeCalls.addAll(review.codeCalls());
      imports(root, folder, file, review, lists, sources, codeCalls, problems);
    }
    if (problems.size() > before) {
      return null;
    }
    try {
      Expression expression =
          new Parser(new StringReader(text))
              .withSource(name)
              .withFunctions(List.of(new CodeFunction(lists)))
              .withResourceResolver(source -> reader(sources, source))
              .compile();
      return new Mapping(file, expression, sources, List.copyOf(codeCalls));
    } catch (JsltException e) {
      String source = e.getSource();
      problems.add(
          JsltReview.syntax(
              source == null ? file : folder.resolve(source),
              Math.max(0, e.getLine()),
              e.getMessageWithoutLocation()));
      return null;
    } catch (UnknownCode e) {
      problems.add(
          new Problem(
              file, 0, "a constant is not in the code list " + e.list(), "use a code of the list"));
      return null;
    }
  }

  private static Reader reader(Map<String, String> sources, String source) {
    String text = sources.get(source);
    if (text == null) {
      throw new JsltException("'" + source + "' may not be imported");
    }
    return new StringReader(text);
  }

  private static void imports(
      Path root,
      Path folder,
      Path importer,
      JsltReview review,
      CodeLists lists,
      Map<String, String> sources,
      List<JsltReview.CodeCall> codeCalls,
      List<Problem> problems) {
    for (JsltReview.Import imported : review.imports()) {
      if (sources.containsKey(imported.source())) {
        continue;
      }
      String text = read(root, folder, imported.source(), importer, imported.line(), problems);
      if (text == null) {
        continue;
      }
      sources.put(imported.source(), text);
      Path file = folder.resolve(imported.source()).normalize();
      JsltReview module = JsltReview.of(file, text, lists, null, true, problems);
      if (module != null) {
        codeCalls.addAll(module.codeCalls());
        imports(root, folder, file, module, lists, sources, codeCalls, problems);
      }
    }
  }

  private static @Nullable String read(
      Path root, Path folder, String name, Path blame, int line, List<Problem> problems) {
    try {
      Path file = folder.resolve(name).normalize();
      if (!file.startsWith(root.normalize())
          || (Files.exists(file) && !file.toRealPath().startsWith(root.toRealPath()))) {
        problems.add(
            new Problem(
                blame,
                line,
                "'" + name + "' lies outside the folder of mappings",
                "use a file below " + root));
        return null;
      }
      return Files.readString(file);
    } catch (NoSuchFileException e) {
      problems.add(
          new Problem(blame, line, "there is no mapping file '" + name + "'", "create it"));
    } catch (CharacterCodingException e) {
      problems.add(
          new Problem(blame, line, "'" + name + "' is not UTF-8", "save the file as UTF-8"));
    } catch (IOException e) {
      problems.add(
          new Problem(blame, line, "'" + name + "' cannot be read", "check its permissions"));
    } catch (InvalidPathException e) {
      problems.add(new Problem(blame, line, "the name of a file is not one", "correct the name"));
    }
    return null;
  }

  /** Every file that takes part, by name. */
  Map<String, String> sources() {
    return sources;
  }

  List<String> codeLists() {
    return codeCalls.stream().map(JsltReview.CodeCall::list).distinct().sorted().toList();
  }

  /**
   * Maps one record.
   *
   * @throws Refused when it cannot be mapped
   */
  JsonNode apply(JsonNode input, CodeLists lists) throws Refused {
    try {
      return expression.apply(input);
    } catch (UnknownCode e) {
      throw new Refused(ReasonCode.UNKNOWN_CODE, unknownCode(e.list(), input, lists));
    } catch (JsltException e) {
      throw new Refused(ReasonCode.SCHEMA_VIOLATION, failedAt(e.getSource(), e.getLine()));
    } catch (RuntimeException | StackOverflowError e) {
      throw new Refused(ReasonCode.SCHEMA_VIOLATION, failedAt(null, 0));
    }
  }

  private String failedAt(@Nullable String source, int line) {
    String name = source == null ? String.valueOf(file.getFileName()) : source;
    return "the mapping "
        + name
        + (line > 0 ? ":" + line : "")
        + " cannot be carried out on this record; see that the input schema excludes such values";
  }

  private String unknownCode(String list, JsonNode input, CodeLists lists) {
    String fields =
        codeCalls.stream()
            .filter(call -> call.list().equals(list) && isUnknown(call, input, lists))
            .map(JsltReview.CodeCall::pointer)
            .distinct()
            .collect(Collectors.joining(" or "));
    return (fields.isEmpty() ? "a value" : fields) + " is not in the code list " + list;
  }

  /** False only when the call reads a member of the input whose code is in the list. */
  private static boolean isUnknown(JsltReview.CodeCall call, JsonNode input, CodeLists lists) {
    String pointer = call.pointer();
    if (pointer == null) {
      return false;
    }
    JsonNode value = input;
    for (String segment : FieldTree.segments(pointer)) {
      if (segment.equals("*")) {
        return true;
      }
      value = value.path(segment);
    }
    return !value.isMissingNode() && !value.isNull() && !lists.has(call.list(), value.asText());
  }
}
