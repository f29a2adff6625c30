package no.bindeledd.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import no.bindeledd.consent.Consents;
import no.bindeledd.fault.FragileDatabase;
import no.bindeledd.fault.FragileDatabase.Break;
import no.bindeledd.fault.Letters;
import no.bindeledd.fault.Parts;
import no.bindeledd.fault.RealDatabase;
import no.bindeledd.fault.Recipient;
import no.bindeledd.gate.Answer;
import no.bindeledd.gate.Books;
import no.bindeledd.gate.Deliverer.Result;
import no.bindeledd.gate.Deliverers.Way;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.OutboxRows;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.SealBrokenException;
import no.bindeledd.policy.Outcome;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** From the outbox to recipients that fail in every way, on a real database. */
@Timeout(120)
@SuppressWarnings("NullAway.Init")
class OutletTest {
  private static final Way EVENTS = new Way(Letters.EVENT, "ot");
  private static final Way REFERRALS = new Way(Letters.REFERRAL, "nav");
  private static final Instant LATER = Parts.NOW.plusSeconds(86_400);
  private static final int PEOPLE = 30;
  private static final int MANY_ATTEMPTS = 1_000;

  private static final DataSource source = RealDatabase.source();

  @TempDir Path folder;
  private FragileDatabase database;
  private Parts parts;

  @BeforeEach
  void open() throws Exception {
    Parts.empty(source);
    parts = hub();
  }

  private Parts hub() throws Exception {
    database = new FragileDatabase(source);
    return new Parts(folder, database.source(), Letters.EVENT, Letters.REFERRAL);
  }

  @AfterEach
  void close() throws Exception {
    parts.close();
  }

  // ---- failures

