package no.bindeledd.hub;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.annotation.Create;
import ca.uhn.fhir.rest.annotation.IdParam;
import ca.uhn.fhir.rest.annotation.OptionalParam;
import ca.uhn.fhir.rest.annotation.Read;
import ca.uhn.fhir.rest.annotation.RequiredParam;
import ca.uhn.fhir.rest.annotation.ResourceParam;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.annotation.Update;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.param.ReferenceParam;
import ca.uhn.fhir.rest.param.TokenParam;
import ca.uhn.fhir.rest.server.IResourceProvider;
import jakarta.servlet.http.HttpServletRequest;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.consent.Captured;
import no.bindeledd.consent.Consent;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.policy.ConsentFact.State;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.OperationOutcome.IssueType;
import org.jspecify.annotations.Nullable;

/**
 * FHIR R4 {@code Consent} under {@code /fhir}: read, search by patient and status, create, update.
 * Needs a token with the keeper's scope. The same registry, ledger and rules as {@code /consents}.
 *
 * <p>A create names its own UUID as an identifier, so that a repeated one is recognised; an update
 * names its version in {@code If-Match}. A resource that is not active takes the consent back, or
 * lifts the block.
 */
final class FhirConsentProvider implements IResourceProvider {
  private final Callers callers;
  private final Keepers keepers;
  private final ConsentKeeping keeping;
  private final ConsentRegistry consents;
  private final FhirValidation validation;
  private final InstantSource clock;

  FhirConsentProvider(
      Callers callers,
      Keepers keepers,
      ConsentKeeping keeping,
      ConsentRegistry consents,
      FhirContext context,
      InstantSource clock) {
    this.callers = callers;
    this.keepers = keepers;
    this.keeping = keeping;
    this.consents = consents;
    this.validation = new FhirValidation(context);
    this.clock = clock;
  }

  @Override
  public Class<org.hl7.fhir.r4.model.Consent> getResourceType() {
    return org.hl7.fhir.r4.model.Consent.class;
  }

  /** The newest version, or the one that is asked for. */
  @Read(version = true)
  public org.hl7.fhir.r4.model.Consent read(@IdParam IdType id, HttpServletRequest http) {
    OrganisationNumber keeper = keeper(http);
    List<ConsentRegistry.Version> versions;
    try {
      versions = keeping.versions(keeper, FhirConsents.uuid(id.getIdPart(), "id"));
    } catch (CompletionException | GateShutException e) {
      throw FhirProblem.of(e);
    }
    Optional<ConsentRegistry.Version> found =
        id.hasVersionIdPart()
            ? versions.stream()
                .filter(v -> Integer.toString(v.consent().version()).equals(id.getVersionIdPart()))
                .findFirst()
            : versions.isEmpty() ? Optional.empty() : Optional.of(versions.getLast());
    ConsentRegistry.Version version = found.orElseThrow(FhirProblem::notFound);
    return FhirConsents.resource(version.consent(), version.recordedAt(), null);
  }

  /** {@code POST /fhir/Consent/_search} with {@code patient.identifier} and {@code status}. */
  @Search
  public List<org.hl7.fhir.r4.model.Consent> search(
      @RequiredParam(
              name = org.hl7.fhir.r4.model.Consent.SP_PATIENT,
              chainWhitelist = {"identifier"})
          ReferenceParam patient,
      @OptionalParam(name = org.hl7.fhir.r4.model.Consent.SP_STATUS) @Nullable TokenParam status,
      HttpServletRequest http) {
    OrganisationNumber keeper = keeper(http);
    if (!http.getMethod().equals("POST") || http.getQueryString() != null) {
      throw FhirProblem.unprocessable(
          "Search with POST /fhir/Consent/_search and a form: an address is logged on its way");
    }
    String[] token = patient.getValue().split("\\|", 2);
    boolean person =
        token.length == 2
            && (token[0].equals(FhirConsents.NATIONAL_ID)
                || token[0].equals(FhirConsents.D_NUMBER));
    if (!person) {
      throw FhirProblem.unprocessable(
          "patient.identifier must be "
              + FhirConsents.NATIONAL_ID
              + " or "
              + FhirConsents.D_NUMBER
              + ", a bar, and the number");
    }
    try {
      return keeping.about(keeper, keepers.person(token[1], "patient.identifier")).stream()
          .map(consent -> FhirConsents.resource(consent, null, token[1]))
          .filter(
              resource -> status == null || resource.getStatus().toCode().equals(status.getValue()))
          .toList();
    } catch (CompletionException | GateShutException | Keepers.InvalidNumberException e) {
      throw FhirProblem.of(e);
    }
  }

