package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonMetaSchema;
import com.networknt.schema.JsonSchema;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.NonValidationKeyword;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.ValidationMessage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.gate.RouteFile.Direction;
import no.bindeledd.gate.RouteYaml.Entry;
import org.apache.camel.StartupSummaryLevel;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.camel.model.DelayDefinition;
import org.apache.camel.model.LogDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RemoveHeaderDefinition;
import org.apache.camel.model.RemoveHeadersDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RoutesDefinition;
import org.apache.camel.model.SetHeaderDefinition;
import org.apache.camel.model.ToDefinition;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.MappingNode;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;
import org.snakeyaml.engine.v2.nodes.SequenceNode;

/**
 * Proves that a route file holds no way round the gate. Default deny, in three steps, each on what
 * the one before let through:
 *
 * <ol>
 *   <li>the words of the file, with exact lines: plain YAML, one route, only listed words, and
 *       Camel's own JSON Schema for the rest (a file is never loaded before that, as other words
 *       can make Camel create beans);
 *   <li>Camel's model, read by Camel's loader into a context that is never started: every class and
 *       every set field must be listed;
 *   <li>what the model says: a receiving route goes from an outside channel to {@code
 *       gate:<exchange>?from=<sender>}, a delivering route from {@code gate:<exchange>?to=<name>}
 *       to that recipient's address in the contract; harmless steps have constant arguments;
 *       endpoint options stand on a list per scheme.
 * </ol>
 *
 * Never throws for what a file holds. Thread-safe; holds no state but the schema and the catalog,
 * so one instance serves the whole process. Creating one takes about half a second.
 */
public final class RouteLinter {
  private static final Set<String> FILE_WORDS = Set.of("route");
  private static final Set<String> ROUTE_WORDS = Set.of("id", "description", "note", "from");
  private static final Set<String> FROM_WORDS =
      Set.of("id", "description", "note", "uri", "parameters", "steps");

  /** The steps that a route may have; also what the model may hold, see {@link RouteModel}. */
  static final Set<String> STEP_WORDS =
      Set.of("delay", "log", "removeHeader", "removeHeaders", "setHeader", "to");

  private static final String STEPS_REMEDY =
      "a route may only delay, log, set or remove a header, and then end in one 'to'";
  private static final Set<String> HEADERS = Set.of("Accept", "Content-Type");
  private static final Pattern MEDIA_TYPE =
      Pattern.compile("[A-Za-z0-9!#&^_.+*-]+/[A-Za-z0-9!#&^_.+*-]+(; ?[a-z]+=[A-Za-z0-9._-]+)*");
  private static final Pattern REMOVABLE =
      Pattern.compile("(?i)(?!camel|kafka|bindeledd|breadcrumb)[A-Za-z][A-Za-z0-9_-]*\\*?");
  private static final Pattern ROUTE_ID = Pattern.compile("[a-z0-9][a-z0-9.-]*");
  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\{\\{([A-Za-z][A-Za-z0-9._-]*)\\}\\}");
  private static final Pattern GATE = Pattern.compile("gate:(?://)?([^?/{}]+)\\?(from|to)=([^&]*)");
  private static final Pattern BRINGS_OPTIONS = Pattern.compile("[?&#%]");
  private static final String PLACEHOLDER_REMEDY =
      "set it in the hub's configuration, or correct its name";
  private static final int MAX_DELAY_MILLIS = 60_000;

  private final EndpointOptions options = new EndpointOptions();
  private final JsonSchema schema;
  private final Map<String, Set<String>> dslWords;

