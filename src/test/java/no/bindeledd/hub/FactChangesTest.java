package no.bindeledd.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import no.bindeledd.audit.Shard;
import no.bindeledd.consent.Captured;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.consent.Consents;
import no.bindeledd.fault.Parts;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import no.bindeledd.person.ProtectionRegistry;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact.State;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What one instance records, the others know as soon as they look. */
@SuppressWarnings("NullAway.Init")
class FactChangesTest {
  private static final Instant NOW = Parts.NOW;
  private static final Pseudonym ANNA = new Pseudonym("%032x".formatted(7));
  private static final Pseudonym BIRK = new Pseudonym("%032x".formatted(8));

  private static EmbeddedPostgres postgres;
  private static DataSource database;

  private final Instance one = new Instance(Shard.FIRST);
  private final Instance two = new Instance(new Shard(1));

  /** The registries of one hub. */
  private static final class Instance {
    final ConsentRegistry consents = new ConsentRegistry(database, () -> NOW);
    final ProtectionRegistry protections;
    final FactChanges changes;

    Instance(Shard shard) {
      try {
        protections = new ProtectionRegistry(database);
        HumanActs acts =
            new HumanActs(
                database,
                no.bindeledd.person.Secrets.openOrCreate(
                        java.nio.file.Files.createTempDirectory("fact-changes-"))
                    .vault(),
                InstantSource.system());
        changes = new FactChanges(database, shard, consents, protections, acts);
      } catch (SQLException | IOException e) {
        throw new IllegalStateException(e);
      }
    }

    State state(Pseudonym person) throws SQLException {
      return consents.find(person).getFirst().state();
    }
  }

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
    Parts.empty(database);
  }

  private UUID given(Instance at, Pseudonym person) throws SQLException {
    UUID id = UUID.randomUUID();
    at.consents.write(
        Consents.given(
            id, person, "EMPLOYMENT_SUPPORT", Set.of(), Set.of(), NOW.minusSeconds(60), null));
    return id;
  }

  @Test
  void aWithdrawalAtOneIsKnownAtTheOther() throws SQLException {
    UUID id = given(one, ANNA);
    two.changes.catchUp();
    assertThat(two.state(ANNA)).isEqualTo(State.GIVEN); // and cached from now on
    one.consents.withdraw(id, 1, Captured.SPOKEN);
    two.changes.catchUp();
    assertThat(two.state(ANNA)).isEqualTo(State.WITHDRAWN);
  }

  @Test
  void whatEndsLaterThanItBeganIsNotMissed() throws SQLException {
    UUID id = given(one, ANNA);
    given(one, BIRK);
    two.changes.catchUp();
    assertThat(two.state(ANNA)).isEqualTo(State.GIVEN);
    try (Connection slow = database.getConnection()) {
      slow.setAutoCommit(false);
      one.consents.write(slow, one.consents.withdrawal(slow, id, 1, Captured.SPOKEN));
      // Newer transactions end before it, and are seen.
      for (int i = 0; i < 3; i++) {
        given(one, BIRK);
        two.changes.catchUp();
        assertThat(two.consents.find(BIRK)).hasSize(i + 2);
        assertThat(two.state(ANNA)).isEqualTo(State.GIVEN);
      }
      slow.commit();
    }
    two.changes.catchUp();
    assertThat(two.state(ANNA)).isEqualTo(State.WITHDRAWN);
  }

  @Test
  void protectionAndItsEndAreKnownWhoeverWroteThem() throws SQLException {
    one.protections.put(ANNA, new Protection(AddressGrade.STRENGT_FORTROLIG, false));
    assertThat(two.protections.of(ANNA)).isEqualTo(Protection.NONE);
    two.changes.catchUp();
    assertThat(two.protections.of(ANNA).grade()).isEqualTo(AddressGrade.STRENGT_FORTROLIG);
    try (Connection connection = database.getConnection();
        Statement byHand = connection.createStatement()) {
      byHand.execute("DELETE FROM protection");
    }
    two.changes.catchUp();
    assertThat(two.protections.of(ANNA)).isEqualTo(Protection.NONE);
  }

  @Test
  void nobodyIsWaitedForBeforeTheHubIsWhole() {
    assertThat(one.changes.settled(ANNA, Duration.ZERO)).isFalse();
  }
}
