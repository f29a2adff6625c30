package no.bindeledd.delivery;

import java.time.Duration;

/**
 * How often a failing delivery is tried: with a pause that doubles from {@code first} to {@code
 * longest}. After {@code attempts} failures a message becomes a dead letter; an outage of the
 * recipient does not count.
 */
public record RetryPolicy(int attempts, Duration first, Duration longest) {
  /** Ten attempts over about two minutes: 250 ms, 500 ms, … 32 s, 60 s. */
  public static final RetryPolicy DEFAULT =
      new RetryPolicy(10, Duration.ofMillis(250), Duration.ofMinutes(1));

  Duration pause(int attempt) {
    long millis = first.toMillis() << Math.min(attempt, 20);
    return Duration.ofMillis(Math.min(millis, longest.toMillis()));
  }
}
