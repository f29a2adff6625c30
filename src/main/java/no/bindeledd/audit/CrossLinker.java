package no.bindeledd.audit;

import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds what a shard has to enter about the others: of each the newest published checkpoint, when
 * it has something new. Only what is published, so that a published cross-link never names what
 * nobody can look up; and nothing that another shard's known keys have not signed: an entry stays
 * for ever. Not thread-safe.
 */
public final class CrossLinker {
  private static final Logger LOG = LoggerFactory.getLogger(CrossLinker.class);

  private final Shard own;
  private final String house;
  private final Keys keys;
  private final Map<Shard, Long> linked = new HashMap<>();
  private final Set<Shard> refused = new HashSet<>();

  /** The verifier keys of the house's logs that are at hand now. */
  public interface Keys {
    List<VerifierKey> now() throws IOException;
  }

  /**
   * @param house the name of the house's first log
   * @param keys where none of a shard is at hand, its word is entered unread: who verifies has it
   */
  public CrossLinker(Shard own, String house, Keys keys) {
    this.own = own;
    this.house = house;
    this.keys = keys;
  }

  /** An entry for each other shard that has grown by more than such entries. */
  public List<AuditEntry> due(Connection connection, Instant at) throws SQLException, IOException {
    List<AuditEntry> entries = new ArrayList<>();
    Map<Shard, Long> now = new HashMap<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT shard, checkpoint FROM audit_published WHERE shard <> ? ORDER BY shard")) {
      select.setInt(1, own.number());
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          Shard other = new Shard(row.getInt(1));
          SignedNote note = believed(other, row.getString(2));
          if (note == null) {
            continue;
          }
          long size = Checkpoint.parse(note.text()).size();
          long before = linked.getOrDefault(other, 0L);
          if (size > before && isNews(connection, other, before, size)) {
            entries.add(CrossLink.entry(note, at));
            now.put(other, size);
          }
        }
      }
    }
    linked.putAll(now);
    return entries;
  }

  /** Null when it is not that shard's word. */
  private @Nullable SignedNote believed(Shard shard, String text) throws IOException {
    String origin = shard.origin(house);
    try {
      SignedNote note = SignedNote.parse(text);
      List<VerifierKey> known =
          keys.now().stream().filter(key -> key.name().equals(origin)).toList();
      if (Checkpoint.parse(note.text()).origin().equals(origin)
          && (known.isEmpty() || note.verify(known))) {
        refused.remove(shard);
        return note;
      }
    } catch (IllegalArgumentException e) {
      // Told below: it is not even a checkpoint.
    }
    if (refused.add(shard)) {
      LOG.error(
          "What audit_published holds of {} is not signed by its key as {}.vkey has it, and is not"
              + " entered in the ledger: bring that file up to date, or find out who wrote there."
              + " The instance with that shard writes it anew",
          shard,
          shard.keyFile());
    }
    return null;
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
