package no.bindeledd.fault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.sql.DataSource;
import no.bindeledd.consent.Captured;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.consent.Consents;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.fault.FragileDatabase.Break;
import no.bindeledd.gate.Answer;
import no.bindeledd.gate.Caller;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.Deliverer.Result;
import no.bindeledd.gate.Deliverers.Way;
import no.bindeledd.gate.Door;
import no.bindeledd.gate.Gate;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.gate.Outgoing;
import no.bindeledd.hub.ExchangeFolders;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Outcome;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Facts about people that change at the worst moment, on a real database. */
@Timeout(60)
class ChangingFactsTest {
  private static final String LISTS = "list-reconciliation";
  private static final Way REFERRALS = new Way(Letters.REFERRAL, "nav");

  private static final DataSource source = RealDatabase.source();

  @TempDir Path folder;
  private FragileDatabase database;
  private Parts parts;

  @BeforeEach
  void open() throws Exception {
    Parts.empty(source);
    database = new FragileDatabase(source);
    parts = new Parts(folder, database.source(), Letters.REFERRAL, LISTS);
  }

  @AfterEach
  void close() throws Exception {
    parts.close();
  }

  // ---- a consent that comes while the message that needs it is being held

  @Test
  void a_consent_between_decision_and_record_releases_the_message() throws Exception {
    AtomicBoolean once = new AtomicBoolean(true);
    parts.afterFacts =
        () -> {
          if (once.getAndSet(false)) {
            consent(parts.consents, 1);
            patiently().until(parts.held::idle);
          }
        };
    assertThat(refer(1, 1).outcome()).isEqualTo(Outcome.HELD);
    patiently().until(() -> outcome("RELEASED") == 1);
    assertThat(held()).isZero();
  }

