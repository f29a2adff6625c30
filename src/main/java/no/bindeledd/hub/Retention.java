package no.bindeledd.hub;

import java.time.Instant;
import java.time.InstantSource;
import java.time.Period;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicBoolean;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.Shredder;
import no.bindeledd.exchange.Contract;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.Forgetting;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.policy.Agreement;
import no.bindeledd.policy.PolicyPack;
import no.bindeledd.reading.EntryIndex;
import org.jspecify.annotations.Nullable;

/**
 * Carries out what agreements say of their {@code retention}, and contracts where the agreement
 * says nothing: entries that are older lose their link to the person, a portion at a time, so that
 * the journal never waits long. Not thread-safe.
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
   * The next portion of every exchange, under each of its agreements.
   *
   * @return false when nothing more is old enough now
   */
  boolean next() {
    boolean more = false;
    Instant now = clock.instant();
    Catalogue.Edition edition = catalogue.current();
    for (LiveExchange exchange : edition.exchanges().values()) {
      Map<String, Period> own = own(edition.pack(), exchange.contract().id());
      more |= next(exchange.contract(), null, own.keySet(), exchange.contract().retention(), now);
      for (Map.Entry<String, Period> agreement : own.entrySet()) {
        more |= next(exchange.contract(), agreement.getKey(), Set.of(), agreement.getValue(), now);
      }
    }
    return more;
  }

  /** The agreements about an exchange that say themselves how long. */
  private static Map<String, Period> own(PolicyPack pack, String exchange) {
    Map<String, Period> own = new TreeMap<>();
    for (Agreement agreement : pack.agreements()) {
      if (agreement.retention() != null
          && agreement.clauses().stream().anyMatch(clause -> clause.exchange().equals(exchange))) {
        own.put(agreement.id() + "@" + agreement.version(), agreement.retention());
      }
    }
    return own;
  }

  private boolean next(
      Contract contract,
      @Nullable String agreement,
      Set<String> except,
      Period retention,
      Instant now) {
    ZonedDateTime before = now.atZone(OSLO).minus(retention);
    Shredder.Aged aged = new Shredder.Aged(contract.id(), agreement, except, before.toInstant());
    AtomicBoolean more = new AtomicBoolean();
    journal
        .write(
            (connection, nextIndex) -> {
              more.set(false); // it may be tried again
              Forgetting.deadlines(
                  connection, contract.id(), agreement, except, before.toLocalDate());
              for (Shard shard : Shard.all(connection)) {
                Shredder.Portion portion =
                    Shredder.expired(connection, shard, aged, nextIndex, now);
                more.compareAndSet(false, portion.more());
                Shredder.Shredding done = portion.shredding();
                if (done != null) { // the next act takes the place of this one's commitment
                  EntryIndex.forget(connection, done.links());
                  return Journal.Written.of(done.entry());
                }
              }
              return new Journal.Written(List.of(), List.of());
            })
        .join();
    return more.get();
  }
}
