package no.bindeledd.audit;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A text and the signatures under it. Immutable (the arrays inside are never handed out). Source:
 * C2SP signed-note: the text ends with a line break, then an empty line, then one line {@code —
 * name base64(keyid‖signature)} for each signature; UTF-8 without control characters.
 *
 * @param text what is signed, with its last line break
 * @param signatures at least one
 */
public record SignedNote(String text, List<Line> signatures) {
  /** Longer notes are refused unread, bytes. */
  public static final int MAX_LENGTH = 1_000_000;

  private static final int MAX_SIGNATURES = 100;
  private static final String DASH = "\u2014 ";

  public SignedNote {
    requireText(text);
    signatures = List.copyOf(signatures);
    if (signatures.isEmpty() || signatures.size() > MAX_SIGNATURES) {
      throw new IllegalArgumentException(
          "A note has 1 to " + MAX_SIGNATURES + " signatures, this has " + signatures.size());
    }
  }

  /**
   * One signature line.
   *
   * @param name the key's name
   * @param bytes four bytes of key id, then the signature, in standard base64
   */
  public record Line(String name, String bytes) {
    public Line {
      if (!VerifierKey.validName(name)) {
        throw new IllegalArgumentException("A signature line needs a valid key name");
      }
      if (VerifierKey.strictBase64(bytes).length < 5) {
        throw new IllegalArgumentException("A signature line holds a key id and a signature");
      }
    }

    static Line of(VerifierKey key, byte[] signature) {
      ByteBuffer line = ByteBuffer.allocate(4 + signature.length);
      line.putInt(key.id()).put(signature);
      return new Line(key.name(), Base64.getEncoder().encodeToString(line.array()));
    }

    /** Reads one line, without its line break. */
    static Line parse(String line) {
      int space = line.indexOf(' ', DASH.length());
      if (!line.startsWith(DASH) || space < 0) {
        throw new IllegalArgumentException("A signature line reads: em dash, name, base64");
      }
      return new Line(line.substring(DASH.length(), space), line.substring(space + 1));
    }

    /** As it is written, without line break. */
    String encoded() {
      return DASH + name + " " + bytes;
    }

    int keyId() {
      return ByteBuffer.wrap(VerifierKey.strictBase64(bytes)).getInt();
    }

    byte[] signature() {
      byte[] all = VerifierKey.strictBase64(bytes);
      return Arrays.copyOfRange(all, 4, all.length);
    }
  }

  /** Signs a text that ends with a line break. */
  public static SignedNote sign(String text, LogKey key) {
    requireText(text);
    return new SignedNote(text, key.sign(text));
  }

  /** The note with more signatures below those it has. */
  SignedNote and(List<Line> more) {
    List<Line> all = new ArrayList<>(signatures);
    all.addAll(more);
    return new SignedNote(text, all);
  }

  /**
   * Reads a note; nothing is verified yet.
   *
   * @throws IllegalArgumentException when the bytes are not exactly a note
   */
  public static SignedNote parse(byte[] note) {
    if (note.length > MAX_LENGTH) {
      throw new IllegalArgumentException("A note has at most " + MAX_LENGTH + " bytes");
    }
    CharBuffer decoded;
    try {
      decoded = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(note));
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("A note is UTF-8", e);
    }
    return parse(decoded.toString());
  }

  /** As {@link #parse(byte[])}. */
  public static SignedNote parse(String note) {
    int split = note.lastIndexOf("\n\n");
    if (split < 0 || !note.endsWith("\n") || split + 2 == note.length()) {
      throw new IllegalArgumentException(
          "A note is text, an empty line and signature lines, each with its line break");
    }
    List<Line> lines = new ArrayList<>();
    for (String line : note.substring(split + 2, note.length() - 1).split("\n", -1)) {
      lines.add(Line.parse(line));
    }
    return new SignedNote(note.substring(0, split + 1), lines);
  }

  /**
   * True when at least one of the log keys signed this text, and no line that claims to be by one
   * of the given keys is false. Lines by other keys say nothing, and a witness does not stand in
   * for the log.
   */
  public boolean verify(Collection<VerifierKey> keys) {
    Set<VerifierKey> signers = signers(keys);
    return signers != null && signers.stream().anyMatch(key -> !key.cosigner());
  }

  /**
   * Which of the keys signed this text: the log's own and witnesses'.
   *
   * @return null when a line that claims to be by one of them is false
   */
  public @Nullable Set<VerifierKey> signers(Collection<VerifierKey> keys) {
    byte[] signed = text.getBytes(StandardCharsets.UTF_8);
    Set<VerifierKey> signers = new LinkedHashSet<>();
    for (Line line : signatures) {
      for (VerifierKey key : keys) {
        if (key.id() == line.keyId() && key.name().equals(line.name())) {
          if (!key.verifies(signed, line.signature())) {
            return null;
          }
          signers.add(key);
        }
      }
    }
    return signers;
  }

  /** The note as it is stored and published. */
  public String encoded() {
    StringBuilder note = new StringBuilder(text.length() + 160).append(text).append('\n');
    for (Line line : signatures) {
      note.append(line.encoded()).append('\n');
    }
    return note.toString();
  }

  private static void requireText(String text) {
    if (text.isEmpty() || text.charAt(text.length() - 1) != '\n') {
      throw new IllegalArgumentException("The text of a note ends with a line break");
    }
    boolean control =
        text.codePoints().anyMatch(c -> (c < 0x20 && c != '\n') || (c >= 0xd800 && c <= 0xdfff));
    if (control) {
      throw new IllegalArgumentException("A note has no control characters but line breaks");
    }
  }
}
