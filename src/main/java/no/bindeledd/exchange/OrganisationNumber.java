package no.bindeledd.exchange;

/**
 * A Norwegian organisation number: nine digits, weights 3,2,7,6,5,4,3,2, modulo 11; a remainder of
 * 1 has no control digit. Not personal data. Source: contracts.md § 5.
 */
public record OrganisationNumber(String value) {
  private static final int[] WEIGHTS = {3, 2, 7, 6, 5, 4, 3, 2};

  public OrganisationNumber {
    if (!isValid(value)) {
      throw new IllegalArgumentException(
          "'" + value + "' is not an organisation number: nine digits with a valid control digit");
    }
  }

  /** True when the text is nine digits whose last one is the right control digit. */
  public static boolean isValid(String text) {
    if (text.length() != 9 || !text.chars().allMatch(c -> c >= '0' && c <= '9')) {
      return false;
    }
    int sum = 0;
    for (int i = 0; i < WEIGHTS.length; i++) {
      sum += WEIGHTS[i] * (text.charAt(i) - '0');
    }
    int control = (11 - sum % 11) % 11;
    return control < 10 && control == text.charAt(8) - '0';
  }

  @Override
  public String toString() {
    return value;
  }
}
