package no.bindeledd.audit;

import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * Destroys what links entries to a person: subject and salt. Without the salt nobody can tell whom
 * the entry's subject hash stands for, nor try its payload hash against guesses; the proved bytes
 * stay as they are, and every proof holds.
 *
 * <p>Each act enters a commitment to the whole set of shredded entries in the ledger, under a salt
 * that the next act destroys. So verification can tell a destruction on record from a theft, and
 * nobody can tell later which entries were shredded together.
 *
 * <p>Works in the caller's transaction, which enters the returned entry. No state, safe on any
 * thread. Indexes may linger in the database's dead rows until its next vacuum, and in backups.
 */
public final class Shredder {
  public static final String SHREDDED = "SHREDDED";

  /** How many entries one portion of {@link #expired} looks at: what the journal waits for. */
  static final int PORTION = 2000;

  private static final long ONE_AT_A_TIME = 0x62696e64656c0003L;

  private static final HexFormat HEX = HexFormat.of();

  private Shredder() {}

  /** An entry and the person it was about, until now. */
  public record Link(long index, Pseudonym subject) {}

  /**
   * What was done.
   *
   * @param entry to be entered, as the first of its transaction
   * @param links what other indexes must forget
   */
  public record Shredding(AuditEntry entry, List<Link> links) {}

