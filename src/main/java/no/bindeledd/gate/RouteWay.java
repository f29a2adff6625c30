package no.bindeledd.gate;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.gate.RouteFile.Direction;
import no.bindeledd.gate.RouteYaml.Entry;
import org.apache.camel.model.DelayDefinition;
import org.apache.camel.model.LogDefinition;
import org.apache.camel.model.ProcessorDefinition;
import org.apache.camel.model.RemoveHeaderDefinition;
import org.apache.camel.model.RemoveHeadersDefinition;
import org.apache.camel.model.RouteDefinition;
import org.apache.camel.model.SetHeaderDefinition;
import org.apache.camel.model.ToDefinition;
import org.jspecify.annotations.Nullable;

/**
 * What a route's model says: from where, to where, and what happens between. Made for one file and
 * used by one thread.
 */
final class RouteWay {
  private static final Set<String> HEADERS = Set.of("Accept", "Content-Type");
  private static final Pattern MEDIA_TYPE =
      Pattern.compile("[A-Za-z0-9!#&^_.+*-]+/[A-Za-z0-9!#&^_.+*-]+(; ?[a-z]+=[A-Za-z0-9._-]+)*");
  private static final Pattern REMOVABLE =
      Pattern.compile("(?i)(?!camel|kafka|bindeledd|breadcrumb)[A-Za-z][A-Za-z0-9_-]*\\*?");
  private static final Pattern ROUTE_ID = Pattern.compile("[a-z0-9][a-z0-9.-]*");
  private static final Pattern GATE = Pattern.compile("gate:(?://)?([^?/{}]+)\\?(from|to)=([^&]*)");
  private static final String PLACEHOLDER_REMEDY =
      "set it in the hub's configuration, or correct its name";
  private static final int MAX_DELAY_MILLIS = 60_000;

  private final Contract contract;
  private final Placeholders placeholders;
  private final EndpointOptions options;
  private final RouteFindings findings;
  private @Nullable Direction direction;
  private String party = "";

  RouteWay(
      Contract contract,
      Placeholders placeholders,
      EndpointOptions options,
      RouteFindings findings) {
    this.contract = contract;
    this.placeholders = placeholders;
    this.options = options;
    this.findings = findings;
  }

  /** Known after a check that found nothing. */
  Direction direction() {
    return Objects.requireNonNull(direction);
  }

  /** The name in the contract of the sender or recipient. */
  String party() {
    return party;
  }

  /** When it finds nothing, direction and party are known. */
  void check(RouteYaml yaml, RouteDefinition route) {
    checkId(yaml, route.getRouteId());
    RouteUri from = new RouteUri(findings, route.getInput().getUri(), yaml.from(), "from");
    List<ProcessorDefinition<?>> outputs = route.getOutputs();
    int last = outputs.size() - 1;
    for (int i = 0; i < last; i++) {
      if (outputs.get(i) instanceof ToDefinition) {
        findings.add(
            yaml.stepLine(i),
            "step " + (i + 1) + " 'to' is not the last step",
            "a route sends once, as its last step");
      } else {
        checkStep(yaml.stepLine(i), "step " + (i + 1), outputs.get(i));
      }
    }
    int lastLine = yaml.stepLine(last);
    if (!(outputs.get(last) instanceof ToDefinition)) {
      if (findings.none()) {
        findings.add(lastLine, "the last step is not 'to'", "end the route with one 'to'");
      }
      return;
    }
    Entry toEntry = RouteYaml.entry(RouteYaml.items(yaml.steps()).get(last), "to");
    RouteUri to =
        new RouteUri(
            findings,
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
      findings.add(
          line, "the route has no id", "add 'id: " + contract.id() + ".receive' or similar");
      return;
    }
    if (!id.startsWith(contract.id() + ".") || !ROUTE_ID.matcher(id).matches()) {
      findings.add(
          entry.line(),
          "the route id '" + Words.quotable(id) + "' does not begin with the exchange's id",
          "write it as '" + contract.id() + ".' and then small letters, digits, dots and hyphens");
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
      default -> findings.add(line, step + " is not allowed", RouteWords.STEPS_REMEDY);
    }
  }

