package no.bindeledd.person;

/**
 * A Norwegian national identity number whose date and control digits are right: a
 * <em>fødselsnummer</em> or a D-number, real or synthetic. Immutable. Its {@link #toString} is
 * masked; {@link #value} is for the pseudonym and the mapping only.
 *
 * <p>Rules (contracts.md § 5): day and month are a date of the two-digit year; a D-number adds 40
 * to the day; synthetic numbers add 80 (Tenor), 40 (Dolly) or 65 (NHN) to the month, and the
 * control digits are computed after the shift. With weights 3,7,6,1,8,9,4,5,2,1 the first remainder
 * is 0 for numbers issued before 2032 and 0 to 3 for those issued from then; with weights
 * 5,4,3,2,7,6,5,4,3,2,1 the second is 0. Both generations are valid at the same time. Neither sex
 * nor century can be read from the newer numbers, so this class tells neither: the birth date comes
 * from the record.
 */
public final class NationalId implements Identification {
  /** What the number is. */
  public enum Kind {
    /** Fødselsnummer. */
    FNR,
    /** For people without a fødselsnummer: the first digit plus four. */
    D_NUMBER
  }

  private static final int LENGTH = 11;
  private static final int TENOR = 80;
  private static final int NHN = 65;
  private static final int DOLLY = 40;
  private static final int FICTITIOUS = 99;
  private static final int LAST_FIRST_REMAINDER = 3;

  private final String value;

  private NationalId(String value) {
    this.value = value;
  }

  /**
   * Reads exactly eleven digits; no spaces, so that a number has one spelling and thus one
   * pseudonym. Allocates nothing but the result.
   *
   * @return the number, or why it is not taken
   */
  public static Identification parse(String text, Numbers accept) {
    if (!hasDigits(text) || !isDate(text)) {
      return Rejection.INVALID;
    }
    if (!hasControlDigits(text)) {
      return number(text, 6) == FICTITIOUS ? Rejection.FICTITIOUS : Rejection.INVALID;
    }
    boolean synthetic = number(text, 2) > 12;
    if (synthetic && accept == Numbers.REAL_ONLY) {
      return Rejection.SYNTHETIC_NOT_ACCEPTED;
    }
    if (!synthetic && accept == Numbers.SYNTHETIC_ONLY) {
      return Rejection.REAL_NOT_ACCEPTED;
    }
    return new NationalId(text);
  }

  /** The eleven digits. Never for a log, key, message or file name. */
  public String value() {
    return value;
  }

  public Kind kind() {
    return value.charAt(0) >= '4' ? Kind.D_NUMBER : Kind.FNR;
  }

  /** True for test people, whose month is shifted. */
  public boolean synthetic() {
    return number(value, 2) > 12;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof NationalId that && value.equals(that.value);
  }

  @Override
  public int hashCode() {
    return value.hashCode();
  }

  /** Shows that there is a number, and none of it. */
  @Override
  public String toString() {
    return "NationalId[***********]";
  }

  private static boolean hasDigits(String text) {
    if (text.length() != LENGTH) {
      return false;
    }
    for (int i = 0; i < LENGTH; i++) {
      char c = text.charAt(i);
      if (c < '0' || c > '9') {
        return false;
      }
    }
    return true;
  }

  private static boolean isDate(String text) {
    int day = number(text, 0);
    if (day > 40) {
      day -= 40;
    }
    int month = number(text, 2);
    if (month > TENOR) {
      month -= TENOR;
    } else if (month > NHN) {
      month -= NHN;
    } else if (month > DOLLY) {
      month -= DOLLY;
    }
    // A year 00 may be 2000, a leap year, so all that the two digits can tell is division by four.
    int length =
        switch (month) {
          case 1, 3, 5, 7, 8, 10, 12 -> 31;
          case 4, 6, 9, 11 -> 30;
          case 2 -> number(text, 4) % 4 == 0 ? 29 : 28;
          default -> 0;
        };
    return day >= 1 && day <= length;
  }

  private static boolean hasControlDigits(String t) {
    int d0 = digit(t, 0);
    int d1 = digit(t, 1);
    int d2 = digit(t, 2);
    int d3 = digit(t, 3);
    int d4 = digit(t, 4);
    int d5 = digit(t, 5);
    int d6 = digit(t, 6);
    int d7 = digit(t, 7);
    int d8 = digit(t, 8);
    int k1 = digit(t, 9);
    int k2 = digit(t, 10);
    int first =
        (3 * d0 + 7 * d1 + 6 * d2 + d3 + 8 * d4 + 9 * d5 + 4 * d6 + 5 * d7 + 2 * d8 + k1) % 11;
    int second =
        (5 * d0 + 4 * d1 + 3 * d2 + 2 * d3 + 7 * d4 + 6 * d5 + 5 * d6 + 4 * d7 + 3 * d8 + 2 * k1
                + k2)
            % 11;
    return first <= LAST_FIRST_REMAINDER && second == 0;
  }

  private static int number(String text, int at) {
    return 10 * digit(text, at) + digit(text, at + 1);
  }

  private static int digit(String text, int at) {
    return text.charAt(at) - '0';
  }
}
