package no.bindeledd.consent;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.jspecify.annotations.Nullable;

/** The table {@code consent}. Stateless; every call uses the connection it is given. */
final class ConsentRows {
  private static final String COLUMNS =
      "id, version, subject, kind, state, by_person, guardians, purpose, sources, recipients,"
          + " categories, text_version, valid_from, valid_to, captured, recorded_at";

  private ConsentRows() {}

  /** The newest version of everything about these people, ordered by id: one indexed query. */
  static List<Consent> newestOf(Connection connection, Collection<Pseudonym> subjects)
      throws SQLException {
    byte[][] bytes = subjects.stream().map(Pseudonym::bytes).toArray(byte[][]::new);
    List<Consent> found = new ArrayList<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT DISTINCT ON (id) "
                + COLUMNS
                + " FROM consent WHERE subject = ANY (?) ORDER BY id, version DESC")) {
      select.setArray(1, connection.createArrayOf("bytea", bytes));
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          found.add(consent(rows));
        }
      }
    }
    return found;
  }

  /** Every version of one id with the time it was recorded, the oldest first. */
  static List<ConsentRegistry.Version> versions(Connection connection, UUID id)
      throws SQLException {
    List<ConsentRegistry.Version> found = new ArrayList<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT " + COLUMNS + " FROM consent WHERE id = ? ORDER BY version")) {
      select.setObject(1, id);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          found.add(new ConsentRegistry.Version(consent(rows), rows.getTimestamp(16).toInstant()));
        }
      }
    }
    return found;
  }

  static @Nullable Consent at(Connection connection, UUID id, int version) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT " + COLUMNS + " FROM consent WHERE id = ? AND version = ?")) {
      select.setObject(1, id);
      select.setInt(2, version);
      try (ResultSet rows = select.executeQuery()) {
        return rows.next() ? consent(rows) : null;
      }
    }
  }

  /** The newest version's number; 0 when the id is unknown. */
  static int newest(Connection connection, UUID id) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("SELECT max(version) FROM consent WHERE id = ?")) {
      select.setObject(1, id);
      try (ResultSet rows = select.executeQuery()) {
        return rows.next() ? rows.getInt(1) : 0;
      }
    }
  }

  /** False when another transaction has taken the version: it waits for that one to end. */
  static boolean insert(Connection connection, Consent consent, Instant recordedAt)
      throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO consent ("
                + COLUMNS
                + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                + " ON CONFLICT DO NOTHING")) {
      insert.setObject(1, consent.id());
      insert.setInt(2, consent.version());
      insert.setBytes(3, consent.subject().bytes());
      insert.setString(4, consent.kind().name());
      insert.setString(5, consent.state().name());
      insert.setBoolean(6, consent.grantors().person());
      byte[][] guardians =
          consent.grantors().guardians().stream().map(Pseudonym::bytes).toArray(byte[][]::new);
      insert.setArray(7, connection.createArrayOf("bytea", guardians));
      insert.setString(8, consent.purpose());
      insert.setArray(9, texts(connection, consent.sources()));
      insert.setArray(10, texts(connection, consent.recipients()));
      insert.setArray(11, texts(connection, consent.categories()));
      insert.setString(12, consent.textVersion());
      insert.setTimestamp(13, Timestamp.from(consent.validFrom()));
      Instant validTo = consent.validTo();
      insert.setTimestamp(14, validTo == null ? null : Timestamp.from(validTo));
      insert.setString(15, consent.captured().name());
      insert.setTimestamp(16, Timestamp.from(recordedAt));
      return insert.executeUpdate() == 1;
    }
  }

  /** Whose consents or blocks begin or end after the one instant and not after the other. */
  static Set<Pseudonym> turning(Connection connection, Instant after, Instant until)
      throws SQLException {
    Set<Pseudonym> found = new HashSet<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT subject FROM consent WHERE valid_from > ? AND valid_from <= ?"
                + " UNION SELECT subject FROM consent WHERE valid_to > ? AND valid_to <= ?")) {
      for (int i = 1; i <= 4; i++) {
        select.setTimestamp(i, Timestamp.from(i % 2 == 1 ? after : until));
      }
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          found.add(Pseudonym.of(rows.getBytes(1)));
        }
      }
    }
    return found;
  }

  private static Consent consent(ResultSet row) throws SQLException {
    Set<Pseudonym> guardians = new HashSet<>();
    for (byte[] guardian : (byte[][]) row.getArray(7).getArray()) {
      guardians.add(Pseudonym.of(guardian));
    }
    Timestamp validTo = row.getTimestamp(14);
    String text = row.getString(12);
    State state = State.valueOf(row.getString(5));
    return new Consent(
        row.getObject(1, UUID.class),
        row.getInt(2),
        Pseudonym.of(row.getBytes(3)),
        Kind.valueOf(row.getString(4)),
        state,
        new Consent.Grantors(row.getBoolean(6), guardians),
        row.getString(8),
        set(row.getArray(9)),
        set(row.getArray(10)),
        set(row.getArray(11)),
        text == null && state == State.GIVEN ? Consent.TEXT_NOT_STATED : text,
        row.getTimestamp(13).toInstant(),
        validTo == null ? null : validTo.toInstant(),
        Captured.valueOf(row.getString(15)));
  }

  private static Set<String> set(Array array) throws SQLException {
    return Set.of((String[]) array.getArray());
  }

  private static Array texts(Connection connection, Set<String> texts) throws SQLException {
    return connection.createArrayOf("text", new TreeSet<>(texts).toArray());
  }
}
