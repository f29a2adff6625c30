package no.bindeledd.audit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The Merkle tree of a published log, read from its tiles. Makes proofs; who uses them checks them
 * against a signed root, for nothing read here is trusted. Not thread-safe.
 */
public final class TileTree {
  private static final int KEPT = 64;

  private final LogSource source;
  private final long size;
  private final TreeHash hash = new TreeHash();
  private final Map<TilePath, byte[]> kept =
      new LinkedHashMap<>(KEPT, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<TilePath, byte[]> eldest) {
          return size() > KEPT;
        }
      };

  /**
   * @param size of the tree, as a checkpoint says
   */
  public TileTree(LogSource source, long size) {
    this.source = source;
    this.size = size;
  }

  /** The path from an entry to the root of the tree over the first {@code of} entries. */
  public List<byte[]> inclusion(long index, long of) throws IOException {
    if (index < 0 || index >= of || of > size) {
      throw new IllegalArgumentException(
          "The log has the entries 0 to " + (Math.min(of, size) - 1) + ", not " + index);
    }
    List<byte[]> path = new ArrayList<>();
    path(index, 0, of, path);
    return path;
  }

  /** Proof that the tree over the first entries is a prefix of that over {@code to} (§ 2.1.4.1). */
  public List<byte[]> consistency(long from, long to) throws IOException {
    if (from < 0 || from > to || to > size) {
      throw new IllegalArgumentException("No consistency proof from " + from + " to " + to);
    }
    List<byte[]> proof = new ArrayList<>();
    if (from > 0) {
      subproof(from, 0, to, true, proof);
    }
    return proof;
  }

  /** The bytes of one entry. */
  public byte[] entry(long index) throws IOException {
    byte[] entry = entryIfThere(index);
    if (entry == null) {
      TilePath bundle = TilePath.in(size, TilePath.ENTRIES, index / TilePath.FULL);
      throw new IOException("The published log lacks " + bundle.path());
    }
    return entry;
  }

  /** As {@link #entry}; null when its bundle was taken away: it is in an archive file. */
  public byte @Nullable [] entryIfThere(long index) throws IOException {
    TilePath bundle = TilePath.in(size, TilePath.ENTRIES, index / TilePath.FULL);
    byte[] bytes = source.read(bundle);
    return bytes == null
        ? null
        : EntryBundle.entries(bytes, bundle.width()).get((int) (index % TilePath.FULL));
  }

  /** The root hash of the tree over the first entries. */
  byte[] root(long of) throws IOException {
    return of == 0 ? hash.empty() : range(0, of);
  }

  private void path(long index, long from, long to, List<byte[]> path) throws IOException {
    if (to - from == 1) {
      return;
    }
    long split = from + split(to - from);
    if (index < split) {
      path(index, from, split, path);
      path.add(range(split, to));
    } else {
      path(index, split, to, path);
      path.add(range(from, split));
    }
  }

  private void subproof(long first, long from, long to, boolean known, List<byte[]> proof)
      throws IOException {
    if (first == to) {
      if (!known) {
        proof.add(range(from, to));
      }
      return;
    }
    long split = from + split(to - from);
    if (first <= split) {
      subproof(first, from, split, known, proof);
      proof.add(range(split, to));
    } else {
      subproof(first, split, to, false, proof);
      proof.add(range(from, split));
    }
  }

  /** The hash over a range of entries whose beginning is a multiple of its size's power of two. */
  private byte[] range(long from, long to) throws IOException {
    long count = to - from;
    if (Long.bitCount(count) == 1) {
      return perfect(from, Long.numberOfTrailingZeros(count));
    }
    long split = from + split(count);
    return hash.node(range(from, split), range(split, to));
  }

  /** The hash of the perfect subtree of this height that begins here: some hashes of one tile. */
  private byte[] perfect(long from, int height) throws IOException {
    int level = height / 8;
    long first = from >>> 8 * level;
    byte[] tile = tile(TilePath.in(size, level, first / TilePath.FULL));
    int at = (int) (first % TilePath.FULL) * TreeHash.LENGTH;
    int width = 1 << height % 8;
    byte[] nodes = Arrays.copyOfRange(tile, at, at + width * TreeHash.LENGTH);
    return hash.fold(nodes, width);
  }

  private byte[] tile(TilePath path) throws IOException {
    byte[] known = kept.get(path);
    if (known != null) {
      return known;
    }
    byte[] bytes = source.read(path);
    if (bytes == null || bytes.length != path.width() * TreeHash.LENGTH) {
      throw new IOException(
          "The published log lacks " + path.path() + ", or it has not " + path.width() + " hashes");
    }
    kept.put(path, bytes);
    return bytes;
  }

  /** The largest power of two below the count. */
  private static long split(long count) {
    return Long.highestOneBit(count - 1);
  }
}
