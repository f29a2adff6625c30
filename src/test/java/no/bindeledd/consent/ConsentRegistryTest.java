package no.bindeledd.consent;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
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
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.ConsentFact.State;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ConsentRegistryTest {
  private static final Pseudonym KARI = new Pseudonym("0123456789abcdeffedcba9876543210");
  private static final Pseudonym OLA = new Pseudonym("f".repeat(32));
  private static final UUID ID = UUID.fromString("00000000-0000-4000-8000-000000000001");
  private static final UUID SECOND = UUID.fromString("00000000-0000-4000-8000-000000000002");
  private static final Instant NOW = Instant.parse("2026-09-01T10:00:00Z");
  private static final String OT = "311013572";

  private static EmbeddedPostgres postgres;
  private static DataSource database;

  private final AtomicInteger connections = new AtomicInteger();
  private volatile Runnable beforeClose = () -> {};
  private ConsentRegistry registry;

  @BeforeAll
  static void start() throws IOException {
    postgres = EmbeddedPostgres.builder().start();
    database = postgres.getPostgresDatabase();
    Flyway.configure().dataSource(database).locations("classpath:db/migration").load().migrate();
  }

  @AfterAll
  static void stop() throws IOException {
    postgres.close();
  }

  @BeforeEach
  void empty() throws SQLException {
    registry = new ConsentRegistry(watched(database), InstantSource.fixed(NOW));
    try (Connection c = database.getConnection();
        Statement s = c.createStatement()) {
      s.execute("DELETE FROM consent");
    }
  }

  @Test
  void aConsentIsFoundAsItWasGiven() throws SQLException {
    ConsentFact given =
        registry.write(
            NewConsent.given(
                ID,
                KARI,
                "FOLLOW_UP",
                Set.of(OT),
                Set.of("ABSENCE", "NAME"),
                NOW,
                NOW.plusSeconds(60),
                "form 3, text 2"));
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
  void theLookUpCanUseTheIndexOnSubject() throws SQLException {
    try (Connection c = database.getConnection();
        Statement s = c.createStatement()) {
      c.setAutoCommit(false);
      s.execute("SET LOCAL enable_seqscan = off");
      StringBuilder plan = new StringBuilder();
      try (ResultSet rows =
          s.executeQuery(
              "EXPLAIN SELECT DISTINCT ON (id) id FROM consent"
                  + " WHERE subject = ANY (ARRAY['a'::bytea]) ORDER BY id, version DESC")) {
        while (rows.next()) {
          plan.append(rows.getString(1)).append('\n');
        }
      }
      c.rollback();
      assertThat(plan).contains("consent_subject");
    }
  }

  @Test
  void aWithdrawalIsSeenByTheNextLookUp() throws SQLException {
    registry.write(consent(ID, KARI));
    registry.find(KARI);
    ConsentFact withdrawn = registry.withdraw(ID, 1, "phone call");
    assertThat(withdrawn.reference()).isEqualTo(ID + "@2");
    assertThat(withdrawn.state()).isEqualTo(State.WITHDRAWN);
    assertThat(registry.find(KARI)).containsExactly(withdrawn);
  }

  @Test
  void aConsentCanBeGivenAgainAfterItsWithdrawal() throws SQLException {
    registry.write(consent(ID, KARI));
    registry.withdraw(ID, 1, "phone call");
    ConsentFact again = registry.write(made(2, consent(ID, KARI)));
    assertThat(again.version()).isEqualTo(3);
    assertThat(registry.find(KARI)).containsExactly(again);
  }

  @Test
  void aRepeatedRequestGetsTheFirstAnswerAndWritesNothing() throws SQLException {
    ConsentFact first = registry.write(consent(ID, KARI));
    assertThat(registry.write(consent(ID, KARI))).isEqualTo(first);
    ConsentFact withdrawn = registry.withdraw(ID, 1, "phone call");
    assertThat(registry.withdraw(ID, 1, "phone call")).isEqualTo(withdrawn);
    assertThat(registry.write(consent(ID, KARI))).isEqualTo(first);
    assertThat(rows()).isEqualTo(2);
    assertThat(registry.find(KARI)).containsExactly(withdrawn);
  }

  @Test
  void theSameIdWithOtherContentIsAConflict() throws SQLException {
    registry.write(consent(ID, KARI));
    NewConsent other =
        NewConsent.given(ID, KARI, "RIGHTS_QUERY", Set.of(), Set.of(), NOW, null, "form 3");
    assertThatThrownBy(() -> registry.write(other))
        .isInstanceOf(ConsentConflictException.class)
        .hasMessage(
            "The consent is at version 1, not 0; read it again and repeat the change on it");
  }

  @Test
  void aChangeOfAnOldVersionIsAConflictThatNamesTheCurrentOne() throws SQLException {
    registry.write(consent(ID, KARI));
    registry.withdraw(ID, 1, "phone call");
    assertThatThrownBy(() -> registry.withdraw(ID, 1, "letter"))
        .isInstanceOfSatisfying(
            ConsentConflictException.class, e -> assertThat(e.currentVersion()).isEqualTo(2));
    assertThatThrownBy(() -> registry.withdraw(ID, 7, "letter"))
        .hasMessage("The consent is at version 2, not 7; read it again");
    assertThatThrownBy(() -> registry.withdraw(SECOND, 1, "letter"))
        .hasMessage("There is no consent with this id; correct the id");
    assertThatThrownBy(() -> registry.write(made(1, consent(SECOND, KARI))))
        .hasMessage("There is no consent with this id; correct the id, or record it as version 0");
  }

  @Test
  void anIdStaysWithItsPersonAndItsKind() throws SQLException {
    registry.write(consent(ID, KARI));
    assertThatThrownBy(() -> registry.write(made(1, consent(ID, OLA))))
        .hasMessage("The id is in use for something else; choose a new id");
    assertThatThrownBy(() -> registry.write(made(1, block(ID, KARI))))
        .hasMessage("The id is in use for something else; choose a new id");
    assertThatThrownBy(() -> registry.lift(ID, 1, NOW, "letter"))
        .hasMessage("This is a consent, which is withdrawn and not lifted; withdraw it");
  }

  @Test
  void aLiftedBlockHasEndedAndIsNoWithdrawnConsent() throws SQLException {
    registry.write(block(ID, KARI));
    assertThatThrownBy(() -> registry.withdraw(ID, 1, "letter"))
        .hasMessage("This is a block, which is lifted and not withdrawn; lift it");
    ConsentFact lifted = registry.lift(ID, 1, NOW.plusSeconds(5), "letter");
    assertThat(lifted.state()).isEqualTo(State.BLOCKED);
    assertThat(lifted.validTo()).isEqualTo(NOW.plusSeconds(5));
    assertThat(registry.lift(ID, 1, NOW.plusSeconds(5), "letter")).isEqualTo(lifted);
  }

  @Test
  void onlyTheNewestVersionOfEachIdIsFound() throws SQLException {
    registry.write(consent(ID, KARI));
    registry.write(block(SECOND, KARI));
    registry.withdraw(ID, 1, "phone call");
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
            registry.withdraw(ID, 1, "phone call");
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
      assertThatThrownBy(() -> registry.write(c, made(5, consent(ID, KARI))))
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
    for (int i = 0; i < 8; i++) {
      String captured = "writer " + i;
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
    assertThatThrownBy(() -> registry.withdraw(ID, 4, "letter"))
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
  void aConsentThatMakesNoSenseIsNotAccepted() {
    assertThatThrownBy(() -> NewConsent.given(ID, KARI, "*", Set.of(), Set.of(), NOW, null, "form"))
        .hasMessage("purpose is '*', which only a block may have; name one purpose");
    assertThatThrownBy(
            () -> NewConsent.given(ID, KARI, "P", Set.of("1"), Set.of(), NOW, null, "form"))
        .hasMessage(
            "recipients holds something that is no organisation number; give nine digits each");
    Instant before = NOW.minusSeconds(1);
    assertThatThrownBy(
            () -> NewConsent.given(ID, KARI, "P", Set.of(), Set.of(), NOW, before, "form"))
        .hasMessage("validTo is before validFrom; give a later instant");
    assertThatThrownBy(() -> NewConsent.given(ID, KARI, "P", Set.of(), Set.of(), NOW, null, " "))
        .hasMessage("captured is empty; say how it was given");
  }

  private static NewConsent consent(UUID id, Pseudonym subject) {
    return NewConsent.given(
        id, subject, "FOLLOW_UP", Set.of(OT), Set.of(), NOW, null, "form 3, text 2");
  }

  private static NewConsent block(UUID id, Pseudonym subject) {
    return NewConsent.block(id, subject, "*", Set.of(), Set.of(), NOW, "letter");
  }

  /** The same, made from an earlier version. */
  private static NewConsent made(int expectedVersion, NewConsent c) {
    return new NewConsent(
        c.id(),
        expectedVersion,
        c.subject(),
        c.state(),
        c.purpose(),
        c.recipients(),
        c.categories(),
        c.validFrom(),
        c.validTo(),
        c.captured());
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
              return watched(real.getConnection());
            });
  }

  private Connection watched(Connection real) {
    return (Connection)
        Proxy.newProxyInstance(
            getClass().getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, args) -> {
              if (method.getName().equals("close")) {
                beforeClose.run();
              }
              try {
                return method.invoke(real, args);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}