  @Test
  void a_message_is_released_whenever_the_consent_comes() throws Exception {
    int rounds = 200;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int round = 0; round < rounds; round++) {
        int person = round;
        CyclicBarrier together = new CyclicBarrier(2);
        Future<?> referral =
            threads.submit(
                () -> {
                  together.await();
                  return refer(person, person);
                });
        Future<?> consent =
            threads.submit(
                () -> {
                  together.await();
                  consent(parts.consents, person);
                  return null;
                });
        referral.get();
        consent.get();
      }
    }
    patiently().until(() -> held() == 0);
    assertThat(outcome("RELEASED")).isEqualTo(rounds);
    assertThat(parts.verify().verified()).isTrue();
  }

  @Test
  void a_consent_is_not_forgotten_when_the_database_goes_down_just_then() throws Exception {
    assertThat(refer(1, 1).outcome()).isEqualTo(Outcome.HELD);
    database.down(true);
    // Recorded, and the hub hears of it, but cannot look for what it releases.
    consent(new ConsentRegistry(source, parts.clock), 1);
    parts.consents.invalidate(parts.pseudonym(1));
    parts.held.reconsider(parts.pseudonym(1));
    assertThat(parts.held.idle()).isFalse();
    database.down(false);
    patiently().until(() -> outcome("RELEASED") == 1);
    assertThat(held()).isZero();
    patiently().until(parts.held::idle);
  }

  @Test
  void a_consent_releases_what_was_recorded_without_anybody_hearing_of_it() throws Exception {
    refer(7, 7);
    AtomicBoolean once = new AtomicBoolean(true);
    database.breaks(
        () ->
            Thread.currentThread().getName().equals("journal") && once.getAndSet(false)
                ? Break.COMMIT_IN_FLIGHT
                : Break.NEVER);
    assertThatThrownBy(() -> refer(1, 1)).isInstanceOf(GateShutException.class);
    consent(new ConsentRegistry(source, parts.clock), 1);
    parts.consents.invalidate(parts.pseudonym(1));
    parts.held.reconsider(parts.pseudonym(1));
    patiently().until(parts.held::idle);
    database.land();
    assertThat(referAgain(1, 1).repeated()).isTrue();
    patiently().until(() -> outcome("RELEASED") == 1);
  }

  // ---- withdrawal while a message is on its way

  @Test
  void a_withdrawal_is_answered_when_the_hand_over_that_had_begun_has_ended() throws Exception {
    List<String> order = Collections.synchronizedList(new ArrayList<>());
    CountDownLatch handing = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    Recipient nav = new Recipient(false);
    nav.answer =
        messages -> {
          handing.countDown();
          await(go);
          order.add("handed over");
          return Result.DELIVERED;
        };
    UUID consent = consent(parts.consents, 1);
    refer(1, 1);
    parts.deliver(3);
    parts.deliverers.attach(REFERRALS, nav);
    handing.await();

    parts.consents.withdraw(consent, 1, Captured.SPOKEN);
    assertThat(parts.door.settled(parts.pseudonym(1), Duration.ZERO)).isFalse();
    assertThat(parts.door.settled(parts.pseudonym(2), Duration.ZERO)).isTrue();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<?> keeper =
          threads.submit(
              () -> {
                assertThat(parts.door.settled(parts.pseudonym(1), Duration.ofSeconds(30))).isTrue();
                order.add("answered");
              });
      go.countDown();
      keeper.get();
    }
    assertThat(order).containsExactly("handed over", "answered");
  }

  @Test
  void whoever_asks_sees_the_batch_as_it_was_when_the_door_opened() throws Exception {
    Recipient nav = new Recipient(false);
    List<Outgoing> batch = Collections.synchronizedList(new ArrayList<>());
    nav.answer =
        messages -> {
          batch.addAll(messages);
          return Result.DELIVERED;
        };
    consent(parts.consents, 1);
    refer(1, 1);
    parts.deliver(3);
    parts.deliverers.attach(REFERRALS, nav);
    patiently().until(() -> batch.size() == 1);
    patiently().until(() -> parts.door.settled(parts.pseudonym(1), Duration.ZERO));

    try (Door.Passage passage = parts.door.open(REFERRALS, batch)) {
      batch.clear(); // a lane uses its list again
      assertThat(parts.door.settled(parts.pseudonym(1), Duration.ZERO)).isFalse();
    }
    assertThat(parts.door.settled(parts.pseudonym(1), Duration.ZERO)).isTrue();
  }

  @Test
  void nothing_leaves_after_the_withdrawal_was_answered() throws Exception {
    int people = 150;
    Map<Pseudonym, UUID> consents = new ConcurrentHashMap<>();
    for (int person = 0; person < people; person++) {
      consents.put(parts.pseudonym(person), consent(parts.consents, person));
      assertThat(refer(person, person).outcome()).isEqualTo(Outcome.RELEASED);
    }
    Set<Pseudonym> answered = ConcurrentHashMap.newKeySet();
    Set<Pseudonym> late = ConcurrentHashMap.newKeySet();
    Random dice = new Random(7);
    Recipient nav = new Recipient(false);
    nav.answer =
        messages -> {
          // Long enough for a withdrawal to pass between the look and the hand-over.
          patiently().pollInterval(Duration.ofMillis(2)).until(() -> dice.nextInt(3) == 0);
          Pseudonym subject = messages.getFirst().subject();
          if (answered.contains(subject)) {
            late.add(subject);
          }
          return Result.DELIVERED;
        };
    parts.deliver(3);
    parts.deliverers.attach(REFERRALS, nav);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> keepers = new ArrayList<>();
      consents.forEach(
          (subject, consent) ->
              keepers.add(
                  threads.submit(
                      () -> {
                        parts.consents.withdraw(consent, 1, Captured.SPOKEN);
                        assertThat(parts.door.settled(subject, Duration.ofSeconds(30))).isTrue();
                        answered.add(subject);
                        return null;
                      })));
      for (Future<?> keeper : keepers) {
        keeper.get();
      }
    }
    patiently().until(() -> parts.books(source, Letters.REFERRAL).pending() == 0);
    assertThat(late).isEmpty();
    assertThat(nav.size() + outcome("REFUSED")).isEqualTo(people);
    assertThat(parts.books(source, Letters.REFERRAL).balance()).isTrue();
    assertThat(parts.verify().verified()).isTrue();
  }

  // ---- lists and contracts

  @Test
  void a_list_that_is_sent_again_because_nobody_heard_of_its_commit_releases_the_other_side()
      throws Exception {
    assertThat(list("311013572", "311040715"))
        .extracting(Answer::outcome)
        .containsOnly(Outcome.HELD);
    AtomicBoolean once = new AtomicBoolean(true);
    database.breaks(
        () ->
            Thread.currentThread().getName().equals("journal") && once.getAndSet(false)
                ? Break.AFTER_COMMIT
                : Break.NEVER);
    assertThatThrownBy(() -> list("311040715", "311013572")).isInstanceOf(GateShutException.class);
    assertThat(list("311040715", "311013572")).extracting(Answer::repeated).containsOnly(true);
    patiently().until(() -> held() == 0);
    assertThat(outcome("RELEASED")).isEqualTo(20);
  }

  @Test
  void what_no_longer_fits_its_contract_ends_as_refused_and_does_not_wait_for_ever()
      throws Exception {
    assertThat(refer(1, 1).outcome()).isEqualTo(Outcome.HELD);
    Path home = copyOfHome();
    Path schema = home.resolve("mappings/ips-referral/input.schema.json");
    Files.writeString(
        schema,
        Files.readString(schema)
            .replace("\"required\": [\"messageId\",", "\"required\": [\"urgent\", \"messageId\",")
            .replace(
                "\"properties\": {\n    \"messageId\"",
                "\"properties\": {\n    \"urgent\": {\"type\": \"boolean\"},\n    \"messageId\""));
    ExchangeFolders folders = new ExchangeFolders(home);
    LiveExchange stricter = folders.exchange(Letters.REFERRAL, folders.codeLists());
    parts.catalogue.change(
        now -> new Catalogue.Edition(Map.of(Letters.REFERRAL, stricter), now.pack()));
    parts.held.reconsiderAll();
    patiently().until(() -> held() == 0);
    assertThat(
            Parts.count(
                source,
                "SELECT count(*) FROM envelope e JOIN audit_entry a ON a.idx = e.entry"
                    + " WHERE e.outcome = 'REFUSED' AND e.reason = 'SCHEMA_VIOLATION'"))
        .isEqualTo(1);
    assertThat(Parts.count(source, "SELECT count(*) FROM envelope")).isEqualTo(1);
  }

  // ---- the world of these tests

  private Answer refer(int person, int number) {
    return parts
        .gate
        .receive(
            parts.exchange(Letters.REFERRAL),
            parts.caller(Letters.REFERRAL),
            List.of(Letters.referral(person, number)))
        .getFirst();
  }

  /** Sends until it is taken. */
  private Answer referAgain(int person, int number) {
    while (true) {
      try {
        return refer(person, number);
      } catch (GateShutException e) {
        // Sent again, as every sender does.
      }
    }
  }

  private UUID consent(ConsentRegistry registry, int person) {
    UUID id = UUID.randomUUID();
    try {
      registry.write(
          Consents.given(
              id,
              parts.pseudonym(person),
              "EMPLOYMENT_SUPPORT",
              Set.of(),
              Set.of(),
              Parts.NOW.minusSeconds(60),
              null));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
    return id;
  }

  /** Ten people, the same on both sides. */
  private List<Answer> list(String from, String to) {
    String persons =
        IntStream.range(0, 10)
            .mapToObj(
                i ->
                    "{\"reference\": \"R-%s-%d\", \"foedselsnummer\": \"%s\", \"code\": \"IVARETATT\"}"
                        .formatted(from, i, Letters.number(i)))
            .collect(Collectors.joining(","));
    String body =
        "{\"listId\": \"2026-09\", \"counterpart\": \"%s\", \"persons\": [%s]}"
            .formatted(to, persons);
    LiveExchange exchange = parts.exchange(LISTS);
    Caller caller =
        exchange.contract().from().stream()
            .filter(sender -> sender.organisations().getFirst().value().equals(from))
            .map(sender -> Caller.of(sender, sender.organisations().getFirst()))
            .findFirst()
            .orElseThrow();
    return parts.gate.receive(
        exchange,
        caller,
        List.of(
            new Gate.Arrival(
                new InputFormat.Raw(body.getBytes(StandardCharsets.UTF_8), null, null), null)));
  }

  private Path copyOfHome() throws IOException {
    Path home = folder.resolve("home");
    for (String part : List.of("routes", "mappings", "policies")) {
      try (Stream<Path> files = Files.walk(Path.of(part))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Path copy = home.resolve(file);
          Files.createDirectories(copy.getParent());
          Files.copy(file, copy);
        }
      }
    }
    return home;
  }

  private static long held() throws SQLException {
    return Parts.count(source, "SELECT count(*) FROM held");
  }

  private static long outcome(String outcome) throws SQLException {
    return Parts.count(source, "SELECT count(*) FROM envelope WHERE outcome = '" + outcome + "'");
  }

  private static ConditionFactory patiently() {
    return Awaitility.await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(20));
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
