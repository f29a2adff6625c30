package no.bindeledd.policy;

import java.time.Instant;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One version of a consent, or of a block, as the decision sees it. Immutable.
 *
 * @param id the consent's id
 * @param version from 1, one more for each change
 * @param kind what is consented to; a decision judges the kinds apart (M33 429–431). Means nothing
 *     on a block
 * @param state what it says
 * @param grantors who stands behind it; one of them withdrawing withdraws it
 * @param purpose the purpose it was given for; a block may be for {@link #ANY_PURPOSE}
 * @param sources organisation numbers that it may come from; empty means any. A consent to fetch
 *     names them (E16)
 * @param recipients organisation numbers it allows (or, for a block, denies); empty means all
 * @param categories data categories it covers; empty means all of the purpose. A consent is given
 *     by name: whatever it lists, it covers the person's identity and name with it
 * @param validTo exclusive; null means until withdrawn. A lifted block is one that has ended
 */
public record ConsentFact(
    String id,
    int version,
    Kind kind,
    State state,
    Grantors grantors,
    String purpose,
    Set<String> sources,
    Set<String> recipients,
    Set<String> categories,
    Instant validFrom,
    @Nullable Instant validTo) {

  /** The purpose of a block that stops every purpose. Means nothing on a consent. */
  public static final String ANY_PURPOSE = "*";

  /** What is consented to. */
  public enum Kind {
    /** Taking part in a measure. */
    PARTICIPATION,
    /** That one agency tells another. */
    INFORMATION_SHARING,
    /** That information is fetched from named sources (E16). */
    FETCHING
  }

  /**
   * Who has given it.
   *
   * @param person the person
   * @param guardians how many different guardians, 0 to 2
   */
  public record Grantors(boolean person, int guardians) {
    /** The person alone. */
    public static final Grantors PERSON = new Grantors(true, 0);

    /** Both guardians, for one who is too young to give it alone. */
    public static final Grantors BOTH_GUARDIANS = new Grantors(false, 2);
  }

  /** From any source. */
  public ConsentFact(
      String id,
      int version,
      Kind kind,
      State state,
      Grantors grantors,
      String purpose,
      Set<String> recipients,
      Set<String> categories,
      Instant validFrom,
      @Nullable Instant validTo) {
    this(
        id,
        version,
        kind,
        state,
        grantors,
        purpose,
        Set.of(),
        recipients,
        categories,
        validFrom,
        validTo);
  }

  /** The most common one: the person lets information be shared. */
  public ConsentFact(
      String id,
      int version,
      State state,
      String purpose,
      Set<String> recipients,
      Set<String> categories,
      Instant validFrom,
      @Nullable Instant validTo) {
    this(
        id,
        version,
        Kind.INFORMATION_SHARING,
        state,
        Grantors.PERSON,
        purpose,
        Set.of(),
        recipients,
        categories,
        validFrom,
        validTo);
  }

  /** What a consent version says. */
  public enum State {
    GIVEN,
    WITHDRAWN,
    BLOCKED
  }

  /** {@code id@version}, as grounds name it. */
  public String reference() {
    return id + "@" + version;
  }

  boolean started(Instant at) {
    return !at.isBefore(validFrom);
  }

  boolean ended(Instant at) {
    return validTo != null && !at.isBefore(validTo);
  }

  boolean concerns(String sender, String receiver) {
    return (recipients.isEmpty() || recipients.contains(receiver))
        && (sources.isEmpty() || sources.contains(sender));
  }
}
