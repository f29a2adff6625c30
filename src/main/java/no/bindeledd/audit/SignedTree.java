package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * The tree of a log at some size, as it was signed, and whether what is stored leads to it. Nothing
 * that is stored is trusted. Immutable: the frontier is not changed any more.
 */
record SignedTree(MerkleFrontier frontier, SignedNote note) {
  private static final HexFormat HEX = HexFormat.of();

  /** The row of audit_head. */
  private record Head(long size, byte[] frontier, String checkpoint) {}

  long size() {
    return frontier.size();
  }

  /** The tree without entries. */
  static SignedTree empty(LogKey key, String origin) {
    MerkleFrontier frontier = new MerkleFrontier();
    return new SignedTree(frontier, new Checkpoint(origin, 0, frontier.root()).sign(key));
  }

  /** The index of the newest entry that is stored in a shard, -1 when there is none. */
  static long newest(Connection connection, Shard shard) throws SQLException {
    return AuditReader.next(connection, shard) - shard.first() - 1;
  }

  /** The stored head, once its signature, size and frontier agree. */
  static SignedTree stored(Connection connection, LogKey key, String origin) throws SQLException {
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
      return new SignedTree(frontier, note);
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

  static void requireNewest(Connection connection, Shard shard, long size) throws SQLException {
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
  void requireExtends(
      Connection connection, LogKey key, Shard shard, SignedNote known, CheckpointFile file)
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
    if (remembered.size() > size()) {
      throw older(origin, size(), remembered.size(), "the checkpoint file says");
    }
    MerkleFrontier frontier = frontier();
    byte[] rootThen = frontier.root();
    if (remembered.size() < size()) {
      frontier = keptBefore(connection, shard, remembered.size());
      byte[] passed = replay(connection, shard, frontier, size(), remembered.size());
      rootThen = passed == null ? new byte[0] : passed;
    }
    requireSameRoot(origin, rootThen, remembered.root(), remembered.size());
    requireSameRoot(origin, frontier.root(), frontier().root(), size());
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
  static byte @Nullable [] replay(
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

  static void requireSameRoot(String origin, byte[] stored, byte[] signed, long size) {
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
