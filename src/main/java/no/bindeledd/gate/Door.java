package no.bindeledd.gate;

import java.sql.PreparedStatement;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import no.bindeledd.exchange.Contract;
import no.bindeledd.gate.Judge.Recheck;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.Outcome;

/**
 * The second look: every recorded release is decided once more just before it leaves, so that a
 * withdrawal, a block or a changed rule bites on what is queued. What may not leave is recorded as
 * such before the rest goes. Thread-safe; blocks.
 */
public final class Door {
  private final Catalogue catalogue;
  private final Judge judge;
  private final Journal journal;
  private final FactSource facts;
  private final Vault vault;
  private final InstantSource clock;
  private final StationTimes times;

  public Door(
      Catalogue catalogue,
      Judge judge,
      Journal journal,
      FactSource facts,
      Vault vault,
      InstantSource clock,
      StationTimes times) {
    this.catalogue = catalogue;
    this.judge = judge;
    this.journal = journal;
    this.facts = facts;
    this.vault = vault;
    this.clock = clock;
    this.times = times;
  }

  /**
   * What of the batch may leave now, in order.
   *
   * @throws GateShutException when a change of mind cannot be recorded; then nothing may leave
   */
  public List<Outgoing> check(Deliverers.Way way, List<Outgoing> batch) {
    Catalogue.Edition edition = catalogue.current();
    Optional<LiveExchange> exchange = edition.exchange(way.exchange());
    Optional<Contract.Recipient> recipient =
        exchange.flatMap(live -> live.contract().recipient(way.recipient()));
    if (exchange.isEmpty() || recipient.isEmpty()) {
      throw new IllegalStateException(
          "Exchange " + way.exchange() + " has no recipient " + way.recipient() + " now");
    }
    List<Outgoing> leaving = new ArrayList<>(batch.size());
    for (Recheck look :
        judge.recheck(
            exchange.get(), edition.pack(), recipient.get(), batch, facts, clock.instant())) {
      switch (look) {
        case Recheck.AsBefore same -> leaving.add(same.message());
        case Recheck.Narrower narrower -> {
          Gate.await(journal.write(narrow(narrower)));
          leaving.add(narrower.message());
        }
        case Recheck.Stopped stopped -> {
          Gate.await(journal.write(stop(stopped)));
          times.deliveries(way.exchange(), "stopped", 1);
        }
      }
    }
    return leaving;
  }

  private Journal.Work narrow(Recheck.Narrower look) {
    Outgoing message = look.message();
    byte[] sealed = vault.seal(message.payload(), message.key());
    return (connection, next) -> {
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
        envelope.setLong(2, next);
        envelope.setBytes(3, message.key());
        envelope.executeUpdate();
      }
      return Journal.Written.of(look.entry());
    };
  }

  /** Refused: gone from the outbox. Held: it waits there, parked, until a fact changes. */
  private static Journal.Work stop(Recheck.Stopped look) {
    Outgoing message = look.message();
    return (connection, next) -> {
      String change =
          look.outcome() == Outcome.HELD
              ? "UPDATE outbox SET state = 'PARKED' WHERE id = ?"
              : "DELETE FROM outbox WHERE id = ?";
      try (PreparedStatement outbox = connection.prepareStatement(change);
          PreparedStatement envelope =
              connection.prepareStatement(
                  "UPDATE envelope SET outcome = ?, reason = ?, entry = ? WHERE key = ?")) {
        outbox.setLong(1, message.id());
        outbox.executeUpdate();
        envelope.setString(1, look.outcome().name());
        envelope.setString(2, look.reason().name());
        envelope.setLong(3, next);
        envelope.setBytes(4, message.key());
        envelope.executeUpdate();
      }
      return Journal.Written.of(look.entry());
    };
  }
}
