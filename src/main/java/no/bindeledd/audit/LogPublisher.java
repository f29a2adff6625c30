package no.bindeledd.audit;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGStatement;

/**
 * Writes the ledger as a tiled log (C2SP tlog-tiles) into a {@link LogDirectory}: first what a
 * checkpoint covers, then the checkpoint. Goes on where the published checkpoint stands, also after
 * a crash: what was written beyond it is written again, the same. Whatever disagrees with the
 * signed root is not published.
 *
 * <p>As a follower of the ledger it needs no entry read back that was confirmed lately; whatever it
 * was not told, or had no room for, it reads from the database.
 *
 * <p>Not thread-safe: {@link #publish} is called by one thread at a time; {@link #confirmed} by
 * any.
 */
public final class LogPublisher implements Ledger.Follower {
  /** An earlier checkpoint is kept when the size passes a multiple of this. */
  static final int KEEP_EVERY = 1024;

  private static final int FETCH = 2000;

  /** So many pieces are written at the same time. */
  private static final int MOST_AT_ONCE = 32;

  private final DataSource source;
  private final Ledger ledger;
  private final LogKey key;
  private final LogDirectory directory;
  private final Cosigners cosigners;
  private final TreeHash hash = new TreeHash();
  private @Nullable Checkpoint published;
  private boolean asked; // the witnesses, since the start
  private int signatures; // on the published checkpoint
  private Edge edge = new Edge();
  private final Unpublished told = new Unpublished();

  /** Adds the signatures of witnesses; see {@link Witnesses}. */
  @FunctionalInterface
  public interface Cosigners {
    Cosigners NONE = (note, log) -> note;

    /**
     * @param note signed by the log
     * @param log has all tiles for it
     * @return the note with the signatures that came in time
     * @throws LedgerException when a witness knows a tree that this one does not extend
     */
    SignedNote cosign(SignedNote note, LogSource log) throws IOException;

    /** False while somebody who did not answer the last time is to be asked again. */
    default boolean complete() {
      return true;
    }
  }

  public LogPublisher(
      DataSource source, Ledger ledger, LogKey key, LogDirectory directory, Cosigners cosigners) {
    this.source = source;
    this.ledger = ledger;
    this.key = key;
    this.directory = directory;
    this.cosigners = cosigners;
  }

  /**
   * Refuses a log that is older than, or another than, the published one.
   *
   * @throws LedgerException when the ledger does not extend what is published
   */
  public void open() throws IOException, SQLException {
    byte[] bytes = directory.read(LogDirectory.CHECKPOINT);
    if (bytes == null) {
      return;
    }
    SignedNote note;
    Checkpoint found;
    try {
      note = SignedNote.parse(bytes);
      found = Checkpoint.parse(note.text());
    } catch (IllegalArgumentException e) {
      throw new LedgerException(
          "The published checkpoint in " + directory.folder() + " cannot be read", e);
    }
    if (!note.verify(key.verifiers()) || !found.origin().equals(key.verifier().name())) {
      throw new LedgerException(
          "The log published in " + directory.folder() + " is not signed by this log's keys");
    }
    if (found.size() > ledger.size()) {
      throw SignedTree.older(found.origin(), ledger.size(), found.size(), "what is published has");
    }
    Edge stored = Edge.read(directory, found.size());
    if (stored != null && Arrays.equals(stored.root(hash), found.root())) {
      edge = stored;
    } else {
      extend(found); // pieces are missing: all is written anew, and must lead to the same root
    }
    published = found;
  }

  /**
   * Publishes up to the newest confirmed entry.
   *
   * @return entries published in all
   * @throws LedgerException when the stored entries do not lead to the signed root, or a witness
   *     has seen another log
   */
  public long publish() throws IOException, SQLException {
    SignedNote note = ledger.checkpoint();
    Checkpoint newest = Checkpoint.parse(note.text());
    Checkpoint before = published;
    boolean again = asked && before != null && before.size() == newest.size();
    if (again && cosigners.complete()) {
      return newest.size();
    }
    byte[] keys =
        key.verifiers().stream()
            .map(verifier -> verifier.vkey() + "\n")
            .collect(Collectors.joining())
            .getBytes(StandardCharsets.UTF_8);
    directory.write(LogDirectory.KEYS, keys, keys.length);
    extend(newest);
    SignedNote cosigned = cosigners.cosign(note, directory);
    asked = true;
    if (again && cosigned.signatures().size() <= signatures) {
      return newest.size(); // those who were away still are
    }
    signatures = cosigned.signatures().size();
    byte[] signed = cosigned.encoded().getBytes(StandardCharsets.UTF_8);
    if (before == null || before.size() / KEEP_EVERY != newest.size() / KEEP_EVERY) {
      directory.keepCheckpoint(newest.size(), signed);
    }
    directory.write(LogDirectory.CHECKPOINT, signed, signed.length);
    published = newest;
    announce(note);
    return newest.size();
  }

