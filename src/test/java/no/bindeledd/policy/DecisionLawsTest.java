package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Contract.Field;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import no.bindeledd.policy.ConsentFact.State;

/** What holds for every decision, whatever the facts, in the shipped pack and in the test pack. */
class DecisionLawsTest {
  private static final List<PolicyPack> PACKS =
      List.of(
          PolicyPack.read(Path.of("policies")),
          PolicyPack.read(Path.of("src/test/resources/decision-pack")));

  record Case(PolicyPack pack, Contract contract, String from, String to, Facts facts) {
    Contract.View view() {
      return Exchanges.view(contract, to);
    }

    Decision decide() {
      return pack.decide(contract, view(), facts);
    }

    Case with(List<ConsentFact> consents) {
      return new Case(
          pack,
          contract,
          from,
          to,
          Exchanges.facts(
              contract,
              from,
              to,
              facts.protection(),
              consents,
              facts.birthDate(),
              facts.attributes(),
              facts.at()));
    }

    /** Which fields leave. */
    Set<String> released() {
      Decision decision = decide();
      Set<String> paths = new HashSet<>();
      if (decision.outcome().leaves()) {
        view().fields().forEach(f -> paths.add(f.path()));
        paths.removeAll(decision.withheldFields());
      }
      return paths;
    }
  }

  @Property(tries = 3000)
  void addingAConsentNeverReleasesLess(
      @ForAll("cases") Case before, @ForAll("consents") ConsentFact given) {
    ConsentFact added =
        new ConsentFact(
            "added",
            1,
            State.GIVEN,
            given.purpose(),
            given.recipients(),
            given.categories(),
            given.validFrom(),
            given.validTo());
    List<ConsentFact> more = new ArrayList<>(before.facts().consents());
    more.add(added);
    assertThat(before.with(more).released()).containsAll(before.released());
  }

  @Property(tries = 2000)
  void addingABlockNeverReleasesMore(
      @ForAll("cases") Case before, @ForAll("consents") ConsentFact given) {
    ConsentFact block =
        new ConsentFact(
            "block",
            1,
            State.BLOCKED,
            given.purpose(),
            given.recipients(),
            given.categories(),
            given.validFrom(),
            given.validTo());
    List<ConsentFact> more = new ArrayList<>(before.facts().consents());
    more.add(block);
    boolean anonymised = before.decide().outcome() == Outcome.DEIDENTIFIED;
    Case after = before.with(more);
    if (anonymised || after.decide().outcome() != Outcome.DEIDENTIFIED) {
      assertThat(before.released()).containsAll(after.released());
    }
  }

  @Property(tries = 2000)
  void withholdingStaysWithinTheViewAndSomethingElseLeaves(@ForAll("cases") Case one) {
    Decision decision = one.decide();
    List<String> paths = one.view().fields().stream().map(Field::path).toList();
    assertThat(paths).containsAll(decision.withheldFields());
    if (decision.outcome().leaves()) {
      assertThat(one.view().fields())
          .anyMatch(
              f ->
                  !decision.withheldFields().contains(f.path())
                      && !f.category().equals("REFERENCE")
                      && !f.identifier());
    }
  }

  @Property(tries = 2000)
  void whatNoBasisAndAgreementPermitStays(@ForAll("cases") Case one) {
    Set<String> permitted = new HashSet<>();
    one.pack().legalBases().stream()
        .filter(b -> b.purposes().contains(one.contract().purpose()))
        .forEach(b -> permitted.addAll(b.categories()));
    Set<String> agreed = new HashSet<>(Set.of("REFERENCE"));
    one.pack()
        .agreement(String.valueOf(one.decide().grounds().agreement()))
        .ifPresent(
            a ->
                a.clauses().stream()
                    .filter(c -> c.exchange().equals(one.contract().id()))
                    .forEach(c -> agreed.addAll(c.categories())));
    permitted.add("REFERENCE");
    permitted.retainAll(agreed);
    for (Field f : one.view().fields()) {
      if (one.released().contains(f.path())) {
        assertThat(permitted).contains(f.category());
      }
    }
  }

  @Property(tries = 1000)
  void aDecisionIsAPureFunctionOfItsFacts(@ForAll("cases") Case one) {
    Decision first = one.decide();
    List<ConsentFact> copied = new ArrayList<>(one.facts().consents());
    assertThat(one.with(copied).decide()).isEqualTo(first);
    PolicyPack again = one.pack() == PACKS.get(0) ? FRESH.get(0) : FRESH.get(1);
    assertThat(again.decide(one.contract(), one.view(), one.facts())).isEqualTo(first);
  }

