package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGStatement;

/**
 * Checks the log of one shard in the database: {@link LedgerVerifier} says how. Indexes are those
 * of the shard's own log. For one use by one thread.
 */
final class ShardVerifier {
  private static final int FETCH = 2000;
  private static final int PROGRESS_EVERY = 8192;
  private static final HexFormat HEX = HexFormat.of();

  private final List<VerifierKey> keys;
  private final Shard shard;
  private final String origin;
  private final Whole whole;
  private final TreeHash hash = new TreeHash();
  private final MerkleFrontier tree = new MerkleFrontier();
  private long proved; // the size up to which a signed root agreed
  private @Nullable String suspect; // the first entry that does not match its recorded hash
  private @Nullable MerkleFrontier recomputed; // from the suspect on, over hashes of the bytes

  /** Sees every entry that is what its shard says it is. */
  interface Whole {
    /**
     * @return what is wrong with it all the same, or null
     */
    @Nullable String take(StoredEntry row);
  }

  private @Nullable Mark next;

  /**
   * @param keys that may sign this shard's checkpoints
   * @param origin the log's name
   */
  ShardVerifier(List<VerifierKey> keys, Shard shard, String origin, Whole whole) {
    this.keys = keys;
    this.shard = shard;
    this.origin = origin;
    this.whole = whole;
  }

  /** A place where the tree must have a signed root. */
  record Mark(String name, long size, byte @Nullable [] frontier, String note) {}

  /** Marks in the order of their sizes; null at the end. */
  interface MarkSource {
    @Nullable Mark next() throws SQLException;
  }

  /**
   * Checks everything of this shard.
   *
   * @param given what it must agree with besides the checkpoints that it keeps
   * @param progress told entries of this shard
   */
  @Nullable String firstProblem(
      Connection connection, Mark head, List<MarkSource> given, ProgressListener progress)
      throws SQLException {
    try (PreparedStatement kept =
            connection.prepareStatement(
                "SELECT size, frontier, checkpoint FROM audit_checkpoint WHERE shard = ?"
                    + " ORDER BY size");
        PreparedStatement entries =
            connection.prepareStatement(
                "SELECT "
                    + StoredEntry.COLUMNS
                    + " FROM audit_entry WHERE idx >= ? AND idx < ? ORDER BY idx")) {
      inPortions(kept);
      kept.setInt(1, shard.number());
      inPortions(entries);
      entries.setLong(1, shard.number() == 0 ? Long.MIN_VALUE : shard.first());
      entries.setLong(2, shard.end());
      try (ResultSet keptRows = kept.executeQuery();
          ResultSet rows = entries.executeQuery()) {
        List<MarkSource> sources = new ArrayList<>(given);
        sources.add(
            () ->
                keptRows.next()
                    ? new Mark(
                        "The kept checkpoint",
                        keptRows.getLong(1),
                        keptRows.getBytes(2),
                        keptRows.getString(3))
                    : null);
        return walk(connection, rows, new Marks(sources), head, progress);
      }
    }
  }

  private @Nullable String step(
      StoredEntry entry, Marks marks, Mark head, ProgressListener progress) throws SQLException {
    String problem = take(entry, head.size());
    while (problem == null && next != null && next.size() <= tree.size()) {
      problem = check(next);
      next = marks.next();
    }
    if (problem == null && tree.size() % PROGRESS_EVERY == 0) {
      progress.progress(tree.size(), head.size());
    }
    return problem;
  }

  /** Entries read. */
  long size() {
    return tree.size();
  }

  private @Nullable String walk(
      Connection connection, ResultSet rows, Marks marks, Mark head, ProgressListener progress)
      throws SQLException {
    next = marks.next();
    while (next != null && next.size() == 0) {
      String problem = check(next);
      if (problem != null) {
        return problem;
      }
      next = marks.next();
    }
    AtomicReference<@Nullable String> found = new AtomicReference<>();
    ArchivedSegment.each(
        connection,
        shard.first(),
        shard.end(),
        entry -> {
          found.set(step(entry, marks, head, progress));
          return found.get() == null;
        });
    while (found.get() == null && rows.next()) {
      found.set(step(StoredEntry.read(rows), marks, head, progress));
    }
    if (found.get() != null) {
      return found.get();
    }
    progress.progress(tree.size(), head.size());
    if (tree.size() < head.size()) {
      return broken(
          "Entry " + tree.size() + " is missing: the signed head says " + head.size() + " entries");
    }
    if (next != null) {
      return broken(
          "Entry "
              + tree.size()
              + " is missing: "
              + Character.toLowerCase(next.name().charAt(0))
              + next.name().substring(1)
              + " is of size "
              + next.size());
    }
    return check(head);
  }

