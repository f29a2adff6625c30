package no.bindeledd.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.IntConsumer;
import no.bindeledd.demo.Casework.Letter;
import org.jspecify.annotations.Nullable;

/**
 * What agencies write because of what they have read, and what came of it: child welfare confirms
 * the reports, the school and OT answer what NAV asks for under a consent. The same answers to the
 * same letters, also at a later start. Immutable; thread-safe.
 */
public final class Replies {
  /** The school has nothing to tell of these, so that NAV gets a part of what it asked for. */
  private static final int SILENT_EVERY = 7;

  /** Status groups as in {@link CountyService}; whoever is not in the register is unknown there. */
  private static final int UNKNOWN_GROUP = 1;

  private final Map<String, Person> people = new HashMap<>();
  private final Casework casework;
  private final Mailboxes mailboxes;
  private final LocalDate today;

  Replies(Population population, Casework casework, Mailboxes mailboxes, LocalDate today) {
    population.people().forEach(person -> people.put(person.identityNumber(), person));
    this.casework = casework;
    this.mailboxes = mailboxes;
    this.today = today;
  }

  /** E19: child welfare confirms every report that has reached it. */
  public Casework.Sent confirmReports(Hub hub, IntConsumer progress) throws InterruptedException {
    List<Letter> receipts = new ArrayList<>();
    for (JsonNode report : mailboxes.letters(Casework.CHILD_WELFARE_REPORT, "child-welfare")) {
      String id = report.path("meldingId").asText();
      ObjectNode receipt = AgencyServer.JSON.createObjectNode();
      receipt.put("messageId", "KVITT-" + id);
      receipt.put("meldingId", id);
      receipt.put("foedselsnummer", report.path("foedselsnummer").asText());
      receipt.put("mottaker", Agencies.NAV_STATE.value());
      receipt.put("mottattDato", today.toString());
      receipts.add(new Letter(Agencies.CHILD_WELFARE, receipt));
    }
    return casework.send(hub, Casework.CHILD_WELFARE_RECEIPT, receipts, progress);
  }

  /** E16: the school answers what it was asked, except where it has nothing. */
  public Casework.Sent answerAsSchool(Hub hub, IntConsumer progress) throws InterruptedException {
    List<Letter> answers = new ArrayList<>();
    for (JsonNode request : mailboxes.letters(Mailboxes.COLLECTION_REQUEST, "school")) {
      Person person = asked(request);
      Person.Dropout dropout = person == null ? null : person.dropout();
      if (person == null || dropout == null || person.number() % SILENT_EVERY == 0) {
        continue;
      }
      ObjectNode answer = answer("SKOLE", request);
      answer.put("enrolmentEnded", dropout.date().toString());
      answer.put("programme", person.programme());
      String absence = dropout.absencePercent();
      if (absence != null) {
        answer.put("absencePercent", Double.parseDouble(absence.replace(',', '.')));
      }
      answers.add(new Letter(Agencies.SCHOOL, answer));
    }
    return casework.send(hub, Casework.COLLECTION_ANSWER, answers, progress);
  }

  /** E16: OT answers everything it was asked; some of it after the consent was withdrawn. */
  public Casework.Sent answerAsOt(Hub hub, IntConsumer progress) throws InterruptedException {
    List<Letter> answers = new ArrayList<>();
    for (JsonNode request : mailboxes.letters(Mailboxes.COLLECTION_REQUEST, "ot")) {
      Person person = asked(request);
      String status = person == null ? null : person.otStatus();
      ObjectNode answer = answer("OT", request);
      answer.put(
          "otStatusGroup",
          status == null
              ? UNKNOWN_GROUP
              : CountyService.GROUPS.getOrDefault(status, UNKNOWN_GROUP));
      answers.add(new Letter(Agencies.OT, answer));
    }
    return casework.send(hub, Casework.COLLECTION_ANSWER, answers, progress);
  }

  private @Nullable Person asked(JsonNode request) {
    return people.get(request.path("foedselsnummer").asText());
  }

  private static ObjectNode answer(String source, JsonNode request) {
    String consent = request.path("samtykke").path("id").asText();
    ObjectNode answer = AgencyServer.JSON.createObjectNode();
    answer.put("messageId", "SVAR-" + source + "-" + consent);
    answer.put("foedselsnummer", request.path("foedselsnummer").asText());
    answer.put("consent", consent);
    return answer;
  }

  /** Consents that let NAV ask; each is a request to the school and one to OT. */
  public int collections() {
    return (int)
        people.values().stream()
            .flatMap(person -> person.consents().stream())
            .filter(grant -> !grant.sources().isEmpty())
            .count();
  }

  /**
   * What the agencies have seen that the counts of the exchanges do not tell, in words for a key of
   * JSON.
   */
  public SequencedMap<String, Long> seen() {
    SequencedMap<String, Long> seen = new LinkedHashMap<>();
    seen.put("deadlineWarnings", count(Mailboxes.DEADLINE_NOTICE, "type", "PAAMINNELSE"));
    seen.put("deadlineEscalations", count(Mailboxes.DEADLINE_NOTICE, "type", "ESKALERING"));
    seen.put("followUpOffers", (long) mailboxes.letters(Casework.FOLLOW_UP_OFFER).size());
    seen.put(
        "decisionsWithEffortGroup",
        mailboxes.letters(Casework.FOLLOW_UP_DECISION).stream()
            .filter(letter -> letter.has("innsatsgruppe"))
            .count());
    for (String receiver : List.of("nav", "school", "health")) {
      seen.put(
          "planViews" + Character.toUpperCase(receiver.charAt(0)) + receiver.substring(1),
          (long) mailboxes.letters(Casework.FOLLOW_UP_PLAN, receiver).size());
    }
    seen.put(
        "casesDiscussedByName",
        mailboxes.letters(Casework.CASE_DISCUSSION).stream()
            .filter(letter -> letter.has("foedselsnummer"))
            .count());
    seen.put(
        "casesDiscussedAnonymously",
        mailboxes.letters(Casework.CASE_DISCUSSION).stream()
            .filter(letter -> !letter.has("foedselsnummer"))
            .count());
    seen.put("coordinationDeclined", count(Casework.COORDINATION_ANSWER, "svar", "AVSLAR"));
    seen.put(
        "childWelfareReceipts", (long) mailboxes.letters(Casework.CHILD_WELFARE_RECEIPT).size());
    seen.put("collectionRequests", (long) mailboxes.letters(Mailboxes.COLLECTION_REQUEST).size());
    return seen;
  }

  private long count(String exchange, String field, String value) {
    return mailboxes.letters(exchange).stream()
        .filter(letter -> letter.path(field).asText().equals(value))
        .count();
  }
}