  @Property(tries = 2000)
  void withoutADutyNothingAboutAProtectedPersonLeaves(@ForAll("cases") Case one) {
    if (one.pack() == PACKS.get(0)
        && one.contract().subject() != null
        && one.facts().protection().any()) {
      Decision decision = one.decide();
      assertThat(decision.outcome().leaves()).isFalse();
      assertThat(decision.grounds().reason()).isEqualTo(ReasonCode.PROTECTED);
      assertThat(decision.grounds().agreement()).isNull();
    }
  }

  @Property(tries = 1000)
  void grantedGroundsNameTheRuleAndTheAgreement(@ForAll("cases") Case one) {
    Decision decision = one.decide();
    if (decision.outcome().leaves()) {
      assertThat(decision.grounds().rules())
          .isNotEmpty()
          .allMatch(r -> one.pack().legalBasis(r).isPresent());
      assertThat(decision.grounds().agreement()).isNotNull();
    }
  }

  private static final List<PolicyPack> FRESH =
      List.of(
          PolicyPack.read(Path.of("policies")),
          PolicyPack.read(Path.of("src/test/resources/decision-pack")));

  private record Flow(Contract contract, String from, String to) {}

  @Provide
  Arbitrary<Case> cases() {
    Arbitrary<Flow> flows =
        Arbitraries.of(
            new Flow(Exchanges.DROPOUT_NOTICE, "school", "ot"),
            new Flow(Exchanges.DROPOUT_NOTICE, "school", "ot-fint"),
            new Flow(Exchanges.LIST_RECONCILIATION, "nav-a", "ot"),
            new Flow(Exchanges.LIST_RECONCILIATION, "ot", "nav-b"),
            new Flow(Exchanges.LIST_RECONCILIATION, "nav-c", "ot"),
            new Flow(Exchanges.MEASURE_EVENT, "nav", "ot"),
            new Flow(Exchanges.IPS_REFERRAL, "health", "nav"),
            new Flow(Exchanges.MEASURE_CAPACITY, "nav", "school"),
            new Flow(Exchanges.RIGHTS_QUERY, "nav", "ot"),
            new Flow(Exchanges.RIGHTS_QUERY, "ot", "nav"),
            new Flow(Exchanges.CASE_DISCUSSION, "health", "nav"));
    Arbitrary<Protection> protection =
        Arbitraries.frequencyOf(
            net.jqwik.api.Tuple.of(4, Arbitraries.just(Protection.NONE)),
            net.jqwik.api.Tuple.of(
                1,
                Combinators.combine(Arbitraries.of(AddressGrade.class), Arbitraries.of(true, false))
                    .as(Protection::new)));
    Arbitrary<LocalDate> born =
        Arbitraries.integers()
            .between(0, 11_000)
            .map(d -> LocalDate.of(1995, 1, 1).plusDays(d))
            .injectNull(0.3);
    Arbitrary<Map<String, Object>> record =
        Arbitraries.of(Map.of(), Map.of("trinn", 1), Map.of("trinn", 2, "status/type", "DELTAR"));
    return Combinators.combine(
            Arbitraries.of(PACKS),
            flows,
            protection,
            consents().list().ofMaxSize(4),
            born,
            record,
            instants())
        .as(
            (pack, flow, p, consents, birthDate, attributes, at) ->
                new Case(
                    pack,
                    flow.contract(),
                    flow.from(),
                    flow.to(),
                    Exchanges.facts(
                        flow.contract(),
                        flow.from(),
                        flow.to(),
                        p,
                        consents,
                        birthDate,
                        attributes,
                        at)));
  }

  @Provide
  Arbitrary<ConsentFact> consents() {
    return Combinators.combine(
            Arbitraries.of("c1", "c2", "c3"),
            Arbitraries.integers().between(1, 3),
            Arbitraries.frequency(
                net.jqwik.api.Tuple.of(5, State.GIVEN),
                net.jqwik.api.Tuple.of(1, State.WITHDRAWN),
                net.jqwik.api.Tuple.of(1, State.BLOCKED)),
            Arbitraries.of(
                "FOLLOW_UP",
                "LIST_RECONCILIATION",
                "EMPLOYMENT_SUPPORT",
                "RIGHTS_QUERY",
                "CASE_DISCUSSION",
                "*"),
            Arbitraries.of("311013572", "311067850", "311040715").set().ofMaxSize(2),
            Arbitraries.of(
                    "IDENTITY",
                    "NAME",
                    "CONTACT",
                    "ABSENCE",
                    "PROGRAMME",
                    "MEASURE_FLAG",
                    "MEASURE_DATES",
                    "HEALTH_REFERRAL",
                    "OT_STATUS_CODE")
                .set()
                .ofMaxSize(3),
            instants(),
            instants().injectNull(0.5))
        .as(ConsentFact::new);
  }

  private static Arbitrary<Instant> instants() {
    Instant first = Instant.parse("2018-01-01T00:00:00Z");
    return Arbitraries.longs().between(0, 10L * 365 * 24).map(h -> first.plusSeconds(h * 3600));
  }
}
