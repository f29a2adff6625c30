package no.bindeledd.hub;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationResult;
import java.util.Set;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.OperationOutcome.IssueSeverity;
import org.hl7.fhir.r4.model.OperationOutcome.IssueType;
import org.jspecify.annotations.Nullable;

/**
 * Checks what came against the R4 base profile, as it came: the parser of the server passes over
 * what it does not know, and a misspelled limit would be no limit. Thread-safe. Made on first use,
 * which takes a few seconds.
 */
final class FhirValidation {
  /** The names that may stand in an answer; another one is somebody's word. */
  private static final Set<String> NAMES =
      Set.of(
          "Consent",
          "identifier",
          "status",
          "scope",
          "category",
          "patient",
          "dateTime",
          "performer",
          "organization",
          "sourceAttachment",
          "sourceReference",
          "policy",
          "policyRule",
          "verification",
          "provision",
          "type",
          "period",
          "actor",
          "role",
          "reference",
          "action",
          "securityLabel",
          "purpose",
          "class",
          "code",
          "dataPeriod",
          "data",
          "coding",
          "system",
          "value",
          "start",
          "end",
          "uri");

  private final FhirContext context;
  private volatile @Nullable FhirValidator validator;

  FhirValidation(FhirContext context) {
    this.context = context;
  }

  /**
   * @throws ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException with every place that
   *     is wrong
   */
  void check(String resource) {
    ValidationResult result = validator().validateWithResult(resource);
    OperationOutcome outcome = new OperationOutcome();
    for (SingleValidationMessage message : result.getMessages()) {
      if (message.getSeverity().compareTo(ResultSeverityEnum.ERROR) >= 0) {
        outcome
            .addIssue()
            .setSeverity(IssueSeverity.ERROR)
            .setCode(IssueType.INVARIANT)
            .setDiagnostics(
                "Does not fit the R4 base profile of Consent ("
                    + rule(message.getMessageId())
                    + ")")
            .addExpression(known(message.getLocationString()));
      }
    }
    if (outcome.hasIssue()) {
      throw FhirProblem.unprocessable(outcome);
    }
  }

  private FhirValidator validator() {
    FhirValidator made = validator;
    if (made == null) {
      synchronized (this) {
        made = validator;
        if (made == null) {
          made = make();
          validator = made;
        }
      }
    }
    return made;
  }

  private FhirValidator make() {
    UnknownCodeSystemWarningValidationSupport unknown =
        new UnknownCodeSystemWarningValidationSupport(context);
    unknown.setNonExistentCodeSystemSeverity(
        ca.uhn.fhir.context.support.IValidationSupport.IssueSeverity.WARNING);
    FhirInstanceValidator base =
        new FhirInstanceValidator(
            new ValidationSupportChain(
                new DefaultProfileValidationSupport(context),
                new CommonCodeSystemsTerminologyService(context),
                new InMemoryTerminologyServerValidationSupport(context),
                unknown));
    base.setAnyExtensionsAllowed(false);
    return context.newValidator().registerValidatorModule(base);
  }

  private static String rule(@Nullable String id) {
    return id != null && id.matches("[A-Za-z0-9_-]{1,80}") && !id.matches(".*[0-9]{6}.*")
        ? id
        : "its form";
  }

  /** The path as far as it holds names of the profile. */
  private static String known(@Nullable String location) {
    StringBuilder path = new StringBuilder();
    for (String token : (location == null ? "" : location).split("\\.")) {
      String name = token.replaceAll("\\[[0-9]{1,3}\\]$", "");
      if (!NAMES.contains(name)) {
        break;
      }
      path.append(path.isEmpty() ? "" : ".").append(token);
    }
    return path.isEmpty() ? "Consent" : path.toString();
  }
}
