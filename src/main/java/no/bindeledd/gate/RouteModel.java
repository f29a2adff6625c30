package no.bindeledd.gate;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.camel.CamelContext;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.model.DelayDefinition;
import org.apache.camel.model.FromDefinition;
import org.apache.camel.model.LogDefinition;
import org.apache.camel.model.RemoveHeaderDefinition;
import org.apache.camel.model.RemoveHeadersDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.RoutesDefinition;
import org.apache.camel.model.SetHeaderDefinition;
import org.apache.camel.model.ToDefinition;
import org.apache.camel.model.language.ConstantExpression;
import org.apache.camel.spi.Resource;
import org.apache.camel.support.PluginHelper;
import org.apache.camel.support.ResourceHelper;
import org.jspecify.annotations.Nullable;

/**
 * Camel's own model of a route file, read through Camel's own YAML loader, and the proof that it
 * holds nothing but what is listed here. The proof goes over every field of every object of the
 * model by reflection: a class that is not listed, or a field that is set and not listed, is a
 * finding. So a word that a new Camel version learns is refused until someone lists it.
 */
final class RouteModel {
  /** Fields in which Camel keeps its own books; nothing in a file sets them. */
  private static final Set<String> BOOKKEEPING =
      Set.of(
          "camelContext",
          "customId",
          "lineNumber",
          "location",
          "prepared",
          "parent",
          "blocks",
          "index",
          "resource",
          "endpointUriToString",
          "contextScopedErrorHandler");

  private static final Set<String> NAMING = Set.of("id", "description", "note");

  /** Per class, the fields that a file may set. */
  private static final Map<Class<?>, Set<String>> ALLOWED =
      Map.of(
          RoutesDefinition.class, Set.of("routes"),
          RouteDefinition.class, Set.of("input", "outputs"),
          FromDefinition.class, Set.of("uri"),
          ToDefinition.class, Set.of("uri"),
          SetHeaderDefinition.class, Set.of("name", "expression"),
          RemoveHeaderDefinition.class, Set.of("name"),
          RemoveHeadersDefinition.class, Set.of("pattern"),
          DelayDefinition.class, Set.of("expression"),
          LogDefinition.class, Set.of("message", "loggingLevel"),
          ConstantExpression.class, Set.of("expression", "trim"));

  private static final Set<Class<?>> STEPS =
      Set.of(
          ToDefinition.class,
          SetHeaderDefinition.class,
          RemoveHeaderDefinition.class,
          RemoveHeadersDefinition.class,
          DelayDefinition.class,
          LogDefinition.class);

  /** What may stand in a field that holds other parts of the model. */
  private static final Map<String, Set<Class<?>>> PARTS =
      Map.of(
          "routes", Set.of(RouteDefinition.class),
          "input", Set.of(FromDefinition.class),
          "outputs", STEPS,
          "expression", Set.of(ConstantExpression.class));

  private RouteModel() {}

  /**
   * Something in the model that is not listed.
   *
   * @param step the index of the step it was found in, or -1 when it was found outside the steps
   * @param word the YAML word that set it
   */
  record Finding(int step, String word, String what, String remedy) {}

  /** Camel cannot read the file, or made something else of it than one list of routes. */
  static final class NotLoadable extends Exception {
    private static final long serialVersionUID = 1L;

