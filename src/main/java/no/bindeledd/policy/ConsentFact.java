package no.bindeledd.policy;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One version of a consent, or of a block, as the decision sees it. Immutable.
 *
 * @param id the consent's id
 * @param version from 1, one more for each change
 * @param state what it says
 * @param purpose the purpose it was given for
 * @param recipients organisation numbers it allows (or, for a block, denies); empty means all
 * @param categories data categories it covers; empty means all of the purpose
 * @param validTo exclusive; null means until withdrawn
 */
public record ConsentFact(
    String id,
    int version,
    State state,
    String purpose,
    Set<String> recipients,
    Set<String> categories,
    Instant validFrom,
    @Nullable Instant validTo) {

  /** What a consent version says. */
  public enum State {
    GIVEN,
    WITHDRAWN,
    BLOCKED
  }
}
