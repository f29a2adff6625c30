package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Set;
import no.bindeledd.exchange.Contract;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import no.bindeledd.policy.Explanation.Finding;
import no.bindeledd.policy.Explanation.Topic;
import org.junit.jupiter.api.Test;

/** The reasoning says what the decision says, in both languages, and no more than may be told. */
class ExplanationTest {
  private static final Instant NOW = Instant.parse("2026-09-01T10:00:00Z");
  private static final LocalDate PUPIL = LocalDate.of(2007, 3, 14);

  private final PolicyPack shipped = PolicyPack.read(Path.of("policies"));

  @Test
  void eachFieldIsExplained() {
    Explanation explanation = dropout(List.of(), Protection.NONE, PUPIL, NOW);
    assertThat(explanation.decision().outcome()).isEqualTo(Outcome.REDUCED);
    assertThat(explanation.fields()).hasSize(9);
    assertThat(field(explanation, "/avbrudd/dato").leaves()).isTrue();
    assertThat(field(explanation, "/avbrudd/dato").why().en())
        .isEqualTo("Shared on oppl-9-4-dropout@1.");
    assertThat(field(explanation, "/oppdatert").why().nb()).isEqualTo("Teknisk; følger med.");
    assertThat(field(explanation, "/fravaersprosent").leaves()).isFalse();
    assertThat(field(explanation, "/fravaersprosent").why().en())
        .startsWith("Needs fvl-13a-1-absence@1: in force with a consent (INFORMATION_SHARING)")
        .endsWith("Found: none.");
  }

  @Test
  void everyRuleThatSpeaksOfTheFlowIsSteppedThroughOnTheDay() {
    Explanation before =
        dropout(List.of(), Protection.NONE, PUPIL, Instant.parse("2024-07-31T12:00:00Z"));
    assertThat(step(before, "oppl-9-4-dropout@1").text().en())
        .isEqualTo("Opplæringslova § 9-4: not in force on 2024-07-31 (–).");
    assertThat(step(before, "oppl-1998-3-6-dropout@1").finding()).isEqualTo(Finding.CARRIES);
    Explanation after =
        dropout(List.of(), Protection.NONE, PUPIL, Instant.parse("2024-08-01T12:00:00Z"));
    assertThat(step(after, "oppl-9-4-dropout@1").finding()).isEqualTo(Finding.CARRIES);
    assertThat(step(after, "oppl-1998-3-6-dropout@1").text().nb())
        .contains("gjelder ikke 2024-08-01 (LAPSED)");
    assertThat(step(after, "school-ot@1").text().en())
        .contains("in effect on 2024-08-01 (PUBLISHED 2018-09-01; 2018-08-01 – ), clause 2.1.");
  }

  @Test
  void theTargetGroupThatIsNotMetIsNamedWithItsVersion() {
    Explanation old = dropout(List.of(), Protection.NONE, LocalDate.of(1990, 1, 1), NOW);
    assertThat(step(old, "oppl-9-4-dropout@1").text().en())
        .endsWith("in force, but its condition is not met (ot@2).");
  }

  @Test
  void protectionIsToldByItsClassAndNeverByItsGrade() {
    Explanation strict =
        dropout(List.of(), new Protection(AddressGrade.STRENGT_FORTROLIG, false), PUPIL, NOW);
    assertThat(strict.decision().grounds().protection())
        .isEqualTo(Decision.ProtectionClass.ADDRESS_GRADING);
    assertThat(strict.toString()).doesNotContain("STRENGT");
    assertThat(strict.steps().getFirst().finding()).isEqualTo(Finding.STOPS);
    assertThat(strict.fields()).noneMatch(Explanation.Field::leaves);
    Explanation shielded =
        dropout(List.of(), new Protection(AddressGrade.UGRADERT, true), PUPIL, NOW);
    assertThat(shielded.decision().grounds().protection())
        .isEqualTo(Decision.ProtectionClass.SHIELDING);
  }

  @Test
  void aBlockAndAConsentAreNamedByVersion() {
    ConsentFact block =
        new ConsentFact(
            "b1", 2, ConsentFact.State.BLOCKED, "*", Set.of(), Set.of(), Instant.EPOCH, null);
    Explanation blocked = dropout(List.of(block), Protection.NONE, PUPIL, NOW);
    assertThat(step(blocked, "b1@2").topic()).isEqualTo(Topic.BLOCK);
    assertThat(step(blocked, "b1@2").finding()).isEqualTo(Finding.STOPS);
    ConsentFact consent =
        new ConsentFact(
            "c1", 1, ConsentFact.State.GIVEN, "FOLLOW_UP", Set.of(), Set.of(), Instant.EPOCH, null);
    Explanation given = dropout(List.of(consent), Protection.NONE, PUPIL, NOW);
    assertThat(step(given, "fvl-13a-1-absence@1").text().en())
        .endsWith("Found: c1@1 GIVEN (the person).");
    assertThat(given.fields()).allMatch(Explanation.Field::leaves);
  }

  @Test
  void withoutAnAgreementThatIsSaid() {
    Explanation early =
        dropout(List.of(), Protection.NONE, PUPIL, Instant.parse("2010-01-01T12:00:00Z"));
    assertThat(early.steps())
        .filteredOn(s -> s.topic() == Topic.AGREEMENT)
        .allMatch(s -> s.text().en().contains("not in effect on 2010-01-01"));
    assertThat(early.summary().en()).startsWith("No valid cooperation agreement");
  }

  @Test
  void itSaysTheSameAsTheDecisionInBothLanguages() {
    for (Contract contract : Exchanges.ALL.values()) {
      String to = contract.to().getFirst().name();
      String from =
          contract.from().stream()
              .map(Contract.Sender::name)
              .filter(n -> !n.equals(to))
              .findFirst()
              .orElseThrow();
      Facts facts =
          Exchanges.facts(contract, from, to, Protection.NONE, List.of(), PUPIL, Map.of(), NOW);
      Explanation explanation = shipped.explain(contract, Exchanges.view(contract, to), facts);
      assertThat(explanation.decision())
          .isEqualTo(shipped.decide(contract, Exchanges.view(contract, to), facts));
      assertThat(explanation.steps().getLast().topic()).isEqualTo(Topic.OUTCOME);
      assertThat(explanation.steps())
          .allMatch(s -> !s.text().nb().isBlank() && !s.text().en().isBlank());
      assertThat(
              explanation.fields().stream()
                  .filter(f -> !f.leaves())
                  .map(Explanation.Field::path)
                  .toList())
          .containsAll(explanation.decision().withheldFields());
    }
  }

  private Explanation dropout(
      List<ConsentFact> consents, Protection protection, LocalDate born, Instant at) {
    Contract contract = Exchanges.DROPOUT_NOTICE;
    return shipped.explain(
        contract,
        Exchanges.view(contract, "ot"),
        Exchanges.facts(contract, "school", "ot", protection, consents, born, Map.of(), at));
  }

  private static Explanation.Step step(Explanation explanation, String subject) {
    return explanation.steps().stream()
        .filter(s -> s.subject().equals(subject))
        .findFirst()
        .orElseThrow();
  }

  private static Explanation.Field field(Explanation explanation, String path) {
    return explanation.fields().stream()
        .filter(f -> f.path().equals(path))
        .findFirst()
        .orElseThrow();
  }
}
