package no.bindeledd.audit;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

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

  private static final byte[] COPY_HEADER =
      "PGCOPY\n\u00ff\r\n\0\0\0\0\0\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1);
  private static final int COLUMNS = 10;
  private static final String COPY =
      "COPY audit_entry (idx, at, station, exchange, outcome, message, subject, salt, entry, leaf)"
          + " FROM STDIN (FORMAT binary)";
  private static final long POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z").getEpochSecond();
  private static final int BUFFER = 1 << 20;
  private static final HexFormat HEX = HexFormat.of();

  private final LogKey key;
  private final Shard shard;
  private final String origin;
  private final @Nullable UUID holder; // null for a guest, who writes beside the holder
  private final CheckpointFile file;
  private final TreeHash hash = new TreeHash();
  private final MessageDigest sha256 = TreeHash.newSha256();
  private CanonicalWriter rows = new CanonicalWriter(BUFFER);
  private volatile State confirmed;
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
      LogKey key, Shard shard, @Nullable UUID holder, CheckpointFile file, State confirmed) {
    this.key = key;
    this.shard = shard;
    this.origin = key.verifier().name();
    this.holder = holder;
    this.file = file;
    this.confirmed = confirmed;
  }

  /** A tree that was signed; the frontier is not changed any more. */
  private record State(MerkleFrontier frontier, SignedNote note) {
    long size() {
      return frontier.size();
    }
  }

  /**
   * @param columns where each entry's bytes stand in the buffer of rows, see {@link Confirmed#of}
   */
  private record Pending(
      Appended appended, State state, long segmentsEnd, List<AuditEntry> entries, int[] columns) {}

  /** The row of audit_head. */
  private record Head(long size, byte[] frontier, String checkpoint) {}

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
        State state = requireSound(connection, key, origin);
        requireNewest(connection, shard, state.size());
        if (known != null) {
          requireExtends(connection, key, shard, known, state, file);
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
    State before = confirmed;
    MerkleFrontier frontier = before.frontier().copy();
    if (rows.buffer().length > 8 * BUFFER) {
      rows = new CanonicalWriter(BUFFER);
    }
    rows.reset();
    rows.raw(COPY_HEADER);
    int[] columns = new int[entries.size()];
    for (int i = 0; i < columns.length; i++) {
      columns[i] = row(shard.entry(frontier.size()), entries.get(i), frontier);
    }
    rows.int16(-1);
    Appended appended = new Appended(next(), frontier.size(), frontier.root());
    SignedNote note = new Checkpoint(origin, frontier.size(), appended.root()).sign(key);
    State after = new State(frontier, note);
    moveHead(connection, before.size(), after); // first: the loser of two writers waits and learns
    long end = segmentsEnd;
    long ahead = shard.entry(after.size() + Segments.SIZE / 2); // of need
    if (ahead > end) {
      end = Segments.extend(connection, shard, ahead);
    }
    copy(connection, entries.size());
    if (before.size() / KEEP_EVERY != after.size() / KEEP_EVERY) {
      keep(connection, after);
    }
    pending = new Pending(appended, after, end, entries, columns);
    return appended;
  }

  /** The transaction of the outstanding batch was committed. */
  public void confirm(Appended appended) {
    Pending committed = outstanding(appended);
    confirmed = committed.state();
    segmentsEnd = committed.segmentsEnd();
    pending = null;
    if (!followers.isEmpty()) {
      Confirmed batch =
          Confirmed.of(
              appended.firstEntry(), committed.entries(), rows.buffer(), committed.columns());
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
    State before = confirmed;
    State stored = requireSound(connection, key, origin);
    if (stored.size() < before.size()) {
      throw older(origin, stored.size(), before.size(), "this instance confirmed");
    }
    Appended open = pending == null ? null : pending.appended();
    MerkleFrontier frontier = before.frontier().copy();
    byte[] rootAtOpen =
        replay(connection, shard, frontier, stored.size(), open == null ? -1 : open.size());
    requireSameRoot(origin, frontier.root(), stored.frontier().root(), stored.size());
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

  /** Adds one row to the buffer and its leaf to the tree; returns where the entry's column is. */
  private int row(long number, AuditEntry entry, MerkleFrontier tree) {
    rows.int16(COLUMNS);
    rows.int32(8);
    rows.int64(number);
    rows.int32(8);
    Instant at = entry.at();
    rows.int64((at.getEpochSecond() - POSTGRES_EPOCH) * 1_000_000 + at.getNano() / 1000);
    column(entry.station().name());
    column(entry.exchange());
    column(entry.outcome());
    column(entry.message());
    column(entry.subject() == null ? null : HEX.parseHex(entry.subject().value()));
    column(entry.salt());
    int start = rows.position();
    rows.int32(0);
    entry.writeTo(rows, sha256);
    int length = rows.position() - start - 4;
    rows.int32At(start, length);
    byte[] leaf = hash.leaf(rows.buffer(), start + 4, length);
    column(leaf);
    tree.append(leaf);
    return start;
  }

  private void column(@Nullable String text) {
    int start = rows.position();
    rows.int32(-1);
    if (text != null) {
      rows.text(text);
      rows.int32At(start, rows.position() - start - 4);
    }
  }

  private void column(byte @Nullable [] bytes) {
    rows.int32(bytes == null ? -1 : bytes.length);
    if (bytes != null) {
      rows.raw(bytes);
    }
  }

  private void copy(Connection connection, int expected) throws SQLException {
    CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(COPY);
    try {
      copy.writeToCopy(rows.buffer(), 0, rows.position());
      long written = copy.endCopy();
      if (written != expected) {
        throw new LedgerException(
            "The database took " + written + " of " + expected + " entries: roll back");
      }
    } finally {
      if (copy.isActive()) {
        copy.cancelCopy();
      }
    }
  }

  /**
   * Moves the head from the size that this instance knows, and makes sure in the same round trip
   * that the commit will wait for the disk, whatever the server's default.
   */
  private void moveHead(Connection connection, long from, State to) throws SQLException {
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

  private void keep(Connection connection, State state) throws SQLException {
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
    if (newest(connection, shard) >= 0) {
      throw new LedgerException(
          "The database has audit entries but no signed head of the log " + origin);
    }
    if (known != null && Checkpoint.parse(known.text()).size() > 0) {
      throw older(origin, 0, Checkpoint.parse(known.text()).size(), "the checkpoint file says");
    }
    State empty = empty(key, origin);
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

  /** The index of the newest entry that is stored in a shard, -1 when there is none. */
  private static long newest(Connection connection, Shard shard) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT max(idx) FROM audit_entry WHERE idx >= ? AND idx < ?")) {
      select.setLong(1, shard.first());
      select.setLong(2, shard.end());
      try (ResultSet rs = select.executeQuery()) {
        rs.next();
        long number = rs.getLong(1);
        return rs.wasNull() ? -1 : Shard.index(number);
      }
    }
  }

  private static State empty(LogKey key, String origin) {
    MerkleFrontier frontier = new MerkleFrontier();
    return new State(frontier, new Checkpoint(origin, 0, frontier.root()).sign(key));
  }

  private static void snapshot(Connection connection) throws SQLException {
    connection.rollback();
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
    }
  }

  /** The stored head, once its signature, size and frontier agree. */
  private static State requireSound(Connection connection, LogKey key, String origin)
      throws SQLException {
    Head head = head(connection, origin);
    try {
      SignedNote note = SignedNote.parse(head.checkpoint());
      if (!note.verify(key.verifiers())) {
        throw new LedgerException(
            "The head of the log "
                + origin
                + " is not signed by any of its keys. If the key was replaced, the file of"
                + " verifier keys must still list the old one");
      }
      Checkpoint checkpoint = Checkpoint.parse(note.text());
      MerkleFrontier frontier = MerkleFrontier.parse(head.size(), head.frontier());
      if (!checkpoint.equals(new Checkpoint(origin, head.size(), frontier.root()))) {
        throw new LedgerException(
            "The head of the log "
                + origin
                + " does not agree with its checkpoint: size "
                + head.size()
                + " and root "
                + HEX.formatHex(frontier.root())
                + " are stored, size "
                + checkpoint.size()
                + " and root "
                + HEX.formatHex(checkpoint.root())
                + " are signed");
      }
      return new State(frontier, note);
    } catch (IllegalArgumentException e) {
      throw new LedgerException("The head of the log " + origin + " cannot be read", e);
    }
  }

  private static Head head(Connection connection, String origin) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT size, frontier, checkpoint FROM audit_head WHERE origin = ?")) {
      select.setString(1, origin);
      try (ResultSet rs = select.executeQuery()) {
        if (!rs.next()) {
          throw new LedgerException("The database has no head of the log " + origin);
        }
        return new Head(rs.getLong(1), rs.getBytes(2), rs.getString(3));
      }
    }
  }

  private static void requireNewest(Connection connection, Shard shard, long size)
      throws SQLException {
    long newest = newest(connection, shard);
    if (newest != size - 1) {
      throw new LedgerException(
          "The signed head says "
              + size
              + " entries, so the newest has index "
              + (size - 1)
              + ", but the newest stored has index "
              + newest);
    }
  }

  /** Proves from the stored entries that the tree grew out of the remembered one. */
  private static void requireExtends(
      Connection connection,
      LogKey key,
      Shard shard,
      SignedNote known,
      State state,
      CheckpointFile file)
      throws SQLException {
    String origin = key.verifier().name();
    Checkpoint remembered;
    try {
      remembered = Checkpoint.parse(known.text());
    } catch (IllegalArgumentException e) {
      throw new LedgerException("The file " + file.path() + " holds no checkpoint", e);
    }
    if (!remembered.origin().equals(origin) || !known.verify(key.verifiers())) {
      throw new LedgerException(
          "The checkpoint file " + file.path() + " is not signed by the log " + origin);
    }
    if (remembered.size() > state.size()) {
      throw older(origin, state.size(), remembered.size(), "the checkpoint file says");
    }
    MerkleFrontier frontier = state.frontier();
    byte[] rootThen = frontier.root();
    if (remembered.size() < state.size()) {
      frontier = keptBefore(connection, shard, remembered.size());
      byte[] passed = replay(connection, shard, frontier, state.size(), remembered.size());
      rootThen = passed == null ? new byte[0] : passed;
    }
    requireSameRoot(origin, rootThen, remembered.root(), remembered.size());
    requireSameRoot(origin, frontier.root(), state.frontier().root(), state.size());
  }

  /**
   * The frontier kept nearest before a size. It is not trusted: only a true one leads to the signed
   * roots.
   */
  private static MerkleFrontier keptBefore(Connection connection, Shard shard, long size)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT size, frontier FROM audit_checkpoint WHERE shard = ? AND size <= ?"
                + " ORDER BY size DESC LIMIT 1")) {
      select.setInt(1, shard.number());
      select.setLong(2, size);
      try (ResultSet rs = select.executeQuery()) {
        return rs.next()
            ? MerkleFrontier.parse(rs.getLong(1), rs.getBytes(2))
            : new MerkleFrontier();
      }
    } catch (IllegalArgumentException e) {
      throw new LedgerException("A kept checkpoint before size " + size + " cannot be read", e);
    }
  }

  /**
   * Appends the stored entries to a frontier, from its size up to {@code to}.
   *
   * @return the root at the size {@code at}, null when it is not passed
   */
  private static byte @Nullable [] replay(
      Connection connection, Shard shard, MerkleFrontier frontier, long to, long at)
      throws SQLException {
    TreeHash hash = new TreeHash();
    byte[] root = frontier.size() == at ? frontier.root() : null;
    byte[][] passed = {root};
    ArchivedSegment.each(
        connection,
        shard.entry(frontier.size()),
        shard.entry(to),
        entry -> {
          frontier.append(entry.leafHash(hash));
          passed[0] = frontier.size() == at ? frontier.root() : passed[0];
          return true;
        });
    root = passed[0];
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT idx, entry FROM audit_entry WHERE idx >= ? AND idx < ? ORDER BY idx")) {
      select.setFetchSize(1000);
      select.setLong(1, shard.entry(frontier.size()));
      select.setLong(2, shard.entry(to));
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next() && rs.getLong(1) == shard.entry(frontier.size())) {
          frontier.append(hash.leaf(rs.getBytes(2)));
          if (frontier.size() == at) {
            root = frontier.root();
          }
        }
      }
    }
    if (frontier.size() != to) {
      throw new LedgerException("Entry " + frontier.size() + " is missing from the ledger");
    }
    return root;
  }

  private static void requireSameRoot(String origin, byte[] stored, byte[] signed, long size) {
    if (!Arrays.equals(stored, signed)) {
      throw new LedgerException(
          "The log "
              + origin
              + " is not the one that was signed: at size "
              + size
              + " the stored entries give the root "
              + HEX.formatHex(stored)
              + ", signed was "
              + HEX.formatHex(signed)
              + ". Do not append; run the verification");
    }
  }

  static LedgerException older(String origin, long stored, long known, String source) {
    return new LedgerException(
        "The log "
            + origin
            + " in the database has "
            + stored
            + " entries, but "
            + source
            + " "
            + known
            + ": an old backup was restored, or entries were removed. Restore the newer database;"
            + " signing an older tree again would fork the log");
  }
}
