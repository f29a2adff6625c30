package no.bindeledd.fault;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import no.bindeledd.gate.Deliverer;
import no.bindeledd.gate.Outgoing;

/** The way out to a recipient that answers as a test wants, and keeps what it took. Thread-safe. */
public final class Recipient implements Deliverer {
  private final boolean batches;
  private final AtomicInteger attempts = new AtomicInteger();
  private final List<Outgoing> taken = new ArrayList<>();

  /** What it answers; may block or throw. It keeps the messages only if the answer is DELIVERED. */
  public volatile Function<List<Outgoing>, Result> answer = messages -> Result.DELIVERED;

  public Recipient(boolean batches) {
    this.batches = batches;
  }

  @Override
  public boolean batches() {
    return batches;
  }

  @Override
  public Result deliver(List<Outgoing> messages) {
    attempts.incrementAndGet();
    Result result = answer.apply(messages);
    if (result == Result.DELIVERED) {
      synchronized (taken) {
        // As a route does that is not made for many: it sends the first.
        taken.addAll(batches ? messages : messages.subList(0, 1));
      }
    }
    return result;
  }

  @Override
  public byte[] ask(Outgoing question) {
    throw new IllegalStateException("nobody asks here");
  }

  public int attempts() {
    return attempts.get();
  }

  public int size() {
    synchronized (taken) {
      return taken.size();
    }
  }

  public List<Outgoing> taken() {
    synchronized (taken) {
      return List.copyOf(taken);
    }
  }

  /** The messages' keys, in hexadecimal, in the order they were taken. */
  public List<String> keys() {
    return taken().stream().map(message -> HexFormat.of().formatHex(message.key())).toList();
  }

  /** For each person the ledger indexes of what was taken, in the order it was taken. */
  public Map<String, List<Long>> byPerson() {
    Map<String, List<Long>> byPerson = new HashMap<>();
    for (Outgoing message : taken()) {
      byPerson
          .computeIfAbsent(String.valueOf(message.subject()), person -> new ArrayList<>())
          .add(message.id());
    }
    return byPerson;
  }
}