  /** For the other shards, which enter it in their own logs. */
  private void announce(SignedNote note) throws SQLException {
    try (Connection connection = source.getConnection();
        PreparedStatement upsert =
            connection.prepareStatement(
                "INSERT INTO audit_published (shard, checkpoint) VALUES (?, ?)"
                    + " ON CONFLICT (shard) DO UPDATE SET checkpoint = excluded.checkpoint")) {
      upsert.setInt(1, ledger.shard().number());
      upsert.setString(2, note.encoded());
      upsert.executeUpdate();
    }
  }

  @Override
  public void confirmed(Confirmed batch) {
    told.confirmed(batch);
  }

  private void extend(Checkpoint to) throws IOException, SQLException {
    boolean done = false;
    try {
      while (edge.size < to.size()) {
        Confirmed batch = told.from(edge.size);
        if (batch == null || Shard.index(batch.first()) > edge.size) {
          long end = batch == null ? to.size() : Shard.index(batch.first());
          readBack(Math.min(end, to.size()));
        } else {
          append(batch, to.size());
        }
      }
      byte[] root = edge.root(hash);
      if (!Arrays.equals(root, to.root())) {
        throw new LedgerException(
            "The stored entries do not lead to the signed root at size "
                + to.size()
                + ": nothing more is published. Run the verification");
      }
      edge.flush(directory);
      told.forgetBefore(to.size());
      done = true;
    } finally {
      if (!done) {
        // Begin again from what is published: the entries read now may be half a batch.
        Edge again = published == null ? null : Edge.read(directory, published.size());
        edge = again == null ? new Edge() : again;
      }
    }
  }

  /** The entries of the batch that are not there yet, up to a size. */
  private void append(Confirmed batch, long size) throws IOException {
    long index = Shard.index(batch.first());
    int at = 0;
    for (int i = 0; i < batch.size() && index < size; i++, index++) {
      int length = Short.BYTES + EntryBundle.length(batch.bundle(), at + Short.BYTES);
      if (index >= edge.size) {
        int leaf = i * TreeHash.LENGTH;
        edge.append(
            batch.bundle(),
            at,
            length,
            Arrays.copyOfRange(batch.leaves(), leaf, leaf + TreeHash.LENGTH),
            hash,
            directory);
      }
      at += length;
    }
  }

  /** Reads the entries up to a size from the database. */
  private void readBack(long size) throws IOException, SQLException {
    try (Connection connection = source.getConnection()) {
      connection.setAutoCommit(false);
      try (PreparedStatement select =
          connection.prepareStatement(
              "SELECT idx, entry FROM audit_entry WHERE idx >= ? AND idx < ? ORDER BY idx")) {
        select.setFetchSize(FETCH);
        select.unwrap(PGStatement.class).setPrepareThreshold(-1);
        Shard shard = ledger.shard();
        ArchivedSegment.each(
            connection,
            shard.entry(edge.size),
            shard.entry(size),
            entry -> {
              appendArchived(entry);
              return true;
            });
        select.setLong(1, shard.entry(edge.size));
        select.setLong(2, shard.entry(size));
        try (ResultSet rows = select.executeQuery()) {
          while (rows.next() && rows.getLong(1) == shard.entry(edge.size)) {
            edge.append(rows.getBytes(2), hash, directory);
          }
        }
      } finally {
        connection.rollback();
        connection.setAutoCommit(true);
      }
    }
    if (edge.size != size) {
      throw new LedgerException("Entry " + edge.size + " is missing from the ledger");
    }
  }

