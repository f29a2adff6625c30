package no.bindeledd.policy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Contract.Field;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.policy.ConsentFact.State;
import no.bindeledd.policy.Decision.Grounds;
import no.bindeledd.policy.LegalBasis.Consent;
import no.bindeledd.policy.LegalBasis.WhenFalse;
import org.jspecify.annotations.Nullable;

/**
 * All that a decision about one view between one sender and one receiver can depend on in the pack,
 * worked out once: the candidate bases with their days, the agreements with theirs, and each data
 * category as one bit of a {@code long}. What is left per message is a handful of comparisons.
 *
 * <p>Immutable but for the memo of withheld sets; safe on any thread.
 */
final class Plan {
  /** Carries no personal information: goes along, and is never itself a reason to release. */
  static final String REFERENCE = "REFERENCE";

  /** Say who, not what. Alone they would tell that a relation exists, and nothing else. */
  private static final Set<String> WHO = Set.of("IDENTITY", "NAME", "CONTACT");

  /** A consent is given by name: what it itemises, it itemises about a named person. */
  private static final Set<String> NAMED = Set.of("IDENTITY", "NAME");

  private static final int MAX_CATEGORIES = 64;

  /** A basis as the plan sees it; windows hold first and end seconds in turn. */
  private record Candidate(
      LegalBasis basis, String reference, long mask, boolean needsConsent, long[] windows) {
    boolean inForce(long second) {
      for (int i = 0; i < windows.length; i += 2) {
        if (second >= windows[i] && second < windows[i + 1]) {
          return true;
        }
      }
      return false;
    }
  }

  /**
   * An agreement as the plan sees it.
   *
   * @param allowed categories that may flow by themselves
   * @param special categories that only a person may let through
   */
  private record Accord(String reference, long first, long end, long allowed, long special) {
    boolean inEffect(long second) {
      return second >= first && second < end;
    }
  }

  private record Shape(long allowed, boolean anonymous, boolean strip) {}

  private final String purpose;
  private final boolean personal;
  private final List<Field> fields;
  private final String[] categories;
  private final long all;
  private final long named;
  private final long substance;
  private final long substanceUnlocated;
  private final long anonymous;
  private final long anonymousUnlocated;
  private final Candidate[] candidates;
  private final Accord[] accords;
  private final ConcurrentHashMap<Shape, Set<String>> withheld = new ConcurrentHashMap<>();

  Plan(Contract contract, Contract.View view, Facts facts, PolicyPack pack) {
    this.purpose = facts.purpose();
    this.personal = contract.subject() != null;
    this.fields = view.fields();
    this.categories =
        fields.stream()
            .map(Field::category)
            .filter(c -> !c.equals(REFERENCE))
            .distinct()
            .sorted()
            .toArray(String[]::new);
    if (categories.length > MAX_CATEGORIES) {
      throw new IllegalArgumentException(
          "A view of " + contract.id() + " has more than " + MAX_CATEGORIES + " data categories");
    }
    this.all = maskOf(Set.of(categories));
    this.named = maskOf(NAMED);
    this.substance = substance(false);
    this.substanceUnlocated = substance(true);
    this.anonymous = anonymous(false);
    this.anonymousUnlocated = anonymous(true);
    this.candidates = candidates(pack.legalBases(), facts);
    this.accords = accords(pack.agreements(), facts);
  }

  private Candidate[] candidates(List<LegalBasis> bases, Facts facts) {
    List<Candidate> found = new ArrayList<>();
    for (LegalBasis b : bases) {
      long mask = maskOf(b.categories());
      boolean applies =
          mask != 0
              && b.purposes().contains(facts.purpose())
              && b.senders().contains(facts.senderKind())
              && b.receivers().contains(facts.receiverKind());
      if (!applies) {
        continue;
      }
      List<Days> inForce = new ArrayList<>();
      for (LegalBasis.Period p : b.status()) {
        if (p.state() == LegalBasis.Status.IN_FORCE) {
          inForce.add(Days.inclusive(p.from(), p.to()));
        }
      }
      long[] windows = new long[inForce.size() * 2];
      for (int i = 0; i < inForce.size(); i++) {
        windows[2 * i] = inForce.get(i).firstSecond();
        windows[2 * i + 1] = inForce.get(i).endSecond();
      }
      found.add(new Candidate(b, b.reference(), mask, b.consent() != Consent.NONE, windows));
    }
    // What needs nobody's consent is tried first: it is the lesser demand.
    found.sort(
        (a, b) ->
            a.needsConsent() == b.needsConsent()
                ? a.reference().compareTo(b.reference())
                : Boolean.compare(a.needsConsent(), b.needsConsent()));
    return found.toArray(Candidate[]::new);
  }