  public RouteLinter() {
    // Loading every definition up front takes seconds; a route uses few of them.
    SchemaValidatorsConfig config =
        SchemaValidatorsConfig.builder().preloadJsonSchema(false).build();
    JsonMetaSchema draft4 =
        JsonMetaSchema.builder(JsonMetaSchema.getV4())
            .keyword(new NonValidationKeyword("deprecated"))
            .build();
    JsonSchemaFactory factory =
        JsonSchemaFactory.builder()
            .defaultMetaSchemaIri(draft4.getIri())
            .metaSchema(draft4)
            .build();
    try (InputStream in = RouteLinter.class.getResourceAsStream("/schema/camelYamlDsl.json")) {
      schema =
          factory.getSchema(
              Objects.requireNonNull(in, "camel-yaml-dsl is not on the class path"), config);
    } catch (IOException e) {
      throw new IllegalStateException("cannot read Camel's YAML schema", e);
    }
    var items = schema.getSchemaNode().path("items");
    Map<String, Set<String>> words = new HashMap<>();
    words.put("file", names(items.path("properties")));
    String model = "org.apache.camel.model.";
    words.put("route", names(items.at("/definitions/" + model + "RouteDefinition/properties")));
    words.put("from", names(items.at("/definitions/" + model + "FromDefinition/properties")));
    words.put("step", names(items.at("/definitions/" + model + "ProcessorDefinition/properties")));
    dslWords = Map.copyOf(words);
  }

  private static Set<String> names(JsonNode properties) {
    Set<String> names = new TreeSet<>();
    properties.fieldNames().forEachRemaining(names::add);
    return names;
  }

  /**
   * What the linter found in one file.
   *
   * @param problems empty when the file is proved
   * @param route the proved file; empty when there are problems
   */
  public record Result(List<Problem> problems, Optional<RouteFile> route) {
    public Result {
      problems = List.copyOf(problems);
    }
  }

  /** The problems of one route file; empty when it holds no way round the gate. */
  public List<Problem> lint(Path routeFile, Contract contract, Placeholders placeholders) {
    return check(routeFile, contract, placeholders).problems();
  }

  /** Reads the file once and proves what was read. */
  public Result check(Path routeFile, Contract contract, Placeholders placeholders) {
    Run run = new Run(routeFile, contract, placeholders);
    try {
      return run.check();
    } catch (RuntimeException | StackOverflowError e) {
      // Default deny: what surprises the linter is refused like what it knows to be wrong.
      run.add(
          0,
          "the file cannot be judged (" + e.getClass().getSimpleName() + ")",
          "write it like the routes in the project's own routes/ folder");
      return run.result(null);
    }
  }

  /**
   * What the linter found in the route files of one exchange, each alone and all together.
   *
   * @param files the proved files, in the order given; empty when there are problems
   */
  public record FolderResult(List<Problem> problems, List<RouteFile> files) {
    public FolderResult {
      problems = List.copyOf(problems);
      files = List.copyOf(files);
    }
  }

  /**
   * Judges all route files of one exchange: each file, then that route ids are unique and that each
   * recipient has exactly one delivering route (without one its messages would wait for ever, with
   * two they would race).
   */
  public FolderResult checkFolder(
      Contract contract, Collection<Path> files, Placeholders placeholders) {
    List<Problem> problems = new ArrayList<>();
    List<RouteFile> proved = new ArrayList<>();
    for (Path file : files) {
      Result result = check(file, contract, placeholders);
      problems.addAll(result.problems());
      result.route().ifPresent(proved::add);
    }
    Map<String, Path> ids = new HashMap<>();
    Map<String, Path> recipients = new HashMap<>();
    for (RouteFile route : proved) {
      Path first = ids.putIfAbsent(route.routeId(), route.path());
      if (first != null) {
        problems.add(
            new Problem(
                route.path(),
                0,
                "the route id '" + route.routeId() + "' is also used in " + first.getFileName(),
                "give each route its own id"));
      }
      if (route.direction() == Direction.DELIVERING) {
        Path other = recipients.putIfAbsent(route.party(), route.path());
        if (other != null) {
          problems.add(
              new Problem(
                  route.path(),
                  0,
                  "the recipient '"
                      + route.party()
                      + "' is also delivered to in "
                      + other.getFileName(),
                  "keep one delivering route for each recipient"));
        }
      }
    }
    if (problems.isEmpty()) {
      for (Contract.Recipient recipient : contract.to()) {
        if (!recipients.containsKey(recipient.name())) {
          problems.add(
              new Problem(
                  contract.folder().resolve("exchange.yaml"),
                  0,
                  "no route delivers to the recipient '" + recipient.name() + "'",
                  "add deliver-"
                      + recipient.name()
                      + ".camel.yaml with a route from gate:"
                      + contract.id()
                      + "?to="
                      + recipient.name()));
        }
      }
    }
    return new FolderResult(problems, problems.isEmpty() ? proved : List.of());
  }

