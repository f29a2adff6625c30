package no.bindeledd.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.sql.DataSource;
import no.bindeledd.consent.Consents;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.fault.Letters;
import no.bindeledd.fault.Parts;
import no.bindeledd.fault.RealDatabase;
import no.bindeledd.fault.Recipient;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.Deliverers;
import no.bindeledd.gate.Gate;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Outcome;
import no.bindeledd.policy.PolicyPack;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is held is judged again when time alone has changed the facts. */
class TurningPointsTest {
  private static final String FIFTEEN = "12831161076";
  private static final String SEVENTEEN = "14830851160";
  private static final String ACCEPTED = "ips-accepted";
  private static final Path RULES = Path.of("policies");

  /** The first second of the day after {@link Parts#NOW} in Oslo, in summer time. */
  private static final Instant MIDNIGHT = Instant.parse("2026-09-01T22:00:00Z");

  private static final DataSource database = RealDatabase.source();

  private Parts parts;
  private TurningPoints turning;

  @BeforeEach
  void open(@TempDir Path folder) throws Exception {
    Parts.empty(database);
    parts = new Parts(folder, database, Letters.REFERRAL, ACCEPTED);
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
    consent(pseudonym(FIFTEEN), Parts.NOW);
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
  void whoTurnsEighteenAtMidnightInOsloConsentsAloneToTakingPartFromThen() throws Exception {
    parts.consents.write(
        Consents.takingPart(
            UUID.randomUUID(), pseudonym(SEVENTEEN), "EMPLOYMENT_SUPPORT", Parts.NOW));
    byte[] accepted =
        Files.readAllBytes(Path.of("routes/ips-accepted/samples/eighteen-tomorrow/input.json"));
    assertThat(receive(ACCEPTED, new Gate.Arrival(new InputFormat.Raw(accepted, null, null), null)))
        .isEqualTo(Outcome.HELD);

    pass(MIDNIGHT.minusMillis(1));
    assertThat(held()).as("the last moment of seventeen, in summer time").isEqualTo(1);
    pass(MIDNIGHT);
    assertThat(held()).isZero();
    assertThat(released()).isEqualTo(1);
  }

  @Test
  void whatWaitsUnderAnAgreementThatLapsesIsRefusedTheDayAfterItsLast(@TempDir Path rules)
      throws Exception {
    use(
        rules,
        "agreements/health-nav.yaml",
        "valid: {from: 2018-01-01}",
        "valid: {from: 2018-01-01, to: 2026-09-01}");
    assertThat(receive(Letters.referral(1, 1))).isEqualTo(Outcome.HELD);

    pass(MIDNIGHT.minusMillis(1));
    assertThat(held()).as("its last day").isEqualTo(1);
    pass(MIDNIGHT);
    assertThat(held()).isZero();
    assertThat(released()).isZero();
    assertThat(told()).containsExactly("REFUSED NO_AGREEMENT");

    consent(parts.pseudonym(1), MIDNIGHT);
    pass(MIDNIGHT.plusSeconds(60));
    assertThat(released()).as("a consent that comes too late brings nothing back").isZero();
  }

  @Test
  void whatWaitsForAConsentThatANewLawDoesNotAskForIsReleasedWhenItComesIntoForce(
      @TempDir Path rules) throws Exception {
    use(
        rules,
        "legal-bases/health-to-nav.yaml",
        "",
        """
        - id: new-act
          version: 1
          statute: Ny lov § 1
          text: {nb: Henvisning krever ikke samtykke., en: A referral needs no consent.}
          status: [{state: PROPOSED, from: 2026-01-01, to: 2026-09-01}, {state: IN_FORCE, from: 2026-09-02}]
          senders: [HEALTH]
          receivers: [NAV]
          purposes: [EMPLOYMENT_SUPPORT]
          categories: [IDENTITY, NAME, CONTACT, HEALTH_REFERRAL]
          confidentialityRelease: {nb: Loven., en: The act.}
          gdprBasis: {article6: 6(1)(e), article9: 9(2)(h)}
          consent: NONE
          necessity: {nb: Nødvendig., en: Necessary.}
          source: test
        """);
    assertThat(receive(Letters.referral(1, 1))).isEqualTo(Outcome.HELD);

    pass(MIDNIGHT.minusMillis(1));
    assertThat(held()).as("only proposed").isEqualTo(1);
    pass(MIDNIGHT);
    assertThat(held()).isZero();
    assertThat(released()).isEqualTo(1);
  }

  @Test
  void whatWaitsUnderALawThatLapsesIsRefusedTheDayAfterItsLast(@TempDir Path rules)
      throws Exception {
    use(
        rules,
        "legal-bases/health-to-nav.yaml",
        "status:\n    - {state: IN_FORCE, from: 2001-01-01}",
        "status:\n    - {state: IN_FORCE, from: 2001-01-01, to: 2026-09-01}");
    assertThat(receive(Letters.referral(1, 1))).isEqualTo(Outcome.HELD);

    pass(MIDNIGHT.minusMillis(1));
    assertThat(held()).as("its last day").isEqualTo(1);
    pass(MIDNIGHT);
    assertThat(held()).isZero();
    assertThat(told()).containsExactly("REFUSED NO_BASIS");
  }

  @Test
  void whatWasReleasedAndNotDeliveredIsStoppedAtTheDoorOnceItsAgreementHasLapsed(
      @TempDir Path rules) throws Exception {
    use(
        rules,
        "agreements/health-nav.yaml",
        "valid: {from: 2018-01-01}",
        "valid: {from: 2018-01-01, to: 2026-09-01}");
    consent(parts.pseudonym(1), Parts.NOW);
    assertThat(receive(Letters.referral(1, 1))).isEqualTo(Outcome.RELEASED);
    parts.now.set(MIDNIGHT);
    Recipient nav = new Recipient(false);
    parts.deliverers.attach(new Deliverers.Way(Letters.REFERRAL, "nav"), nav);
    parts.deliver(1);

    Awaitility.await().atMost(Duration.ofSeconds(20)).until(() -> waiting() == 0);
    assertThat(nav.size()).isZero();
    assertThat(told()).containsExactly("REFUSED NO_AGREEMENT");
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

  private Pseudonym pseudonym(String number) {
    return parts
        .secrets
        .pseudonymizer()
        .pseudonym((NationalId) NationalId.parse(number, Numbers.SYNTHETIC_ONLY));
  }

  /** The shipped rules with one file changed: a text replaced, or, when it is empty, added. */
  private void use(Path folder, String file, String old, String replacement) throws IOException {
    try (Stream<Path> shipped = Files.walk(RULES)) {
      for (Path from : shipped.filter(Files::isRegularFile).toList()) {
        Path to = folder.resolve(RULES.relativize(from).toString());
        Files.createDirectories(to.getParent());
        Files.copy(from, to);
      }
    }
    Path changed = folder.resolve(file);
    String text = Files.readString(changed);
    assertThat(text).contains(old);
    Files.writeString(
        changed,
        old.isEmpty()
            ? text + "\n" + replacement
            : text.replaceFirst(Pattern.quote(old), replacement));
    PolicyPack pack = PolicyPack.read(folder);
    parts.catalogue.change(now -> new Catalogue.Edition(now.exchanges(), pack));
  }

  private Outcome receive(Gate.Arrival arrival) {
    return receive(Letters.REFERRAL, arrival);
  }

  private Outcome receive(String exchange, Gate.Arrival arrival) {
    return parts
        .gate
        .receive(parts.exchange(exchange), parts.caller(exchange), List.of(arrival))
        .getFirst()
        .outcome();
  }

  /** How the message stands now, to whoever asks. */
  private static List<String> told() throws SQLException {
    List<String> told = new ArrayList<>();
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery("SELECT outcome || ' ' || reason FROM envelope ORDER BY 1")) {
      while (rows.next()) {
        told.add(rows.getString(1));
      }
    }
    return told;
  }

  private static long waiting() throws SQLException {
    return Parts.count(database, "SELECT count(*) FROM outbox");
  }

  private static long held() throws SQLException {
    return Parts.count(database, "SELECT count(*) FROM held");
  }

  private static long released() throws SQLException {
    return Parts.count(
        database,
        "SELECT (SELECT count(*) FROM outbox WHERE state = 'PENDING')"
            + " + (SELECT coalesce(sum(waiting), 0) FROM parcel)");
  }
}
