package no.bindeledd.policy;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.Period;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Contract.Field;
import no.bindeledd.exchange.Contract.Recipient;
import no.bindeledd.exchange.Contract.Sender;
import no.bindeledd.exchange.Contract.View;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.Text;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/** The exchanges under decision in the tests: the six that ship, and E17 in a small form. */
final class Exchanges {
  record Party(OrganisationNumber organisation, AgencyKind kind) {}

  static final Pseudonym SUBJECT = new Pseudonym("0123456789abcdef0123456789abcdef");

  static final Map<String, Party> PARTIES =
      Map.ofEntries(
          party("school", "311000004", AgencyKind.SCHOOL),
          party("school2", "311122134", AgencyKind.SCHOOL),
          party("ot", "311013572", AgencyKind.OT),
          party("ot-fint", "311108565", AgencyKind.OT),
          party("nav", "311067850", AgencyKind.NAV),
          party("nav-a", "311040715", AgencyKind.NAV),
          party("nav-b", "311054287", AgencyKind.NAV),
          party("nav-c", "311135708", AgencyKind.NAV),
          party("health", "311094998", AgencyKind.HEALTH));

  static final Contract DROPOUT_NOTICE =
      contract(
          "dropout-notice",
          "FOLLOW_UP",
          List.of(sender("school")),
          List.of(
              recipient(
                  "ot",
                  view(
                      field("/foedselsnummer", "IDENTITY", "identifier"),
                      field("/navn", "NAME", "identifier"),
                      field("/kontakt", "CONTACT", "identifier"),
                      field("/skole", "SCHOOL_UNIT", "locating"),
                      field("/programomraade", "PROGRAMME"),
                      field("/avbrudd/dato", "ENROLMENT_END"),
                      field("/avbrudd/aarsak", "ENROLMENT_END"),
                      field("/fravaersprosent", "ABSENCE"),
                      field("/oppdatert", "REFERENCE"))),
              recipient(
                  "ot-fint",
                  view(
                      field("/_links/person", "IDENTITY", "identifier"),
                      field("/_links/status", "ENROLMENT_END"),
                      field("/_links/programomrade", "PROGRAMME")))));

  static final Contract LIST_RECONCILIATION =
      contract(
          "list-reconciliation",
          "LIST_RECONCILIATION",
          List.of(sender("ot"), sender("nav-a"), sender("nav-b"), sender("nav-c")),
          List.of(
              recipient("ot", listView()),
              recipient("nav-a", listView()),
              recipient("nav-b", listView()),
              recipient("nav-c", listView())));

  static final Contract MEASURE_EVENT =
      contract(
          "measure-event",
          "FOLLOW_UP",
          List.of(sender("nav")),
          List.of(
              recipient(
                  "ot",
                  view(
                      field("/id", "REFERENCE"),
                      field("/personIdent", "IDENTITY", "identifier"),
                      field("/hendelse", "MEASURE_FLAG"),
                      field("/startDato", "MEASURE_DATES"),
                      field("/sluttDato", "MEASURE_DATES"),
                      field("/tidspunkt", "REFERENCE")))));

  static final Contract IPS_REFERRAL =
      contract(
          "ips-referral",
          "EMPLOYMENT_SUPPORT",
          List.of(sender("health")),
          List.of(
              recipient(
                  "nav",
                  view(
                      field("/meldingsId", "REFERENCE"),
                      field("/pasient/identifikator", "IDENTITY", "identifier"),
                      field("/pasient/navn", "NAME", "identifier"),
                      field("/pasient/telefon", "CONTACT", "identifier"),
                      field("/maalgruppe", "HEALTH_REFERRAL"),
                      field("/tilbud", "HEALTH_REFERRAL")))));

  static final Contract MEASURE_CAPACITY =
      contract(
          "measure-capacity",
          "CAPACITY_NOTICE",
          List.of(sender("nav")),
          List.of(recipient("ot", capacityView()), recipient("school", capacityView())));

  static final Contract RIGHTS_QUERY =
      contract(
          "rights-query",
          "RIGHTS_QUERY",
          List.of(sender("nav")),
          List.of(
              recipient(
                  "ot",
                  view(
                      field("/foedselsnummer", "IDENTITY", "identifier"),
                      field("/spoersmaal", "RIGHTS_QUESTION"),
                      field("/referanse", "REFERENCE")))),
          view(
              field("/foedselsnummer", "IDENTITY", "identifier"),
              field("/harRett", "RIGHTS_ANSWER"),
              field("/statusgruppe", "OT_STATUS_GROUP"),
              field("/statuskode", "OT_STATUS_CODE"),
              field("/referanse", "REFERENCE")));

