package no.bindeledd.policy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.policy.Decision.Grounds;
import no.bindeledd.policy.HumanAct.Kind;
import no.bindeledd.policy.LegalBasis.Consent;
import no.bindeledd.policy.LegalBasis.Human;
import no.bindeledd.policy.Standings.Standing;
import org.jspecify.annotations.Nullable;

/**
 * One decision under way: the facts of a message weighed against its {@link Plan}. One use, one
 * thread.
 */
final class Weighing {
  private final Plan plan;
  private final Facts facts;
  private final long second;
  private final boolean strip;
  private final Standings standings;
  private final GroundsOf grounds;
  private final boolean signed;
  private final boolean settled;
  private final boolean glassBroken;

  // Categories by what became of them.
  private long allowed;
  private long deidentifiable;
  private long lacking;
  private long doubtful;
  private long unsigned;
  private long unmet;
  // What may be told of, beside which the rest may go.
  private long told;
  // Which consents, by index, were relied on.
  private long relied;
  private final List<String> carried = new ArrayList<>(2);

  Weighing(Plan plan, Facts facts, boolean strip) {
    this.plan = plan;
    this.facts = facts;
    this.second = facts.at().getEpochSecond();
    this.strip = strip;
    this.standings = new Standings(plan, facts);
    this.signed = done(Kind.SIGNATURE);
    this.settled = done(Kind.OVERRIDE);
    this.glassBroken = done(Kind.BREAK_GLASS);
    this.grounds = new GroundsOf(plan, facts, settled, glassBroken);
  }

  private boolean done(Kind kind) {
    List<HumanAct> acts = facts.acts();
    for (int i = 0; i < acts.size(); i++) {
      if (acts.get(i).holds(kind, facts.at())) {
        return true;
      }
    }
    return false;
  }

  // ---- a duty to report

  /**
   * What a duty demands, without a look at consents, blocks and agreements; null when none is in
   * force or none speaks of this message.
   *
   * @param isProtected only duties that reach protected persons count
   */
  @Nullable Decision duty(boolean isProtected) {
    long about = plan.substance(strip);
    for (Candidate c : plan.duties()) {
      if (!reaches(c, isProtected)) {
        continue;
      }
      switch (c.judge(facts, settled)) {
        case FALSE -> {}
        case IN_DOUBT -> doubtful |= c.mask();
        case TRUE -> {
          if (signed) {
            carried.add(c.reference());
            allowed |= c.mask();
            grounds.uses(Kind.SIGNATURE);
            usesOverride(wasOpen(c));
          } else {
            unsigned |= c.mask();
          }
        }
      }
    }
    if ((allowed & about) != 0) {
      return release(allowed, null, ReasonCode.DUTY_TO_REPORT, ReasonCode.DUTY_TO_REPORT);
    }
    if ((unsigned & about) != 0) {
      List<String> duties = duties(isProtected, Condition.Verdict.TRUE);
      return hold(ReasonCode.AWAITING_SIGNATURE, null, duties, List.of(), unsigned);
    }
    if ((doubtful & about) != 0) {
      List<String> duties = duties(isProtected, Condition.Verdict.IN_DOUBT);
      return hold(ReasonCode.RULE_IN_DOUBT, null, duties, List.of(), doubtful);
    }
    return null;
  }

  private boolean reaches(Candidate duty, boolean isProtected) {
    return duty.inForce(second) && (!isProtected || duty.basis().protectedPersons());
  }

  private List<String> duties(boolean isProtected, Condition.Verdict verdict) {
    return Arrays.stream(plan.duties())
        .filter(c -> reaches(c, isProtected) && c.judge(facts, settled) == verdict)
        .map(Candidate::reference)
        .toList();
  }

  // ---- a permission

