package no.bindeledd.policy;

import java.time.LocalDate;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.policy.Agreement.Clause;
import no.bindeledd.policy.LegalBasis.Consent;
import org.jspecify.annotations.Nullable;

/**
 * The entries of a pack against each other: versions, references, contradictions, frames. What is
 * wrong is told at the entry that came later. Used once, by one thread.
 */
final class PackChecks {
  private final BasisReader law;
  private final GroupReader groups;
  private final AgreementReader pacts;

  PackChecks(BasisReader law, GroupReader groups, AgreementReader pacts) {
    this.law = law;
    this.groups = groups;
    this.pacts = pacts;
  }

  /**
   * @param groupsWhole every target group could be read; else a missing one says nothing new
   * @param agreementsWhole the same of agreements
   */
  void run(boolean groupsWhole, boolean agreementsWhole) {
    Placed.checkOneInForce(
        Placed.withoutTwins("Target group", groups.groups, TargetGroup::reference),
        TargetGroup::id,
        TargetGroup::reference,
        TargetGroup::status);
    Placed.checkOneInForce(
        Placed.withoutTwins("Legal basis", law.bases, LegalBasis::reference),
        LegalBasis::id,
        LegalBasis::reference,
        LegalBasis::status);
    Placed.checkOneInForce(
        Placed.withoutTwins("Denial", law.denials, Denial::reference),
        Denial::id,
        Denial::reference,
        Denial::status);
    if (groupsWhole) {
      checkTargetGroups();
    }
    law.bases.forEach(basis -> law.denials.forEach(denial -> checkDenied(basis, denial)));
    checkContradictions();
    Placed.withoutTwins("Agreement", pacts.agreements, Agreement::reference);
    if (agreementsWhole) {
      pacts.agreements.forEach(this::checkParent);
    }
    for (int i = 0; i < pacts.agreements.size(); i++) {
      for (int j = 0; j < i; j++) {
        checkPair(pacts.agreements.get(i), pacts.agreements.get(j));
      }
    }
  }

  // ---- references

  private void checkTargetGroups() {
    Set<String> known = new TreeSet<>();
    groups.groups.forEach(group -> known.add(group.value().id()));
    for (Placed<LegalBasis> basis : law.bases) {
      String group = basis.value().targetGroup();
      if (group != null && !known.contains(group)) {
        unknownGroup(basis.entry().child("targetGroup"), group, known);
      }
    }
    for (Placed<Agreement> agreement : pacts.agreements) {
      for (Entry group : agreement.entry().list("targetGroups")) {
        if (!known.contains(group.node().asText())) {
          unknownGroup(group, group.node().asText(), known);
        }
      }
    }
  }

  private static void unknownGroup(Entry at, String group, Set<String> known) {
    at.problem(
        "",
        "There is no target group '" + group + "'",
        known.isEmpty()
            ? "add it to target-groups/"
            : "write one of " + String.join(", ", known) + ", or add it to target-groups/");
  }

  private void checkParent(Placed<Agreement> placed) {
    Agreement child = placed.value();
    String parent = child.parent();
    if (parent == null) {
      return;
    }
    List<Placed<Agreement>> versions =
        pacts.agreements.stream().filter(a -> a.value().id().equals(parent)).toList();
    if (versions.isEmpty()) {
      placed
          .entry()
          .problem(
              "/parent",
              "There is no agreement '" + parent + "'",
              "correct the id, or remove parent from an agreement that stands alone");
      return;
    }
    Agreement.Level level = versions.getFirst().value().level();
    if (level.compareTo(child.level()) >= 0) {
      placed
          .entry()
          .problem(
              "/parent",
              "The parent "
                  + parent
                  + " is at level "
                  + level
                  + ", not above "
                  + child.level()
                  + " of "
                  + child.reference(),
              "keep the order CENTRAL, COUNTY, SUB_AGREEMENT, LOCAL_OFFICE");
      return;
    }
    Days days = child.inEffect();
    LocalDate alone =
        days == null
            ? null
            : firstDayWithout(
                days,
                versions.stream().map(v -> v.value().inEffect()).filter(Objects::nonNull).toList());
    if (alone != null) {
      placed
          .entry()
          .problem(
              "/valid",
              "On "
                  + alone
                  + " "
                  + child.reference()
                  + " is in effect, but its parent "
                  + parent
                  + " is not",
              "end it the day before, or renew the parent");
    }
  }

  /** The first day of the stretch on which none of the others holds; null when one always does. */
  private static @Nullable LocalDate firstDayWithout(Days days, Collection<Days> others) {
    LocalDate day = days.from();
    for (Days other : others.stream().sorted(Comparator.comparing(Days::from)).toList()) {
      boolean reaches = !other.from().isAfter(day);
      LocalDate end = other.end();
      if (reaches && end == null) {
        return null;
      }
      if (reaches && end != null && end.isAfter(day)) {
        day = end;
      }
    }
    return days.end() != null && !day.isBefore(days.end()) ? null : day;
  }

  // ---- contradictions

