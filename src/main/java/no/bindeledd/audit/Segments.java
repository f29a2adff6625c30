package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The partitions of audit_entry: ranges of entry numbers, {@value #SIZE} entries each. Segment
 * {@code n} is the table {@code audit_entry_n} and begins at entry {@code n * SIZE}, see {@link
 * Shard}; the first of an older database may be longer, and begins below 0. No state, safe on any
 * thread.
 */
final class Segments {
  /** One full tile of level 1 in C2SP tlog-tiles. */
  static final int SIZE = 65_536;

  private static final Pattern BOUND =
      Pattern.compile("FOR VALUES FROM \\((?:MINVALUE|'(\\d+)')\\) TO \\('(\\d+)'\\)");

  /** Statistics and visibility once, when it is full: it is only added to. */
  private static final String ONCE_FULL =
      "(autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 2000000000,"
          + " autovacuum_vacuum_insert_scale_factor = 0,"
          + " autovacuum_vacuum_insert_threshold = 65000)";

  private Segments() {}

  /**
   * @param table its name
   * @param from number of its first entry
   * @param to number after that of its last entry
   */
  record Segment(String table, long from, long to) {}

  /** Those that exist, in order. */
  static List<Segment> list(Connection connection) throws SQLException {
    List<Segment> segments = new ArrayList<>();
    try (Statement statement = connection.createStatement();
        ResultSet rs =
            statement.executeQuery(
                "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i"
                    + " JOIN pg_class c ON c.oid = i.inhrelid"
                    + " WHERE i.inhparent = 'audit_entry'::regclass")) {
      while (rs.next()) {
        Matcher bound = BOUND.matcher(rs.getString(2));
        if (!bound.matches()) {
          throw new LedgerException(
              "The table " + rs.getString(1) + " is no segment of the ledger: " + rs.getString(2));
        }
        long from = bound.group(1) == null ? 0 : Long.parseLong(bound.group(1));
        segments.add(new Segment(rs.getString(1), from, Long.parseLong(bound.group(2))));
      }
    }
    segments.sort(java.util.Comparator.comparingLong(Segment::from));
    return segments;
  }

  /** Those of one shard. */
  static List<Segment> list(Connection connection, Shard shard) throws SQLException {
    return list(connection).stream().filter(s -> Shard.of(s.from()).equals(shard)).toList();
  }

  /** The one that has all entries from a number up to another, or null. */
  static @Nullable Segment of(Connection connection, Shard shard, long from, long to)
      throws SQLException {
    return list(connection, shard).stream()
        .filter(s -> s.from() <= from && to <= s.to())
        .findFirst()
        .orElse(null);
  }

  /**
   * Adds segments to a shard in the caller's transaction until there is one for the entry with the
   * number {@code last}, and says where they end. Takes no lock that a reader or writer waits for.
   */
  static long extend(Connection connection, Shard shard, long last) throws SQLException {
    List<Segment> segments = list(connection, shard);
    long end = segments.isEmpty() ? shard.first() : segments.getLast().to();
    try (Statement statement = connection.createStatement()) {
      for (; end <= last; end += SIZE) {
        String table = "audit_entry_" + end / SIZE;
        // Not CREATE … PARTITION OF: that would lock the whole ledger against its readers.
        statement.execute(
            "CREATE TABLE " + table + " (LIKE audit_entry INCLUDING INDEXES) WITH " + ONCE_FULL);
        statement.execute(
            "ALTER TABLE audit_entry ATTACH PARTITION %s FOR VALUES FROM (%d) TO (%d)"
                .formatted(table, end, end + SIZE));
      }
    }
    return end;
  }
}
