package no.bindeledd.hub;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import no.bindeledd.channel.SftpFileStrategy;
import no.bindeledd.person.Sha256;

/**
 * What one hub instance at a time does for all on the same database: a chore, or a file on an SFTP
 * server that several poll. An advisory lock says whose turn it is; it ends with the database
 * session, so nobody who is gone keeps it. Thread-safe.
 */
final class Alone implements SftpFileStrategy.Claims {
  private final DataSource database;
  private final Map<String, Connection> claims = new ConcurrentHashMap<>();

  Alone(DataSource database) {
    this.database = database;
  }

  /** A chore. */
  interface Work {
    boolean run() throws Exception;
  }

  /**
   * Does it, unless another instance is at it.
   *
   * @return what the work returned; false when it was not done
   */
  boolean run(String chore, Work work) throws Exception {
    if (!take(chore)) {
      return false;
    }
    try {
      return work.run();
    } finally {
      release(chore);
    }
  }

  @Override
  public boolean take(String name) {
    try {
      Connection session = database.getConnection();
      boolean taken = false;
      try {
        session.setAutoCommit(true);
        taken = lock(session, "SELECT pg_try_advisory_lock(?)", name);
      } finally {
        if (taken) {
          claims.put(name, session);
        } else {
          session.close();
        }
      }
      return taken;
    } catch (SQLException e) {
      return false;
    }
  }

  @Override
  public void release(String name) {
    Connection session = claims.remove(name);
    if (session == null) {
      return;
    }
    try (session) {
      lock(session, "SELECT pg_advisory_unlock(?)", name);
    } catch (SQLException e) {
      // The session is gone, and the lock with it.
    }
  }

  private static boolean lock(Connection session, String call, String name) throws SQLException {
    try (PreparedStatement statement = session.prepareStatement(call)) {
      statement.setLong(1, number(name));
      try (ResultSet rs = statement.executeQuery()) {
        return rs.next() && rs.getBoolean(1);
      }
    }
  }

  private static long number(String name) {
    return ByteBuffer.wrap(Sha256.of(name.getBytes(StandardCharsets.UTF_8))).getLong();
  }
}