  /** E17, for rules that no shipped exchange needs yet. */
  static final Contract CASE_DISCUSSION =
      contract(
          "case-discussion",
          "CASE_DISCUSSION",
          List.of(sender("health")),
          List.of(
              recipient(
                  "nav",
                  view(
                      field("/sak", "REFERENCE"),
                      field("/pasient", "REFERENCE", "identifier"),
                      field("/identifikator", "IDENTITY", "identifier"),
                      field("/behov", "HEALTH_REFERRAL"),
                      field("/behandlingssted", "HEALTH_REFERRAL", "locating"),
                      field("/notat", "HEALTH_REFERRAL", "freeText")))));

  static final Map<String, Contract> ALL = new HashMap<>();

  static {
    for (Contract c :
        List.of(
            DROPOUT_NOTICE,
            LIST_RECONCILIATION,
            MEASURE_EVENT,
            IPS_REFERRAL,
            MEASURE_CAPACITY,
            RIGHTS_QUERY,
            CASE_DISCUSSION)) {
      ALL.put(c.id(), c);
    }
  }

  private Exchanges() {}

  static Contract named(String id) {
    return Objects.requireNonNull(ALL.get(id), id);
  }

  static Party party(String name) {
    return Objects.requireNonNull(PARTIES.get(name), name);
  }

  /** The view that goes from one to the other: a recipient's, else the answer. */
  static View view(Contract contract, String to) {
    return contract
        .recipient(to)
        .map(Recipient::view)
        .orElseGet(() -> Objects.requireNonNull(contract.answer()));
  }

  static Facts facts(
      Contract contract,
      String from,
      String to,
      Protection protection,
      List<ConsentFact> consents,
      @Nullable LocalDate birthDate,
      Map<String, Object> attributes,
      Instant at) {
    Party sender = party(from);
    Party receiver = party(to);
    return new Facts(
        contract.id(),
        contract.purpose(),
        sender.organisation(),
        sender.kind(),
        receiver.organisation(),
        receiver.kind(),
        contract.subject() == null ? null : SUBJECT,
        protection,
        consents,
        birthDate,
        attributes,
        at);
  }

  static Field field(String path, String category, String... marks) {
    List<String> m = Arrays.asList(marks);
    return new Field(
        path,
        category,
        "meaning",
        "example",
        m.contains("identifier"),
        m.contains("freeText"),
        m.contains("locating"));
  }

  static View view(Field... fields) {
    return new View("x.jslt", "x.schema.json", List.of(fields));
  }

  static Recipient recipient(String name, View view) {
    Party p = party(name);
    return new Recipient(name, p.kind(), p.organisation(), "kafka:" + name, true, view);
  }

  static Sender sender(String name) {
    Party p = party(name);
    return new Sender(
        name, p.kind(), List.of(p.organisation()), Contract.Authentication.CHANNEL, null);
  }

  static Contract contract(
      String id, String purpose, List<Sender> from, List<Recipient> to, View... answer) {
    boolean personal = !id.equals("measure-capacity");
    return new Contract(
        id,
        "E00",
        new Text(id, id),
        Contract.Mode.ASYNCHRONOUS,
        purpose,
        new Contract.Input(
            "json", "input.schema.json", null, JsonNodeFactory.instance.objectNode()),
        personal ? JsonPointer.compile("/foedselsnummer") : null,
        null,
        null,
        null,
        null,
        from,
        to,
        answer.length == 0 ? null : answer[0],
        Period.ofYears(10),
        Path.of("routes", id));
  }

  private static View listView() {
    return view(
        field("/listId", "REFERENCE"),
        field("/reference", "REFERENCE"),
        field("/present", "LIST_PRESENCE"),
        field("/code", "LIST_CODE"));
  }

  private static View capacityView() {
    return view(
        field("/id", "REFERENCE"), field("/status", "CAPACITY"), field("/plasser", "CAPACITY"));
  }

  private static Map.Entry<String, Party> party(String name, String number, AgencyKind kind) {
    return Map.entry(name, new Party(new OrganisationNumber(number), kind));
  }
}
