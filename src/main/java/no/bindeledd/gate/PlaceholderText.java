package no.bindeledd.gate;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Text of a route or a contract with <code>{{name}}</code> in it. */
final class PlaceholderText {
  private static final Pattern PLACEHOLDER =
      Pattern.compile("\\{\\{([A-Za-z][A-Za-z0-9._-]*)\\}\\}");
  private static final Pattern BRINGS_OPTIONS = Pattern.compile("[?&#%]");

  private PlaceholderText() {}

  /**
   * Resolves plain {@code {{name}}} placeholders.
   *
   * @param wrapped the text stands in {@code RAW()}, so that only a bracket can end it
   * @return what is wrong, or null when {@code into} holds the resolved text
   */
  static @Nullable String resolve(
      Placeholders placeholders, String raw, boolean wrapped, StringBuilder into) {
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
}