  @Create
  public MethodOutcome create(
      @ResourceParam org.hl7.fhir.r4.model.Consent resource,
      @ResourceParam String raw,
      HttpServletRequest http) {
    OrganisationNumber keeper = keeper(http);
    check(resource, raw);
    MethodOutcome outcome = write(keeper, FhirConsents.chosenId(resource), 0, resource);
    outcome.setCreated(true);
    return outcome;
  }

  @Update
  public MethodOutcome update(
      @IdParam IdType id,
      @ResourceParam org.hl7.fhir.r4.model.Consent resource,
      @ResourceParam String raw,
      HttpServletRequest http) {
    OrganisationNumber keeper = keeper(http);
    check(resource, raw);
    String match = http.getHeader("If-Match");
    if (match == null) {
      throw FhirProblem.unprocessable(
          FhirProblem.outcome(
              IssueType.REQUIRED,
              "If-Match is missing; send the version that you change, such as W/\"1\""));
    }
    try {
      int expected = Keepers.expectedVersion(match, null);
      return write(keeper, FhirConsents.uuid(id.getIdPart(), "id"), expected, resource);
    } catch (IllegalArgumentException e) {
      throw FhirProblem.of(e);
    }
  }

  private void check(org.hl7.fhir.r4.model.Consent resource, String raw) {
    validation.check(raw);
    FhirConsents.checkUnderstood(resource);
  }

  private MethodOutcome write(
      OrganisationNumber keeper, UUID id, int expected, org.hl7.fhir.r4.model.Consent resource) {
    try {
      String number = FhirConsents.number(resource);
      ConsentKeeping.Done done =
          keeping.record(keeper, number, connection -> next(connection, id, expected, resource));
      MethodOutcome outcome = new MethodOutcome();
      org.hl7.fhir.r4.model.Consent written = FhirConsents.resource(done.consent(), null, number);
      outcome.setResource(written);
      outcome.setId(written.getIdElement());
      return outcome;
    } catch (CompletionException
        | GateShutException
        | IllegalArgumentException
        | Keepers.InvalidNumberException e) {
      throw FhirProblem.of(e);
    }
  }

  private Consent next(
      Connection connection, UUID id, int expected, org.hl7.fhir.r4.model.Consent resource)
      throws SQLException {
    Optional<Consent> before = consents.recorded(connection, id, expected + 1);
    if (!FhirConsents.ends(resource)) {
      Instant given = FhirConsents.validFrom(resource);
      // Repeated without a time of its own, it has the one it got then.
      Instant from =
          given != null ? given : before.map(Consent::validFrom).orElseGet(clock::instant);
      return FhirConsents.version(resource, id, expected + 1, from, keepers::person);
    }
    Optional<Consent> current = consents.recorded(connection, id, expected);
    if (current.isPresent() && current.get().state() == State.BLOCKED) {
      Instant end = before.map(Consent::validTo).orElseGet(clock::instant);
      return consents.lifting(connection, id, expected, end, Captured.HEALTH_SYSTEM);
    }
    return consents.withdrawal(connection, id, expected, Captured.HEALTH_SYSTEM);
  }

  private OrganisationNumber keeper(HttpServletRequest http) {
    return switch (callers.check(http, callers.keeperScope())) {
      case TokenCheck.Rejected rejected -> throw FhirProblem.rejected(rejected);
      case TokenCheck.Accepted token -> token.consumer();
    };
  }
}
