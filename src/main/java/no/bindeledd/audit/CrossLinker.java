package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds what a shard has to enter about the others: of each the newest published checkpoint, when
 * it has something new. Only what is published, so that a published cross-link never names what
 * nobody can look up. Not thread-safe.
 */
public final class CrossLinker {
  private final Shard own;
  private final Map<Shard, Long> linked = new HashMap<>();

  public CrossLinker(Shard own) {
    this.own = own;
  }

  /** An entry for each other shard that has grown by more than such entries. */
  public List<AuditEntry> due(Connection connection, Instant at) throws SQLException {
    List<AuditEntry> entries = new ArrayList<>();
    Map<Shard, Long> now = new HashMap<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT shard, checkpoint FROM audit_published WHERE shard <> ? ORDER BY shard")) {
      select.setInt(1, own.number());
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          Shard other = new Shard(row.getInt(1));
          SignedNote note = SignedNote.parse(row.getString(2));
          long size = Checkpoint.parse(note.text()).size();
          long before = linked.getOrDefault(other, 0L);
          if (size > before && isNews(connection, other, before, size)) {
            entries.add(CrossLink.entry(note, at));
            now.put(other, size);
          }
        }
      }
    } catch (IllegalArgumentException e) {
      throw new LedgerException("What another shard has published is no checkpoint", e);
    }
    linked.putAll(now);
    return entries;
  }

  /** Two quiet shards would else tell each other of their telling for ever. */
  private static boolean isNews(Connection connection, Shard shard, long from, long to)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT EXISTS (SELECT FROM audit_entry WHERE idx >= ? AND idx < ? AND outcome <> '"
                + CrossLink.OUTCOME
                + "')")) {
      select.setLong(1, shard.entry(from));
      select.setLong(2, shard.entry(to));
      try (ResultSet row = select.executeQuery()) {
        row.next();
        return row.getBoolean(1);
      }
    }
  }
}
