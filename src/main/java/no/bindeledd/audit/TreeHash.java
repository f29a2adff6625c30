package no.bindeledd.audit;

import java.security.MessageDigest;
import no.bindeledd.person.Sha256;

/** SHA-256 as RFC 9162 § 2.1.1 uses it. Not thread-safe: one digest, used again and again. */
final class TreeHash {
  static final int LENGTH = 32;
  private static final byte LEAF = 0x00;
  private static final byte NODE = 0x01;

  private final MessageDigest digest = newSha256();

  byte[] leaf(byte[] entry) {
    return leaf(entry, 0, entry.length);
  }

  byte[] leaf(byte[] buffer, int offset, int length) {
    digest.update(LEAF);
    digest.update(buffer, offset, length);
    return digest.digest();
  }

  byte[] node(byte[] left, byte[] right) {
    digest.update(NODE);
    digest.update(left);
    digest.update(right);
    return digest.digest();
  }

  /** The root over a power of two of nodes that lie side by side; overwrites them. */
  byte[] fold(byte[] nodes, int count) {
    try {
      for (int width = count; width > 1; width /= 2) {
        for (int i = 0; i < width / 2; i++) {
          digest.update(NODE);
          digest.update(nodes, i * 2 * LENGTH, 2 * LENGTH);
          digest.digest(nodes, i * LENGTH, LENGTH);
        }
      }
    } catch (java.security.DigestException e) {
      throw new IllegalStateException("There is room for the hash", e);
    }
    return java.util.Arrays.copyOf(nodes, LENGTH);
  }

  /** Writes the leaf hash of the entry into another array. */
  void leaf(byte[] buffer, int offset, int length, byte[] to, int at) {
    digest.update(LEAF);
    digest.update(buffer, offset, length);
    try {
      digest.digest(to, at, LENGTH);
    } catch (java.security.DigestException e) {
      throw new IllegalStateException("There is room for the hash", e);
    }
  }

  /** The root of the tree without leaves. */
  byte[] empty() {
    return digest.digest();
  }

  static byte[] sha256(byte[]... parts) {
    return Sha256.of(parts);
  }

  static MessageDigest newSha256() {
    return Sha256.digest();
  }
}
