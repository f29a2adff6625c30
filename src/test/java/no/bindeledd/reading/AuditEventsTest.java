package no.bindeledd.reading;

import static org.assertj.core.api.Assertions.assertThat;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.time.Instant;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import no.bindeledd.audit.AuditEntry;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r4.model.AuditEvent;
import org.hl7.fhir.r4.model.Reference;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Decisions as FHIR R4, valid, and after IHE BALP's pattern of a decision with consent. */
@SuppressWarnings("NullAway.Init")
class AuditEventsTest {
  private static final FhirContext FHIR = FhirContext.forR4();
  private static final Instant AT = Instant.parse("2026-09-01T08:00:00.123Z");
  private static final String CONSENT = "6f1d3f0e-58a8-4f0e-9d3c-0f8d7a9b1c2d";
  private static FhirValidator validator;

  @BeforeAll
  static void support() {
    PrePopulatedValidationSupport balp = new PrePopulatedValidationSupport(FHIR);
    BalpDecision.resources().forEach(balp::addResource);
    validator = FHIR.newValidator();
    validator.registerValidatorModule(
        new FhirInstanceValidator(
            new ValidationSupportChain(
                new DefaultProfileValidationSupport(FHIR),
                balp,
                new SnapshotGeneratingValidationSupport(FHIR),
                new CommonCodeSystemsTerminologyService(FHIR),
                new InMemoryTerminologyServerValidationSupport(FHIR))));
  }

  private static AuditEvent event(String outcome, List<String> consents) {
    AuditEntry entry =
        TestLedger.decision(
            AT,
            "ips-referral",
            "311094998",
            "311067850",
            TestLedger.person(7),
            "00ff",
            "cd",
            outcome,
            outcome,
            List.of("a-rule@1"),
            consents,
            List.of(),
            List.of());
    return AuditEvents.of(4711, entry, "audit.example.no/1").orElseThrow();
  }

  @Test
  void aDecisionWithConsentFollowsThePattern() {
    AuditEvent event = event("RELEASED", List.of(CONSENT + "@2"));
    assertThat(event.getMeta().getProfile().getFirst().getValue()).isEqualTo(AuditEvents.PROFILE);
    assertThat(event.getType().getCode()).isEqualTo("110113");
    assertThat(event.getSubtype())
        .extracting(coding -> coding.getCode())
        .containsExactly("AuthZ-Consent");
    assertThat(event.getAction().toCode()).isEqualTo("E");
    assertThat(event.getOutcome().toCode()).isEqualTo("0");
    assertThat(event.getAgent())
        .extracting(agent -> agent.getType().getCodingFirstRep().getCode())
        .containsExactly("110150", "IRCP", "PROV", "authserver");
    assertThat(event.getAgent().get(0).getWho().getIdentifier().getValue()).isEqualTo("311094998");
    assertThat(event.getAgent().get(0).getNetwork().getAddress()).isNotEmpty();
    assertThat(event.getAgent().get(1).getRequestor()).isTrue();
    assertThat(event.getAgent().get(1).getWho().getIdentifier().getValue()).isEqualTo("311067850");
    assertThat(event.getAgent().get(3).getWho().equalsDeep(event.getSource().getObserver()))
        .isTrue();
    assertThat(event.getEntity()).hasSize(2);
    assertThat(event.getEntity().get(0).getWhat().getIdentifier().getSystem())
        .isEqualTo(AuditEvents.PSEUDONYMS);
    assertThat(event.getEntity().get(1).getWhat().getIdentifier().getValue())
        .isEqualTo("urn:uuid:" + CONSENT);
  }

  @Test
  void aDecisionWithoutConsentDoesNotClaimTheProfile() {
    AuditEvent event = event("RELEASED", List.of());
    assertThat(event.getMeta().getProfile()).isEmpty();
    assertThat(event.getSubtypeFirstRep().getCode()).isEqualTo("AuthZ-Role");
  }

  @Test
  void whatIsNoDecisionAboutAPersonIsNoEvent() {
    AuditEntry receipt = TestLedger.delivery(AT, "ips-referral", "311094998", "nav", "00ff", "cd");
    assertThat(AuditEvents.of(1, receipt, "x")).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"RELEASED,0,true", "REDUCED,0,true", "REFUSED,8,true", "HELD,8,false"})
  void everyEventIsValid(String outcome, String code, boolean consent) {
    AuditEvent event = event(outcome, consent ? List.of(CONSENT + "@2") : List.of());
    assertThat(event.getOutcome().toCode()).isEqualTo(code);
    assertThat(event.getMeta().hasProfile()).isEqualTo(consent);
    assertThat(errors(event)).isEmpty();
  }

  /** Else the validity above would say nothing: the profile's rules are in force. */
  @ParameterizedTest
  @MethodSource("strays")
  void whatStraysFromTheProfileIsNotValid(Consumer<AuditEvent> stray) {
    AuditEvent event = event("RELEASED", List.of(CONSENT + "@2"));
    stray.accept(event);
    assertThat(errors(event)).isNotEmpty();
  }

  static Stream<Consumer<AuditEvent>> strays() {
    return Stream.of(
        event -> event.getType().setCode("110112"),
        event -> event.getSubtypeFirstRep().setCode("AuthZ-Else"),
        event -> event.setAction(AuditEvent.AuditEventAction.R),
        event -> event.setOutcome(null),
        event -> event.getAgent().remove(0),
        event -> event.getAgent().remove(1),
        event -> event.getAgent().remove(2),
        event -> event.getAgent().remove(3),
        event -> event.getAgent().get(0).setNetwork(null),
        event -> event.getAgent().get(0).setName("A name"),
        event -> event.getAgent().get(1).setRequestor(false),
        event -> event.getAgent().get(1).setWho(null),
        event -> event.getAgent().get(2).setRequestor(true),
        event -> event.getAgent().get(3).setWho(new Reference("Device/another")),
        event -> event.getEntity().remove(0),
        event -> event.getEntity().remove(1),
        event -> event.getEntity().get(0).setRole(null),
        event -> event.getEntity().get(1).setWhat(null),
        event -> event.addEntity().getWhat().setDisplay("Something else"));
  }

  private static List<SingleValidationMessage> errors(AuditEvent event) {
    return validator
        .validateWithResult(FHIR.newJsonParser().encodeResourceToString(event))
        .getMessages()
        .stream()
        .filter(message -> message.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0)
        .toList();
  }
}
