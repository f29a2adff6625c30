package no.bindeledd.consent;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReferenceArray;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.ConsentFact.Grantors;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.jspecify.annotations.Nullable;

/**
 * Consents as the cache keeps them: 40 bytes each, for millions of people. Everything but id,
 * version and days is a template, and a country has few of those. Thread-safe, without locks.
 */
final class PackedFacts {
  /** What an empty array of longs takes in the heap. */
  static final int ARRAY_BYTES = 16;

  static final int FACT_BYTES = 40;

  /** Nobody has agreed to anything: shared by all. */
  private static final long[] NOTHING = new long[0];

  private static final int LONGS = FACT_BYTES / Long.BYTES;
  private static final int MOST_TEMPLATES = 1 << 16;
  private static final long ENDLESS = Long.MAX_VALUE;

  private record Template(
      Kind kind,
      State state,
      Grantors grantors,
      String purpose,
      Set<String> sources,
      Set<String> recipients,
      Set<String> categories) {}

  private final Map<Template, Integer> numbers = new ConcurrentHashMap<>();
  private final AtomicReferenceArray<@Nullable Template> templates =
      new AtomicReferenceArray<>(MOST_TEMPLATES);

  /** Null when there are too many templates to keep one more: then ask the table each time. */
  long @Nullable [] pack(List<ConsentFact> facts) {
    if (facts.isEmpty()) {
      return NOTHING;
    }
    long[] packed = new long[facts.size() * LONGS];
    int at = 0;
    for (ConsentFact fact : facts) {
      Integer template = number(fact);
      if (template == null) {
        return null;
      }
      UUID id = UUID.fromString(fact.id());
      Instant validTo = fact.validTo();
      packed[at++] = id.getMostSignificantBits();
      packed[at++] = id.getLeastSignificantBits();
      packed[at++] = (long) fact.version() << 32 | template;
      packed[at++] = micros(fact.validFrom());
      packed[at++] = validTo == null ? ENDLESS : micros(validTo);
    }
    return packed;
  }

  List<ConsentFact> unpack(long[] packed) {
    if (packed.length == 0) {
      return List.of();
    }
    List<ConsentFact> facts = new ArrayList<>(packed.length / LONGS);
    for (int at = 0; at < packed.length; at += LONGS) {
      Template t = templates.get((int) packed[at + 2]);
      if (t == null) {
        throw new IllegalStateException("A consent was packed with another cache's templates");
      }
      long end = packed[at + 4];
      facts.add(
          new ConsentFact(
              new UUID(packed[at], packed[at + 1]).toString(),
              (int) (packed[at + 2] >>> 32),
              t.kind(),
              t.state(),
              t.grantors(),
              t.purpose(),
              t.sources(),
              t.recipients(),
              t.categories(),
              instant(packed[at + 3]),
              end == ENDLESS ? null : instant(end)));
    }
    return facts;
  }

  private @Nullable Integer number(ConsentFact fact) {
    Template template =
        new Template(
            fact.kind(),
            fact.state(),
            fact.grantors(),
            fact.purpose(),
            fact.sources(),
            fact.recipients(),
            fact.categories());
    Integer known = numbers.get(template);
    return known != null ? known : add(template);
  }

  private synchronized @Nullable Integer add(Template template) {
    Integer known = numbers.get(template);
    int number = numbers.size();
    if (known != null || number == MOST_TEMPLATES) {
      return known;
    }
    templates.set(number, template);
    numbers.put(template, number);
    return number;
  }

  private static long micros(Instant instant) {
    return ChronoUnit.MICROS.between(Instant.EPOCH, instant);
  }

  private static Instant instant(long micros) {
    return Instant.ofEpochSecond(
        Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1_000L);
  }
}
