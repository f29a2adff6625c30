package no.bindeledd.person;

import static no.bindeledd.person.AddressGrade.FORTROLIG;
import static no.bindeledd.person.AddressGrade.STRENGT_FORTROLIG;
import static no.bindeledd.person.AddressGrade.STRENGT_FORTROLIG_UTLAND;
import static no.bindeledd.person.AddressGrade.UGRADERT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ProtectionRegistryTest {
  private static final Pseudonym KARI = new Pseudonym("0".repeat(32));
  private static final Pseudonym OLA = new Pseudonym("1".repeat(32));

  private static EmbeddedPostgres postgres;
  private static DataSource database;

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
    execute("DELETE FROM protection");
  }

  @Test
  void nobodyIsProtectedUntilSomebodySaysSo() throws SQLException {
    ProtectionRegistry registry = new ProtectionRegistry(database);
    assertThat(registry.of(KARI)).isEqualTo(Protection.NONE);
    assertThat(registry.size()).isZero();
  }

  @Test
  void aProtectionCountsAtOnceAndForEveryInstanceThatStartsLater() throws SQLException {
    ProtectionRegistry registry = new ProtectionRegistry(database);
    registry.put(KARI, new Protection(STRENGT_FORTROLIG, false));
    registry.put(OLA, new Protection(UGRADERT, true));
    assertThat(registry.of(KARI)).isEqualTo(new Protection(STRENGT_FORTROLIG, false));

    ProtectionRegistry later = new ProtectionRegistry(database);
    assertThat(later.of(KARI)).isEqualTo(new Protection(STRENGT_FORTROLIG, false));
    assertThat(later.of(OLA)).isEqualTo(new Protection(UGRADERT, true));
    assertThat(later.size()).isEqualTo(2);
  }

  @Test
  void aNewProtectionReplacesTheOldOneAndNoneEndsIt() throws SQLException {
    ProtectionRegistry registry = new ProtectionRegistry(database);
    registry.put(KARI, new Protection(FORTROLIG, false));
    registry.put(KARI, new Protection(STRENGT_FORTROLIG_UTLAND, true));
    assertThat(registry.of(KARI)).isEqualTo(new Protection(STRENGT_FORTROLIG_UTLAND, true));

    registry.put(KARI, Protection.NONE);
    assertThat(registry.of(KARI)).isEqualTo(Protection.NONE);
    assertThat(new ProtectionRegistry(database).size()).isZero();
  }

  @Test
  void aReloadTakesOverWhatOthersWrote() throws SQLException {
    ProtectionRegistry here = new ProtectionRegistry(database);
    ProtectionRegistry there = new ProtectionRegistry(database);
    here.put(OLA, new Protection(FORTROLIG, false));
    there.put(KARI, new Protection(FORTROLIG, false));
    there.put(OLA, Protection.NONE);
    assertThat(here.of(KARI)).isEqualTo(Protection.NONE);
    here.reload();
    assertThat(here.of(KARI)).isEqualTo(new Protection(FORTROLIG, false));
    assertThat(here.of(OLA)).isEqualTo(Protection.NONE);
  }

  @Test
  void aProtectionStandsOrFallsWithTheTransactionItIsWrittenIn() throws SQLException {
    ProtectionRegistry registry = new ProtectionRegistry(database);
    try (Connection connection = database.getConnection()) {
      connection.setAutoCommit(false);
      registry.write(connection, KARI, new Protection(FORTROLIG, false), 1);
      connection.rollback();
      assertThat(new ProtectionRegistry(database).size()).isZero();
      ProtectionRegistry.Change change =
          registry.write(connection, KARI, new Protection(FORTROLIG, false), 2);
      assertThat(registry.of(KARI)).as("not yet committed").isEqualTo(Protection.NONE);
      connection.commit();
      registry.committed(change);
    }
    assertThat(registry.of(KARI)).isEqualTo(new Protection(FORTROLIG, false));
    assertThat(new ProtectionRegistry(database).of(KARI))
        .isEqualTo(new Protection(FORTROLIG, false));
  }

  @Test
  void ofTwoChangesTheLaterOneStaysInWhateverOrderTheyAreHeardOf() throws SQLException {
    ProtectionRegistry registry = new ProtectionRegistry(database);
    try (Connection connection = database.getConnection()) {
      ProtectionRegistry.Change first = registry.write(connection, KARI, Protection.NONE, 7);
      ProtectionRegistry.Change second =
          registry.write(connection, KARI, new Protection(STRENGT_FORTROLIG, false), 8);
      registry.committed(second);
      registry.committed(first);
      assertThat(registry.of(KARI)).isEqualTo(new Protection(STRENGT_FORTROLIG, false));
      registry.committed(registry.write(connection, KARI, Protection.NONE, 9));
      assertThat(registry.of(KARI)).isEqualTo(Protection.NONE);
    }
  }

  @Test
  void aGradeOfANewerVersionIsTakenAsTheStrictest() throws SQLException {
    execute("INSERT INTO protection VALUES (decode('" + KARI + "', 'hex'), 'NY_GRAD', false)");
    assertThat(new ProtectionRegistry(database).of(KARI).grade())
        .isEqualTo(STRENGT_FORTROLIG_UTLAND);
  }

  @Test
  void withTheDatabaseDownNothingChangesAndWhatIsKnownStays() throws Exception {
    try (EmbeddedPostgres failing = EmbeddedPostgres.builder().start()) {
      DataSource down = failing.getPostgresDatabase();
      Flyway.configure().dataSource(down).locations("classpath:db/migration").load().migrate();
      ProtectionRegistry registry = new ProtectionRegistry(down);
      registry.put(KARI, new Protection(FORTROLIG, false));
      failing.close();
      assertThatThrownBy(() -> registry.put(KARI, Protection.NONE))
          .isInstanceOf(SQLException.class);
      assertThatThrownBy(registry::reload).isInstanceOf(SQLException.class);
      assertThat(registry.of(KARI)).isEqualTo(new Protection(FORTROLIG, false));
    }
  }

  private static void execute(String sql) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }
}
