package no.bindeledd.policy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ArbitrarySupplier;
import net.jqwik.api.Combinators;
import net.jqwik.api.Tuple;
import no.bindeledd.exchange.Contract;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import no.bindeledd.policy.ConsentFact.State;

/**
 * Decisions drawn at random for property tests: every flow of {@link Exchanges} under the shipped
 * rules, the matrix and two test packs, with consents, blocks, acts, protection, ages and instants.
 */
public final class RandomCases {
  /** One decision to be made. */
  public record Case(PolicyPack pack, Contract contract, String to, Facts facts) {
    public Contract.View view() {
      return Exchanges.view(contract, to);
    }

    public Decision decide() {
      return pack.decide(contract, view(), facts);
    }

    public Case with(Facts other) {
      return new Case(pack, contract, to, other);
    }

    Case withConsents(List<ConsentFact> consents) {
      return with(
          changed(facts, facts.subject() == null ? List.of() : consents, facts.acts(), facts.at()));
    }

    Case withActs(List<HumanAct> acts) {
      return with(changed(facts, facts.consents(), acts, facts.at()));
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

    @Override
    public String toString() {
      return contract.id()
          + " "
          + facts.sender()
          + " → "
          + to
          + " at "
          + facts.at()
          + "\n  born "
          + facts.birthDate()
          + ", "
          + facts.protection()
          + "\n  "
          + facts.consents()
          + "\n  "
          + facts.acts()
          + "\n  "
          + facts.attributes();
    }
  }

  private record Flow(PolicyPack pack, Contract contract, String from, String to) {
    /** Most flows are nothing to most packs, which refuse them all alike. */
    boolean isKnown() {
      return pack.agreements().stream()
          .flatMap(agreement -> agreement.clauses().stream())
          .anyMatch(
              clause ->
                  clause.exchange().equals(contract.id())
                      && clause.to().equals(Exchanges.party(to).organisation()));
    }
  }

  private static final List<PolicyPack> PACKS = packs();
  private static final List<Flow> FLOWS = flows();
  private static final List<String> ORGANISATIONS =
      Exchanges.PARTIES.values().stream().map(p -> p.organisation().value()).sorted().toList();

  private RandomCases() {}

