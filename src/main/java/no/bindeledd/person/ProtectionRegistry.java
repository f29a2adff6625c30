package no.bindeledd.person;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;

/**
 * Who is protected, all of them in memory (few people are), with the table {@code protection} as
 * the truth. Reads take no lock and never wait. Writes and reloads take turns, so that a reload
 * cannot lose a write of this instance; other instances see it at their next {@link #reload}.
 */
public final class ProtectionRegistry {
  private final DataSource database;
  private final ReentrantLock writing = new ReentrantLock();
  private volatile Map<Pseudonym, Protection> people;

  // The two are touched under the lock alone: of each person the newest change that was taken over
  // here, and how many were.
  private final Map<Pseudonym, Long> newest = new HashMap<>();
  private long changes;

  /**
   * A write inside somebody else's transaction; it counts here when {@link #committed} is called.
   *
   * @param order grows with every transaction, so that the newest of two changes stays
   */
  public record Change(Pseudonym person, Protection protection, long order) {}

  /** Loads everyone, so that there is never a moment when a protected person looks unprotected. */
  public ProtectionRegistry(DataSource database) throws SQLException {
    this.database = database;
    this.people = load(database);
  }

  /** What protects the person; {@link Protection#NONE} when nothing does. */
  public Protection of(Pseudonym person) {
    return people.getOrDefault(person, Protection.NONE);
  }

  /**
   * Records a protection, or its end with {@link Protection#NONE}: in the database, then here.
   *
   * @throws SQLException when it is not durable; nothing has changed here then
   */
  public void put(Pseudonym person, Protection protection) throws SQLException {
    writing.lock();
    try (Connection connection = database.getConnection()) {
      write(connection, person, protection, 0);
      commit(connection);
      take(person, protection);
    } finally {
      writing.unlock();
    }
  }

  private void take(Pseudonym person, Protection protection) {
    changes++;
    if (protection.any()) {
      people.put(person, protection);
    } else {
      people.remove(person);
    }
  }

  /**
   * Records a protection, or its end, inside the caller's transaction, so that it stands or falls
   * with what else is written there. The caller calls {@link #committed} right after the commit; if
   * the outcome of the commit is unknown, {@link #reload}.
   *
   * @param order see {@link Change#order}
   */
  public Change write(Connection connection, Pseudonym person, Protection protection, long order)
      throws SQLException {
    if (protection.any()) {
      upsert(connection, person, protection);
    } else {
      delete(connection, person);
    }
    return new Change(person, protection, order);
  }

  /** After the commit of a transaction with {@link #write} in it. Changes may come in any order. */
  public void committed(Change change) {
    writing.lock();
    try {
      if (newest.merge(change.person(), change.order(), Math::max) == change.order()) {
        take(change.person(), change.protection());
      }
    } finally {
      writing.unlock();
    }
  }

  /**
   * Takes over what other instances wrote.
   *
   * @throws SQLException when the database does not answer; what was known stays in force then
   */
  public void reload() throws SQLException {
    while (true) {
      long before = changes();
      Map<Pseudonym, Protection> loaded = load(database);
      writing.lock();
      try {
        // What was taken over meanwhile may not have been there to be read.
        if (before == changes) {
          people = loaded;
          return;
        }
      } finally {
        writing.unlock();
      }
    }
  }

  private long changes() {
    writing.lock();
    try {
      return changes;
    } finally {
      writing.unlock();
    }
  }

  /** How many people are protected. */
  public int size() {
    return people.size();
  }

  private static void upsert(Connection connection, Pseudonym person, Protection protection)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            """
                INSERT INTO protection (subject, grade, shielded) VALUES (?, ?, ?)
                ON CONFLICT (subject) DO UPDATE
                SET grade = excluded.grade, shielded = excluded.shielded""")) {
      statement.setBytes(1, person.bytes());
      statement.setString(2, protection.grade().name());
      statement.setBoolean(3, protection.shielded());
      statement.executeUpdate();
    }
  }

  private static void delete(Connection connection, Pseudonym person) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("DELETE FROM protection WHERE subject = ?")) {
      statement.setBytes(1, person.bytes());
      statement.executeUpdate();
    }
  }

  /** Pools may hand out connections of either kind. */
  private static void commit(Connection connection) throws SQLException {
    if (!connection.getAutoCommit()) {
      connection.commit();
    }
  }

  private static Map<Pseudonym, Protection> load(DataSource database) throws SQLException {
    Map<Pseudonym, Protection> loaded = new ConcurrentHashMap<>();
    try (Connection connection = database.getConnection();
        PreparedStatement statement =
            connection.prepareStatement("SELECT subject, grade, shielded FROM protection");
        ResultSet rows = statement.executeQuery()) {
      while (rows.next()) {
        loaded.put(
            Pseudonym.of(rows.getBytes(1)),
            new Protection(grade(rows.getString(2)), rows.getBoolean(3)));
      }
      commit(connection);
    }
    return loaded;
  }

  /**
   * A grade that this version does not know (a newer instance wrote it) is taken as the strictest.
   */
  private static AddressGrade grade(String name) {
    return Arrays.stream(AddressGrade.values())
        .filter(grade -> grade.name().equals(name))
        .findFirst()
        .orElse(AddressGrade.STRENGT_FORTROLIG_UTLAND);
  }
}
