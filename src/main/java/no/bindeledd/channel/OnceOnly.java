package no.bindeledd.channel;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;

/**
 * Remembers what has been used, so that it is used once. Thread-safe. An installation with several
 * instances behind one address needs a shared implementation for what must hold across them.
 */
@FunctionalInterface
public interface OnceOnly {
  /**
   * True the first time the key is seen.
   *
   * @param until the instant after which the key is refused for other reasons and may be forgotten
   */
  boolean first(String key, Instant until);

  /**
   * Remembers within this process.
   *
   * @param capacity how many keys at most; when full of keys that still matter, every new key
   *     counts as used: forgetting one would let it be used again
   */
  static OnceOnly inMemory(InstantSource clock, int capacity) {
    Cache<String, Instant> seen =
        Caffeine.newBuilder()
            .ticker(() -> TimeUnit.MILLISECONDS.toNanos(clock.millis()))
            .expireAfter(
                Expiry.<String, Instant>creating(
                    (key, until) -> Duration.between(clock.instant(), until)))
            .build();
    return (key, until) -> {
      if (seen.estimatedSize() >= capacity) {
        seen.cleanUp();
        if (seen.estimatedSize() >= capacity) {
          return false;
        }
      }
      return seen.asMap().putIfAbsent(key, until) == null;
    };
  }
}
