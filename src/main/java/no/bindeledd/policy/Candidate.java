package no.bindeledd.policy;

import no.bindeledd.policy.LegalBasis.Consent;
import no.bindeledd.policy.LegalBasis.WhenFalse;
import org.jspecify.annotations.Nullable;

/**
 * A legal basis as a plan sees it. Immutable; equal only to itself.
 *
 * @param mask the categories of the view that it speaks of
 * @param about those of them that it is about: who it concerns goes along with them, and with
 *     nothing else
 * @param windows first and end second of each stretch in force, in turn
 */
record Candidate(
    LegalBasis basis,
    String reference,
    long mask,
    long about,
    boolean needsConsent,
    long[] windows,
    @Nullable Membership group) {

  static Candidate of(LegalBasis basis, ViewFields view, PolicyPack pack) {
    long mask = view.maskOf(basis.categories());
    return new Candidate(
        basis,
        basis.reference(),
        mask,
        ViewFields.WHO.containsAll(basis.categories()) ? mask : mask & ~view.maskOf(ViewFields.WHO),
        basis.consent() != Consent.NONE,
        Days.windows(Days.inForce(basis.status())),
        basis.targetGroup() == null ? null : pack.membership(basis.targetGroup()));
  }

  /** It is about none of these categories, though it may name whom others are about. */
  boolean isAboutNothingOf(long categories) {
    return (about & categories) == 0;
  }

  boolean inForce(long second) {
    return Days.contains(windows, second);
  }

  /**
   * Whether target group and condition hold. What is false where the sources leave the case open is
   * in doubt, and what is in doubt two people may settle.
   */
  Condition.Verdict judge(Facts facts, boolean settled) {
    Condition.Verdict verdict = Condition.Verdict.TRUE;
    if (group != null) {
      verdict = group.judge(facts.birthDate(), facts.at().getEpochSecond(), Days.day(facts.at()));
    }
    Condition condition = basis.condition();
    if (condition != null && verdict != Condition.Verdict.FALSE) {
      Condition.Verdict second = condition.judge(facts);
      verdict = second == Condition.Verdict.TRUE ? verdict : second;
    }
    if (verdict == Condition.Verdict.FALSE && basis.whenFalse() == WhenFalse.HOLD) {
      verdict = Condition.Verdict.IN_DOUBT;
    }
    return settled && verdict == Condition.Verdict.IN_DOUBT ? Condition.Verdict.TRUE : verdict;
  }
}
