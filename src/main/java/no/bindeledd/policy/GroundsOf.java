package no.bindeledd.policy;

import java.util.ArrayList;
import java.util.List;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.policy.Decision.Grounds;
import no.bindeledd.policy.Decision.ProtectionClass;
import no.bindeledd.policy.HumanAct.Kind;
import no.bindeledd.policy.LegalBasis.Human;
import org.jspecify.annotations.Nullable;

/**
 * The grounds of one decision: which rules, clauses, consents and acts it names. One use, one
 * thread.
 */
final class GroundsOf {
  private final Plan plan;
  private final Facts facts;
  private final boolean settled;
  private final boolean glassBroken;
  private int used;

  GroundsOf(Plan plan, Facts facts, boolean settled, boolean glassBroken) {
    this.plan = plan;
    this.facts = facts;
    this.settled = settled;
    this.glassBroken = glassBroken;
  }

  /** The decision rests on an act of this kind. */
  void uses(Kind kind) {
    used |= 1 << kind.ordinal();
  }

  boolean used(Kind kind) {
    return (used & 1 << kind.ordinal()) != 0;
  }

  /**
   * @param mask the categories whose clauses are named
   */
  Grounds of(
      ReasonCode reason,
      List<String> rules,
      @Nullable Accord accord,
      long mask,
      List<String> consents) {
    return new Grounds(
        reason,
        rules,
        accord == null ? null : accord.reference(),
        accord == null ? List.of() : accord.clauses(mask),
        consents,
        used == 0 ? List.of() : acts(),
        ProtectionClass.of(facts.protection()));
  }

  private List<String> acts() {
    List<String> found = new ArrayList<>(1);
    for (HumanAct act : facts.acts()) {
      if (used(act.kind()) && act.holds(act.kind(), facts.at())) {
        found.add(act.reference());
      }
    }
    return List.copyOf(found);
  }

  /** The part a basis plays, to name it. */
  interface Role {
    boolean played(Candidate candidate, Condition.Verdict verdict);
  }

  static boolean carriesAnonymously(Candidate c, Condition.Verdict verdict) {
    return verdict == Condition.Verdict.TRUE
        && (!c.needsConsent() || c.basis().deidentifiedWithoutConsent());
  }

  static boolean wouldCarryWithConsent(Candidate c, Condition.Verdict verdict) {
    return verdict == Condition.Verdict.TRUE && c.needsConsent();
  }

  static boolean waitsForSignature(Candidate c, Condition.Verdict verdict) {
    return verdict == Condition.Verdict.TRUE && c.basis().human() == Human.SIGNATURE;
  }

  static boolean isStopped(Candidate c, Condition.Verdict verdict) {
    return verdict != Condition.Verdict.TRUE;
  }

  /** Bases in force that bear on the categories and play the part. Only where nothing is hot. */
  List<String> rules(long mask, Role role) {
    List<String> found = new ArrayList<>();
    for (Candidate c : plan.candidates()) {
      boolean bears =
          (c.mask() & mask) != 0
              && c.inForce(facts.at().getEpochSecond())
              && (c.basis().human() != Human.BREAK_GLASS || glassBroken);
      if (bears && role.played(c, c.judge(facts, settled))) {
        found.add(c.reference());
      }
    }
    return List.copyOf(found);
  }
}
