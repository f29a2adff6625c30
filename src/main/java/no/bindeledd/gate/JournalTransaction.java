package no.bindeledd.gate;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import no.bindeledd.audit.Appended;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Ledger;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.JournalRows.Key;
import no.bindeledd.gate.JournalRows.Known;
import no.bindeledd.person.Vault;
import org.jspecify.annotations.Nullable;

/**
 * What one group of submissions writes in one transaction of the {@link Journal}: once {@link
 * #write}, then {@link #committed} after the commit. Not thread-safe: belongs to the journal's
 * thread.
 */
final class JournalTransaction {
  private final Connection connection;
  private final Ledger ledger;
  private final Vault vault;
  private final JournalRows rows;
  private final List<AuditEntry> entries = new ArrayList<>();
  private final List<Outgoing> outgoing = new ArrayList<>();
  private final List<Runnable> completions = new ArrayList<>();
  private @Nullable Appended appended;

  JournalTransaction(Connection connection, Ledger ledger, Vault vault, JournalRows rows) {
    this.connection = connection;
    this.ledger = ledger;
    this.vault = vault;
    this.rows = rows;
  }

  void write(List<Submission> group) throws SQLException {
    rows.begin();
    Map<Key, Known> known = alreadyKnown(group);
    Set<Long> delivered = rows.removeDelivered(connection, delivered(group));
    long first = ledger.next();
    for (Submission submission : group) {
      switch (submission) {
        case Submission.Envelopes envelopes -> write(envelopes, known, first);
        case Submission.Receipts receipts -> write(receipts, delivered);
        case Submission.Notes notes -> {
          entries.addAll(notes.entries());
          rows.decided(notes.decided());
          completions.add(() -> notes.future().complete(null));
        }
        case Submission.Other other -> write(other);
      }
    }
    if (entries.isEmpty()) {
      ledger.requireWritable(connection);
    } else {
      appended = ledger.append(connection, entries);
    }
    rows.write(connection);
  }

  /** Tells everybody who waits, and whoever delivers. */
  void committed(Journal.@Nullable Listener deliveries) {
    if (appended != null) {
      ledger.confirm(appended);
    }
    if (deliveries != null && !outgoing.isEmpty()) {
      deliveries.released(outgoing);
    }
    completions.forEach(Runnable::run);
  }

  private Map<Key, Known> alreadyKnown(List<Submission> group) throws SQLException {
    List<byte[]> keys = new ArrayList<>();
    for (Submission submission : group) {
      if (submission instanceof Submission.Envelopes envelopes && !envelopes.fromHeld()) {
        envelopes.envelopes().forEach(envelope -> keys.add(envelope.key()));
      }
    }
    Map<Key, Known> known = HashMap.newHashMap(keys.size());
    rows.recognise(connection, keys, known);
    return known;
  }

  private void write(Submission.Envelopes submission, Map<Key, Known> known, long first)
      throws SQLException {
    List<Journal.Recorded> recorded = new ArrayList<>(submission.envelopes().size());
    List<@Nullable Outgoing> released = new ArrayList<>(submission.envelopes().size());
    boolean whole = true;
    for (Envelope envelope : submission.envelopes()) {
      Key key = new Key(envelope.key());
      if (submission.fromHeld()) {
        Envelope now = claimed(envelope);
        boolean taken = JournalRows.takeHeld(connection, now, ledger.next() + entries.size());
        recorded.add(
            taken
                ? enter(now, first)
                : new Journal.Recorded(now.outcome(), now.reason(), -1, true));
        released.add(taken ? released(now, recorded.getLast()) : null);
        whole &= taken && now == envelope;
        continue;
      }
      Known before = known.get(key);
      if (before == null) {
        Envelope allowed = claimed(envelope);
        Journal.Recorded now = enter(allowed, first);
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
              : reusedId(envelope, known, first));
      released.add(null);
      whole = false;
    }
    release(submission, released, whole);
    completions.add(() -> submission.future().complete(recorded));
  }

  private @Nullable Outgoing released(Envelope envelope, Journal.Recorded now) {
    Envelope.Release release = envelope.outgoing();
    return release == null ? null : release.message().withId(now.entry());
  }

  /**
   * @param whole every envelope was entered as it was submitted, so that the parcels hold what
   *     leaves, and their places are those in the ledger
   */
  private void release(
      Submission.Envelopes submission, List<@Nullable Outgoing> released, boolean whole) {
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
  private Envelope claimed(Envelope envelope) throws SQLException {
    Envelope.Claim claim = envelope.outgoing() == null ? null : envelope.outgoing().claim();
    if (claim == null) {
      return envelope;
    }
    return JournalRows.claim(connection, envelope.exchange(), claim)
        ? envelope
        : envelope.refused(ReasonCode.ALREADY_HELD);
  }

  /** The id was used before with other content: refused, once for each such content. */
  private Journal.Recorded reusedId(Envelope envelope, Map<Key, Known> known, long first)
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
    Envelope refused = envelope.refused(key, ReasonCode.MESSAGE_ID_REUSED, null);
    Journal.Recorded now = enter(refused, first);
    rows.envelope(refused, now);
    known.put(new Key(key), new Known(refused.digest(), repeated(now)));
    return now;
  }

  private Journal.Recorded repeated(Journal.Recorded now) {
    return new Journal.Recorded(now.outcome(), now.reason(), now.entry(), true);
  }

  private Journal.Recorded enter(Envelope envelope, long first) {
    long index = first + entries.size();
    entries.add(envelope.entry());
    rows.parts(envelope);
    return new Journal.Recorded(envelope.outcome(), envelope.reason(), index, false);
  }

  /** One whose row is gone was recorded before, by a commit that was not heard of. */
  private void write(Submission.Receipts submission, Set<Long> delivered) {
    for (Journal.Receipt receipt : submission.receipts()) {
      if (delivered.remove(receipt.message().id())) {
        entries.add(receipt.entry());
      }
    }
    completions.add(() -> submission.future().complete(null));
  }

  private List<Outgoing> delivered(List<Submission> group) {
    List<Outgoing> delivered = new ArrayList<>();
    for (Submission submission : group) {
      if (submission instanceof Submission.Receipts receipts) {
        receipts.receipts().forEach(receipt -> delivered.add(receipt.message()));
      }
    }
    return delivered;
  }

  private void write(Submission.Other submission) throws SQLException {
    var savepoint = connection.setSavepoint();
    try {
      Journal.Written written = submission.work().write(connection, ledger.next() + entries.size());
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
