package no.bindeledd.hub;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import javax.sql.DataSource;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.ShardHold;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.gate.Door;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.gate.Journal;
import no.bindeledd.person.ProtectionRegistry;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * What the other hub instances of the same database, or somebody with {@code psql}, changed: taken
 * over before anything is decided that leaves at once, and every quarter of a second besides. Safe
 * on any thread.
 *
 * <p>An instance that has seen a change, and has let pass what it had looked at before, says so in
 * {@code fact_settled}; whoever made the change waits for that, see {@link #settled}.
 */
final class FactChanges {
  private static final Duration LOOK_EVERY = Duration.ofMillis(50);
  private static final Duration SETTLED_WITHIN = Duration.ofMinutes(5);

  /** Changes are kept for a day; after half of one without looking, nothing known is believed. */
  private static final Duration LONGEST_BLINDNESS = Duration.ofHours(12);

  private final DataSource database;
  private final Shard shard;
  private final ConsentRegistry consents;
  private final ProtectionRegistry protections;
  private final HumanActs acts;

  private final AtomicLong asked = new AtomicLong();
  private final ReentrantLock looking = new ReentrantLock();
  // Touched under the lock alone.
  private long answered;
  private String since;
  private Set<Long> seen = Set.of();
  private long lookedAt = System.nanoTime();
  private final List<Change> unheard = new ArrayList<>(); // until there is somebody to tell

  private volatile @Nullable Listeners listeners;

  private record Listeners(HeldMessages held, Door door, Journal journal) {}

  /**
   * @param by whose connection wrote it; null when it was no hub's
   */
  private record Change(
      long id,
      @Nullable Integer by,
      String what,
      @Nullable Pseudonym subject,
      @Nullable String exchange) {}

  /** What is loaded from now on is as new as what this watches. */
  FactChanges(
      DataSource database,
      Shard shard,
      ConsentRegistry consents,
      ProtectionRegistry protections,
      HumanActs acts)
      throws SQLException {
    this.database = database;
    this.shard = shard;
    this.consents = consents;
    this.protections = protections;
    this.acts = acts;
    try (Connection connection = database.getConnection();
        PreparedStatement now =
            connection.prepareStatement("SELECT pg_snapshot_xmin(pg_current_snapshot())::text");
        ResultSet row = now.executeQuery()) {
      row.next();
      this.since = row.getString(1);
    }
    protections.reload();
  }

  /** Who is told when a fact changed elsewhere. */
  void tell(HeldMessages held, Door door, Journal journal) {
    listeners = new Listeners(held, door, journal);
  }

  /**
   * What was committed before this call is known when it returns. Those who call at the same time
   * share one look.
   *
   * @throws GateShutException when the database does not answer
   */
  void catchUp() {
    long mine = asked.incrementAndGet();
    looking.lock();
    try {
      if (answered >= mine) {
        return;
      }
      long all = asked.get();
      look();
      answered = all;
    } catch (SQLException e) {
      throw new GateShutException(e);
    } finally {
      looking.unlock();
    }
  }

  private void look() throws SQLException {
    List<Change> changes = new ArrayList<>();
    Set<Long> found = new HashSet<>();
    String until = since;
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT pg_snapshot_xmin(pg_current_snapshot())::text, c.id, c.shard, c.what,"
                    + " c.subject, c.exchange FROM (VALUES (1)) AS one"
                    + " LEFT JOIN fact_change c ON c.xid >= ?::text::xid8 ORDER BY c.id")) {
      select.setString(1, since);
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          until = row.getString(1);
          long id = row.getLong(2);
          if (!row.wasNull() && found.add(id) && !seen.contains(id)) {
            byte[] subject = row.getBytes(5);
            changes.add(
                new Change(
                    id,
                    row.getObject(3, Integer.class),
                    row.getString(4),
                    subject == null ? null : Pseudonym.of(subject),
                    row.getString(6)));
          }
        }
      }
    }
    take(changes);
    long now = System.nanoTime();
    if (now - lookedAt > LONGEST_BLINDNESS.toNanos()) {
      consents.invalidateAll();
      protections.reload();
      acts.reread();
    }
    // Only now: had it failed before, the next look finds them again.
    seen = found;
    since = until;
    lookedAt = now;
    tell(changes);
  }

  private void take(List<Change> changes) throws SQLException {
    boolean reload = false;
    boolean reread = false;
    for (Change change : changes) {
      if (change.what().equals("consent") && change.subject() != null) {
        consents.invalidate(change.subject());
      }
      reload |= change.what().equals("protection");
      reread |= change.what().equals("human_act");
    }
    if (reload) {
      protections.reload();
    }
    if (reread) {
      acts.reread();
    }
  }

  private void tell(List<Change> changes) {
    for (Change change : changes) {
      if (change.by() == null || change.by() != shard.number()) {
        unheard.add(change);
      }
    }
    Listeners to = listeners;
    if (to == null || unheard.isEmpty()) {
      return;
    }
    List<Change> news = List.copyOf(unheard);
    unheard.clear();
    for (Change change : news) {
      if (change.subject() != null) {
        to.held().reconsider(change.subject());
      } else if (change.exchange() != null) {
        to.held().listArrived(change.exchange());
      }
    }
    if (news.stream().anyMatch(change -> change.by() != null && change.subject() != null)) {
      Thread.startVirtualThread(() -> acknowledge(news, to));
    }
  }

  /** Tells whoever waits, when all that was looked at before the change has passed. */
  private void acknowledge(List<Change> news, Listeners to) {
    try {
      for (Change change : news) {
        if (change.by() != null && change.subject() != null) {
          if (!to.door().settled(change.subject(), SETTLED_WITHIN)) {
            return;
          }
        }
      }
      to.journal().enter(List.of()).join(); // with the receipts
      try (Connection connection = database.getConnection();
          PreparedStatement insert =
              connection.prepareStatement(
                  "INSERT INTO fact_settled (change, shard) SELECT id, ? FROM fact_change"
                      + " WHERE id = ANY (?) ON CONFLICT DO NOTHING")) {
        insert.setInt(1, shard.number());
        insert.setArray(
            2, connection.createArrayOf("bigint", news.stream().map(Change::id).toArray()));
        insert.executeUpdate();
      }
    } catch (SQLException | RuntimeException e) {
      // Whoever waits is told that it has not settled, which is true.
    }
  }

  /**
   * Waits until nothing about the person is on its way, here or at another instance that runs, that
   * was looked at before the change that the caller has committed.
   *
   * @return false when the limit was reached first, or nobody can tell
   */
  boolean settled(Pseudonym subject, Duration limit) {
    Listeners here = listeners;
    long until = System.nanoTime() + limit.toNanos();
    if (here == null || !here.door().settled(subject, limit)) {
      return false;
    }
    try {
      while (!settledElsewhere(subject)) {
        if (System.nanoTime() >= until) {
          return false;
        }
        Thread.sleep(LOOK_EVERY);
      }
      return true;
    } catch (SQLException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  private boolean settledElsewhere(Pseudonym subject) throws SQLException {
    try (Connection connection = database.getConnection()) {
      Set<Shard> others = new HashSet<>(ShardHold.held(connection));
      others.remove(shard);
      if (others.isEmpty()) {
        return true;
      }
      try (PreparedStatement select =
          connection.prepareStatement(
              "SELECT s.shard FROM fact_settled s WHERE s.change ="
                  + " (SELECT max(id) FROM fact_change WHERE subject = ? AND shard = ?)")) {
        select.setBytes(1, subject.bytes());
        select.setInt(2, shard.number());
        try (ResultSet row = select.executeQuery()) {
          while (row.next()) {
            others.remove(new Shard(row.getInt(1)));
          }
        }
      }
      return others.isEmpty();
    }
  }

  /** Forgets changes that everybody has seen long ago. */
  boolean forgetOld() throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement delete =
            connection.prepareStatement(
                "DELETE FROM fact_change WHERE at < now() - interval '1 day'")) {
      delete.executeUpdate();
      return false;
    }
  }
}
