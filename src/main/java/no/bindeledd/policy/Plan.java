package no.bindeledd.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.policy.Decision.Grounds;
import no.bindeledd.policy.Decision.ProtectionClass;
import org.jspecify.annotations.Nullable;

/**
 * All that a decision about one view between one sender and one receiver can depend on in the pack,
 * worked out once: the candidate bases with their days, the agreements with theirs, and each data
 * category as one bit of a {@code long}. What is left per message is a handful of comparisons, done
 * by a {@link Weighing}. Immutable; safe on any thread.
 */
final class Plan {
  /** Carries no personal information: goes along, and is never itself a reason to release. */
  static final String REFERENCE = "REFERENCE";

  private final String purpose;
  private final boolean personal;
  private final ViewFields view;
  private final long substance;
  private final long substanceUnlocated;
  private final Candidate[] candidates;
  private final Candidate[] duties;
  private final Accord[] accords;
  private final Denied[] denied;

  private record Denied(String reference, long mask, long[] windows) {}

  Plan(Contract contract, Contract.View contractView, Facts facts, PolicyPack pack) {
    this.purpose = facts.purpose();
    this.personal = contract.subject() != null;
    this.view = new ViewFields(contractView.fields());
    this.substance = view.substance(false, null);
    this.substanceUnlocated = view.substance(true, null);
    List<Candidate> found = candidates(facts, pack);
    this.candidates = found.stream().filter(c -> !c.basis().duty()).toArray(Candidate[]::new);
    this.duties = found.stream().filter(c -> c.basis().duty()).toArray(Candidate[]::new);
    this.accords =
        pack.agreements().stream()
            .map(a -> Accord.of(a, facts, view, pack))
            .filter(Objects::nonNull)
            .toArray(Accord[]::new);
    this.denied =
        pack.denials().stream()
            .filter(d -> d.concerns(facts.senderKind(), facts.receiverKind()))
            .map(
                d ->
                    new Denied(
                        d.reference(),
                        view.maskOf(d.categories()),
                        Days.windows(Days.inForce(d.status()))))
            .filter(d -> d.mask() != 0)
            .toArray(Denied[]::new);
  }

  private List<Candidate> candidates(Facts facts, PolicyPack pack) {
    List<Candidate> found = new ArrayList<>();
    for (LegalBasis b : pack.legalBases()) {
      Candidate candidate = Candidate.of(b, view, pack);
      boolean applies =
          !candidate.isAboutNothingOf(view.all())
              && b.purposes().contains(facts.purpose())
              && b.senders().contains(facts.senderKind())
              && b.receivers().contains(facts.receiverKind());
      if (applies) {
        found.add(candidate);
      }
    }
    // What needs nobody's consent is tried first: it is the lesser demand. What needs the glass
    // broken is tried last.
    found.sort(
        (a, b) ->
            rank(a) == rank(b)
                ? a.reference().compareTo(b.reference())
                : Integer.compare(rank(a), rank(b)));
    return found;
  }

  private static int rank(Candidate c) {
    return c.basis().human() == LegalBasis.Human.BREAK_GLASS ? 2 : c.needsConsent() ? 1 : 0;
  }

  String purpose() {
    return purpose;
  }

  ViewFields view() {
    return view;
  }

  Candidate[] candidates() {
    return candidates;
  }

  Candidate[] duties() {
    return duties;
  }

  /** What the message is about. */
  long substance(boolean unlocated) {
    return unlocated ? substanceUnlocated : substance;
  }

  @Nullable Accord accord(long second) {
    for (Accord a : accords) {
      if (a.inEffect(second)) {
        return a;
      }
    }
    return null;
  }

  /** The denials in force of some of these categories. */
  List<String> denials(long mask, long second) {
    List<String> found = new ArrayList<>();
    for (Denied d : denied) {
      if ((d.mask() & mask) != 0 && Days.contains(d.windows(), second)) {
        found.add(d.reference());
      }
    }
    return List.copyOf(found);
  }

  /** The decision; its order is that of {@link PolicyPack#decide}. */
  Decision decide(Facts facts) {
    if (personal && facts.subject() == null) {
      return refuse(ReasonCode.INVALID_IDENTITY_NUMBER);
    }
    boolean isProtected = facts.protection().any();
    boolean strict = isStrict(facts);
    if (duties.length > 0) {
      Decision decision = new Weighing(this, facts, strict).duty(isProtected);
      if (decision != null) {
        return decision;
      }
    }
    if (!isProtected) {
      return new Weighing(this, facts, false).permission(false);
    }
    if (reachesProtected(facts.at().getEpochSecond())) {
      Decision decision = new Weighing(this, facts, strict).permission(true);
      if (decision.outcome().leaves()) {
        return decision;
      }
    }
    // Whatever else would stop it, a protected person's message is stopped for that reason alone.
    Grounds grounds =
        new Grounds(
            ReasonCode.PROTECTED,
            List.of(),
            null,
            List.of(),
            List.of(),
            List.of(),
            ProtectionClass.of(facts.protection()));
    return strict ? new Decision.Refuse(grounds) : new Decision.Hold(grounds);
  }

  /** Whether nothing may tell where the person is. */
  static boolean isStrict(Facts facts) {
    AddressGrade grade = facts.protection().grade();
    return grade == AddressGrade.STRENGT_FORTROLIG
        || grade == AddressGrade.STRENGT_FORTROLIG_UTLAND;
  }

  private boolean reachesProtected(long second) {
    for (Candidate c : candidates) {
      if (c.basis().protectedPersons() && c.inForce(second)) {
        return true;
      }
    }
    return false;
  }

  static Decision refuse(ReasonCode reason) {
    return new Decision.Refuse(new Grounds(reason, List.of(), null, List.of()));
  }
}
