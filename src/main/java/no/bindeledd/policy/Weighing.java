package no.bindeledd.policy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.policy.ConsentFact.Grantors;
import no.bindeledd.policy.ConsentFact.State;
import no.bindeledd.policy.Decision.Grounds;
import no.bindeledd.policy.Decision.ProtectionClass;
import no.bindeledd.policy.HumanAct.Kind;
import no.bindeledd.policy.LegalBasis.Consent;
import no.bindeledd.policy.LegalBasis.Human;
import org.jspecify.annotations.Nullable;

/** One decision under way: the facts of a message weighed against its {@link Plan}. One use. */
final class Weighing {
  /** What a consent fact is to this decision. */
  private enum Standing {
    NOTHING,
    GIVEN,
    EXPIRED,
    WITHDRAWN,
    BLOCKED
  }

  private static final Standing[] NONE = {};

  private final Plan plan;
  private final Facts facts;
  private final long second;
  private final boolean strip;
  private final Standing[] standings;
  private final boolean signed;
  private final boolean settled;
  private final boolean glassBroken;

  // Categories by what became of them.
  private long allowed;
  private long deidentifiable;
  private long lacking;
  private long halfGiven;
  private long withdrawn;
  private long expired;
  private long doubtful;
  private long unsigned;
  private long unmet;
  // What may be told of, beside which the rest may go.
  private long told;
  // Which consents, by index, were relied on.
  private long relied;
  private boolean usedSignature;
  private boolean usedOverride;
  private boolean usedGlass;
  private final List<String> carried = new ArrayList<>(2);

