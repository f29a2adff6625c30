package no.bindeledd.policy;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.Text;
import no.bindeledd.exchange.YamlSource;
import org.jspecify.annotations.Nullable;

/**
 * A node of a pack's file that has passed its schema, with its place. What is wrong with a value
 * goes to the pack's list of problems, and reading goes on. Used by one thread.
 */
record Entry(YamlSource yaml, String at, List<Problem> problems) {
  JsonNode node() {
    return yaml.tree().at(at);
  }

  /** The child of that name. */
  Entry child(String key) {
    return new Entry(yaml, at + "/" + key, problems);
  }

  /** The elements of the list of that name; none when there is no such list. */
  List<Entry> list(String key) {
    List<Entry> elements = new ArrayList<>();
    for (int i = 0; i < node().path(key).size(); i++) {
      elements.add(child(key + "/" + i));
    }
    return elements;
  }

  boolean has(String key) {
    return node().has(key);
  }

  String line(String key) {
    return node().path(key).asText();
  }

  @Nullable String optional(String key) {
    return has(key) ? line(key) : null;
  }

  int number(String key) {
    return node().path(key).asInt();
  }

  @Nullable Integer optionalNumber(String key) {
    return has(key) ? number(key) : null;
  }

  boolean flag(String key) {
    return node().path(key).asBoolean(false);
  }

  Text text(String key) {
    JsonNode text = node().path(key);
    return new Text(text.path("nb").asText(), text.path("en").asText());
  }

  @Nullable Text optionalText(String key) {
    return has(key) ? text(key) : null;
  }

  <E extends Enum<E>> E choice(String key, Class<E> type) {
    return Enum.valueOf(type, line(key));
  }

  <E extends Enum<E>> E choice(String key, Class<E> type, E otherwise) {
    return has(key) ? choice(key, type) : otherwise;
  }

  Set<String> strings(String key) {
    Set<String> strings = new LinkedHashSet<>();
    node().path(key).forEach(s -> strings.add(s.asText()));
    return Set.copyOf(strings);
  }

  Set<AgencyKind> kinds(String key) {
    Set<AgencyKind> kinds = new LinkedHashSet<>();
    node().path(key).forEach(k -> kinds.add(AgencyKind.valueOf(k.asText())));
    return Set.copyOf(kinds);
  }

  /** Words of the vocabulary; an unknown one is a problem. */
  Set<String> words(String key, Vocabulary.Sort sort, Vocabulary vocabulary) {
    for (Entry word : list(key)) {
      String code = word.node().asText();
      if (code.equals(Plan.REFERENCE)) {
        word.problem(
            "",
            "REFERENCE is listed, but technical fields go along without a permission",
            "remove REFERENCE from the list");
      } else if (!vocabulary.has(sort, code)) {
        word.unknownWord(sort, code, vocabulary);
      }
    }
    return strings(key);
  }

  void unknownWord(Vocabulary.Sort sort, String code, Vocabulary vocabulary) {
    problem(
        "",
        "There is no "
            + (sort == Vocabulary.Sort.PURPOSE ? "purpose" : "data category")
            + " '"
            + code
            + "'",
        vocabulary.remedy(sort, code));
  }

  /** The day, or the first day of 1970 when the calendar does not have it. */
  LocalDate day(String key) {
    String text = line(key);
    try {
      return LocalDate.parse(text);
    } catch (DateTimeParseException e) {
      problem("/" + key, "'" + text + "' is not a day of the calendar", "correct the date");
      return LocalDate.EPOCH;
    }
  }

  @Nullable LocalDate optionalDay(String key) {
    return has(key) ? day(key) : null;
  }

  /** Null when the control digit is wrong. */
  @Nullable OrganisationNumber organisation(String key) {
    String text = line(key);
    if (!OrganisationNumber.isValid(text)) {
      problem(
          "/" + key,
          "'" + text + "' is not an organisation number: its control digit is wrong",
          "correct the digits");
      return null;
    }
    return new OrganisationNumber(text);
  }

  /** The dated history under {@code status}: in order, without overlaps. */
  List<LegalBasis.Period> periods() {
    List<LegalBasis.Period> periods = new ArrayList<>();
    for (Entry entry : list("status")) {
      LocalDate from = entry.day("from");
      LocalDate to = entry.optionalDay("to");
      entry.checkOrder("/to", from, to);
      LegalBasis.Period previous = periods.isEmpty() ? null : periods.getLast();
      if (previous != null && (previous.to() == null || !from.isAfter(previous.to()))) {
        entry.problem(
            "",
            "The period begins before the previous one has ended",
            "give the previous period a last day before " + from);
      }
      periods.add(new LegalBasis.Period(entry.choice("state", LegalBasis.Status.class), from, to));
    }
    return List.copyOf(periods);
  }

  void checkOrder(String below, LocalDate from, @Nullable LocalDate to) {
    if (to != null && to.isBefore(from)) {
      problem(
          below,
          "The last day " + to + " is before the first day " + from,
          "write a day from " + from + " on");
    }
  }

  void problem(String below, String what, String remedy) {
    problems.add(yaml.problem(at + below, what, remedy));
  }

  /** {@code file:line}, to point at from elsewhere. */
  String place() {
    return yaml.file() + ":" + yaml.line(at);
  }
}
