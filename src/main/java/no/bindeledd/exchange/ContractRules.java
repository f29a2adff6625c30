package no.bindeledd.exchange;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Period;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.Contract.Authentication;
import no.bindeledd.exchange.Contract.Mode;
import no.bindeledd.person.Identification;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;

/**
 * What a contract must hold beyond its schema. Runs on a document that may already have broken the
 * schema, so that one reading finds everything: a node of the wrong type is passed over here,
 * because the schema has reported it. One use per document.
 */
final class ContractRules {
  /** Categories that name a person outright: a de-identified release must know to remove them. */
  private static final Set<String> IDENTIFYING = Set.of("IDENTITY", "NAME");

  /** The category that tells where a person is (contracts.md § 3). */
  private static final String LOCATING = "SCHOOL_UNIT";

  private final YamlSource yaml;
  private final JsonNode contract;
  private final String folder;
  private final String mode;
  private final boolean personal;
  private final List<Problem> problems = new ArrayList<>();

  private ContractRules(YamlSource yaml, String folder) {
    this.yaml = yaml;
    this.contract = yaml.tree();
    this.folder = folder;
    this.mode = contract.path("mode").asText();
    this.personal = contract.has("subject");
  }

  /** Everything that the rules have against the contract in a folder of that name. */
  static List<Problem> problems(YamlSource yaml, String folder) {
    ContractRules rules = new ContractRules(yaml, folder);
    rules.identity();
    rules.input();
    rules.mode();
    rules.deadline();
    rules.senders();
    rules.recipients();
    rules.view("/answer");
    return rules.problems;
  }

  private void identity() {
    String id = contract.path("id").asText();
    if (!id.isEmpty() && !id.equals(folder)) {
      problem(
          "/id",
          "The id '" + id + "' is not the folder's name '" + folder + "'",
          "give both the same name");
    }
    if (isNoTime(contract.path("retention").asText())) {
      problem(
          "/retention", "The retention is no time at all", "write a longer period, such as P1Y");
    }
    if (!personal && contract.has("birthDate")) {
      problem(
          "/birthDate",
          "There is a birth date but no subject",
          "add subject, or remove birthDate when the exchange holds no personal data");
    }
  }

  private static boolean isNoTime(String period) {
    try {
      return Period.parse(period).isZero();
    } catch (DateTimeParseException reportedByTheSchema) {
      return false;
    }
  }

  private void input() {
    JsonNode input = contract.path("input");
    String format = input.path("format").asText();
    if (input.has("records") && !format.equals("json")) {
      problem(
          "/input/records",
          "Only the format json has records inside a document",
          "remove records, or correct the format");
    }
    if (format.equals("csv") && !input.has("profile")) {
      problem(
          "/input",
          "The format csv needs a profile",
          "add input.profile with charsets, delimiter and columns");
    }
  }

  private void mode() {
    boolean synchronous = mode.equals(Mode.SYNCHRONOUS.name());
    boolean matching = mode.equals(Mode.MATCHING.name());
    if (mode.isEmpty()) {
      return;
    }
    if (matching && !contract.has("match")) {
      problem("/mode", "MATCHING needs match", "add match with counterpart, list and code");
    }
    if (matching && !personal) {
      problem("/mode", "MATCHING needs subject", "add the pointer to the identity number");
    }
    if (!matching && contract.has("match")) {
      problem("/match", "Only a MATCHING exchange has match", "remove match, or correct the mode");
    }
    if (synchronous && !contract.has("answer")) {
      problem(
          "/mode",
          "SYNCHRONOUS needs answer",
          "add answer with mapping, schema and fields: what the asker may see");
    }
    if (synchronous && contract.path("to").size() > 1) {
      problem(
          "/to",
          "SYNCHRONOUS has one recipient, the source that is asked, not "
              + contract.path("to").size(),
          "keep one, and make an exchange of its own for each other source");
    }
    if (!synchronous && contract.has("answer")) {
      problem(
          "/answer",
          "Only a SYNCHRONOUS exchange has answer",
          "remove answer, or correct the mode");
    }
  }

  private void deadline() {
    boolean asynchronous = mode.equals(Mode.ASYNCHRONOUS.name());
    for (String key : List.of("deadline", "answers", "single")) {
      if (contract.has(key) && (!asynchronous || !personal)) {
        problem(
            "/" + key,
            "Only an ASYNCHRONOUS exchange with a subject has " + key,
            "remove " + key + ", or correct the mode and the subject");
      }
    }
  }

  private void senders() {
    Set<String> names = new HashSet<>();
    Set<String> byToken = new HashSet<>();
    JsonNode from = contract.path("from");
    for (int i = 0; i < from.size(); i++) {
      String at = "/from/" + i;
      JsonNode sender = from.path(i);
      uniqueName(at, sender, names, "from");
      boolean token =
          sender.path("authentication").asText().equals(Authentication.MASKINPORTEN.name());
      Set<String> own = new HashSet<>();
      JsonNode organisations = sender.path("organisations");
      for (int j = 0; j < organisations.size(); j++) {
        String place = at + "/organisations/" + j;
        String number = organisations.path(j).asText();
        organisation(place, organisations.path(j));
        if (!own.add(number)) {
          problem(place, "The organisation " + number + " stands twice", "keep one of them");
        } else if (token && !byToken.add(number)) {
          problem(
              place,
              "The organisation " + number + " stands with two MASKINPORTEN senders",
              "keep it with one, as the token only tells the organisation");
        }
      }
      if (token && !sender.has("scope")) {
        problem(at, "A MASKINPORTEN sender needs scope", "add the scope that its token must hold");
      }
      if (!token && sender.has("scope")) {
        problem(
            at + "/scope",
            "Only a MASKINPORTEN sender has scope",
            "remove scope, or correct authentication");
      }
    }
  }

