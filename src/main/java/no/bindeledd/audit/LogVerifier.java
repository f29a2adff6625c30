package no.bindeledd.audit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Checks a published log from the first entry to the last, with nothing but its verifier key: every
 * entry against its leaf hash, every tile against the tile below, the root against the signed
 * checkpoint, and every other checkpoint at hand against the tree at its size. Streams, in memory
 * that does not grow with the log; {@code threads} hash side by side.
 */
public final class LogVerifier {
  private static final int GROUP = TilePath.FULL;
  private static final HexFormat HEX = HexFormat.of();

  private final LogSource log;
  private final List<VerifierKey> keys;
  private final TreeHash hash = new TreeHash();
  private final MerkleFrontier segments = new MerkleFrontier(); // its leaves are whole segments
  private final Map<Integer, Cached> upper = new HashMap<>();
  private long size;
  private long proved; // up to where a signed root agreed

  private record Cached(long index, byte[] tile) {}

  /** A checkpoint that the tree must agree with. */
  private record Mark(String name, Checkpoint signed) {}

  /**
   * What came of one segment.
   *
   * @param problem the first, or null
   * @param edges for each mark in the segment, in order: its subtrees inside the segment
   */
  private record Part(
      @Nullable String problem, List<byte[]> edges, byte @Nullable [] root, List<Link> links) {}

  /** An entry that holds another log's checkpoint. */
  private record Link(long index, SignedNote note) {}

  /** Knows the other logs that entries of this one speak of. */
  interface Siblings {
    /**
     * @return what contradicts the checkpoint that the entry with this index holds, or null
     */
    @Nullable String contradiction(long index, SignedNote note) throws IOException;
  }

  private final Siblings siblings;

  private LogVerifier(LogSource log, List<VerifierKey> keys, Siblings siblings) {
    this.log = log;
    this.keys = keys;
    this.siblings = siblings;
  }

  /**
   * @param keys the log's verifier keys, present and earlier
   * @param known other signed checkpoints at hand, unread: kept beside the log, or handed out
   * @param threads how many hash side by side
   * @throws IOException when a piece can neither be read nor is known to be missing
   */
  public static Verification verify(
      LogSource log,
      List<VerifierKey> keys,
      Collection<byte[]> known,
      int threads,
      ProgressListener progress)
      throws IOException {
    return verify(log, keys, known, threads, progress, (index, note) -> null);
  }

  /**
   * As the other.
   *
   * @param siblings the house's other logs
   */
  static Verification verify(
      LogSource log,
      List<VerifierKey> keys,
      Collection<byte[]> known,
      int threads,
      ProgressListener progress,
      Siblings siblings)
      throws IOException {
    LogVerifier verifier = new LogVerifier(log, keys, siblings);
    String problem = verifier.firstProblem(known, threads, progress);
    return new Verification(problem == null, verifier.proved, problem);
  }

