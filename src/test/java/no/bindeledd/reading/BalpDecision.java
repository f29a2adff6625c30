package no.bindeledd.reading;

import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.r4.model.BooleanType;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.CodeType;
import org.hl7.fhir.r4.model.CodeableConcept;
import org.hl7.fhir.r4.model.Coding;
import org.hl7.fhir.r4.model.ElementDefinition;
import org.hl7.fhir.r4.model.Enumerations.BindingStrength;
import org.hl7.fhir.r4.model.Enumerations.PublicationStatus;
import org.hl7.fhir.r4.model.Resource;
import org.hl7.fhir.r4.model.StructureDefinition;
import org.hl7.fhir.r4.model.Type;
import org.hl7.fhir.r4.model.ValueSet;

/**
 * The rules of IHE BALP's profile of an authorisation decision with consent ({@code
 * IHE.BasicAudit.AuthZconsent}), written after the profile's own text, for the validator: its
 * cardinalities, fixed values, slices and invariant. Must-support and descriptions are left out.
 *
 * @see <a href="https://profiles.ihe.net/ITI/BALP/">IHE ITI, Basic Audit Log Patterns</a>
 */
final class BalpDecision {
  private static final String BALP = "https://profiles.ihe.net/ITI/BALP/";
  private static final String SUBTYPES = BALP + "CodeSystem/AuthZsubType";
  private static final String SUBTYPES_SET = BALP + "ValueSet/AuthZsubTypeVS";
  private static final String THO = "http://terminology.hl7.org/CodeSystem/";

  private final StructureDefinition profile = new StructureDefinition();

  private BalpDecision() {
    profile
        .setUrl(AuditEvents.PROFILE)
        .setName("AuthZconsent")
        .setStatus(PublicationStatus.ACTIVE)
        .setKind(StructureDefinition.StructureDefinitionKind.RESOURCE)
        .setAbstract(false)
        .setType("AuditEvent")
        .setBaseDefinition("http://hl7.org/fhir/StructureDefinition/AuditEvent")
        .setDerivation(StructureDefinition.TypeDerivationRule.CONSTRAINT);
    times("modifierExtension", 0, "0");
    pattern("type", new Coding("http://dicom.nema.org/resources/ontology/DCM", "110113", null));
    element("subtype").getBinding().setStrength(BindingStrength.REQUIRED).setValueSet(SUBTYPES_SET);
    pattern("action", new CodeType("E"));
    times("outcome", 1, "1");
    agents();
    entities();
  }

  /** The profile and the terms that it binds to. */
  static List<Resource> resources() {
    CodeSystem codes = new CodeSystem();
    codes
        .setUrl(SUBTYPES)
        .setStatus(PublicationStatus.ACTIVE)
        .setContent(CodeSystem.CodeSystemContentMode.COMPLETE);
    Stream.of("AuthZ-Consent", "AuthZ-Role").forEach(code -> codes.addConcept().setCode(code));
    ValueSet set = new ValueSet();
    set.setUrl(SUBTYPES_SET).setStatus(PublicationStatus.ACTIVE);
    set.getCompose().addInclude().setSystem(SUBTYPES);
    return List.of(new BalpDecision().profile, codes, set);
  }

  /** Members in the order of the resource, as a differential must have them. */
  private void agents() {
    slices("agent", 2, ElementDefinition.SlicingRules.OPEN);
    agent("client", "http://dicom.nema.org/resources/ontology/DCM", "110150");
    none("client", "role");
    times("agent:client.who", 1, "1");
    none("client", "altId", "name", "location", "media");
    times("agent:client.network", 1, "1");
    none("client", "purposeOfUse");

    agent("user", THO + "v3-ParticipationType", "IRCP");
    times("agent:user.who", 1, "1");
    none("user", "altId");
    pattern("agent:user.requestor", new BooleanType(true));
    none("user", "location", "media", "network");

    agent("userorg", THO + "v3-RoleClass", "PROV");
    none("userorg", "role");
    times("agent:userorg.who", 1, "1");
    none("userorg", "altId", "name");
    pattern("agent:userorg.requestor", new BooleanType(false));
    none("userorg", "location", "policy", "media", "network");

    agent("authorizer", THO + "extra-security-role-type", "authserver")
        .addConstraint()
        .setKey("val-audit-source")
        .setSeverity(ElementDefinition.ConstraintSeverity.ERROR)
        .setHuman("The Audit Source is this agent too.")
        .setExpression("$this.who = %resource.source.observer");
    none("authorizer", "role");
    times("agent:authorizer.who", 1, "1");
    none("authorizer", "altId", "name");
    pattern("agent:authorizer.requestor", new BooleanType(false));
    none("authorizer", "location", "policy", "media", "network", "purposeOfUse");
  }

  private ElementDefinition agent(String slice, String system, String code) {
    ElementDefinition agent = slice("agent", slice, "1");
    pattern("agent:" + slice + ".type", new CodeableConcept(new Coding(system, code, null)));
    return agent;
  }

  private void entities() {
    slices("entity", 2, ElementDefinition.SlicingRules.CLOSED);
    slice("entity", "patient", "1");
    times("entity:patient.what", 1, "1")
        .addType()
        .setCode("Reference")
        .addTargetProfile("http://hl7.org/fhir/StructureDefinition/Patient");
    pattern("entity:patient.type", new Coding(THO + "audit-entity-type", "1", null));
    pattern("entity:patient.role", new Coding(THO + "object-role", "1", null));
    slice("entity", "consent", "*");
    times("entity:consent.what", 1, "1");
    pattern(
        "entity:consent.type", new Coding("http://hl7.org/fhir/resource-types", "Consent", null));
  }

  private void slices(String name, int least, ElementDefinition.SlicingRules rules) {
    times(name, least, "*")
        .getSlicing()
        .setRules(rules)
        .addDiscriminator()
        .setType(ElementDefinition.DiscriminatorType.PATTERN)
        .setPath("type");
  }

  private ElementDefinition slice(String of, String name, String most) {
    return times(of + ":" + name, 1, most).setSliceName(name);
  }

  private void none(String agent, String... members) {
    for (String member : members) {
      times("agent:" + agent + "." + member, 0, "0");
    }
  }

  private ElementDefinition times(String id, int least, String most) {
    return element(id).setMin(least).setMax(most);
  }

  private void pattern(String id, Type value) {
    element(id).setMin(1).setPattern(value);
  }

  /** One element of the differential; its path is the id without the slices' names. */
  private ElementDefinition element(String id) {
    ElementDefinition element = profile.getDifferential().addElement();
    element.setId("AuditEvent." + id);
    element.setPath(element.getId().replaceAll(":[a-z]+", ""));
    return element;
  }
}
