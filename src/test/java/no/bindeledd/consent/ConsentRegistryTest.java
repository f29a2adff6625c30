package no.bindeledd.consent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import no.bindeledd.fault.RealDatabase;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConsentRegistryTest {
  private static final Pseudonym KARI = new Pseudonym("0123456789abcdeffedcba9876543210");
  private static final Pseudonym OLA = new Pseudonym("f".repeat(32));
  private static final UUID ID = UUID.fromString("00000000-0000-4000-8000-000000000001");
  private static final UUID SECOND = UUID.fromString("00000000-0000-4000-8000-000000000002");
  private static final Instant NOW = Instant.parse("2026-09-01T10:00:00Z");
  private static final String OT = "311013572";

  private static final DataSource database = RealDatabase.source();

  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicInteger open = new AtomicInteger();
  private final AtomicInteger commits = new AtomicInteger();
  private boolean autoCommit = true;
  private volatile Runnable beforeClose = () -> {};
  private volatile Ending afterCommit = () -> {};
  private ConsentRegistry registry;

  private interface Ending {
    void end() throws SQLException;
  }

  @BeforeEach
  void empty() throws SQLException {
    registry = new ConsentRegistry(watched(database), InstantSource.fixed(NOW));
    try (Connection c = database.getConnection();
        Statement s = c.createStatement()) {
      s.execute("DELETE FROM consent");
    }
  }

  @AfterEach
  void everyConnectionIsGivenBack() {
    assertThat(open.get()).isZero();
  }

  @Test
  void aConnectionIsGivenBackAsItWasAndAReadingEndsItsTransaction() throws SQLException {
    for (boolean byItself : new boolean[] {true, false}) {
      autoCommit = byItself;
      UUID id = UUID.randomUUID();
      commits.set(0);
      registry.write(consent(id, KARI));
      assertThat(commits.get()).as("a write commits once").isEqualTo(1);
      registry.find(OLA);
      registry.invalidate(OLA);
      assertThat(commits.get())
          .as("a reading commits if nobody else does")
          .isEqualTo(byItself ? 1 : 2);
      assertThatThrownBy(() -> registry.withdraw(id, 7, Captured.SPOKEN))
          .isInstanceOf(ConsentConflictException.class);
    }
  }

  @Test
  void aConsentIsFoundAsItWasGiven() throws SQLException {
    ConsentFact given =
        registry.write(
            Consents.given(
                ID,
                KARI,
                "FOLLOW_UP",
                Set.of(OT),
                Set.of("ABSENCE", "NAME"),
                NOW,
                NOW.plusSeconds(60)));
    assertThat(given)
        .isEqualTo(
            new ConsentFact(
                ID.toString(),
                1,
                State.GIVEN,
                "FOLLOW_UP",
                Set.of(OT),
                Set.of("ABSENCE", "NAME"),
                NOW,
                NOW.plusSeconds(60)));
    assertThat(registry.find(KARI)).containsExactly(given);
    assertThat(registry.findAll(List.of(KARI, OLA, KARI)))
        .containsEntry(KARI, List.of(given))
        .containsEntry(OLA, List.of())
        .hasSize(2);
  }

  @Test
  void aBatchCostsOneQueryAndThenNoneAlsoForThoseWhoHaveNothing() throws SQLException {
    registry.write(consent(ID, KARI));
    List<Pseudonym> people = new ArrayList<>(List.of(KARI, OLA));
    for (int i = 0; i < 500; i++) {
      people.add(new Pseudonym(String.format("%032x", i)));
    }
    connections.set(0);
    assertThat(registry.findAll(people)).hasSize(502);
    assertThat(connections).hasValue(1);
    registry.findAll(people);
    registry.find(OLA);
    assertThat(connections).hasValue(1);
  }

  @Test
  void aMissIsOneLookUpInTheIndexOnSubject() throws SQLException {
    try (Connection c = database.getConnection();
        Statement s = c.createStatement()) {
      s.execute(
          "INSERT INTO consent (id, version, subject, state, purpose, recipients, categories,"
              + " valid_from, recorded_at, captured) SELECT gen_random_uuid(), 1,"
              + " decode(md5(i::text), 'hex'), 'GIVEN', 'FOLLOW_UP', '{}', '{}', now(), now(),"
              + " 'NOT_STATED' FROM generate_series(1, 20000) i");
      s.execute("ANALYZE consent");
      StringBuilder plan = new StringBuilder();
      try (ResultSet rows =
          s.executeQuery(
              "EXPLAIN SELECT DISTINCT ON (id) id FROM consent"
                  + " WHERE subject = ANY (ARRAY['a'::bytea]) ORDER BY id, version DESC")) {
        while (rows.next()) {
          plan.append(rows.getString(1)).append('\n');
        }
      }
      assertThat(plan).contains("consent_subject").doesNotContain("Seq Scan");
    }
    connections.set(0);
    registry.find(OLA);
    assertThat(connections).hasValue(1);
  }

  @Test
  void everythingThatWasRecordedIsReadBackWithItsHistory() throws SQLException {
    Consent whole =
        new Consent(
            ID,
            1,
            KARI,
            Kind.FETCHING,
            State.GIVEN,
            new Consent.Grantors(true, Set.of(OLA, new Pseudonym("e".repeat(32)))),
            "FOLLOW_UP",
            Set.of(OT, "311000004"),
            Set.of("311067850"),
            Set.of("ABSENCE"),
            "fetching@12",
            NOW,
            NOW.plusSeconds(60),
            Captured.ELECTRONIC_SIGNATURE);
    assertThat(registry.write(whole))
        .isEqualTo(whole.fact())
        .extracting(fact -> fact.grantors().guardians())
        .isEqualTo(2);
    registry.withdraw(ID, 1, Captured.SPOKEN);

    assertThat(registry.about(KARI)).containsExactly(whole.withdrawn(Captured.SPOKEN));
    assertThat(registry.versions(ID))
        .containsExactly(
            new ConsentRegistry.Version(whole, NOW),
            new ConsentRegistry.Version(whole.withdrawn(Captured.SPOKEN), NOW));
    assertThat(registry.versions(SECOND)).isEmpty();
    assertThat(registry.about(OLA)).as("a guardian is not the subject").isEmpty();
  }

  @Test
  void theTurningPointsOfConsentsAreFoundOnceEach() throws SQLException {
    registry.write(
        Consents.given(ID, KARI, "P", Set.of(), Set.of(), NOW.plusSeconds(5), NOW.plusSeconds(9)));
    registry.write(Consents.given(SECOND, OLA, "P", Set.of(), Set.of(), NOW.plusSeconds(7), null));

    assertThat(registry.turning(NOW, NOW.plusSeconds(4))).isEmpty();
    assertThat(registry.turning(NOW.plusSeconds(4), NOW.plusSeconds(5))).containsExactly(KARI);
    assertThat(registry.turning(NOW.plusSeconds(5), NOW.plusSeconds(8))).containsExactly(OLA);
    assertThat(registry.turning(NOW.plusSeconds(8), NOW.plusSeconds(9))).containsExactly(KARI);
    assertThat(registry.turning(NOW.plusSeconds(9), NOW.plusSeconds(99))).isEmpty();
  }

  @Test
  void aWithdrawalIsSeenByTheNextLookUp() throws SQLException {
    registry.write(consent(ID, KARI));
    registry.find(KARI);
    ConsentFact withdrawn = registry.withdraw(ID, 1, Captured.SPOKEN);
    assertThat(withdrawn.reference()).isEqualTo(ID + "@2");
    assertThat(withdrawn.state()).isEqualTo(State.WITHDRAWN);
    assertThat(registry.find(KARI)).containsExactly(withdrawn);
  }

  @Test
  void aConsentCanBeGivenAgainAfterItsWithdrawal() throws SQLException {
    registry.write(consent(ID, KARI));
    registry.withdraw(ID, 1, Captured.SPOKEN);
    ConsentFact again = registry.write(Consents.at(3, consent(ID, KARI)));
    assertThat(again.version()).isEqualTo(3);
    assertThat(registry.find(KARI)).containsExactly(again);
  }

  @Test
  void aRepeatedRequestGetsTheFirstAnswerAndWritesNothing() throws SQLException {
    ConsentFact first = registry.write(consent(ID, KARI));
    assertThat(registry.write(consent(ID, KARI))).isEqualTo(first);
    ConsentFact withdrawn = registry.withdraw(ID, 1, Captured.SPOKEN);
    assertThat(registry.withdraw(ID, 1, Captured.SPOKEN)).isEqualTo(withdrawn);
    assertThat(registry.write(consent(ID, KARI))).isEqualTo(first);
    assertThat(rows()).isEqualTo(2);
    assertThat(registry.find(KARI)).containsExactly(withdrawn);
  }

  @Test
  void theSameIdWithOtherContentIsAConflict() throws SQLException {
    registry.write(consent(ID, KARI));
    Consent other = Consents.given(ID, KARI, "RIGHTS_QUERY", Set.of(), Set.of(), NOW, null);
    assertThatThrownBy(() -> registry.write(other))
        .isInstanceOf(ConsentConflictException.class)
        .hasMessage(
            "The consent is at version 1, not 0; read it again and repeat the change on it");
  }

  @Test
  void aChangeOfAnOldVersionIsAConflictThatNamesTheCurrentOne() throws SQLException {
    registry.write(consent(ID, KARI));
    registry.withdraw(ID, 1, Captured.SPOKEN);
    assertThatThrownBy(() -> registry.withdraw(ID, 1, Captured.PAPER))
        .isInstanceOfSatisfying(
            ConsentConflictException.class, e -> assertThat(e.currentVersion()).isEqualTo(2));
    assertThatThrownBy(() -> registry.withdraw(ID, 7, Captured.SPOKEN))
        .hasMessage(
            "The consent is at version 2, not 7; read it again and repeat the change on it");
    assertThatThrownBy(() -> registry.withdraw(SECOND, 1, Captured.SPOKEN))
        .hasMessage("There is no consent with this id; correct the id, or record it as a new one");
    assertThatThrownBy(() -> registry.write(Consents.at(2, consent(SECOND, KARI))))
        .hasMessage("There is no consent with this id; correct the id, or record it as a new one");
  }

  @Test
  void anIdStaysWithItsPersonAndItsKind() throws SQLException {
    registry.write(consent(ID, KARI));
    assertThatThrownBy(() -> registry.write(Consents.at(2, consent(ID, OLA))))
        .hasMessage("The id is in use for something else; choose a new id");
    assertThatThrownBy(() -> registry.write(Consents.at(2, block(ID, KARI))))
        .hasMessage("The id is in use for something else; choose a new id");
    assertThatThrownBy(() -> registry.lift(ID, 1, NOW, Captured.PAPER))
        .hasMessage("This is a consent, which is withdrawn and not lifted; withdraw it");
  }

  @Test
  void aLiftedBlockHasEndedAndIsNoWithdrawnConsent() throws SQLException {
    registry.write(block(ID, KARI));
    assertThatThrownBy(() -> registry.withdraw(ID, 1, Captured.SPOKEN))
        .hasMessage("This is a block, which is lifted and not withdrawn; lift it");
    ConsentFact lifted = registry.lift(ID, 1, NOW.plusSeconds(5), Captured.PAPER);
    assertThat(lifted.state()).isEqualTo(State.BLOCKED);
    assertThat(lifted.validTo()).isEqualTo(NOW.plusSeconds(5));
    assertThat(registry.lift(ID, 1, NOW.plusSeconds(5), Captured.PAPER)).isEqualTo(lifted);
  }

  @Test
  void onlyTheNewestVersionOfEachIdIsFound() throws SQLException {
    registry.write(consent(ID, KARI));
    registry.write(block(SECOND, KARI));
    registry.withdraw(ID, 1, Captured.SPOKEN);
    assertThat(registry.find(KARI))
        .extracting(ConsentFact::reference)
        .containsExactly(ID + "@2", SECOND + "@1");
  }

  @Test
  void aLookUpThatReadBeforeAWriteDoesNotKeepWhatItRead() throws SQLException {
    registry.write(consent(ID, KARI));
    beforeClose =
        () -> {
          beforeClose = () -> {};
          try {
            registry.withdraw(ID, 1, Captured.SPOKEN);
          } catch (SQLException e) {
            throw new AssertionError(e);
          }
        };
    // It has read its rows; the withdrawal commits and returns; then it goes on.
    assertThat(registry.find(KARI)).extracting(ConsentFact::version).containsExactly(1);
    assertThat(registry.find(KARI)).extracting(ConsentFact::version).containsExactly(2);
  }

  @Test
  void aLookUpDuringAnOpenTransactionIsForgottenWhenItCommits() throws SQLException {
    try (Connection c = database.getConnection()) {
      c.setAutoCommit(false);
      ConsentRegistry.Change change = registry.write(c, consent(ID, KARI));
      assertThat(registry.find(KARI)).isEmpty();
      c.commit();
      registry.committed(change);
      assertThat(registry.find(KARI)).containsExactly(change.fact());
    }
  }

  @Test
  void aWriteFallsWithItsTransaction() throws SQLException {
    try (Connection c = database.getConnection()) {
      c.setAutoCommit(false);
      registry.write(c, consent(ID, KARI));
      c.rollback();
    }
    assertThat(registry.find(KARI)).isEmpty();
    assertThat(registry.write(consent(ID, KARI)).version()).isEqualTo(1);
  }

  @Test
  void aConflictLeavesTheTransactionUsable() throws SQLException {
    registry.write(consent(ID, KARI));
    try (Connection c = database.getConnection()) {
      c.setAutoCommit(false);
      assertThatThrownBy(() -> registry.write(c, Consents.at(6, consent(ID, KARI))))
          .isInstanceOf(ConsentConflictException.class);
      ConsentRegistry.Change change = registry.write(c, consent(SECOND, OLA));
      c.commit();
      registry.committed(change);
    }
    assertThat(registry.find(OLA)).hasSize(1);
  }

  @Test
  void ofManyWritersOfOneVersionExactlyOneWins() throws Exception {
    registry.write(consent(ID, KARI));
    List<Callable<Boolean>> writers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      Captured captured = Captured.values()[i % 6];
      writers.add(
          () -> {
            try {
              registry.withdraw(ID, 1, captured);
              return true;
            } catch (ConsentConflictException e) {
              return false;
            }
          });
    }
    int won = 0;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Boolean> f : threads.invokeAll(writers)) {
        won += f.get() ? 1 : 0;
      }
    }
    assertThat(won).isEqualTo(1);
    assertThat(rows()).isEqualTo(2);
  }

  @Test
  void listenersHearOfAChangeOnceItCanBeSeenAndAFailingOneUndoesNothing() throws SQLException {
    List<String> heard = new ArrayList<>();
    registry.onChange(
        s -> {
          throw new IllegalStateException("a broken listener");
        });
    registry.onChange(
        s -> {
          try {
            heard.add(s + " " + registry.find(s).size());
          } catch (SQLException e) {
            throw new AssertionError(e);
          }
        });
    registry.find(KARI);
    registry.write(consent(ID, KARI));
    assertThat(heard).containsExactly(KARI + " 1");
    assertThatThrownBy(() -> registry.withdraw(ID, 4, Captured.SPOKEN))
        .isInstanceOf(ConsentConflictException.class);
    assertThat(heard).hasSize(1);
  }

  @Test
  void anotherInstancesWriteIsSeenAfterInvalidation() throws SQLException {
    assertThat(registry.find(KARI)).isEmpty();
    new ConsentRegistry(database, InstantSource.system()).write(consent(ID, KARI));
    assertThat(registry.find(KARI)).isEmpty();
    registry.invalidate(KARI);
    assertThat(registry.find(KARI)).hasSize(1);
  }

  @Test
  void aSmallCacheForgetsButNeverAnswersWrongly() throws SQLException {
    ConsentRegistry small = new ConsentRegistry(database, InstantSource.system(), 1_000);
    small.write(consent(ID, KARI));
    for (int i = 0; i < 200; i++) {
      small.find(new Pseudonym(String.format("%032x", i)));
      assertThat(small.find(KARI)).hasSize(1);
    }
  }

  @Test
  void whatIsNotInMemoryIsReadForManyAtOnce() throws SQLException {
    ConsentFact first = registry.write(consent(ID, KARI));
    ConsentFact second = registry.write(consent(SECOND, OLA));
    assertThat(registry.findAll(List.of(KARI, OLA)))
        .containsEntry(KARI, List.of(first))
        .containsEntry(OLA, List.of(second));
  }

  @Test
  void aCacheTakesNoMoreMemoryThanItIsGiven() throws SQLException {
    ConsentRegistry small = new ConsentRegistry(watched(database), InstantSource.fixed(NOW), 1_000);
    List<Pseudonym> people = new ArrayList<>();
    for (int i = 0; i < 200; i++) {
      people.add(new Pseudonym(String.format("%032x", i)));
      if (i % 2 == 0) {
        registry.write(consent(new UUID(7, i), people.get(i)));
      }
    }
    for (int from : List.of(0, 1)) {
      // The cache tidies up on threads of its own.
      await()
          .untilAsserted(
              () -> {
                for (int i = from; i < 200; i += 2) {
                  small.find(people.get(i));
                }
                connections.set(0);
                for (int i = from; i < 200; i += 2) {
                  assertThat(small.find(people.get(i))).hasSize(1 - from);
                }
                assertThat(connections.get()).isGreaterThan(80);
              });
    }
  }

  @Test
  void everythingIsForgottenAlsoByALookUpThatIsUnderWay() throws SQLException {
    List<Pseudonym> people = new ArrayList<>(List.of(KARI, OLA));
    for (int i = 0; i < 300; i++) {
      people.add(new Pseudonym(String.format("%032x", i * 0x9E3779B1L)));
    }
    registry.findAll(people);
    registry.invalidateAll();
    beforeClose =
        () -> {
          beforeClose = () -> {};
          registry.invalidateAll();
        };
    registry.findAll(people);
    connections.set(0);
    for (Pseudonym person : people) {
      registry.find(person);
    }
    assertThat(connections).hasValue(people.size());
  }

  @Test
  void aWriteWhoseCommitWasNotHeardOfIsSeenAllTheSame() throws SQLException {
    registry.write(consent(ID, KARI));
    registry.find(KARI);
    afterCommit =
        () -> {
          afterCommit = () -> {};
          throw new SQLException("the line is broken", "08006");
        };
    assertThatThrownBy(() -> registry.write(Consents.at(2, consent(ID, KARI))))
        .isInstanceOf(SQLException.class);
    assertThat(registry.find(KARI)).extracting(ConsentFact::version).containsExactly(2);
  }

  @Test
  void aVersionIsFoundByItsNumberAndAnUnknownOneIsNot() throws SQLException {
    Consent first = consent(ID, KARI);
    registry.write(first);
    registry.withdraw(ID, 1, Captured.SPOKEN);
    try (Connection c = database.getConnection()) {
      assertThat(registry.recorded(c, ID, 1)).contains(first);
      assertThat(registry.recorded(c, ID, 2)).contains(first.withdrawn(Captured.SPOKEN));
      assertThat(registry.recorded(c, ID, 3)).isEmpty();
      assertThat(registry.recorded(c, SECOND, 1)).isEmpty();
    }
  }

  @Test
  void aConflictTellsWhetherReadingAgainHelps() throws SQLException {
    registry.write(consent(ID, KARI));
    assertThatThrownBy(() -> registry.withdraw(ID, 7, Captured.SPOKEN))
        .isInstanceOfSatisfying(
            ConsentConflictException.class, e -> assertThat(e.stale()).isTrue());
    assertThatThrownBy(() -> registry.lift(ID, 1, NOW, Captured.PAPER))
        .isInstanceOfSatisfying(
            ConsentConflictException.class, e -> assertThat(e.stale()).isFalse());
    Consent takingPart = Consents.at(2, Consents.takingPart(ID, KARI, "FOLLOW_UP", NOW));
    assertThatThrownBy(() -> registry.write(takingPart))
        .as("another kind")
        .isInstanceOfSatisfying(
            ConsentConflictException.class, e -> assertThat(e.stale()).isFalse());
  }

  @Test
  void whoWaitsForAnotherWriterOfTheSameVersionIsToldThatItIsTaken() throws Exception {
    registry.write(consent(ID, KARI));
    for (boolean same : new boolean[] {false, true}) {
      int version = registry.versions(ID).size() + 1;
      Consent mine = Consents.at(version, consent(ID, KARI));
      Consent theirs =
          same
              ? mine
              : Consents.at(
                  version, Consents.given(ID, KARI, "RIGHTS", Set.of(), Set.of(), NOW, null));
      try (Connection first = database.getConnection();
          ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        first.setAutoCommit(false);
        ConsentRegistry.Change change = registry.write(first, mine);
        Future<ConsentFact> second = threads.submit(() -> registry.write(theirs));
        await().until(ConsentRegistryTest::somebodyWaits);
        first.commit();
        registry.committed(change);
        if (same) {
          assertThat(second.get()).isEqualTo(mine.fact());
        } else {
          assertThatThrownBy(second::get)
              .cause()
              .isInstanceOfSatisfying(
                  ConsentConflictException.class,
                  e -> assertThat(e.currentVersion()).isEqualTo(version));
        }
      }
      assertThat(registry.find(KARI)).containsExactly(mine.fact());
    }
  }

  private static boolean somebodyWaits() throws SQLException {
    try (Connection c = database.getConnection();
        Statement s = c.createStatement();
        ResultSet rows =
            s.executeQuery(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                    + " AND query LIKE 'INSERT INTO consent%'")) {
      rows.next();
      return rows.getInt(1) > 0;
    }
  }

  private static Consent consent(UUID id, Pseudonym subject) {
    return Consents.given(id, subject, "FOLLOW_UP", Set.of(OT), Set.of(), NOW, null);
  }

  private static Consent block(UUID id, Pseudonym subject) {
    return Consents.block(id, subject, "*", NOW);
  }

  private static int rows() throws SQLException {
    try (Connection c = database.getConnection();
        Statement s = c.createStatement();
        ResultSet rows = s.executeQuery("SELECT count(*) FROM consent")) {
      rows.next();
      return rows.getInt(1);
    }
  }

  /** Counts connections, and lets a test act between the last read and the end of a look-up. */
  private DataSource watched(DataSource real) {
    return (DataSource)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, args) -> {
              if (!method.getName().equals("getConnection")) {
                return method.invoke(real, args);
              }
              connections.incrementAndGet();
              open.incrementAndGet();
              Connection connection = real.getConnection();
              connection.setAutoCommit(autoCommit);
              return watched(connection);
            });
  }

  private Connection watched(Connection real) {
    return (Connection)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, args) -> {
              if (method.getName().equals("commit")) {
                commits.incrementAndGet();
              }
              if (method.getName().equals("close")) {
                beforeClose.run();
                assertThat(real.getAutoCommit()).isEqualTo(autoCommit);
                open.decrementAndGet();
              }
              try {
                Object result = method.invoke(real, args);
                if (method.getName().equals("commit")) {
                  afterCommit.end();
                }
                return result;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
