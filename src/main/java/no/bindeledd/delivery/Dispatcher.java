package no.bindeledd.delivery;

import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import no.bindeledd.gate.Deliverers;
import no.bindeledd.gate.Deliverers.Way;
import no.bindeledd.gate.Door;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.OutboxRows;
import no.bindeledd.gate.Outgoing;
import no.bindeledd.gate.StationTimes;

/**
 * The station <em>deliver</em>: one {@link Outlet} for each exchange and recipient. Recorded
 * releases come straight from the journal, and from the outbox table after a start, an overflow or
 * an uncertain commit; always of this instance's shard alone. Thread-safe.
 */
public final class Dispatcher implements Journal.Listener, AutoCloseable {
  private final Map<Way, Outlet> outlets = new ConcurrentHashMap<>();
  private final DataSource database;
  private final OutboxRows rows;
  private final Deliverers deliverers;
  private final Door door;
  private final Journal journal;
  private final RetryPolicy retries;
  private final InstantSource clock;
  private final StationTimes times;

  public Dispatcher(
      DataSource database,
      OutboxRows rows,
      Deliverers deliverers,
      Door door,
      Journal journal,
      RetryPolicy retries,
      InstantSource clock,
      StationTimes times) {
    this.database = database;
    this.rows = rows;
    this.deliverers = deliverers;
    this.door = door;
    this.journal = journal;
    this.retries = retries;
    this.clock = clock;
    this.times = times;
    journal.listen(this);
    deliverers.onOpen(way -> outlet(way).wake());
  }

  @Override
  public void released(List<Outgoing> messages) {
    for (Outgoing message : messages) {
      Outlet outlet = outlets.get(new Way(message.exchange(), message.recipient()));
      // Without an outlet no route has run yet: the outlet will find the row in the table.
      if (outlet != null) {
        outlet.offer(message);
      }
    }
  }

  @Override
  public void uncertain() {
    outlets.values().forEach(Outlet::lookInTable);
  }

  private Outlet outlet(Way way) {
    return outlets.computeIfAbsent(
        way,
        key -> new Outlet(key, database, rows, deliverers, door, journal, retries, clock, times));
  }

  @Override
  public void close() {
    outlets.values().forEach(Outlet::close);
  }
}