  /** Read anew, to be compared with those that the cases have. */
  static List<PolicyPack> packs() {
    try {
      return List.of(
          DecisionTable.readPack("policies"),
          DecisionTable.readPack("policies + src/test/resources/matrix"),
          DecisionTable.readPack("src/test/resources/decision-pack"),
          DecisionTable.readPack("src/test/resources/acts-pack"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The same pack, read another time. */
  static PolicyPack again(PolicyPack pack, List<PolicyPack> others) {
    return others.get(PACKS.indexOf(pack));
  }

  private static List<Flow> flows() {
    List<Flow> flows = new ArrayList<>();
    for (PolicyPack pack : PACKS) {
      for (String id : new TreeSet<>(Exchanges.ALL.keySet())) {
        flows.addAll(flows(pack, Exchanges.named(id)));
      }
    }
    return flows;
  }

  private static List<Flow> flows(PolicyPack pack, Contract contract) {
    List<Flow> flows = new ArrayList<>();
    for (Contract.Sender from : contract.from()) {
      for (Contract.Recipient to : contract.to()) {
        if (!from.name().equals(to.name())) {
          flows.add(new Flow(pack, contract, from.name(), to.name()));
          if (contract.answer() != null) {
            flows.add(new Flow(pack, contract, to.name(), from.name()));
          }
        }
      }
    }
    return flows;
  }

  /** Any decision. */
  public static final class Cases implements ArbitrarySupplier<Case> {
    @Override
    public Arbitrary<Case> get() {
      return Arbitraries.frequencyOf(
              Tuple.of(1, Arbitraries.of(FLOWS)),
              Tuple.of(20, Arbitraries.of(FLOWS.stream().filter(Flow::isKnown).toList())))
          .flatMap(
              flow ->
                  Combinators.combine(
                          protection(),
                          consents(flow.contract()).list().ofMaxSize(4),
                          acts().list().ofMaxSize(3),
                          births(),
                          records(),
                          instants())
                      .as(
                          (protection, consents, acts, born, record, at) ->
                              new Case(
                                  flow.pack(),
                                  flow.contract(),
                                  flow.to(),
                                  Exchanges.facts(
                                      flow.contract(),
                                      flow.from(),
                                      flow.to(),
                                      protection,
                                      flow.contract().subject() == null ? List.of() : consents,
                                      born.orElse(null),
                                      record,
                                      acts,
                                      at))));
    }
  }

  /** A case, and a consent that may bear on it. */
  public record Addition(Case before, ConsentFact consent) {}

  /** Any decision with one consent more. */
  public static final class Additions implements ArbitrarySupplier<Addition> {
    @Override
    public Arbitrary<Addition> get() {
      return new Cases()
          .get()
          .flatMap(one -> consents(one.contract()).map(consent -> new Addition(one, consent)));
    }
  }

  private static Arbitrary<Protection> protection() {
    return Arbitraries.frequencyOf(
        Tuple.of(12, Arbitraries.just(Protection.NONE)),
        Tuple.of(
            1,
            Combinators.combine(Arbitraries.of(AddressGrade.class), Arbitraries.of(true, false))
                .as(Protection::new)));
  }

  /** Whose consent it is, of which kind, and what it names: mostly what the exchange asks for. */
  private static Arbitrary<ConsentFact> consents(Contract contract) {
    List<String> categories =
        contract.to().stream()
            .flatMap(to -> to.view().fields().stream())
            .map(Contract.Field::category)
            .distinct()
            .sorted()
            .toList();
    return Combinators.combine(
            Combinators.combine(
                    Arbitraries.of("c1", "c2", "c3"), Arbitraries.integers().between(1, 3))
                .as(
                    (id, version) ->
                        new ConsentFact(
                            id, version, State.GIVEN, "", Set.of(), Set.of(), Instant.EPOCH, null)),
            Arbitraries.frequency(
                Tuple.of(5, ConsentFact.Kind.INFORMATION_SHARING),
                Tuple.of(2, ConsentFact.Kind.PARTICIPATION),
                Tuple.of(1, ConsentFact.Kind.FETCHING)),
            Arbitraries.frequency(
                Tuple.of(18, State.GIVEN),
                Tuple.of(1, State.WITHDRAWN),
                Tuple.of(1, State.BLOCKED)),
            Arbitraries.frequencyOf(
                Tuple.of(3, Arbitraries.just(ConsentFact.Grantors.PERSON)),
                Tuple.of(
                    2,
                    Combinators.combine(
                            Arbitraries.of(true, false), Arbitraries.integers().between(0, 2))
                        .as(ConsentFact.Grantors::new))),
            Arbitraries.frequency(
                Tuple.of(18, contract.purpose()), Tuple.of(1, "REFERRAL"), Tuple.of(1, "*")),
            Combinators.combine(someOrganisations(), someOrganisations()).as(Tuple::of),
            Arbitraries.frequencyOf(
                Tuple.of(1, Arbitraries.just(Set.<String>of())),
                Tuple.of(1, Arbitraries.of(categories).set().ofMaxSize(3))),
            Combinators.combine(beginnings(), instants().injectNull(0.7)).as(Tuple::of))
        .as(
            (id, kind, state, grantors, purpose, between, about, valid) ->
                new ConsentFact(
                    id.id(),
                    id.version(),
                    kind,
                    state,
                    grantors,
                    purpose,
                    between.get1(),
                    between.get2(),
                    about,
                    valid.get1(),
                    valid.get2()));
  }

  private static Arbitrary<Set<String>> someOrganisations() {
    return Arbitraries.frequencyOf(
        Tuple.of(6, Arbitraries.just(Set.<String>of())),
        Tuple.of(1, Arbitraries.of(ORGANISATIONS).set().ofMaxSize(3)));
  }

  private static Arbitrary<HumanAct> acts() {
    return Combinators.combine(
            Arbitraries.of("a1", "a2", "a3"),
            Arbitraries.of(HumanAct.Kind.class),
            Arbitraries.integers().between(1, 2),
            beginnings(),
            Arbitraries.frequencyOf(
                Tuple.of(2, Arbitraries.just(Instant.parse("2100-01-01T00:00:00Z"))),
                Tuple.of(1, instants())))
        .as(HumanAct::new);
  }

  /** Around the ages that rules speak of, in the years that instants speak of. */
  private static Arbitrary<Optional<LocalDate>> births() {
    return Arbitraries.integers()
        .between(-2_000, 9_000)
        .map(
            day ->
                day < 0
                    ? Optional.<LocalDate>empty()
                    : Optional.of(LocalDate.of(1994, 1, 1).plusDays(day)));
  }

  private static Arbitrary<Map<String, Object>> records() {
    return Arbitraries.of(
        Map.of(),
        Map.of("trinn", 1L),
        Map.of("trinn", 2L, "status/type", "DELTAR"),
        Map.of("alvor", 2L, "ytelse", "SOSIALHJELP"),
        Map.of("alvor", 1L),
        Map.of("kjent", "ja", "trinn", "to"));
  }

  /** Mostly before everything that is judged. */
  private static Arbitrary<Instant> beginnings() {
    return Arbitraries.frequencyOf(
        Tuple.of(3, Arbitraries.just(Instant.EPOCH)), Tuple.of(1, instants()));
  }

  /** Whole hours of five years, which is every midnight in Oslo, summer and winter. */
  private static Arbitrary<Instant> instants() {
    Instant first = Instant.parse("2023-06-01T00:00:00Z");
    return Arbitraries.longs().between(0, 5L * 365 * 24).map(h -> first.plusSeconds(h * 3600));
  }

  /** The same facts, but for these. */
  static Facts changed(Facts of, List<ConsentFact> consents, List<HumanAct> acts, Instant at) {
    return new Facts(
        of.exchange(),
        of.purpose(),
        of.sender(),
        of.senderKind(),
        of.receiver(),
        of.receiverKind(),
        of.subject(),
        of.protection(),
        consents,
        of.birthDate(),
        of.attributes(),
        acts,
        at);
  }
}