  /**
   * What blocks, agreement and bases let through.
   *
   * @param protectedOnly only bases that reach protected persons count
   */
  Decision permission(boolean protectedOnly) {
    long about = plan.substance(strip);
    long blocked = standings.blocked();
    if (blocked != 0 && (about & ~blocked) == 0) { // wins over every permission
      return blockedBySubject(null);
    }
    Accord accord = plan.accord(second);
    if (accord == null) {
      return Plan.refuse(ReasonCode.NO_AGREEMENT);
    }
    long agreed = (accord.allowed() | accord.special()) & plan.view().all();
    if ((agreed & about) == 0) {
      return refuse(ReasonCode.NOTHING_ALLOWED, accord, plan.denials(about, second), about);
    }
    Decision stranger = outsideTargetGroup(accord, about);
    if (stranger != null) {
      return stranger;
    }
    long special = signed ? 0 : accord.special();
    weigh(agreed & ~blocked & ~special, protectedOnly);
    if (signed && (allowed & accord.special()) != 0) {
      grounds.uses(Kind.SIGNATURE);
    }

    long anonymously = accord.anonymous(strip);
    boolean says = (allowed & told & about & accord.substance(strip)) != 0;
    if (says && (anonymously & deidentifiable & ~allowed) == 0) {
      return release(allowed, accord, ReasonCode.RELEASED, ReasonCode.REDUCED);
    }
    if ((anonymously & deidentifiable) != 0) {
      return deidentified(allowed | deidentifiable, accord);
    }
    // Nothing goes. What only a person may let through: is it that person that is missing?
    weigh(special & ~blocked, protectedOnly);
    return stopped(accord, about, agreed & blocked & about, allowed & special & about);
  }

  private @Nullable Decision outsideTargetGroup(Accord accord, long about) {
    return switch (accord.concerns(facts, second)) {
      case TRUE -> null;
      case FALSE -> refuse(ReasonCode.OUTSIDE_TARGET_GROUP, accord, List.of(), about);
      case IN_DOUBT -> {
        usesOverride(settled);
        yield settled ? null : hold(ReasonCode.RULE_IN_DOUBT, accord, List.of(), List.of(), about);
      }
    };
  }

  private void weigh(long usable, boolean protectedOnly) {
    for (Candidate c : plan.candidates()) {
      long mask = c.mask() & usable;
      boolean passed =
          (mask & ~allowed) == 0
              || c.isAboutNothingOf(mask)
              || !c.inForce(second)
              || (protectedOnly && !c.basis().protectedPersons())
              || (c.needsConsent() && facts.subject() == null)
              || (c.basis().human() == Human.BREAK_GLASS && !glassBroken);
      if (passed) {
        continue;
      }
      switch (c.judge(facts, settled)) {
        case IN_DOUBT -> doubtful |= mask;
        case FALSE -> unmet |= mask;
        case TRUE -> {
          if (c.basis().human() == Human.SIGNATURE && !signed) {
            unsigned |= mask;
          } else {
            carry(c, mask);
          }
        }
      }
    }
  }

  private void carry(Candidate c, long mask) {
    boolean wasOpen = wasOpen(c);
    // The second guardian, and who consents where the rule is open; never a consent altogether.
    boolean lenient = settled && (wasOpen || c.basis().consent() == Consent.GUARDIANS);
    long open = c.needsConsent() ? standings.given(c, mask, lenient) : mask;
    long more = open & ~allowed;
    if (more != 0) {
      if (!carried.contains(c.reference())) {
        carried.add(c.reference());
      }
      relied |= c.needsConsent() ? standings.reliedOn(c, more, lenient) : 0;
      // In a message about more than taking part, a consent to take part lets nothing be told.
      boolean aside =
          c.basis().consentKind() == ConsentFact.Kind.PARTICIPATION
              && (plan.substance(strip) & ~c.mask()) != 0;
      told |= aside ? 0 : open;
      switch (c.basis().human()) {
        case SIGNATURE -> grounds.uses(Kind.SIGNATURE);
        case BREAK_GLASS -> grounds.uses(Kind.BREAK_GLASS);
        case NONE -> {}
      }
      usesOverride(wasOpen || (lenient && (more & ~standings.given(c, mask, false)) != 0));
      allowed |= open;
    }
    lacking |= mask & ~open;
    if (c.basis().deidentifiedWithoutConsent()) {
      deidentifiable |= mask & ~open;
    }
  }

  /** Whether it is two people that have made this rule hold. */
  private boolean wasOpen(Candidate c) {
    return settled && c.judge(facts, false) == Condition.Verdict.IN_DOUBT;
  }

