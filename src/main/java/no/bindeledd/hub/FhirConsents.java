package no.bindeledd.hub;

import ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException;
import java.time.Instant;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import no.bindeledd.consent.Captured;
import no.bindeledd.consent.Consent;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.hl7.fhir.r4.model.Base;
import org.hl7.fhir.r4.model.CodeableConcept;
import org.hl7.fhir.r4.model.Coding;
import org.hl7.fhir.r4.model.Consent.ConsentProvisionType;
import org.hl7.fhir.r4.model.Consent.ConsentState;
import org.hl7.fhir.r4.model.Consent.ProvisionComponent;
import org.hl7.fhir.r4.model.Consent.provisionActorComponent;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Identifier;
import org.hl7.fhir.r4.model.InstantType;
import org.hl7.fhir.r4.model.Property;
import org.hl7.fhir.r4.model.Reference;
import org.jspecify.annotations.Nullable;

/**
 * The registry's consents as FHIR R4 {@code Consent}, and back. What a resource says that the
 * registry cannot keep is refused: a limit that is left out would let more through. Stateless.
 *
 * <p>Identifiers by their OIDs (contracts.md § 4). The codes of kind, purpose, data category and
 * text are the hub's own, with the systems below; docs/consent.md has the table.
 */
final class FhirConsents {
  static final String KIND = "urn:bindeledd:consent-kind";
  static final String PURPOSE = "urn:bindeledd:purpose";
  static final String CATEGORY = "urn:bindeledd:data-category";
  static final String TEXT = "urn:bindeledd:consent-text:";
  static final String NATIONAL_ID = "urn:oid:2.16.578.1.12.4.1.4.1";
  static final String D_NUMBER = "urn:oid:2.16.578.1.12.4.1.4.2";
  static final String ORGANISATION = "urn:oid:2.16.578.1.12.4.1.4.101";

  /** The patient's own block (no-basis). */
  static final String BLOCK = "PBRL5-3";

  private static final String UUID_SYSTEM = "urn:ietf:rfc:3986";
  private static final String SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope";
  private static final String PARTICIPATION =
      "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
  private static final String RECIPIENT = "IRCP";
  private static final String SOURCE = "CST";

  private static final Set<String> KNOWN =
      Set.of(
          "id",
          "meta",
          "text",
          "language",
          "identifier",
          "status",
          "scope",
          "category",
          "patient",
          "dateTime",
          "performer",
          "policy",
          "policyRule",
          "provision");

  private static final Set<String> KNOWN_PROVISION =
      Set.of("type", "period", "actor", "purpose", "code");

  private FhirConsents() {}

  /** The person behind a number. */
  interface People {
    Pseudonym person(String number, String field);
  }

  /** The person's identity number: {@code patient.identifier}. */
  static String number(org.hl7.fhir.r4.model.Consent resource) {
    return number(resource.getPatient(), "patient.identifier");
  }

  /** The id that its maker chose: {@code identifier} with the value {@code urn:uuid:…}. */
  static UUID chosenId(org.hl7.fhir.r4.model.Consent resource) {
    return resource.getIdentifier().stream()
        .filter(i -> UUID_SYSTEM.equals(i.getSystem()))
        .map(Identifier::getValue)
        .filter(value -> value != null && value.startsWith("urn:uuid:"))
        .findFirst()
        .map(value -> uuid(value.substring(9), "identifier"))
        .orElseThrow(
            () ->
                wrong(
                    "identifier",
                    "has no urn:uuid: of the system "
                        + UUID_SYSTEM
                        + "; choose one, so that a"
                        + " repeated create is recognised"));
  }

  static UUID uuid(String text, String field) {
    try {
      return UUID.fromString(text);
    } catch (IllegalArgumentException e) {
      throw wrong(field, "is not a UUID");
    }
  }

  /** True when the resource takes a consent back or lifts a block. */
  static boolean ends(org.hl7.fhir.r4.model.Consent resource) {
    return switch (resource.getStatus()) {
      case ACTIVE -> false;
      case INACTIVE, ENTEREDINERROR -> true;
      default ->
          throw wrong("status", "is neither active, inactive nor entered-in-error; send it then");
    };
  }

  static boolean isBlock(org.hl7.fhir.r4.model.Consent resource) {
    return resource.getProvision().getType() == ConsentProvisionType.DENY;
  }

  /** When it begins; null when the resource does not say. */
  static @Nullable Instant validFrom(org.hl7.fhir.r4.model.Consent resource) {
    Date start = resource.getProvision().getPeriod().getStart();
    Date given = resource.getDateTime();
    return start != null ? start.toInstant() : given != null ? given.toInstant() : null;
  }

