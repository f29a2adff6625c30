package no.bindeledd.hub;

import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneId;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import no.bindeledd.audit.Shredder;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.reading.EntryIndex;

/**
 * Carries out what each contract says of its {@code retention}: entries that are older lose their
 * link to the person, a portion at a time, so that the journal never waits long. Not thread-safe.
 */
final class Retention {
  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");

  private final Journal journal;
  private final Catalogue catalogue;
  private final InstantSource clock;

  Retention(Journal journal, Catalogue catalogue, InstantSource clock) {
    this.journal = journal;
    this.catalogue = catalogue;
    this.clock = clock;
  }

  /**
   * The next portion of every exchange.
   *
   * @return false when nothing more is old enough now
   */
  boolean next() {
    boolean more = false;
    Instant now = clock.instant();
    for (Map.Entry<String, LiveExchange> exchange : catalogue.current().exchanges().entrySet()) {
      Instant before =
          now.atZone(OSLO).minus(exchange.getValue().contract().retention()).toInstant();
      more |= next(exchange.getKey(), before, now);
    }
    return more;
  }

  private boolean next(String exchange, Instant before, Instant now) {
    AtomicBoolean more = new AtomicBoolean();
    journal
        .write(
            (connection, nextIndex) -> {
              Shredder.Portion portion =
                  Shredder.expired(connection, exchange, before, nextIndex, now);
              more.set(portion.more());
              Shredder.Shredding done = portion.shredding();
              if (done == null) {
                return new Journal.Written(List.of(), List.of());
              }
              EntryIndex.forget(connection, done.links());
              return Journal.Written.of(done.entry());
            })
        .join();
    return more.get();
  }
}