  private static void checkDenied(Placed<LegalBasis> placed, Placed<Denial> other) {
    LegalBasis basis = placed.value();
    Denial denial = other.value();
    Set<String> both = common(basis.categories(), denial.categories());
    Days days = Days.common(Days.inForce(basis.status()), Days.inForce(denial.status()));
    boolean concerns =
        basis.senders().stream()
            .anyMatch(s -> basis.receivers().stream().anyMatch(r -> denial.concerns(s, r)));
    boolean itemised = denial.unlessItemised() && basis.itemised();
    if (both.isEmpty() || days == null || !concerns || itemised || basis.duty()) {
      return;
    }
    placed
        .entry()
        .problem(
            "/categories",
            "On "
                + days.from()
                + " "
                + basis.reference()
                + " permits "
                + String.join(", ", both)
                + ", which "
                + denial.reference()
                + " in "
                + other.entry().place()
                + " denies",
            denial.unlessItemised()
                ? "remove the category, or let it need a consent that is itemised"
                : "remove the category, or end the denial the day before");
  }

  /** The same provision cannot both need a consent and need none, for the same thing. */
  private void checkContradictions() {
    for (int i = 0; i < law.bases.size(); i++) {
      for (int j = 0; j < i; j++) {
        checkContradiction(law.bases.get(i), law.bases.get(j));
      }
    }
  }

  private static void checkContradiction(Placed<LegalBasis> placed, Placed<LegalBasis> other) {
    LegalBasis mine = placed.value();
    LegalBasis theirs = other.value();
    boolean conditional =
        mine.condition() != null
            || theirs.condition() != null
            || !Objects.equals(mine.targetGroup(), theirs.targetGroup());
    boolean sameDemand =
        (mine.consent() == Consent.NONE) == (theirs.consent() == Consent.NONE)
            || mine.human() != theirs.human();
    if (mine.id().equals(theirs.id())
        || !mine.statute().equals(theirs.statute())
        || conditional
        || sameDemand) {
      return;
    }
    Set<String> both = common(mine.categories(), theirs.categories());
    both.removeAll(ViewFields.WHO);
    Set<AgencyKind> senders = new HashSet<>(mine.senders());
    senders.retainAll(theirs.senders());
    Set<AgencyKind> receivers = new HashSet<>(mine.receivers());
    receivers.retainAll(theirs.receivers());
    Days days = Days.common(Days.inForce(mine.status()), Days.inForce(theirs.status()));
    boolean meet =
        !both.isEmpty()
            && !senders.isEmpty()
            && !receivers.isEmpty()
            && !common(mine.purposes(), theirs.purposes()).isEmpty();
    if (!meet || days == null) {
      return;
    }
    boolean needs = mine.consent() != Consent.NONE;
    placed
        .entry()
        .problem(
            "/consent",
            "On "
                + days.from()
                + " "
                + mine.reference()
                + (needs ? " needs a consent for " : " needs no consent for ")
                + String.join(", ", both)
                + ", but "
                + theirs.reference()
                + " in "
                + other.entry().place()
                + ", of the same provision, "
                + (needs ? "needs none" : "needs one"),
            "keep the one that the provision says, or part their days or categories");
  }

  private static Set<String> common(Set<String> some, Set<String> others) {
    Set<String> both = new TreeSet<>(some);
    both.retainAll(others);
    return both;
  }

  /** A message between two parties must find one answer, so one agreement, on any day. */
  private static void checkPair(Placed<Agreement> placed, Placed<Agreement> other) {
    Days mine = placed.value().inEffect();
    Days theirs = other.value().inEffect();
    boolean twins = placed.value().reference().equals(other.value().reference());
    if (mine == null || theirs == null || !mine.overlaps(theirs) || twins) {
      return;
    }
    if (placed.value().id().equals(other.value().id())) {
      placed
          .entry()
          .problem(
              "/status",
              "Two versions are in effect on "
                  + mine.firstCommonDay(theirs)
                  + ": "
                  + placed.value().reference()
                  + " and "
                  + other.value().reference(),
              "let the older one be REVISED from the day the newer is SIGNED");
      return;
    }
    Set<String> flows = flows(other.value());
    List<Clause> clauses = placed.value().clauses();
    for (int i = 0; i < clauses.size(); i++) {
      Set<String> both = flows(placed.value(), clauses.get(i));
      both.retainAll(flows);
      if (!both.isEmpty()) {
        placed
            .entry()
            .problem(
                "/clauses/" + i,
                "On "
                    + mine.firstCommonDay(theirs)
                    + " agreement "
                    + other.value().reference()
                    + " in "
                    + other.entry().place()
                    + " rules the same flow: "
                    + both.iterator().next(),
                "let one agreement rule it: remove the clause from the other, or part their days");
        return;
      }
    }
  }

  private static Set<String> flows(Agreement agreement) {
    Set<String> flows = new LinkedHashSet<>();
    agreement.clauses().forEach(c -> flows.addAll(flows(agreement, c)));
    return flows;
  }

  private static Set<String> flows(Agreement agreement, Clause clause) {
    Set<String> flows = new LinkedHashSet<>();
    for (Agreement.Party p : agreement.parties()) {
      boolean sends =
          clause.from() == null
              ? !p.organisation().equals(clause.to())
              : p.organisation().equals(clause.from());
      if (sends) {
        flows.add(clause.exchange() + " from " + p.organisation() + " to " + clause.to());
      }
    }
    return flows;
  }
}