  /** Reads text into Camel's model in a context that is made for this and never started. */
  static RoutesDefinition loadApart(Path file, String text) throws RouteModel.NotLoadable {
    try (DefaultCamelContext scratch = new DefaultCamelContext(false)) {
      scratch.disableJMX();
      scratch.setStartupSummaryLevel(StartupSummaryLevel.Off);
      scratch.setLoadTypeConverters(false);
      scratch.build();
      return RouteModel.load(scratch, file, text);
    } catch (IOException e) {
      throw new RouteModel.NotLoadable("Camel's scratch context cannot be closed", e);
    }
  }

  /** One file's examination. */
  private final class Run {
    private final Path file;
    private final Contract contract;
    private final Placeholders placeholders;
    private final List<Problem> problems = new ArrayList<>();
    private @Nullable Direction direction;
    private String party = "";

    Run(Path file, Contract contract, Placeholders placeholders) {
      this.file = file;
      this.contract = contract;
      this.placeholders = placeholders;
    }

    void add(int line, String what, String remedy) {
      Problem problem = new Problem(file, line, what, remedy);
      if (!problems.contains(problem)) {
        problems.add(problem);
      }
    }

    Result result(@Nullable RouteFile route) {
      problems.sort(Comparator.comparingInt(Problem::line));
      return new Result(
          problems, problems.isEmpty() ? Optional.ofNullable(route) : Optional.empty());
    }

    Result check() {
      String text = text();
      if (text == null) {
        return result(null);
      }
      RouteYaml yaml;
      try {
        yaml = RouteYaml.parse(text);
      } catch (RouteYaml.NotPlain e) {
        add(e.line(), e.what(), e.remedy());
        return result(null);
      }
      checkWords(yaml.root());
      if (problems.isEmpty()) {
        checkSchema(yaml);
      }
      if (!problems.isEmpty()) {
        return result(null);
      }
      RouteDefinition route = model(yaml, text);
      if (route == null) {
        return result(null);
      }
      checkRoute(yaml, route);
      if (!problems.isEmpty() || direction == null) {
        return result(null);
      }
      return result(new RouteFile(file, contract.id(), direction, party, route.getRouteId(), text));
    }

    private @Nullable String text() {
      try {
        if (Files.size(file) > RouteYaml.MAX_BYTES) {
          add(0, "the file is larger than 64 KiB", "a route file holds one short route");
          return null;
        }
        byte[] bytes = Files.readAllBytes(file);
        return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      } catch (CharacterCodingException e) {
        add(0, "the file is not UTF-8 text", "save it as UTF-8");
      } catch (IOException e) {
        add(0, "the file cannot be read", "check that it exists and that the hub may read it");
      }
      return null;
    }

    // --- the words -----------------------------------------------------------------------------

    private void checkWords(Node root) {
      List<Node> items = RouteYaml.items(root);
      if (!(root instanceof SequenceNode) || items.isEmpty()) {
        add(
            RouteYaml.line(root),
            "the file is not a list of one route",
            "begin it with '- route:'; other kinds of Camel files are not loaded");
        return;
      }
      for (Node item : items) {
        checkWords(item, "file", FILE_WORDS, "", "a route file holds one '- route:' and no more");
      }
      if (items.size() > 1 && problems.isEmpty()) {
        add(
            RouteYaml.line(items.get(1)),
            "the file holds more than one entry",
            "write each route in a file of its own");
      }
      Entry route = RouteYaml.entry(items.get(0), "route");
      if (!problems.isEmpty() || route == null) {
        return;
      }
      checkWords(
          route.value(), "route", ROUTE_WORDS, "the route's ", "remove it; the hub decides it");
      Entry from = RouteYaml.entry(route.value(), "from");
      if (from == null) {
        add(route.line(), "the route has no 'from'", "say where it receives from");
        return;
      }
      checkWords(from.value(), "from", FROM_WORDS, "from's ", "remove it; the hub decides it");
      Entry steps = RouteYaml.entry(from.value(), "steps");
      if (steps == null || RouteYaml.items(steps.value()).isEmpty()) {
        add(from.line(), "the route has no steps", "end it with one 'to'");
        return;
      }
      int number = 0;
      for (Node step : RouteYaml.items(steps.value())) {
        number++;
        checkWords(step, "step", STEP_WORDS, "step " + number + " ", STEPS_REMEDY);
        if (RouteYaml.entries(step).size() > 1 && problems.isEmpty()) {
          add(
              RouteYaml.line(step),
              "step " + number + " holds more than one word",
              "begin each step with its own '-'");
        }
      }
    }

