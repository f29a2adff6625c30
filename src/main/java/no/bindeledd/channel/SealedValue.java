package no.bindeledd.channel;

import com.nimbusds.jose.EncryptionMethod;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWEAlgorithm;
import com.nimbusds.jose.JWEHeader;
import com.nimbusds.jose.JWEObject;
import com.nimbusds.jose.crypto.DirectDecrypter;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.text.ParseException;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;
import org.jspecify.annotations.Nullable;

/**
 * Seals a payload for one recipient and opens it again: a JWE in compact form (RFC 7516), {@code
 * dir} with {@code A256GCM}, whose {@code kid} names the recipient's key. Thread-safe.
 *
 * <p>Every message gets a random 96-bit nonce, so one key may seal at most 2<sup>32</sup> messages
 * (NIST SP 800-38D § 8.3): put a new key first in the recipient's key file before that; the older
 * ones go on opening.
 *
 * <p>Sealing, which the hub does per message, uses the platform's cipher and encoder: Nimbus spends
 * four fifths of its time on base64, and looks up the cipher anew each time. Opening is left to
 * Nimbus whole.
 */
public final class SealedValue {
  private static final Base64.Encoder BASE64URL = Base64.getUrlEncoder().withoutPadding();
  private static final String CIPHER = "AES/GCM/NoPadding";
  private static final int NONCE = 12;
  private static final int TAG = 16;

  /** Power of two. More threads than slots only means that some look up a new cipher. */
  private static final int SLOTS = 16;

  private final SecureRandom random = new SecureRandom();
  private final SecretKey current;
  private final byte[] header;
  private final Map<String, DirectDecrypter> decrypters;

  /** Ciphers at rest; a taker leaves null. Not thread-local: virtual threads are short-lived. */
  private final AtomicReferenceArray<@Nullable Cipher> idle = new AtomicReferenceArray<>(SLOTS);

  /**
   * @param keys 256-bit keys with ids; the first one seals, each opens what it has sealed
   * @throws IllegalArgumentException when there is no key, or one is not of that kind; names the id
   */
  public SealedValue(List<OctetSequenceKey> keys) {
    if (keys.isEmpty()) {
      throw new IllegalArgumentException("A recipient needs at least one key");
    }
    Map<String, DirectDecrypter> byId = new HashMap<>();
    for (OctetSequenceKey key : keys) {
      byId.put(requireId(key), decrypter(key));
    }
    OctetSequenceKey first = keys.getFirst();
    this.decrypters = Map.copyOf(byId);
    this.current = first.toSecretKey("AES");
    this.header =
        new JWEHeader.Builder(JWEAlgorithm.DIR, EncryptionMethod.A256GCM)
            .keyID(first.getKeyID())
            .build()
            .toBase64URL()
            .toString()
            .getBytes(StandardCharsets.US_ASCII);
  }

  /** The compact form, in ASCII: header, no key, nonce, ciphertext and tag, each base64url. */
  public byte[] seal(byte[] payload) {
    byte[] nonce = new byte[NONCE];
    random.nextBytes(nonce);
    int slot = (int) Thread.currentThread().threadId() & (SLOTS - 1);
    Cipher cipher = idle.getAndSet(slot, null);
    try {
      if (cipher == null) {
        cipher = Cipher.getInstance(CIPHER);
      }
      cipher.init(Cipher.ENCRYPT_MODE, current, new GCMParameterSpec(TAG * 8, nonce));
      cipher.updateAAD(header);
      byte[] sealed = cipher.doFinal(payload);
      idle.set(slot, cipher);
      return compact(nonce, sealed);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("AES-GCM of this Java platform refuses to encrypt", e);
    }
  }

  /**
   * @param sealed the ciphertext and, behind it, the tag
   */
  private byte[] compact(byte[] nonce, byte[] sealed) {
    int length = sealed.length - TAG;
    byte[] nonce64 = BASE64URL.encode(nonce);
    ByteBuffer text64 = BASE64URL.encode(ByteBuffer.wrap(sealed, 0, length));
    ByteBuffer tag64 = BASE64URL.encode(ByteBuffer.wrap(sealed, length, TAG));
    int all = header.length + nonce64.length + text64.remaining() + tag64.remaining() + 4;
    return ByteBuffer.allocate(all)
        .put(header)
        .put((byte) '.')
        .put((byte) '.')
        .put(nonce64)
        .put((byte) '.')
        .put(text64)
        .put((byte) '.')
        .put(tag64)
        .array();
  }

  /**
   * The payload that was sealed.
   *
   * @throws IllegalArgumentException when the value is not sealed with one of the keys, or was
   *     changed since; holds nothing of the value
   */
  public byte[] open(byte[] sealed) {
    JWEObject jwe = parsed(sealed);
    String id = jwe.getHeader().getKeyID();
    DirectDecrypter decrypter = id == null ? null : decrypters.get(id);
    if (decrypter == null) {
      throw new IllegalArgumentException("The value is sealed with a key that is not held here");
    }
    try {
      jwe.decrypt(decrypter);
      return jwe.getPayload().toBytes();
    } catch (JOSEException e) {
      throw new IllegalArgumentException("The value was changed after it was sealed");
    }
  }

  private static JWEObject parsed(byte[] sealed) {
    try {
      return JWEObject.parse(new String(sealed, StandardCharsets.US_ASCII));
    } catch (ParseException | NullPointerException e) {
      // Nimbus answers a header without alg or enc with a NullPointerException.
      throw new IllegalArgumentException("The value is not a JWE in compact form");
    }
  }

  private static String requireId(OctetSequenceKey key) {
    if (key.getKeyID() == null || key.size() != 256) {
      throw new IllegalArgumentException(
          "Key '" + key.getKeyID() + "' must have an id (kid) and 256 bits (k)");
    }
    return key.getKeyID();
  }

  private static DirectDecrypter decrypter(OctetSequenceKey key) {
    try {
      return new DirectDecrypter(key);
    } catch (JOSEException e) {
      throw new IllegalArgumentException("Key '" + key.getKeyID() + "' cannot be used");
    }
  }
}
