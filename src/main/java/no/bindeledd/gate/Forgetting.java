package no.bindeledd.gate;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.LocalDate;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * What the gate itself remembers of people between messages goes when their entries are shredded.
 * Works in the caller's transaction. No state, safe on any thread.
 */
public final class Forgetting {
  private Forgetting() {}

  /** A person's deadlines, over or not, and which services hold what to the person. */
  public static void person(Connection connection, Pseudonym subject) throws SQLException {
    for (String delete :
        new String[] {
          "DELETE FROM deadline WHERE subject = ?", "DELETE FROM single_holder WHERE subject = ?"
        }) {
      try (PreparedStatement statement = connection.prepareStatement(delete)) {
        statement.setBytes(1, subject.bytes());
        statement.executeUpdate();
      }
    }
  }

  /**
   * Deadlines of an exchange that nobody is warned of any more.
   *
   * @param agreement the one they run under, {@code id@version}; null for all but those
   * @param except agreements that are left alone
   * @param before the last day lies before it
   */
  public static void deadlines(
      Connection connection,
      String exchange,
      @Nullable String agreement,
      java.util.Set<String> except,
      LocalDate before)
      throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "DELETE FROM deadline WHERE exchange = ? AND last_day < ?"
                + " AND state NOT IN ('RUNNING', 'WARNED')"
                + (agreement == null
                    ? " AND coalesce(agreement, '') <> ALL (?)"
                    : " AND agreement = ANY (?)"))) {
      statement.setString(1, exchange);
      statement.setObject(2, before);
      Object[] agreements = agreement == null ? except.toArray() : new Object[] {agreement};
      statement.setArray(3, connection.createArrayOf("text", agreements));
      statement.executeUpdate();
    }
  }
}
