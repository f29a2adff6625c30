package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LedgerVerifier;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.Station;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.exchange.InputFormat.Place;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.fault.FragileDatabase;
import no.bindeledd.fault.FragileDatabase.Break;
import no.bindeledd.fault.Parts;
import no.bindeledd.fault.RealDatabase;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.Outcome;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The journal against a real database that breaks at awkward moments. */
@Timeout(60)
@SuppressWarnings("NullAway.Init")
class JournalTest {
  private static final String ORIGIN = "audit.example.no/bindeledd";
  private static final OrganisationNumber SCHOOL = new OrganisationNumber("311000004");
  private static final byte[] SEALED = {1, 2, 3};

  private static final DataSource source = RealDatabase.source();

  @TempDir Path folder;
  private LogKey key;
  private Vault vault;
  private FragileDatabase database;
  private Ledger ledger;
  private Journal journal;
  private final List<Long> announced = Collections.synchronizedList(new ArrayList<>());
  private final AtomicInteger uncertain = new AtomicInteger();

  @BeforeEach
  void open() throws Exception {
    Parts.empty(source);
    key = LogKey.open(folder.resolve("log.key"), ORIGIN);
    vault = Vault.createIfMissing(folder.resolve("vault.json"));
    restart();
  }

  @AfterEach
  void close() {
    journal.close();
    ledger.close();
  }

  private void restart() throws SQLException {
    database = new FragileDatabase(source);
    ledger = Ledger.open(source, key, ORIGIN, () -> Parts.NOW);
    journal = new Journal(database.source(), ledger, vault);
    journal.listen(
        new Journal.Listener() {
          @Override
          public void released(List<Outgoing> messages) {
            messages.forEach(message -> announced.add(message.id()));
          }

          @Override
          public void uncertain() {
            uncertain.incrementAndGet();
          }
        });
  }

  // ---- group commit, resends

