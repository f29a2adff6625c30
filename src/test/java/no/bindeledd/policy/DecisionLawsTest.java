package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.statistics.Statistics;
import no.bindeledd.exchange.Contract.Field;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.policy.Agreement.Clause;
import no.bindeledd.policy.ConsentFact.State;
import no.bindeledd.policy.Decision.Grounds;
import no.bindeledd.policy.RandomCases.Addition;
import no.bindeledd.policy.RandomCases.Additions;
import no.bindeledd.policy.RandomCases.Case;
import no.bindeledd.policy.RandomCases.Cases;

/** What holds for every decision, whatever the facts and whatever people have done. */
class DecisionLawsTest {
  private static final List<PolicyPack> READ_AGAIN = RandomCases.packs();

  @Property(edgeCases = EdgeCasesMode.NONE, tries = 1500)
  void addingAConsentNeverReleasesLess(@ForAll(supplier = Additions.class) Addition of) {
    Case after = of.before().withConsents(plus(of, State.GIVEN));
    assertThat(after.released()).containsAll(of.before().released());
  }

  @Property(edgeCases = EdgeCasesMode.NONE, tries = 1000)
  void addingABlockNeverReleasesMoreByName(@ForAll(supplier = Additions.class) Addition of) {
    Case after = of.before().withConsents(plus(of, State.BLOCKED));
    boolean byName =
        after.decide().outcome() != Outcome.DEIDENTIFIED
            && of.before().decide().outcome() != Outcome.DEIDENTIFIED;
    if (byName) {
      assertThat(of.before().released()).containsAll(after.released());
    }
  }

  private static List<ConsentFact> plus(Addition of, State state) {
    ConsentFact drawn = of.consent();
    List<ConsentFact> more = new ArrayList<>(of.before().facts().consents());
    more.add(
        new ConsentFact(
            "added",
            1,
            drawn.kind(),
            state,
            drawn.grantors(),
            drawn.purpose(),
            drawn.sources(),
            drawn.recipients(),
            drawn.categories(),
            drawn.validFrom(),
            drawn.validTo()));
    return more;
  }

  @Property(edgeCases = EdgeCasesMode.NONE, tries = 1500)
  void noFieldLeavesThatNoNamedRuleAndClauseOfThatDayLists(
      @ForAll(supplier = Cases.class) Case one) {
    Grounds grounds = one.decide().grounds();
    Statistics.collect(one.decide().outcome());
    Set<String> released = one.released();
    long second = one.facts().at().getEpochSecond();
    List<LegalBasis> rules =
        grounds.rules().stream()
            .map(reference -> one.pack().legalBasis(reference).orElseThrow())
            .toList();
    for (Field field : one.view().fields()) {
      if (!released.contains(field.path()) || field.category().equals(Plan.REFERENCE)) {
        continue;
      }
      assertThat(rules)
          .as(field.path())
          .anyMatch(
              rule ->
                  rule.categories().contains(field.category())
                      && rule.purposes().contains(one.contract().purpose())
                      && rule.senders().contains(one.facts().senderKind())
                      && rule.receivers().contains(one.facts().receiverKind())
                      && Days.contains(Days.windows(Days.inForce(rule.status())), second));
      if (grounds.agreement() == null) {
        assertThat(rules).as("without an agreement").allMatch(LegalBasis::duty);
      } else {
        Agreement agreement = one.pack().agreement(grounds.agreement()).orElseThrow();
        assertThat(agreement.inEffect()).isNotNull();
        assertThat(agreement.clauses()).as(field.path()).anyMatch(c -> permits(c, one, field));
      }
    }
  }

  private static boolean permits(Clause clause, Case one, Field field) {
    return clause.exchange().equals(one.contract().id())
        && clause.to().equals(one.facts().receiver())
        && (clause.from() == null || clause.from().equals(one.facts().sender()))
        && clause.categories().contains(field.category())
        && (clause.fields() == null || clause.fields().contains(field.path()));
  }

