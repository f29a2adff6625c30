package no.bindeledd.gate;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Hashes under the hub's secret (HMAC-SHA-256, first 128 bits), for values that may hold something
 * guessable about a person: message ids and contents. Not thread-safe: {@link #fork()} one for each
 * thread or batch.
 */
final class KeyedHash {
  static final int LENGTH = 16;

  private final Mac mac;

  private KeyedHash(Mac mac) {
    this.mac = mac;
  }

  static KeyedHash of(byte[] secret) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(secret, "HmacSHA256"));
      return new KeyedHash(mac);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java has no HmacSHA256; use a complete JDK", e);
    }
  }

  KeyedHash fork() {
    try {
      return new KeyedHash((Mac) mac.clone());
    } catch (CloneNotSupportedException e) {
      throw new IllegalStateException("This Java's HmacSHA256 cannot be cloned", e);
    }
  }

  byte[] ofRange(byte[] content, int offset, int length) {
    mac.update(content, offset, length);
    return Arrays.copyOf(mac.doFinal(), LENGTH);
  }

  byte[] ofBytes(byte[] content) {
    return ofRange(content, 0, content.length);
  }

  /** Length-prefixed parts, so that no two different lists give the same input. */
  byte[] ofParts(String... parts) {
    for (String part : parts) {
      byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
      mac.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
      mac.update(bytes);
    }
    return Arrays.copyOf(mac.doFinal(), LENGTH);
  }
}
