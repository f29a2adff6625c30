package no.bindeledd.audit;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

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

  /** The root of the tree without leaves. */
  byte[] empty() {
    return digest.digest();
  }

  static byte[] sha256(byte[]... parts) {
    MessageDigest digest = newSha256();
    for (byte[] part : parts) {
      digest.update(part);
    }
    return digest.digest();
  }

  static MessageDigest newSha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }
}
