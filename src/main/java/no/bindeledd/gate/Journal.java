package no.bindeledd.gate;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import no.bindeledd.audit.Appended;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.Shard;
import no.bindeledd.exchange.InputFormat.Place;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.JournalRows.Key;
import no.bindeledd.gate.JournalRows.Known;
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

  /**
   * After a repeat, and after a start, so many envelopes are looked up before they are written;
   * then the unique key alone stands guard, until it meets a repeat.
   */
  private static final int WARINESS = 20_000;

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

  private sealed interface Submission {
    CompletableFuture<?> future();

    int rows();
  }

  private record Envelopes(
      List<Envelope> envelopes,
      Packed packed,
      boolean fromHeld,
      CompletableFuture<List<Recorded>> future)
      implements Submission {
    @Override
    public int rows() {
      return envelopes.size();
    }
  }

  private record Receipts(List<Receipt> receipts, CompletableFuture<@Nullable Void> future)
      implements Submission {
    @Override
    public int rows() {
      return receipts.size();
    }
  }

  private record Notes(
      List<AuditEntry> entries,
      DecisionArchive.@Nullable Kept decided,
      CompletableFuture<@Nullable Void> future)
      implements Submission {
    @Override
    public int rows() {
      return entries.size();
    }
  }

  private record Other(Work work, CompletableFuture<@Nullable Void> future) implements Submission {
    @Override
    public int rows() {
      return 1;
    }
  }

  private final DataSource database;
  private final Ledger ledger;
  private final Vault vault;
  private final BlockingQueue<Submission> queue = new LinkedBlockingQueue<>();
  private final AtomicReference<@Nullable Throwable> trouble = new AtomicReference<>();
  private final JournalRows rows;
  // Touched by the writer alone: the fate of the last transaction is not known.
  private boolean uncertain;
  // Likewise: envelopes that may still be met without one that was recorded before.
  private int wary = WARINESS;
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

  private Envelopes envelopes(List<Envelope> envelopes, boolean fromHeld) {
    return new Envelopes(
        envelopes, Packed.of(vault, envelopes), fromHeld, new CompletableFuture<>());
  }

  public CompletableFuture<@Nullable Void> receipts(List<Receipt> receipts) {
    return submit(new Receipts(receipts, new CompletableFuture<>())).future();
  }

  /** Somebody was turned away before there was a message to speak of: an envelope, refused. */
  CompletableFuture<List<Recorded>> recordTurnedAway(
      byte[] key, String exchange, ReasonCode reason, AuditEntry entry) {
    return record(
        List.of(
            new Envelope(
                key,
                key,
                Place.WHOLE,
                exchange,
                null,
                null,
                Outcome.REFUSED,
                reason,
                null,
                entry,
                null,
                null,
                null)));
  }

  /** Entries alone. */
  public CompletableFuture<@Nullable Void> enter(List<AuditEntry> entries) {
    return submit(new Notes(entries, null, new CompletableFuture<>())).future();
  }

  /**
   * A question that is sent on at once: its entry, and what was decided on; nothing else of it is
   * kept.
   */
  CompletableFuture<@Nullable Void> enterQuestion(Envelope question) {
    return submit(
            new Notes(List.of(question.entry()), question.decided(), new CompletableFuture<>()))
        .future();
  }

  /** A conflict that the work itself throws as {@link SQLException} fails only this submission. */
  public CompletableFuture<@Nullable Void> write(Work work) {
    return submit(new Other(work, new CompletableFuture<>())).future();
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
      new Transaction(List.of()).run();
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

  private void writeGroup(List<Submission> group) {
    for (int attempt = 1; ; attempt++) {
      try {
        new Transaction(group).run();
        opened();
        return;
      } catch (SQLException | RuntimeException e) {
        // Another instance may have written the same key, or the log, in between.
        boolean raced =
            attempt < 4 && (e instanceof LedgerException || isUniqueViolation(e) || isDeadlock(e));
        if (raced) {
          wary = WARINESS;
          continue;
        }
        if (!isAboutTheData(e)) {
          fail(group, e);
        } else if (group.size() > 1) {
          // One submission must not shut the gate for those who share its transaction.
          group.forEach(alone -> writeGroup(List.of(alone)));
        } else if (group.getFirst() instanceof Envelopes envelopes && !isUniqueViolation(e)) {
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
  private void writeApart(Envelopes submission, Exception cause) {
    List<Envelope> envelopes = submission.envelopes();
    if (envelopes.size() == 1 && isBare(envelopes.getFirst())) {
      fail(List.of(submission), cause);
      return;
    }
    List<Recorded> recorded = new ArrayList<>(envelopes.size());
    for (Envelope envelope : envelopes) {
      Envelope alone =
          envelopes.size() == 1 ? refused(envelope, ReasonCode.SCHEMA_VIOLATION) : envelope;
      Envelopes one = envelopes(List.of(alone), submission.fromHeld());
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

  private static Envelope refused(Envelope envelope, ReasonCode reason) {
    return new Envelope(
        envelope.key(),
        envelope.digest(),
        envelope.place(),
        envelope.exchange(),
        envelope.sender(),
        envelope.recipient(),
        Outcome.REFUSED,
        reason,
        null,
        Entries.refused(envelope.entry(), reason),
        null,
        null,
        null);
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
    queue.add(new Notes(List.of(), null, new CompletableFuture<>()));
    try {
      if (!writer.join(Duration.ofMillis(CLOSE_MILLIS))) {
        writer.interrupt();
        writer.join(Duration.ofMillis(CLOSE_MILLIS));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** One group, one transaction. */
  private final class Transaction {
    private final List<Submission> group;
    private final List<AuditEntry> entries = new ArrayList<>();
    private final List<Outgoing> outgoing = new ArrayList<>();
    private final List<Runnable> completions = new ArrayList<>();

    Transaction(List<Submission> group) {
      this.group = group;
    }

    void run() throws SQLException {
      Appended appended = null;
      try (Connection connection = database.getConnection()) {
        connection.setAutoCommit(false);
        if (uncertain) {
          resync(connection);
        }
        try {
          rows.begin();
          Map<Key, Known> known = alreadyKnown(connection);
          Set<Long> delivered = rows.removeDelivered(connection, delivered());
          long first = ledger.next();
          for (Submission submission : group) {
            switch (submission) {
              case Envelopes envelopes -> write(connection, envelopes, known, first);
              case Receipts receipts -> write(receipts, delivered);
              case Notes notes -> {
                entries.addAll(notes.entries());
                rows.decided(notes.decided());
                completions.add(() -> notes.future().complete(null));
              }
              case Other other -> write(connection, other);
            }
          }
          if (entries.isEmpty()) {
            ledger.requireWritable(connection);
          } else {
            appended = ledger.append(connection, entries);
          }
          rows.write(connection);
          connection.commit();
        } catch (SQLException | RuntimeException e) {
          undo(connection, e);
          throw e;
        }
      }
      if (appended != null) {
        ledger.confirm(appended);
      }
      Listener deliveries = listener;
      if (deliveries != null && !outgoing.isEmpty()) {
        deliveries.released(outgoing);
      }
      completions.forEach(Runnable::run);
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

    private Map<Key, Known> alreadyKnown(Connection connection) throws SQLException {
      List<byte[]> keys = new ArrayList<>();
      for (Submission submission : group) {
        if (submission instanceof Envelopes envelopes && !envelopes.fromHeld()) {
          envelopes.envelopes().forEach(envelope -> keys.add(envelope.key()));
        }
      }
      Map<Key, Known> known = HashMap.newHashMap(keys.size());
      if (wary > 0 && !keys.isEmpty()) {
        rows.lookUp(connection, keys, known);
        wary = known.isEmpty() ? wary - keys.size() : WARINESS;
      }
      return known;
    }

    private void write(
        Connection connection, Envelopes submission, Map<Key, Known> known, long first)
        throws SQLException {
      List<Recorded> recorded = new ArrayList<>(submission.envelopes().size());
      List<@Nullable Outgoing> released = new ArrayList<>(submission.envelopes().size());
      boolean whole = true;
      for (Envelope envelope : submission.envelopes()) {
        Key key = new Key(envelope.key());
        if (submission.fromHeld()) {
          Envelope now = claimed(connection, envelope);
          boolean taken = JournalRows.takeHeld(connection, now, ledger.next() + entries.size());
          recorded.add(
              taken ? enter(now, first) : new Recorded(now.outcome(), now.reason(), -1, true));
          released.add(taken ? released(now, recorded.getLast()) : null);
          whole &= taken && now == envelope;
          continue;
        }
        Known before = known.get(key);
        if (before == null) {
          Envelope allowed = claimed(connection, envelope);
          Recorded now = enter(allowed, first);
          rows.envelope(allowed, now);
          known.put(key, new Known(envelope.digest(), repeated(now)));
          recorded.add(now);
          released.add(released(allowed, now));
          whole &= allowed == envelope;
          continue;
        }
        recorded.add(
            Arrays.equals(before.digest(), envelope.digest())
                ? before.recorded()
                : reusedId(connection, envelope, known, first));
        released.add(null);
        whole = false;
      }
      release(submission, released, whole);
      completions.add(() -> submission.future().complete(recorded));
    }

    private @Nullable Outgoing released(Envelope envelope, Recorded now) {
      Envelope.Release release = envelope.outgoing();
      return release == null ? null : release.message().withId(now.entry());
    }

    /**
     * @param whole every envelope was entered as it was submitted, so that the parcels hold what
     *     leaves, and their places are those in the ledger
     */
    private void release(Envelopes submission, List<@Nullable Outgoing> released, boolean whole) {
      if (whole) {
        for (Parcel parcel : submission.packed().parcels()) {
          long id = Objects.requireNonNull(released.get(parcel.places()[0])).id();
          rows.parcel(parcel, id);
          for (int place : parcel.places()) {
            released.set(
                place,
                Objects.requireNonNull(released.get(place))
                    .placed(id + place - parcel.places()[0], id));
          }
        }
      }
      for (int place = 0; place < released.size(); place++) {
        Outgoing message = released.get(place);
        if (message == null) {
          continue;
        }
        if (message.parcel() == Outgoing.ALONE) {
          Packed.Alone sealed = submission.packed().alone().get(place);
          rows.alone(message, sealed == null ? Packed.Alone.seal(vault, message) : sealed);
        }
        outgoing.add(message);
      }
    }

    /** What only one may be to a person is refused when another one is it. */
    private Envelope claimed(Connection connection, Envelope envelope) throws SQLException {
      Envelope.Claim claim = envelope.outgoing() == null ? null : envelope.outgoing().claim();
      if (claim == null) {
        return envelope;
      }
      return JournalRows.claim(connection, envelope.exchange(), claim)
          ? envelope
          : refused(envelope, ReasonCode.ALREADY_HELD);
    }

    /** The id was used before with other content: refused, once for each such content. */
    private Recorded reusedId(
        Connection connection, Envelope envelope, Map<Key, Known> known, long first)
        throws SQLException {
      byte[] key = envelope.key().clone();
      for (int i = 0; i < key.length; i++) {
        key[i] ^= envelope.digest()[i];
      }
      rows.lookUp(connection, List.of(key), known);
      Known before = known.get(new Key(key));
      if (before != null) {
        return before.recorded();
      }
      Envelope refused =
          new Envelope(
              key,
              envelope.digest(),
              envelope.place(),
              envelope.exchange(),
              envelope.sender(),
              envelope.recipient(),
              Outcome.REFUSED,
              ReasonCode.MESSAGE_ID_REUSED,
              null,
              Entries.refused(envelope.entry(), ReasonCode.MESSAGE_ID_REUSED),
              null,
              null,
              null);
      Recorded now = enter(refused, first);
      rows.envelope(refused, now);
      known.put(new Key(key), new Known(refused.digest(), repeated(now)));
      return now;
    }

    private Recorded repeated(Recorded now) {
      return new Recorded(now.outcome(), now.reason(), now.entry(), true);
    }

    private Recorded enter(Envelope envelope, long first) {
      long index = first + entries.size();
      entries.add(envelope.entry());
      rows.parts(envelope);
      return new Recorded(envelope.outcome(), envelope.reason(), index, false);
    }

    /** One whose row is gone was recorded before, by a commit that was not heard of. */
    private void write(Receipts submission, Set<Long> delivered) {
      for (Receipt receipt : submission.receipts()) {
        if (delivered.remove(receipt.message().id())) {
          entries.add(receipt.entry());
        }
      }
      completions.add(() -> submission.future().complete(null));
    }

    private List<Outgoing> delivered() {
      List<Outgoing> delivered = new ArrayList<>();
      for (Submission submission : group) {
        if (submission instanceof Receipts receipts) {
          receipts.receipts().forEach(receipt -> delivered.add(receipt.message()));
        }
      }
      return delivered;
    }

    private void write(Connection connection, Other submission) throws SQLException {
      var savepoint = connection.setSavepoint();
      try {
        Written written = submission.work().write(connection, ledger.next() + entries.size());
        entries.addAll(written.entries());
        outgoing.addAll(written.released());
        connection.releaseSavepoint(savepoint);
        completions.add(() -> submission.future().complete(null));
      } catch (SQLException | RuntimeException e) {
        connection.rollback(savepoint);
        completions.add(() -> submission.future().completeExceptionally(e));
      }
    }
  }
}
