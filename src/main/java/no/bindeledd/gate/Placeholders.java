package no.bindeledd.gate;

import java.util.Map;
import org.apache.camel.CamelContext;
import org.jspecify.annotations.Nullable;

/**
 * What a {@code {{name}}} in a route or an address stands for. Thread-safe. The linter resolves a
 * placeholder with the same source as the running context does, so that what was proved is what
 * runs.
 */
@FunctionalInterface
public interface Placeholders {
  /** The value, or null when nobody has set one. */
  @Nullable String value(String name);

  static Placeholders of(Map<String, String> values) {
    Map<String, String> copy = Map.copyOf(values);
    return copy::get;
  }

  /** The placeholders as this Camel context resolves them. */
  static Placeholders of(CamelContext context) {
    return name ->
        context.getPropertiesComponent().resolveProperty(name).map(String::valueOf).orElse(null);
  }
}