  /**
   * Shreds entries about a person.
   *
   * @param entries the indexes of all that name the person or belong to the same messages; those of
   *     somebody else among them are left alone
   * @param nextIndex the index that the returned entry gets
   * @param by organisation number of who asked for it
   * @return null when there is nothing
   */
  public static @Nullable Shredding subject(
      Connection connection,
      Pseudonym subject,
      Collection<Long> entries,
      long nextIndex,
      Instant at,
      @Nullable String by)
      throws SQLException {
    lock(connection);
    List<Link> links = new ArrayList<>();
    Set<Long> indexes = new TreeSet<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT idx, subject FROM audit_entry WHERE idx = ANY (?)"
                + " AND (subject = ? OR subject IS NULL AND salt IS NOT NULL AND message IS NOT NULL)"
                + " UNION ALL SELECT idx, subject FROM audit_link WHERE idx = ANY (?)"
                + " AND (subject = ? OR subject IS NULL)")) {
      select.setArray(1, connection.createArrayOf("bigint", entries.toArray()));
      select.setBytes(2, subject.bytes());
      select.setArray(3, connection.createArrayOf("bigint", entries.toArray()));
      select.setBytes(4, subject.bytes());
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          indexes.add(rs.getLong(1));
          if (rs.getBytes(2) != null) {
            links.add(new Link(rs.getLong(1), subject));
          }
        }
      }
    }
    return indexes.isEmpty()
        ? null
        : new Shredding(shred(connection, indexes, nextIndex, at, by, "SUBJECT", ""), links);
  }

  /** The number of the entry that records the newest shredding; null when there was none. */
  public static @Nullable Long newest(Connection connection) throws SQLException {
    long newest = position(connection, "newest");
    return newest < 0 ? null : newest;
  }

  /** What came of one portion: {@code shredding} is null when nothing in it had expired. */
  public record Portion(boolean more, @Nullable Shredding shredding) {}

  /**
   * Which entries lose their link by age.
   *
   * @param agreement the one they were decided under, {@code id@version}; null for all of the
   *     exchange but those under {@code except}
   * @param except agreements with a retention of their own
   * @param before exclusive
   */
  public record Aged(
      String exchange, @Nullable String agreement, Set<String> except, Instant before) {
    /** How far this came is kept under a name that says which entries were looked at. */
    String name() {
      return "retention of "
          + exchange
          + (agreement != null
              ? " under " + agreement
              : except.isEmpty() ? "" : " but " + String.join(", ", new TreeSet<>(except)));
    }

    private boolean has(StoredEntry entry) {
      if (!entry.exchange().equals(exchange) || entry.salt() == null) {
        return false;
      }
      if (agreement == null && except.isEmpty()) {
        return true;
      }
      String under;
      try {
        under = entry.parse().underAgreement();
      } catch (IllegalArgumentException e) {
        return agreement == null; // damaged: the verification names it
      }
      return agreement == null ? under == null || !except.contains(under) : agreement.equals(under);
    }
  }

  /** Shreds the next portion of a shard's entries that are old enough. */
  public static Portion expired(
      Connection connection, Shard shard, Aged aged, long nextIndex, Instant at)
      throws SQLException {
    lock(connection);
    String what = aged.name() + (shard.number() == 0 ? "" : " in " + shard);
    long from = Math.max(shard.first(), position(connection, what));
    long[] to = {from};
    List<Link> links = new ArrayList<>();
    Set<Long> indexes = new TreeSet<>();
    StoredEntry.each(
        connection,
        from,
        Math.min(shard.end(), from + PORTION),
        entry -> {
          if (!entry.at().isBefore(aged.before())) {
            return false; // entries lie in the order of their times, all but
          }
          to[0] = entry.index() + 1;
          if (aged.has(entry)) {
            indexes.add(entry.index());
            if (entry.subject() != null) {
              links.add(new Link(entry.index(), new Pseudonym(HEX.formatHex(entry.subject()))));
            }
          }
          return true;
        });
    if (to[0] == from) {
      return new Portion(false, null);
    }
    move(connection, what, to[0]);
    String which = aged.agreement() == null ? "" : " under " + aged.agreement();
    return new Portion(
        true,
        indexes.isEmpty()
            ? null
            : new Shredding(
                shred(
                    connection,
                    indexes,
                    nextIndex,
                    at,
                    null,
                    "RETENTION",
                    " of " + aged.exchange() + which + " from before " + aged.before()),
                links));
  }

  /** The commitment is to everything that was shredded before: one act after another. */
  private static void lock(Connection connection) throws SQLException {
    try (PreparedStatement lock = connection.prepareStatement("SELECT pg_advisory_xact_lock(?)")) {
      lock.setLong(1, ONE_AT_A_TIME);
      lock.execute();
    }
  }

  private static AuditEntry shred(
      Connection connection,
      Set<Long> indexes,
      long nextIndex,
      Instant at,
      @Nullable String by,
      String reason,
      String which)
      throws SQLException {
    int count = indexes.size();
    Set<Long> all = new TreeSet<>(indexes);
    long newest = position(connection, "newest");
    if (newest >= 0) {
      all.add(newest); // its commitment could tell, one day, what this act adds
    }
    try (PreparedStatement update =
            connection.prepareStatement(
                "UPDATE audit_entry SET subject = NULL, salt = NULL WHERE idx = ANY (?)");
        PreparedStatement archived =
            connection.prepareStatement("DELETE FROM audit_link WHERE idx = ANY (?)")) {
      update.setArray(1, connection.createArrayOf("bigint", all.toArray()));
      archived.setArray(1, connection.createArrayOf("bigint", all.toArray()));
      if (update.executeUpdate() + archived.executeUpdate() != all.size()) {
        throw new LedgerException(
            "Not all entries to be shredded are in the ledger: run the verification");
      }
    }
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO audit_shredded SELECT unnest(?::bigint[]) ON CONFLICT DO NOTHING")) {
      insert.setArray(1, connection.createArrayOf("bigint", all.toArray()));
      insert.executeUpdate();
    }
    Set<Long> segments = new TreeSet<>();
    all.forEach(index -> segments.add(index / Segments.SIZE));
    for (long segment : segments) {
      digest(connection, segment);
    }
    move(connection, "newest", nextIndex);
    byte[] salt = AuditEntry.newSalt();
    return AuditEntry.plain(
            at,
            Station.ADMIN,
            "audit",
            by,
            null,
            null,
            null,
            null,
            SHREDDED,
            reason,
            count + (count == 1 ? " entry" : " entries") + which)
        .withPayload(AuditEntry.payloadHash(salt, digest(connection)), salt);
  }

  /** Computes a segment's digest anew. */
  private static void digest(Connection connection, long segment) throws SQLException {
    MessageDigest sha256 = TreeHash.newSha256();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT idx FROM audit_shredded WHERE idx >= ? AND idx < ? ORDER BY idx")) {
      select.setLong(1, segment * Segments.SIZE);
      select.setLong(2, (segment + 1) * Segments.SIZE);
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          sha256.update(ShreddedSet.eight(rs.getLong(1)));
        }
      }
    }
    try (PreparedStatement upsert =
        connection.prepareStatement(
            "INSERT INTO audit_shredded_segment VALUES (?, ?)"
                + " ON CONFLICT (segment) DO UPDATE SET digest = excluded.digest")) {
      upsert.setLong(1, segment);
      upsert.setBytes(2, sha256.digest());
      upsert.executeUpdate();
    }
  }

  private static byte[] digest(Connection connection) throws SQLException {
    ShreddedSet set = new ShreddedSet();
    try (PreparedStatement select =
            connection.prepareStatement(
                "SELECT segment, digest FROM audit_shredded_segment ORDER BY segment");
        ResultSet rs = select.executeQuery()) {
      while (rs.next()) {
        set.addSegment(rs.getLong(1), rs.getBytes(2));
      }
    }
    return set.digest();
  }

  private static long position(Connection connection, String what) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("SELECT next FROM audit_shredding WHERE what = ?")) {
      select.setString(1, what);
      try (ResultSet rs = select.executeQuery()) {
        return rs.next() ? rs.getLong(1) : -1;
      }
    }
  }

  private static void move(Connection connection, String what, long to) throws SQLException {
    try (PreparedStatement upsert =
        connection.prepareStatement(
            "INSERT INTO audit_shredding VALUES (?, ?)"
                + " ON CONFLICT (what) DO UPDATE SET next = excluded.next")) {
      upsert.setString(1, what);
      upsert.setLong(2, to);
      upsert.executeUpdate();
    }
  }
}