    private void checkWords(
        Node node, String level, Set<String> allowed, String where, String remedy) {
      if (!(node instanceof MappingNode) || RouteYaml.entries(node).isEmpty()) {
        add(
            RouteYaml.line(node),
            (where.isEmpty() ? "the entry " : where) + "is empty or not a mapping",
            "write it as 'word:' with its content below");
        return;
      }
      Set<String> known = dslWords.getOrDefault(level, Set.of());
      for (Entry entry : RouteYaml.entries(node)) {
        String word = entry.key();
        if (allowed.contains(word)) {
          continue;
        }
        String shown = where + "'" + Words.quotable(word) + "'";
        if (known.contains(word)) {
          add(entry.line(), shown + " is not allowed", remedy);
          continue;
        }
        String near = Words.nearest(word, allowed);
        add(
            entry.line(),
            shown + " is not a word that Camel knows here",
            near == null ? remedy : "did you mean '" + near + "'?");
      }
    }

    private void checkSchema(RouteYaml yaml) {
      Map<Integer, ValidationMessage> perLine = new LinkedHashMap<>();
      for (ValidationMessage message : schema.validate(yaml.json())) {
        int line = schemaLine(yaml, message);
        perLine.merge(line, message, (a, b) -> rank(a) <= rank(b) ? a : b);
      }
      perLine.forEach(
          (line, message) -> {
            String property = message.getProperty();
            String step = stepAt(message.getInstanceLocation().toString());
            switch (message.getType()) {
              case "additionalProperties" ->
                  add(
                      line,
                      step
                          + "'"
                          + Words.quotable(property)
                          + "' is not a word that Camel knows here",
                      "remove it, or correct the spelling");
              case "required" ->
                  add(line, step + "'" + Words.quotable(property) + "' is missing", "add it");
              default ->
                  add(
                      line,
                      step + "the value does not fit Camel's schema (" + message.getType() + ")",
                      "write it as the Camel YAML reference for this word says");
            }
          });
    }

    private int schemaLine(RouteYaml yaml, ValidationMessage message) {
      String pointer = pointer(message);
      return message.getType().equals("additionalProperties")
          ? yaml.lineAt(pointer + "/" + message.getProperty())
          : yaml.lineAt(pointer);
    }

    private String pointer(ValidationMessage message) {
      StringBuilder pointer = new StringBuilder();
      var path = message.getInstanceLocation();
      for (int i = 0; i < path.getNameCount(); i++) {
        String name = path.getName(i).toString();
        pointer.append('/').append(name.replace("~", "~0").replace("/", "~1"));
      }
      return pointer.toString();
    }

    private int rank(ValidationMessage message) {
      return switch (message.getType()) {
        case "additionalProperties" -> 0;
        case "required" -> 1;
        case "enum" -> 2;
        default -> 3;
      };
    }

    private String stepAt(String location) {
      Matcher step = Pattern.compile("steps[\\[/.](\\d+)").matcher(location);
      return step.find() ? "step " + (Integer.parseInt(step.group(1)) + 1) + " " : "";
    }

    // --- the model -----------------------------------------------------------------------------