  @Property(edgeCases = EdgeCasesMode.NONE, tries = 1500)
  void whatIsAlwaysDeniedLeavesOnlyWithAConsentThatNamesIt(
      @ForAll(supplier = Cases.class) Case one) {
    long second = one.facts().at().getEpochSecond();
    Set<String> released = one.released();
    for (Denial denial : one.pack().denials()) {
      boolean holds =
          denial.concerns(one.facts().senderKind(), one.facts().receiverKind())
              && Days.contains(Days.windows(Days.inForce(denial.status())), second);
      if (!holds) {
        continue;
      }
      for (Field field : one.view().fields()) {
        if (denial.categories().contains(field.category()) && released.contains(field.path())) {
          assertThat(denial.unlessItemised()).as(denial.reference() + field.path()).isTrue();
          assertThat(one.facts().consents())
              .anyMatch(c -> c.state() == State.GIVEN && c.categories().contains(field.category()));
        }
      }
    }
  }

  @Property(edgeCases = EdgeCasesMode.NONE, tries = 1000)
  void aDecisionIsAPureFunctionOfThePackAndTheFacts(@ForAll(supplier = Cases.class) Case one) {
    Decision first = one.decide();
    assertThat(one.withConsents(new ArrayList<>(one.facts().consents())).decide()).isEqualTo(first);
    PolicyPack again = RandomCases.again(one.pack(), READ_AGAIN);
    assertThat(again.decide(one.contract(), one.view(), one.facts())).isEqualTo(first);
  }

  @Property(edgeCases = EdgeCasesMode.NONE, tries = 1000)
  void noActGoesPastProtectionOrABlockAndNoActWithoutNeedIsNamed(
      @ForAll(supplier = Cases.class) Case one) {
    Decision with = one.decide();
    Decision without = one.withActs(List.of()).decide();
    boolean core =
        without.grounds().reason() == ReasonCode.PROTECTED
            || without.grounds().reason() == ReasonCode.BLOCKED_BY_SUBJECT;
    if (core && !with.outcome().equals(without.outcome())) {
      assertThat(with.grounds().rules())
          .as("only what goes before protection and blocks")
          .isNotEmpty()
          .allMatch(rule -> goesBefore(one.pack().legalBasis(rule).orElseThrow()));
    }
    List<String> holding =
        one.facts().acts().stream()
            .filter(act -> act.holds(act.kind(), one.facts().at()))
            .map(HumanAct::reference)
            .toList();
    assertThat(holding).containsAll(with.grounds().acts());
  }

  private static boolean goesBefore(LegalBasis basis) {
    return basis.duty() || basis.protectedPersons();
  }

  @Property(edgeCases = EdgeCasesMode.NONE, tries = 1000)
  void withholdingStaysWithinTheViewAndSomethingElseLeaves(
      @ForAll(supplier = Cases.class) Case one) {
    Decision decision = one.decide();
    List<String> paths = one.view().fields().stream().map(Field::path).toList();
    assertThat(paths).containsAll(decision.withheldFields());
    if (decision.outcome().leaves()) {
      assertThat(one.view().fields())
          .anyMatch(
              f ->
                  !decision.withheldFields().contains(f.path())
                      && !f.category().equals(Plan.REFERENCE)
                      && !f.identifier());
    }
  }

  @Property(edgeCases = EdgeCasesMode.NONE, tries = 1000)
  void aProtectedPersonIsToldOfOnlyUnderARuleThatReachesThemAndNeverWhereTheyAre(
      @ForAll(supplier = Cases.class) Case one) {
    if (one.contract().subject() == null || !one.facts().protection().any()) {
      return;
    }
    Decision decision = one.decide();
    if (!decision.outcome().leaves()) {
      return;
    }
    assertThat(decision.grounds().rules())
        .isNotEmpty()
        .allMatch(rule -> one.pack().legalBasis(rule).orElseThrow().protectedPersons());
    Set<String> released = one.released();
    if (Plan.isStrict(one.facts())) {
      assertThat(one.view().fields())
          .filteredOn(Field::locating)
          .noneMatch(field -> released.contains(field.path()));
    }
  }

  @Property(edgeCases = EdgeCasesMode.NONE, tries = 1000)
  void whatWasDeidentifiedTellsNothingOfWhoItIs(@ForAll(supplier = Cases.class) Case one) {
    if (one.decide().outcome() == Outcome.DEIDENTIFIED) {
      Set<String> released = one.released();
      assertThat(one.view().fields())
          .filteredOn(f -> f.identifier() || f.freeText() || ViewFields.WHO.contains(f.category()))
          .noneMatch(field -> released.contains(field.path()));
    }
  }
}
