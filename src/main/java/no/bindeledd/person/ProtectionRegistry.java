package no.bindeledd.person;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Arrays;
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
    try {
      if (protection.any()) {
        upsert(person, protection);
        people.put(person, protection);
      } else {
        delete(person);
        people.remove(person);
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
    writing.lock();
    try {
      people = load(database);
    } finally {
      writing.unlock();
    }
  }

  /** How many people are protected. */
  public int size() {
    return people.size();
  }

  private void upsert(Pseudonym person, Protection protection) throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement statement =
            connection.prepareStatement(
                """
                INSERT INTO protection (subject, grade, shielded) VALUES (?, ?, ?)
                ON CONFLICT (subject) DO UPDATE
                SET grade = excluded.grade, shielded = excluded.shielded""")) {
      statement.setBytes(1, person.bytes());
      statement.setString(2, protection.grade().name());
      statement.setBoolean(3, protection.shielded());
      statement.executeUpdate();
      commit(connection);
    }
  }

  private void delete(Pseudonym person) throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement statement =
            connection.prepareStatement("DELETE FROM protection WHERE subject = ?")) {
      statement.setBytes(1, person.bytes());
      statement.executeUpdate();
      commit(connection);
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