  /** Refuses what the registry cannot keep. */
  static void checkUnderstood(org.hl7.fhir.r4.model.Consent resource) {
    understood(resource, KNOWN, "");
    understood(resource.getProvision(), KNOWN_PROVISION, "provision.");
    if (!resource.getModifierExtension().isEmpty() || !resource.getContained().isEmpty()) {
      throw wrong("modifierExtension", "and contained are not understood here");
    }
  }

  private static void understood(Base element, Set<String> known, String path) {
    for (Property property : element.children()) {
      if (property.hasValues() && !known.contains(property.getName())) {
        // The name is one of the base profile's: the resource has passed its validation.
        throw wrong(path + property.getName(), "is not understood here; leave it out");
      }
    }
  }

  /** An active consent or block, as a version to record. */
  static Consent version(
      org.hl7.fhir.r4.model.Consent resource,
      UUID id,
      int version,
      Instant validFrom,
      People people) {
    ProvisionComponent provision = resource.getProvision();
    boolean block = isBlock(resource);
    if (!block && provision.getType() != ConsentProvisionType.PERMIT) {
      throw wrong("provision.type", "is missing; send permit, or deny for a block");
    }
    if (block != isBlockRule(resource.getPolicyRule())) {
      throw wrong("policyRule", "and provision.type must both be the block (" + BLOCK + ", deny)");
    }
    Date end = provision.getPeriod().getEnd();
    return new Consent(
        id,
        version,
        people.person(number(resource), "patient.identifier"),
        kind(resource.getCategory()),
        block ? State.BLOCKED : State.GIVEN,
        grantors(resource, people),
        purpose(provision, block),
        organisations(provision, SOURCE),
        organisations(provision, RECIPIENT),
        categories(provision),
        text(resource),
        validFrom,
        end == null ? null : end.toInstant(),
        Captured.HEALTH_SYSTEM);
  }

  private static Kind kind(List<CodeableConcept> categories) {
    Optional<String> code =
        categories.stream()
            .flatMap(c -> c.getCoding().stream())
            .filter(c -> KIND.equals(c.getSystem()))
            .map(Coding::getCode)
            .findFirst();
    if (code.isEmpty()) {
      return Kind.INFORMATION_SHARING;
    }
    for (Kind kind : Kind.values()) {
      if (kind.name().equals(code.get())) {
        return kind;
      }
    }
    throw wrong("category", "has a code of " + KIND + " that is none of its codes");
  }

  private static Consent.Grantors grantors(org.hl7.fhir.r4.model.Consent resource, People people) {
    if (resource.getPerformer().isEmpty()) {
      return Consent.Grantors.PERSON;
    }
    String patient = number(resource);
    boolean person = false;
    Set<Pseudonym> guardians = new HashSet<>();
    for (Reference performer : resource.getPerformer()) {
      String number = number(performer, "performer.identifier");
      if (number.equals(patient)) {
        person = true;
      } else {
        guardians.add(people.person(number, "performer.identifier"));
      }
    }
    return new Consent.Grantors(person, guardians);
  }

  private static String purpose(ProvisionComponent provision, boolean block) {
    if (provision.getPurpose().isEmpty() && block) {
      return ConsentFact.ANY_PURPOSE;
    }
    List<String> codes =
        provision.getPurpose().stream()
            .filter(c -> PURPOSE.equals(c.getSystem()))
            .map(Coding::getCode)
            .toList();
    if (codes.size() != 1 || provision.getPurpose().size() != 1) {
      throw wrong("provision.purpose", "must be one code of " + PURPOSE);
    }
    return codes.getFirst();
  }

  private static Set<String> organisations(ProvisionComponent provision, String role) {
    Set<String> found = new HashSet<>();
    for (provisionActorComponent actor : provision.getActor()) {
      String of =
          actor.getRole().getCoding().stream()
              .filter(c -> PARTICIPATION.equals(c.getSystem()))
              .map(Coding::getCode)
              .findFirst()
              .orElse("");
      if (!of.equals(RECIPIENT) && !of.equals(SOURCE)) {
        throw wrong(
            "provision.actor.role",
            "must be "
                + RECIPIENT
                + " (may learn) or "
                + SOURCE
                + " (may tell) of "
                + PARTICIPATION);
      }
      Identifier organisation = actor.getReference().getIdentifier();
      if (!ORGANISATION.equals(organisation.getSystem()) || organisation.getValue() == null) {
        throw wrong("provision.actor.reference.identifier", "must be of " + ORGANISATION);
      }
      if (of.equals(role)) {
        found.add(organisation.getValue());
      }
    }
    return found;
  }

  private static Set<String> categories(ProvisionComponent provision) {
    Set<String> found = new HashSet<>();
    for (CodeableConcept concept : provision.getCode()) {
      if (concept.getCoding().size() != 1
          || !CATEGORY.equals(concept.getCodingFirstRep().getSystem())
          || concept.getCodingFirstRep().getCode() == null) {
        throw wrong("provision.code", "must be codes of " + CATEGORY);
      }
      found.add(concept.getCodingFirstRep().getCode());
    }
    return found;
  }

