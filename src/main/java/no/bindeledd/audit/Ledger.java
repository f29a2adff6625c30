package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * The append side of the log: gives entries their index, grows the tree, signs the checkpoint, and
 * writes all of it in the caller's transaction, so that record and release are one act.
 *
 * <p><b>Threads.</b> {@code append}, {@code confirm}, {@code discard}, {@code resync} and {@code
 * close} belong to one thread, the journal; {@code size} and {@code checkpoint} to any.
 *
 * <p><b>Protocol.</b> {@code append} once in a transaction, then {@code confirm} after the commit
 * or {@code discard} after a rollback. When neither is certain (the connection broke in the
 * commit), {@code resync} on a new connection. Memory never runs ahead of the database.
 *
 * <p><b>Refusals.</b> What is stored must be what this log signed, and no older than what it
 * remembers in {@code <key file>.checkpoint}; else {@link LedgerException} and the gate stays shut.
 */
public final class Ledger implements AutoCloseable {
  /** A checkpoint is kept when the size passes a multiple of this. */
  static final int KEEP_EVERY = 1024;

  private final LogKey key;
  private final Shard shard;
  private final String origin;
  private final @Nullable UUID holder; // null for a guest, who writes beside the holder
  private final CheckpointFile file;
  private final EntryRows rows = new EntryRows();
  private volatile SignedTree confirmed;
  private @Nullable Pending pending;
  private boolean fileBehind;
  private long segmentsEnd; // 0 until asked
  private final List<Follower> followers = new CopyOnWriteArrayList<>();

  /**
   * Is told what was confirmed, on the journal's thread: takes what it needs and returns at once,
   * without errors. What it was not told (before it followed, or when the fate of a commit was
   * unknown) is in the database.
   */
  @FunctionalInterface
  public interface Follower {
    void confirmed(Confirmed batch);
  }

  private Ledger(
      LogKey key, Shard shard, @Nullable UUID holder, CheckpointFile file, SignedTree confirmed) {
    this.key = key;
    this.shard = shard;
    this.origin = key.verifier().name();
    this.holder = holder;
    this.file = file;
    this.confirmed = confirmed;
  }

  /** What was written; its rows are kept until the next. */
  private record Pending(
      Appended appended, SignedTree state, long segmentsEnd, List<AuditEntry> entries) {}

  /**
   * Opens the first shard's log as a guest: beside a hub that may be writing it, which notices.
   *
   * @param house the name of the house's first log
   */
  public static Ledger open(DataSource source, LogKey key, String house, InstantSource clock)
      throws SQLException {
    return open(source, key, house, Shard.FIRST, null, clock);
  }

  /**
   * Opens a shard's log, and begins it when the database has none. Whoever held it before writes no
   * more: so at most one instance releases and delivers what is in it.
   *
   * @param house the name of the house's first log; the key has the name of the shard's log
   * @throws LedgerException when the stored tree is not signed by this log, does not agree with
   *     itself, or is older than or another than the remembered checkpoint
   */
  public static Ledger hold(
      DataSource source, LogKey key, String house, Shard shard, InstantSource clock)
      throws SQLException {
    return open(source, key, house, shard, UUID.randomUUID(), clock);
  }

  private static Ledger open(
      DataSource source,
      LogKey key,
      String house,
      Shard shard,
      @Nullable UUID holder,
      InstantSource clock)
      throws SQLException {
    String origin = shard.origin(house);
    if (!key.verifier().name().equals(origin)) {
      throw new LedgerException(
          "The log is " + origin + " but its key is named " + key.verifier().name());
    }
    CheckpointFile file = new CheckpointFile(key.checkpointFile(), clock);
    SignedNote known = file.read();
    try (Connection connection = source.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(false);
      try {
        begin(connection, key, house, shard, known);
        snapshot(connection);
        SignedTree state = SignedTree.stored(connection, key, origin);
        SignedTree.requireNewest(connection, shard, state.size());
        if (known != null) {
          state.requireExtends(connection, key, shard, known, file);
        }
        file.write(state.note());
        connection.rollback();
        if (holder != null) {
          take(connection, shard, holder);
        }
        return new Ledger(key, shard, holder, file, state);
      } finally {
        connection.rollback();
        connection.setAutoCommit(autoCommit);
      }
    }
  }

  private static void take(Connection connection, Shard shard, UUID holder) throws SQLException {
    try (PreparedStatement update =
        connection.prepareStatement("UPDATE audit_head SET holder = ? WHERE shard = ?")) {
      update.setObject(1, holder);
      update.setInt(2, shard.number());
      update.executeUpdate();
    }
    connection.commit();
  }

