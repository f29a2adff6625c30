package no.bindeledd.policy;

import java.util.ArrayList;
import java.util.List;
import no.bindeledd.policy.ConsentFact.Grantors;
import no.bindeledd.policy.ConsentFact.State;
import no.bindeledd.policy.LegalBasis.Consent;

/**
 * What each consent and block among the facts is to one decision: whether it concerns these two and
 * this purpose, is the newest of its id, and counts at this instant. Remembers what was lacking, so
 * that it can be told. One use, one thread.
 */
final class Standings {
  /** What a consent fact is to this decision. */
  enum Standing {
    NOTHING,
    GIVEN,
    EXPIRED,
    WITHDRAWN,
    BLOCKED
  }

  private static final Standing[] NONE = {};

  private final ViewFields view;
  private final List<ConsentFact> consents;
  private final Standing[] standings;

  // Categories that a consent would have covered, had it not been like this.
  private long halfGiven;
  private long withdrawn;
  private long expired;

  Standings(Plan plan, Facts facts) {
    this.view = plan.view();
    this.consents = facts.consents();
    this.standings = consents.isEmpty() ? NONE : standings(plan.purpose(), facts);
  }

  private Standing[] standings(String purpose, Facts facts) {
    Standing[] found = new Standing[consents.size()];
    for (int i = 0; i < found.length; i++) {
      ConsentFact c = consents.get(i);
      found[i] =
          c.concerns(facts.sender().value(), facts.receiver().value())
                  && hasPurpose(c, purpose)
                  && !superseded(c)
              ? standing(c, facts)
              : Standing.NOTHING;
    }
    return found;
  }

  private static Standing standing(ConsentFact c, Facts facts) {
    boolean started = c.started(facts.at());
    boolean ended = c.ended(facts.at());
    return switch (c.state()) {
      case BLOCKED -> started && !ended ? Standing.BLOCKED : Standing.NOTHING;
      case WITHDRAWN -> Standing.WITHDRAWN;
      case GIVEN -> ended ? Standing.EXPIRED : started ? Standing.GIVEN : Standing.NOTHING;
    };
  }

  private static boolean hasPurpose(ConsentFact c, String purpose) {
    return c.purpose().equals(purpose)
        || (c.state() == State.BLOCKED && c.purpose().equals(ConsentFact.ANY_PURPOSE));
  }

  /** Of one id, only the newest version counts. */
  private boolean superseded(ConsentFact c) {
    for (int i = 0; i < consents.size(); i++) {
      ConsentFact other = consents.get(i);
      if (other.version() > c.version() && other.id().equals(c.id())) {
        return true;
      }
    }
    return false;
  }

  /** The categories that the person has blocked. */
  long blocked() {
    long blocked = 0;
    for (int i = 0; i < standings.length; i++) {
      if (standings[i] == Standing.BLOCKED) {
        blocked |= view.stoppedBy(consents.get(i));
      }
    }
    return blocked;
  }

  /**
   * Of these categories, what the consents that the basis asks for cover, given by whom it asks
   * for.
   *
   * @param settled what two people have settled: somebody's consent counts though not all have
   *     given it who must
   */
  long given(Candidate c, long mask, boolean settled) {
    long given = 0;
    for (int i = 0; i < standings.length; i++) {
      ConsentFact consent = consents.get(i);
      if (standings[i] == Standing.NOTHING || consent.kind() != c.basis().consentKind()) {
        continue;
      }
      long covered = view.coveredBy(consent, c.basis().itemised()) & mask;
      switch (standings[i]) {
        case GIVEN -> {
          Consent asked = c.basis().consent();
          if (isEnough(asked, consent.grantors(), settled)) {
            given |= covered;
          } else if (asked == Consent.GUARDIANS && isHalf(asked, consent.grantors())) {
            halfGiven |= covered;
          }
        }
        case EXPIRED -> expired |= covered;
        case WITHDRAWN -> withdrawn |= covered;
        case BLOCKED, NOTHING -> {}
      }
    }
    return given;
  }

  /** The consents, one bit for the index of each, that let these categories through. */
  long reliedOn(Candidate c, long categories, boolean settled) {
    long on = 0;
    for (int i = 0; i < standings.length && i < Long.SIZE; i++) {
      ConsentFact consent = consents.get(i);
      boolean counts =
          standings[i] == Standing.GIVEN
              && consent.kind() == c.basis().consentKind()
              && (view.coveredBy(consent, c.basis().itemised()) & categories) != 0
              && isEnough(c.basis().consent(), consent.grantors(), settled);
      on |= counts ? 1L << i : 0;
    }
    return on;
  }

  private static boolean isEnough(Consent asked, Grantors grantors, boolean settled) {
    boolean whole =
        switch (asked) {
          case NONE -> true;
          case PERSON -> grantors.person();
          case GUARDIANS -> grantors.guardians() >= 2;
        };
    return whole || (settled && isHalf(asked, grantors));
  }

  /** Somebody has consented, but not all who must. */
  private static boolean isHalf(Consent asked, Grantors grantors) {
    return asked == Consent.GUARDIANS ? grantors.guardians() == 1 : grantors.guardians() > 0;
  }

  /** Categories for which the second guardian is missing. */
  long halfGiven() {
    return halfGiven;
  }

  /** Categories for which a consent was withdrawn. */
  long withdrawn() {
    return withdrawn;
  }

  /** Categories for which a consent has run out. */
  long expired() {
    return expired;
  }

  /** The references of the consents with these bits. */
  List<String> references(long bits) {
    if (bits == 0) {
      return List.of();
    }
    List<String> found = new ArrayList<>(1);
    for (int i = 0; i < standings.length && i < Long.SIZE; i++) {
      if ((bits & 1L << i) != 0) {
        found.add(consents.get(i).reference());
      }
    }
    return List.copyOf(found);
  }

  /** The references of the consents that are like this and cover some of the categories. */
  List<String> references(Standing standing, long categories) {
    List<String> found = new ArrayList<>(1);
    for (int i = 0; i < standings.length; i++) {
      ConsentFact c = consents.get(i);
      if (standings[i] == standing && (view.coveredBy(c, false) & categories) != 0) {
        found.add(c.reference());
      }
    }
    return List.copyOf(found);
  }

  /** The references of the blocks. */
  List<String> blocks() {
    List<String> found = new ArrayList<>(1);
    for (int i = 0; i < standings.length; i++) {
      if (standings[i] == Standing.BLOCKED) {
        found.add(consents.get(i).reference());
      }
    }
    return List.copyOf(found);
  }
}
