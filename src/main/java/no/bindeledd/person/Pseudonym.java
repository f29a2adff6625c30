package no.bindeledd.person;

import java.util.HexFormat;

/**
 * A person as the hub's own records, keys and logs know them: 32 lower-case hexadecimal characters,
 * the first 128 bits of HMAC-SHA-256 over the identity number under the hub's secret. Not
 * reversible without the secret; the same person gives the same pseudonym in every exchange.
 * Immutable.
 */
public record Pseudonym(String value) {
  private static final int BYTES = 16;

  public Pseudonym {
    if (!isLowerHex(value)) {
      throw new IllegalArgumentException("A pseudonym has 32 lower-case hexadecimal characters");
    }
  }

  /** The pseudonym that 16 bytes, as the database holds them, stand for. */
  public static Pseudonym of(byte[] bytes) {
    if (bytes.length != BYTES) {
      throw new IllegalArgumentException("A pseudonym has 16 bytes, not " + bytes.length);
    }
    return new Pseudonym(HexFormat.of().formatHex(bytes));
  }

  /** The 16 bytes, as the database holds them; a new array each time. */
  public byte[] bytes() {
    return HexFormat.of().parseHex(value);
  }

  @Override
  public String toString() {
    return value;
  }

  private static boolean isLowerHex(String text) {
    if (text.length() != 2 * BYTES) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < '0' || c > '9') && (c < 'a' || c > 'f')) {
        return false;
      }
    }
    return true;
  }
}
