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
import java.util.concurrent.ConcurrentHashMap;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Contract.Field;
import no.bindeledd.exchange.Contract.Recipient;
import no.bindeledd.exchange.Contract.Sender;
import no.bindeledd.exchange.Contract.View;
import no.bindeledd.exchange.ContractReader;
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
          party("health", "311094998", AgencyKind.HEALTH),
          party("municipality", "310000035", AgencyKind.MUNICIPALITY),
          party("udir", "310000043", AgencyKind.UDIR));

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

  /** The rows of contracts.md § 6 and of the exchanges to come, as flows with every category. */
  static final List<Contract> MATRIX =
      List.of(
          contract(
              "ot-status",
              "FOLLOW_UP",
              List.of(sender("ot")),
              List.of(
                  recipient(
                      "nav",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/navn", "NAME", "identifier"),
                          field("/iOt", "OT_MEMBERSHIP"),
                          field("/kontor", "OT_CONTACT_OFFICE"),
                          field("/gruppe", "OT_STATUS_GROUP"),
                          field("/kode", "OT_STATUS_CODE"),
                          field("/tiltak", "OT_MEASURE"),
                          field("/plan", "OT_PLAN"),
                          field("/sykdom", "OT_HEALTH_STATUS"),
                          field("/notat", "FREE_TEXT", "freeText"),
                          field("/barnevern", "CHILD_WELFARE"))))),
          contract(
              "nav-status",
              "FOLLOW_UP",
              List.of(sender("nav")),
              List.of(
                  recipient(
                      "ot",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/arbeidssoker", "JOB_SEEKER_PERIOD"),
                          field("/iTiltak", "MEASURE_FLAG"),
                          field("/tiltak", "MEASURE_DETAIL"),
                          field("/datoer", "MEASURE_DATES"),
                          field("/kontor", "NAV_OFFICE", "locating"),
                          field("/status", "NAV_STATUS"),
                          field("/aarsak", "MEASURE_CAUSE"),
                          field("/innsats", "EFFORT_GROUP"),
                          field("/ytelse", "BENEFITS"),
                          field("/kvp", "KVP"))))),
          contract(
              "school-status",
              "FOLLOW_UP",
              List.of(sender("school")),
              List.of(
                  recipient(
                      "ot",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/kontakt", "CONTACT", "identifier"),
                          field("/slutt", "ENROLMENT_END"),
                          field("/program", "PROGRAMME"),
                          field("/fravaer", "ABSENCE"),
                          field("/varsel", "ABSENCE_WARNING"),
                          field("/kommentar", "ABSENCE_COMMENT"),
                          field("/ppt", "PPT_NOTE"),
                          field("/andre", "THIRD_PARTY"))))),
          contract(
              "joint-plan",
              "JOINT_PLAN",
              List.of(sender("health")),
              List.of(
                  recipient(
                      "nav",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/navn", "NAME", "identifier"),
                          field("/plan", "JOINT_PLAN"),
                          field("/funksjon", "WORK_CAPACITY"),
                          field("/deltar", "PARTICIPATION"),
                          field("/diagnose", "DIAGNOSIS"),
                          field("/journal", "JOURNAL"))))),
          contract(
              "ips-ung",
              "EMPLOYMENT_SUPPORT",
              List.of(sender("health")),
              List.of(
                  recipient(
                      "nav",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/henvisning", "HEALTH_REFERRAL"),
                          field("/deltar", "PARTICIPATION"))))),
          contract(
              "statement",
              "MEDICAL_STATEMENT",
              List.of(sender("nav")),
              List.of(
                  recipient(
                      "health",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/spoersmaal", "STATEMENT_REQUEST"),
                          field("/ytelse", "BENEFITS"))))),
          contract(
              "treatment",
              "TREATMENT_REFERRAL",
              List.of(sender("ot")),
              List.of(
                  recipient(
                      "health",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/henvisning", "TREATMENT_REFERRAL"))))),
          contract(
              "statistics",
              "STATISTICS",
              List.of(sender("ot")),
              List.of(
                  recipient(
                      "udir",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/navn", "NAME", "identifier"),
                          field("/sett", "STATISTICS_SET"),
                          field("/kode", "OT_STATUS_CODE"),
                          field("/notat", "FREE_TEXT", "freeText"))))),
          contract(
              "report",
              "CHILD_WELFARE_REPORT",
              List.of(sender("nav")),
              List.of(
                  recipient(
                      "municipality",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/navn", "NAME", "identifier"),
                          field("/bekymring", "CHILD_CONCERN"),
                          field("/sted", "CHILD_CONCERN", "locating"),
                          field("/ytelse", "BENEFITS"))))),
          contract(
              "health-report",
              "CHILD_WELFARE_REPORT",
              List.of(sender("health")),
              List.of(
                  recipient(
                      "municipality",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/bekymring", "CHILD_CONCERN"))))),
          contract(
              "referral",
              "REFERRAL",
              List.of(sender("ot")),
              List.of(
                  recipient(
                      "nav",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/navn", "NAME", "identifier"),
                          field("/iOt", "OT_MEMBERSHIP"),
                          field("/henvisning", "REFERRAL"))))),
          contract(
              "decision",
              "FOLLOW_UP_DECISION",
              List.of(sender("nav")),
              List.of(
                  recipient(
                      "ot",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/finnes", "DECISION_EXISTS"),
                          field("/innsats", "EFFORT_GROUP"),
                          field("/punkter", "DECISION_POINTS"))))),
          contract(
              "coordination",
              "COORDINATION",
              List.of(sender("municipality")),
              List.of(
                  recipient(
                      "nav",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/plan", "COORDINATION"))))),
          contract(
              "collection",
              "CONSENTED_COLLECTION",
              List.of(sender("school")),
              List.of(
                  recipient(
                      "nav",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/fravaer", "ABSENCE"),
                          field("/program", "PROGRAMME"))))),
          contract(
              "absence-concern",
              "ABSENCE_CONCERN",
              List.of(sender("school")),
              List.of(
                  recipient(
                      "ot",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/varsel", "ABSENCE_WARNING"))))),
          contract(
              "status-card",
              "STATUS_CARD_NOTICE",
              List.of(sender("nav")),
              List.of(
                  recipient(
                      "ot",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/mangler", "STATUS_CARD"))))),
          contract(
              "case",
              "CASE_DISCUSSION",
              List.of(sender("health")),
              List.of(
                  recipient(
                      "nav",
                      view(
                          field("/id", "IDENTITY", "identifier"),
                          field("/sak", "CASE"),
                          field("/notat", "CASE", "freeText"),
                          field("/sted", "CASE", "locating"))))));

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
    MATRIX.forEach(c -> ALL.put(c.id(), c));
  }

  private static final Map<String, Contract> SHIPPED = new ConcurrentHashMap<>();

  private Exchanges() {}

  /** One of these, or else the shipped one; {@code routes/x} is the shipped x in any case. */
  static Contract named(String id) {
    Contract own = ALL.get(id);
    return own != null ? own : SHIPPED.computeIfAbsent(id, Exchanges::shipped);
  }

  private static Contract shipped(String id) {
    return new ContractReader().read(Path.of("routes").resolve(id.replaceFirst("^routes/", "")));
  }

  /** A party by the name that it has in the contract. */
  private static Party party(Contract contract, String name) {
    return contract
        .recipient(name)
        .map(to -> new Party(to.organisation(), to.kind()))
        .or(
            () ->
                contract
                    .sender(name)
                    .map(from -> new Party(from.organisations().getFirst(), from.kind())))
        .orElseGet(() -> party(name));
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
    return facts(contract, from, to, protection, consents, birthDate, attributes, List.of(), at);
  }

  static Facts facts(
      Contract contract,
      String from,
      String to,
      Protection protection,
      List<ConsentFact> consents,
      @Nullable LocalDate birthDate,
      Map<String, Object> attributes,
      List<HumanAct> acts,
      Instant at) {
    Party sender = party(contract, from);
    Party receiver = party(contract, to);
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
        acts,
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
