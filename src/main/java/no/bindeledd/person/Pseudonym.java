package no.bindeledd.person;

/**
 * A person as the hub's own records, keys and logs know them: 32 lower-case hexadecimal characters,
 * the first 128 bits of HMAC-SHA-256 over the identity number under the hub's secret. Not
 * reversible without the secret; the same person gives the same pseudonym in every exchange.
 * Immutable.
 */
public record Pseudonym(String value) {
  public Pseudonym {
    if (value.length() != 32) {
      throw new IllegalArgumentException("A pseudonym has 32 hexadecimal characters");
    }
  }

  @Override
  public String toString() {
    return value;
  }
}
