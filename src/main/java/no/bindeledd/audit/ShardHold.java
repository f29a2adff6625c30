package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.SortedSet;
import java.util.TreeSet;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What keeps a shard to one instance: an advisory lock that lives as long as its database session.
 * When the session breaks it is taken anew; should another instance have been faster, {@link
 * Ledger#hold} of that one has shut this one out. Thread-safe.
 */
public final class ShardHold implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ShardHold.class);

  /** The first of the lock's two numbers: which locks these are. */
  private static final int SPACE = 0x5348_4152;

  private static final Duration PAUSE = Duration.ofMillis(500);

  private final DataSource database;
  private final Shard shard;
  private @Nullable Connection session;

  private ShardHold(DataSource database, Shard shard) {
    this.database = database;
    this.shard = shard;
  }

  /**
   * Takes the shard.
   *
   * @param patience how long to wait for an instance that is about to end
   * @throws LedgerException when another instance has it still
   */
  public static ShardHold take(DataSource database, Shard shard, Duration patience)
      throws SQLException, InterruptedException {
    ShardHold hold = new ShardHold(database, shard);
    long until = System.nanoTime() + patience.toNanos();
    boolean told = false;
    while (!hold.keep()) {
      if (System.nanoTime() > until) {
        throw new LedgerException(
            "Another hub instance writes "
                + shard
                + " of this database. Give each instance a number of its own (bindeledd.shard), or"
                + " stop the other one first");
      }
      if (!told) {
        LOG.info("Another hub instance writes {}; waiting for its end", shard);
        told = true;
      }
      Thread.sleep(PAUSE);
    }
    return hold;
  }

  /**
   * Makes sure that the lock is held.
   *
   * @return false when another instance has it
   */
  public synchronized boolean keep() throws SQLException {
    Connection open = session;
    if (open != null && open.isValid(1)) {
      return true;
    }
    close();
    Connection connection = database.getConnection();
    boolean taken = false;
    try {
      connection.setAutoCommit(true);
      try (PreparedStatement lock =
          connection.prepareStatement("SELECT pg_try_advisory_lock(?, ?)")) {
        lock.setInt(1, SPACE);
        lock.setInt(2, shard.number());
        try (ResultSet rs = lock.executeQuery()) {
          taken = rs.next() && rs.getBoolean(1);
        }
      }
    } finally {
      if (taken) {
        session = connection;
      } else {
        connection.close();
      }
    }
    return taken;
  }

  /** The shards that an instance holds now. */
  public static SortedSet<Shard> held(Connection connection) throws SQLException {
    SortedSet<Shard> held = new TreeSet<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = ?"
                + " AND objsubid = 2 AND database ="
                + " (SELECT oid FROM pg_database WHERE datname = current_database())")) {
      select.setInt(1, SPACE);
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          held.add(new Shard(rs.getInt(1)));
        }
      }
    }
    return held;
  }

  @Override
  public synchronized void close() {
    Connection open = session;
    session = null;
    if (open == null) {
      return;
    }
    try (open;
        PreparedStatement unlock = open.prepareStatement("SELECT pg_advisory_unlock(?, ?)")) {
      unlock.setInt(1, SPACE);
      unlock.setInt(2, shard.number());
      unlock.execute();
    } catch (SQLException e) {
      // The session is gone, and the lock with it.
    }
  }
}