  /**
   * Writes a batch in the caller's transaction. At most one batch may be outstanding.
   *
   * @param entries at least one, in the order of their indexes
   * @throws LedgerException when another instance wrote meanwhile: roll back, then {@link #resync};
   *     or when the checkpoint file cannot be written
   */
  public Appended append(Connection connection, List<AuditEntry> entries) throws SQLException {
    if (entries.isEmpty() || pending != null || connection.getAutoCommit()) {
      throw new IllegalStateException(
          "append takes at least one entry, inside a transaction, with no other batch outstanding");
    }
    if (fileBehind) {
      remember(); // a log that cannot remember its checkpoint does not go on
    }
    SignedTree before = confirmed;
    MerkleFrontier frontier = before.frontier().copy();
    rows.begin();
    for (AuditEntry entry : entries) {
      frontier.append(rows.add(shard.entry(frontier.size()), entry));
    }
    Appended appended = new Appended(next(), frontier.size(), frontier.root());
    SignedNote note = new Checkpoint(origin, frontier.size(), appended.root()).sign(key);
    SignedTree after = new SignedTree(frontier, note);
    moveHead(connection, before.size(), after); // first: the loser of two writers waits and learns
    long end = segmentsEnd;
    long ahead = shard.entry(after.size() + Segments.SIZE / 2); // of need
    if (ahead > end) {
      end = Segments.extend(connection, shard, ahead);
    }
    rows.copyInto(connection);
    if (before.size() / KEEP_EVERY != after.size() / KEEP_EVERY) {
      keep(connection, after);
    }
    pending = new Pending(appended, after, end, entries);
    return appended;
  }

  /** The transaction of the outstanding batch was committed. */
  public void confirm(Appended appended) {
    Pending committed = outstanding(appended);
    confirmed = committed.state();
    segmentsEnd = committed.segmentsEnd();
    pending = null;
    if (!followers.isEmpty()) {
      Confirmed batch = rows.confirmed(appended.firstEntry(), committed.entries());
      followers.forEach(follower -> follower.confirmed(batch));
    }
    fileBehind = true;
    try {
      remember();
    } catch (LedgerException e) {
      // The batch is durable; the next append tries again, and refuses if it must.
    }
  }

  /** The transaction of the outstanding batch was rolled back. */
  public void discard(Appended appended) {
    outstanding(appended);
    pending = null;
  }

  /**
   * Reads the head again: when the outcome of a commit is unknown, or when another instance wrote.
   * Afterwards no batch is outstanding and {@link #append} goes on from what is stored. A
   * transaction whose connection broke may still be about to commit: it holds the head's row, so
   * this waits for its end.
   *
   * @return true when the outstanding batch turned out to be committed
   * @throws LedgerException when what is stored does not extend what this log had confirmed
   */
  public boolean resync(Connection connection) throws SQLException {
    requireWritable(connection);
    SignedTree before = confirmed;
    SignedTree stored = SignedTree.stored(connection, key, origin);
    if (stored.size() < before.size()) {
      throw SignedTree.older(origin, stored.size(), before.size(), "this instance confirmed");
    }
    Appended open = pending == null ? null : pending.appended();
    MerkleFrontier frontier = before.frontier().copy();
    byte[] rootAtOpen =
        SignedTree.replay(
            connection, shard, frontier, stored.size(), open == null ? -1 : open.size());
    SignedTree.requireSameRoot(origin, frontier.root(), stored.frontier().root(), stored.size());
    confirmed = stored;
    pending = null;
    fileBehind = true;
    remember();
    return open != null && rootAtOpen != null && Arrays.equals(rootAtOpen, open.root());
  }

  /**
   * Locks the head's row until the end of the transaction: waits for whoever is writing, and fails
   * where nothing can be written, such as on a standby server.
   *
   * @throws LedgerException when another instance has taken the shard
   */
  public void requireWritable(Connection connection) throws SQLException {
    try (PreparedStatement lock =
        connection.prepareStatement("SELECT holder FROM audit_head WHERE origin = ? FOR UPDATE")) {
      lock.setString(1, origin);
      try (ResultSet rs = lock.executeQuery()) {
        if (holder != null && rs.next() && !holder.equals(rs.getObject(1, UUID.class))) {
          throw new LedgerException(
              "Another instance has taken "
                  + shard
                  + " of the ledger: this one writes and releases nothing any more. Give each"
                  + " instance a number of its own (bindeledd.shard)");
        }
      }
    }
  }

