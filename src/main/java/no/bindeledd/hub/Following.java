package no.bindeledd.hub;

import java.time.Duration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A thread that follows the ledger: takes steps while there are any, then looks again after a
 * pause. What fails is tried again from where it stood, so that whoever is followed is never held
 * up. Thread-safe.
 */
final class Following implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Following.class);
  private static final Duration END_WITHIN = Duration.ofSeconds(5);

  /** Takes what comes next. */
  interface Step {
    /**
     * @return false when there is nothing to take now
     */
    boolean take() throws Exception;
  }

  private final String name;
  private final Step step;
  private final Duration pause;
  private final Thread thread;
  private volatile @Nullable String trouble;
  private volatile boolean closed;

  Following(String name, Duration pause, Step step) {
    this.name = name;
    this.step = step;
    this.pause = pause;
    this.thread = Thread.ofVirtual().name("following-" + name).start(this::run);
  }

  /** What went wrong last, by its class; null when the last step went well. */
  @Nullable String trouble() {
    return trouble;
  }

  private void run() {
    while (!closed) {
      try {
        boolean more = step.take();
        if (trouble != null) {
          LOG.info("{} goes on", name);
          trouble = null;
        }
        if (!more) {
          Thread.sleep(pause);
        }
      } catch (InterruptedException e) {
        return;
      } catch (Exception e) {
        if (closed) {
          return; // the interruption took its connection
        }
        // By its class: a message may quote what was being read.
        if (trouble == null) {
          LOG.warn("{} stands still ({}) and tries again", name, e.getClass().getName());
        }
        trouble = e.getClass().getName();
        if (!rest()) {
          return;
        }
      }
    }
  }

  private boolean rest() {
    try {
      Thread.sleep(pause);
      return true;
    } catch (InterruptedException e) {
      return false;
    }
  }

  @Override
  public void close() {
    closed = true;
    thread.interrupt();
    try {
      thread.join(END_WITHIN);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