  private static @Nullable String text(org.hl7.fhir.r4.model.Consent resource) {
    return resource.getPolicy().stream()
        .map(policy -> policy.getUri())
        .filter(uri -> uri != null && uri.startsWith(TEXT))
        .map(uri -> uri.substring(TEXT.length()))
        .findFirst()
        .orElse(null);
  }

  private static boolean isBlockRule(CodeableConcept rule) {
    return rule.getCoding().stream().anyMatch(c -> BLOCK.equals(c.getCode()));
  }

  private static String number(Reference to, String field) {
    Identifier identifier = to.getIdentifier();
    boolean person =
        NATIONAL_ID.equals(identifier.getSystem()) || D_NUMBER.equals(identifier.getSystem());
    if (!person || identifier.getValue() == null) {
      throw wrong(field, "must be of " + NATIONAL_ID + " or " + D_NUMBER);
    }
    return identifier.getValue();
  }

  static UnprocessableEntityException wrong(String field, String what) {
    return FhirProblem.unprocessable("Consent." + field + " " + what);
  }

  // ---- as a resource

  /** Who gave it; a guardian's number is not kept, and so cannot be told. */
  private static void performers(
      org.hl7.fhir.r4.model.Consent resource, Consent.Grantors grantors, @Nullable String number) {
    if (grantors.person()) {
      Reference patient = resource.addPerformer().setType("Patient");
      if (number == null) {
        patient.setDisplay("patient");
      } else {
        patient.getIdentifier().setSystem(system(number)).setValue(number);
      }
    }
    for (int i = 0; i < grantors.guardians().size(); i++) {
      resource.addPerformer().setType("RelatedPerson").setDisplay("guardian");
    }
  }

  /**
   * @param recordedAt when it was recorded, if that is known
   * @param number the identity number that was asked with; null when it is not known
   */
  static org.hl7.fhir.r4.model.Consent resource(
      Consent consent, @Nullable Instant recordedAt, @Nullable String number) {
    org.hl7.fhir.r4.model.Consent resource = new org.hl7.fhir.r4.model.Consent();
    resource.setId(
        new IdType("Consent", consent.id().toString(), Integer.toString(consent.version())));
    resource.getMeta().setVersionId(Integer.toString(consent.version()));
    if (recordedAt != null) {
      resource.getMeta().setLastUpdatedElement(new InstantType(Date.from(recordedAt)));
    }
    resource.addIdentifier().setSystem(UUID_SYSTEM).setValue("urn:uuid:" + consent.id());
    boolean block = consent.state() == State.BLOCKED;
    boolean ended = consent.state() == State.WITHDRAWN;
    resource.setStatus(ended ? ConsentState.INACTIVE : ConsentState.ACTIVE);
    resource.setScope(concept(SCOPE, "patient-privacy"));
    resource.addCategory(concept(KIND, consent.kind().name()));
    if (number != null) {
      resource.getPatient().getIdentifier().setSystem(system(number)).setValue(number);
    }
    performers(resource, consent.grantors(), number);
    String text = consent.textVersion();
    if (text != null) {
      resource.addPolicy().setUri(TEXT + text);
    }
    ProvisionComponent provision = resource.getProvision();
    if (block) {
      resource.getPolicyRule().addCoding().setCode(BLOCK);
    }
    provision.setType(block ? ConsentProvisionType.DENY : ConsentProvisionType.PERMIT);
    provision.getPeriod().setStart(Date.from(consent.validFrom()));
    Instant validTo = consent.validTo();
    if (validTo != null) {
      provision.getPeriod().setEnd(Date.from(validTo));
    }
    if (!consent.purpose().equals(ConsentFact.ANY_PURPOSE)) {
      provision.addPurpose().setSystem(PURPOSE).setCode(consent.purpose());
    }
    actors(provision, consent.recipients(), RECIPIENT);
    actors(provision, consent.sources(), SOURCE);
    new TreeSet<>(consent.categories()).forEach(c -> provision.addCode(concept(CATEGORY, c)));
    return resource;
  }

  /** The first digit of a D-number is raised by four. */
  private static String system(String number) {
    return number.charAt(0) >= '4' ? D_NUMBER : NATIONAL_ID;
  }

  private static void actors(ProvisionComponent provision, Set<String> numbers, String role) {
    for (String number : new TreeSet<>(numbers)) {
      provisionActorComponent actor = provision.addActor();
      actor.setRole(concept(PARTICIPATION, role));
      actor.getReference().getIdentifier().setSystem(ORGANISATION).setValue(number);
    }
  }

  private static CodeableConcept concept(String system, String code) {
    return new CodeableConcept(new Coding().setSystem(system).setCode(code));
  }
}