    private @Nullable RouteDefinition model(RouteYaml yaml, String text) {
      try {
        RoutesDefinition routes = loadApart(file, text);
        for (RouteModel.Finding finding : RouteModel.unlisted(routes)) {
          String step = finding.step() < 0 ? "" : "step " + (finding.step() + 1) + " ";
          add(findingLine(yaml, finding), step + finding.what(), finding.remedy());
        }
        if (routes.getRoutes().size() != 1) {
          add(0, "Camel does not read one route from the file", "write one '- route:'");
          return null;
        }
        RouteDefinition route = routes.getRoutes().get(0);
        int steps = RouteYaml.items(steps(yaml)).size();
        if (route.getOutputs().size() != steps) {
          add(0, "Camel reads other steps than the file shows", STEPS_REMEDY);
        }
        return problems.isEmpty() ? route : null;
      } catch (RouteModel.NotLoadable e) {
        add(0, Objects.requireNonNullElse(e.getMessage(), ""), "write it like the other routes");
        return null;
      }
    }

    private @Nullable Node from(RouteYaml yaml) {
      Entry route = RouteYaml.entry(RouteYaml.items(yaml.root()).get(0), "route");
      Entry from = route == null ? null : RouteYaml.entry(route.value(), "from");
      return from == null ? null : from.value();
    }

    private @Nullable Node steps(RouteYaml yaml) {
      Entry steps = RouteYaml.entry(from(yaml), "steps");
      return steps == null ? null : steps.value();
    }

    private int stepLine(RouteYaml yaml, int step) {
      List<Node> steps = RouteYaml.items(steps(yaml));
      return step >= 0 && step < steps.size() ? RouteYaml.line(steps.get(step)) : 0;
    }

    /** Where the word of the finding stands, or else its step. */
    private int findingLine(RouteYaml yaml, RouteModel.Finding finding) {
      List<Node> steps = RouteYaml.items(steps(yaml));
      int line = stepLine(yaml, finding.step());
      return line == 0 ? 0 : RouteYaml.lineOf(steps.get(finding.step()), finding.word(), line);
    }

    // --- what the model says -------------------------------------------------------------------

    private void checkRoute(RouteYaml yaml, RouteDefinition route) {
      checkId(yaml, route.getRouteId());
      Uri from = uri(route.getInput().getUri(), from(yaml), "from");
      List<ProcessorDefinition<?>> outputs = route.getOutputs();
      int last = outputs.size() - 1;
      for (int i = 0; i < last; i++) {
        if (outputs.get(i) instanceof ToDefinition) {
          add(
              stepLine(yaml, i),
              "step " + (i + 1) + " 'to' is not the last step",
              "a route sends once, as its last step");
        } else {
          checkStep(stepLine(yaml, i), "step " + (i + 1), outputs.get(i));
        }
      }
      int lastLine = stepLine(yaml, last);
      if (!(outputs.get(last) instanceof ToDefinition)) {
        if (problems.isEmpty()) {
          add(lastLine, "the last step is not 'to'", "end the route with one 'to'");
        }
        return;
      }
      Entry toEntry = RouteYaml.entry(RouteYaml.items(steps(yaml)).get(last), "to");
      Uri to =
          uri(
              ((ToDefinition) outputs.get(last)).getUri(),
              toEntry == null ? null : toEntry.value(),
              "step " + (last + 1) + " 'to'");
      if (from.raw().startsWith("gate:")) {
        checkDelivering(from, to);
      } else {
        checkReceiving(from, to);
      }
    }

    private void checkId(RouteYaml yaml, @Nullable String id) {
      Entry route = RouteYaml.entry(RouteYaml.items(yaml.root()).get(0), "route");
      int line = route == null ? 0 : route.line();
      Entry entry = route == null ? null : RouteYaml.entry(route.value(), "id");
      if (entry == null || id == null) {
        add(line, "the route has no id", "add 'id: " + contract.id() + ".receive' or similar");
        return;
      }
      if (!id.startsWith(contract.id() + ".") || !ROUTE_ID.matcher(id).matches()) {
        add(
            entry.line(),
            "the route id '" + Words.quotable(id) + "' does not begin with the exchange's id",
            "write it as '"
                + contract.id()
                + ".' and then small letters, digits, dots and hyphens");
      }
    }