  /**
   * Checks the entries of one full segment against its tiles, and gives its root.
   *
   * @param root gets one hash when there is no problem
   */
  static @Nullable String segmentProblem(LogSource log, long size, long from, List<byte[]> root)
      throws IOException {
    Part part;
    try {
      part = new Work(log, size, from, from + Segments.SIZE).check(List.of());
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    if (part.root() != null) {
      root.add(part.root());
    }
    return part.problem();
  }

  private @Nullable String firstProblem(
      Collection<byte[]> known, int threads, ProgressListener progress) throws IOException {
    byte[] checkpoint = log.read(LogDirectory.CHECKPOINT);
    if (checkpoint == null) {
      return "There is no checkpoint: the log was never published, or was removed";
    }
    List<Mark> marks = new ArrayList<>();
    String problem = addMark(marks, "The checkpoint", checkpoint);
    if (problem != null) {
      return problem;
    }
    size = marks.getFirst().signed().size();
    for (byte[] note : known) {
      problem = addMark(marks, "Another checkpoint", note);
      if (problem != null) {
        return problem;
      }
      long other = marks.getLast().signed().size();
      if (other > size) {
        return "Entry %d is missing: the checkpoint says %d entries, another checkpoint %d"
                .formatted(size, size, other)
            + " (newest entries removed, or an old backup published)";
      }
    }
    marks.sort(Comparator.comparingLong(mark -> mark.signed().size()));
    for (Mark mark : marks) {
      if (mark.signed().size() == 0 && !Arrays.equals(mark.signed().root(), hash.empty())) {
        return mark.name() + " at size 0 is signed with a root that is not the empty tree's";
      }
    }
    return walk(marks, threads, progress);
  }

  private @Nullable String addMark(List<Mark> marks, String name, byte[] bytes) {
    try {
      SignedNote note = SignedNote.parse(bytes);
      Checkpoint signed = Checkpoint.parse(note.text());
      boolean other =
          !marks.isEmpty() && !marks.getFirst().signed().origin().equals(signed.origin());
      if (other || !note.verify(VerifierKey.of(keys, signed.origin()))) {
        return name + " at size " + signed.size() + " is not signed by a known key of this log";
      }
      marks.add(new Mark(name, signed));
      return null;
    } catch (IllegalArgumentException e) {
      return name + " cannot be read: " + e.getMessage();
    }
  }

  private @Nullable String walk(List<Mark> marks, int threads, ProgressListener progress)
      throws IOException {
    Deque<Mark> waiting = new ArrayDeque<>(marks);
    while (!waiting.isEmpty() && waiting.getFirst().signed().size() == 0) {
      waiting.removeFirst();
    }
    ExecutorService hashing =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().name("verify-", 0).daemon().factory());
    try {
      Deque<Future<Part>> ahead = new ArrayDeque<>();
      Deque<Mark> unplanned = new ArrayDeque<>(waiting);
      long planned = 0;
      for (long from = 0; from < size; from += Segments.SIZE) {
        for (; planned < size && ahead.size() < 2 * threads; planned += Segments.SIZE) {
          long start = planned;
          long end = Math.min(size, planned + Segments.SIZE);
          List<Long> at = new ArrayList<>();
          while (!unplanned.isEmpty() && unplanned.getFirst().signed().size() <= end) {
            at.add(unplanned.removeFirst().signed().size());
          }
          ahead.add(hashing.submit(() -> new Work(log, size, start, end).check(at)));
        }
        String problem = take(get(ahead.removeFirst()), from, waiting);
        if (problem != null) {
          return problem;
        }
        progress.progress(Math.min(size, from + Segments.SIZE), size);
      }
      return null;
    } finally {
      hashing.shutdownNow();
    }
  }

  private static Part get(Future<Part> part) throws IOException {
    try {
      return part.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UncheckedIOException io) {
        throw io.getCause();
      }
      throw new IllegalStateException("The verification failed", e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted", e);
    }
  }

  /** Compares what is signed, and the tiles above, with one segment more. */
  private @Nullable String take(Part part, long from, Deque<Mark> waiting) throws IOException {
    for (byte[] edge : part.edges()) {
      Checkpoint signed = waiting.getFirst().signed();
      byte[] root = root(signed.size(), edge);
      if (!Arrays.equals(root, signed.root())) {
        return "The first broken entry is one of %d to %d: %s at size %d is signed for the root %s,"
                .formatted(
                    proved,
                    signed.size() - 1,
                    waiting.getFirst().name().toLowerCase(Locale.ROOT),
                    signed.size(),
                    HEX.formatHex(signed.root()))
            + " the entries give "
            + HEX.formatHex(root);
      }
      proved = signed.size();
      waiting.removeFirst();
    }
    if (part.problem() != null) {
      return part.problem();
    }
    for (Link link : part.links()) {
      String problem = siblings.contradiction(link.index(), link.note());
      if (problem != null) {
        return problem;
      }
    }
    if (part.root() == null) {
      return null;
    }
    segments.append(part.root());
    return checkUpper(2, from / Segments.SIZE, part.root());
  }

  /** The root at a size in the segment that is being taken. */
  private byte[] root(long at, byte[] edge) {
    if (at % Segments.SIZE == 0) {
      MerkleFrontier whole = segments.copy();
      whole.append(edge);
      return whole.root();
    }
    byte[] before = segments.serialise();
    byte[] subtrees = Arrays.copyOf(before, before.length + edge.length);
    System.arraycopy(edge, 0, subtrees, before.length, edge.length);
    return MerkleFrontier.parse(at, subtrees).root();
  }

