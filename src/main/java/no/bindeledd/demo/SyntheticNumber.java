package no.bindeledd.demo;

import java.time.LocalDate;
import java.util.Optional;
import java.util.random.RandomGenerator;

/**
 * Makes identity numbers of people who do not exist: month + 80 (Tenor's convention), both control
 * digits right after the shift. Source: contracts.md § 5.
 */
final class SyntheticNumber {
  private static final int[] FIRST = {3, 7, 6, 1, 8, 9, 4, 5, 2};
  private static final int[] SECOND = {5, 4, 3, 2, 7, 6, 5, 4, 3, 2};

  private SyntheticNumber() {}

  /** A number for someone born from 2000 to 2039 on the date: individual numbers 500 to 999. */
  static String of(LocalDate birthDate, RandomGenerator random) {
    while (true) {
      Optional<String> number = withControlDigits(birthDate, random.nextInt(500, 1000));
      if (number.isPresent()) {
        return number.get();
      }
    }
  }

  /** The number with its second control digit wrong. */
  static String broken(String number) {
    int last = number.charAt(10) - '0';
    return number.substring(0, 10) + (last + 5) % 10;
  }

  /**
   * In the manner of VIGO's fictitious numbers, given to pupils who have none: the (shifted) birth
   * date, 99 and three digits, with wrong control digits. The real layout is not public.
   */
  static String fictitious(LocalDate birthDate, int serial) {
    String start = date(birthDate) + "99" + "%02d".formatted(serial % 100);
    for (int last = 0; last < 10; last++) {
      String number = start + last;
      if (weighed(number, FIRST, number.charAt(9) - '0') > 3) {
        return number;
      }
      if (weighed(number, SECOND, last) != 0) {
        return number;
      }
    }
    throw new IllegalStateException("One of ten last digits is always wrong");
  }

  private static Optional<String> withControlDigits(LocalDate birthDate, int individual) {
    String nine = date(birthDate) + "%03d".formatted(individual);
    int first = (11 - weighed(nine, FIRST, 0)) % 11;
    if (first == 10) {
      return Optional.empty();
    }
    String ten = nine + first;
    int second = (11 - weighed(ten, SECOND, 0)) % 11;
    return second == 10 ? Optional.empty() : Optional.of(ten + second);
  }

  private static String date(LocalDate date) {
    return "%02d%02d%02d"
        .formatted(date.getDayOfMonth(), date.getMonthValue() + 80, date.getYear() % 100);
  }

  private static int weighed(String digits, int[] weights, int control) {
    int sum = control;
    for (int i = 0; i < weights.length; i++) {
      sum += weights[i] * (digits.charAt(i) - '0');
    }
    return sum % 11;
  }
}
