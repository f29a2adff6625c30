package no.bindeledd.gate;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.SealBrokenException;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * What waits to be delivered, as the tables hold it: {@code outbox} has a row for a message, {@code
 * parcel} one for many. Thread-safe.
 */
public final class OutboxRows {
  /** The columns that {@link #read} expects, in order. */
  public static final String COLUMNS =
      "id, key, exchange, recipient, sender, subject, outcome, withheld, facts, trace, payload";

  private static final int ROWS = 2_000;
  private static final int PARCELS = 4;

  private final Vault vault;

  /**
   * Some of what waits for one recipient.
   *
   * @param messages in the order of the ledger
   * @param broken those that cannot be opened; they have neither payload nor facts
   * @param brokenParcels how many messages wait in each parcel that cannot be opened, by its id
   * @param last everything up to this number is in the page
   * @param more there may be some behind it
   */
  public record Page(
      List<Outgoing> messages,
      List<Outgoing> broken,
      Map<Long, Long> brokenParcels,
      long last,
      boolean more) {}

  public OutboxRows(Vault vault) {
    this.vault = vault;
  }

  /** Takes a row that cannot be opened; it has neither payload nor facts. */
  public interface Broken {
    void row(Outgoing message, RuntimeException cause);
  }

  /** Reads all rows; what cannot be opened goes to the other and stops nothing. */
  public List<Outgoing> read(ResultSet rows, Broken broken) throws SQLException {
    List<Outgoing> found = new ArrayList<>();
    while (rows.next()) {
      try {
        found.add(read(rows));
      } catch (SealBrokenException e) {
        broken.row(message(rows, RecordFacts.parse(null), new byte[0]), e);
      }
    }
    return found;
  }

  /**
   * Reads one row.
   *
   * @throws SealBrokenException when it cannot be opened
   */
  public Outgoing read(ResultSet row) throws SQLException {
    byte[] key = row.getBytes(2);
    byte[] sealedFacts = row.getBytes(9);
    RecordFacts facts =
        RecordFacts.parse(sealedFacts == null ? null : vault.open(sealedFacts, key));
    return message(row, facts, vault.open(row.getBytes(11), key));
  }

  private static Outgoing message(ResultSet row, RecordFacts facts, byte[] payload)
      throws SQLException {
    byte[] key = row.getBytes(2);
    byte[] subject = row.getBytes(6);
    Array withheld = row.getArray(8);
    return new Outgoing(
        row.getLong(1),
        key,
        row.getString(3),
        row.getString(4),
        new OrganisationNumber(row.getString(5)),
        subject == null ? null : Pseudonym.of(subject),
        Outcome.valueOf(row.getString(7)),
        Set.of((String[]) withheld.getArray()),
        facts.birthDate(),
        facts.attributes(),
        row.getString(10),
        payload,
        Outgoing.ALONE);
  }

  /** The next page after a number and below another. The connection is in auto-commit. */
  public Page next(Connection connection, Deliverers.Way way, long after, long end)
      throws SQLException {
    connection.setAutoCommit(false);
    connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    try {
      Gathered gathered = new Gathered(after);
      rows(connection, way, after, end, gathered);
      parcels(connection, way, after, end, gathered);
      return gathered.page();
    } finally {
      connection.rollback();
      connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      connection.setAutoCommit(true);
    }
  }

  /** From two tables; where one of them has more, the page ends. */
  private static final class Gathered {
    private final List<Outgoing> messages = new ArrayList<>();
    private final List<Outgoing> broken = new ArrayList<>();
    private final Map<Long, Long> brokenParcels = new TreeMap<>();
    private long last;
    private long horizon = Long.MAX_VALUE;

    Gathered(long after) {
      last = after;
    }

    void read(long id) {
      last = Math.max(last, id);
    }

    void ended(int rows, int most, long id) {
      if (rows == most) {
        horizon = Math.min(horizon, id);
      }
    }

    Page page() {
      messages.removeIf(message -> message.id() > horizon);
      messages.sort(Comparator.comparingLong(Outgoing::id));
      return new Page(
          messages, broken, brokenParcels, Math.min(last, horizon), horizon < Long.MAX_VALUE);
    }
  }