  /** The tiles from level 2 on, each hash when it is known. */
  private @Nullable String checkUpper(int level, long position, byte[] node) throws IOException {
    TilePath path = TilePath.in(size, level, position / GROUP);
    Cached cached = upper.get(level);
    if (cached == null || cached.index() != path.index()) {
      byte[] tile = log.read(path);
      if (tile == null || tile.length != path.width() * TreeHash.LENGTH) {
        return "The tile " + path.path() + " is missing or has the wrong length";
      }
      cached = new Cached(path.index(), tile);
      upper.put(level, cached);
    }
    int at = (int) (position % GROUP);
    if (!same(cached.tile(), at, node, 0)) {
      return "The tile %s is broken: hash %d in it is %s, the entries below give %s"
          .formatted(path.path(), at, hex(cached.tile(), at), HEX.formatHex(node));
    }
    return at < GROUP - 1
        ? null
        : checkUpper(level + 1, position / GROUP, hash.fold(cached.tile().clone(), GROUP));
  }

  private static boolean same(byte[] tile, int at, byte[] other, int otherAt) {
    return Arrays.equals(
        tile,
        at * TreeHash.LENGTH,
        (at + 1) * TreeHash.LENGTH,
        other,
        otherAt * TreeHash.LENGTH,
        (otherAt + 1) * TreeHash.LENGTH);
  }

  private static String hex(byte[] tile, int at) {
    return HEX.formatHex(tile, at * TreeHash.LENGTH, (at + 1) * TreeHash.LENGTH);
  }

  /** Checks the entries of one segment; for one thread. */
  private static final class Work {
    private final LogSource log;
    private final long size;
    private final long from;
    private final long to;
    private final TreeHash hash = new TreeHash();
    private final MerkleFrontier groups = new MerkleFrontier();
    private final List<byte[]> edges = new ArrayList<>();
    private final List<Link> links = new ArrayList<>();
    private byte[] above = new byte[0];

    Work(LogSource log, long size, long from, long to) {
      this.log = log;
      this.size = size;
      this.from = from;
      this.to = to;
    }