  /**
   * A random schedule of failures of the recipient, of the code and of the database, for a way that
   * takes many at once and one that takes them one by one.
   */
  @ParameterizedTest
  @CsvSource({"1, true", "2, true", "3, false", "4, false"})
  void whatever_fails_every_message_arrives_once_and_in_order_for_each_person(
      long seed, boolean batches) throws Exception {
    Random dice = new Random(seed);
    Recipient ot = new Recipient(batches);
    ot.answer =
        messages -> {
          int roll;
          synchronized (dice) {
            roll = dice.nextInt(20);
          }
          return switch (roll) {
            case 0, 1, 2 -> Result.UNAVAILABLE;
            case 3, 4, 5 -> Result.FAILED;
            case 6 -> throw new NullPointerException("a fault in a route");
            case 7 -> throw new IllegalStateException("no key of the recipient");
            default -> Result.DELIVERED;
          };
        };
    parts.deliver(MANY_ATTEMPTS);
    parts.deliverers.attach(EVENTS, ot);
    database.breaks(
        () -> {
          synchronized (dice) {
            return dice.nextInt(6) == 0 ? Break.values()[1 + dice.nextInt(3)] : Break.NEVER;
          }
        });
    int messages = 600;
    for (int i = 0; i < messages; i += 30) {
      receive(i, i + 30);
    }
    database.breaks(() -> Break.NEVER);
    patiently().until(() -> books().pending() == 0);
    assertThat(ot.keys()).hasSize(messages).doesNotHaveDuplicates();
    assertThat(ot.byPerson()).hasSize(PEOPLE);
    ot.byPerson().values().forEach(ids -> assertThat(ids).isSorted());
    assertThat(books().delivered()).isEqualTo(messages);
    assertThat(books().balance()).isTrue();
    assertThat(parts.verify().verified()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void what_fails_each_time_or_is_rejected_becomes_a_dead_letter_and_the_rest_passes(
      boolean batches) throws Exception {
    int attempts = 5;
    Pseudonym failing = pseudonym(3);
    Pseudonym rejected = pseudonym(4);
    AtomicInteger alone = new AtomicInteger();
    Recipient ot = new Recipient(batches);
    ot.answer =
        messages -> {
          if (messages.stream().anyMatch(message -> failing.equals(message.subject()))) {
            alone.addAndGet(messages.size() == 1 ? 1 : 0);
            return Result.FAILED;
          }
          return messages.stream().anyMatch(message -> rejected.equals(message.subject()))
              ? Result.REJECTED
              : Result.DELIVERED;
        };
    parts.deliver(attempts);
    parts.deliverers.attach(EVENTS, ot);
    receive(0, 2 * PEOPLE);
    patiently().until(() -> books().pending() == 0);
    assertThat(alone).hasValue(2 * attempts);
    assertThat(books().deadLettered()).isEqualTo(4);
    assertThat(ot.keys()).hasSize(2 * PEOPLE - 4).doesNotHaveDuplicates();
    ot.byPerson().values().forEach(ids -> assertThat(ids).isSorted());
    assertThat(
            Parts.count(
                source,
                "SELECT count(*) FROM audit_entry WHERE station = 'DELIVER' AND outcome = 'DEAD'"))
        .isEqualTo(4);
    assertThat(books().balance()).isTrue();
  }

  @Test
  void what_cannot_be_decrypted_becomes_a_dead_letter_and_the_rest_passes() throws Exception {
    for (int i = 0; i < 2 * PEOPLE; i++) {
      receive(i, i + 1);
    }
    long first = Parts.count(source, "SELECT min(id) FROM outbox");
    assertThat(first).isZero();
    spoil("outbox", "id IN (0, 7) OR id = (SELECT max(id) FROM outbox)");
    Recipient ot = new Recipient(true);
    parts.deliver(3);
    parts.deliverers.attach(EVENTS, ot);
    patiently().until(() -> books().pending() == 0);
    assertThat(ot.keys()).hasSize(2 * PEOPLE - 3).doesNotHaveDuplicates();
    ot.byPerson().values().forEach(ids -> assertThat(ids).isSorted());
    assertThat(books().deadLettered()).isEqualTo(3);
    assertThat(books().balance()).isTrue();
    assertThat(
            Parts.count(
                source,
                "SELECT count(*) FROM audit_entry WHERE station = 'DELIVER' AND outcome = 'DEAD'"))
        .isEqualTo(3);
    assertThat(parts.meters.get("bindeledd.deliver").tag("result", "dead").counter().count())
        .isEqualTo(3);
    DeadLetters letters = letters();
    assertThat(letters.list(-1, 10)).extracting(DeadLetters.DeadLetter::id).startsWith(0L, 7L);
    assertThatThrownBy(() -> letters.replay(7)).isInstanceOf(SealBrokenException.class);
    assertThat(books().deadLettered()).isEqualTo(3);
    // Those that come later pass by memory.
    receive(2 * PEOPLE, 3 * PEOPLE);
    patiently().until(() -> ot.keys().size() == 3 * PEOPLE - 3);
    assertThat(parts.verify().verified()).isTrue();
  }

  @Test
  void a_parcel_that_cannot_be_decrypted_is_dead_letters_until_the_keyset_is_back()
      throws Exception {
    receive(0, 20);
    receive(20, 60);
    receive(60, 80);
    spoil("parcel", "id = 20");
    Recipient ot = new Recipient(false);
    parts.deliver(3);
    parts.deliverers.attach(EVENTS, ot);
    patiently().until(() -> books().pending() == 0);
    assertThat(ot.keys()).hasSize(40).doesNotHaveDuplicates();
    assertThat(books().deadLettered()).isEqualTo(40);
    assertThat(books().balance()).isTrue();
    DeadLetters letters = letters();
    assertThat(letters.list(-1, 100)).hasSize(40);
    assertThat(letters.list(-1, 7)).extracting(DeadLetters.DeadLetter::id).startsWith(20L, 21L);
    assertThat(letters.list(58, 100)).singleElement().extracting("outcome").isEqualTo("REDUCED");
    assertThatThrownBy(() -> letters.replay(30)).isInstanceOf(SealBrokenException.class);

    spoil("parcel", "id = 20");
    for (DeadLetters.DeadLetter letter : letters.list(-1, 100)) {
      assertThat(letters.replay(letter.id())).isTrue();
      assertThat(letters.replay(letter.id())).isFalse();
    }
    patiently().until(() -> books().delivered() == 80);
    assertThat(ot.keys()).hasSize(80).doesNotHaveDuplicates();
    assertThat(Parts.count(source, "SELECT count(*) FROM parcel")).isZero();
    assertThat(books().balance()).isTrue();
    assertThat(parts.verify().verified()).isTrue();
  }

  private DeadLetters letters() {
    return new DeadLetters(
        source, parts.catalogue, new OutboxRows(parts.secrets.vault()), parts.journal, parts.clock);
  }

  @Test
  void what_is_parked_and_cannot_be_decrypted_stops_nobody_else() throws Exception {
    Recipient nav = waiting(REFERRALS);
    consent(1, Parts.NOW.plusSeconds(60));
    refer(1, 1);
    refer(1, 2);
    parts.now.set(Parts.NOW.plusSeconds(120));
    patiently().until(() -> parked() == 2);
    spoil("outbox", "id = (SELECT min(id) FROM outbox)");
    nav.answer = messages -> Result.DELIVERED;
    consent(1, LATER);
    patiently().until(() -> books(REFERRALS).delivered() == 1);
    assertThat(parked()).isEqualTo(1);
    assertThat(books(REFERRALS).balance()).isTrue();
  }

  /** Done twice, it is as before. */
  private static void spoil(String table, String which) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "UPDATE %s SET payload = set_byte(payload, 20, 255 - get_byte(payload, 20)) WHERE %s"
              .formatted(table, which));
    }
  }

  @Test
  void an_outage_makes_no_dead_letters() throws Exception {
    Recipient ot = new Recipient(true);
    ot.answer = messages -> Result.UNAVAILABLE;
    parts.deliver(3);
    parts.deliverers.attach(EVENTS, ot);
    receive(0, PEOPLE);
    patiently().until(() -> ot.attempts() > 40);
    assertThat(books().deadLettered()).isZero();
    assertThat(books().pending()).isEqualTo(PEOPLE);
    ot.answer = messages -> Result.DELIVERED;
    patiently().until(() -> books().pending() == 0);
    assertThat(ot.keys()).hasSize(PEOPLE).doesNotHaveDuplicates();
  }

  @Test
  void a_batch_that_waited_is_not_cut_when_the_new_way_takes_one_at_a_time() throws Exception {
    receive(0, 4 * PEOPLE);
    AtomicInteger largest = new AtomicInteger();
    Recipient kafka = new Recipient(true);
    kafka.answer =
        messages -> {
          largest.accumulateAndGet(messages.size(), Math::max);
          // What came first may have been alone.
          return messages.size() == 1 ? Result.DELIVERED : Result.UNAVAILABLE;
        };
    parts.deliver(MANY_ATTEMPTS);
    parts.deliverers.attach(EVENTS, kafka);
    patiently().until(() -> kafka.attempts() > 10);
    assertThat(largest).hasValueGreaterThan(PEOPLE);
    Recipient rest = new Recipient(false);
    parts.deliverers.detach(EVENTS, kafka);
    parts.deliverers.attach(EVENTS, rest);
    patiently().until(() -> books().pending() == 0);
    List<String> all = new ArrayList<>(kafka.keys());
    all.addAll(rest.keys());
    assertThat(all).hasSize(4 * PEOPLE).doesNotHaveDuplicates();
    rest.byPerson().values().forEach(ids -> assertThat(ids).isSorted());
  }

  // ---- overflow, start and stop

  @Test
  void more_than_the_memory_holds_waits_in_the_table() throws Exception {
    Recipient ot = new Recipient(true);
    CountDownLatch open = new CountDownLatch(1);
    ot.answer =
        messages -> {
          await(open);
          return Result.DELIVERED;
        };
    parts.deliver(3);
    parts.deliverers.attach(EVENTS, ot);
    int messages = 32_000;
    for (int i = 0; i < messages; i += 4_000) {
      receive(i, i + 4_000);
    }
    assertThat(ot.attempts()).isLessThanOrEqualTo(2);
    open.countDown();
    patiently().until(() -> books().pending() == 0);
    assertThat(ot.keys()).hasSize(messages).doesNotHaveDuplicates();
    ot.byPerson().values().forEach(ids -> assertThat(ids).isSorted());
  }

  @Test
  void a_start_goes_on_with_what_waits() throws Exception {
    receive(0, 100);
    parts.close();
    parts = hub();
    Recipient ot = new Recipient(false);
    parts.deliver(3);
    receive(100, 200);
    parts.deliverers.attach(EVENTS, ot);
    patiently().until(() -> books().pending() == 0);
    assertThat(ot.keys()).hasSize(200).doesNotHaveDuplicates();
    ot.byPerson().values().forEach(ids -> assertThat(ids).isSorted());
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void an_orderly_stop_in_the_middle_delivers_nothing_twice(boolean batches) throws Exception {
    Recipient ot = new Recipient(batches);
    CountDownLatch sending = new CountDownLatch(1);
    CountDownLatch stopping = new CountDownLatch(1);
    AtomicBoolean interrupted = new AtomicBoolean();
    ot.answer =
        messages -> {
          sending.countDown();
          try {
            stopping.await();
          } catch (InterruptedException e) {
            // As a socket that is closed in the middle: the recipient may have it or not.
            interrupted.set(true);
          }
          return Result.DELIVERED;
        };
    Dispatcher dispatcher = parts.deliver(3);
    parts.deliverers.attach(EVENTS, ot);
    receive(0, 200);
    sending.await();
    Thread closing = Thread.ofVirtual().start(dispatcher::close);
    patiently()
        .until(
            () ->
                closing.getState() == Thread.State.WAITING
                    || !closing.isAlive()
                    || closing.getState() == Thread.State.TIMED_WAITING);
    stopping.countDown();
    closing.join();
    parts.close();
    assertThat(interrupted).isFalse();
    int before = ot.size();
    assertThat(before).isPositive();

    parts = hub();
    parts.deliver(3);
    parts.deliverers.attach(EVENTS, ot);
    patiently().until(() -> books().pending() == 0);
    assertThat(ot.keys()).hasSize(200).doesNotHaveDuplicates();
  }

  // ---- the audit trail

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void nothing_leaves_while_the_audit_trail_cannot_be_written(boolean batches) throws Exception {
    Recipient ot = new Recipient(batches);
    ot.answer = messages -> Result.UNAVAILABLE;
    parts.deliver(MANY_ATTEMPTS);
    parts.deliverers.attach(EVENTS, ot);
    receive(0, PEOPLE);
    patiently().until(() -> ot.attempts() > 2);

    database.down(true);
    patiently().until(() -> parts.journal.trouble() != null);
    int attempts = ot.attempts();
    ot.answer = messages -> Result.DELIVERED;
    double retried = retries();
    patiently().until(() -> retries() > retried + 5 * PEOPLE);
    // What was being tried when the gate shut may still have been counted.
    assertThat(ot.attempts()).isLessThanOrEqualTo(attempts + 16);
    assertThat(ot.size()).isLessThanOrEqualTo(16);
    int meanwhile = ot.size();
    double more = retries();
    patiently().until(() -> retries() > more + 5 * PEOPLE);
    assertThat(ot.size()).isEqualTo(meanwhile);

    database.down(false);
    patiently().until(() -> books().pending() == 0);
    assertThat(ot.keys()).hasSize(PEOPLE).doesNotHaveDuplicates();
    assertThat(parts.verify().verified()).isTrue();
  }

  // ---- facts that change while a message waits

  @Test
  void what_was_stopped_at_the_door_goes_on_when_the_consent_comes() throws Exception {
    Recipient nav = waiting(REFERRALS);
    consent(1, Parts.NOW.plusSeconds(60));
    refer(1, 1);
    parts.now.set(Parts.NOW.plusSeconds(120));
    patiently().until(() -> parked() == 1);
    // Not before: an attempt that was past the door would have delivered it.
    nav.answer = messages -> Result.DELIVERED;
    assertThat(books(REFERRALS).held()).isEqualTo(1);

    consent(1, LATER);
    patiently().until(() -> nav.size() == 1);
    patiently().until(() -> books(REFERRALS).delivered() == 1);
    assertThat(books(REFERRALS).balance()).isTrue();
  }

  @Test
  void what_was_stopped_at_the_door_goes_on_when_the_rules_allow_it_again() throws Exception {
    Recipient nav = waiting(REFERRALS);
    consent(1, Parts.NOW.plusSeconds(60));
    refer(1, 1);
    parts.now.set(Parts.NOW.plusSeconds(120));
    patiently().until(() -> parked() == 1);
    // Not before: an attempt that was past the door would have delivered it.
    nav.answer = messages -> Result.DELIVERED;

    parts.now.set(Parts.NOW);
    parts.held.reconsiderAll();
    patiently().until(() -> nav.size() == 1);
    patiently().until(() -> books(REFERRALS).delivered() == 1);
    assertThat(books(REFERRALS).balance()).isTrue();
  }

  @Test
  void a_consent_that_comes_while_the_door_stops_the_message_releases_it() throws Exception {
    consent(1, Parts.NOW.plusSeconds(60));
    refer(1, 1);
    AtomicBoolean once = new AtomicBoolean(true);
    parts.afterFacts =
        () -> {
          if (once.getAndSet(false)) {
            consent(1, LATER);
            patiently().until(parts.held::idle);
          }
        };
    parts.now.set(Parts.NOW.plusSeconds(120));
    Recipient nav = waiting(REFERRALS);
    nav.answer = messages -> Result.DELIVERED;
    patiently().until(() -> nav.size() == 1);
    patiently().until(() -> books(REFERRALS).delivered() == 1);
    assertThat(once).isFalse();
    assertThat(Parts.count(source, "SELECT count(*) FROM audit_entry WHERE outcome = 'HELD'"))
        .isEqualTo(1);
    assertThat(books(REFERRALS).balance()).isTrue();
  }

  // ---- the world of these tests

  private Recipient waiting(Way way) {
    Recipient recipient = new Recipient(false);
    recipient.answer = messages -> Result.UNAVAILABLE;
    parts.deliver(MANY_ATTEMPTS);
    parts.deliverers.attach(way, recipient);
    return recipient;
  }

  /** Sends until it is taken. */
  private void receive(int from, int to) {
    while (true) {
      try {
        List<Answer> answers =
            parts.gate.receive(
                parts.exchange(Letters.EVENT),
                parts.caller(Letters.EVENT),
                Letters.events(PEOPLE, from, to));
        assertThat(answers)
            .hasSize(to - from)
            .allMatch(answer -> answer.outcome() == Outcome.REDUCED);
        return;
      } catch (GateShutException e) {
        // Sent again, as every sender does.
      }
    }
  }

  private void refer(int person, int number) {
    assertThat(
            parts.gate.receive(
                parts.exchange(Letters.REFERRAL),
                parts.caller(Letters.REFERRAL),
                List.of(Letters.referral(person, number))))
        .extracting(Answer::outcome)
        .containsExactly(Outcome.RELEASED);
  }

  private void consent(int person, Instant validTo) {
    try {
      parts.consents.write(
          Consents.given(
              UUID.randomUUID(),
              pseudonym(person),
              "EMPLOYMENT_SUPPORT",
              Set.of(),
              Set.of(),
              Parts.NOW.minusSeconds(60),
              validTo));
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private Pseudonym pseudonym(int person) {
    return parts.pseudonym(person);
  }

  private Books books() throws SQLException {
    return books(EVENTS);
  }

  private Books books(Way way) throws SQLException {
    return parts.books(source, way.exchange());
  }

  private static long parked() throws SQLException {
    return Parts.count(source, "SELECT count(*) FROM outbox WHERE state = 'PARKED'");
  }

  private double retries() {
    var counter = parts.meters.find("bindeledd.deliver").tag("result", "retried").counter();
    return counter == null ? 0 : counter.count();
  }

  private static ConditionFactory patiently() {
    return Awaitility.await().atMost(Duration.ofSeconds(30)).pollInterval(Duration.ofMillis(20));
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