  /** Tells somebody of what is confirmed from now on. Any thread. */
  public void follow(Follower follower) {
    followers.add(follower);
  }

  /** Which of the house's logs this is. Any thread. */
  public Shard shard() {
    return shard;
  }

  /** Entries confirmed in this shard. Any thread. */
  public long size() {
    return confirmed.size();
  }

  /** The number that the next entry gets. Any thread. */
  public long next() {
    return shard.entry(size());
  }

  /** The newest confirmed checkpoint, signed. Any thread. */
  public SignedNote checkpoint() {
    return confirmed.note();
  }

  /** Forces the checkpoint file to the disk. Idempotent; appends are over. */
  @Override
  public void close() {
    if (fileBehind) {
      remember();
    }
    file.close();
  }

  private void remember() {
    file.write(confirmed.note());
    fileBehind = false;
  }

  private Pending outstanding(Appended appended) {
    Pending open = pending;
    if (open == null || open.appended() != appended) {
      throw new IllegalStateException("Not the outstanding batch");
    }
    return open;
  }

  /**
   * Moves the head from the size that this instance knows, and makes sure in the same round trip
   * that the commit will wait for the disk, whatever the server's default.
   */
  private void moveHead(Connection connection, long from, SignedTree to) throws SQLException {
    try (PreparedStatement update =
        connection.prepareStatement(
            "UPDATE audit_head SET size = ?, frontier = ?, checkpoint = ?"
                + " WHERE origin = ? AND size = ? AND (?::uuid IS NULL OR holder = ?::uuid)"
                + " RETURNING set_config('synchronous_commit',"
                + " CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'"
                + " ELSE current_setting('synchronous_commit') END, true)")) {
      update.setLong(1, to.size());
      update.setBytes(2, to.frontier().serialise());
      update.setString(3, to.note().encoded());
      update.setString(4, origin);
      update.setLong(5, from);
      update.setObject(6, holder);
      update.setObject(7, holder);
      try (ResultSet moved = update.executeQuery()) {
        if (!moved.next()) {
          throw new LedgerException(
              "The log "
                  + origin
                  + " no longer has the size "
                  + from
                  + ": another instance wrote to it, or has taken it. Roll back and resync");
        }
      }
    }
  }

  private void keep(Connection connection, SignedTree state) throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO audit_checkpoint (shard, size, frontier, checkpoint)"
                + " VALUES (?, ?, ?, ?)")) {
      insert.setInt(1, shard.number());
      insert.setLong(2, state.size());
      insert.setBytes(3, state.frontier().serialise());
      insert.setString(4, state.note().encoded());
      insert.executeUpdate();
    }
  }

  /** Writes the head of the empty tree where there is no log yet. */
  private static void begin(
      Connection connection, LogKey key, String house, Shard shard, @Nullable SignedNote known)
      throws SQLException {
    String origin = shard.origin(house);
    try (Statement statement = connection.createStatement();
        ResultSet rs = statement.executeQuery("SELECT shard, origin FROM audit_head")) {
      boolean begun = false;
      while (rs.next()) {
        Shard present = new Shard(rs.getInt(1));
        if (!present.origin(house).equals(rs.getString(2))) {
          throw new LedgerException(
              "The database holds the log " + rs.getString(2) + ", which is none of " + house);
        }
        begun |= present.equals(shard);
      }
      if (begun) {
        return;
      }
    }
    if (SignedTree.newest(connection, shard) >= 0) {
      throw new LedgerException(
          "The database has audit entries but no signed head of the log " + origin);
    }
    if (known != null && Checkpoint.parse(known.text()).size() > 0) {
      throw SignedTree.older(
          origin, 0, Checkpoint.parse(known.text()).size(), "the checkpoint file says");
    }
    SignedTree empty = SignedTree.empty(key, origin);
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO audit_head (shard, origin, size, frontier, checkpoint)"
                + " VALUES (?, ?, 0, ?, ?) ON CONFLICT DO NOTHING")) {
      insert.setInt(1, shard.number());
      insert.setString(2, origin);
      insert.setBytes(3, empty.frontier().serialise());
      insert.setString(4, empty.note().encoded());
      insert.executeUpdate();
    }
    connection.commit();
  }

  private static void snapshot(Connection connection) throws SQLException {
    connection.rollback();
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    }
  }
}
