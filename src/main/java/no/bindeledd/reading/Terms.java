package no.bindeledd.reading;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/**
 * How subjects, messages and traces stand in the index: hashed, in buckets, so that a block costs a
 * few hundred rows and not thousands. A hash may be shared by two values; what is found is compared
 * with the entry itself. Not thread-safe.
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

  private final MessageDigest sha256 = newSha256();

  Term term(Kind kind, String value) {
    sha256.update((byte) kind.ordinal());
    ByteBuffer digest = ByteBuffer.wrap(sha256.digest(value.getBytes(StandardCharsets.UTF_8)));
    int bucket = Short.toUnsignedInt(digest.getShort()) % BUCKETS;
    return new Term(bucket, digest.getInt());
  }

  static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