  private void checkSetHeader(int line, String step, SetHeaderDefinition set) {
    String name = Objects.requireNonNullElse(set.getName(), "");
    if (HEADERS.stream().noneMatch(name::equalsIgnoreCase)) {
      findings.add(
          line,
          step + " 'setHeader' sets '" + Words.quotable(name) + "'",
          "only Accept and Content-Type may be set; other headers can change where a record goes");
      return;
    }
    String value = set.getExpression() == null ? "" : set.getExpression().getExpression();
    if (value == null || !MEDIA_TYPE.matcher(value.strip()).matches()) {
      findings.add(
          line,
          step + " 'setHeader' has a value that is not a media type",
          "write a constant such as application/json");
    }
  }

  private void checkRemoval(int line, String where, @Nullable String name, boolean wildcard) {
    if (name == null || !REMOVABLE.matcher(name).matches() || (!wildcard && name.endsWith("*"))) {
      findings.add(
          line,
          where + " names headers that the hub or Camel needs",
          "name a header of the sender's, not '*' and not Camel's, Kafka's or the hub's own");
    }
  }

  private void checkDelay(int line, String step, DelayDefinition delay) {
    String value = delay.getExpression() == null ? "" : delay.getExpression().getExpression();
    boolean number = value != null && value.strip().matches("[0-9]{1,5}");
    if (!number || Integer.parseInt(value.strip()) > MAX_DELAY_MILLIS) {
      findings.add(
          line,
          step + " 'delay' is not a constant of at most " + MAX_DELAY_MILLIS,
          "write 'constant:' and whole milliseconds");
    }
  }

  private void checkLog(int line, String step, LogDefinition log) {
    String message = Objects.requireNonNullElse(log.getMessage(), "");
    String lower = message.strip().toLowerCase(Locale.ROOT);
    if (message.contains("$") || message.contains("{{") || lower.startsWith("resource:")) {
      findings.add(
          line,
          step + " 'log' writes more than a constant",
          "write a fixed sentence without $, {{ and resource:, as records must not reach a log");
    }
  }

  private void checkReceiving(RouteUri from, RouteUri to) {
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

  private void checkDelivering(RouteUri from, RouteUri to) {
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
    String wrong = PlaceholderText.resolve(placeholders, raw, false, resolved);
    if (wrong != null) {
      findings.add(
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
      findings.add(
          new Problem(
              contractFile,
              0,
              "the address of '" + recipient.name() + "' cannot be compared: " + e.getMessage(),
              "write a plain address without options"));
      return null;
    }
  }

  /** The party in {@code gate:<exchange>?from=} or {@code ?to=}; null when that is a problem. */
  private @Nullable String gateParty(RouteUri uri, String key) {
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
  private void checkOutside(RouteUri uri, Direction way) {
    StringBuilder resolved = new StringBuilder();
    String wrong = PlaceholderText.resolve(placeholders, uri.base(), false, resolved);
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

  private void checkOption(RouteUri uri, Direction way, String scheme, String option) {
    String name = nameOf(option);
    String raw = option.length() == name.length() ? "" : option.substring(name.length() + 1);
    int line = uri.optionLine(name);
    if (uri.options().stream().anyMatch(o -> !o.equals(option) && nameOf(o).equals(name))
        || Collections.frequency(uri.options(), option) > 1) {
      findings.add(
          line, uri.where() + " sets '" + Words.quotable(name) + "' twice", "keep one of them");
      return;
    }
    // Camel wraps the value of an option that it holds for a secret.
    boolean wrapped = raw.startsWith("RAW(") && raw.endsWith(")");
    String value = wrapped ? raw.substring(4, raw.length() - 1) : raw;
    StringBuilder resolved = new StringBuilder();
    String wrong = PlaceholderText.resolve(placeholders, value, wrapped, resolved);
    if (wrong != null) {
      findings.add(
          line,
          uri.where() + " option '" + Words.quotable(name) + "' holds " + wrong,
          PLACEHOLDER_REMEDY);
      return;
    }
    EndpointOptions.Refusal refusal = options.judge(way, scheme, name, value, resolved.toString());
    if (refusal != null) {
      findings.add(line, uri.where() + ": " + refusal.what(), refusal.remedy());
    }
  }

  private static String nameOf(String option) {
    int equals = option.indexOf('=');
    return equals < 0 ? option : option.substring(0, equals);
  }
}
