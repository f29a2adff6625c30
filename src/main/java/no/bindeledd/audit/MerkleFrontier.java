package no.bindeledd.audit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The right edge of an RFC 9162 Merkle tree: the hashes of its perfect subtrees, one for each set
 * bit of the size. Enough to append leaves and to know the root, in memory that grows with the
 * logarithm of the size. Not thread-safe.
 */
public final class MerkleFrontier {
  private final TreeHash hash = new TreeHash();
  private final List<byte[]> subtrees; // largest first
  private long size;

  public MerkleFrontier() {
    this(0, new ArrayList<>());
  }

  private MerkleFrontier(long size, List<byte[]> subtrees) {
    this.size = size;
    this.subtrees = subtrees;
  }

  /**
   * Reads what {@link #serialise} wrote.
   *
   * @throws IllegalArgumentException when the bytes are not one hash for each set bit of the size
   */
  public static MerkleFrontier parse(long size, byte[] serialised) {
    if (size < 0 || serialised.length != Long.bitCount(size) * TreeHash.LENGTH) {
      throw new IllegalArgumentException(
          "The frontier of a tree of size "
              + size
              + " has "
              + Long.bitCount(size) * TreeHash.LENGTH
              + " bytes, this has "
              + serialised.length);
    }
    List<byte[]> subtrees = new ArrayList<>();
    for (int at = 0; at < serialised.length; at += TreeHash.LENGTH) {
      subtrees.add(Arrays.copyOfRange(serialised, at, at + TreeHash.LENGTH));
    }
    return new MerkleFrontier(size, subtrees);
  }

  /** Appends one leaf by its hash, {@code SHA-256(0x00 ‖ entry)}. */
  public void append(byte[] leafHash) {
    byte[] node = leafHash;
    for (long rest = size; (rest & 1) == 1; rest >>>= 1) {
      node = hash.node(subtrees.removeLast(), node);
    }
    subtrees.add(node);
    size++;
  }

  /** The root hash; that of the empty tree is SHA-256 of nothing. */
  public byte[] root() {
    if (size == 0) {
      return hash.empty();
    }
    byte[] root = subtrees.getLast();
    for (int i = subtrees.size() - 2; i >= 0; i--) {
      root = hash.node(subtrees.get(i), root);
    }
    return root.clone();
  }

  public long size() {
    return size;
  }

  /** The hashes, largest subtree first, 32 bytes each. */
  public byte[] serialise() {
    byte[] bytes = new byte[subtrees.size() * TreeHash.LENGTH];
    for (int i = 0; i < subtrees.size(); i++) {
      System.arraycopy(subtrees.get(i), 0, bytes, i * TreeHash.LENGTH, TreeHash.LENGTH);
    }
    return bytes;
  }

  /** An independent frontier of the same tree. */
  public MerkleFrontier copy() {
    return new MerkleFrontier(size, new ArrayList<>(subtrees));
  }
}
