package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What waits for a fact to change: records that were held when they came, and releases that were
 * stopped at the door. When a consent, a protection, a list or the rules change, those concerned
 * are judged again, in the order they came. Thread-safe; the work is done on a thread of its own.
 */
public final class HeldMessages implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(HeldMessages.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PAGE = 500;
  private static final Duration PAUSE = Duration.ofMillis(500);

  private final DataSource database;
  private final Catalogue catalogue;
  private final Judge judge;
  private final SecondLook secondLook = new SecondLook();
  private final Journal journal;
  private final FactSource facts;
  private final Vault vault;
  private final InstantSource clock;
  private final StationTimes times;
  private final AtomicLong changes = new AtomicLong();
  private final AtomicInteger waiting = new AtomicInteger();
  // Touched by the worker alone.
  private boolean troubled;
  private final ExecutorService worker =
      Executors.newSingleThreadExecutor(Thread.ofVirtual().name("held-messages").factory());

  private record Row(
      long id,
      byte[] key,
      String exchange,
      OrganisationNumber sender,
      String recipient,
      String reason,
      @Nullable String trace,
      byte[] payload) {}

  public HeldMessages(
      DataSource database,
      Catalogue catalogue,
      Judge judge,
      Journal journal,
      FactSource facts,
      Vault vault,
      InstantSource clock,
      StationTimes times) {
    this.database = database;
    this.catalogue = catalogue;
    this.judge = judge;
    this.journal = journal;
    this.facts = facts;
    this.vault = vault;
    this.clock = clock;
    this.times = times;
  }

  /** Grows with every change of facts that was told here. */
  long changes() {
    return changes.get();
  }

  /** Facts about this person changed. */
  public void reconsider(Pseudonym subject) {
    changes.incrementAndGet();
    submit(
        "subject = ?",
        statement -> {
          statement.setBytes(1, subject.bytes());
          return 2;
        },
        true);
  }

  /** A list came in for this matching exchange. */
  public void listArrived(String exchange) {
    changes.incrementAndGet();
    submit(
        "exchange = ? AND reason = ?",
        statement -> {
          statement.setString(1, exchange);
          statement.setString(2, ReasonCode.AWAITING_COUNTERPART_LIST.name());
          return 3;
        },
        false);
  }

  /** The rules changed, or a day has passed. */
  public void reconsiderAll() {
    changes.incrementAndGet();
    submit("true", statement -> 1, true);
  }

  private interface Parameters {
    /** Sets the parameters of the condition; returns the index of the next one. */
    int set(PreparedStatement statement) throws SQLException;
  }

  /** True when everything that was asked for has been judged again. */
  public boolean idle() {
    return waiting.get() == 0;
  }

  private void submit(String condition, Parameters parameters, boolean parkedToo) {
    waiting.incrementAndGet();
    worker.execute(
        () -> {
          try {
            // Not given up: nobody tells of the change again.
            while (!done(condition, parameters, parkedToo)) {
              Thread.sleep(PAUSE);
            }
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          } catch (RuntimeException e) {
            LOG.error("Held messages could not be judged again ({})", e.getClass().getName());
          } finally {
            waiting.decrementAndGet();
          }
        });
  }

  private boolean done(String condition, Parameters parameters, boolean parkedToo) {
    try {
      reconsider(condition, parameters);
      if (parkedToo) {
        unpark(condition, parameters);
      }
      if (troubled) {
        troubled = false;
        LOG.info("Held messages are judged again");
      }
      return true;
    } catch (SQLException | GateShutException e) {
      if (!troubled) {
        troubled = true;
        LOG.warn(
            "Held messages cannot be judged again now ({}); it is tried until it can be done",
            e.getClass().getSimpleName());
      }
      return false;
    }
  }

  private void reconsider(String condition, Parameters parameters) throws SQLException {
    long last = 0;
    while (true) {
      List<Row> rows = page(condition, parameters, last);
      if (rows.isEmpty()) {
        return;
      }
      last = rows.getLast().id();
      Map<From, List<Row>> together = new LinkedHashMap<>();
      for (Row row : rows) {
        together
            .computeIfAbsent(new From(row.exchange(), row.sender()), from -> new ArrayList<>())
            .add(row);
      }
      for (Map.Entry<From, List<Row>> batch : together.entrySet()) {
        record(changedOf(batch.getKey(), batch.getValue()));
      }
    }
  }

  /** The others are not to wait for one that cannot be read. */
  private List<Envelope> changedOf(From from, List<Row> rows) {
    try {
      return changed(from, rows);
    } catch (GateShutException e) {
      throw e;
    } catch (RuntimeException e) {
      if (rows.size() > 1) {
        List<Envelope> changed = new ArrayList<>();
        rows.forEach(row -> changed.addAll(changedOf(from, List.of(row))));
        return changed;
      }
      LOG.error(
          "Held message {} of exchange {} cannot be judged again ({})",
          rows.getFirst().id(),
          from.exchange(),
          e.getClass().getName());
      return List.of();
    }
  }

  private record From(String exchange, OrganisationNumber sender) {}

  private List<Envelope> changed(From from, List<Row> rows) {
    Map<String, Row> byKey = new HashMap<>();
    rows.forEach(row -> byKey.put(HexFormat.of().formatHex(row.key()), row));
    List<Envelope> changed = new ArrayList<>();
    for (Envelope now : judgeAgain(from, rows)) {
      Row row = byKey.get(HexFormat.of().formatHex(now.key()));
      if (row != null && isChange(row, now)) {
        changed.add(now);
      }
    }
    return changed;
  }

  private static boolean isChange(Row row, Envelope now) {
    return now.outcome() != Outcome.HELD || !now.reason().name().equals(row.reason());
  }

  private List<Row> page(String condition, Parameters parameters, long after) throws SQLException {
    List<Row> rows = new ArrayList<>();
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT id, key, exchange, sender, recipient, reason, trace, payload FROM held"
                    + " WHERE "
                    + condition
                    + " AND id > ? ORDER BY id LIMIT "
                    + PAGE)) {
      select.setLong(parameters.set(select), after);
      try (ResultSet found = select.executeQuery()) {
        while (found.next()) {
          rows.add(
              new Row(
                  found.getLong(1),
                  found.getBytes(2),
                  found.getString(3),
                  new OrganisationNumber(found.getString(4)),
                  found.getString(5),
                  found.getString(6),
                  found.getString(7),
                  found.getBytes(8)));
        }
      }
    }
    return rows;
  }

  private List<Envelope> judgeAgain(From from, List<Row> rows) {
    Catalogue.Edition edition = catalogue.current();
    Optional<LiveExchange> exchange = edition.exchange(from.exchange());
    Optional<Contract.Sender> sender =
        exchange.flatMap(
            live ->
                live.contract().from().stream()
                    .filter(party -> party.organisations().contains(from.sender()))
                    .findFirst());
    if (exchange.isEmpty() || sender.isEmpty()) {
      return List.of();
    }
    List<Incoming> batch = new ArrayList<>(rows.size());
    for (Row row : rows) {
      batch.add(
          new Incoming(
              new InputFormat.Good(InputFormat.Place.WHOLE, row.recipient(), body(row)),
              row.trace() == null ? "" : row.trace(),
              new byte[KeyedHash.LENGTH],
              new Incoming.Again(row.key(), row.recipient())));
    }
    return judge.judge(
        exchange.get(),
        edition.pack(),
        Caller.of(sender.get(), from.sender()),
        batch,
        facts,
        clock.instant());
  }

  private JsonNode body(Row row) {
    try {
      return JSON.readTree(vault.open(row.payload(), row.key()));
    } catch (IOException e) {
      throw new IllegalStateException("A held record cannot be read as JSON", e);
    }
  }

  private void record(List<Envelope> changed) {
    if (changed.isEmpty()) {
      return;
    }
    List<Journal.Recorded> recorded = Gate.await(journal.recordHeld(changed));
    for (int i = 0; i < changed.size(); i++) {
      Outcome outcome = recorded.get(i).outcome();
      if (!recorded.get(i).repeated() && outcome != Outcome.HELD) {
        times.reconsidered(changed.get(i).exchange(), outcome);
      }
    }
  }

  private void unpark(String condition, Parameters parameters) throws SQLException {
    AtomicLong last = new AtomicLong(-1);
    long before;
    do {
      before = last.get();
      release(parked(condition, parameters, last));
    } while (last.get() > before);
  }

  /**
   * The next page; one that cannot be opened stays parked and stops nobody else.
   *
   * @param last the id of the last row of the page before; becomes that of this one
   */
  private List<Outgoing> parked(String condition, Parameters parameters, AtomicLong last)
      throws SQLException {
    OutboxRows rows = new OutboxRows(vault);
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT "
                    + OutboxRows.COLUMNS
                    + " FROM outbox WHERE "
                    + condition
                    + " AND id > ? AND state = 'PARKED' ORDER BY id LIMIT "
                    + PAGE)) {
      select.setLong(parameters.set(select), last.get());
      try (ResultSet found = select.executeQuery()) {
        List<Outgoing> parked =
            rows.read(
                found,
                (message, cause) -> {
                  last.accumulateAndGet(message.id(), Math::max);
                  LOG.error(
                      "Exchange {} to {}: the message of ledger entry {} stays parked. {}",
                      message.exchange(),
                      message.recipient(),
                      message.id(),
                      cause.getMessage());
                });
        parked.forEach(message -> last.accumulateAndGet(message.id(), Math::max));
        return parked;
      }
    }
  }

  private void release(List<Outgoing> parked) {
    for (Outgoing message : parked) {
      Catalogue.Edition edition = catalogue.current();
      LiveExchange exchange = edition.exchange(message.exchange()).orElse(null);
      Contract.Recipient recipient =
          exchange == null ? null : exchange.contract().recipient(message.recipient()).orElse(null);
      if (exchange == null || recipient == null) {
        continue;
      }
      Recheck look =
          secondLook
              .recheck(
                  exchange, edition.pack(), recipient, List.of(message), facts, clock.instant())
              .getFirst();
      if (look instanceof Recheck.Stopped stopped && stopped.outcome() == Outcome.HELD) {
        continue;
      }
      Gate.await(
          journal.write(
              Resumption.of(
                  message,
                  recipient.organisation().value(),
                  Resumption.From.PARKED,
                  clock.instant())));
      times.reconsidered(message.exchange(), message.outcome());
    }
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }
}
