package no.bindeledd.audit;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Inclusion and consistency proofs of RFC 9162: made from all leaf hashes, checked from the proof
 * alone. No state, safe on any thread; the lists hold 32-byte hashes.
 */
public final class MerkleProof {
  private MerkleProof() {}

  /** The root hash of the tree over these leaf hashes (§ 2.1.1). */
  public static byte[] root(List<byte[]> leafHashes) {
    return root(new TreeHash(), leafHashes);
  }

  /** The path from a leaf to the root of the tree over all the given leaf hashes (§ 2.1.3.1). */
  public static List<byte[]> inclusion(int index, List<byte[]> leafHashes) {
    if (index < 0 || index >= leafHashes.size()) {
      throw new IllegalArgumentException("No leaf " + index + " in a tree of " + leafHashes.size());
    }
    List<byte[]> path = new ArrayList<>();
    path(new TreeHash(), index, leafHashes, path);
    return path;
  }

  /** Proof that the tree over the first leaf hashes is a prefix of that over all (§ 2.1.4.1). */
  public static List<byte[]> consistency(int first, List<byte[]> leafHashes) {
    if (first < 1 || first > leafHashes.size()) {
      throw new IllegalArgumentException(
          "No consistency proof from " + first + " to " + leafHashes.size());
    }
    List<byte[]> proof = new ArrayList<>();
    subproof(new TreeHash(), first, leafHashes, true, proof);
    return proof;
  }

  /** Checks an inclusion proof (§ 2.1.3.2). */
  public static boolean verifyInclusion(
      byte[] leafHash, long index, long size, List<byte[]> path, byte[] root) {
    if (index < 0 || index >= size) {
      return false;
    }
    TreeHash hash = new TreeHash();
    long fn = index;
    long sn = size - 1;
    byte[] node = leafHash;
    for (byte[] sibling : path) {
      if (sn == 0) {
        return false;
      }
      if ((fn & 1) == 1 || fn == sn) {
        node = hash.node(sibling, node);
        while ((fn & 1) == 0 && fn != 0) {
          fn >>>= 1;
          sn >>>= 1;
        }
      } else {
        node = hash.node(node, sibling);
      }
      fn >>>= 1;
      sn >>>= 1;
    }
    return sn == 0 && Arrays.equals(node, root);
  }

  /** Checks a consistency proof (§ 2.1.4.2). The empty tree is a prefix of every tree. */
  public static boolean verifyConsistency(
      long first, long second, byte[] firstRoot, byte[] secondRoot, List<byte[]> proof) {
    if (first < 0 || first > second) {
      return false;
    }
    if (first == second) {
      return proof.isEmpty() && Arrays.equals(firstRoot, secondRoot);
    }
    TreeHash hash = new TreeHash();
    if (first == 0) {
      return proof.isEmpty() && Arrays.equals(firstRoot, hash.empty());
    }
    List<byte[]> nodes = new ArrayList<>(proof);
    if (Long.bitCount(first) == 1) {
      nodes.addFirst(firstRoot);
    }
    if (nodes.isEmpty()) {
      return false;
    }
    long fn = first - 1;
    long sn = second - 1;
    while ((fn & 1) == 1) {
      fn >>>= 1;
      sn >>>= 1;
    }
    byte[] fr = nodes.getFirst();
    byte[] sr = fr;
    for (byte[] node : nodes.subList(1, nodes.size())) {
      if (sn == 0) {
        return false;
      }
      if ((fn & 1) == 1 || fn == sn) {
        fr = hash.node(node, fr);
        sr = hash.node(node, sr);
        while ((fn & 1) == 0 && fn != 0) {
          fn >>>= 1;
          sn >>>= 1;
        }
      } else {
        sr = hash.node(sr, node);
      }
      fn >>>= 1;
      sn >>>= 1;
    }
    return sn == 0 && Arrays.equals(fr, firstRoot) && Arrays.equals(sr, secondRoot);
  }

  private static byte[] root(TreeHash hash, List<byte[]> leaves) {
    if (leaves.isEmpty()) {
      return hash.empty();
    }
    if (leaves.size() == 1) {
      return leaves.getFirst();
    }
    int split = split(leaves.size());
    byte[] left = root(hash, leaves.subList(0, split));
    return hash.node(left, root(hash, leaves.subList(split, leaves.size())));
  }

  private static void path(TreeHash hash, int index, List<byte[]> leaves, List<byte[]> path) {
    if (leaves.size() == 1) {
      return;
    }
    int split = split(leaves.size());
    List<byte[]> left = leaves.subList(0, split);
    List<byte[]> right = leaves.subList(split, leaves.size());
    if (index < split) {
      path(hash, index, left, path);
      path.add(root(hash, right));
    } else {
      path(hash, index - split, right, path);
      path.add(root(hash, left));
    }
  }

  private static void subproof(
      TreeHash hash, int first, List<byte[]> leaves, boolean known, List<byte[]> proof) {
    if (first == leaves.size()) {
      if (!known) {
        proof.add(root(hash, leaves));
      }
      return;
    }
    int split = split(leaves.size());
    List<byte[]> left = leaves.subList(0, split);
    List<byte[]> right = leaves.subList(split, leaves.size());
    if (first <= split) {
      subproof(hash, first, left, known, proof);
      proof.add(root(hash, right));
    } else {
      subproof(hash, first - split, right, false, proof);
      proof.add(root(hash, left));
    }
  }

  /** The largest power of two below the size. */
  private static int split(int size) {
    return Integer.highestOneBit(size - 1);
  }
}