  private Accord[] accords(List<Agreement> agreements, Facts facts) {
    List<Accord> found = new ArrayList<>();
    for (Agreement a : agreements) {
      Days days = a.inEffect();
      if (days == null || a.parties().stream().noneMatch(p -> isSender(p, facts))) {
        continue;
      }
      boolean speaks = false;
      long allowed = 0;
      long special = 0;
      for (Agreement.Clause c : a.clauses()) {
        boolean applies =
            c.exchange().equals(facts.exchange())
                && c.to().equals(facts.receiver())
                && (c.from() == null || c.from().equals(facts.sender()));
        if (!applies) {
          continue;
        }
        speaks = true;
        switch (c.bindingness()) {
          case SKAL, KAN -> allowed |= maskOf(c.categories());
          case SAERSKILTE_TILFELLER -> special |= maskOf(c.categories());
        }
      }
      if (speaks) {
        found.add(
            new Accord(
                a.reference(), days.firstSecond(), days.endSecond(), allowed, special & ~allowed));
      }
    }
    return found.toArray(Accord[]::new);
  }

  private static boolean isSender(Agreement.Party party, Facts facts) {
    return party.organisation().equals(facts.sender());
  }

  /** Categories that a message is about; when it is only about who, then those. */
  private long substance(boolean unlocated) {
    long what = 0;
    long anything = 0;
    for (Field f : fields) {
      if (f.category().equals(REFERENCE) || (unlocated && f.locating())) {
        continue;
      }
      long bit = bit(f.category());
      anything |= bit;
      if (!f.identifier() && !WHO.contains(f.category())) {
        what |= bit;
      }
    }
    return what != 0 ? what : anything;
  }

  /** Categories that say something even without identifiers and free text. */
  private long anonymous(boolean unlocated) {
    long mask = 0;
    for (Field f : fields) {
      boolean says = !f.category().equals(REFERENCE) && !WHO.contains(f.category());
      if (says && !f.identifier() && !f.freeText() && !(unlocated && f.locating())) {
        mask |= bit(f.category());
      }
    }
    return mask;
  }

  private long bit(String category) {
    return 1L << Arrays.binarySearch(categories, category);
  }

  private long maskOf(Set<String> set) {
    long mask = 0;
    for (int i = 0; i < categories.length; i++) {
      if (set.contains(categories[i])) {
        mask |= 1L << i;
      }
    }
    return mask;
  }

  private long consentMask(ConsentFact consent) {
    return consent.categories().isEmpty() ? -1L : maskOf(consent.categories()) | named;
  }

  private long blockMask(ConsentFact block) {
    return block.categories().isEmpty() ? -1L : maskOf(block.categories());
  }

  /** The decision; its order is that of {@link PolicyPack#decide}. */
  Decision decide(Facts facts) {
    if (personal && facts.subject() == null) {
      return refuse(ReasonCode.INVALID_IDENTITY_NUMBER);
    }
    long second = facts.at().getEpochSecond();
    if (!facts.protection().any()) {
      return judge(facts, second, false, false);
    }
    AddressGrade grade = facts.protection().grade();
    boolean strict =
        grade == AddressGrade.STRENGT_FORTROLIG || grade == AddressGrade.STRENGT_FORTROLIG_UTLAND;
    if (dutyInForce(second)) {
      Decision decision = judge(facts, second, true, strict);
      if (decision.outcome().leaves()) {
        return decision;
      }
    }
    // Whatever else would stop it, a protected person's message is stopped for that reason alone.
    return strict ? refuse(ReasonCode.PROTECTED) : hold(ReasonCode.PROTECTED, null, List.of());
  }

  private boolean dutyInForce(long second) {
    for (Candidate c : candidates) {
      if (c.basis().protectedPersons() && c.inForce(second)) {
        return true;
      }
    }
    return false;
  }

