package no.bindeledd.person;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import no.bindeledd.person.Identification.Rejection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class NationalIdTest {
  private static NationalId taken(String text, Numbers accept) {
    Identification read = NationalId.parse(text, accept);
    assertThat(read).isInstanceOf(NationalId.class);
    return (NationalId) read;
  }

  /** The vectors of contracts.md § 5: published test numbers, nobody's. */
  @ParameterizedTest
  @CsvSource({
    "02013299997, FNR, false", // valid under the rule until 2032
    "02013299806, FNR, false",
    "30108299920, FNR, false",
    "02013299903, FNR, false", // valid only under the rule of 2032
    "30108299939, FNR, false",
    "17912099997, FNR, true", // Tenor
    "57912075186, D_NUMBER, true",
    "15507600333, FNR, true", // NAV's synthetic people (Dolly)
    "55507608360, D_NUMBER, true"
  })
  void aPublishedNumberIsTakenByTheInstallationItIsFor(
      String text, NationalId.Kind kind, boolean synthetic) {
    NationalId id = taken(text, synthetic ? Numbers.SYNTHETIC_ONLY : Numbers.REAL_ONLY);
    assertThat(id.kind()).isEqualTo(kind);
    assertThat(id.synthetic()).isEqualTo(synthetic);
    assertThat(id.value()).isEqualTo(text);
    assertThat(NationalId.parse(text, synthetic ? Numbers.REAL_ONLY : Numbers.SYNTHETIC_ONLY))
        .isEqualTo(synthetic ? Rejection.SYNTHETIC_NOT_ACCEPTED : Rejection.REAL_NOT_ACCEPTED);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "13057444850", // published as invalid
        "05076600324",
        "",
        "1791209999",
        "179120999977",
        " 7912099997",
        "17912099997 ",
        "17912 99997",
        "1791209999x",
        "-7912099997",
        "١٧٩١٢٠٩٩٩٩٧", // digits, but not ASCII
        "00000000000",
        "17912059998",
        "71912099997"
      })
  void whatIsNoIdentityNumberIsInvalidEverywhere(String text) {
    for (Numbers accept : Numbers.values()) {
      assertThat(NationalId.parse(text, accept)).isEqualTo(Rejection.INVALID);
    }
  }

  @Test
  void aStandInOfASchoolSystemIsToldApartFromAMistake() {
    for (Numbers accept : Numbers.values()) {
      assertThat(NationalId.parse("17912099998", accept)).isEqualTo(Rejection.FICTITIOUS);
      assertThat(NationalId.parse("17129999998", accept)).isEqualTo(Rejection.FICTITIOUS);
      assertThat(NationalId.parse("99999999998", accept)).isEqualTo(Rejection.INVALID);
    }
  }

  /** A date, 99 and wrong control digits look like a stand-in; everything else is a mistake. */
  private static void assertNotTaken(String text) {
    assertThat(NationalId.parse(text, Numbers.REAL_ONLY))
        .isIn(
            Rejection.INVALID, text.startsWith("99", 6) ? Rejection.FICTITIOUS : Rejection.INVALID);
  }

  @ParameterizedTest
  @EnumSource(Rejection.class)
  void aRejectionTellsNothingOfTheNumber(Rejection rejection) {
    assertThat(rejection.toString()).doesNotContainPattern("[0-9]");
  }

  @Test
  void theTextOfANumberIsMasked() {
    assertThat(taken("17912099997", Numbers.SYNTHETIC_ONLY))
        .hasToString("NationalId[***********]")
        .hasSameHashCodeAs(taken("17912099997", Numbers.SYNTHETIC_ONLY))
        .isEqualTo(taken("17912099997", Numbers.SYNTHETIC_ONLY))
        .isNotEqualTo(taken("57912075186", Numbers.SYNTHETIC_ONLY));
  }

  @Property(tries = 3000)
  void everyNumberWithADateAndAllowedRemaindersIsTaken(
      @ForAll("numbers") Made made, @ForAll @IntRange(min = 0, max = 3) int firstRemainder) {
    String text = made.withRemainders(firstRemainder, 0);
    if (text.isEmpty()) {
      return; // some heads have no such control digit
    }
    NationalId id = taken(text, made.shift == 0 ? Numbers.REAL_ONLY : Numbers.SYNTHETIC_ONLY);
    assertThat(id.synthetic()).isEqualTo(made.shift != 0);
    assertThat(id.kind()).isEqualTo(made.dNumber ? NationalId.Kind.D_NUMBER : NationalId.Kind.FNR);
  }

  @Property(tries = 3000)
  void otherRemaindersAreInvalid(
      @ForAll("numbers") Made made,
      @ForAll @IntRange(min = 0, max = 10) int first,
      @ForAll @IntRange(min = 0, max = 10) int second) {
    String text = made.withRemainders(first, second);
    if (text.isEmpty() || (first <= 3 && second == 0)) {
      return;
    }
    assertNotTaken(text);
  }

  @Property(tries = 2000)
  void oneWrongDigitIsFoundExceptWhereTheNewRuleCannotSeeIt(
      @ForAll("numbers") Made made,
      @ForAll @IntRange(min = 0, max = 10) int at,
      @ForAll @IntRange(min = 1, max = 9) int change) {
    String text = made.withRemainders(0, 0);
    if (text.isEmpty()) {
      return;
    }
    char[] digits = text.toCharArray();
    digits[at] = (char) ('0' + (digits[at] - '0' + change) % 10);
    // The second remainder is 0 in every generation, and 11 is a prime: it sees each single error.
    assertNotTaken(new String(digits));
  }

  @Test
  void aDateThatDoesNotExistIsInvalid() {
    List<String> dates = List.of("3102", "3002", "3104", "0001", "3201", "0113", "0100", "7102");
    for (String date : dates) {
      for (String text : controlled(date + "03", "123")) {
        assertThat(NationalId.parse(text, Numbers.REAL_ONLY)).as(date).isEqualTo(Rejection.INVALID);
      }
    }
  }

  @Test
  void theTwentyNinthOfFebruaryNeedsALeapYear() {
    assertThat(controlled("290204", "123")).isNotEmpty();
    for (String text : controlled("290204", "123")) {
      taken(text, Numbers.REAL_ONLY);
    }
    for (String text : controlled("290203", "123")) {
      assertThat(NationalId.parse(text, Numbers.REAL_ONLY)).isEqualTo(Rejection.INVALID);
    }
  }

  /** All numbers with this date and serial that have right control digits. */
  private static List<String> controlled(String date, String serial) {
    List<String> found = new ArrayList<>();
    for (int k = 0; k < 100; k++) {
      String text = date + serial + (k / 10) + (k % 10);
      if (remainder(text, FIRST) <= 3 && remainder(text, SECOND) == 0) {
        found.add(text);
      }
    }
    return found;
  }

  private static final int[] FIRST = {3, 7, 6, 1, 8, 9, 4, 5, 2, 1};
  private static final int[] SECOND = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1};

  private static int remainder(String text, int[] weights) {
    int sum = 0;
    for (int i = 0; i < weights.length; i++) {
      sum += weights[i] * (text.charAt(i) - '0');
    }
    return sum % 11;
  }

  /** The head of a number: everything but the control digits. */
  record Made(String head, boolean dNumber, int shift) {
    /** The number with these remainders, or empty when no digits give them. */
    String withRemainders(int first, int second) {
      for (int k = 0; k < 100; k++) {
        String text = head + (k / 10) + (k % 10);
        if (remainder(text, FIRST) == first && remainder(text, SECOND) == second) {
          return text;
        }
      }
      return "";
    }
  }

  @Provide
  Arbitrary<Made> numbers() {
    return Combinators.combine(
            Arbitraries.integers().between(1, 28),
            Arbitraries.integers().between(1, 12),
            Arbitraries.integers().between(0, 99),
            Arbitraries.integers().between(0, 999),
            Arbitraries.of(true, false),
            Arbitraries.of(0, 40, 65, 80))
        .as(
            (day, month, year, serial, dNumber, shift) ->
                new Made(
                    "%02d%02d%02d%03d"
                        .formatted(day + (dNumber ? 40 : 0), month + shift, year, serial),
                    dNumber,
                    shift));
  }
}