  Weighing(Plan plan, Facts facts, boolean strip) {
    this.plan = plan;
    this.facts = facts;
    this.second = facts.at().getEpochSecond();
    this.strip = strip;
    this.standings = facts.consents().isEmpty() ? NONE : standings();
    this.signed = done(Kind.SIGNATURE);
    this.settled = done(Kind.OVERRIDE);
    this.glassBroken = done(Kind.BREAK_GLASS);
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

  private Standing[] standings() {
    List<ConsentFact> consents = facts.consents();
    Standing[] standings = new Standing[consents.size()];
    for (int i = 0; i < standings.length; i++) {
      ConsentFact c = consents.get(i);
      standings[i] =
          c.concerns(facts.sender().value(), facts.receiver().value())
                  && hasPurpose(c)
                  && !superseded(c, consents)
              ? standing(c)
              : Standing.NOTHING;
    }
    return standings;
  }

  private Standing standing(ConsentFact c) {
    boolean started = c.started(facts.at());
    boolean ended = c.ended(facts.at());
    return switch (c.state()) {
      case BLOCKED -> started && !ended ? Standing.BLOCKED : Standing.NOTHING;
      case WITHDRAWN -> Standing.WITHDRAWN;
      case GIVEN -> ended ? Standing.EXPIRED : started ? Standing.GIVEN : Standing.NOTHING;
    };
  }

  private boolean hasPurpose(ConsentFact c) {
    return c.purpose().equals(plan.purpose())
        || (c.state() == State.BLOCKED && c.purpose().equals(ConsentFact.ANY_PURPOSE));
  }

  /** Of one id, only the newest version counts. */
  private static boolean superseded(ConsentFact c, List<ConsentFact> consents) {
    for (int i = 0; i < consents.size(); i++) {
      ConsentFact other = consents.get(i);
      if (other.version() > c.version() && other.id().equals(c.id())) {
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
      boolean counts = c.inForce(second) && (!isProtected || c.basis().protectedPersons());
      if (!counts) {
        continue;
      }
      switch (c.judge(facts, settled)) {
        case FALSE -> {}
        case IN_DOUBT -> doubtful |= c.mask();
        case TRUE -> {
          if (signed) {
            told |= c.mask();
            carried.add(c.reference());
            allowed |= c.mask();
            usedSignature = true;
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
      return hold(ReasonCode.AWAITING_SIGNATURE, null, dutyReferences(), List.of(), unsigned);
    }
    return (doubtful & about) == 0
        ? null
        : hold(ReasonCode.RULE_IN_DOUBT, null, dutyReferences(), List.of(), doubtful);
  }

  private List<String> dutyReferences() {
    return Arrays.stream(plan.duties())
        .filter(c -> c.inForce(second))
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
    long blocked = blocked();
    if (blocked != 0 && (about & ~blocked) == 0) { // wins over every permission
      return blockedBySubject(null);
    }
    Accord accord = plan.accord(second);
    if (accord == null) {
      return Plan.refuse(ReasonCode.NO_AGREEMENT);
    }
    long special = signed ? 0 : accord.special();
    long agreed = (accord.allowed() | accord.special()) & plan.view().all();
    if ((agreed & about) == 0) {
      return refuse(ReasonCode.NOTHING_ALLOWED, accord, plan.denials(about, second), about);
    }
    Decision stranger = outsideTargetGroup(accord, about);
    if (stranger != null) {
      return stranger;
    }
    weigh(agreed & ~blocked, protectedOnly);
    usedSignature |= signed && (allowed & accord.special()) != 0;

    long released = allowed & ~special;
    deidentifiable &= ~special;
    long anonymously = accord.anonymous(strip);
    boolean says = (released & told & about & accord.substance(strip)) != 0;
    if (says && (anonymously & deidentifiable & ~released) == 0) {
      return release(released, accord, ReasonCode.RELEASED, ReasonCode.REDUCED);
    }
    if ((anonymously & deidentifiable) != 0) {
      return deidentified(released | deidentifiable, accord);
    }
    return stopped(accord, about, agreed & blocked & about, allowed & special & about);
  }

  private long blocked() {
    long blocked = 0;
    for (int i = 0; i < standings.length; i++) {
      if (standings[i] == Standing.BLOCKED) {
        blocked |= plan.view().stoppedBy(facts.consents().get(i));
      }
    }
    return blocked;
  }

  private @Nullable Decision outsideTargetGroup(Accord accord, long about) {
    return switch (accord.concerns(facts, second)) {
      case TRUE -> null;
      case FALSE -> refuse(ReasonCode.OUTSIDE_TARGET_GROUP, accord, List.of(), about);
      case IN_DOUBT -> {
        usedOverride |= settled;
        yield settled ? null : hold(ReasonCode.RULE_IN_DOUBT, accord, List.of(), List.of(), about);
      }
    };
  }

  private void weigh(long usable, boolean protectedOnly) {
    for (Candidate c : plan.candidates()) {
      long mask = c.mask() & usable;
      boolean passed =
          (mask & ~allowed) == 0
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
    long open = c.needsConsent() ? mask & given(c, mask) : mask;
    long more = open & ~allowed;
    if (more != 0) {
      carried.add(c.reference());
      relied |= c.needsConsent() ? reliedOn(c, more) : 0;
      // In a message about more than taking part, a consent to take part lets nothing be told.
      boolean aside =
          c.basis().consentKind() == ConsentFact.Kind.PARTICIPATION
              && (plan.substance(strip) & ~c.mask()) != 0;
      told |= aside ? 0 : open;
      usedSignature |= c.basis().human() == Human.SIGNATURE;
      usedGlass |= c.basis().human() == Human.BREAK_GLASS;
      usedOverride |= settled && c.judge(facts, false) == Condition.Verdict.IN_DOUBT;
      allowed |= open;
    }
    lacking |= mask & ~open;
    if (c.basis().deidentifiedWithoutConsent()) {
      deidentifiable |= mask & ~open;
    }
  }

  /** What the consents that this basis asks for cover, given by whom it asks for. */
  private long given(Candidate c, long mask) {
    long given = 0;
    for (int i = 0; i < standings.length; i++) {
      ConsentFact consent = facts.consents().get(i);
      if (standings[i] == Standing.NOTHING || consent.kind() != c.basis().consentKind()) {
        continue;
      }
      long covered = plan.view().coveredBy(consent, c.basis().itemised()) & mask;
      switch (standings[i]) {
        case GIVEN -> {
          if (isEnough(c.basis().consent(), consent.grantors())) {
            given |= covered;
          } else if (isHalf(c.basis().consent(), consent.grantors())) {
            halfGiven |= c.basis().consent() == Consent.GUARDIANS ? covered : 0;
            given |= settled ? covered : 0;
            usedOverride |= settled && covered != 0;
          }
        }
        case EXPIRED -> expired |= covered;
        case WITHDRAWN -> withdrawn |= covered;
        case BLOCKED, NOTHING -> {}
      }
    }
    return given;
  }

  /** The consents, by index, that let these categories through. */
  private long reliedOn(Candidate c, long more) {
    long on = 0;
    for (int i = 0; i < standings.length && i < Long.SIZE; i++) {
      ConsentFact consent = facts.consents().get(i);
      boolean counts =
          standings[i] == Standing.GIVEN
              && consent.kind() == c.basis().consentKind()
              && (plan.view().coveredBy(consent, c.basis().itemised()) & more) != 0
              && (isEnough(c.basis().consent(), consent.grantors())
                  || (settled && isHalf(c.basis().consent(), consent.grantors())));
      on |= counts ? 1L << i : 0;
    }
    return on;
  }

  private static boolean isEnough(Consent asked, Grantors grantors) {
    return switch (asked) {
      case NONE -> true;
      case PERSON -> grantors.person();
      case GUARDIANS -> grantors.guardians() >= 2;
    };
  }

  /** Somebody has consented, but not all who must; two people may settle that. */
  private static boolean isHalf(Consent asked, Grantors grantors) {
    return asked == Consent.GUARDIANS ? grantors.guardians() == 1 : grantors.guardians() > 0;
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
          references(unsigned & open, Weighing::waitsForSignature),
          List.of(),
          unsigned & open);
    }
    if ((doubtful & open) != 0) {
      return hold(
          ReasonCode.RULE_IN_DOUBT,
          accord,
          references(doubtful & open, Weighing::isStopped),
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
          references(unmet & about, Weighing::isStopped),
          unmet & about);
    }
    return refuse(ReasonCode.NO_BASIS, accord, plan.denials(about, second), about);
  }

  private Decision awaiting(Accord accord, long missing) {
    List<String> rules = references(missing, Weighing::wouldCarryWithConsent);
    if ((withdrawn & missing) != 0) {
      return new Decision.Refuse(
          grounds(
              ReasonCode.CONSENT_WITHDRAWN,
              rules,
              accord,
              missing,
              consents(Standing.WITHDRAWN, missing)));
    }
    if ((halfGiven & missing) != 0) {
      return hold(
          ReasonCode.AWAITING_SECOND_GUARDIAN,
          accord,
          rules,
          consents(Standing.GIVEN, halfGiven & missing),
          missing);
    }
    if ((expired & missing) != 0) {
      return hold(
          ReasonCode.CONSENT_EXPIRED, accord, rules, consents(Standing.EXPIRED, missing), missing);
    }
    return hold(ReasonCode.AWAITING_CONSENT, accord, rules, List.of(), missing);
  }

  private Decision release(
      long released, @Nullable Accord accord, ReasonCode whole, ReasonCode reduced) {
    Set<String> stay = plan.view().withheld(released, false, strip, accord);
    ReasonCode reason = usedGlass ? ReasonCode.BREAK_GLASS : stay.isEmpty() ? whole : reduced;
    Grounds grounds =
        grounds(
            reason, List.copyOf(carried), accord, released, relied == 0 ? List.of() : reliedOn());
    return stay.isEmpty()
        ? new Decision.Release(grounds)
        : new Decision.ReleaseReduced(grounds, stay);
  }

  private Decision deidentified(long shown, Accord accord) {
    return new Decision.ReleaseDeidentified(
        grounds(
            ReasonCode.DEIDENTIFIED,
            references(shown, Weighing::carriesAnonymously),
            accord,
            shown,
            List.of()),
        plan.view().withheld(shown, true, strip, accord));
  }

  private Decision blockedBySubject(@Nullable Accord accord) {
    return new Decision.Refuse(
        grounds(
            ReasonCode.BLOCKED_BY_SUBJECT, List.of(), accord, 0, consents(Standing.BLOCKED, -1L)));
  }

  private Decision refuse(ReasonCode reason, Accord accord, List<String> rules, long mask) {
    return new Decision.Refuse(grounds(reason, rules, accord, mask, List.of()));
  }

  private Decision hold(
      ReasonCode reason,
      @Nullable Accord accord,
      List<String> rules,
      List<String> consents,
      long mask) {
    return new Decision.Hold(grounds(reason, rules, accord, mask, consents));
  }

  private Grounds grounds(
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
        facts.acts().isEmpty() ? List.of() : acts(),
        ProtectionClass.of(facts.protection()));
  }

  private List<String> acts() {
    List<String> found = new ArrayList<>(1);
    for (HumanAct act : facts.acts()) {
      boolean used =
          switch (act.kind()) {
            case SIGNATURE -> usedSignature;
            case OVERRIDE -> usedOverride;
            case BREAK_GLASS -> usedGlass;
          };
      if (used && act.holds(act.kind(), facts.at())) {
        found.add(act.reference());
      }
    }
    return List.copyOf(found);
  }

  /** The role a candidate played, to name it in the grounds. */
  private interface Role {
    boolean played(Candidate candidate, Condition.Verdict verdict);
  }

  private static boolean carriesAnonymously(Candidate c, Condition.Verdict verdict) {
    return verdict == Condition.Verdict.TRUE
        && (!c.needsConsent() || c.basis().deidentifiedWithoutConsent());
  }

  private static boolean wouldCarryWithConsent(Candidate c, Condition.Verdict verdict) {
    return verdict == Condition.Verdict.TRUE && c.needsConsent();
  }

  private static boolean waitsForSignature(Candidate c, Condition.Verdict verdict) {
    return verdict == Condition.Verdict.TRUE && c.basis().human() == Human.SIGNATURE;
  }

  private static boolean isStopped(Candidate c, Condition.Verdict verdict) {
    return verdict != Condition.Verdict.TRUE;
  }

  /** Bases in force that bear on the categories and played the role. Only where nothing is hot. */
  private List<String> references(long mask, Role role) {
    List<String> found = new ArrayList<>();
    for (Candidate c : plan.candidates()) {
      boolean bears =
          (c.mask() & mask) != 0
              && c.inForce(second)
              && (c.basis().human() != Human.BREAK_GLASS || glassBroken);
      if (bears && role.played(c, c.judge(facts, settled))) {
        found.add(c.reference());
      }
    }
    return List.copyOf(found);
  }

  private List<String> reliedOn() {
    List<String> found = new ArrayList<>(1);
    for (int i = 0; i < standings.length && i < Long.SIZE; i++) {
      if ((relied & 1L << i) != 0) {
        found.add(facts.consents().get(i).reference());
      }
    }
    return List.copyOf(found);
  }

  private List<String> consents(Standing standing, long mask) {
    List<String> found = new ArrayList<>(1);
    for (int i = 0; i < standings.length; i++) {
      ConsentFact c = facts.consents().get(i);
      boolean bears =
          standings[i] == standing
              && (standing == Standing.BLOCKED || (plan.view().coveredBy(c, false) & mask) != 0);
      if (bears) {
        found.add(c.reference());
      }
    }
    return List.copyOf(found);
  }
}
