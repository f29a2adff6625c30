package no.bindeledd.reading;

/**
 * How subjects, messages and traces stand in the index: hashed, in buckets, so that a block costs a
 * few hundred rows and not thousands. A hash may be shared by two values; what is found is compared
 * with the entry itself.
 */
final class Terms {
  static final int BUCKETS = 512;

  /** A hash of four bytes, then the place in the block in two. */
  static final int BYTES = 6;

  /** What is looked up by its exact value. */
  enum Kind {
    SUBJECT,
    MESSAGE,
    TRACE
  }

  /** Where a value stands. */
  record Term(int bucket, int hash) {}

  private Terms() {}

  /**
   * The values are random or keyed hashes, so a quick hash spreads them well. One that was not read
   * back has the hash of what is stored, which has U+FFFD for what no text in the ledger can hold.
   */
  static Term term(Kind kind, String value) {
    long hash = 0xcbf29ce484222325L + kind.ordinal();
    for (int i = 0; i < value.length(); i++) {
      hash = (hash ^ stored(value, i)) * 0x100000001b3L;
    }
    hash ^= hash >>> 32;
    hash *= 0x9e3779b97f4a7c15L;
    return new Term((int) (hash >>> 55), (int) (hash >>> 16));
  }

  private static char stored(String value, int i) {
    char c = value.charAt(i);
    if (c != 0 && !Character.isSurrogate(c)) {
      return c;
    }
    boolean paired =
        Character.isHighSurrogate(c)
            ? i + 1 < value.length() && Character.isLowSurrogate(value.charAt(i + 1))
            : c != 0 && i > 0 && Character.isHighSurrogate(value.charAt(i - 1));
    return paired ? c : '\ufffd';
  }
}