    private void checkStep(int line, String step, ProcessorDefinition<?> definition) {
      switch (definition) {
        case SetHeaderDefinition s -> checkSetHeader(line, step, s);
        case RemoveHeaderDefinition r ->
            checkRemoval(line, step + " 'removeHeader'", r.getName(), false);
        case RemoveHeadersDefinition r ->
            checkRemoval(line, step + " 'removeHeaders'", r.getPattern(), true);
        case DelayDefinition d -> checkDelay(line, step, d);
        case LogDefinition l -> checkLog(line, step, l);
        default -> add(line, step + " is not allowed", STEPS_REMEDY);
      }
    }

    private void checkSetHeader(int line, String step, SetHeaderDefinition set) {
      String name = Objects.requireNonNullElse(set.getName(), "");
      if (HEADERS.stream().noneMatch(name::equalsIgnoreCase)) {
        add(
            line,
            step + " 'setHeader' sets '" + Words.quotable(name) + "'",
            "only Accept and Content-Type may be set; other headers can change where a record goes");
        return;
      }
      String value = set.getExpression() == null ? "" : set.getExpression().getExpression();
      if (value == null || !MEDIA_TYPE.matcher(value.strip()).matches()) {
        add(
            line,
            step + " 'setHeader' has a value that is not a media type",
            "write a constant such as application/json");
      }
    }

    private void checkRemoval(int line, String where, @Nullable String name, boolean wildcard) {
      if (name == null || !REMOVABLE.matcher(name).matches() || (!wildcard && name.endsWith("*"))) {
        add(
            line,
            where + " names headers that the hub or Camel needs",
            "name a header of the sender's, not '*' and not Camel's, Kafka's or the hub's own");
      }
    }

    private void checkDelay(int line, String step, DelayDefinition delay) {
      String value = delay.getExpression() == null ? "" : delay.getExpression().getExpression();
      boolean number = value != null && value.strip().matches("[0-9]{1,5}");
      if (!number || Integer.parseInt(value.strip()) > MAX_DELAY_MILLIS) {
        add(
            line,
            step + " 'delay' is not a constant of at most " + MAX_DELAY_MILLIS,
            "write 'constant:' and whole milliseconds");
      }
    }

    private void checkLog(int line, String step, LogDefinition log) {
      String message = Objects.requireNonNullElse(log.getMessage(), "");
      String lower = message.strip().toLowerCase(Locale.ROOT);
      if (message.contains("$") || message.contains("{{") || lower.startsWith("resource:")) {
        add(
            line,
            step + " 'log' writes more than a constant",
            "write a fixed sentence without $, {{ and resource:, as records must not reach a log");
      }
    }

    private void checkReceiving(Uri from, Uri to) {
      direction = Direction.RECEIVING;
      checkOutside(from, Direction.RECEIVING);
      if (!to.raw().startsWith("gate:")) {
        to.problem(
            "goes to an outside address from an outside address, past the gate",
            "end a receiving route with gate:" + contract.id() + "?from=<sender>");
        return;
      }
      String name = gateParty(to, "from");
      if (name == null) {
        return;
      }
      Optional<Contract.Sender> sender = contract.sender(name);
      if (sender.isEmpty()) {
        to.problem(
            "names the sender '" + Words.quotable(name) + "', which is not in the contract",
            "use a name under 'from:' in exchange.yaml");
      } else if (sender.get().authentication() != Contract.Authentication.CHANNEL) {
        to.problem(
            "names the sender '" + name + "', which must show a token",
            "such a sender posts to /exchanges/"
                + contract.id()
                + "; a route is only for authentication CHANNEL");
      }
      party = name;
    }

