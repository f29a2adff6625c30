package no.bindeledd.audit;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the ledger confirmed and nobody has published, in memory as far as there is room; the oldest
 * goes first, and is read from the database. Thread-safe.
 */
final class Unpublished implements Ledger.Follower {
  /** So many bytes of entries: more than a second's at any speed that was measured. */
  private static final int MOST = 32 << 20;

  private final TreeMap<Long, Confirmed> batches = new TreeMap<>(); // by index of the first entry
  private int bytes;

  @Override
  public synchronized void confirmed(Confirmed batch) {
    // The bytes are enough, and the entries are many objects to keep.
    batches.put(
        Shard.index(batch.first()),
        new Confirmed(batch.first(), List.of(), batch.bundle(), batch.leaves()));
    bytes += batch.bundle().length;
    while (bytes > MOST) {
      removeFirst();
    }
  }

  /** The batch with this entry in it or, if there is none, the next; or null. */
  synchronized @Nullable Confirmed from(long index) {
    Map.Entry<Long, Confirmed> before = batches.floorEntry(index);
    if (before != null && index < end(before)) {
      return before.getValue();
    }
    Map.Entry<Long, Confirmed> behind = batches.higherEntry(index);
    return behind == null ? null : behind.getValue();
  }

  /** The entries before this index are published. */
  synchronized void forgetBefore(long index) {
    while (!batches.isEmpty() && end(batches.firstEntry()) <= index) {
      removeFirst();
    }
  }

  private void removeFirst() {
    bytes -= batches.pollFirstEntry().getValue().bundle().length;
  }

  private static long end(Map.Entry<Long, Confirmed> batch) {
    return batch.getKey() + batch.getValue().size();
  }
}