  private void appendArchived(StoredEntry entry) {
    try {
      edge.append(entry.entry(), hash, directory);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The unfinished tile of each level, the unfinished bundle, and full ones to be written. */
  private static final class Edge {
    private final List<byte[]> tiles = new ArrayList<>(); // a full tile's room for each level
    private byte[] bundle = new byte[1 << 16];
    private int bundled;
    private long size;
    private final List<LogDirectory.Piece> unwritten = new ArrayList<>();
    private final Deque<byte[]> spare = new ArrayDeque<>(); // bundles that were written

    /** As the pieces of a tree of this size say, or null when some are missing. */
    static @Nullable Edge read(LogSource log, long size) throws IOException {
      Edge edge = new Edge();
      edge.size = size;
      int width = (int) (size % TilePath.FULL);
      if (width > 0) {
        byte[] bundle = log.read(new TilePath(TilePath.ENTRIES, size / TilePath.FULL, width));
        if (bundle == null) {
          return null;
        }
        edge.add(bundle, 0, bundle.length);
      }
      for (int level = 0; size >>> 8 * level > 0; level++) {
        long hashes = size >>> 8 * level;
        int unfinished = (int) (hashes % TilePath.FULL);
        byte[] tile = new byte[TilePath.FULL * TreeHash.LENGTH];
        if (unfinished > 0) {
          byte[] found = log.read(new TilePath(level, hashes / TilePath.FULL, unfinished));
          if (found == null || found.length != unfinished * TreeHash.LENGTH) {
            return null;
          }
          System.arraycopy(found, 0, tile, 0, found.length);
        }
        edge.tiles.add(tile);
      }
      return edge;
    }

    void append(byte[] entry, TreeHash hash, LogDirectory to) throws IOException {
      byte[] prefixed =
          ByteBuffer.allocate(Short.BYTES + entry.length)
              .putShort((short) entry.length)
              .put(entry)
              .array();
      append(prefixed, 0, prefixed.length, hash.leaf(entry), hash, to);
    }

    /**
     * @param length of the entry behind its length in two bytes
     * @param leaf its hash
     */
    void append(byte[] from, int at, int length, byte[] leaf, TreeHash hash, LogDirectory to)
        throws IOException {
      add(from, at, length);
      byte[] node = leaf;
      long position = size;
      size++;
      if (size % TilePath.FULL == 0) {
        TilePath path = new TilePath(TilePath.ENTRIES, position / TilePath.FULL, TilePath.FULL);
        unwritten.add(new LogDirectory.Piece(path, bundle, bundled));
        bundled = 0;
        if (unwritten.size() >= MOST_AT_ONCE) {
          write(to);
        }
        bundle = spare.isEmpty() ? new byte[bundle.length] : spare.pop();
      }
      for (int level = 0; ; level++) {
        if (tiles.size() == level) {
          tiles.add(new byte[TilePath.FULL * TreeHash.LENGTH]);
        }
        byte[] tile = tiles.get(level);
        int place = (int) (position % TilePath.FULL);
        System.arraycopy(node, 0, tile, place * TreeHash.LENGTH, TreeHash.LENGTH);
        if (place < TilePath.FULL - 1) {
          return;
        }
        TilePath path = new TilePath(level, position / TilePath.FULL, TilePath.FULL);
        unwritten.add(new LogDirectory.Piece(path, tile.clone(), tile.length));
        node = hash.fold(tile, TilePath.FULL);
        position /= TilePath.FULL;
      }
    }

    private void add(byte[] bytes, int offset, int length) {
      if (bundled + length > bundle.length) {
        bundle = Arrays.copyOf(bundle, Math.max(2 * bundle.length, bundled + length));
      }
      System.arraycopy(bytes, offset, bundle, bundled, length);
      bundled += length;
    }

    /** Writes what there is of full and partial pieces. */
    void flush(LogDirectory to) throws IOException {
      int width = (int) (size % TilePath.FULL);
      if (width > 0) {
        TilePath path = new TilePath(TilePath.ENTRIES, size / TilePath.FULL, width);
        unwritten.add(new LogDirectory.Piece(path, bundle, bundled));
      }
      for (int level = 0; level < tiles.size(); level++) {
        long hashes = size >>> 8 * level;
        int unfinished = (int) (hashes % TilePath.FULL);
        if (unfinished > 0) {
          TilePath path = new TilePath(level, hashes / TilePath.FULL, unfinished);
          unwritten.add(
              new LogDirectory.Piece(path, tiles.get(level), unfinished * TreeHash.LENGTH));
        }
      }
      write(to);
    }

    private void write(LogDirectory to) throws IOException {
      to.write(unwritten);
      for (LogDirectory.Piece piece : unwritten) {
        if (piece.path().level() == TilePath.ENTRIES && piece.path().full()) {
          spare.push(piece.bytes());
        }
      }
      unwritten.clear();
    }

    byte[] root(TreeHash hash) {
      MerkleFrontier frontier = new MerkleFrontier();
      byte[] subtrees = new byte[Long.bitCount(size) * TreeHash.LENGTH];
      int at = 0;
      for (int level = tiles.size() - 1; level >= 0; level--) {
        int unfinished = (int) ((size >>> 8 * level) % TilePath.FULL);
        int from = 0;
        for (int width = TilePath.FULL / 2; width > 0; width /= 2) {
          if ((unfinished & width) != 0) {
            byte[] nodes =
                Arrays.copyOfRange(
                    tiles.get(level), from * TreeHash.LENGTH, (from + width) * TreeHash.LENGTH);
            System.arraycopy(hash.fold(nodes, width), 0, subtrees, at, TreeHash.LENGTH);
            at += TreeHash.LENGTH;
            from += width;
          }
        }
      }
      frontier = MerkleFrontier.parse(size, subtrees);
      return frontier.root();
    }
  }
}