    private void checkDelivering(Uri from, Uri to) {
      direction = Direction.DELIVERING;
      String name = gateParty(from, "to");
      if (to.raw().startsWith("gate:")) {
        to.problem("goes from the gate into the gate", "deliver to the recipient's address");
        return;
      }
      checkOutside(to, Direction.DELIVERING);
      if (name == null) {
        return;
      }
      party = name;
      Optional<Contract.Recipient> recipient = contract.recipient(name);
      if (recipient.isEmpty()) {
        from.problem(
            "names the recipient '" + Words.quotable(name) + "', which is not in the contract",
            "use a name under 'to:' in exchange.yaml");
        return;
      }
      String expected = contractAddress(recipient.get());
      String actual = to.canonical();
      if (expected != null && actual != null && !expected.equals(actual)) {
        to.problem(
            "goes to another address than the contract gives for '" + name + "'",
            "write '" + Words.quotable(recipient.get().address()) + "'");
      }
    }

    /** The canonical address of the contract; null when it has none, which is a problem. */
    private @Nullable String contractAddress(Contract.Recipient recipient) {
      Path contractFile = contract.folder().resolve("exchange.yaml");
      String raw = recipient.address();
      StringBuilder resolved = new StringBuilder();
      String wrong = resolve(raw, false, resolved);
      if (wrong != null) {
        problems.add(
            new Problem(
                contractFile,
                0,
                "the address of '" + recipient.name() + "': " + wrong,
                "set it, or correct the address"));
        return null;
      }
      int colon = resolved.indexOf(":");
      try {
        return EndpointAddress.canonical(
            colon < 0 ? "" : resolved.substring(0, colon), resolved.substring(colon + 1));
      } catch (EndpointAddress.NotCanonical e) {
        problems.add(
            new Problem(
                contractFile,
                0,
                "the address of '" + recipient.name() + "' cannot be compared: " + e.getMessage(),
                "write a plain address without options"));
        return null;
      }
    }

    /** The party in {@code gate:<exchange>?from=} or {@code ?to=}; null when that is a problem. */
    private @Nullable String gateParty(Uri uri, String key) {
      Matcher gate = GATE.matcher(uri.raw());
      String expected = "gate:" + contract.id() + "?" + key + "=<name>";
      if (!gate.matches() || !gate.group(2).equals(key) || uri.raw().contains("%")) {
        uri.problem("is not of the form " + expected, "write it so, with no other option");
        return null;
      }
      if (!gate.group(1).equals(contract.id())) {
        uri.problem(
            "belongs to the exchange '" + Words.quotable(gate.group(1)) + "'",
            "a route in this folder uses gate:" + contract.id());
        return null;
      }
      return gate.group(3);
    }

    /** An outside endpoint: its scheme, address and options are on the lists. */
    private void checkOutside(Uri uri, Direction way) {
      StringBuilder resolved = new StringBuilder();
      String wrong = resolve(uri.base(), false, resolved);
      if (wrong != null) {
        uri.problem("holds " + wrong, PLACEHOLDER_REMEDY);
        return;
      }
      int colon = resolved.indexOf(":");
      String scheme = colon < 0 ? resolved.toString() : resolved.substring(0, colon);
      Set<String> schemes = EndpointOptions.schemes(way);
      if (!schemes.contains(scheme)) {
        uri.problem(
            "has the scheme '" + Words.quotable(scheme) + "'",
            "a "
                + (way == Direction.RECEIVING ? "receiving" : "delivering")
                + " route may only use "
                + String.join(", ", schemes));
        return;
      }
      try {
        uri.setCanonical(EndpointAddress.canonical(scheme, resolved.substring(colon + 1)));
      } catch (EndpointAddress.NotCanonical e) {
        uri.problem("cannot be judged: " + e.getMessage(), "write a plain address");
      }
      for (String option : new LinkedHashSet<>(uri.options())) {
        checkOption(uri, way, scheme, option);
      }
    }

