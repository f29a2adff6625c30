package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import no.bindeledd.gate.RouteFile.Direction;
import org.apache.camel.catalog.DefaultCamelCatalog;
import org.apache.camel.model.FromDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RoutesDefinition;
import org.apache.camel.model.SetHeaderDefinition;
import org.apache.camel.model.language.ConstantExpression;
import org.apache.camel.model.language.ExpressionDefinition;
import org.apache.camel.tooling.model.BaseOptionModel;
import org.apache.camel.tooling.model.EipModel;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Goes over all that this version of Camel knows and shows that nothing but the listed words gets
 * through. When an upgrade of Camel brings a new step, expression, attribute or file-level word, it
 * is tried here too.
 */
class RouteModelTest {
  private static final RouteLinter LINTER = new RouteLinter();
  private static final DefaultCamelCatalog CATALOG = new DefaultCamelCatalog(true);

  @Test
  void everyStepOfTheYamlDslThatIsNotListedIsRefused(@TempDir Path folder) throws IOException {
    Set<String> words = words("/items/definitions/org.apache.camel.model.ProcessorDefinition");
    assertThat(words).hasSizeGreaterThan(50).containsAll(RouteWords.STEP_WORDS);
    words.removeAll(RouteWords.STEP_WORDS);
    for (String word : words) {
      String text =
          """
          - route:
              id: toy.deliver
              from:
                uri: "gate:toy?to=ot"
                steps:
                  - %s: {}
                  - to: "kafka:ot.toy.v1"
          """
              .formatted(word);
      assertThat(lint(folder, text))
          .as(word)
          .containsExactly("6: step 1 '" + word + "' is not allowed");
    }
  }

  @Test
  void everyEntryOfAFileThatIsNotARouteIsRefused(@TempDir Path folder) throws IOException {
    Set<String> words = words("/items");
    assertThat(words).hasSizeGreaterThan(12).contains("route", "beans", "onException");
    words.remove("route");
    for (String word : words) {
      assertThat(lint(folder, "- " + word + ": {}\n"))
          .as(word)
          .containsExactly("1: '" + word + "' is not allowed");
    }
  }

  @Test
  void everyAttributeOfARouteOrItsFromThatIsNotListedIsRefused(@TempDir Path folder)
      throws IOException {
    Set<String> route = words("/items/definitions/org.apache.camel.model.RouteDefinition");
    route.removeAll(Set.of("id", "description", "note", "from"));
    assertThat(route).hasSizeGreaterThan(10);
    for (String word : route) {
      String text =
          "- route:\n    id: toy.deliver\n    "
              + word
              + ": {}\n    from:\n      uri: \"gate:toy?to=ot\"\n      steps:\n"
              + "        - to: \"kafka:ot.toy.v1\"\n";
      assertThat(lint(folder, text))
          .as(word)
          .containsExactly("3: the route's '" + word + "' is not allowed");
    }
  }

  @Test
  void everyStepClassThatIsNotListedIsRefusedInTheModel() throws Exception {
    List<String> tried = new ArrayList<>();
    Set<String> taken = new TreeSet<>();
    for (EipModel model : models()) {
      Object object = make(model.getJavaType());
      if (!(object instanceof ProcessorDefinition<?>)) {
        continue;
      }
      tried.add(model.getName());
      if (RouteModel.unlisted(routes((ProcessorDefinition<?>) object)).isEmpty()) {
        taken.add(model.getName());
      }
    }
    assertThat(tried).hasSizeGreaterThan(60);
    assertThat(taken).isEqualTo(RouteWords.STEP_WORDS);
  }

  @Test
  void everyExpressionButAConstantIsRefusedInTheModel() throws Exception {
    List<String> tried = new ArrayList<>();
    Set<String> taken = new TreeSet<>();
    for (EipModel model : models()) {
      Object object = make(model.getJavaType());
      if (!(object instanceof ExpressionDefinition)) {
        continue;
      }
      tried.add(model.getName());
      SetHeaderDefinition step = new SetHeaderDefinition();
      step.setName("Accept");
      step.setExpression((ExpressionDefinition) object);
      if (RouteModel.unlisted(routes(step)).isEmpty()) {
        taken.add(model.getName());
      }
    }
    assertThat(tried).hasSizeGreaterThan(20);
    assertThat(taken).containsExactly("constant");
  }