    NotLoadable(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /**
   * Reads the text with the YAML loader of the context into the model. Adds nothing to the context.
   * Only for text whose words have been checked, as other words can make the loader create beans.
   */
  static RoutesDefinition load(CamelContext context, Path file, String text) throws NotLoadable {
    // Camel picks the loader by the name's ending; a Kamelet or Pipe loader must never see the
    // text.
    String name = String.valueOf(file.getFileName());
    Resource resource =
        ResourceHelper.fromBytes(
            "file:" + (name.endsWith(".camel.yaml") ? name : "route.camel.yaml"),
            text.getBytes(StandardCharsets.UTF_8));
    try {
      Collection<RoutesBuilder> builders =
          PluginHelper.getRoutesLoader(context).findRoutesBuilders(resource);
      if (builders.size() != 1 || !(builders.iterator().next() instanceof RouteBuilder)) {
        throw new NotLoadable("Camel finds no single route builder in the file", null);
      }
      RouteBuilder builder = (RouteBuilder) builders.iterator().next();
      RoutesDefinition routes = builder.configureRoutes(context);
      if (!builder.getRestCollection().getRests().isEmpty()
          || !builder.getRouteTemplateCollection().getRouteTemplates().isEmpty()
          || !builder.getTemplatedRouteCollection().getTemplatedRoutes().isEmpty()
          || !builder.getBeans().isEmpty()
          || builder.getRestConfiguration() != null) {
        throw new NotLoadable("Camel finds more than routes in the file", null);
      }
      return routes;
    } catch (NotLoadable e) {
      throw e;
    } catch (Exception e) {
      // The loader's own message may repeat the file's text; its class says enough.
      throw new NotLoadable(
          "Camel cannot read the route (" + e.getClass().getSimpleName() + ")", e);
    }
  }

  /** Every object in the model that is not listed, in reading order. */
  static List<Finding> unlisted(RoutesDefinition routes) {
    List<Finding> findings = new ArrayList<>();
    judge(routes, Set.of(RoutesDefinition.class), -1, findings);
    return findings;
  }

  private static void judge(
      Object object, Set<Class<?>> expected, int step, List<Finding> findings) {
    Class<?> type = object.getClass();
    Set<String> allowed = ALLOWED.get(type);
    if (allowed == null || !expected.contains(type)) {
      findings.add(
          new Finding(
              step,
              word(type),
              "'" + word(type) + "' is not allowed in a route",
              "write a constant, as a route runs no code of its own"));
      return;
    }
    Object pristine = pristine(type);
    for (Class<?> c = type; c != null && c != Object.class; c = c.getSuperclass()) {
      for (Field field : c.getDeclaredFields()) {
        judge(field, object, pristine, allowed, step, findings);
      }
    }
  }

  private static void judge(
      Field field,
      Object object,
      Object pristine,
      Set<String> allowed,
      int step,
      List<Finding> findings) {
    String name = field.getName();
    if (Modifier.isStatic(field.getModifiers()) || BOOKKEEPING.contains(name)) {
      return;
    }
    Object value = read(field, object);
    if (isUnset(value, read(field, pristine))) {
      return;
    }
    if (NAMING.contains(name) && value instanceof String) {
      return;
    }
    if (!allowed.contains(name)) {
      String word = name.equals("resultTypeName") ? "resultType" : name;
      findings.add(
          new Finding(
              step,
              word,
              "'" + word + "' of '" + word(object.getClass()) + "' is not allowed here",
              "remove it"));
      return;
    }
    Set<Class<?>> expected = PARTS.getOrDefault(name, Set.of());
    if (value instanceof Collection<?>) {
      int index = 0;
      for (Object element : (Collection<?>) value) {
        judge(element, expected, name.equals("outputs") ? index : step, findings);
        index++;
      }
    } else if (value != null && !(value instanceof String)) {
      judge(value, expected, step, findings);
    }
  }

  private static boolean isUnset(@Nullable Object value, @Nullable Object pristine) {
    if (value == null || Objects.equals(value, pristine)) {
      return true;
    }
    if (value instanceof Collection<?>) {
      return ((Collection<?>) value).isEmpty();
    }
    if (value instanceof Map<?, ?>) {
      return ((Map<?, ?>) value).isEmpty();
    }
    return value instanceof AtomicBoolean && !((AtomicBoolean) value).get();
  }

  private static @Nullable Object read(Field field, Object object) {
    try {
      field.setAccessible(true);
      return field.get(object);
    } catch (IllegalAccessException | RuntimeException e) {
      throw new IllegalStateException(
          "cannot read " + field + "; open Camel's model packages to reflection", e);
    }
  }

  private static Object pristine(Class<?> type) {
    try {
      return type.getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("cannot make an empty " + type.getName(), e);
    }
  }

  /** The YAML word of a model class: {@code WireTapDefinition} is {@code wireTap}. */
  private static String word(Class<?> type) {
    String name = type.getSimpleName().replaceFirst("(Definition|Expression)$", "");
    return name.isEmpty()
        ? type.getName()
        : Character.toLowerCase(name.charAt(0)) + name.substring(1);
  }
}
