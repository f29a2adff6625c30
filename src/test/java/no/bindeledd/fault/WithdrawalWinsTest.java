package no.bindeledd.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.sql.DataSource;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import no.bindeledd.consent.Captured;
import no.bindeledd.consent.Consents;
import no.bindeledd.delivery.DeadLetters;
import no.bindeledd.gate.Deliverer.Result;
import no.bindeledd.gate.Deliverers.Way;
import no.bindeledd.gate.OutboxRows;
import no.bindeledd.person.Pseudonym;
import org.awaitility.Awaitility;

/**
 * The law: once a withdrawal has been answered, nothing about the person reaches a recipient that
 * needs the consent, whatever state the message was in and whatever the recipient does. On a real
 * database, with the parts of the running hub.
 */
class WithdrawalWinsTest {
  private static final Way REFERRALS = new Way(Letters.REFERRAL, "nav");
  private static final int PEOPLE = 12;

  private static final DataSource database = RealDatabase.source();

  /** Where a person's message is when the withdrawal comes. */
  private enum Where {
    /** Held, and the consent that releases it comes at the same time as it is taken back. */
    HELD,
    /** In the outbox, and tried while the recipient is away. */
    TRIED,
    /** A dead letter that somebody replays at that moment. */
    DEAD
  }

  @Property(tries = 8, shrinking = ShrinkingMode.OFF)
  void withdrawalBeforeDeliveryAlwaysWins(@ForAll long seed) throws Exception {
    Parts.empty(database);
    Path folder = Files.createTempDirectory(Path.of("target"), "withdrawal-");
    Random dice = new Random(seed);
    try (Parts parts = new Parts(folder, database, Letters.REFERRAL)) {
      Set<Pseudonym> answered = ConcurrentHashMap.newKeySet();
      List<String> late = new ArrayList<>();
      Map<Pseudonym, Where> places = new ConcurrentHashMap<>();
      UUID[] consents = new UUID[PEOPLE];
      for (int person = 0; person < PEOPLE; person++) {
        places.put(parts.pseudonym(person), Where.values()[dice.nextInt(Where.values().length)]);
        consents[person] = UUID.randomUUID();
      }
      Recipient nav = new Recipient(dice.nextBoolean());
      nav.answer = messages -> Result.REJECTED;
      parts.deliver(3);
      parts.deliverers.attach(REFERRALS, nav);
      receive(parts, places, consents, Set.of(Where.DEAD));
      long rejected = places.values().stream().filter(w -> w == Where.DEAD).count();
      patiently(() -> count("SELECT count(*) FROM outbox WHERE state = 'DEAD'") == rejected);
      // Whatever comes now is tried again and again.
      nav.answer = messages -> Result.UNAVAILABLE;
      receive(parts, places, consents, Set.of(Where.HELD, Where.TRIED));
      Random chance = new Random(seed + 1);
      nav.answer =
          messages -> {
            messages.forEach(
                message -> {
                  if (answered.contains(message.subject())) {
                    synchronized (late) {
                      late.add(String.valueOf(places.get(message.subject())));
                    }
                  }
                });
            synchronized (chance) {
              return chance.nextInt(4) == 0 ? Result.UNAVAILABLE : Result.DELIVERED;
            }
          };
      DeadLetters letters =
          new DeadLetters(
              database,
              parts.catalogue,
              new OutboxRows(parts.secrets.vault()),
              parts.journal,
              parts.clock);
      List<DeadLetters.DeadLetter> dead = letters.list(-1, 100);
      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        List<Future<?>> running = new ArrayList<>();
        for (int i = 0; i < PEOPLE; i++) {
          int person = i;
          Pseudonym subject = parts.pseudonym(person);
          if (places.get(subject) == Where.HELD) {
            give(parts, consents[person], person);
          }
          running.add(
              threads.submit(
                  () -> {
                    parts.consents.withdraw(consents[person], 1, Captured.SPOKEN);
                    assertThat(parts.door.settled(subject, Duration.ofSeconds(30))).isTrue();
                    answered.add(subject);
                    return null;
                  }));
        }
        for (DeadLetters.DeadLetter letter : dead) {
          running.add(threads.submit(() -> letters.replay(letter.id())));
        }
        for (Future<?> one : running) {
          one.get();
        }
      }
      // Replayed once more, when everybody has taken it back.
      for (DeadLetters.DeadLetter letter : letters.list(-1, 100)) {
        letters.replay(letter.id());
      }
      // In this order: what was held may be let out until nothing is judged again.
      patiently(
          () ->
              parts.held.idle()
                  && count("SELECT count(*) FROM outbox WHERE state = 'PENDING'") == 0
                  && count("SELECT count(*) FROM parcel") == 0);
      assertThat(late).isEmpty();
      assertThat(nav.size() + count("SELECT count(*) FROM envelope WHERE outcome = 'REFUSED'"))
          .as("each was delivered before, or refused")
          .isEqualTo(PEOPLE);
      assertThat(parts.books(database, Letters.REFERRAL).balance()).isTrue();
      assertThat(parts.verify().verified()).isTrue();
    }
  }

  private static void receive(
      Parts parts, Map<Pseudonym, Where> places, UUID[] consents, Set<Where> those)
      throws SQLException {
    for (int person = 0; person < PEOPLE; person++) {
      Where where = places.get(parts.pseudonym(person));
      if (!those.contains(where)) {
        continue;
      }
      if (where != Where.HELD) {
        give(parts, consents[person], person);
      }
      parts.gate.receive(
          parts.exchange(Letters.REFERRAL),
          parts.caller(Letters.REFERRAL),
          List.of(Letters.referral(person, person)));
    }
  }

  private static void give(Parts parts, UUID id, int person) throws SQLException {
    parts.consents.write(
        Consents.given(
            id,
            parts.pseudonym(person),
            "EMPLOYMENT_SUPPORT",
            Set.of(),
            Set.of(),
            Parts.NOW.minusSeconds(60),
            null));
  }

  private interface Check {
    boolean holds() throws Exception;
  }

  private static void patiently(Check check) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(10))
        .until(check::holds);
  }

  private static long count(String query) throws SQLException {
    return Parts.count(database, query);
  }
}
