package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import javax.sql.DataSource;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * Asks the ledger, newest first, a page at a time; a page's place is an index, so that pages stay
 * whole while the ledger grows. Does not itself audit the reading. Safe on any thread.
 */
public final class AuditReader {
  private static final int MAX_LIMIT = 1000;
  private static final int SCANNED = 2000;

  private final DataSource source;

  public AuditReader(DataSource source) {
    this.source = source;
  }

  /** What to look for; null means any. {@code from} is inclusive, {@code to} exclusive. */
  public record Query(
      @Nullable Pseudonym subject,
      @Nullable String message,
      @Nullable String exchange,
      @Nullable String outcome,
      @Nullable Instant from,
      @Nullable Instant to) {
    public static final Query ALL = new Query(null, null, null, null, null, null);
  }

  /**
   * One entry found.
   *
   * @param intact false when stored bytes, leaf hash and columns do not agree; true says nothing
   *     about the tree, see {@link LedgerVerifier}
   */
  public record Found(long index, AuditEntry entry, boolean intact) {}

  /**
   * One page.
   *
   * @param before give this to {@link #read} for the next, older page; null on the last
   */
  public record Page(List<Found> entries, @Nullable Long before) {}

  /**
   * @param before only entries with a lower index; null for the newest
   * @param limit 1 to 1,000
   * @throws LedgerException when an entry is damaged so that it cannot be read; names its index
   */
  public Page read(Query query, @Nullable Long before, int limit) throws SQLException {
    if (limit < 1 || limit > MAX_LIMIT) {
      throw new IllegalArgumentException("A page has 1 to " + MAX_LIMIT + " entries");
    }
    List<Object> values = new ArrayList<>();
    String where = where(query, before, values);
    List<Found> found = new ArrayList<>();
    try (Connection connection = source.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT "
                    + StoredEntry.COLUMNS
                    + " FROM audit_entry"
                    + where
                    + " ORDER BY idx DESC LIMIT "
                    + (limit + 1))) {
      for (int i = 0; i < values.size(); i++) {
        select.setObject(i + 1, values.get(i));
      }
      try (ResultSet rs = select.executeQuery()) {
        TreeHash hash = new TreeHash();
        while (rs.next()) {
          found.add(found(StoredEntry.read(rs), hash));
        }
      }
    }
    boolean more = found.size() > limit;
    List<Found> page = more ? found.subList(0, limit) : found;
    return new Page(List.copyOf(page), more ? page.getLast().index() : null);
  }

  /** Sees entries in the order of their indexes. */
  public interface Visitor {
    /**
     * @param entry null when it is damaged so that it cannot be read
     */
    void visit(long index, @Nullable AuditEntry entry) throws SQLException;
  }

  /** The number that the next entry of a shard gets. */
  public static long next(Connection connection, Shard shard) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT coalesce(max(idx) + 1, ?) FROM audit_entry WHERE idx >= ? AND idx < ?")) {
      select.setLong(1, shard.first());
      select.setLong(2, shard.first());
      select.setLong(3, shard.end());
      try (ResultSet rs = select.executeQuery()) {
        rs.next();
        return rs.getLong(1);
      }
    }
  }

  /** Reads the entries from an index up to another, in portions; their bytes are not checked. */
  public static void scan(Connection connection, long from, long to, Visitor visitor)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT "
                + StoredEntry.COLUMNS
                + " FROM audit_entry WHERE idx >= ? AND idx < ? ORDER BY idx")) {
      for (long start = from; start < to; start += SCANNED) {
        select.setLong(1, start);
        select.setLong(2, Math.min(to, start + SCANNED));
        try (ResultSet rs = select.executeQuery()) {
          while (rs.next()) {
            StoredEntry stored = StoredEntry.read(rs);
            visitor.visit(stored.index(), parsed(stored));
          }
        }
      }
    }
  }

  private static @Nullable AuditEntry parsed(StoredEntry stored) {
    try {
      return stored.parse();
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /**
   * The entries with these indexes, newest first; one that is no longer here is left out.
   *
   * @throws LedgerException when one is damaged so that it cannot be read; names its index
   */
  public static List<Found> at(Connection connection, Collection<Long> indexes)
      throws SQLException {
    List<Found> found = new ArrayList<>(indexes.size());
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT "
                + StoredEntry.COLUMNS
                + " FROM audit_entry WHERE idx = ANY (?) ORDER BY idx DESC")) {
      select.setArray(1, connection.createArrayOf("bigint", indexes.toArray()));
      try (ResultSet rs = select.executeQuery()) {
        TreeHash hash = new TreeHash();
        while (rs.next()) {
          found.add(found(StoredEntry.read(rs), hash));
        }
      }
    }
    return found;
  }

  private static Found found(StoredEntry stored, TreeHash hash) {
    try {
      boolean intact =
          Arrays.equals(stored.leafHash(hash), stored.leaf()) && stored.disagreement() == null;
      return new Found(stored.index(), stored.parse(), intact);
    } catch (IllegalArgumentException e) {
      throw new LedgerException(
          "Entry " + stored.index() + " is damaged and cannot be read: run the verification", e);
    }
  }

  private static String where(Query query, @Nullable Long before, List<Object> values) {
    List<String> conditions = new ArrayList<>();
    Pseudonym subject = query.subject();
    if (subject != null) {
      conditions.add("subject = ?");
      values.add(HexFormat.of().parseHex(subject.value()));
    }
    String message = query.message();
    if (message != null) {
      conditions.add("message = ?");
      values.add(AuditEntry.cut(message));
    }
    if (query.exchange() != null) {
      conditions.add("exchange = ?");
      values.add(query.exchange());
    }
    if (query.outcome() != null) {
      conditions.add("outcome = ?");
      values.add(query.outcome());
    }
    if (query.from() != null) {
      conditions.add("at >= ?");
      values.add(query.from().atOffset(ZoneOffset.UTC));
    }
    if (query.to() != null) {
      conditions.add("at < ?");
      values.add(query.to().atOffset(ZoneOffset.UTC));
    }
    if (before != null) {
      conditions.add("idx < ?");
      values.add(before);
    }
    return conditions.isEmpty() ? "" : " WHERE " + String.join(" AND ", conditions);
  }
}