    Part check(List<Long> marks) {
      try {
        String problem = readAbove();
        if (problem != null) {
          return new Part(problem, edges, null, links);
        }
        int next = 0;
        for (long start = from; start < to; start += GROUP) {
          byte[] leaves = new byte[GROUP * TreeHash.LENGTH];
          problem = group(start, leaves);
          List<byte[]> within = new ArrayList<>();
          while (problem == null
              && next < marks.size()
              && marks.get(next) <= Math.min(to, start + GROUP)) {
            within.add(edge((int) (marks.get(next++) - start), leaves));
          }
          if (problem == null && start + GROUP <= to) {
            problem = close(start, leaves); // narrower than what a checkpoint could say
          }
          if (problem != null) {
            return new Part(problem, edges, null, links);
          }
          edges.addAll(within);
        }
        boolean whole = to - from == Segments.SIZE;
        return new Part(null, edges, whole ? groups.root() : null, links);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** The tile of level 1 that has the root of every full group here. */
    private @Nullable String readAbove() throws IOException {
      if (to - from < GROUP) {
        return null;
      }
      TilePath path = TilePath.in(size, 1, from / Segments.SIZE);
      byte[] tile = log.read(path);
      if (tile == null || tile.length != path.width() * TreeHash.LENGTH) {
        return "The tile " + path.path() + " is missing or has the wrong length";
      }
      above = tile;
      return null;
    }

    /** Hashes the entries of a bundle and compares them with their tile. */
    private @Nullable String group(long start, byte[] leaves) throws IOException {
      TilePath bundlePath = TilePath.in(size, TilePath.ENTRIES, start / GROUP);
      byte[] bundle = log.read(bundlePath);
      if (bundle == null) {
        return "Entry " + start + " is missing: there is no " + bundlePath.path();
      }
      int[] offsets;
      try {
        offsets = EntryBundle.offsets(bundle, bundlePath.width());
      } catch (IllegalArgumentException e) {
        return firstDifference(start, bundle, bundlePath)
            + bundlePath.path()
            + " is no bundle of "
            + bundlePath.width()
            + " entries, "
            + e.getMessage();
      }
      for (int i = 0; i < offsets.length; i++) {
        hash.leaf(
            bundle,
            offsets[i],
            EntryBundle.length(bundle, offsets[i]),
            leaves,
            i * TreeHash.LENGTH);
      }
      TilePath tilePath = TilePath.in(size, 0, start / GROUP);
      byte[] tile = log.read(tilePath);
      if (tile == null || tile.length != offsets.length * TreeHash.LENGTH) {
        return "The tile " + tilePath.path() + " is missing or has the wrong length";
      }
      int length = offsets.length * TreeHash.LENGTH;
      int differs = Arrays.mismatch(tile, 0, length, leaves, 0, length);
      if (differs < 0) {
        return links(start, bundle, offsets);
      }
      int at = differs / TreeHash.LENGTH;
      return (agreesAbove(start, leaves)
              ? "The tile %4$s is broken at entry %1$d:"
              : "Entry %1$d is broken:")
          .concat(" its bytes hash to %2$s, its tile %4$s says %3$s")
          .formatted(start + at, hex(leaves, at), hex(tile, at), tilePath.path());
    }

    /** Takes the checkpoints of other logs that entries of the bundle hold. */
    private @Nullable String links(long start, byte[] bundle, int[] offsets) {
      for (int i = 0; i < offsets.length; i++) {
        int length = EntryBundle.length(bundle, offsets[i]);
        if (CrossLink.maybe(bundle, offsets[i], length)) {
          byte[] entry = Arrays.copyOfRange(bundle, offsets[i], offsets[i] + length);
          try {
            SignedNote note = CrossLink.read(StoredEntry.published(start + i, entry));
            if (note != null) {
              links.add(new Link(start + i, note));
            }
          } catch (IllegalArgumentException e) {
            return "Entry %d is broken: it cannot be read as an entry, or holds no checkpoint: %s"
                .formatted(start + i, e.getMessage());
          }
        }
      }
      return null;
    }

    /** In a bundle that ends wrongly: the first entry that is not what its tile says. */
    private String firstDifference(long start, byte[] bundle, TilePath path) throws IOException {
      byte[] tile = log.read(TilePath.in(size, 0, path.index()));
      byte[] leaf = new byte[TreeHash.LENGTH];
      int at = 0;
      int i = 0;
      for (; i < path.width() && at + 2 <= bundle.length; i++) {
        int length = EntryBundle.length(bundle, at + 2);
        if (at + 2 + length > bundle.length || tile == null || tile.length < (i + 1) * 32) {
          break;
        }
        hash.leaf(bundle, at + 2, length, leaf, 0);
        if (!same(tile, i, leaf, 0)) {
          return "Entry %d is broken: its bytes hash to %s, its tile says %s. "
              .formatted(start + i, HEX.formatHex(leaf), hex(tile, i));
        }
        at += 2 + length;
      }
      return i < path.width()
          ? "Entry " + (start + i) + " is missing or cut off: "
          : "There is more than entry " + (start + i - 1) + ": ";
    }

    private boolean agreesAbove(long start, byte[] leaves) {
      int at = (int) ((start - from) / GROUP);
      return start + GROUP <= to && same(above, at, hash.fold(leaves.clone(), GROUP), 0);
    }

    private @Nullable String close(long start, byte[] leaves) {
      int at = (int) ((start - from) / GROUP);
      byte[] root = hash.fold(leaves, GROUP);
      if (!same(above, at, root, 0)) {
        return "The first broken entry is one of %d to %d: its tile of level 1 says %s, they give %s"
            .formatted(start, start + GROUP - 1, hex(above, at), HEX.formatHex(root));
      }
      groups.append(root);
      return null;
    }

    /** The subtrees of the first entries of this segment, up to {@code count} in this group. */
    private byte[] edge(int count, byte[] leaves) {
      MerkleFrontier within = new MerkleFrontier();
      MerkleFrontier before = groups;
      if (count == GROUP) {
        before = groups.copy();
        before.append(hash.fold(leaves.clone(), GROUP));
      } else {
        for (int i = 0; i < count; i++) {
          int at = i * TreeHash.LENGTH;
          within.append(Arrays.copyOfRange(leaves, at, at + TreeHash.LENGTH));
        }
      }
      byte[] first = before.serialise();
      byte[] second = within.serialise();
      byte[] all = Arrays.copyOf(first, first.length + second.length);
      System.arraycopy(second, 0, all, first.length, second.length);
      return all;
    }
  }
}