  @Test
  void everyTextOrFlagOfAListedClassThatIsNotListedIsRefusedWhenItIsSet() throws Exception {
    Set<String> taken = new TreeSet<>();
    int tried = 0;
    List<Class<?>> classes = new ArrayList<>(List.of(RouteDefinition.class, FromDefinition.class));
    for (String word : RouteWords.STEP_WORDS) {
      classes.add(Class.forName(CATALOG.eipModel(word).getJavaType()));
    }
    for (Class<?> type : classes) {
      for (Class<?> c = type; c != Object.class; c = c.getSuperclass()) {
        for (Field field : c.getDeclaredFields()) {
          Object value = valueFor(field);
          if (value == null) {
            continue;
          }
          tried++;
          Object object = type.getDeclaredConstructor().newInstance();
          field.setAccessible(true);
          field.set(object, value);
          if (RouteModel.unlisted(around(object)).isEmpty()) {
            taken.add(type.getSimpleName() + "." + field.getName());
          }
        }
      }
    }
    assertThat(tried).isGreaterThan(80);
    taken.removeIf(f -> f.matches(".*\\.(id|description|note|customId|location)"));
    // The two that no YAML word sets are Camel's own books: whether the error handler is the
    // context's, and a cache of the endpoint's text.
    assertThat(taken)
        .containsExactly(
            "FromDefinition.uri",
            "LogDefinition.loggingLevel",
            "LogDefinition.message",
            "RemoveHeaderDefinition.name",
            "RemoveHeadersDefinition.pattern",
            "RouteDefinition.contextScopedErrorHandler",
            "SetHeaderDefinition.name",
            "ToDefinition.endpointUriToString",
            "ToDefinition.uri");
  }

  @Test
  void theModelRefusesWhatStandsBesideTheRoutes() throws Exception {
    RoutesDefinition routes =
        routes(new SetHeaderDefinition("Accept", new ConstantExpression("x")));
    routes.setOnExceptions(List.of(new org.apache.camel.model.OnExceptionDefinition()));

    assertThat(RouteModel.unlisted(routes))
        .extracting(RouteModel.Finding::what)
        .containsExactly("'onExceptions' of 'routes' is not allowed here");
  }

  @Test
  void everyAllowedOptionIsOneThatThisVersionOfCamelHasForThatDirection() {
    for (Direction direction : Direction.values()) {
      for (String scheme : EndpointOptions.schemes(direction)) {
        if (scheme.equals("fint")) {
          continue;
        }
        List<String> usable =
            CATALOG.componentModel(scheme).getEndpointOptions().stream()
                .filter(o -> fits(o.getLabel(), direction))
                .map(BaseOptionModel::getName)
                .toList();
        assertThat(usable)
            .as(direction + " " + scheme)
            .containsAll(EndpointOptions.allowed(direction, scheme));
      }
    }
  }

  private static boolean fits(@Nullable String label, Direction direction) {
    String other = direction == Direction.RECEIVING ? "producer" : "consumer";
    return label == null || !List.of(label.split(",")).contains(other);
  }

  private static List<EipModel> models() {
    List<EipModel> models = new ArrayList<>();
    for (String name : CATALOG.findModelNames()) {
      EipModel model = CATALOG.eipModel(name);
      if (model != null && model.getJavaType() != null) {
        models.add(model);
      }
    }
    assertThat(models).hasSizeGreaterThan(150);
    return models;
  }

  private static @Nullable Object make(String javaType) throws Exception {
    Class<?> type = Class.forName(javaType);
    return Modifier.isAbstract(type.getModifiers())
        ? null
        : type.getDeclaredConstructor().newInstance();
  }

  private static @Nullable Object valueFor(Field field) {
    if (Modifier.isStatic(field.getModifiers())) {
      return null;
    }
    if (field.getType() == String.class) {
      return "evil";
    }
    if (field.getType() == Boolean.class || field.getType() == boolean.class) {
      return true;
    }
    return field.getType() == Integer.class ? 7 : null;
  }

  private static RoutesDefinition around(Object object) {
    if (object instanceof RouteDefinition) {
      RoutesDefinition routes = new RoutesDefinition();
      routes.getRoutes().add((RouteDefinition) object);
      return routes;
    }
    if (object instanceof FromDefinition) {
      RouteDefinition route = new RouteDefinition();
      route.setInput((FromDefinition) object);
      return around(route);
    }
    return routes((ProcessorDefinition<?>) object);
  }

  private static RoutesDefinition routes(ProcessorDefinition<?> step) {
    RouteDefinition route = new RouteDefinition();
    route.setInput(new FromDefinition("gate:toy?to=ot"));
    route.getOutputs().add(step);
    return around(route);
  }

  private static List<String> lint(Path folder, String text) throws IOException {
    Path file = Files.writeString(folder.resolve("a.camel.yaml"), text);
    return LINTER.lint(file, ToyContract.toy(folder), ToyContract.PLACEHOLDERS).stream()
        .map(p -> p.line() + ": " + p.what())
        .toList();
  }

  private static Set<String> words(String pointer) throws IOException {
    try (InputStream in = RouteModelTest.class.getResourceAsStream("/schema/camelYamlDsl.json")) {
      JsonNode schema = new ObjectMapper().readTree(Objects.requireNonNull(in));
      Set<String> words = new TreeSet<>();
      schema.at(pointer + "/properties").fieldNames().forEachRemaining(words::add);
      return words;
    }
  }
}