  @Test
  void those_who_wait_share_one_transaction() throws Exception {
    record(released(0));
    int before = database.commits();
    database.holdNext();
    CompletableFuture<List<Journal.Recorded>> first = journal.record(List.of(released(1)));
    database.awaitHeld();
    List<CompletableFuture<List<Journal.Recorded>>> others = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<CompletableFuture<List<Journal.Recorded>>>> submitted = new ArrayList<>();
      for (int i = 2; i < 302; i++) {
        int number = i;
        submitted.add(threads.submit(() -> journal.record(List.of(released(number)))));
      }
      for (var one : submitted) {
        others.add(one.get());
      }
    }
    database.letGo();
    first.join();
    others.forEach(CompletableFuture::join);
    assertThat(database.commits() - before).isEqualTo(2);
    assertThat(announced).hasSize(302).isSorted().doesNotHaveDuplicates();
    assertBooks(302);
  }

  @Test
  void a_resend_gets_the_first_answer_in_the_same_group_in_another_and_after_a_restart()
      throws Exception {
    List<Journal.Recorded> together = record(released(1), released(1), held(2), refused(3));
    assertThat(together.get(0).repeated()).isFalse();
    assertThat(together.get(1)).isEqualTo(again(together.get(0)));

    assertThat(record(released(1), held(2), refused(3)))
        .containsExactly(again(together.get(0)), again(together.get(2)), again(together.get(3)));

    // Judged otherwise meanwhile, a resend still gets the first answer.
    assertThat(record(refused(1))).containsExactly(again(together.get(0)));

    close();
    restart();
    assertThat(record(released(1), held(2), refused(3)))
        .containsExactly(again(together.get(0)), again(together.get(2)), again(together.get(3)));
    assertThat(announced).hasSize(1);
    assertBooks(3);
  }

  @Test
  void a_resend_is_recognised_when_there_has_been_none_for_long() throws Exception {
    List<Journal.Recorded> first = record(released(1), held(2));
    List<Envelope> others = new ArrayList<>();
    for (int i = 10; i < 21_010; i++) {
      others.add(refused(i));
    }
    for (int i = 0; i < others.size(); i += 3_000) {
      journal.record(others.subList(i, i + 3_000)).join();
    }
    assertThat(record(refused(5), released(1), held(2), withContent(released(1), 77)))
        .extracting(Journal.Recorded::repeated)
        .containsExactly(false, true, true, false);
    assertThat(record(released(1))).containsExactly(again(first.getFirst()));
    assertThat(announced).hasSize(1);
    assertThat(count("SELECT count(*) FROM envelope")).isEqualTo(21_004);
    assertVerified();
  }

  @Test
  void a_reused_id_is_refused_once_for_each_other_content() throws Exception {
    Journal.Recorded first = record(released(1)).getFirst();
    Envelope other = withContent(released(1), 77);
    Envelope third = withContent(released(1), 78);
    List<Journal.Recorded> reused = record(other, other, third);
    assertThat(reused)
        .extracting(Journal.Recorded::reason)
        .containsOnly(ReasonCode.MESSAGE_ID_REUSED);
    assertThat(reused).extracting(Journal.Recorded::repeated).containsExactly(false, true, false);
    assertThat(record(other, third)).containsExactly(again(reused.get(0)), again(reused.get(2)));
    assertThat(record(released(1))).containsExactly(again(first));
    assertThat(announced).hasSize(1);
    assertThat(count("SELECT count(*) FROM envelope")).isEqualTo(3);
    assertVerified();
  }

  // ---- data that the database does not take

  @Test
  void a_record_that_the_database_cannot_hold_is_refused_and_harms_nobody() throws Exception {
    record(released(0));
    List<CompletableFuture<List<Journal.Recorded>>> answers = new ArrayList<>();
    database.holdNext();
    answers.add(journal.record(List.of(released(1))));
    database.awaitHeld();
    answers.add(journal.record(List.of(released(2), listed(3, "september\0"), released(4))));
    answers.add(journal.record(List.of(listed(5, random(9_000)))));
    answers.add(journal.record(List.of(listed(6, "2026-09"), released(7))));
    database.letGo();

    List<Journal.Recorded> all =
        answers.stream().map(CompletableFuture::join).flatMap(List::stream).toList();
    assertThat(all)
        .extracting(Journal.Recorded::outcome)
        .containsExactly(
            Outcome.RELEASED,
            Outcome.RELEASED,
            Outcome.REFUSED,
            Outcome.RELEASED,
            Outcome.REFUSED,
            Outcome.RELEASED,
            Outcome.RELEASED);
    assertThat(all.get(2).reason()).isEqualTo(ReasonCode.SCHEMA_VIOLATION);
    assertThat(journal.trouble()).isNull();
    assertThat(count("SELECT count(*) FROM roster")).isEqualTo(1);
    assertThat(record(listed(3, "september\0"))).containsExactly(again(all.get(2)));
    assertBooks(8);
  }

  @Test
  void a_work_that_fails_fails_alone() throws Exception {
    database.holdNext();
    var first = journal.record(List.of(released(1)));
    database.awaitHeld();
    var broken =
        journal.write(
            (connection, next) -> {
              try (Statement statement = connection.createStatement()) {
                statement.execute("SELECT 1 / 0");
              }
              return Journal.Written.of(note("never"));
            });
    var whole = journal.write((connection, next) -> Journal.Written.of(note("done")));
    var second = journal.record(List.of(released(2)));
    database.letGo();
    first.join();
    second.join();
    whole.join();
    assertThatThrownBy(broken::join).hasCauseInstanceOf(SQLException.class);
    assertThat(journal.trouble()).isNull();
    assertThat(count("SELECT count(*) FROM audit_entry WHERE outcome = 'done'")).isEqualTo(1);
    assertThat(count("SELECT count(*) FROM audit_entry WHERE outcome = 'never'")).isZero();
    assertBooks(2);
  }

  // ---- broken connections

  /**
   * Eight senders, each transaction with one chance in three of a broken connection. A sender sends
   * again until it is answered or, at times, gives up.
   */
  @Test
  void what_was_acknowledged_is_there_once_and_the_rest_is_there_whole_or_not_at_all()
      throws Exception {
    Random dice = new Random(20260901);
    Break[] breaks = Break.values();
    database.breaks(
        () -> {
          synchronized (dice) {
            // The commit in flight has a test of its own: somebody must let it land.
            return dice.nextInt(3) == 0 ? breaks[1 + dice.nextInt(3)] : Break.NEVER;
          }
        });
    Map<Integer, List<Journal.Recorded>> acknowledged = new ConcurrentHashMap<>();
    Set<Integer> sent = ConcurrentHashMap.newKeySet();
    AtomicInteger failures = new AtomicInteger();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> senders = new ArrayList<>();
      for (int s = 0; s < 8; s++) {
        int sender = s;
        senders.add(
            threads.submit(
                () -> {
                  Random mine = new Random(sender);
                  for (int i = 0; i < 40; i++) {
                    int batch = sender * 1_000 + i;
                    sent.add(batch);
                    boolean answered = false;
                    while (!answered && (mine.nextInt(8) != 0)) {
                      try {
                        acknowledged.put(batch, journal.record(batch(batch)).join());
                        answered = true;
                      } catch (CompletionException e) {
                        assertThat(e).hasCauseInstanceOf(GateShutException.class);
                        failures.incrementAndGet();
                      }
                    }
                  }
                }));
      }
      for (Future<?> sender : senders) {
        sender.get();
      }
    }
    database.breaks(() -> Break.NEVER);
    assertThat(failures).hasPositiveValue();
    assertThat(acknowledged).hasSizeGreaterThan(200);
    Awaitility.await().until(() -> journal.trouble() == null);

    Map<String, List<Long>> envelopes = read("SELECT encode(key, 'hex'), entry FROM envelope");
    Map<String, List<Long>> entries = read("SELECT message, idx FROM audit_entry");
    Map<String, List<Long>> outbox = outbox();
    Map<String, List<Long>> held = read("SELECT encode(key, 'hex'), -1 FROM held");
    assertThat(entries).isEqualTo(envelopes);
    for (int batch : sent) {
      List<Journal.Recorded> answers = acknowledged.get(batch);
      int there = 0;
      for (int i = 0; i < batch(batch).size(); i++) {
        Envelope envelope = batch(batch).get(i);
        String message = hex(envelope.key());
        List<Long> stored = envelopes.getOrDefault(message, List.of());
        there += stored.size();
        assertThat(outbox.getOrDefault(message, List.of()))
            .isEqualTo(envelope.outgoing() == null ? List.of() : stored);
        assertThat(held.getOrDefault(message, List.of()))
            .hasSize(envelope.held() == null ? 0 : stored.size());
        if (answers != null) {
          assertThat(stored).containsExactly(answers.get(i).entry());
        }
      }
      assertThat(there).isIn(answers == null ? 0 : batch(batch).size(), batch(batch).size());
    }
    assertBooks(count("SELECT count(*) FROM envelope"));
  }

  @Test
  void a_commit_that_lands_late_is_told_to_who_delivers_although_nobody_sends_again()
      throws Exception {
    record(released(0));
    AtomicBoolean once = new AtomicBoolean(true);
    database.breaks(() -> once.getAndSet(false) ? Break.COMMIT_IN_FLIGHT : Break.NEVER);
    assertThatThrownBy(() -> record(released(1))).isInstanceOf(GateShutException.class);
    Awaitility.await().until(() -> uncertain.get() == 1);
    assertThat(count("SELECT count(*) FROM outbox")).isEqualTo(1);
    database.land();
    Awaitility.await().until(() -> uncertain.get() > 1);
    assertThat(count("SELECT count(*) FROM outbox")).isEqualTo(2);
    assertThat(record(released(1)).getFirst().repeated()).isTrue();
    assertBooks(2);
  }

  @Test
  void a_receipt_is_entered_once_although_its_commit_was_not_heard_of() throws Exception {
    long id = record(released(1)).getFirst().entry();
    var receipt = List.of(new Journal.Receipt(outgoing(1).withId(id), note("DELIVERED")));
    AtomicBoolean once = new AtomicBoolean(true);
    database.breaks(() -> once.getAndSet(false) ? Break.AFTER_COMMIT : Break.NEVER);
    assertThatThrownBy(() -> Gate.await(journal.receipts(receipt)))
        .isInstanceOf(GateShutException.class);
    journal.receipts(receipt).join();
    assertThat(count("SELECT count(*) FROM outbox")).isZero();
    assertThat(count("SELECT count(*) FROM audit_entry WHERE outcome = 'DELIVERED'")).isEqualTo(1);
    assertVerified();
  }

  @Test
  void the_gate_opens_by_itself_when_the_database_is_back() throws Exception {
    record(released(1));
    database.down(true);
    assertThatThrownBy(() -> record(released(2))).isInstanceOf(GateShutException.class);
    assertThat(journal.trouble()).isNotNull();
    database.down(false);
    Awaitility.await().until(() -> journal.trouble() == null);
    assertBooks(1);
  }

  @Test
  void closing_records_what_was_submitted_and_leaves_nobody_waiting() throws Exception {
    record(released(0));
    database.holdNext();
    var underWay = journal.record(List.of(released(1)));
    database.awaitHeld();
    List<CompletableFuture<?>> submitted = new CopyOnWriteArrayList<>();
    for (int i = 2; i < 50; i++) {
      submitted.add(journal.record(List.of(released(i))));
    }
    Thread closing = Thread.ofVirtual().start(journal::close);
    Awaitility.await().until(() -> refusedAsClosing(submitted));
    database.letGo();
    closing.join();
    underWay.join();
    assertThat(submitted).allMatch(CompletableFuture::isDone);
    long recorded = submitted.stream().filter(one -> !one.isCompletedExceptionally()).count();
    assertThat(recorded).isGreaterThanOrEqualTo(48);
    assertBooks(2 + recorded);
  }

  /** Submits until the journal says that it is closing. */
  private boolean refusedAsClosing(List<CompletableFuture<?>> submitted) {
    var one = journal.record(List.of(released(1_000 + submitted.size())));
    submitted.add(one);
    return one.isCompletedExceptionally();
  }

  // ---- held messages, two instances

  @Test
  void a_held_message_is_taken_by_one_of_two_instances() throws Exception {
    int messages = 200;
    List<Envelope> waiting = new ArrayList<>();
    for (int i = 0; i < messages; i++) {
      waiting.add(held(i));
    }
    record(waiting.toArray(Envelope[]::new));
    Ledger otherLedger = secondShard();
    Journal other = new Journal(source, otherLedger, vault);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> taken = new ArrayList<>();
      for (Journal instance : List.of(journal, other)) {
        taken.add(threads.submit(() -> takeAll(instance, messages)));
      }
      assertThat(taken.get(0).get() + taken.get(1).get()).isEqualTo(messages);
    } finally {
      other.close();
      otherLedger.close();
    }
    assertThat(count("SELECT count(*) FROM held")).isZero();
    assertThat(count("SELECT count(*) FROM outbox")).isEqualTo(messages);
    assertThat(count("SELECT count(*) FROM audit_entry")).isEqualTo(2 * messages);
    assertThat(count("SELECT count(*) FROM outbox o JOIN envelope e ON e.entry = o.id"))
        .isEqualTo(messages);
    assertThat(count("SELECT count(*) FROM envelope WHERE outcome = 'RELEASED'"))
        .isEqualTo(messages);
    assertVerified();
  }

  @Test
  void two_instances_record_at_once_each_in_its_own_shard_and_know_each_others_messages()
      throws Exception {
    int messages = 600;
    Ledger otherLedger = secondShard();
    Journal other = new Journal(source, otherLedger, vault);
    List<Journal.Recorded> here = Collections.synchronizedList(new ArrayList<>());
    List<Journal.Recorded> there = Collections.synchronizedList(new ArrayList<>());
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> sending = new ArrayList<>();
      // Every message comes to both, in opposite orders.
      for (int i = 0; i < messages; i += 4) {
        List<Envelope> some = new ArrayList<>();
        for (int j = i; j < i + 4; j++) {
          some.add(released(j));
        }
        sending.add(threads.submit(() -> here.addAll(patiently(journal, some))));
        List<Envelope> turned = new ArrayList<>(some);
        Collections.reverse(turned);
        sending.add(threads.submit(() -> there.addAll(patiently(other, turned))));
      }
      for (Future<?> each : sending) {
        each.get();
      }
    } finally {
      other.close();
    }
    long first = here.stream().filter(one -> !one.repeated()).count();
    long second = there.stream().filter(one -> !one.repeated()).count();
    assertThat(first + second).isEqualTo(messages);
    assertThat(ledger.size()).isEqualTo(first);
    assertThat(otherLedger.size()).isEqualTo(second);
    otherLedger.close();
    assertBooks(messages);
  }

  private static List<Journal.Recorded> patiently(Journal to, List<Envelope> envelopes) {
    while (true) {
      try {
        return Gate.await(to.record(envelopes));
      } catch (GateShutException e) {
        Thread.onSpinWait(); // as a sender does, later
      }
    }
  }

  private Ledger secondShard() throws Exception {
    Shard second = new Shard(1);
    LogKey itsKey = LogKey.open(folder.resolve(second.keyFile()), second.origin(ORIGIN));
    return Ledger.hold(source, itsKey, ORIGIN, second, () -> Parts.NOW);
  }

  private static int takeAll(Journal instance, int messages) {
    int taken = 0;
    for (int i = 0; i < messages; i += 5) {
      List<Envelope> released = new ArrayList<>();
      for (int j = i; j < i + 5; j++) {
        released.add(released(j));
      }
      while (true) {
        try {
          for (Journal.Recorded one : instance.recordHeld(released).join()) {
            taken += one.repeated() ? 0 : 1;
          }
          break;
        } catch (CompletionException e) {
          assertThat(e).hasCauseInstanceOf(GateShutException.class);
        }
      }
    }
    return taken;
  }

  @Test
  void a_resend_while_its_held_message_is_released_is_recognised() throws Exception {
    record(held(1));
    List<Journal.Recorded> taken = journal.recordHeld(List.of(released(1))).join();
    assertThat(taken.getFirst().repeated()).isFalse();
    assertThat(record(held(1)).getFirst().outcome()).isEqualTo(Outcome.RELEASED);
    assertThat(journal.recordHeld(List.of(released(1))).join().getFirst().repeated()).isTrue();
    assertThat(announced).hasSize(1);
    assertVerified();
  }

  // ---- the world of these tests

  private List<Journal.Recorded> record(Envelope... envelopes) {
    return Gate.await(journal.record(List.of(envelopes)));
  }

  private static Journal.Recorded again(Journal.Recorded first) {
    return new Journal.Recorded(first.outcome(), first.reason(), first.entry(), true);
  }

  private static List<Envelope> batch(int number) {
    int first = number * 10;
    if (number % 2 == 0) {
      return List.of(released(first), held(first + 1), refused(first + 2), released(first + 3));
    }
    // Enough for a parcel, with gaps.
    List<Envelope> many = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      many.add(i == 3 ? held(first + i) : i == 6 ? refused(first + i) : released(first + i));
    }
    return many;
  }

  private static byte[] key(int number) {
    return ByteBuffer.allocate(16).putLong(0x5eed).putLong(number).array();
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  private static Pseudonym person(int number) {
    return Pseudonym.of(ByteBuffer.allocate(16).putLong(1).putLong(number % 50).array());
  }

  private static no.bindeledd.audit.AuditEntry note(String outcome) {
    return Entries.act(Parts.NOW, Station.ADMIN, "toy", outcome, null);
  }

  private static Outgoing outgoing(int number) {
    return new Outgoing(
        -1,
        key(number),
        "toy",
        "ot",
        SCHOOL,
        person(number),
        Outcome.RELEASED,
        Set.of(),
        null,
        Map.of(),
        null,
        "{}".getBytes(StandardCharsets.UTF_8),
        Outgoing.ALONE);
  }

  private static Envelope released(int number) {
    return envelope(
        number,
        Outcome.RELEASED,
        ReasonCode.RELEASED,
        new Envelope.Release(outgoing(number), null, null),
        null,
        null);
  }

  private static Envelope held(int number) {
    return envelope(
        number,
        Outcome.HELD,
        ReasonCode.AWAITING_CONSENT,
        null,
        new Envelope.Waiting(person(number), null, SEALED),
        null);
  }

  private static Envelope refused(int number) {
    return envelope(number, Outcome.REFUSED, ReasonCode.SCHEMA_VIOLATION, null, null, null);
  }

  private static Envelope listed(int number, String list) {
    Envelope released = released(number);
    return envelope(
        number,
        released.outcome(),
        released.reason(),
        released.outgoing(),
        null,
        new Envelope.Listed(SCHOOL, list, person(number), "IVARETATT"));
  }

  private static Envelope envelope(
      int number,
      Outcome outcome,
      ReasonCode reason,
      Envelope.@Nullable Release outgoing,
      Envelope.@Nullable Waiting held,
      Envelope.@Nullable Listed listed) {
    return new Envelope(
        key(number),
        key(-number - 1),
        Place.WHOLE,
        "toy",
        SCHOOL,
        "ot",
        outcome,
        reason,
        null,
        AuditEntry.plain(
            Parts.NOW,
            Station.DECIDE,
            "toy",
            SCHOOL.value(),
            null,
            person(number),
            hex(key(number)),
            null,
            outcome.name(),
            reason.name(),
            null),
        outgoing,
        held,
        listed,
        null);
  }

  private static Envelope withContent(Envelope of, int content) {
    return new Envelope(
        of.key(),
        key(1_000_000 + content),
        of.place(),
        of.exchange(),
        of.sender(),
        of.recipient(),
        of.outcome(),
        of.reason(),
        of.detail(),
        of.entry(),
        of.outgoing(),
        of.held(),
        of.listed(),
        of.decided());
  }

  /** Does not compress, so that it is too long for an index. */
  private static String random(int length) {
    Random random = new Random(1);
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append((char) ('!' + random.nextInt(90)));
    }
    return text.toString();
  }

  private void assertBooks(long messages) throws IOException, SQLException {
    assertThat(count("SELECT count(*) FROM envelope")).isEqualTo(messages);
    assertThat(
            count(
                "SELECT count(*) FROM envelope e JOIN audit_entry a ON a.idx = e.entry"
                    + " AND a.message = encode(e.key, 'hex') AND a.outcome = e.outcome"))
        .isEqualTo(messages);
    assertThat(outbox())
        .isEqualTo(
            read("SELECT encode(key, 'hex'), entry FROM envelope WHERE outcome = 'RELEASED'"));
    assertVerified();
  }

  /** What waits, by key. */
  private Map<String, List<Long>> outbox() throws SQLException {
    Map<String, List<Long>> waiting = new HashMap<>();
    OutboxRows rows = new OutboxRows(vault);
    try (Connection connection = source.getConnection()) {
      OutboxRows.Page page;
      long last = -1;
      do {
        page = rows.next(connection, new Deliverers.Way("toy", "ot"), last, Long.MAX_VALUE);
        assertThat(page.broken()).isEmpty();
        assertThat(page.brokenParcels()).isEmpty();
        for (Outgoing message : page.messages()) {
          waiting.computeIfAbsent(hex(message.key()), key -> new ArrayList<>()).add(message.id());
        }
        last = page.last();
      } while (page.more());
    }
    return waiting;
  }

  private void assertVerified() throws IOException, SQLException {
    var verification =
        LedgerVerifier.verify(
            source, VerifierKey.ofHouse(folder), List.of(ledger.checkpoint()), (done, of) -> {});
    assertThat(verification.firstProblem()).isNull();
    assertThat(verification.verified()).isTrue();
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement();
        var head = statement.executeQuery("SELECT sum(size) FROM audit_head")) {
      head.next();
      assertThat(verification.entries()).isEqualTo(head.getLong(1));
    }
  }

  private static Map<String, List<Long>> read(String query) throws SQLException {
    Map<String, List<Long>> found = new HashMap<>();
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement();
        var row = statement.executeQuery(query)) {
      while (row.next()) {
        found.computeIfAbsent(row.getString(1), message -> new ArrayList<>()).add(row.getLong(2));
      }
    }
    return found;
  }

  private static long count(String query) throws SQLException {
    return Parts.count(source, query);
  }
}
