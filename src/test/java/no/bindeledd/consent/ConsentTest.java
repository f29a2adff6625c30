package no.bindeledd.consent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Instant;
import java.util.Arrays;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConsentTest {
  private static final UUID ID = UUID.fromString("00000000-0000-4000-8000-000000000001");
  private static final Pseudonym KARI = new Pseudonym("0123456789abcdeffedcba9876543210");
  private static final Pseudonym MOTHER = new Pseudonym("a".repeat(32));
  private static final Pseudonym FATHER = new Pseudonym("b".repeat(32));
  private static final Instant NOW = Instant.parse("2026-09-01T10:00:00.123456789Z");

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      nullValues = "-",
      textBlock =
          """
          0|INFORMATION_SHARING|GIVEN|P|||X|t@1|0|version is below 1; the first is 1
          1|INFORMATION_SHARING|GIVEN|''|||X|t@1|0|purpose is no code; give the purpose of the exchange, such as FOLLOW_UP
          1|INFORMATION_SHARING|GIVEN|Kari|||X|t@1|0|purpose is no code; give the purpose of the exchange, such as FOLLOW_UP
          1|INFORMATION_SHARING|GIVEN|P|||kari|t@1|0|categories holds something that is no code; give data categories, such as ABSENCE
          1|INFORMATION_SHARING|GIVEN|*|||X|t@1|0|purpose is '*', which only a block may have; name one purpose
          1|INFORMATION_SHARING|GIVEN|P||1|X|t@1|0|recipients holds something that is no organisation number; give nine digits each
          1|INFORMATION_SHARING|GIVEN|P|12345678901||X|t@1|0|sources holds something that is no organisation number; give nine digits each
          1|FETCHING|GIVEN|P|||X|t@1|0|sources is empty; a consent to fetch names each source
          1|INFORMATION_SHARING|GIVEN|P|||X|t@1|-1|validTo is before validFrom; give a later instant
          1|INFORMATION_SHARING|WITHDRAWN|P|||X|t@1|0|a withdrawal needs the consent that it withdraws; give that one first
          1|INFORMATION_SHARING|GIVEN|P|||X|-|0|textVersion is missing; say which text was shown, such as sharing-nav@2
          1|INFORMATION_SHARING|GIVEN|P|||X|Kari Nordmann|0|textVersion is not an id and a version; give it as sharing-nav@2
          1|INFORMATION_SHARING|BLOCKED|P|||X|text|0|textVersion is not an id and a version; give it as sharing-nav@2
          """)
  void whatMakesNoSenseIsRefusedWithWhatToDo(
      int version,
      Kind kind,
      State state,
      String purpose,
      @Nullable String sources,
      @Nullable String recipients,
      String categories,
      @Nullable String text,
      int lasts,
      String message) {
    assertThatThrownBy(
            () ->
                new Consent(
                    ID,
                    version,
                    KARI,
                    kind,
                    state,
                    Consent.Grantors.PERSON,
                    purpose,
                    set(sources),
                    set(recipients),
                    set(categories),
                    text,
                    NOW,
                    NOW.plusSeconds(lasts),
                    Captured.PORTAL))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(message);
  }

  @Test
  void somebodyStandsBehindItAndAtMostTwoGuardians() {
    assertThatThrownBy(() -> new Consent.Grantors(false, Set.of()))
        .hasMessage("grantors is empty; say who gives the consent");
    assertThatThrownBy(() -> new Consent.Grantors(true, Set.of(KARI, MOTHER, FATHER)))
        .hasMessage("grantors names more than two guardians; give those who sign");
    assertThatThrownBy(() -> by(new Consent.Grantors(false, Set.of(KARI))))
        .hasMessage("grantors names the person as a guardian; set person to true instead");
    assertThat(by(new Consent.Grantors(false, Set.of(MOTHER, FATHER))).fact().grantors())
        .isEqualTo(no.bindeledd.policy.ConsentFact.Grantors.BOTH_GUARDIANS);
    assertThat(by(Consent.Grantors.PERSON).fact().grantors())
        .isEqualTo(no.bindeledd.policy.ConsentFact.Grantors.PERSON);
  }

  @Test
  void itsEdgesAreAllowed() {
    Consent atOnceOver =
        Consents.given(ID, KARI, "A".repeat(64), Set.of("311013572"), Set.of("A_1"), NOW, NOW);
    assertThat(atOnceOver.validTo()).isEqualTo(atOnceOver.validFrom());
    assertThat(atOnceOver.validFrom()).isEqualTo(Instant.parse("2026-09-01T10:00:00.123456Z"));
    assertThat(Consents.block(ID, KARI, "*", NOW).purpose()).isEqualTo("*");
    assertThatThrownBy(
            () -> Consents.given(ID, KARI, "A".repeat(65), Set.of(), Set.of(), NOW, null))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void aBlockIsLiftedAtTheEarliestWhenItBegan() {
    Consent block = Consents.block(ID, KARI, "*", NOW);
    assertThat(block.lifted(NOW.minusSeconds(5), Captured.PAPER).validTo())
        .isEqualTo(block.validFrom());
    Consent lifted = block.lifted(NOW.plusSeconds(5), Captured.PAPER);
    assertThat(lifted.version()).isEqualTo(2);
    assertThat(lifted.state()).isEqualTo(State.BLOCKED);
    assertThat(lifted.validTo()).isEqualTo(block.validFrom().plusSeconds(5));
  }

  @Test
  void aDecisionSeesTheSourcesThatMayTellAndThatTheyMayBeAsked() {
    Consent fetching =
        new Consent(
            ID,
            1,
            KARI,
            Kind.FETCHING,
            State.GIVEN,
            Consent.Grantors.PERSON,
            "P",
            Set.of("311000004"),
            Set.of("311067850"),
            Set.of("ABSENCE"),
            "t@1",
            NOW,
            null,
            Captured.PORTAL);
    assertThat(fetching.fact().sources()).containsExactly("311000004");
    assertThat(fetching.facts())
        .extracting(fact -> fact.sources() + " -> " + fact.recipients() + " " + fact.categories())
        .containsExactly(
            "[311000004] -> [311067850] [ABSENCE]",
            "[311067850] -> [311000004] [COLLECTION_REQUEST]");
    assertThat(by(Consent.Grantors.PERSON).facts()).hasSize(1);
    assertThat(Consents.block(ID, KARI, "*", NOW).facts()).hasSize(1);
  }

  @Test
  void itsTextTellsNobodysPseudonym() {
    Consent consent = by(new Consent.Grantors(false, Set.of(MOTHER)));
    assertThat(consent.toString())
        .isEqualTo("Consent[" + ID + "@1 INFORMATION_SHARING GIVEN]")
        .doesNotContain(KARI.value(), MOTHER.value());
    assertThat(consent.reference()).isEqualTo(ID + "@1");
  }

  private static Consent by(Consent.Grantors grantors) {
    return new Consent(
        ID,
        1,
        KARI,
        Kind.INFORMATION_SHARING,
        State.GIVEN,
        grantors,
        "P",
        Set.of(),
        Set.of(),
        Set.of(),
        "t@1",
        NOW,
        null,
        Captured.PAPER);
  }

  private static Set<String> set(@Nullable String text) {
    return text == null ? Set.of() : Arrays.stream(text.split(",")).collect(Collectors.toSet());
  }
}
