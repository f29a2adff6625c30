package no.bindeledd.bench;

import java.io.IOException;
import java.io.StringReader;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.UUID;
import javax.sql.DataSource;
import no.bindeledd.demo.Person;
import no.bindeledd.demo.Population;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Pseudonymizer;
import org.postgresql.PGConnection;

/** Synthetic people by number and birth date, and the consents they have given. Immutable. */
final class People {
  /** Every so manieth has taken a consent back, so that both answers occur. */
  private static final int WITHDRAWN_EVERY = 5;

  private final String[] numbers;
  private final String[] birthDates;

  private People(String[] numbers, String[] birthDates) {
    this.numbers = numbers;
    this.birthDates = birthDates;
  }

  static People of(int count, long seed) {
    String[] numbers = new String[count];
    String[] birthDates = new String[count];
    int i = 0;
    for (Person person : Population.of(seed, count).people()) {
      numbers[i] = person.identityNumber();
      birthDates[i++] = person.birthDate().toString();
    }
    return new People(numbers, birthDates);
  }

  int count() {
    return numbers.length;
  }

  String number(int person) {
    return numbers[person];
  }

  String birthDate(int person) {
    return birthDates[person];
  }

  /**
   * Puts two consents of each person straight into the table, as years of use would have: one for
   * absence, one for the exact status. Does nothing when the table has rows.
   *
   * @return rows written
   */
  long seedConsents(DataSource database, Pseudonymizer pseudonymizer)
      throws SQLException, IOException {
    StringBuilder rows = new StringBuilder(numbers.length * 400);
    for (int i = 0; i < numbers.length; i++) {
      if (!(NationalId.parse(numbers[i], Numbers.SYNTHETIC_ONLY) instanceof NationalId number)) {
        throw new IllegalStateException("Person " + i + " has a number that is not accepted");
      }
      String subject = pseudonymizer.pseudonym(number).value();
      consent(rows, i, subject, "FOLLOW_UP", "{ABSENCE}");
      consent(rows, i, subject, "RIGHTS_QUERY", "{OT_STATUS_CODE}");
    }
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      try (var any = statement.executeQuery("SELECT 1 FROM consent LIMIT 1")) {
        if (any.next()) {
          return 0;
        }
      }
      long written =
          connection
              .unwrap(PGConnection.class)
              .getCopyAPI()
              .copyIn(
                  "COPY consent (id, version, subject, state, purpose, recipients, categories,"
                      + " valid_from, valid_to, recorded_at, captured) FROM STDIN",
                  new StringReader(rows.toString()));
      statement.execute("ANALYZE consent");
      return written;
    }
  }

  private static void consent(
      StringBuilder rows, int person, String subject, String purpose, String categories) {
    UUID id = new UUID(purpose.hashCode(), person);
    row(rows, id, 1, subject, "GIVEN", purpose, categories);
    if (person % WITHDRAWN_EVERY == 0) {
      row(rows, id, 2, subject, "WITHDRAWN", purpose, categories);
    }
  }

  private static void row(
      StringBuilder rows,
      UUID id,
      int version,
      String subject,
      String state,
      String purpose,
      String categories) {
    rows.append(id).append('\t').append(version).append("\t\\\\x").append(subject);
    rows.append('\t').append(state).append('\t').append(purpose).append("\t{}\t");
    rows.append(categories)
        .append("\t2025-08-01T00:00:00Z\t\\N\t2025-08-01T00:00:00Z\tNOT_STATED\n");
  }
}
