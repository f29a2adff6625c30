package no.bindeledd.demo;

import java.util.concurrent.atomic.AtomicLong;

/** Makes every n-th request to an agency fail, as real ones do at times. Thread-safe. */
public final class Faults {
  private final int every;
  private final AtomicLong requests = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();

  private Faults(int every) {
    this.every = every;
  }

  public static Faults none() {
    return new Faults(0);
  }

  /** Request n, 2n, 3n … fails. */
  public static Faults every(int n) {
    if (n < 2) {
      throw new IllegalArgumentException("Only every second request or fewer may fail, not " + n);
    }
    return new Faults(n);
  }

  /** Called once for each request; true when this one is to fail. */
  boolean next() {
    boolean fail = every > 0 && requests.incrementAndGet() % every == 0;
    if (fail) {
      failed.incrementAndGet();
    }
    return fail;
  }

  /** How many requests were made to fail. */
  public long failed() {
    return failed.get();
  }
}