  private Decision judge(Facts facts, long second, boolean dutiesOnly, boolean strip) {
    List<ConsentFact> consents = facts.consents();
    String receiver = facts.receiver().value();
    long given = 0;
    long withdrawn = 0;
    long expired = 0;
    long blocked = 0;
    for (int i = 0; i < consents.size(); i++) {
      ConsentFact c = consents.get(i);
      if (!c.concerns(receiver) || !hasPurpose(c) || superseded(c, consents)) {
        continue;
      }
      switch (c.state()) {
        case BLOCKED -> blocked |= active(c, facts) ? blockMask(c) : 0;
        case WITHDRAWN -> withdrawn |= consentMask(c);
        case GIVEN -> {
          if (c.ended(facts.at())) {
            expired |= consentMask(c);
          } else if (c.started(facts.at())) {
            given |= consentMask(c);
          }
        }
      }
    }
    long about = strip ? substanceUnlocated : substance;
    if (blocked != 0 && (about & ~blocked) == 0) { // wins over every permission
      return blockedBySubject(facts, null);
    }

    Accord accord = accord(second);
    if (accord == null) {
      return refuse(ReasonCode.NO_AGREEMENT);
    }
    long agreed = (accord.allowed() | accord.special()) & all;
    long usable = agreed & ~blocked;
    if ((agreed & about) == 0) {
      return refuse(ReasonCode.NOTHING_ALLOWED, accord.reference(), List.of());
    }

    long allowed = 0;
    long deidentifiable = 0;
    long lacking = 0;
    long doubtful = 0;
    long unmet = 0;
    long relied = 0;
    String[] carried = new String[candidates.length];
    int carrying = 0;
    for (Candidate c : candidates) {
      long mask = c.mask() & usable;
      boolean passed =
          (mask & ~allowed) == 0
              || !c.inForce(second)
              || (dutiesOnly && !c.basis().protectedPersons())
              || (c.needsConsent() && facts.subject() == null);
      if (passed) {
        continue;
      }
      switch (verdict(c, facts)) {
        case IN_DOUBT -> doubtful |= mask;
        case FALSE -> {
          if (c.basis().whenFalse() == WhenFalse.HOLD) {
            doubtful |= mask;
          } else {
            unmet |= mask;
          }
        }
        case TRUE -> {
          long open = c.needsConsent() ? mask & given : mask;
          if ((open & ~allowed) != 0) {
            carried[carrying++] = c.reference();
            relied |= c.needsConsent() ? open & ~allowed : 0;
            allowed |= open;
          }
          lacking |= mask & ~open;
          if (c.basis().deidentifiedWithoutConsent()) {
            deidentifiable |= mask & ~open;
          }
        }
      }
    }
    long special = accord.special();
    long released = allowed & ~special;
    deidentifiable &= ~special;

    long anonymously = strip ? anonymousUnlocated : anonymous;
    boolean says = (released & about) != 0;
    if (says && (anonymously & deidentifiable & ~released) == 0) {
      List<String> rules = List.of(Arrays.copyOf(carried, carrying));
      return release(
          released, strip, accord, rules, relied == 0 ? List.of() : given(facts, relied));
    }
    if ((anonymously & deidentifiable) != 0) {
      long shown = released | deidentifiable;
      return new Decision.ReleaseDeidentified(
          new Grounds(
              ReasonCode.DEIDENTIFIED,
              references(facts, second, shown, Plan::carriesAnonymously),
              accord.reference(),
              List.of()),
          withheld(shown, true, strip));
    }

    lacking &= about & ~allowed;
    doubtful &= about & ~allowed;
    if ((allowed & special & about) != 0) {
      return hold(
          ReasonCode.RULE_IN_DOUBT, accord, List.of(Arrays.copyOf(carried, carrying)), List.of());
    }
    if (doubtful != 0) {
      return hold(
          ReasonCode.RULE_IN_DOUBT,
          accord,
          references(facts, second, doubtful, Plan::stoppedByCondition),
          List.of());
    }
    if ((blocked & agreed & about) != 0) {
      return blockedBySubject(facts, accord.reference());
    }
    if (lacking != 0) {
      return awaiting(facts, second, accord, lacking, withdrawn, expired);
    }
    if ((unmet & about) != 0) {
      return refuse(
          ReasonCode.CONDITION_NOT_MET,
          accord.reference(),
          references(facts, second, unmet & about, Plan::stoppedByCondition));
    }
    return refuse(ReasonCode.NO_BASIS, accord.reference(), List.of());
  }

  private static Condition.Verdict verdict(Candidate candidate, Facts facts) {
    Condition condition = candidate.basis().condition();
    return condition == null ? Condition.Verdict.TRUE : condition.judge(facts);
  }

  private boolean hasPurpose(ConsentFact c) {
    return c.purpose().equals(purpose)
        || (c.state() == State.BLOCKED && c.purpose().equals(ConsentFact.ANY_PURPOSE));
  }