  private void usesOverride(boolean really) {
    if (really) {
      grounds.uses(Kind.OVERRIDE);
    }
  }

  // ---- outcomes

  private Decision stopped(Accord accord, long about, long blocked, long special) {
    long open = about & ~allowed;
    if (special != 0) {
      return hold(ReasonCode.AWAITING_SIGNATURE, accord, List.copyOf(carried), List.of(), special);
    }
    if ((unsigned & open) != 0) {
      return hold(
          ReasonCode.AWAITING_SIGNATURE,
          accord,
          grounds.rules(unsigned & open, GroundsOf::waitsForSignature),
          List.of(),
          unsigned & open);
    }
    if ((doubtful & open) != 0) {
      return hold(
          ReasonCode.RULE_IN_DOUBT,
          accord,
          grounds.rules(doubtful & open, GroundsOf::isStopped),
          List.of(),
          doubtful & open);
    }
    if (blocked != 0) {
      return blockedBySubject(accord);
    }
    if ((lacking & open) != 0) {
      return awaiting(accord, lacking & open);
    }
    if ((unmet & about) != 0) {
      return refuse(
          ReasonCode.CONDITION_NOT_MET,
          accord,
          grounds.rules(unmet & about, GroundsOf::isStopped),
          unmet & about);
    }
    return refuse(ReasonCode.NO_BASIS, accord, plan.denials(about, second), about);
  }

  private Decision awaiting(Accord accord, long missing) {
    List<String> rules = grounds.rules(missing, GroundsOf::wouldCarryWithConsent);
    if ((standings.withdrawn() & missing) != 0) {
      return new Decision.Refuse(
          grounds.of(
              ReasonCode.CONSENT_WITHDRAWN,
              rules,
              accord,
              missing,
              standings.references(Standing.WITHDRAWN, missing)));
    }
    long half = standings.halfGiven() & missing;
    if (half != 0) {
      return hold(
          ReasonCode.AWAITING_SECOND_GUARDIAN,
          accord,
          rules,
          standings.references(Standing.GIVEN, half),
          missing);
    }
    if ((standings.expired() & missing) != 0) {
      return hold(
          ReasonCode.CONSENT_EXPIRED,
          accord,
          rules,
          standings.references(Standing.EXPIRED, missing),
          missing);
    }
    return hold(ReasonCode.AWAITING_CONSENT, accord, rules, List.of(), missing);
  }

  private Decision release(
      long released, @Nullable Accord accord, ReasonCode whole, ReasonCode reduced) {
    Set<String> stay = plan.view().withheld(released, false, strip, accord);
    ReasonCode reason =
        grounds.used(Kind.BREAK_GLASS) ? ReasonCode.BREAK_GLASS : stay.isEmpty() ? whole : reduced;
    Grounds why =
        grounds.of(reason, List.copyOf(carried), accord, released, standings.references(relied));
    return stay.isEmpty() ? new Decision.Release(why) : new Decision.ReleaseReduced(why, stay);
  }

  private Decision deidentified(long shown, Accord accord) {
    Set<String> rules = new LinkedHashSet<>(carried);
    rules.addAll(grounds.rules(shown, GroundsOf::carriesAnonymously));
    return new Decision.ReleaseDeidentified(
        grounds.of(
            ReasonCode.DEIDENTIFIED,
            List.copyOf(rules),
            accord,
            shown,
            standings.references(relied)),
        plan.view().withheld(shown, true, strip, accord));
  }

  private Decision blockedBySubject(@Nullable Accord accord) {
    return new Decision.Refuse(
        grounds.of(ReasonCode.BLOCKED_BY_SUBJECT, List.of(), accord, 0, standings.blocks()));
  }

  private Decision refuse(ReasonCode reason, Accord accord, List<String> rules, long mask) {
    return new Decision.Refuse(grounds.of(reason, rules, accord, mask, List.of()));
  }

  private Decision hold(
      ReasonCode reason,
      @Nullable Accord accord,
      List<String> rules,
      List<String> consents,
      long mask) {
    return new Decision.Hold(grounds.of(reason, rules, accord, mask, consents));
  }
}
