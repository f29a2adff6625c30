package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
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
import no.bindeledd.gate.Judge.Recheck;
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

  private final DataSource database;
  private final Catalogue catalogue;
  private final Judge judge;
  private final Journal journal;
  private final FactSource facts;
  private final Vault vault;
  private final InstantSource clock;
  private final StationTimes times;
  private final AtomicLong changes = new AtomicLong();
  private final AtomicInteger waiting = new AtomicInteger();
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
        subject);
  }

  /** A list came in for this matching exchange. */
  void listArrived(String exchange) {
    submit(
        "exchange = ? AND reason = ?",
        statement -> {
          statement.setString(1, exchange);
          statement.setString(2, ReasonCode.AWAITING_COUNTERPART_LIST.name());
          return 3;
        },
        null);
  }

  /** The rules changed, or a day has passed. */
  public void reconsiderAll() {
    changes.incrementAndGet();
    submit("true", statement -> 1, null);
  }

  private interface Parameters {
    /** Sets the parameters of the condition; returns the index of the next one. */
    int set(PreparedStatement statement) throws SQLException;
  }

  /** True when everything that was asked for has been judged again. */
  public boolean idle() {
    return waiting.get() == 0;
  }

  private void submit(String condition, Parameters parameters, @Nullable Pseudonym subject) {
    waiting.incrementAndGet();
    worker.execute(
        () -> {
          try {
            reconsider(condition, parameters);
            if (subject != null) {
              unpark(subject);
            }
          } catch (SQLException | GateShutException e) {
            LOG.warn(
                "Held messages could not be judged again ({}); they will be at the next change"
                    + " or start",
                e.getClass().getSimpleName());
          } catch (RuntimeException e) {
            LOG.error("A held message could not be judged again ({})", e.getClass().getName(), e);
          } finally {
            waiting.decrementAndGet();
          }
        });
  }

  private void reconsider(String condition, Parameters parameters) throws SQLException {
    long last = 0;
    while (true) {
      List<Row> rows = page(condition, parameters, last);
      if (rows.isEmpty()) {
        return;
      }
      last = rows.getLast().id();
      List<Envelope> changed = new ArrayList<>();
      for (Row row : rows) {
        judgeAgain(row).filter(now -> isChange(row, now)).ifPresent(changed::add);
      }
      record(changed);
    }
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

  private Optional<Envelope> judgeAgain(Row row) {
    Catalogue.Edition edition = catalogue.current();
    Optional<LiveExchange> exchange = edition.exchange(row.exchange());
    Optional<Contract.Sender> sender =
        exchange.flatMap(
            live ->
                live.contract().from().stream()
                    .filter(from -> from.organisations().contains(row.sender()))
                    .findFirst());
    if (exchange.isEmpty() || sender.isEmpty()) {
      return Optional.empty();
    }
    JsonNode body;
    try {
      body = JSON.readTree(vault.open(row.payload(), row.key()));
    } catch (IOException e) {
      throw new IllegalStateException("A held record cannot be read as JSON", e);
    }
    InputFormat.Good item = new InputFormat.Good(InputFormat.Place.WHOLE, row.recipient(), body);
    return judge
        .judge(
            exchange.get(),
            edition.pack(),
            Caller.of(sender.get(), row.sender()),
            List.of(
                new Judge.Incoming(
                    item,
                    row.trace() == null ? "" : row.trace(),
                    new byte[KeyedHash.LENGTH],
                    new Judge.Again(row.key(), row.recipient()))),
            facts,
            clock.instant())
        .stream()
        .findFirst();
  }

  private void record(List<Envelope> changed) {
    if (changed.isEmpty()) {
      return;
    }
    List<Journal.Recorded> recorded = Gate.await(journal.recordHeld(changed));
    for (int i = 0; i < changed.size(); i++) {
      if (!recorded.get(i).repeated() && changed.get(i).outcome() != Outcome.HELD) {
        times.reconsidered(changed.get(i).exchange(), changed.get(i).outcome());
      }
    }
  }

  private void unpark(Pseudonym subject) throws SQLException {
    OutboxRows rows = new OutboxRows(vault);
    List<Outgoing> parked = new ArrayList<>();
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT "
                    + OutboxRows.COLUMNS
                    + " FROM outbox WHERE subject = ? AND state = 'PARKED' ORDER BY id")) {
      select.setBytes(1, subject.bytes());
      try (ResultSet found = select.executeQuery()) {
        while (found.next()) {
          parked.add(rows.read(found));
        }
      }
    }
    for (Outgoing message : parked) {
      Catalogue.Edition edition = catalogue.current();
      LiveExchange exchange = edition.exchange(message.exchange()).orElse(null);
      Contract.Recipient recipient =
          exchange == null ? null : exchange.contract().recipient(message.recipient()).orElse(null);
      if (exchange == null || recipient == null) {
        continue;
      }
      Recheck look =
          judge
              .recheck(
                  exchange, edition.pack(), recipient, List.of(message), facts, clock.instant())
              .getFirst();
      if (look instanceof Recheck.Stopped stopped && stopped.outcome() == Outcome.HELD) {
        continue;
      }
      Gate.await(journal.write(release(message)));
      times.reconsidered(message.exchange(), message.outcome());
    }
  }

  /** Back in the queue, as the newest; the door decides what may leave. */
  private Journal.Work release(Outgoing message) {
    return (connection, next) -> {
      try (PreparedStatement outbox =
              connection.prepareStatement(
                  "UPDATE outbox SET id = ?, state = 'PENDING' WHERE id = ? AND state = 'PARKED'");
          PreparedStatement envelope =
              connection.prepareStatement(
                  "UPDATE envelope SET outcome = ?, reason = ?, entry = ? WHERE key = ?")) {
        outbox.setLong(1, next);
        outbox.setLong(2, message.id());
        if (outbox.executeUpdate() == 0) {
          return new Journal.Written(List.of(), List.of());
        }
        envelope.setString(1, message.outcome().name());
        envelope.setString(2, message.outcome().name());
        envelope.setLong(3, next);
        envelope.setBytes(4, message.key());
        envelope.executeUpdate();
        return new Journal.Written(
            List.of(
                Entries.delivery(clock.instant(), message, message.recipient(), "RESUMED", null)),
            List.of(message.withId(next)));
      }
    };
  }

  @Override
  public void close() {
    worker.shutdownNow();
  }
}
