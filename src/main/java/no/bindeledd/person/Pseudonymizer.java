package no.bindeledd.person;

import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReferenceArray;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Turns identity numbers into {@link Pseudonym}s: HMAC-SHA-256 under the hub's secret, cut to 128
 * bits. Whoever has the secret can undo it by trying all numbers, so the secret is guarded like the
 * numbers themselves. Safe on any thread, without locks; about a microsecond.
 */
public final class Pseudonymizer {
  /** A shorter secret could be guessed. */
  public static final int MIN_SECRET_BYTES = 32;

  private static final String ALGORITHM = "HmacSHA256";
  private static final int BYTES = 16;

  /** Power of two. More threads than slots only means that some make a new Mac. */
  private static final int SLOTS = 16;

  private final SecretKeySpec key;

  /** Keyed Macs at rest; a taker leaves null. Not thread-local: virtual threads are short-lived. */
  private final AtomicReferenceArray<@Nullable Mac> idle = new AtomicReferenceArray<>(SLOTS);

  /**
   * @param secret at least {@value #MIN_SECRET_BYTES} random bytes; copied
   */
  public Pseudonymizer(byte[] secret) {
    if (secret.length < MIN_SECRET_BYTES) {
      throw new IllegalArgumentException(
          "The pseudonym secret has "
              + secret.length
              + " bytes; give at least "
              + MIN_SECRET_BYTES
              + " random ones");
    }
    this.key = new SecretKeySpec(secret, ALGORITHM);
    idle.set(0, keyed());
  }

  /** The person's pseudonym; the same number always gives the same one. */
  public Pseudonym pseudonym(NationalId id) {
    byte[] number = id.value().getBytes(StandardCharsets.US_ASCII);
    int slot = (int) Thread.currentThread().threadId() & (SLOTS - 1);
    Mac mac = idle.getAndSet(slot, null);
    if (mac == null) {
      mac = keyed();
    }
    byte[] full = mac.doFinal(number);
    idle.set(slot, mac);
    return Pseudonym.of(Arrays.copyOf(full, BYTES));
  }

  private Mac keyed() {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      return mac;
    } catch (NoSuchAlgorithmException | InvalidKeyException impossible) {
      throw new IllegalStateException("Every Java platform has " + ALGORITHM, impossible);
    }
  }
}
