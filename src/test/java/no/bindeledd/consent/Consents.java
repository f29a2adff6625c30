package no.bindeledd.consent;

import java.time.Instant;
import java.util.Set;
import java.util.UUID;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.jspecify.annotations.Nullable;

/** The most common ones. */
public final class Consents {
  private Consents() {}

  /** The person lets information be shared. */
  public static Consent given(
      UUID id,
      Pseudonym subject,
      String purpose,
      Set<String> recipients,
      Set<String> categories,
      Instant validFrom,
      @Nullable Instant validTo) {
    return new Consent(
        id,
        1,
        subject,
        Kind.INFORMATION_SHARING,
        State.GIVEN,
        Consent.Grantors.PERSON,
        purpose,
        Set.of(),
        recipients,
        categories,
        "test@1",
        validFrom,
        validTo,
        Captured.PORTAL);
  }

  /** The person takes part in a measure, alone. */
  public static Consent takingPart(UUID id, Pseudonym subject, String purpose, Instant validFrom) {
    return new Consent(
        id,
        1,
        subject,
        Kind.PARTICIPATION,
        State.GIVEN,
        Consent.Grantors.PERSON,
        purpose,
        Set.of(),
        Set.of(),
        Set.of(),
        "test@1",
        validFrom,
        null,
        Captured.PORTAL);
  }

  /** The person blocks, until lifted. */
  public static Consent block(UUID id, Pseudonym subject, String purpose, Instant validFrom) {
    return new Consent(
        id,
        1,
        subject,
        Kind.INFORMATION_SHARING,
        State.BLOCKED,
        Consent.Grantors.PERSON,
        purpose,
        Set.of(),
        Set.of(),
        Set.of(),
        null,
        validFrom,
        null,
        Captured.PAPER);
  }

  /** The same, as another version. */
  public static Consent at(int version, Consent c) {
    return new Consent(
        c.id(),
        version,
        c.subject(),
        c.kind(),
        c.state(),
        c.grantors(),
        c.purpose(),
        c.sources(),
        c.recipients(),
        c.categories(),
        c.textVersion(),
        c.validFrom(),
        c.validTo(),
        c.captured());
  }
}
