package no.bindeledd.audit;

import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/**
 * How large a log's tree is and what its root hash is: the text that the log signs. Immutable; the
 * root is not copied, do not change it. Source: C2SP tlog-checkpoint.
 *
 * @param origin the log's own name, one line
 * @param size entries in the tree
 * @param root RFC 9162 root hash, 32 bytes
 */
public record Checkpoint(String origin, long size, byte[] root) {
  public Checkpoint {
    if (origin.isEmpty() || origin.indexOf('\n') >= 0) {
      throw new IllegalArgumentException("An origin is one line that is not empty");
    }
    if (size < 0 || root.length != TreeHash.LENGTH) {
      throw new IllegalArgumentException("A checkpoint has a size from 0 and a root of 32 bytes");
    }
  }

  /** Origin, size in decimal, root in base64; a line each. */
  public String text() {
    return origin + "\n" + size + "\n" + Base64.getEncoder().encodeToString(root) + "\n";
  }

  public SignedNote sign(LogKey key) {
    return SignedNote.sign(text(), key);
  }

  /**
   * Reads a note's text. Extension lines are allowed and skipped.
   *
   * @throws IllegalArgumentException when it is not exactly a checkpoint
   */
  public static Checkpoint parse(String text) {
    if (!text.endsWith("\n")) {
      throw new IllegalArgumentException("A checkpoint ends with a line break");
    }
    List<String> lines = Arrays.asList(text.substring(0, text.length() - 1).split("\n", -1));
    if (lines.size() < 3 || lines.stream().anyMatch(String::isEmpty)) {
      throw new IllegalArgumentException(
          "A checkpoint has the lines origin, size and root, and no empty line");
    }
    byte[] root = VerifierKey.strictBase64(lines.get(2));
    return new Checkpoint(lines.get(0), decimal(lines.get(1)), root);
  }

  /** A number without sign or leading zeros, as C2SP's formats write it. */
  static long decimal(String text) {
    boolean digits = !text.isEmpty() && text.chars().allMatch(c -> c >= '0' && c <= '9');
    if (!digits || text.length() > 18 || (text.length() > 1 && text.charAt(0) == '0')) {
      throw new IllegalArgumentException("A size or index is decimal without leading zeros");
    }
    return Long.parseLong(text);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Checkpoint c
        && c.origin.equals(origin)
        && c.size == size
        && Arrays.equals(c.root, root);
  }

  @Override
  public int hashCode() {
    return Long.hashCode(size) ^ Arrays.hashCode(root);
  }

  @Override
  public String toString() {
    return text();
  }
}
