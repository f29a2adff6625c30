package no.bindeledd.reading;

import java.util.Date;
import java.util.Optional;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import org.hl7.fhir.r4.model.AuditEvent;
import org.hl7.fhir.r4.model.AuditEvent.AuditEventAction;
import org.hl7.fhir.r4.model.AuditEvent.AuditEventAgentComponent;
import org.hl7.fhir.r4.model.AuditEvent.AuditEventAgentNetworkType;
import org.hl7.fhir.r4.model.AuditEvent.AuditEventOutcome;
import org.hl7.fhir.r4.model.CodeableConcept;
import org.hl7.fhir.r4.model.Coding;
import org.hl7.fhir.r4.model.Reference;

/**
 * Decisions about a person as FHIR R4 {@code AuditEvent}, after IHE BALP's pattern for an
 * authorisation decision with consent (contracts.md § 4): type DCM 110113; agents application,
 * information recipient, its organisation and the authorisation server; entities person and
 * consents. A decision that needed no consent has the subtype {@code AuthZ-Role} and does not claim
 * the profile. No state, safe on any thread.
 */
public final class AuditEvents {
  /** The profile of a decision with consent. */
  public static final String PROFILE =
      "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.AuthZconsent";

  /** Organisation numbers (ENH). */
  public static final String ORGANISATIONS = "urn:oid:2.16.578.1.12.4.1.4.101";

  /** The hub's own: the person is a pseudonym, the identity number is not held. */
  public static final String PSEUDONYMS = "urn:bindeledd:pseudonym";

  private static final String SUBTYPE = "https://profiles.ihe.net/ITI/BALP/CodeSystem/AuthZsubType";
  private static final String DICOM = "http://dicom.nema.org/resources/ontology/DCM";

  private AuditEvents() {}

  /**
   * The event, or empty when the entry is no decision about a person.
   *
   * @param origin the log's name: who decided and recorded
   */
  public static Optional<AuditEvent> of(long index, AuditEntry entry, String origin) {
    if (entry.station() != Station.DECIDE || entry.subject() == null) {
      return Optional.empty();
    }
    boolean withConsent = !entry.consents().isEmpty();
    AuditEvent event = new AuditEvent();
    event.setId(String.valueOf(index));
    if (withConsent) {
      event.getMeta().addProfile(PROFILE);
    }
    event.setType(new Coding(DICOM, "110113", "Security Alert"));
    event.addSubtype(
        withConsent
            ? new Coding(SUBTYPE, "AuthZ-Consent", "Authorization Decision using Roles and Consent")
            : new Coding(SUBTYPE, "AuthZ-Role", "Authorization Decision using only Roles"));
    event.setAction(AuditEventAction.E);
    event.setRecorded(Date.from(entry.at()));
    event.setOutcome(CefLine.denies(entry) ? AuditEventOutcome._8 : AuditEventOutcome._0);
    event.setOutcomeDesc(entry.outcome() + ": " + entry.reason());
    Reference hub = identified("Device", "urn:bindeledd:log", origin);
    event
        .getSource()
        .setSite(origin)
        .setObserver(hub)
        .addType(
            new Coding(
                "http://terminology.hl7.org/CodeSystem/security-source-type",
                "6",
                "Security Server"));
    agents(event, entry, hub);
    entities(event, entry);
    return Optional.of(event);
  }

  private static void agents(AuditEvent event, AuditEntry entry, Reference hub) {
    AuditEventAgentComponent client =
        agent(event, DICOM, "110150", "Application", organisation(entry.sender()), false);
    client
        .getNetwork()
        .setAddress("urn:bindeledd:exchange:" + entry.exchange())
        .setType(AuditEventAgentNetworkType._5);
    agent(
        event,
        "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
        "IRCP",
        "information recipient",
        organisation(entry.receiver()),
        true);
    agent(
        event,
        "http://terminology.hl7.org/CodeSystem/v3-RoleClass",
        "PROV",
        "healthcare provider",
        organisation(entry.receiver()),
        false);
    agent(
        event,
        "http://terminology.hl7.org/CodeSystem/extra-security-role-type",
        "authserver",
        "authorization server",
        hub,
        false);
  }

  private static AuditEventAgentComponent agent(
      AuditEvent event,
      String system,
      String code,
      String display,
      Reference who,
      boolean requestor) {
    return event
        .addAgent()
        .setType(new CodeableConcept(new Coding(system, code, display)))
        .setWho(who)
        .setRequestor(requestor);
  }

  private static void entities(AuditEvent event, AuditEntry entry) {
    if (entry.subject() != null) {
      event
          .addEntity()
          .setType(
              new Coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person"))
          .setRole(new Coding("http://terminology.hl7.org/CodeSystem/object-role", "1", "Patient"))
          .setWhat(identified("Patient", PSEUDONYMS, entry.subject().value()));
    }
    for (String consent : entry.consents()) {
      event
          .addEntity()
          .setType(new Coding("http://hl7.org/fhir/resource-types", "Consent", "Consent"))
          .setWhat(
              identified(
                  "Consent", "urn:ietf:rfc:3986", "urn:uuid:" + EntryQuery.withoutVersion(consent)))
          .setDescription("version " + consent.substring(consent.lastIndexOf('@') + 1));
    }
  }

  private static Reference organisation(@org.jspecify.annotations.Nullable String number) {
    return identified("Organization", ORGANISATIONS, number == null ? "unknown" : number);
  }

  private static Reference identified(String type, String system, String value) {
    Reference reference = new Reference().setType(type);
    reference.getIdentifier().setSystem(system).setValue(value);
    return reference;
  }
}
