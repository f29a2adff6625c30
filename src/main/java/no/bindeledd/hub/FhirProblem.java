package no.bindeledd.hub;

import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.ForbiddenOperationException;
import ca.uhn.fhir.rest.server.exceptions.PreconditionFailedException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import ca.uhn.fhir.rest.server.exceptions.ResourceVersionConflictException;
import ca.uhn.fhir.rest.server.exceptions.UnclassifiedServerFailureException;
import ca.uhn.fhir.rest.server.exceptions.UnprocessableEntityException;
import java.util.concurrent.CompletionException;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.consent.ConsentConflictException;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.hl7.fhir.r4.model.OperationOutcome.IssueSeverity;
import org.hl7.fhir.r4.model.OperationOutcome.IssueType;
import org.jspecify.annotations.Nullable;

/** Errors of the FHIR endpoint, as an {@code OperationOutcome} that holds nothing of a request. */
final class FhirProblem {
  private FhirProblem() {}

  static OperationOutcome outcome(IssueType type, String diagnostics) {
    OperationOutcome outcome = new OperationOutcome();
    outcome.addIssue().setSeverity(IssueSeverity.ERROR).setCode(type).setDiagnostics(diagnostics);
    return outcome;
  }

  static UnprocessableEntityException unprocessable(String diagnostics) {
    return unprocessable(outcome(IssueType.INVALID, diagnostics));
  }

  static UnprocessableEntityException unprocessable(OperationOutcome outcome) {
    return new UnprocessableEntityException("Unprocessable", outcome);
  }

  static ResourceNotFoundException notFound() {
    return new ResourceNotFoundException(
        "Not found", outcome(IssueType.NOTFOUND, "There is no consent with this id"));
  }

  static BaseServerResponseException rejected(TokenCheck.Rejected rejected) {
    String detail = rejected.cause() + ": " + rejected.detail();
    return switch (rejected.cause().status()) {
      case 401 -> {
        AuthenticationException unknown = new AuthenticationException("Unauthorized");
        unknown.setOperationOutcome(outcome(IssueType.LOGIN, detail));
        yield unknown;
      }
      case 403 ->
          new ForbiddenOperationException("Forbidden", outcome(IssueType.FORBIDDEN, detail));
      default -> later(detail);
    };
  }

  /** Why a change was not recorded. */
  static BaseServerResponseException of(@Nullable Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    String message = cause == null ? "" : String.valueOf(cause.getMessage());
    if (cause instanceof BaseServerResponseException told) {
      return told;
    }
    if (cause instanceof ConsentConflictException conflict) {
      return conflict.stale()
          ? new PreconditionFailedException(
              "Precondition failed", outcome(IssueType.CONFLICT, message))
          : new ResourceVersionConflictException("Conflict", outcome(IssueType.CONFLICT, message));
    }
    if (cause instanceof IllegalArgumentException
        || cause instanceof Keepers.InvalidNumberException) {
      return unprocessable(message);
    }
    return later("Nothing was recorded. Send the same request again later");
  }

  private static BaseServerResponseException later(String detail) {
    UnclassifiedServerFailureException later =
        new UnclassifiedServerFailureException(503, "Unavailable");
    later.setOperationOutcome(outcome(IssueType.TRANSIENT, detail));
    return later;
  }
}
