package no.bindeledd.gate;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.exchange.Contract;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * The second look: every recorded release is decided once more just before it leaves, so that a
 * withdrawal, a block or a changed rule bites on what is queued. What may not leave is recorded as
 * such before the rest goes. Thread-safe; blocks.
 *
 * <p>What is promised:
 *
 * <ul>
 *   <li>A message leaves only through a {@link Passage}, decided on facts that were read after the
 *       passage was opened.
 *   <li>Who changes a fact and then waits for {@link #settled} knows that nothing about the person
 *       leaves any more on the old fact: what was looked at before has been handed over, or failed
 *       and will be looked at again. When the wait is over before that, a hand-over that had begun
 *       may still end; nothing new begins.
 *   <li>Nothing begins to leave later than a second after the last transaction that the database
 *       confirmed.
 * </ul>
 *
 * The reply to a synchronous question goes no such way: it is decided on facts read after the
 * source has answered, and is given as soon as that decision is recorded.
 */
public final class Door {
  private final Catalogue catalogue;
  private final SecondLook secondLook = new SecondLook();
  private final Journal journal;
  private final FactSource facts;
  private final Vault vault;
  private final OutboxRows rows;
  private final InstantSource clock;
  private final StationTimes times;
  private final HeldMessages held;
  private final Set<Passage> underWay = ConcurrentHashMap.newKeySet();

  /** A batch on its way out, from before the facts are read until the recipient has answered. */
  public final class Passage implements AutoCloseable {
    private final List<Outgoing> batch;
    private final CompletableFuture<@Nullable Void> closed = new CompletableFuture<>();
    private List<Outgoing> leaving = List.of();

    private Passage(List<Outgoing> batch) {
      this.batch = List.copyOf(batch); // asked by others, while the lane uses its list again
    }

    /** What of the batch may leave now, in order. */
    public List<Outgoing> leaving() {
      return leaving;
    }

    private boolean concerns(Pseudonym subject) {
      return batch.stream().anyMatch(message -> subject.equals(message.subject()));
    }

    @Override
    public void close() {
      underWay.remove(this);
      closed.complete(null);
    }
  }

  public Door(
      Catalogue catalogue,
      Journal journal,
      FactSource facts,
      Vault vault,
      InstantSource clock,
      StationTimes times,
      HeldMessages held) {
    this.catalogue = catalogue;
    this.journal = journal;
    this.facts = facts;
    this.vault = vault;
    this.rows = new OutboxRows(vault);
    this.clock = clock;
    this.times = times;
    this.held = held;
  }

  /**
   * Opens for a batch; the caller sends what may leave and closes.
   *
   * @throws GateShutException when the audit trail, or a change of mind, cannot be recorded; then
   *     nothing may leave
   * @throws IllegalStateException when the exchange has no such recipient now
   */
  public Passage open(Deliverers.Way way, List<Outgoing> batch) {
    Passage passage = new Passage(batch);
    underWay.add(passage);
    try {
      journal.awaitOpen();
      passage.leaving = check(way, batch);
      return passage;
    } catch (RuntimeException e) {
      passage.close();
      throw e;
    }
  }

  /** Whom the ledger names as the receiver of what goes this way. */
  public String receiver(Deliverers.Way way) {
    return catalogue.receiver(way.exchange(), way.recipient());
  }

  /**
   * Waits until nothing about the person is on its way that was looked at before this call.
   *
   * @return false when the limit was reached first
   */
  public boolean settled(Pseudonym subject, Duration limit) {
    CompletableFuture<?>[] leaving =
        underWay.stream()
            .filter(passage -> passage.concerns(subject))
            .map(passage -> passage.closed)
            .toArray(CompletableFuture<?>[]::new);
    try {
      CompletableFuture.allOf(leaving).get(limit.toNanos(), TimeUnit.NANOSECONDS);
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
  }

  private List<Outgoing> check(Deliverers.Way way, List<Outgoing> batch) {
    facts.refresh();
    long factsAsOf = held.changes();
    Catalogue.Edition edition = catalogue.current();
    Optional<LiveExchange> exchange = edition.exchange(way.exchange());
    Optional<Contract.Recipient> recipient =
        exchange.flatMap(live -> live.contract().recipient(way.recipient()));
    if (exchange.isEmpty() || recipient.isEmpty()) {
      throw new IllegalStateException(
          "Exchange " + way.exchange() + " has no recipient " + way.recipient() + " now");
    }
    List<Outgoing> leaving = new ArrayList<>(batch.size());
    List<Recheck> changed = new ArrayList<>();
    for (Recheck look :
        secondLook.recheck(
            exchange.get(), edition.pack(), recipient.get(), batch, facts, clock.instant())) {
      if (!(look instanceof Recheck.AsBefore)) {
        changed.add(look);
      }
      if (!(look instanceof Recheck.Stopped)) {
        leaving.add(look.message());
      }
    }
    if (!changed.isEmpty()) {
      record(changed);
      stopped(way, changed, factsAsOf);
    }
    return leaving;
  }

  /**
   * All of it or nothing: a batch of which a part was stopped is not looked at as a whole again.
   */
  private void record(List<Recheck> changed) {
    List<byte[]> sealed = new ArrayList<>(changed.size());
    for (Recheck look : changed) {
      Outgoing message = look.message();
      sealed.add(
          look instanceof Recheck.Narrower
              ? vault.seal(message.payload(), message.key())
              : new byte[0]);
    }
    try {
      Gate.await(
          journal.write(
              (connection, next) -> {
                List<AuditEntry> entries = new ArrayList<>(changed.size());
                for (int i = 0; i < changed.size(); i++) {
                  long index = next + entries.size();
                  switch (changed.get(i)) {
                    case Recheck.AsBefore same -> throw new IllegalStateException("no change");
                    case Recheck.Narrower narrower -> {
                      rows.alone(connection, narrower.message());
                      narrow(connection, index, narrower.message(), sealed.get(i));
                      entries.add(narrower.entry());
                    }
                    case Recheck.Stopped stopped -> {
                      rows.alone(connection, stopped.message());
                      if (stop(connection, index, stopped)) {
                        entries.add(stopped.entry());
                      }
                    }
                  }
                }
                return new Journal.Written(entries, List.of());
              }));
    } catch (CompletionException e) {
      throw new GateShutException(e.getCause() == null ? e : e.getCause());
    }
  }

  private void stopped(Deliverers.Way way, List<Recheck> changed, long factsAsOf) {
    boolean again = held.changes() != factsAsOf;
    for (Recheck look : changed) {
      if (look instanceof Recheck.Stopped stopped) {
        boolean waits = stopped.outcome() == Outcome.HELD;
        times.deliveries(way.exchange(), waits ? "parked" : "stopped", 1);
        if (again && waits) {
          // A consent came while this was being stopped: it did not find it held yet.
          reconsider(stopped.message().subject());
        }
      }
    }
  }

  private void reconsider(@Nullable Pseudonym subject) {
    if (subject == null) {
      held.reconsiderAll();
    } else {
      held.reconsider(subject);
    }
  }

  private static void narrow(Connection connection, long entry, Outgoing message, byte[] sealed)
      throws SQLException {
    try (PreparedStatement outbox =
            connection.prepareStatement(
                "UPDATE outbox SET outcome = ?, withheld = ?, payload = ? WHERE id = ?");
        PreparedStatement envelope =
            connection.prepareStatement(
                "UPDATE envelope SET outcome = ?, entry = ? WHERE key = ?")) {
      outbox.setString(1, message.outcome().name());
      outbox.setArray(2, connection.createArrayOf("text", message.withheld().toArray()));
      outbox.setBytes(3, sealed);
      outbox.setLong(4, message.id());
      outbox.executeUpdate();
      envelope.setString(1, message.outcome().name());
      envelope.setLong(2, entry);
      envelope.setBytes(3, message.key());
      envelope.executeUpdate();
    }
  }

  /**
   * Refused: gone from the outbox. Held: it waits there, parked, until a fact changes.
   *
   * @return false when a commit that was not heard of has recorded it
   */
  private static boolean stop(Connection connection, long entry, Recheck.Stopped look)
      throws SQLException {
    Outgoing message = look.message();
    String change =
        look.outcome() == Outcome.HELD
            ? "UPDATE outbox SET state = 'PARKED' WHERE id = ? AND state = 'PENDING'"
            : "DELETE FROM outbox WHERE id = ? AND state = 'PENDING'";
    try (PreparedStatement outbox = connection.prepareStatement(change);
        PreparedStatement envelope =
            connection.prepareStatement(
                "UPDATE envelope SET outcome = ?, reason = ?, entry = ? WHERE key = ?")) {
      outbox.setLong(1, message.id());
      if (outbox.executeUpdate() == 0) {
        return false;
      }
      envelope.setString(1, look.outcome().name());
      envelope.setString(2, look.reason().name());
      envelope.setLong(3, entry);
      envelope.setBytes(4, message.key());
      envelope.executeUpdate();
      return true;
    }
  }
}
