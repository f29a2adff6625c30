package no.bindeledd.gate;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import no.bindeledd.policy.Outcome;

/**
 * The hub's counters and timers, named after the six stations and tagged by exchange. Thread-safe;
 * tags never hold anything from a record.
 *
 * <p>The conservation laws (for each exchange, when nothing is under way):
 *
 * <pre>
 * bindeledd.receive = bindeledd.record{outcome=*} + bindeledd.record.repeated + bindeledd.record.failed
 * bindeledd.record{outcome in released,reduced,deidentified} + bindeledd.record.reconsidered{the same}
 *     = bindeledd.deliver{result in delivered,dead,stopped,parked} + bindeledd.deliver.pending
 * bindeledd.record{outcome=held} + bindeledd.deliver{result=parked}
 *     = bindeledd.hold.waiting + bindeledd.record.reconsidered{outcome=*}
 * </pre>
 *
 * The counters begin with the process, {@code bindeledd.deliver.pending} and {@code
 * bindeledd.hold.waiting} are read from the tables: add up the increase of each since a moment when
 * nothing was under way, over all instances, with the gauges of one.
 *
 * <p>Alert when a left side stays larger than its right side: a message is stuck. A right side
 * never exceeds its left: that would be a message released without being received.
 */
public final class StationTimes {
  private final MeterRegistry registry;
  private final Map<String, Timer> timers = new ConcurrentHashMap<>();
  private final Map<String, Counter> counters = new ConcurrentHashMap<>();

  public StationTimes(MeterRegistry registry) {
    this.registry = registry;
  }

  long identified(String exchange, long startedNanos) {
    return lap("bindeledd.identify", exchange, startedNanos);
  }

  long shaped(String exchange, long startedNanos) {
    return lap("bindeledd.decide.and.shape", exchange, startedNanos);
  }

  long read(String exchange, long startedNanos) {
    return lap("bindeledd.receive.read", exchange, startedNanos);
  }

  long journalled(String exchange, long startedNanos) {
    return lap("bindeledd.record.commit", exchange, startedNanos);
  }

  public long delivered(String exchange, long startedNanos) {
    return lap("bindeledd.deliver.send", exchange, startedNanos);
  }

  void received(String exchange, int messages) {
    count("bindeledd.receive", exchange, "", "", messages);
  }

  void recorded(String exchange, Outcome outcome, int messages) {
    if (messages > 0) {
      count("bindeledd.record", exchange, "outcome", tag(outcome), messages);
    }
  }

  void repeated(String exchange, int messages) {
    count("bindeledd.record.repeated", exchange, "", "", messages);
  }

  void failed(String exchange, int messages) {
    count("bindeledd.record.failed", exchange, "", "", messages);
  }

  void reconsidered(String exchange, Outcome outcome) {
    count("bindeledd.record.reconsidered", exchange, "outcome", tag(outcome), 1);
  }

  /**
   * {@code result} is delivered, dead, stopped (at the door, for good), parked (at the door, until
   * a fact or a rule changes) or retried.
   */
  public void deliveries(String exchange, String result, int messages) {
    count("bindeledd.deliver", exchange, "result", result, messages);
  }

  private long lap(String name, String exchange, long startedNanos) {
    long now = System.nanoTime();
    timers
        .computeIfAbsent(
            name + exchange,
            key -> Timer.builder(name).tag("exchange", exchange).register(registry))
        .record(now - startedNanos, TimeUnit.NANOSECONDS);
    return now;
  }

  private void count(String name, String exchange, String tag, String value, int amount) {
    counters
        .computeIfAbsent(
            name + '|' + exchange + '|' + value,
            key -> {
              Counter.Builder counter = Counter.builder(name).tag("exchange", exchange);
              return (tag.isEmpty() ? counter : counter.tag(tag, value)).register(registry);
            })
        .increment(amount);
  }

  private static String tag(Outcome outcome) {
    return switch (outcome) {
      case RELEASED -> "released";
      case REDUCED -> "reduced";
      case DEIDENTIFIED -> "deidentified";
      case HELD -> "held";
      case REFUSED -> "refused";
    };
  }
}