  private void rows(Connection connection, Deliverers.Way way, long after, long end, Gathered to)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT "
                + COLUMNS
                + " FROM outbox WHERE exchange = ? AND recipient = ? AND id > ?"
                + " AND id < ? AND state = 'PENDING' ORDER BY id LIMIT "
                + ROWS)) {
      select.setString(1, way.exchange());
      select.setString(2, way.recipient());
      select.setLong(3, after);
      select.setLong(4, end);
      try (ResultSet row = select.executeQuery()) {
        to.messages.addAll(read(row, (message, cause) -> to.broken.add(message)));
      }
    }
    to.messages.forEach(message -> to.read(message.id()));
    to.broken.forEach(message -> to.read(message.id()));
    to.ended(to.messages.size() + to.broken.size(), ROWS, to.last);
  }

  private void parcels(Connection connection, Deliverers.Way way, long after, long end, Gathered to)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT id, last, gone, payload, waiting FROM parcel WHERE exchange = ?"
                + " AND recipient = ? AND last > ? AND id < ? AND state = 'PENDING' ORDER BY id LIMIT "
                + PARCELS)) {
      select.setString(1, way.exchange());
      select.setString(2, way.recipient());
      select.setLong(3, after);
      select.setLong(4, end);
      try (ResultSet row = select.executeQuery()) {
        int found = 0;
        long last = after;
        while (row.next()) {
          found++;
          last = row.getLong(2);
          to.read(last);
          try {
            for (Outgoing message : open(row, way.exchange(), way.recipient())) {
              if (message.id() > after) {
                to.messages.add(message);
              }
            }
          } catch (SealBrokenException e) {
            to.brokenParcels.put(row.getLong(1), row.getLong(5));
          }
        }
        to.ended(found, PARCELS, last);
      }
    }
  }

  private List<Outgoing> open(ResultSet row, String exchange, String recipient)
      throws SQLException {
    return Parcel.open(
        vault, row.getLong(1), exchange, recipient, row.getBytes(3), row.getBytes(4));
  }

  /**
   * A dead letter.
   *
   * @throws SealBrokenException when it cannot be opened
   */
  public Optional<Outgoing> dead(Connection connection, long id) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT " + COLUMNS + " FROM outbox WHERE id = ? AND state = 'DEAD'")) {
      select.setLong(1, id);
      try (ResultSet row = select.executeQuery()) {
        if (row.next()) {
          return Optional.of(read(row));
        }
      }
    }
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT id, last, gone, payload, exchange, recipient FROM parcel"
                + " WHERE id <= ? AND last >= ? AND state = 'DEAD'")) {
      select.setLong(1, id);
      select.setLong(2, id);
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          for (Outgoing message : open(row, row.getString(5), row.getString(6))) {
            if (message.id() == id) {
              return Optional.of(message);
            }
          }
        }
      }
    }
    return Optional.empty();
  }

  /**
   * Gives a message that lies in a parcel a row of its own, in the same state, so that something
   * can be written about it alone. Does nothing when it has one, or is not there any more.
   */
  public void alone(Connection connection, Outgoing message) throws SQLException {
    if (message.parcel() == Outgoing.ALONE) {
      return;
    }
    String state = state(connection, message.parcel());
    Map<Long, List<Long>> one = Map.of(message.parcel(), List.of(message.id()));
    if (state == null || takeOut(connection, one).isEmpty()) {
      return;
    }
    Packed.Alone sealed = Packed.Alone.seal(vault, message);
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO outbox ("
                + COLUMNS
                + ", state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")) {
      insert.setLong(1, message.id());
      insert.setBytes(2, message.key());
      insert.setString(3, message.exchange());
      insert.setString(4, message.recipient());
      insert.setString(5, message.counterparty().value());
      insert.setBytes(6, message.subject() == null ? null : message.subject().bytes());
      insert.setString(7, message.outcome().name());
      insert.setArray(8, connection.createArrayOf("text", message.withheld().toArray()));
      insert.setBytes(9, sealed.facts());
      insert.setString(10, message.trace());
      insert.setBytes(11, sealed.payload());
      insert.setString(12, state);
      insert.executeUpdate();
    }
  }

  private static @Nullable String state(Connection connection, long parcel) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("SELECT state FROM parcel WHERE id = ?")) {
      select.setLong(1, parcel);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? row.getString(1) : null;
      }
    }
  }

  /**
   * Takes messages out of their parcels; a parcel that is empty then goes.
   *
   * @param parcels numbers of messages by the id of their parcel
   * @return the numbers of those that were in it
   */
  static Set<Long> takeOut(Connection connection, Map<Long, List<Long>> parcels)
      throws SQLException {
    Set<Long> taken = new HashSet<>();
    try (PreparedStatement select =
            connection.prepareStatement(
                "SELECT id, waiting, gone FROM parcel WHERE id = ANY (?) ORDER BY id FOR UPDATE");
        PreparedStatement update =
            connection.prepareStatement("UPDATE parcel SET waiting = ?, gone = ? WHERE id = ?");
        PreparedStatement delete = connection.prepareStatement("DELETE FROM parcel WHERE id = ?")) {
      select.setArray(1, connection.createArrayOf("bigint", parcels.keySet().toArray()));
      boolean some = false;
      boolean all = false;
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          long id = row.getLong(1);
          long waiting = row.getLong(2);
          BitSet gone = BitSet.valueOf(row.getBytes(3));
          for (long number : parcels.getOrDefault(id, List.of())) {
            int place = Math.toIntExact(number - id);
            if (!gone.get(place)) {
              gone.set(place);
              waiting--;
              taken.add(number);
            }
          }
          if (waiting == 0) {
            delete.setLong(1, id);
            delete.addBatch();
            all = true;
          } else {
            update.setLong(1, waiting);
            update.setBytes(2, gone.toByteArray());
            update.setLong(3, id);
            update.addBatch();
            some = true;
          }
        }
      }
      if (some) {
        update.executeBatch();
      }
      if (all) {
        delete.executeBatch();
      }
    }
    return taken;
  }
}
