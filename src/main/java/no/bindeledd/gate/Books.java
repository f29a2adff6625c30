package no.bindeledd.gate;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import no.bindeledd.policy.Outcome;

/**
 * The books: for each exchange, every message counted once by its final state. Counted from three
 * tables that are written apart, so that they can disagree when something is wrong: envelopes
 * (decisions), the outbox with its parcels (what still waits) and the ledger (receipts; those that
 * were moved to archive files by the count kept of them). Immutable.
 *
 * @param delivered messages with a receipt in the ledger; for a synchronous exchange the replies
 */
public record Books(
    long received,
    long released,
    long reduced,
    long deidentified,
    long held,
    long refused,
    long delivered,
    long pending,
    long deadLettered) {

  /** True when received = sum of outcomes, and what was released is delivered, waits or is dead. */
  public boolean balance() {
    return received == released + reduced + deidentified + held + refused
        && released + reduced + deidentified == delivered + pending + deadLettered;
  }

  /**
   * Reads the books of all exchanges in one snapshot.
   *
   * @param catalogue tells which exchanges are synchronous
   */
  public static SortedMap<String, Books> read(Connection connection, Catalogue.Edition catalogue)
      throws SQLException {
    SortedMap<String, long[]> counts = new TreeMap<>();
    boolean autoCommit = connection.getAutoCommit();
    connection.setAutoCommit(false);
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    try {
      count(
          connection,
          "SELECT exchange, outcome, count(*) FROM envelope GROUP BY 1, 2",
          counts,
          Map.of("RELEASED", 0, "REDUCED", 1, "DEIDENTIFIED", 2, "HELD", 3, "REFUSED", 4));
      count(
          connection,
          "SELECT exchange, outcome, count(*) FROM audit_entry"
              + " WHERE station = 'DELIVER' AND outcome = 'DELIVERED' GROUP BY 1, 2"
              + " UNION ALL SELECT exchange, outcome, entries FROM audit_archived"
              + " WHERE station = 'DELIVER' AND outcome = 'DELIVERED'",
          counts,
          Map.of("DELIVERED", 5));
      count(
          connection,
          "SELECT exchange, state, count(*) FROM outbox WHERE state <> 'PARKED' GROUP BY 1, 2"
              + " UNION ALL SELECT exchange, state, sum(waiting) FROM parcel GROUP BY 1, 2",
          counts,
          Map.of("PENDING", 6, "DEAD", 7));
      count(
          connection,
          "SELECT exchange, 'ENVELOPE', count(*) FROM envelope GROUP BY 1",
          counts,
          Map.of("ENVELOPE", 8));
      connection.commit();
    } finally {
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      connection.setAutoCommit(autoCommit);
    }
    SortedMap<String, Books> books = new TreeMap<>();
    counts.forEach(
        (exchange, count) -> {
          boolean synchronous =
              catalogue
                  .exchange(exchange)
                  .map(live -> live.contract().mode())
                  .filter(no.bindeledd.exchange.Contract.Mode.SYNCHRONOUS::equals)
                  .isPresent();
          long left = count[0] + count[1] + count[2];
          books.put(
              exchange,
              new Books(
                  count[8],
                  count[Outcome.RELEASED.ordinal()],
                  count[Outcome.REDUCED.ordinal()],
                  count[Outcome.DEIDENTIFIED.ordinal()],
                  count[Outcome.HELD.ordinal()],
                  count[Outcome.REFUSED.ordinal()],
                  synchronous ? left : count[5],
                  count[6],
                  count[7]));
        });
    return books;
  }

  private static void count(
      Connection connection,
      String query,
      SortedMap<String, long[]> counts,
      Map<String, Integer> places)
      throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(query);
        ResultSet row = select.executeQuery()) {
      while (row.next()) {
        Integer place = places.get(row.getString(2));
        if (place != null) {
          counts.computeIfAbsent(row.getString(1), exchange -> new long[9])[place] +=
              row.getLong(3);
        }
      }
    }
  }
}
