package no.bindeledd.policy;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import no.bindeledd.exchange.Contract.Field;
import no.bindeledd.policy.Agreement.Bindingness;
import no.bindeledd.policy.Agreement.Clause;
import org.jspecify.annotations.Nullable;

/**
 * An agreement as a plan sees it. Immutable but for a memo; equal only to itself; safe on any
 * thread.
 */
final class Accord {
  private record Speaking(String number, long mask) {}

  private final String reference;
  private final long first;
  private final long end;
  private final long allowed;
  private final long special;
  private final @Nullable Set<String> fields;
  private final List<Speaking> clauses = new ArrayList<>();
  private final Membership[] groups;
  private final long[] substance = new long[2];
  private final long[] anonymous = new long[2];
  private final ConcurrentHashMap<Long, List<String>> numbers = new ConcurrentHashMap<>();

  private Accord(
      Agreement agreement, Days days, List<Clause> speaking, ViewFields view, PolicyPack pack) {
    this.reference = agreement.reference();
    this.first = days.firstSecond();
    this.end = days.endSecond();
    this.fields = permitted(speaking, view);
    long free = 0;
    long bySignature = 0;
    for (Clause c : speaking) {
      long mask = 0;
      for (Field f : view.list()) {
        boolean covers =
            c.categories().contains(f.category())
                && (c.fields() == null || c.fields().contains(f.path()));
        mask |= covers ? view.bit(f.category()) : 0;
      }
      clauses.add(new Speaking(c.number(), mask));
      if (c.bindingness() == Bindingness.SAERSKILTE_TILFELLER) {
        bySignature |= mask;
      } else {
        free |= mask;
      }
    }
    this.allowed = free;
    this.special = bySignature & ~free;
    this.groups =
        agreement.targetGroups().stream().sorted().map(pack::membership).toArray(Membership[]::new);
    for (int i = 0; i < 2; i++) {
      substance[i] = view.substance(i == 1, fields);
      anonymous[i] = view.anonymous(i == 1, fields);
    }
  }

  /** Null when the agreement says nothing about this flow, or is never in effect. */
  static @Nullable Accord of(Agreement agreement, Facts facts, ViewFields view, PolicyPack pack) {
    Days days = agreement.inEffect();
    boolean party =
        agreement.parties().stream().anyMatch(p -> p.organisation().equals(facts.sender()));
    List<Clause> speaking =
        agreement.clauses().stream()
            .filter(
                c ->
                    c.exchange().equals(facts.exchange())
                        && c.to().equals(facts.receiver())
                        && (c.from() == null || c.from().equals(facts.sender())))
            .toList();
    return days == null || !party || speaking.isEmpty()
        ? null
        : new Accord(agreement, days, speaking, view, pack);
  }

  /** The paths that may leave; null when no clause lists any. */
  private static @Nullable Set<String> permitted(List<Clause> clauses, ViewFields view) {
    if (clauses.stream().allMatch(c -> c.fields() == null)) {
      return null;
    }
    Set<String> permitted = new HashSet<>();
    for (Clause c : clauses) {
      for (Field f : view.list()) {
        boolean listed = c.fields() == null || c.fields().contains(f.path());
        if (listed && c.categories().contains(f.category())) {
          permitted.add(f.path());
        }
      }
    }
    return Set.copyOf(permitted);
  }

  String reference() {
    return reference;
  }

  boolean inEffect(long second) {
    return second >= first && second < end;
  }

  /** Categories that may flow by themselves. */
  long allowed() {
    return allowed;
  }

  /** Categories that only a person may let through. */
  long special() {
    return special;
  }

  @Nullable Set<String> fields() {
    return fields;
  }

  /** What a message of the permitted fields is about. */
  long substance(boolean unlocated) {
    return substance[unlocated ? 1 : 0];
  }

  long anonymous(boolean unlocated) {
    return anonymous[unlocated ? 1 : 0];
  }

  /** The numbers of the clauses that speak of some of these categories. */
  List<String> clauses(long mask) {
    return numbers.computeIfAbsent(
        mask,
        m -> clauses.stream().filter(c -> (c.mask() & m) != 0).map(Speaking::number).toList());
  }

  /** Whether the person is in one of the target groups; true when there are none. */
  Condition.Verdict concerns(Facts facts, long second) {
    if (groups.length == 0) {
      return Condition.Verdict.TRUE;
    }
    Condition.Verdict best = Condition.Verdict.FALSE;
    for (Membership group : groups) {
      Condition.Verdict verdict = group.judge(facts.birthDate(), second, Days.day(facts.at()));
      if (verdict == Condition.Verdict.TRUE) {
        return verdict;
      }
      best = verdict == Condition.Verdict.IN_DOUBT ? verdict : best;
    }
    return best;
  }
}
