package no.bindeledd.delivery;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Supplier;
import javax.sql.DataSource;
import no.bindeledd.gate.Burial;
import no.bindeledd.gate.Deliverer;
import no.bindeledd.gate.Deliverer.Result;
import no.bindeledd.gate.Deliverers;
import no.bindeledd.gate.Deliverers.Way;
import no.bindeledd.gate.Door;
import no.bindeledd.gate.Entries;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.OutboxRows;
import no.bindeledd.gate.Outgoing;
import no.bindeledd.gate.StationTimes;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Delivers to one recipient of one exchange. A feeder takes messages in the order of the ledger and
 * deals them to lanes by person, so that one person's messages arrive in order while others pass a
 * lane that waits. Every message is decided again at the {@link Door}, tried, and tried again with
 * a growing pause; its receipt removes it from the outbox. Another instance's shard is that
 * instance's to deliver.
 *
 * <p>A recipient may get a message twice when the hub is killed between the delivery and its
 * receipt; both carry the same id.
 */
final class Outlet implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Outlet.class);
  private static final int MOST_WAITING = 20_000;
  private static final int LANE_ROOM = 2_000;
  private static final int LANES = 16;
  private static final int BATCH_LANES = 2;
  private static final int BATCH = 1_000;
  private static final String UNREADABLE =
      "it cannot be decrypted: restore its row or the keyset, then replay";
  private static final Duration REST = Duration.ofMillis(200);
  private static final Duration LONGEST_CLOSE = Duration.ofSeconds(10);

  private final Way way;
  private final DataSource database;
  private final OutboxRows rows;
  private final Deliverers deliverers;
  private final Door door;
  private final Journal journal;
  private final RetryPolicy retries;
  private final InstantSource clock;
  private final StationTimes times;
  private final Semaphore receiptsUnderWay = new Semaphore(32);
  private final ReentrantReadWriteLock sending = new ReentrantReadWriteLock();

  private final Object lock = new Object();
  private final Deque<Outgoing> waiting = new ArrayDeque<>();
  // True while the table may hold rows after `lastTaken` that are not in `waiting`.
  private boolean behind = true;
  private long lastTaken;
  private volatile boolean closed;
  private final List<Thread> threads = new ArrayList<>();
  private final List<BlockingQueue<Outgoing>> lanes = new ArrayList<>();

  Outlet(
      Way way,
      DataSource database,
      OutboxRows rows,
      Deliverers deliverers,
      Door door,
      Journal journal,
      RetryPolicy retries,
      InstantSource clock,
      StationTimes times) {
    this.way = way;
    this.database = database;
    this.rows = rows;
    this.deliverers = deliverers;
    this.door = door;
    this.journal = journal;
    this.retries = retries;
    this.clock = clock;
    this.times = times;
    this.lastTaken = journal.shard().first() - 1;
  }

  /** The way is open: starts on the first call, looks at the table on every one. */
  void wake() {
    synchronized (lock) {
      if (threads.isEmpty() && !closed) {
        boolean batches = takesBatches();
        for (int i = 0; i < (batches ? BATCH_LANES : LANES); i++) {
          BlockingQueue<Outgoing> lane = new ArrayBlockingQueue<>(LANE_ROOM);
          lanes.add(lane);
          threads.add(start("lane-" + i, () -> runLane(lane)));
        }
        threads.add(start("feeder", this::feed));
      }
      behind = true;
      lock.notifyAll();
    }
  }

  private Thread start(String name, Runnable task) {
    return Thread.ofVirtual()
        .name("deliver-" + way.exchange() + "-" + way.recipient() + "-" + name)
        .start(task);
  }

  void offer(Outgoing message) {
    synchronized (lock) {
      if (behind) {
        return;
      }
      if (waiting.size() >= MOST_WAITING) {
        behind = true;
        return;
      }
      waiting.add(message);
      lock.notifyAll();
    }
  }

  /** The table may hold what was never offered: from here on it is the truth. */
  void lookInTable() {
    synchronized (lock) {
      waiting.clear();
      behind = true;
      lock.notifyAll();
    }
  }

  private void feed() {
    while (!closed) {
      try {
        for (Outgoing message : next()) {
          int lane =
              message.subject() == null
                  ? 0
                  : Math.floorMod(message.subject().hashCode(), lanes.size());
          lanes.get(lane).put(message);
        }
      } catch (InterruptedException e) {
        return;
      } catch (SQLException e) {
        rest(REST);
      } catch (RuntimeException e) {
        // A feeder that ended would stop this way out until the next start, and say nothing.
        LOG.error(
            "Rows of the outbox of exchange {} to {} cannot be read ({}); nothing more goes there"
                + " until they can",
            way.exchange(),
            way.recipient(),
            e.getClass().getName());
        rest(REST);
      }
    }
  }

  private List<Outgoing> next() throws InterruptedException, SQLException {
    long after;
    synchronized (lock) {
      while (waiting.isEmpty() && !behind) {
        lock.wait();
      }
      List<Outgoing> taken = take();
      if (!taken.isEmpty()) {
        return taken;
      }
      // From now on the journal offers again; what it commits meanwhile may come by both ways.
      behind = false;
      after = lastTaken;
    }
    OutboxRows.Page page;
    try (Connection connection = database.getConnection()) {
      page = rows.next(connection, way, after, journal.shard().end());
    } catch (SQLException | RuntimeException e) {
      lookInTable();
      throw e;
    }
    for (Outgoing message : page.broken()) {
      bury(message, UNREADABLE);
    }
    for (Map.Entry<Long, Long> parcel : page.brokenParcels().entrySet()) {
      buryParcel(parcel.getKey(), parcel.getValue());
    }
    synchronized (lock) {
      if (page.more()) {
        waiting.clear();
        behind = true;
      }
      lastTaken = Math.max(lastTaken, page.last());
    }
    return page.messages();
  }

  private List<Outgoing> take() {
    List<Outgoing> taken = new ArrayList<>(Math.min(waiting.size(), BATCH));
    while (taken.size() < BATCH && !waiting.isEmpty()) {
      Outgoing message = waiting.poll();
      if (message.id() > lastTaken) {
        lastTaken = message.id();
        taken.add(message);
      }
    }
    return taken;
  }

  private void runLane(BlockingQueue<Outgoing> lane) {
    List<Outgoing> batch = new ArrayList<>(BATCH);
    while (!closed) {
      try {
        batch.add(lane.take());
        if (takesBatches()) {
          lane.drainTo(batch, BATCH - 1);
        }
        deliver(batch);
        batch.clear();
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  private boolean takesBatches() {
    try {
      return deliverers.of(way).map(Deliverer::batches).orElse(false);
    } catch (IllegalStateException e) {
      // The contract has changed and the route is about to.
      return false;
    }
  }

  /** Returns when every message of the batch is delivered, stopped or a dead letter. */
  private void deliver(List<Outgoing> batch) throws InterruptedException {
    List<Outgoing> left = batch;
    int attempt = 0;
    int failures = 0;
    while (!left.isEmpty() && !closed) {
      if (left.size() > 1 && !takesBatches()) {
        // The route was replaced, or stopped, while the batch waited.
        oneByOne(left);
        return;
      }
      Attempt made = attempt(left);
      left = made.left();
      switch (made.result()) {
        case DELIVERED -> {
          return;
        }
        case REJECTED -> {
          if (left.size() > 1) {
            oneByOne(left);
          } else {
            bury(left.getFirst(), "the recipient rejected it");
          }
          return;
        }
        case FAILED -> {
          failures++;
          if (failures >= retries.attempts()) {
            if (left.size() > 1) {
              oneByOne(left);
            } else {
              bury(left.getFirst(), failures + " attempts failed");
            }
            return;
          }
        }
        case UNAVAILABLE -> {}
      }
      times.deliveries(way.exchange(), "retried", left.size());
      Thread.sleep(retries.pause(attempt++));
    }
  }

  private void oneByOne(List<Outgoing> batch) throws InterruptedException {
    for (Outgoing message : batch) {
      deliver(List.of(message));
    }
  }

  /**
   * How one try ended.
   *
   * @param left those of the batch that may leave
   */
  private record Attempt(Result result, List<Outgoing> left) {}

  private Attempt attempt(List<Outgoing> batch) throws InterruptedException {
    List<Outgoing> left = batch;
    sending.readLock().lock();
    try {
      Deliverer deliverer = deliverers.of(way).orElse(null);
      if (closed || deliverer == null) {
        return new Attempt(Result.UNAVAILABLE, left);
      }
      Result result;
      try (Door.Passage passage = door.open(way, batch)) {
        left = passage.leaving();
        result = left.isEmpty() ? Result.DELIVERED : send(deliverer, left);
        if (result == Result.DELIVERED && !left.isEmpty()) {
          // Before it closes: when all is settled, the journal has every receipt.
          receipts(left);
        }
      }
      return new Attempt(result, left);
    } catch (GateShutException | IllegalStateException e) {
      return new Attempt(Result.UNAVAILABLE, left);
    } catch (RuntimeException e) {
      // A lane that ended would keep its people's messages until the next start, and say nothing.
      LOG.error(
          "A delivery of exchange {} to {} failed in a way that nobody foresaw ({})",
          way.exchange(),
          way.recipient(),
          e.getClass().getName());
      return new Attempt(Result.FAILED, left);
    } finally {
      sending.readLock().unlock();
    }
  }

  private Result send(Deliverer deliverer, List<Outgoing> batch) {
    long started = System.nanoTime();
    Result result = deliverer.deliver(batch);
    times.delivered(way.exchange(), started);
    return result;
  }

  private void receipts(List<Outgoing> delivered) throws InterruptedException {
    times.deliveries(way.exchange(), "delivered", delivered.size());
    String receiver = door.receiver(way);
    List<Journal.Receipt> receipts = new ArrayList<>(delivered.size());
    for (Outgoing message : delivered) {
      receipts.add(
          new Journal.Receipt(
              message, Entries.delivery(clock.instant(), message, receiver, "DELIVERED", null)));
    }
    receiptsUnderWay.acquire();
    submit(receipts);
  }

  /** The receipt is recorded however long the gate is shut. */
  private void submit(List<Journal.Receipt> receipts) {
    var unused =
        journal
            .receipts(receipts)
            .whenComplete(
                (done, failure) -> {
                  if (failure == null || closed) {
                    receiptsUnderWay.release();
                  } else {
                    Thread.startVirtualThread(
                        () -> {
                          rest(REST);
                          submit(receipts);
                        });
                  }
                });
  }

  private void bury(Outgoing message, String why) throws InterruptedException {
    LOG.warn(
        "A message of exchange {} to {} is now a dead letter: {} (ledger entry {})",
        way.exchange(),
        way.recipient(),
        why,
        message.id());
    bury(1, () -> Burial.of(rows, message, door.receiver(way), why, clock.instant()));
  }

  private void buryParcel(long id, long messages) throws InterruptedException {
    LOG.error(
        "{} messages of exchange {} to {} are now dead letters: {} (ledger entries from {})",
        messages,
        way.exchange(),
        way.recipient(),
        UNREADABLE,
        id);
    bury(
        Math.toIntExact(messages),
        () -> Burial.ofParcel(id, door.receiver(way), UNREADABLE, clock.instant()));
  }

  private void bury(int messages, Supplier<Journal.Work> burial) throws InterruptedException {
    while (!closed) {
      try {
        journal.write(burial.get()).join();
        times.deliveries(way.exchange(), "dead", messages);
        return;
      } catch (RuntimeException e) {
        Thread.sleep(REST);
      }
    }
  }

  private static void rest(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /**
   * Waits for what is being handed over, so that its receipt is written and the next start does not
   * send it again.
   */
  @Override
  public void close() {
    closed = true;
    try {
      if (sending.writeLock().tryLock(LONGEST_CLOSE.toMillis(), TimeUnit.MILLISECONDS)) {
        sending.writeLock().unlock();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    threads.forEach(Thread::interrupt);
  }
}
