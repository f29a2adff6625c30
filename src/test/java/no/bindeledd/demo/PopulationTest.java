package no.bindeledd.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.time.Period;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import no.bindeledd.demo.Person.ConsentGrant;
import org.junit.jupiter.api.Test;

/** The synthetic people. */
class PopulationTest {
  private static final Population MANY = Population.of(1, 20_000);

  @Test
  void the_same_seed_gives_the_same_people_and_a_larger_population_begins_with_the_smaller() {
    Population small = Population.of(7, 300);
    assertThat(Population.of(7, 300)).isEqualTo(small);
    assertThat(Population.of(7, 500).people().subList(0, 300)).isEqualTo(small.people());
    assertThat(Population.of(8, 300)).isNotEqualTo(small);
  }

  @Test
  void every_number_is_synthetic_valid_and_given_once() {
    Set<String> numbers = new HashSet<>();
    for (Person person : MANY.people()) {
      String number = person.identityNumber();
      assertThat(isValid(number)).isTrue();
      assertThat(Integer.parseInt(number.substring(2, 4)) - 80).isBetween(1, 12);
      assertThat(number.substring(0, 2))
          .isEqualTo("%02d".formatted(person.birthDate().getDayOfMonth()));
      assertThat(numbers.add(number)).isTrue();
    }
  }

  @Test
  void broken_and_fictitious_numbers_have_wrong_control_digits() {
    for (Person person : MANY.people().subList(0, 1_000)) {
      assertThat(isValid(SyntheticNumber.broken(person.identityNumber()))).isFalse();
      String fictitious = SyntheticNumber.fictitious(person.birthDate(), person.number());
      assertThat(fictitious).hasSize(11);
      assertThat(isValid(fictitious)).isFalse();
    }
  }

  @Test
  void everyone_is_16_to_24_on_the_reference_day() {
    assertThat(MANY.people())
        .allSatisfy(
            p ->
                assertThat(Period.between(p.birthDate(), MANY.reference()).getYears())
                    .isBetween(16, 24));
  }

  @Test
  void the_shares_follow_the_sources() {
    assertThat(share(p -> p.dropout() != null)).isCloseTo(0.22, within(0.02));
    assertThat(share(p -> p.protection().any())).isCloseTo(0.005, within(0.001));
    long dropouts = MANY.dropouts().count();
    assertThat((double) MANY.dropouts().filter(p -> !p.participations().isEmpty()).count())
        .isCloseTo(0.24 * dropouts, within(0.03 * dropouts));
    assertThat((double) MANY.referred().count())
        .isCloseTo(0.06 * dropouts, within(0.02 * dropouts));
  }

  @Test
  void every_kind_of_protection_and_consent_occurs() {
    assertThat(MANY.people().stream().map(Person::protection).collect(Collectors.toSet()))
        .hasSize(5);
    List<ConsentGrant> grants = MANY.people().stream().flatMap(p -> p.consents().stream()).toList();
    assertThat(grants.stream().map(ConsentGrant::state).collect(Collectors.toSet())).hasSize(3);
    assertThat(grants.stream().filter(ConsentGrant::late).count()).isPositive();
    assertThat(grants.stream().map(ConsentGrant::id).map(UUID::version)).containsOnly(4);
  }

  @Test
  void some_leave_a_measure_because_they_are_ill() {
    assertThat(
            MANY.people().stream()
                .flatMap(p -> p.participations().stream())
                .flatMap(p -> p.changes().stream())
                .map(Person.Change::cause)
                .filter(Objects::nonNull))
        .contains("SYK");
  }

  @Test
  void the_text_of_a_person_shows_nobody() {
    for (Person person : MANY.people().subList(0, 500)) {
      String text = person + " " + person.referral() + person.consents() + person.participations();
      text += person.dropout() + " " + person.address();
      assertThat(text)
          .doesNotContain(person.identityNumber(), person.givenName(), person.familyName());
    }
    assertThat(MANY).hasToString("Population[seed=1, people=20000]");
  }

  @Test
  void a_size_out_of_bounds_is_refused() {
    assertThatThrownBy(() -> Population.of(1, 0)).hasMessageContaining("not 0");
    assertThatThrownBy(() -> Population.of(1, Population.LARGEST + 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static double share(Predicate<Person> of) {
    return (double) MANY.people().stream().filter(of).count() / MANY.people().size();
  }

  /** Written apart from the code under test: both weighted sums with their control digit. */
  private static boolean isValid(String number) {
    return remainder(number, 3, 7, 6, 1, 8, 9, 4, 5, 2, 1) == 0
        && remainder(number, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1) == 0;
  }

  private static int remainder(String number, int... weights) {
    int sum = 0;
    for (int i = 0; i < weights.length; i++) {
      sum += weights[i] * Character.digit(number.charAt(i), 10);
    }
    return sum % 11;
  }
}
