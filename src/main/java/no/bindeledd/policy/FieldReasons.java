package no.bindeledd.policy;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Text;
import org.jspecify.annotations.Nullable;

/** What becomes of each field of a view under a decision, and why, in words. Immutable. */
final class FieldReasons {
  private final PolicyPack pack;
  private final Plan plan;
  private final Facts facts;
  private final Decision decision;
  private final long second;
  private final BasisReach reach;
  private final Standings standings;

  FieldReasons(PolicyPack pack, Plan plan, Facts facts, Decision decision) {
    this.pack = pack;
    this.plan = plan;
    this.facts = facts;
    this.decision = decision;
    this.second = facts.at().getEpochSecond();
    this.reach = new BasisReach(pack, facts);
    this.standings = new Standings(plan, facts);
  }

  List<Explanation.Field> all() {
    Set<String> withheld = decision.withheldFields();
    return plan.view().list().stream()
        .map(
            f -> {
              boolean leaves = decision.outcome().leaves() && !withheld.contains(f.path());
              return new Explanation.Field(
                  f.path(), f.category(), leaves, leaves ? carrier(f) : obstacle(f));
            })
        .toList();
  }

  private Text carrier(Contract.Field field) {
    if (field.category().equals(Plan.REFERENCE)) {
      return new Text("Teknisk; følger med.", "Technical; goes along.");
    }
    String rules =
        decision.grounds().rules().stream()
            .map(r -> pack.legalBasis(r).orElse(null))
            .filter(Objects::nonNull)
            .filter(b -> b.categories().contains(field.category()))
            .map(LegalBasis::reference)
            .collect(Collectors.joining(", "));
    return new Text("Deles etter " + rules + ".", "Shared on " + rules + ".");
  }

  private Text obstacle(Contract.Field field) {
    if (!decision.outcome().leaves()) {
      return decision.grounds().reason().text();
    }
    if (Plan.isStrict(facts) && field.locating()) {
      return new Text(
          "Kan røpe hvor en person med gradert adresse er.",
          "Could tell where a person with a graded address is.");
    }
    boolean anonymous = decision instanceof Decision.ReleaseDeidentified;
    if (anonymous
        && (field.identifier() || field.freeText() || ViewFields.WHO.contains(field.category()))) {
      return new Text(
          "Kjennetegn og fritekst deles ikke uten samtykke.",
          "Identifying details and free text are not shared without consent.");
    }
    Accord accord = plan.accord(second);
    if (accord != null && !permits(accord, field)) {
      return new Text(
          "Avtalen " + accord.reference() + " tillater ikke opplysningen.",
          "The agreement " + accord.reference() + " does not permit it.");
    }
    if ((standings.blocked() & plan.view().bit(field.category())) != 0) {
      return new Text("Personen har sperret for opplysningen.", "The person has blocked it.");
    }
    if (accord != null && isSpecial(accord, field)) {
      return new Text(
          "Avtalen "
              + accord.reference()
              + " tillater opplysningen bare i særskilte tilfeller, med signatur.",
          "The agreement "
              + accord.reference()
              + " permits it only in special cases, with a signature.");
    }
    Candidate waiting = waiting(field);
    return waiting == null
        ? new Text(
            "Intet grunnlag som gjelder nå, dekker "
                + pack.vocabulary().category(field.category()).nb()
                + ".",
            "No basis in force now covers "
                + pack.vocabulary().category(field.category()).en()
                + ".")
        : new Text(
            "Trenger " + waiting.reference() + ": " + reach.of(waiting).nb(),
            "Needs " + waiting.reference() + ": " + reach.of(waiting).en());
  }

  private boolean permits(Accord accord, Contract.Field field) {
    boolean category =
        ((accord.allowed() | accord.special()) & plan.view().bit(field.category())) != 0;
    return category && (accord.fields() == null || accord.fields().contains(field.path()));
  }

  private boolean isSpecial(Accord accord, Contract.Field field) {
    return (accord.special() & plan.view().bit(field.category())) != 0
        && facts.acts().stream().noneMatch(a -> a.holds(HumanAct.Kind.SIGNATURE, facts.at()));
  }

  /** The basis that is nearest to carrying it: one whose condition holds before one in doubt. */
  private @Nullable Candidate waiting(Contract.Field field) {
    return Arrays.stream(plan.candidates())
        .filter(c -> c.basis().categories().contains(field.category()))
        .filter(c -> c.inForce(second))
        .min(Comparator.comparing(c -> distance(c.judge(facts, false))))
        .orElse(null);
  }

  private static int distance(Condition.Verdict verdict) {
    return switch (verdict) {
      case TRUE -> 0;
      case IN_DOUBT -> 1;
      case FALSE -> 2;
    };
  }
}