    private void checkOption(Uri uri, Direction way, String scheme, String option) {
      String name = nameOf(option);
      String raw = option.length() == name.length() ? "" : option.substring(name.length() + 1);
      int line = uri.optionLine(name);
      if (uri.options().stream().anyMatch(o -> !o.equals(option) && nameOf(o).equals(name))
          || Collections.frequency(uri.options(), option) > 1) {
        add(line, uri.where() + " sets '" + Words.quotable(name) + "' twice", "keep one of them");
        return;
      }
      // Camel wraps the value of an option that it holds for a secret.
      boolean wrapped = raw.startsWith("RAW(") && raw.endsWith(")");
      String value = wrapped ? raw.substring(4, raw.length() - 1) : raw;
      StringBuilder resolved = new StringBuilder();
      String wrong = resolve(value, wrapped, resolved);
      if (wrong != null) {
        add(
            line,
            uri.where() + " option '" + Words.quotable(name) + "' holds " + wrong,
            PLACEHOLDER_REMEDY);
        return;
      }
      EndpointOptions.Refusal refusal =
          options.judge(way, scheme, name, value, resolved.toString());
      if (refusal != null) {
        add(line, uri.where() + ": " + refusal.what(), refusal.remedy());
      }
    }

    private static String nameOf(String option) {
      int equals = option.indexOf('=');
      return equals < 0 ? option : option.substring(0, equals);
    }

    /**
     * Resolves plain {@code {{name}}} placeholders.
     *
     * @param wrapped the text stands in {@code RAW()}, so that only a bracket can end it
     * @return what is wrong, or null when {@code into} holds the resolved text
     */
    private @Nullable String resolve(String raw, boolean wrapped, StringBuilder into) {
      Matcher matcher = PLACEHOLDER.matcher(raw);
      while (matcher.find()) {
        String name = "the placeholder {{" + Words.quotable(matcher.group(1)) + "}}, ";
        String value = placeholders.value(matcher.group(1));
        if (value == null || value.isBlank()) {
          return name + "which has no value";
        }
        if (value.contains("{{") || value.chars().anyMatch(c -> c < ' ')) {
          return name + "whose value is not plain text";
        }
        if (wrapped && value.contains(")")) {
          return name + "whose value holds a closing bracket";
        }
        if (!wrapped && BRINGS_OPTIONS.matcher(value).find()) {
          return name + "whose value holds one of ? & # % (a secret stands in RAW({{...}}))";
        }
        matcher.appendReplacement(into, Matcher.quoteReplacement(value));
      }
      matcher.appendTail(into);
      String rest = PLACEHOLDER.matcher(raw).replaceAll("");
      return rest.contains("{{") || rest.contains("}}")
          ? "a placeholder that is not a plain {{name}}"
          : null;
    }

    private Uri uri(String raw, @Nullable Node node, String where) {
      return new Uri(this, Objects.requireNonNullElse(raw, ""), node, where);
    }
  }

  /** An endpoint URI as Camel's model has it, and where its parts stand in the file. */
  private static final class Uri {
    private final Run run;
    private final String raw;
    private final @Nullable Node node;
    private final String where;
    private final List<String> options;
    private @Nullable String canonical;

    Uri(Run run, String raw, @Nullable Node node, String where) {
      this.run = run;
      this.raw = raw;
      this.node = node;
      this.where = where;
      int question = raw.indexOf('?');
      this.options = question < 0 ? List.of() : List.of(raw.substring(question + 1).split("&", -1));
    }

    String raw() {
      return raw;
    }

    String where() {
      return where;
    }

    /** Everything before the first question mark. */
    String base() {
      int question = raw.indexOf('?');
      return question < 0 ? raw : raw.substring(0, question);
    }

    List<String> options() {
      return options;
    }

    @Nullable String canonical() {
      return canonical;
    }

    void setCanonical(String canonical) {
      this.canonical = canonical;
    }

    int line() {
      if (node instanceof ScalarNode) {
        return RouteYaml.line(node);
      }
      Entry uri = RouteYaml.entry(node, "uri");
      return uri == null ? 0 : uri.line();
    }

    int optionLine(String name) {
      Entry parameters = RouteYaml.entry(node, "parameters");
      Entry option = parameters == null ? null : RouteYaml.entry(parameters.value(), name);
      return option == null ? line() : option.line();
    }

    void problem(String what, String remedy) {
      run.add(line(), where + " " + what, remedy);
    }
  }
}