  private void recipients() {
    Set<String> names = new HashSet<>();
    Set<String> organisations = new HashSet<>();
    boolean matching = mode.equals(Mode.MATCHING.name());
    JsonNode to = contract.path("to");
    for (int i = 0; i < to.size(); i++) {
      String at = "/to/" + i;
      JsonNode recipient = to.path(i);
      uniqueName(at, recipient, names, "to");
      organisation(at + "/organisation", recipient.path("organisation"));
      String number = recipient.path("organisation").asText();
      if (matching && !organisations.add(number)) {
        problem(
            at + "/organisation",
            "Two recipients of a MATCHING exchange are the organisation " + number,
            "keep one, so that an answer has one way back to the asker");
      }
      view(at + "/view");
    }
    if (matching) {
      askersWithoutWayBack(organisations);
    }
  }

  private void askersWithoutWayBack(Set<String> recipients) {
    JsonNode from = contract.path("from");
    for (int i = 0; i < from.size(); i++) {
      JsonNode organisations = from.path(i).path("organisations");
      for (int j = 0; j < organisations.size(); j++) {
        String number = organisations.path(j).asText();
        if (OrganisationNumber.isValid(number) && !recipients.contains(number)) {
          problem(
              "/from/" + i + "/organisations/" + j,
              "The organisation " + number + " asks in a MATCHING exchange but is no recipient",
              "add it under to, so that it gets its answers");
        }
      }
    }
  }

  private void view(String at) {
    JsonNode fields = contract.at(at).path("fields");
    List<String> before = new ArrayList<>();
    for (int i = 0; i < fields.size(); i++) {
      field(at + "/fields/" + i, fields.path(i), before);
    }
  }

  private void field(String at, JsonNode field, List<String> before) {
    String path = field.path("path").asText();
    for (String other : before) {
      if (other.equals(path)) {
        problem(at + "/path", "The path " + path + " stands twice", "keep one of them");
      } else if (covers(other, path) || covers(path, other)) {
        problem(
            at + "/path",
            "The paths " + other + " and " + path + " cover one another",
            "list only the deeper ones, so that each value has one category");
      }
    }
    if (!path.isEmpty()) {
      before.add(path);
    }
    boolean identifier = field.path("identifier").asBoolean();
    String category = field.path("category").asText();
    if (!personal && identifier) {
      problem(
          at + "/identifier",
          "There is an identifier but no subject",
          "add subject, or remove the field when the exchange holds no personal data");
    }
    if (IDENTIFYING.contains(category) && !identifier) {
      problem(
          at,
          "A field of category " + category + " is not marked as an identifier",
          "add identifier: true, so that a de-identified release removes it");
    }
    if (personal && category.equals(LOCATING) && !field.path("locating").asBoolean()) {
      problem(
          at,
          "A field of category " + LOCATING + " is not marked as locating",
          "add locating: true, so that it never tells where a protected person is");
    }
    Identification example =
        NationalId.parse(field.path("example").asText(), Numbers.SYNTHETIC_ONLY);
    if (example == Identification.Rejection.REAL_NOT_ACCEPTED) {
      problem(
          at + "/example",
          "The example may be the identity number of a real person",
          "use a synthetic number (month + 80), and remove this one from the history too");
    }
  }

  /** True when one path is the other or lies above it. */
  private static boolean covers(String upper, String lower) {
    String[] above = upper.split("/", -1);
    String[] below = lower.split("/", -1);
    if (above.length > below.length) {
      return false;
    }
    for (int i = 0; i < above.length; i++) {
      if (!meet(above[i], below[i])) {
        return false;
      }
    }
    return true;
  }

  /** True when two tokens can name the same node; {@code *} is any element of a list. */
  private static boolean meet(String one, String other) {
    return one.equals(other)
        || (one.equals("*") && isIndex(other))
        || (other.equals("*") && isIndex(one));
  }

  private static boolean isIndex(String token) {
    return token.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private void uniqueName(String at, JsonNode party, Set<String> names, String list) {
    String name = party.path("name").asText();
    if (!name.isEmpty() && !names.add(name)) {
      problem(
          at + "/name",
          "The name '" + name + "' stands twice under " + list,
          "give each its own name");
    }
  }

  private void organisation(String at, JsonNode node) {
    String number = node.asText();
    boolean nineDigits =
        node.isTextual()
            && number.length() == 9
            && number.chars().allMatch(c -> c >= '0' && c <= '9');
    if (nineDigits && !OrganisationNumber.isValid(number)) {
      problem(
          at,
          number + " is not an organisation number: its control digit is wrong",
          "correct the digits");
    }
  }

  private void problem(String at, String what, String remedy) {
    problems.add(yaml.problem(at, what, remedy));
  }
}
