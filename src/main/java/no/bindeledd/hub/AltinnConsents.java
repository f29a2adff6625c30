package no.bindeledd.hub;

import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import no.bindeledd.channel.AltinnConsent;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.consent.Captured;
import no.bindeledd.consent.Consent;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.jspecify.annotations.Nullable;

/**
 * Uses the consents of Altinn 3 that a caller's token carries: each becomes a consent of the
 * registry, for that person, the purpose of its resource, and the caller as recipient. What the
 * registry knows to be withdrawn stays so, whatever a token says. Thread-safe.
 */
final class AltinnConsents {
  private static final Duration SKEW = Duration.ofSeconds(10);

  /** The states in which Altinn lets a consent be used. */
  private static final Set<String> USABLE = Set.of("accepted", "used");

  /** The token's consent does not hold for its caller; nothing was recorded. */
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1L;
    private final ReasonCode reason;

    RefusedException(ReasonCode reason, String detail) {
      super(detail, null, false, false);
      this.reason = reason;
    }

    ReasonCode reason() {
      return reason;
    }
  }

  private final Callers callers;
  private final ConsentKeeping keeping;
  private final ConsentRegistry consents;
  private final Map<String, HubSettings.AltinnResource> resources;
  private final InstantSource clock;

  AltinnConsents(
      Callers callers,
      ConsentKeeping keeping,
      ConsentRegistry consents,
      Map<String, HubSettings.AltinnResource> resources,
      InstantSource clock) {
    this.callers = callers;
    this.keeping = keeping;
    this.consents = consents;
    this.resources = Map.copyOf(resources);
    this.clock = clock;
  }

  /**
   * Checks the consents of a token and records those that are new.
   *
   * @return the person they are about; null when the token carries none
   * @throws RefusedException when one is expired, revoked, or for somebody else
   * @throws GateShutException when nothing can be recorded now
   */
  @Nullable Pseudonym use(TokenCheck.Accepted token) throws RefusedException {
    Pseudonym person = null;
    for (AltinnConsent consent : token.consents()) {
      Pseudonym from = check(token, consent);
      if (person != null && !person.equals(from)) {
        throw new RefusedException(
            ReasonCode.UNKNOWN_SENDER, "The token's consents are from different people");
      }
      person = from;
    }
    if (person != null) {
      for (AltinnConsent consent : token.consents()) {
        record(token, consent, person);
      }
    }
    return person;
  }

  private Pseudonym check(TokenCheck.Accepted token, AltinnConsent consent)
      throws RefusedException {
    Instant now = clock.instant();
    if (!consent.to().equals(token.consumer())) {
      throw new RefusedException(
          ReasonCode.UNKNOWN_SENDER, "The token's consent is to another organisation (to)");
    }
    if (token.pid() != null && !token.pid().equals(consent.from())) {
      throw new RefusedException(
          ReasonCode.UNKNOWN_SENDER, "The token's consent is from another person (from)");
    }
    if (!consent.validTo().isAfter(now)) {
      throw new RefusedException(
          ReasonCode.CONSENT_EXPIRED, "The token's consent has run out (validTo)");
    }
    if (consent.consented().isAfter(now.plus(SKEW))) {
      throw new RefusedException(
          ReasonCode.AWAITING_CONSENT, "The token's consent lies in the future (consented)");
    }
    if (consent.status() != null && !USABLE.contains(consent.status())) {
      throw new RefusedException(
          "expired".equals(consent.status())
              ? ReasonCode.CONSENT_EXPIRED
              : ReasonCode.CONSENT_WITHDRAWN,
          "The token's consent is not accepted, or no longer (status)");
    }
    return callers
        .person(consent.from())
        .orElseThrow(
            () ->
                new RefusedException(
                    ReasonCode.INVALID_IDENTITY_NUMBER,
                    "The token's consent is from a number that is not accepted here (from)"));
  }

  private void record(TokenCheck.Accepted token, AltinnConsent altinn, Pseudonym person)
      throws RefusedException {
    List<ConsentFact> known = known(person);
    for (AltinnConsent.Right right : altinn.rights()) {
      for (String resource : right.resources()) {
        HubSettings.AltinnResource here = resources.get(resource);
        if (here == null) {
          continue;
        }
        if (!here.metadata().containsAll(right.metadata().keySet())) {
          throw new RefusedException(
              ReasonCode.AWAITING_CONSENT,
              "The token's consent is limited by metadata that this hub does not know (metadata)");
        }
        UUID id = id(altinn.id(), resource);
        ConsentFact before =
            known.stream().filter(fact -> fact.id().equals(id.toString())).findFirst().orElse(null);
        if (before == null) {
          Consent consent = consent(id, altinn, person, resource, here);
          keeping.record(token.consumer(), altinn.from(), connection -> consent);
        } else if (before.state() != State.GIVEN) {
          throw new RefusedException(
              ReasonCode.CONSENT_WITHDRAWN, "The token's consent has been taken back");
        }
      }
    }
  }

  private List<ConsentFact> known(Pseudonym person) {
    try {
      return consents.find(person);
    } catch (SQLException e) {
      throw new GateShutException(e);
    }
  }

  private static Consent consent(
      UUID id,
      AltinnConsent altinn,
      Pseudonym person,
      String resource,
      HubSettings.AltinnResource here) {
    return new Consent(
        id,
        1,
        person,
        Kind.INFORMATION_SHARING,
        State.GIVEN,
        Consent.Grantors.PERSON,
        here.purpose(),
        Set.of(),
        Set.of(altinn.to().value()),
        here.categories(),
        resource + "@" + here.textVersion(),
        altinn.consented(),
        altinn.validTo(),
        Captured.ALTINN);
  }

  /** One consent of Altinn may be for several resources, each with a purpose of its own here. */
  static UUID id(UUID altinn, String resource) {
    return UUID.nameUUIDFromBytes(
        (AltinnConsents.class.getSimpleName() + altinn + resource)
            .getBytes(StandardCharsets.UTF_8));
  }
}
