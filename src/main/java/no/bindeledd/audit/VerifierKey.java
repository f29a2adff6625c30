package no.bindeledd.audit;

import com.google.crypto.tink.subtle.Ed25519Verify;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;

/**
 * The public half of a log's key, as its {@code .vkey} line says it: {@code
 * name+keyid+base64(0x01‖key)}, or 0x04 for a witness. Ed25519 only. Immutable, safe on any thread.
 * Source: C2SP signed-note.
 *
 * <p>Tink signs and verifies several times faster than the JDK, and the same bytes.
 */
public final class VerifierKey {
  /** C2SP signature type identifier of Ed25519: a log's key. */
  static final byte ED25519 = 0x01;

  /** C2SP signature type identifier of a timestamped Ed25519 cosignature: a witness's key. */
  static final byte COSIGNATURE = 0x04;

  private static final int TIMESTAMP = 8;

  private static final HexFormat HEX = HexFormat.of();

  private final String name;
  private final byte type;
  private final byte[] raw;
  private final int id;
  private final Ed25519Verify verifier;

  /**
   * @param name key name: not empty, no white space, no plus sign
   * @param raw the 32 bytes of RFC 8032
   */
  VerifierKey(String name, byte[] raw) {
    this(name, ED25519, raw);
  }

  VerifierKey(String name, byte type, byte[] raw) {
    if (!validName(name)) {
      throw new IllegalArgumentException(
          "A key name is not empty and has no white space, control character or plus sign");
    }
    if (raw.length != 32) {
      throw new IllegalArgumentException(
          "An Ed25519 public key has 32 bytes, this has " + raw.length);
    }
    this.name = name;
    this.type = type;
    this.raw = raw.clone();
    this.id = keyId(name, type, raw);
    this.verifier = new Ed25519Verify(raw);
  }

  /**
   * Reads one {@code .vkey} line, without line break.
   *
   * @throws IllegalArgumentException when it is not exactly in the form, or its key id is not the
   *     key's
   */
  public static VerifierKey parse(String vkey) {
    int first = vkey.indexOf('+');
    int second = vkey.indexOf('+', first + 1);
    if (first < 1 || second != first + 9) {
      throw new IllegalArgumentException("A verifier key reads name+keyid+key");
    }
    byte[] key = strictBase64(vkey.substring(second + 1));
    if (key.length != 33 || (key[0] != ED25519 && key[0] != COSIGNATURE)) {
      throw new IllegalArgumentException(
          "A verifier key holds 0x01 (a log's) or 0x04 (a witness's) and 32 bytes (Ed25519)");
    }
    VerifierKey parsed =
        new VerifierKey(vkey.substring(0, first), key[0], Arrays.copyOfRange(key, 1, 33));
    String id = vkey.substring(first + 1, second);
    if (!id.equals(parsed.hexId())) {
      throw new IllegalArgumentException(
          "The key id is " + parsed.hexId() + " by name and key, but reads " + id);
    }
    return parsed;
  }

  /** Reads a file of {@code .vkey} lines; empty lines and lines from {@code #} are skipped. */
  public static List<VerifierKey> parseAll(String lines) {
    return lines
        .lines()
        .filter(line -> !line.isBlank() && !line.startsWith("#"))
        .map(VerifierKey::parse)
        .toList();
  }

  /**
   * Those that lie beside a house's signing keys, of all its shards.
   *
   * @param secrets the folder with {@code log.key.vkey}, {@code log-1.key.vkey} and so on
   */
  public static List<VerifierKey> ofHouse(Path secrets) throws IOException {
    List<VerifierKey> keys = new ArrayList<>();
    for (int number = 0; number < Shard.MOST; number++) {
      Path file = secrets.resolve(new Shard(number).keyFile() + ".vkey");
      if (Files.exists(file)) {
        keys.addAll(parseAll(Files.readString(file)));
      }
    }
    return keys;
  }

  /** Those that may sign the log with this origin, and every witness's. */
  public static List<VerifierKey> of(List<VerifierKey> keys, String origin) {
    return keys.stream().filter(key -> key.cosigner() || key.name().equals(origin)).toList();
  }

  public String name() {
    return name;
  }

  /** True for a witness, whose signature says that it saw a log grow and not that it is the log. */
  public boolean cosigner() {
    return type == COSIGNATURE;
  }

  /** The first four bytes of SHA-256(name ‖ 0x0A ‖ type ‖ key). */
  public int id() {
    return id;
  }

  /** The {@code .vkey} line, without line break. */
  public String vkey() {
    byte[] typed = new byte[33];
    typed[0] = type;
    System.arraycopy(raw, 0, typed, 1, 32);
    return name + "+" + hexId() + "+" + Base64.getEncoder().encodeToString(typed);
  }

  boolean verifies(byte[] text, byte[] signature) {
    try {
      if (type == ED25519) {
        verifier.verify(signature, text);
        return true;
      }
      if (signature.length <= TIMESTAMP) {
        return false;
      }
      long time = ByteBuffer.wrap(signature).getLong();
      verifier.verify(
          Arrays.copyOfRange(signature, TIMESTAMP, signature.length), cosigned(time, text));
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  /** What a witness signs. Source: C2SP tlog-cosignature. */
  static byte[] cosigned(long epochSecond, byte[] text) {
    byte[] head = ("cosignature/v1\ntime " + epochSecond + "\n").getBytes(StandardCharsets.UTF_8);
    byte[] message = Arrays.copyOf(head, head.length + text.length);
    System.arraycopy(text, 0, message, head.length, text.length);
    return message;
  }

  static boolean validName(String name) {
    return !name.isEmpty()
        && name.codePoints()
            .noneMatch(
                c ->
                    c == '+'
                        || c < 0x20
                        || c == 0x7f
                        || c == 0x85
                        || Character.isWhitespace(c)
                        || Character.isSpaceChar(c)
                        || (c >= 0xd800 && c <= 0xdfff));
  }

  /** Decodes standard base64 and accepts only the one way to write the bytes. */
  static byte[] strictBase64(String text) {
    byte[] bytes;
    try {
      bytes = Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("Not base64", e);
    }
    if (!Base64.getEncoder().encodeToString(bytes).equals(text)) {
      throw new IllegalArgumentException("Base64 that is not in its only canonical form");
    }
    return bytes;
  }

  private String hexId() {
    return HEX.toHexDigits(id);
  }

  private static int keyId(String name, byte type, byte[] raw) {
    byte[] hash =
        TreeHash.sha256(name.getBytes(StandardCharsets.UTF_8), new byte[] {'\n', type}, raw);
    return ByteBuffer.wrap(hash).getInt();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof VerifierKey k
        && k.name.equals(name)
        && k.type == type
        && Arrays.equals(k.raw, raw);
  }

  @Override
  public int hashCode() {
    return id;
  }

  @Override
  public String toString() {
    return vkey();
  }
}
