package no.bindeledd.audit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Proof that an entry stands in a log, which its reader checks with the entry's bytes and the log's
 * verifier key, and nothing else. Immutable. Source: C2SP tlog-proof.
 *
 * @param index the entry's, from 0
 * @param path hashes from the leaf's sibling to the root's child
 * @param checkpoint signed, over a tree that holds the entry
 */
public record LogProof(long index, List<byte[]> path, SignedNote checkpoint) {
  private static final String HEADER = "c2sp.org/tlog-proof@v1";
  private static final int MAX_PATH = 63;

  public LogProof {
    path = List.copyOf(path);
    if (index < 0 || path.size() > MAX_PATH) {
      throw new IllegalArgumentException("A proof has an index from 0 and at most 63 hashes");
    }
  }

  /** Makes the proof from a published log and its checkpoint. */
  public static LogProof of(LogSource log, long index, SignedNote checkpoint) throws IOException {
    long size = Checkpoint.parse(checkpoint.text()).size();
    return new LogProof(index, new TileTree(log, size).inclusion(index, size), checkpoint);
  }

  /** Header, index, path, an empty line, checkpoint. */
  public String encoded() {
    StringBuilder text = new StringBuilder(HEADER).append("\nindex ").append(index).append('\n');
    for (byte[] node : path) {
      text.append(Base64.getEncoder().encodeToString(node)).append('\n');
    }
    return text.append('\n').append(checkpoint.encoded()).toString();
  }

  /**
   * Reads a proof; nothing is verified yet. Extra data are allowed and skipped.
   *
   * @throws IllegalArgumentException when it is not exactly a proof
   */
  public static LogProof parse(String text) {
    int split = text.indexOf("\n\n");
    if (split < 0) {
      throw new IllegalArgumentException("A proof has an empty line before its checkpoint");
    }
    List<String> lines = new ArrayList<>(List.of(text.substring(0, split).split("\n", -1)));
    if (!lines.removeFirst().equals(HEADER)) {
      throw new IllegalArgumentException("A proof begins with " + HEADER);
    }
    if (!lines.isEmpty() && lines.getFirst().startsWith("extra ")) {
      VerifierKey.strictBase64(lines.removeFirst().substring("extra ".length()));
    }
    if (lines.isEmpty() || !lines.getFirst().startsWith("index ")) {
      throw new IllegalArgumentException("A proof says its index");
    }
    long index = Checkpoint.decimal(lines.removeFirst().substring("index ".length()));
    List<byte[]> path = new ArrayList<>();
    for (String line : lines) {
      byte[] node = VerifierKey.strictBase64(line);
      if (node.length != TreeHash.LENGTH) {
        throw new IllegalArgumentException("A proof's hashes have 32 bytes");
      }
      path.add(node);
    }
    return new LogProof(index, path, SignedNote.parse(text.substring(split + 2)));
  }

  /** Null when the proof holds for these bytes, else why not. */
  public @Nullable String problem(byte[] entry, Collection<VerifierKey> keys) {
    Checkpoint signed;
    try {
      signed = Checkpoint.parse(checkpoint.text());
    } catch (IllegalArgumentException e) {
      return "The proof's checkpoint cannot be read: " + e.getMessage();
    }
    if (!checkpoint.verify(keys)
        || keys.stream().noneMatch(k -> k.name().equals(signed.origin()))) {
      return "The proof's checkpoint is not signed by a known key of its log";
    }
    return MerkleProof.verifyInclusion(
            new TreeHash().leaf(entry), index, signed.size(), path, signed.root())
        ? null
        : "The entry is not the one at index " + index + " of the signed tree";
  }
}
