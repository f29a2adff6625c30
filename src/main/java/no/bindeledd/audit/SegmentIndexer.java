package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import javax.sql.DataSource;

/**
 * Gives each full segment of a shard its indexes by subject and by message, in bulk and on a
 * connection of its own. The open segment has none and is scanned. What is begun and not ended (a
 * crash, a lost connection) leaves nothing behind and is done again. Not thread-safe.
 */
public final class SegmentIndexer {
  /** Suffix of the index's name → what it is on. */
  private static final Map<String, String> INDEXES = new LinkedHashMap<>();

  static {
    INDEXES.put("subject", "(subject, idx) WHERE subject IS NOT NULL");
    INDEXES.put("message", "USING hash (message) WHERE message IS NOT NULL");
  }

  private final DataSource source;
  private final Shard shard;
  private long indexed; // every entry of the shard below is in a segment that has all

  public SegmentIndexer(DataSource source, Shard shard) {
    this.source = source;
    this.shard = shard;
    this.indexed = shard.first();
  }

  /**
   * Indexes every full segment that lacks something.
   *
   * @param next number of the next entry: a segment that ends at or before it is not written any
   *     more
   * @return how many segments were worked on
   */
  public int index(long next) throws SQLException {
    if (next < indexed + Segments.SIZE) {
      return 0;
    }
    int worked = 0;
    try (Connection connection = source.getConnection()) {
      int patience = connection.getNetworkTimeout();
      connection.setNetworkTimeout(Runnable::run, 0); // a long first segment takes its time
      connection.setAutoCommit(false);
      try {
        for (Segments.Segment segment : Segments.list(connection, shard)) {
          if (segment.to() > indexed && segment.to() <= next) {
            worked += index(connection, segment.table()) ? 1 : 0;
            indexed = segment.to();
          }
        }
        connection.commit();
      } finally {
        connection.rollback();
        connection.setAutoCommit(true);
        connection.setNetworkTimeout(Runnable::run, patience);
      }
    }
    return worked;
  }

  private static boolean index(Connection connection, String table) throws SQLException {
    Set<String> present = new HashSet<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
                + " AND tablename = ?")) {
      select.setString(1, table);
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          present.add(rs.getString(1));
        }
      }
    }
    boolean worked = false;
    try (Statement statement = connection.createStatement()) {
      for (Map.Entry<String, String> index : INDEXES.entrySet()) {
        String name = table + "_" + index.getKey();
        if (!present.contains(name)) {
          statement.execute("SET LOCAL max_parallel_maintenance_workers = 0");
          statement.execute("CREATE INDEX " + name + " ON " + table + " " + index.getValue());
          worked = true;
        }
      }
      if (worked) {
        statement.execute("SET LOCAL default_statistics_target = 10");
        statement.execute("ANALYZE " + table);
      }
    }
    connection.commit();
    return worked;
  }
}
