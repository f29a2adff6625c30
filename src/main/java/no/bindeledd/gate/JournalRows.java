package no.bindeledd.gate;

import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one transaction of the {@link Journal}, besides the ledger's own: what is gathered
 * goes to the database in {@link #write}, what must be known at once is asked or done at once.
 * {@link #begin} starts the next transaction. Not thread-safe: belongs to the journal's thread.
 */
final class JournalRows {
  /**
   * After a repeat, and after a start, so many envelopes are looked up before they are written;
   * then the unique key alone stands guard, until it meets a repeat.
   */
  private static final int WARINESS = 20_000;

  private final CopyBuffer envelopes = new CopyBuffer();
  private final CopyBuffer held = new CopyBuffer();
  private final CopyBuffer outbox = new CopyBuffer();
  private final CopyBuffer parcels = new CopyBuffer();
  private final List<Envelope> listings = new ArrayList<>();
  private final List<Timing> timings = new ArrayList<>();
  private final List<DecisionArchive.Kept> decisions = new ArrayList<>();
  private final @Nullable DecisionArchive archive;
  private boolean byIndex;
  // Envelopes that may still be met without one that was recorded before.
  private int wary = WARINESS;

  /**
   * @param archive keeps what decisions were made on; null keeps nothing
   */
  JournalRows(@Nullable DecisionArchive archive) {
    this.archive = archive;
  }

  /** An envelope's key; equal by content. */
  record Key(byte[] bytes) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key && Arrays.equals(bytes, key.bytes);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(bytes);
    }
  }

  /** An envelope that was recorded before. */
  record Known(byte[] digest, Journal.Recorded recorded) {}

  void begin() {
    envelopes.clear();
    held.clear();
    outbox.clear();
    parcels.clear();
    listings.clear();
    timings.clear();
    decisions.clear();
    byIndex = false;
  }

  void envelope(Envelope envelope, Journal.Recorded now) {
    envelopes
        .row(6)
        .bytes(envelope.key())
        .text(envelope.exchange())
        .text(now.outcome().name())
        .text(now.reason().name())
        .bytes(envelope.digest())
        .int64(now.entry());
  }

  /** Everything that the envelope brings besides its own row and what leaves. */
  void parts(Envelope envelope) {
    Envelope.Release release = envelope.outgoing();
    if (release != null && release.timing() != null) {
      timings.add(release.timing());
    }
    if (envelope.held() != null) {
      held(envelope, envelope.held());
    }
    if (envelope.listed() != null) {
      listings.add(envelope);
    }
    decided(envelope.decided());
  }

  /** What a decision was made on; null when nothing was decided. */
  void decided(DecisionArchive.@Nullable Kept kept) {
    if (kept != null) {
      decisions.add(kept);
    }
  }

  /**
   * @param id number in the ledger of the decision on its first message
   */
  void parcel(Parcel parcel, long id) {
    int[] places = parcel.places();
    parcels
        .row(7)
        .int64(id)
        .int64(id + places[places.length - 1] - places[0])
        .text(parcel.exchange())
        .text(parcel.recipient())
        .int64(places.length)
        .bytes(parcel.gone())
        .bytes(parcel.sealed());
  }

  /** What leaves in a row of its own. */
  void alone(Outgoing message, Packed.Alone sealed) {
    outbox
        .row(11)
        .int64(message.id())
        .bytes(message.key())
        .text(message.exchange())
        .text(message.recipient())
        .text(message.counterparty().value())
        .bytes(message.subject() == null ? null : message.subject().bytes())
        .text(message.outcome().name())
        .texts(message.withheld())
        .bytes(sealed.facts())
        .text(message.trace())
        .bytes(sealed.payload());
  }

  private void held(Envelope envelope, Envelope.Waiting waiting) {
    held.row(8)
        .bytes(envelope.key())
        .text(envelope.exchange())
        .text(sender(envelope))
        .text(envelope.recipient())
        .bytes(waiting.subject() == null ? null : waiting.subject().bytes())
        .text(envelope.reason().name())
        .text(waiting.trace())
        .bytes(waiting.payload());
  }

  /** What is held or listed has an authenticated sender. */
  private static String sender(Envelope envelope) {
    return Objects.requireNonNull(envelope.sender()).value();
  }

  /** Sends what was gathered; the ledger's entries, which it names, are written before. */
  void write(Connection connection) throws SQLException {
    envelopes.copyInto(connection, "envelope (key, exchange, outcome, reason, digest, entry)");
    held.copyInto(
        connection, "held (key, exchange, sender, recipient, subject, reason, trace, payload)");
    outbox.copyInto(
        connection,
        "outbox (id, key, exchange, recipient, sender, subject, outcome, withheld, facts,"
            + " trace, payload)");
    parcels.copyInto(connection, "parcel (id, last, exchange, recipient, waiting, gone, payload)");
    insertRoster(connection);
    writeTimings(connection);
    if (archive != null) {
      archive.write(connection, decisions);
    }
  }

  /** The unique key has met a repeat. */
  void beWary() {
    wary = WARINESS;
  }

  /** Adds those of the keys that were recorded before, as long as some are to be expected. */
  void recognise(Connection connection, List<byte[]> keys, Map<Key, Known> known)
      throws SQLException {
    if (wary > 0 && !keys.isEmpty()) {
      lookUp(connection, keys, known);
      wary = known.isEmpty() ? wary - keys.size() : WARINESS;
    }
  }

  /** Adds those of the keys that were recorded before. */
  void lookUp(Connection connection, List<byte[]> keys, Map<Key, Known> known) throws SQLException {
    useIndexes(connection);
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT key, digest, outcome, reason, entry FROM envelope WHERE key = ANY (?)")) {
      Array array = connection.createArrayOf("bytea", keys.toArray(new byte[0][]));
      select.setArray(1, array);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          known.put(
              new Key(rows.getBytes(1)),
              new Known(
                  rows.getBytes(2),
                  new Journal.Recorded(
                      Outcome.valueOf(rows.getString(3)),
                      ReasonCode.valueOf(rows.getString(4)),
                      rows.getLong(5),
                      true)));
        }
      }
    }
  }

  /**
   * Makes the sender what it claims to be to the person, or no longer that.
   *
   * @return false when another one is it already
   */
  static boolean claim(Connection connection, String exchange, Envelope.Claim claim)
      throws SQLException {
    if (claim.ended()) {
      try (PreparedStatement delete =
          connection.prepareStatement(
              "DELETE FROM single_holder WHERE exchange = ? AND subject = ? AND holder = ?")) {
        delete.setString(1, exchange);
        delete.setBytes(2, claim.subject().bytes());
        delete.setString(3, claim.holder());
        delete.executeUpdate();
      }
      return true;
    }
    // A no-op update, so that the row's holder comes back whether it was there or not.
    try (PreparedStatement upsert =
        connection.prepareStatement(
            "INSERT INTO single_holder AS one (exchange, subject, holder) VALUES (?, ?, ?)"
                + " ON CONFLICT (exchange, subject) DO UPDATE SET holder = one.holder"
                + " RETURNING holder")) {
      upsert.setString(1, exchange);
      upsert.setBytes(2, claim.subject().bytes());
      upsert.setString(3, claim.holder());
      try (ResultSet row = upsert.executeQuery()) {
        return row.next() && row.getString(1).equals(claim.holder());
      }
    }
  }

  /**
   * Takes a held message from the table and rewrites its envelope.
   *
   * @param entry index in the ledger of the new decision
   * @return false when somebody else has taken it
   */
  static boolean takeHeld(Connection connection, Envelope envelope, long entry)
      throws SQLException {
    try (PreparedStatement delete = connection.prepareStatement("DELETE FROM held WHERE key = ?");
        PreparedStatement update =
            connection.prepareStatement(
                "UPDATE envelope SET outcome = ?, reason = ?, entry = ? WHERE key = ?")) {
      delete.setBytes(1, envelope.key());
      if (delete.executeUpdate() == 0) {
        return false;
      }
      update.setString(1, envelope.outcome().name());
      update.setString(2, envelope.reason().name());
      update.setLong(3, entry);
      update.setBytes(4, envelope.key());
      update.executeUpdate();
      return true;
    }
  }

  /** Removes what was delivered and returns the ids of those that were there. */
  Set<Long> removeDelivered(Connection connection, List<Outgoing> delivered) throws SQLException {
    if (delivered.isEmpty()) {
      return Set.of();
    }
    useIndexes(connection);
    Map<Long, List<Long>> parcels = new TreeMap<>();
    List<Long> alone = new ArrayList<>();
    for (Outgoing message : delivered) {
      if (message.parcel() == Outgoing.ALONE) {
        alone.add(message.id());
      } else {
        parcels.computeIfAbsent(message.parcel(), id -> new ArrayList<>()).add(message.id());
      }
    }
    Set<Long> removed = HashSet.newHashSet(delivered.size());
    if (!parcels.isEmpty()) {
      removed.addAll(OutboxRows.takeOut(connection, parcels));
      // Made smaller at the door by a commit that was not heard of, it has a row of its own.
      parcels.values().forEach(alone::addAll);
      alone.removeAll(removed);
    }
    if (alone.isEmpty()) {
      return removed;
    }
    try (PreparedStatement delete =
        connection.prepareStatement("DELETE FROM outbox WHERE id = ANY (?) RETURNING id")) {
      delete.setArray(1, connection.createArrayOf("bigint", alone.toArray()));
      try (ResultSet row = delete.executeQuery()) {
        while (row.next()) {
          removed.add(row.getLong(1));
        }
      }
    }
    return removed;
  }

  /**
   * What is asked for by key is found by key. A plan that the server made and kept while a table
   * was small or just emptied would read the whole of it, with every row that was ever removed.
   */
  private void useIndexes(Connection connection) throws SQLException {
    if (!byIndex) {
      try (Statement statement = connection.createStatement()) {
        statement.execute("SET LOCAL enable_seqscan = off");
      }
      byIndex = true;
    }
  }

  /** The first row about a person on a list counts; a list may name somebody twice. */
  private void insertRoster(Connection connection) throws SQLException {
    if (listings.isEmpty()) {
      return;
    }
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO roster (exchange, holder, counterpart, list, subject, code)"
                + " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
      for (Envelope envelope : listings) {
        Envelope.Listed listed = Objects.requireNonNull(envelope.listed());
        insert.setString(1, envelope.exchange());
        insert.setString(2, sender(envelope));
        insert.setString(3, listed.counterpart().value());
        insert.setString(4, listed.list());
        insert.setBytes(5, listed.subject().bytes());
        insert.setString(6, listed.code());
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }

  /** A reference that is sent once more starts nothing anew. */
  private void writeTimings(Connection connection) throws SQLException {
    if (timings.isEmpty()) {
      return;
    }
    try (PreparedStatement insert =
            connection.prepareStatement(
                "INSERT INTO deadline (id, exchange, waiting, owing, agreement, warn_on,"
                    + " last_day, facts, subject) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
                    + " ON CONFLICT DO NOTHING");
        PreparedStatement answer =
            connection.prepareStatement(
                "UPDATE deadline SET state = 'ANSWERED', facts = '' WHERE id = ?")) {
      for (Timing timing : timings) {
        switch (timing) {
          case Timing.Starts starts -> {
            insert.setBytes(1, starts.id());
            insert.setString(2, starts.exchange());
            insert.setString(3, starts.waiting().value());
            insert.setString(4, starts.owing().value());
            insert.setString(5, starts.agreement());
            insert.setObject(6, starts.warnOn());
            insert.setObject(7, starts.lastDay());
            insert.setBytes(8, starts.facts());
            insert.setBytes(9, starts.subject().bytes());
            insert.executeUpdate();
          }
          case Timing.Ends ends -> {
            answer.setBytes(1, ends.id());
            answer.executeUpdate();
          }
        }
      }
    }
  }
}
