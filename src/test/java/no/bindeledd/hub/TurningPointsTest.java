package no.bindeledd.hub;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import javax.sql.DataSource;
import no.bindeledd.consent.Consents;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.fault.Letters;
import no.bindeledd.fault.Parts;
import no.bindeledd.gate.Gate;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Outcome;
import org.awaitility.Awaitility;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is held is judged again when time alone has changed the facts. */
class TurningPointsTest {
  private static final String FIFTEEN = "12831161076";

  private static EmbeddedPostgres postgres;
  private static DataSource database;

  private Parts parts;
  private TurningPoints turning;

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
  void open(@TempDir Path folder) throws Exception {
    Parts.empty(database);
    parts = new Parts(folder, database, Letters.REFERRAL);
    turning = new TurningPoints(parts.consents, parts.held, parts.clock);
  }

  @AfterEach
  void close() throws Exception {
    parts.close();
  }

  @Test
  void whatWaitsForAConsentThatBeginsLaterIsReleasedWhenItBegins() throws SQLException {
    Instant begins = Parts.NOW.plusSeconds(3_600);
    consent(parts.pseudonym(1), begins);
    assertThat(receive(Letters.referral(1, 1))).isEqualTo(Outcome.HELD);

    pass(begins.minusMillis(1));
    assertThat(held()).isEqualTo(1);
    pass(begins);
    assertThat(held()).isZero();
    assertThat(released()).isEqualTo(1);
  }

  @Test
  void whoTurnsSixteenAtMidnightInOsloConsentsAloneFromThen() throws Exception {
    Pseudonym youth =
        parts
            .secrets
            .pseudonymizer()
            .pseudonym((NationalId) NationalId.parse(FIFTEEN, Numbers.SYNTHETIC_ONLY));
    consent(youth, Parts.NOW);
    String referral =
        Files.readString(Path.of("routes/ips-referral/samples/fifteen-years-old/input.hl7"));
    byte[] body = referral.getBytes(StandardCharsets.UTF_8);
    assertThat(receive(new Gate.Arrival(new InputFormat.Raw(body, null, null), null)))
        .isEqualTo(Outcome.HELD);

    pass(Instant.parse("2027-03-10T23:00:00Z"));
    pass(Instant.parse("2027-03-11T22:59:59Z"));
    assertThat(held()).as("the last second of fifteen, in winter time").isEqualTo(1);
    pass(Instant.parse("2027-03-11T23:00:00Z"));
    assertThat(held()).isZero();
    assertThat(released()).isEqualTo(1);
  }

  @Test
  void anHourWithoutATurningPointAsksForNothing() throws SQLException {
    receive(Letters.referral(1, 1));
    long entries = Parts.count(database, "SELECT count(*) FROM audit_entry");
    pass(Parts.NOW.plusSeconds(3_600));
    assertThat(Parts.count(database, "SELECT count(*) FROM audit_entry")).isEqualTo(entries);
    assertThat(held()).isEqualTo(1);
  }

  private void pass(Instant at) {
    parts.now.set(at);
    turning.pass();
    Awaitility.await().atMost(Duration.ofSeconds(20)).until(parts.held::idle);
  }

  private void consent(Pseudonym person, Instant from) throws SQLException {
    parts.consents.write(
        Consents.given(
            UUID.randomUUID(), person, "EMPLOYMENT_SUPPORT", Set.of(), Set.of(), from, null));
  }

  private Outcome receive(Gate.Arrival arrival) {
    return parts
        .gate
        .receive(parts.exchange(Letters.REFERRAL), parts.caller(Letters.REFERRAL), List.of(arrival))
        .getFirst()
        .outcome();
  }

  private static long held() throws SQLException {
    return Parts.count(database, "SELECT count(*) FROM held");
  }

  private static long released() throws SQLException {
    return Parts.count(database, "SELECT count(*) FROM outbox WHERE state = 'PENDING'");
  }
}
