package no.bindeledd.gate;

import java.util.List;
import java.util.Objects;
import no.bindeledd.gate.RouteYaml.Entry;
import org.jspecify.annotations.Nullable;
import org.snakeyaml.engine.v2.nodes.Node;
import org.snakeyaml.engine.v2.nodes.ScalarNode;

/** An endpoint URI as Camel's model has it, and where its parts stand in the file. */
final class RouteUri {
  private final RouteFindings findings;
  private final String raw;
  private final @Nullable Node node;
  private final String where;
  private final List<String> options;
  private @Nullable String canonical;

  RouteUri(RouteFindings findings, @Nullable String given, @Nullable Node node, String where) {
    this.findings = findings;
    this.raw = Objects.requireNonNullElse(given, "");
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
    findings.add(line(), where + " " + what, remedy);
  }
}
