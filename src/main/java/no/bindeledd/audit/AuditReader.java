package no.bindeledd.audit;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGStatement;

/**
 * Reads stored entries, trusted in nothing. Does not itself audit the reading. No state, safe on
 * any thread.
 */
public final class AuditReader {
  private AuditReader() {}

  /**
   * One entry found.
   *
   * @param intact false when stored bytes, leaf hash and columns do not agree; true says nothing
   *     about the tree, see {@link LedgerVerifier}
   */
  public record Found(long index, AuditEntry entry, boolean intact) {}

  /** Sees entries in the order of their indexes. */
  public interface Visitor {
    /**
     * @param entry null when it is damaged so that it cannot be read
     */
    void visit(long index, @Nullable AuditEntry entry) throws SQLException;
  }

  /** The newest signed checkpoint of each shard; nothing is verified. */
  public static SortedMap<Shard, SignedNote> checkpoints(Connection connection)
      throws SQLException {
    SortedMap<Shard, SignedNote> newest = new TreeMap<>();
    try (PreparedStatement select =
            connection.prepareStatement("SELECT shard, checkpoint FROM audit_head");
        ResultSet rs = select.executeQuery()) {
      while (rs.next()) {
        newest.put(new Shard(rs.getInt(1)), SignedNote.parse(rs.getString(2)));
      }
    }
    return newest;
  }

  /** The number that the next entry of a shard gets. */
  public static long next(Connection connection, Shard shard) throws SQLException {
    return next(connection, shard, shard.first());
  }

  /**
   * The number that the next entry of a shard gets.
   *
   * @param known it is at least this: the segments before it need not be asked
   */
  public static long next(Connection connection, Shard shard, long known) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT coalesce(max(idx) + 1, ?) FROM audit_entry WHERE idx >= ? AND idx < ?")) {
      select.setLong(1, known);
      select.setLong(2, known);
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
    StoredEntry.each(
        connection,
        from,
        to,
        stored -> {
          visitor.visit(stored.index(), parsed(stored));
          return true;
        });
  }

  private static @Nullable AuditEntry parsed(StoredEntry stored) {
    try {
      return stored.parse();
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  /**
   * What the database can tell of entries before they are read; null and empty mean any.
   *
   * @param messages one of these
   * @param from included
   * @param to excluded
   * @param texts each stands somewhere in the entry's bytes
   */
  public record Narrowing(
      @Nullable Pseudonym subject,
      Collection<String> messages,
      @Nullable Instant from,
      @Nullable Instant to,
      List<String> texts) {
    private boolean matches(StoredEntry entry) {
      String bytes = new String(entry.entry(), StandardCharsets.UTF_8);
      return (from == null || !entry.at().isBefore(from))
          && (to == null || entry.at().isBefore(to))
          && (subject == null || Arrays.equals(subject.bytes(), entry.subject()))
          && (messages.isEmpty() || (entry.message() != null && messages.contains(entry.message())))
          && texts.stream().allMatch(bytes::contains);
    }

    public static Narrowing subject(Pseudonym subject) {
      return new Narrowing(subject, List.of(), null, null, List.of());
    }

    public static Narrowing messages(Collection<String> messages) {
      return new Narrowing(null, messages, null, null, List.of());
    }
  }

  /**
   * Entries from an index up to another, newest first; looks at each of them, without an index.
   *
   * @throws LedgerException when one that may be meant is damaged so that it cannot be read
   */
  public static List<Found> newest(
      Connection connection, long from, long to, Narrowing narrowing, int limit)
      throws SQLException {
    StringBuilder where = new StringBuilder(" WHERE idx >= ? AND idx < ?");
    List<Object> values = new ArrayList<>(List.of(from, to));
    if (narrowing.from() != null) {
      where.append(" AND at >= ?");
      values.add(narrowing.from().atOffset(ZoneOffset.UTC));
    }
    if (narrowing.to() != null) {
      where.append(" AND at < ?");
      values.add(narrowing.to().atOffset(ZoneOffset.UTC));
    }
    if (narrowing.subject() != null) {
      where.append(" AND subject = ?");
      values.add(narrowing.subject().bytes());
    }
    if (!narrowing.messages().isEmpty()) {
      where.append(" AND message = ANY (?)");
      values.add(connection.createArrayOf("text", narrowing.messages().toArray()));
    }
    for (String text : narrowing.texts()) {
      where.append(" AND position(?::bytea IN entry) > 0");
      values.add(text.getBytes(StandardCharsets.UTF_8));
    }
    values.add(limit);
    List<Found> found =
        inOrder(
            connection,
            "SELECT "
                + StoredEntry.COLUMNS
                + " FROM audit_entry"
                + where
                + " ORDER BY idx DESC LIMIT ?",
            values);
    TreeHash hash = new TreeHash();
    for (ArchivedSegment segment : ArchivedSegment.within(connection, from, to).reversed()) {
      if (found.size() < limit) {
        List<Found> here = new ArrayList<>();
        segment.eachOf(
            connection,
            from,
            to,
            entry -> {
              if (narrowing.matches(entry)) {
                here.add(found(entry, hash));
              }
              return true;
            });
        here.reversed().stream().limit(limit - found.size()).forEach(found::add);
      }
    }
    return found;
  }

  /**
   * Has the server go through the entries in their order and stop when it has enough. It knows
   * little about a segment, takes a time to be rare, and would rather find all of an hour and sort
   * it. The caller's transaction, if there is one, keeps to that.
   */
  private static List<Found> inOrder(Connection connection, String select, List<Object> values)
      throws SQLException {
    boolean alone = connection.getAutoCommit();
    if (alone) {
      connection.setAutoCommit(false);
    }
    try (Statement settings = connection.createStatement()) {
      settings.execute(
          "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off;"
              + " SET LOCAL enable_seqscan = off");
      return read(connection, select, values);
    } finally {
      if (alone) {
        connection.setAutoCommit(true);
      }
    }
  }

  /** Plans each time: a plan made for any values looks into every segment of the ledger. */
  private static List<Found> read(Connection connection, String select, List<Object> values)
      throws SQLException {
    List<Found> found = new ArrayList<>();
    try (PreparedStatement statement = connection.prepareStatement(select)) {
      statement.unwrap(PGStatement.class).setPrepareThreshold(0);
      for (int i = 0; i < values.size(); i++) {
        statement.setObject(i + 1, values.get(i));
      }
      try (ResultSet rs = statement.executeQuery()) {
        TreeHash hash = new TreeHash();
        while (rs.next()) {
          found.add(found(StoredEntry.read(rs), hash));
        }
      }
    }
    return found;
  }

  /**
   * The entries with these indexes, newest first; one that is no longer here is left out.
   *
   * @throws LedgerException when one is damaged so that it cannot be read; names its index
   */
  public static List<Found> at(Connection connection, Collection<Long> indexes)
      throws SQLException {
    if (indexes.isEmpty()) {
      return List.of();
    }
    List<Found> found =
        read(
            connection,
            "SELECT "
                + StoredEntry.COLUMNS
                + " FROM audit_entry WHERE idx = ANY (?) ORDER BY idx DESC",
            List.of(connection.createArrayOf("bigint", indexes.toArray())));
    if (found.size() < indexes.size()) {
      Set<Long> elsewhere = new HashSet<>(indexes);
      found.forEach(each -> elsewhere.remove(each.index()));
      TreeHash hash = new TreeHash();
      ArchivedSegment.at(connection, elsewhere).forEach(entry -> found.add(found(entry, hash)));
      found.sort(Comparator.comparingLong(Found::index).reversed());
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
}
