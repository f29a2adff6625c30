package no.bindeledd.consent;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.ConsentFact.Grantors;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.junit.jupiter.api.Test;

class PackedFactsTest {
  private static final Instant FROM = Instant.parse("2026-09-01T10:00:00.000001Z");

  @Property(tries = 300)
  void whatIsUnpackedIsWhatWasPacked(@ForAll("facts") List<ConsentFact> facts) {
    PackedFacts packing = new PackedFacts();
    long[] packed = Objects.requireNonNull(packing.pack(facts));
    assertThat(packed).hasSize(facts.size() * PackedFacts.FACT_BYTES / Long.BYTES);
    assertThat(packing.unpack(packed)).isEqualTo(facts);
  }

  @Provide
  Arbitrary<List<ConsentFact>> facts() {
    return Combinators.combine(
            Combinators.combine(Arbitraries.longs(), Arbitraries.longs())
                .as((high, low) -> new UUID(high, low).toString()),
            Arbitraries.integers().between(1, Integer.MAX_VALUE),
            Combinators.combine(Arbitraries.of(Kind.class), Arbitraries.of(State.class))
                .as(Tuple::of),
            Arbitraries.of(Grantors.PERSON, Grantors.BOTH_GUARDIANS, new Grantors(true, 1)),
            Arbitraries.of("P", "FOLLOW_UP"),
            Arbitraries.of("311013572", "311067850").set().ofMaxSize(2),
            Arbitraries.longs().between(-5_000_000_000_000L, 5_000_000_000_000L),
            Arbitraries.longs().between(0, 5_000_000_000_000L).edgeCases(c -> c.add(0L)))
        .as(
            (id, version, what, by, purpose, to, from, end) ->
                new ConsentFact(
                    id,
                    version,
                    what.get1(),
                    what.get2(),
                    by,
                    purpose,
                    to.size() == 1 ? Set.of("311000004") : Set.of(),
                    to,
                    Set.of(),
                    instant(from),
                    end == 0 ? null : instant(from + end)))
        .list()
        .ofMaxSize(6);
  }

  private static Instant instant(long micros) {
    return Instant.EPOCH.plus(micros, java.time.temporal.ChronoUnit.MICROS);
  }

  @Test
  void moreTemplatesThanThereIsRoomForAreNotKeptAndTheOthersStay() {
    PackedFacts packing = new PackedFacts();
    List<ConsentFact> first = List.of(fact(0));
    long[] kept = Objects.requireNonNull(packing.pack(first));
    for (int i = 1; i < 1 << 16; i++) {
      assertThat(packing.pack(List.of(fact(i)))).isNotNull();
    }
    assertThat(packing.pack(List.of(fact(1 << 16)))).isNull();
    assertThat(packing.pack(List.of(fact(1 << 16)))).isNull();
    assertThat(packing.pack(first)).isEqualTo(kept);
    assertThat(packing.unpack(kept)).isEqualTo(first);
  }

  /**
   * The stated budget: 190 bytes for a person with one consent, so that all of the country with one
   * each is 1.1 GB. Measured on the heap, with the same key, entry and packing as in service.
   */
  @Test
  void aPersonTakesNoMoreOfTheHeapThanStated() throws SQLException {
    int people = 300_000;
    List<no.bindeledd.person.Pseudonym> subjects = new ArrayList<>();
    ConsentRegistry registry =
        new ConsentRegistry(unreachable(), InstantSource.system(), Long.MAX_VALUE);
    long before = used();
    for (int i = 0; i < people; i++) {
      registry.remember(pseudonym(i), List.of(fact(i % 50, new UUID(i, i))));
    }
    long each = (used() - before) / people;
    System.out.println("Consent cache: " + each + " bytes a person with one consent");
    for (int i = 0; i < people; i += 9_973) {
      subjects.add(pseudonym(i));
    }
    assertThat(registry.findAll(subjects)).as("all from memory").hasSize(subjects.size());
    assertThat(each).isBetween(80L, 190L);
  }

  private static long used() {
    Runtime runtime = Runtime.getRuntime();
    long used = Long.MAX_VALUE;
    for (int i = 0; i < 4; i++) {
      System.gc();
      used = Math.min(used, runtime.totalMemory() - runtime.freeMemory());
    }
    return used;
  }

  private static no.bindeledd.person.Pseudonym pseudonym(int i) {
    return new no.bindeledd.person.Pseudonym("%08x%024x".formatted(i * 0x9E3779B1, i));
  }

  private static ConsentFact fact(int recipient) {
    return fact(recipient, new UUID(1, 2));
  }

  private static ConsentFact fact(int recipient, UUID id) {
    return new ConsentFact(
        id.toString(),
        1,
        State.GIVEN,
        "FOLLOW_UP",
        Set.of("%09d".formatted(recipient)),
        Set.of("ABSENCE"),
        FROM,
        null);
  }

  private static DataSource unreachable() {
    return (DataSource)
        Proxy.newProxyInstance(
            PackedFactsTest.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, args) -> {
              throw new SQLException("nobody is to ask");
            });
  }
}
