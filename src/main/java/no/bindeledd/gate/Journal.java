package no.bindeledd.gate;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.Shard;
import no.bindeledd.exchange.InputFormat.Place;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The station <em>record</em>: everything that must be true together is written together, in one
 * transaction for all who wait (group commit). A transaction holds the resend check, the ledger
 * entries with their tree and signed checkpoint, the envelopes, what is held and what leaves.
 *
 * <p>Thread-safe: any thread submits, one thread writes. A returned future completes after commit,
 * or fails with {@link GateShutException}; then nothing of the submission was recorded, or all of
 * it was and a resend will be recognised.
 */
public final class Journal implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Journal.class);
  private static final int MOST_ROWS = 4_000;

  private static final String UNIQUE_VIOLATION = "23505";
  private static final String DEADLOCK = "40P01";
  private static final long LOOK_AGAIN_MILLIS = 500;
  private static final long FRESH_NANOS = 1_000_000_000;
  private static final long CLOSE_MILLIS = 10_000;

  /** Told about what was recorded, on the journal's thread, in the order of the ledger. */
  public interface Listener {
    /** These may be delivered now. */
    void released(List<Outgoing> messages);

    /**
     * A commit failed and its fate may be unknown: the outbox may hold rows that were not
     * announced.
     */
    void uncertain();
  }

  /**
   * A write of the rarer kinds: runs inside the transaction and says what to enter in the ledger,
   * where the first of its entries gets {@code nextIndex}.
   */
  public interface Work {
    Written write(Connection connection, long nextIndex) throws SQLException;
  }

  /** What a {@link Work} wants entered, and what may be delivered once it is. */
  public record Written(List<AuditEntry> entries, List<Outgoing> released) {
    public static Written of(AuditEntry entry) {
      return new Written(List.of(entry), List.of());
    }
  }

  /** The receipt of a delivery: the message leaves the outbox, the entry comes. */
  public record Receipt(Outgoing message, AuditEntry entry) {}

  /** Where an envelope ended, in the order of the submission. */
  record Recorded(Outcome outcome, ReasonCode reason, long entry, boolean repeated) {}

  private final DataSource database;
  private final Ledger ledger;
  private final Vault vault;
  private final BlockingQueue<Submission> queue = new LinkedBlockingQueue<>();
  private final AtomicReference<@Nullable Throwable> trouble = new AtomicReference<>();
  private final JournalRows rows;
  // Touched by the writer alone: the fate of the last transaction is not known.
  private boolean uncertain;
  private final Thread writer;
  // When the last good transaction ended, by a clock that only moves forward.
  private volatile long confirmedAt = System.nanoTime() - FRESH_NANOS - 1;
  private volatile @Nullable Listener listener;
  private volatile boolean closed;

  /** Keeps nothing of what decisions were made on. */
  public Journal(DataSource database, Ledger ledger, Vault vault) {
    this(database, ledger, vault, null);
  }

  /**
   * @param vault encrypts what leaves, for the outbox
   * @param archive keeps what decisions were made on, in the same transaction; null keeps nothing
   */
  public Journal(
      DataSource database, Ledger ledger, Vault vault, @Nullable DecisionArchive archive) {
    this.database = database;
    this.ledger = ledger;
    this.vault = vault;
    this.rows = new JournalRows(archive);
    this.writer = Thread.ofPlatform().name("journal").daemon().start(this::run);
  }

  /** Who delivers. Set once, before the first message. */
  public void listen(Listener deliveries) {
    this.listener = deliveries;
  }

  /** The shard of the ledger that this writes: whose messages are delivered from here. */
  public Shard shard() {
    return ledger.shard();
  }

  /** Why the gate is shut, or null when the last transaction went well. */
  public @Nullable Throwable trouble() {
    return trouble.get();
  }

  /**
   * Returns when the database has confirmed a transaction within the last second; asks for one if
   * it must.
   *
   * @throws GateShutException when it does not
   */
  void awaitOpen() {
    Throwable cause = trouble.get();
    if (cause != null) {
      throw new GateShutException(cause);
    }
    if (System.nanoTime() - confirmedAt > FRESH_NANOS) {
      Gate.await(enter(List.of()));
    }
  }

  CompletableFuture<List<Recorded>> record(List<Envelope> envelopes) {
    return submit(envelopes(envelopes, false)).future();
  }

  /**
   * Records held messages that were judged again. One that somebody else has taken meanwhile is
   * reported as repeated.
   */
  CompletableFuture<List<Recorded>> recordHeld(List<Envelope> envelopes) {
    return submit(envelopes(envelopes, true)).future();
  }

  private Submission.Envelopes envelopes(List<Envelope> envelopes, boolean fromHeld) {
    return new Submission.Envelopes(
        envelopes, Packed.of(vault, envelopes), fromHeld, new CompletableFuture<>());
  }

  public CompletableFuture<@Nullable Void> receipts(List<Receipt> receipts) {
    return submit(new Submission.Receipts(receipts, new CompletableFuture<>())).future();
  }

  /** Somebody was turned away before there was a message to speak of: an envelope, refused. */
  CompletableFuture<List<Recorded>> recordTurnedAway(
      byte[] key, String exchange, ReasonCode reason, AuditEntry entry) {
    return record(
        List.of(
            Envelope.stopped(key, key, Place.WHOLE, exchange, null, null, reason, null, entry)));
  }

  /** Entries alone. */
  public CompletableFuture<@Nullable Void> enter(List<AuditEntry> entries) {
    return submit(new Submission.Notes(entries, null, new CompletableFuture<>())).future();
  }

  /**
   * A question that is sent on at once: its entry, and what was decided on; nothing else of it is
   * kept.
   */
  CompletableFuture<@Nullable Void> enterQuestion(Envelope question) {
    return submit(
            new Submission.Notes(
                List.of(question.entry()), question.decided(), new CompletableFuture<>()))
        .future();
  }

  /** A conflict that the work itself throws as {@link SQLException} fails only this submission. */
  public CompletableFuture<@Nullable Void> write(Work work) {
    return submit(new Submission.Other(work, new CompletableFuture<>())).future();
  }

  private <S extends Submission> S submit(S submission) {
    queue.add(submission);
    // After the journal has ended nobody takes it any more.
    if (closed && queue.remove(submission)) {
      refuseAsClosing(submission);
    }
    return submission;
  }

  private static void refuseAsClosing(Submission submission) {
    submission
        .future()
        .completeExceptionally(new GateShutException(new IllegalStateException("closing")));
  }

  private void run() {
    List<Submission> group = new ArrayList<>();
    while (!closed || !queue.isEmpty()) {
      try {
        Submission next =
            trouble.get() == null
                ? queue.take()
                : queue.poll(LOOK_AGAIN_MILLIS, TimeUnit.MILLISECONDS);
        if (next == null) {
          lookAgain();
          continue;
        }
        int rows = 0;
        while (next != null) {
          group.add(next);
          rows += next.rows();
          next = rows < MOST_ROWS ? queue.poll() : null;
        }
        writeGroup(group);
      } catch (InterruptedException e) {
        if (closed) {
          break;
        }
      } catch (RuntimeException | Error e) {
        fail(group, e);
      }
      group.clear();
    }
    for (Submission left = queue.poll(); left != null; left = queue.poll()) {
      refuseAsClosing(left);
    }
  }

  /** The gate is shut and nobody sends: who asks about its health must hear when it could open. */
  private void lookAgain() {
    try {
      transact(List.of());
      opened();
    } catch (SQLException | RuntimeException e) {
      trouble.set(e);
    }
  }

  private void opened() {
    confirmedAt = System.nanoTime();
    if (trouble.getAndSet(null) != null) {
      LOG.info("The gate is open again: the audit trail is being written");
    }
  }

  /** One group, one transaction. */
  private void transact(List<Submission> group) throws SQLException {
    JournalTransaction transaction;
    try (Connection connection = database.getConnection()) {
      connection.setAutoCommit(false);
      if (uncertain) {
        resync(connection);
      }
      try {
        transaction = new JournalTransaction(connection, ledger, vault, rows);
        transaction.write(group);
        connection.commit();
      } catch (SQLException | RuntimeException e) {
        undo(connection, e);
        throw e;
      }
    }
    transaction.committed(listener);
  }

  private void resync(Connection connection) throws SQLException {
    long known = ledger.size();
    ledger.resync(connection);
    connection.rollback();
    uncertain = false;
    Listener deliveries = listener;
    if (deliveries != null && ledger.size() > known) {
      // A commit that was not heard of has landed: nobody was told what it released.
      deliveries.uncertain();
    }
  }

  /** Whether the commit reached the database is asked of it at the next transaction. */
  private void undo(Connection connection, Exception cause) {
    uncertain = true;
    try {
      connection.rollback();
    } catch (SQLException e) {
      cause.addSuppressed(e);
    }
  }

  private void writeGroup(List<Submission> group) {
    for (int attempt = 1; ; attempt++) {
      try {
        transact(group);
        opened();
        return;
      } catch (SQLException | RuntimeException e) {
        // Another instance may have written the same key, or the log, in between.
        boolean raced =
            attempt < 4 && (e instanceof LedgerException || isUniqueViolation(e) || isDeadlock(e));
        if (raced) {
          rows.beWary();
          continue;
        }
        if (!isAboutTheData(e)) {
          fail(group, e);
        } else if (group.size() > 1) {
          // One submission must not shut the gate for those who share its transaction.
          group.forEach(alone -> writeGroup(List.of(alone)));
        } else if (group.getFirst() instanceof Submission.Envelopes envelopes
            && !isUniqueViolation(e)) {
          writeApart(envelopes, e);
        } else {
          fail(group, e);
        }
        return;
      }
    }
  }

  /**
   * The database does not take something of these. Each is written alone, and the one that is to
   * blame is recorded as refused: told to come again later, its sender would send it for ever.
   */
  private void writeApart(Submission.Envelopes submission, Exception cause) {
    List<Envelope> envelopes = submission.envelopes();
    if (envelopes.size() == 1 && isBare(envelopes.getFirst())) {
      fail(List.of(submission), cause);
      return;
    }
    List<Recorded> recorded = new ArrayList<>(envelopes.size());
    for (Envelope envelope : envelopes) {
      Envelope alone =
          envelopes.size() == 1 ? envelope.refused(ReasonCode.SCHEMA_VIOLATION) : envelope;
      Submission.Envelopes one = envelopes(List.of(alone), submission.fromHeld());
      writeGroup(List.of(one));
      try {
        recorded.addAll(one.future().join());
      } catch (CompletionException e) {
        submission.future().completeExceptionally(e.getCause() == null ? e : e.getCause());
        return;
      }
    }
    submission.future().complete(recorded);
  }

  private static boolean isBare(Envelope envelope) {
    return envelope.outgoing() == null && envelope.held() == null && envelope.listed() == null;
  }

  private static boolean isUniqueViolation(Exception e) {
    return e instanceof SQLException sql && UNIQUE_VIOLATION.equals(sql.getSQLState());
  }

  /** Two instances with the same messages, in another order. */
  private static boolean isDeadlock(Exception e) {
    return e instanceof SQLException sql && DEADLOCK.equals(sql.getSQLState());
  }

  /**
   * SQLSTATE classes 22 (data exception), 23 (integrity constraint violation) and 54 (a limit is
   * exceeded, such as a key that is too long for an index), or our own.
   */
  private static boolean isAboutTheData(Exception e) {
    if (!(e instanceof SQLException sql)) {
      return !(e instanceof LedgerException);
    }
    String state = sql.getSQLState();
    return state != null
        && (state.startsWith("22") || state.startsWith("23") || state.startsWith("54"));
  }

  private void fail(List<Submission> group, Throwable cause) {
    uncertain = true;
    if (trouble.getAndSet(cause) == null) {
      LOG.error(
          "The gate is shut: the audit trail cannot be written ({}). Check the database; nothing"
              + " is released meanwhile",
          cause instanceof SQLException sql
              ? "SQLSTATE " + sql.getSQLState()
              : cause.getClass().getName());
    }
    GateShutException shut = new GateShutException(cause);
    group.forEach(submission -> submission.future().completeExceptionally(shut));
    Listener deliveries = listener;
    if (deliveries != null) {
      deliveries.uncertain();
    }
  }

  /** Records what was submitted; what is submitted from now on is told that the gate is shut. */
  @Override
  public void close() {
    closed = true;
    // Wakes the writer, which leaves when nothing waits any more.
    queue.add(new Submission.Notes(List.of(), null, new CompletableFuture<>()));
    try {
      if (!writer.join(Duration.ofMillis(CLOSE_MILLIS))) {
        writer.interrupt();
        writer.join(Duration.ofMillis(CLOSE_MILLIS));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
