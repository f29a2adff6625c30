package no.bindeledd.delivery;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.OutboxRows;
import no.bindeledd.gate.Outgoing;
import no.bindeledd.gate.Resumption;
import no.bindeledd.person.SealBrokenException;

/**
 * What could not be delivered and is kept until somebody decides: listed without payload or person,
 * and replayed one at a time. Thread-safe.
 */
public final class DeadLetters {
  /** One dead letter; {@code id} is the ledger index of the decision that released it. */
  public record DeadLetter(long id, String exchange, String recipient, String outcome) {}

  private final DataSource database;
  private final Catalogue catalogue;
  private final OutboxRows rows;
  private final Journal journal;
  private final InstantSource clock;

  public DeadLetters(
      DataSource database,
      Catalogue catalogue,
      OutboxRows rows,
      Journal journal,
      InstantSource clock) {
    this.database = database;
    this.catalogue = catalogue;
    this.rows = rows;
    this.journal = journal;
    this.clock = clock;
  }

  /**
   * The oldest first, after the given id; the ledger begins at 0, so that -1 gives the first page.
   */
  public List<DeadLetter> list(long after, int most) throws SQLException {
    List<DeadLetter> found = new ArrayList<>();
    try (Connection connection = database.getConnection()) {
      try (PreparedStatement select =
          connection.prepareStatement(
              "SELECT id, exchange, recipient, outcome FROM outbox WHERE state = 'DEAD'"
                  + " AND id > ? ORDER BY id LIMIT ?")) {
        select.setLong(1, after);
        select.setInt(2, most);
        add(select, found);
      }
      addFromParcels(connection, after, most, found);
    }
    found.sort(Comparator.comparingLong(DeadLetter::id));
    return found.subList(0, Math.min(most, found.size()));
  }

  /** The ledger knows the outcome of what lies in a parcel that cannot be opened. */
  private static void addFromParcels(
      Connection connection, long after, int most, List<DeadLetter> found) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT id, last, exchange, recipient, gone FROM parcel WHERE state = 'DEAD'"
                + " AND last > ? ORDER BY id")) {
      select.setLong(1, after);
      int enough = found.size() + most;
      try (ResultSet row = select.executeQuery()) {
        while (found.size() < enough && row.next()) {
          long id = row.getLong(1);
          String exchange = row.getString(3);
          String recipient = row.getString(4);
          BitSet gone = BitSet.valueOf(row.getBytes(5));
          AuditReader.scan(
              connection,
              Math.max(id, after + 1),
              row.getLong(2) + 1,
              (index, entry) -> {
                if (entry != null
                    && entry.exchange().equals(exchange)
                    && !gone.get((int) (index - id))) {
                  found.add(new DeadLetter(index, exchange, recipient, entry.outcome()));
                }
              });
        }
      }
    }
  }

  private static void add(PreparedStatement select, List<DeadLetter> found) throws SQLException {
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        found.add(
            new DeadLetter(row.getLong(1), row.getString(2), row.getString(3), row.getString(4)));
      }
    }
  }

  /**
   * Sends it on its way once more, as the newest message; it is decided again at the door.
   *
   * @return false when there is no such dead letter
   * @throws GateShutException when it cannot be recorded now
   * @throws SealBrokenException when its row cannot be decrypted; it stays a dead letter
   */
  public boolean replay(long id) throws SQLException {
    Optional<Outgoing> message = read(id);
    if (message.isEmpty()) {
      return false;
    }
    try {
      Outgoing dead = message.get();
      String receiver = catalogue.receiver(dead.exchange(), dead.recipient());
      Journal.Work resumption =
          Resumption.of(dead, receiver, Resumption.From.DEAD, clock.instant());
      journal
          .write(
              (connection, next) -> {
                rows.alone(connection, dead);
                return resumption.write(connection, next);
              })
          .join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof GateShutException shut ? shut : e;
    }
    return true;
  }

  private Optional<Outgoing> read(long id) throws SQLException {
    try (Connection connection = database.getConnection()) {
      return rows.dead(connection, id);
    }
  }
}