  /** Adds one entry to the tree, unless it breaks the sequence. */
  private @Nullable String take(StoredEntry row, long size) {
    long index = tree.size();
    long stored = row.index() - shard.first();
    if (stored > index) {
      return broken("Entry " + index + " is missing: the next stored has index " + stored);
    }
    if (stored < index) {
      return broken("Entry " + stored + " is stored more than once, or is below index 0");
    }
    if (index >= size) {
      return broken("Entry " + index + " is not signed: the head says " + size + " entries");
    }
    byte[] found = row.leafHash(hash);
    String wrong =
        Arrays.equals(found, row.leaf())
            ? row.disagreement()
            : "its recorded hash is " + hex(row.leaf()) + ", its bytes hash to " + hex(found);
    if (wrong == null) {
      wrong = whole.take(row);
    }
    if (wrong != null && suspect == null) {
      suspect = "Entry " + index + " is broken: " + wrong;
      recomputed = tree.copy();
    }
    if (recomputed != null) {
      recomputed.append(found);
    }
    tree.append(
        row.leaf()); // so that the next checkpoint tells whether an earlier one is broken too
    return null;
  }

  /** Adds what is known of the entries since the last proved checkpoint. */
  private String broken(String problem) {
    return suspect != null ? suspect + ". Then: " + problem : problem;
  }

  /** Compares the tree, which has the mark's size, with what was signed. */
  private @Nullable String check(Mark mark) {
    Checkpoint signed;
    try {
      SignedNote note = SignedNote.parse(mark.note());
      if (!note.verify(keys) || !Checkpoint.parse(note.text()).origin().equals(origin)) {
        return broken(mark.name() + " at size " + mark.size() + " is not signed by a known key");
      }
      signed = Checkpoint.parse(note.text());
    } catch (IllegalArgumentException e) {
      return broken(mark.name() + " at size " + mark.size() + " cannot be read: " + e.getMessage());
    }
    byte[] root = tree.root();
    if (signed.size() != mark.size() || mark.size() != tree.size()) {
      return broken(
          mark.name() + " stored at size " + mark.size() + " is signed for size " + signed.size());
    }
    if (recomputed != null && Arrays.equals(recomputed.root(), signed.root())) {
      return suspect; // the bytes are what was signed: the recorded hash or a column was altered
    }
    if (!Arrays.equals(root, signed.root())) {
      String range =
          tree.size() == 0
              ? "The empty tree"
              : "The first broken entry is one of " + proved + " to " + (tree.size() - 1);
      String roots =
          ": by "
              + Character.toLowerCase(mark.name().charAt(0))
              + mark.name().substring(1)
              + " at size "
              + tree.size()
              + " the signed root is "
              + hex(signed.root())
              + ", the recorded hashes give "
              + hex(root);
      return range + roots + (suspect == null ? "" : ". Also: " + suspect);
    }
    if (suspect != null) {
      return suspect;
    }
    if (mark.frontier() != null && !Arrays.equals(mark.frontier(), tree.serialise())) {
      return mark.name() + " at size " + mark.size() + " has a frontier that is not the tree's";
    }
    proved = tree.size();
    return null;
  }

  /** Rows come in portions, in PostgreSQL's binary form. */
  private static void inPortions(PreparedStatement statement) throws SQLException {
    statement.setFetchSize(FETCH);
    statement.unwrap(PGStatement.class).setPrepareThreshold(-1);
  }

  private static String hex(byte[] bytes) {
    return HEX.formatHex(bytes);
  }

  /** All marks by size, each source's next one at hand. */
  private static final class Marks {
    private final List<MarkSource> sources;
    private final List<@Nullable Mark> heads = new ArrayList<>();

    Marks(List<MarkSource> sources) throws SQLException {
      this.sources = sources;
      for (MarkSource source : sources) {
        heads.add(source.next());
      }
    }

    @Nullable Mark next() throws SQLException {
      int first = -1;
      for (int i = 0; i < sources.size(); i++) {
        Mark head = heads.get(i);
        Mark least = first < 0 ? null : heads.get(first);
        if (head != null && (least == null || head.size() < least.size())) {
          first = i;
        }
      }
      if (first < 0) {
        return null;
      }
      Mark next = heads.get(first);
      heads.set(first, sources.get(first).next());
      return next;
    }
  }
}