  private static boolean active(ConsentFact c, Facts facts) {
    return c.started(facts.at()) && !c.ended(facts.at());
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

  private @Nullable Accord accord(long second) {
    for (Accord a : accords) {
      if (a.inEffect(second)) {
        return a;
      }
    }
    return null;
  }

  private Decision release(
      long released, boolean strip, Accord accord, List<String> rules, List<String> consents) {
    Set<String> stay = withheld(released, false, strip);
    if (stay.isEmpty()) {
      return new Decision.Release(
          new Grounds(ReasonCode.RELEASED, rules, accord.reference(), consents));
    }
    return new Decision.ReleaseReduced(
        new Grounds(ReasonCode.REDUCED, rules, accord.reference(), consents), stay);
  }

  private Decision awaiting(
      Facts facts, long second, Accord accord, long lacking, long withdrawn, long expired) {
    List<String> rules = references(facts, second, lacking, Plan::wouldCarryWithConsent);
    if ((withdrawn & lacking) != 0) {
      return new Decision.Refuse(
          new Grounds(
              ReasonCode.CONSENT_WITHDRAWN,
              rules,
              accord.reference(),
              consents(facts, State.WITHDRAWN, lacking)));
    }
    if ((expired & lacking) != 0) {
      return hold(ReasonCode.CONSENT_EXPIRED, accord, rules, consents(facts, State.GIVEN, lacking));
    }
    return hold(ReasonCode.AWAITING_CONSENT, accord, rules, List.of());
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

  private static boolean stoppedByCondition(Candidate c, Condition.Verdict verdict) {
    return verdict != Condition.Verdict.TRUE;
  }

  /** Bases in force that bear on the categories and played the role. Only where nothing is hot. */
  private List<String> references(Facts facts, long second, long mask, Role role) {
    List<String> found = new ArrayList<>();
    for (Candidate c : candidates) {
      boolean bears = (c.mask() & mask) != 0 && c.inForce(second);
      if (bears && role.played(c, verdict(c, facts))) {
        found.add(c.reference());
      }
    }
    return List.copyOf(found);
  }

  private List<String> given(Facts facts, long relied) {
    List<String> found = new ArrayList<>(1);
    for (ConsentFact c : facts.consents()) {
      if (c.state() == State.GIVEN && active(c, facts) && bears(c, facts, relied)) {
        found.add(c.reference());
      }
    }
    return List.copyOf(found);
  }

  private List<String> consents(Facts facts, State state, long mask) {
    List<String> found = new ArrayList<>(1);
    for (ConsentFact c : facts.consents()) {
      if (c.state() == state && bears(c, facts, mask)) {
        found.add(c.reference());
      }
    }
    return List.copyOf(found);
  }

  private boolean bears(ConsentFact c, Facts facts, long mask) {
    return c.concerns(facts.receiver().value())
        && hasPurpose(c)
        && !superseded(c, facts.consents())
        && (consentMask(c) & mask) != 0;
  }

  private Decision blockedBySubject(Facts facts, @Nullable String agreement) {
    List<String> blocks = new ArrayList<>(1);
    for (ConsentFact c : facts.consents()) {
      if (c.state() == State.BLOCKED && active(c, facts) && bears(c, facts, -1L)) {
        blocks.add(c.reference());
      }
    }
    return new Decision.Refuse(
        new Grounds(ReasonCode.BLOCKED_BY_SUBJECT, List.of(), agreement, List.copyOf(blocks)));
  }

  private Set<String> withheld(long released, boolean anonymous, boolean strip) {
    Shape shape = new Shape(released & all, anonymous, strip);
    Set<String> known = withheld.get(shape);
    return known != null ? known : withheld.computeIfAbsent(shape, this::computeWithheld);
  }

  private Set<String> computeWithheld(Shape shape) {
    Set<String> stay = new LinkedHashSet<>();
    for (Field f : fields) {
      boolean covered =
          f.category().equals(REFERENCE) || (shape.allowed() & bit(f.category())) != 0;
      boolean revealing =
          shape.anonymous() && (f.identifier() || f.freeText() || WHO.contains(f.category()));
      if (!covered || revealing || (shape.strip() && f.locating())) {
        stay.add(f.path());
      }
    }
    return Set.copyOf(stay);
  }

  static Decision refuse(ReasonCode reason) {
    return refuse(reason, null, List.of());
  }

  private static Decision refuse(
      ReasonCode reason, @Nullable String agreement, List<String> rules) {
    return new Decision.Refuse(new Grounds(reason, rules, agreement, List.of()));
  }

  private static Decision hold(ReasonCode reason, @Nullable String agreement, List<String> rules) {
    return new Decision.Hold(new Grounds(reason, rules, agreement, List.of()));
  }

  private static Decision hold(
      ReasonCode reason, Accord accord, List<String> rules, List<String> consents) {
    return new Decision.Hold(new Grounds(reason, rules, accord.reference(), consents));
  }
}
