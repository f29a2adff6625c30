package no.bindeledd.audit;

import java.nio.ByteBuffer;
import java.security.MessageDigest;

/**
 * A digest over the indexes of the shredded entries, in rising order and constant memory: SHA-256
 * for each segment over its indexes, eight bytes each, then SHA-256 over number and digest of the
 * segments that have some. Not thread-safe.
 */
final class ShreddedSet {
  private final MessageDigest within = TreeHash.newSha256();
  private final MessageDigest all = TreeHash.newSha256();
  private long segment = -1;
  private long count;

  void add(long index) {
    if (index / Segments.SIZE != segment) {
      close();
      segment = index / Segments.SIZE;
    }
    within.update(eight(index));
    count++;
  }

  /** A segment whose digest is known. */
  void addSegment(long number, byte[] digest) {
    all.update(eight(number));
    all.update(digest);
  }

  long count() {
    return count;
  }

  /** Ends the set. */
  byte[] digest() {
    close();
    return all.digest();
  }

  static byte[] eight(long number) {
    return ByteBuffer.allocate(8).putLong(number).array();
  }

  private void close() {
    if (segment >= 0) {
      addSegment(segment, within.digest());
    }
    segment = -1;
  }
}
