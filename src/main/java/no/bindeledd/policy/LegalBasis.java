package no.bindeledd.policy;

import java.time.LocalDate;
import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Text;
import org.jspecify.annotations.Nullable;

/**
 * One rule of law that lets information flow, as dated data. A basis only ever permits: what no
 * basis in force permits, stays (domain.md § 4, rules 1 and 2). Immutable; read from {@code
 * policies/legal-bases/*.yaml}.
 *
 * @param version from 1; a changed rule is a new version, and at most one version of an id is in
 *     force on a day
 * @param statute act, section and number, as a lawyer cites it
 * @param text the rule in one sentence
 * @param status its history, oldest first, without overlaps
 * @param confidentialityRelease why the duty of secrecy yields; one of the two questions of
 *     contracts.md § 6
 * @param gdprBasis the other question
 * @param consentKind which of the person's consents it needs; they are judged apart (M33 429–431)
 * @param itemised the consent must name each category: one that names none is not enough
 * @param necessity why the release is necessary; never null when {@code consent} is NONE
 * @param deidentifiedWithoutConsent without the consent, the message may go without identifiers and
 *     free text (E17); only together with {@link Consent#PERSON}
 * @param protectedPersons carries also for persons with a graded address or shielding. A mere
 *     permission never does; a duty may
 * @param duty a duty to report: it goes before a missing consent and before a block, which no mere
 *     permission does, and needs no agreement (domain.md § 4 rule 8). Only without a consent
 * @param human what a named person must have done first
 * @param targetGroup the id of the target group that the person must belong to; null when anyone
 * @param condition null when the rule has none
 * @param whenFalse what it means that the condition is false
 * @param source where the rule was read
 * @param note what a lawyer must confirm before it is relied on; null when nothing
 */
public record LegalBasis(
    String id,
    int version,
    String statute,
    Text text,
    List<Period> status,
    Set<AgencyKind> senders,
    Set<AgencyKind> receivers,
    Set<String> purposes,
    Set<String> categories,
    Text confidentialityRelease,
    GdprBasis gdprBasis,
    Consent consent,
    ConsentFact.Kind consentKind,
    boolean itemised,
    @Nullable Text necessity,
    boolean deidentifiedWithoutConsent,
    boolean protectedPersons,
    boolean duty,
    Human human,
    @Nullable String targetGroup,
    @Nullable Condition condition,
    WhenFalse whenFalse,
    String source,
    @Nullable String note) {

  /** Law is in motion: proposed, in force, lapsed. */
  public enum Status {
    PROPOSED,
    IN_FORCE,
    LAPSED
  }

  /** Whose consent the basis needs. */
  public enum Consent {
    NONE,
    PERSON,
    /** Both guardians. */
    GUARDIANS
  }

  /** What a named person must have done before the basis carries anything. */
  public enum Human {
    NONE,
    /** Signed this message. Without it, the message is held. */
    SIGNATURE,
    /** Broken the glass: to avert danger to life or health. Without it, the basis is no basis. */
    BREAK_GLASS
  }

  /** What a false condition means. */
  public enum WhenFalse {
    /** The basis is no basis for this message. */
    DOES_NOT_APPLY,
    /** The sources leave the case open: a person must decide, so the message is held. */
    HOLD
  }

  /**
   * A stretch of days with one status, in Oslo calendar days.
   *
   * @param from the first day
   * @param to the last day, included; null while open-ended
   */
  public record Period(Status state, LocalDate from, @Nullable LocalDate to) {}

  /**
   * The ground for processing.
   *
   * @param article6 such as {@code 6(1)(e)}
   * @param article9 such as {@code 9(2)(a)}; null when no special category is concerned
   */
  public record GdprBasis(String article6, @Nullable String article9) {}

  /** {@code id@version}, as grounds name it. */
  public String reference() {
    return id + "@" + version;
  }
}
