package no.bindeledd.bench;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.Facts;
import no.bindeledd.policy.PolicyPack;

/**
 * What a decision costs on one core: a look-up in a warm cache of every subject's consents, keyed
 * as the registry's, and the decision itself. Each subject has one consent, withdrawn for one in
 * ten.
 */
public final class DecisionRate {
  private static final Instant AT = Instant.parse("2026-09-01T10:00:00Z");
  private static final Pseudonym SOMEBODY = new Pseudonym("0".repeat(32));

  /** 128 bits, as a pseudonym has. */
  private record Key(long high, long low) {}

  /**
   * The figures.
   *
   * @param perSecond decisions per second on one core, each with its look-up
   * @param bytesPerSubject heap that the cache takes for each subject
   * @param leaving how many let something leave, so that nothing is optimised away
   */
  public record Result(
      int subjects, long decisions, double perSecond, double bytesPerSubject, long leaving) {}

  private DecisionRate() {}

  /** Measures for about so many seconds, after a quarter of that to warm up. */
  public static Result measure(Contract contract, PolicyPack pack, int subjects, int seconds) {
    Runtime runtime = Runtime.getRuntime();
    long before = used(runtime);
    Cache<Key, List<ConsentFact>> cache = Caffeine.newBuilder().build();
    SplittableRandom random = new SplittableRandom(1);
    Key[] keys = new Key[subjects];
    for (int i = 0; i < subjects; i++) {
      keys[i] = new Key(random.nextLong(), random.nextLong());
      cache.put(keys[i], List.of(consent(i, contract.purpose())));
    }
    double bytes = (used(runtime) - before) / (double) subjects;
    Contract.Recipient to = contract.to().getFirst();
    Contract.Sender from = contract.from().getFirst();
    long[] warm = run(contract, pack, from, to, cache, keys, seconds * 250_000_000L);
    long started = System.nanoTime();
    long[] counts = run(contract, pack, from, to, cache, keys, seconds * 1_000_000_000L);
    double rate = counts[0] * 1e9 / (System.nanoTime() - started);
    return new Result(subjects, counts[0], rate, bytes, warm[1] + counts[1]);
  }

  private static long[] run(
      Contract contract,
      PolicyPack pack,
      Contract.Sender from,
      Contract.Recipient to,
      Cache<Key, List<ConsentFact>> cache,
      Key[] keys,
      long nanos) {
    OrganisationNumber sender = from.organisations().getFirst();
    AgencyKind kind = from.kind();
    SplittableRandom random = new SplittableRandom(2);
    long until = System.nanoTime() + nanos;
    long decisions = 0;
    long leaving = 0;
    while (System.nanoTime() < until) {
      for (int i = 0; i < 1_000; i++) {
        List<ConsentFact> consents = cache.getIfPresent(keys[random.nextInt(keys.length)]);
        Facts facts =
            new Facts(
                contract.id(),
                contract.purpose(),
                sender,
                kind,
                to.organisation(),
                to.kind(),
                SOMEBODY,
                Protection.NONE,
                consents == null ? List.of() : consents,
                LocalDate.of(2002 + (i & 7), 6, 15),
                Map.of(),
                AT);
        leaving += pack.decide(contract, to.view(), facts).outcome().leaves() ? 1 : 0;
      }
      decisions += 1_000;
    }
    return new long[] {decisions, leaving};
  }

  private static ConsentFact consent(int serial, String purpose) {
    return new ConsentFact(
        "c" + serial,
        1,
        serial % 10 == 0 ? ConsentFact.State.WITHDRAWN : ConsentFact.State.GIVEN,
        purpose,
        Set.of(),
        Set.of(),
        Instant.EPOCH,
        null);
  }

  private static long used(Runtime runtime) {
    System.gc();
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
