package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.Period;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import javax.sql.DataSource;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ContractReader;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.DecidedFacts.Decided;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.Decision;
import no.bindeledd.policy.Facts;
import no.bindeledd.policy.HumanAct;
import no.bindeledd.policy.Outcome;
import no.bindeledd.policy.PolicyPack;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What was decided on is kept encrypted, and decides the same again, or what other rules say. */
class DecisionReplayTest {
  private static final Instant AT = Instant.parse("2026-09-01T10:00:00.123456Z");
  private static final Pseudonym SUBJECT = new Pseudonym("0123456789abcdef0123456789abcdef");
  private static final PolicyPack SHIPPED = PolicyPack.read(Path.of("policies"));
  private static final Contract DROPOUT =
      new ContractReader().read(Path.of("routes/dropout-notice"));
  private static final Contract RIGHTS = new ContractReader().read(Path.of("routes/rights-query"));
  private static final Map<String, Contract> CONTRACTS =
      Map.of(DROPOUT.id(), DROPOUT, RIGHTS.id(), RIGHTS);

  @Test
  void everyFactSurvivesBeingWrittenAndReadButWhoItWas() {
    Facts facts =
        facts(
            LocalDate.of(2009, 3, 14),
            List.of(
                new ConsentFact(
                    "c1",
                    3,
                    ConsentFact.Kind.PARTICIPATION,
                    ConsentFact.State.GIVEN,
                    ConsentFact.Grantors.BOTH_GUARDIANS,
                    "FOLLOW_UP",
                    Set.of("311000004"),
                    Set.of("311013572"),
                    Set.of("ABSENCE"),
                    AT.minusSeconds(10),
                    AT.plusSeconds(10))),
            new Protection(AddressGrade.FORTROLIG, true),
            List.of(
                new HumanAct(
                    "a1", HumanAct.Kind.OVERRIDE, 2, AT.minusSeconds(1), AT.plusSeconds(1))),
            Map.of("trinn", 2L, "andel", 0.5, "aktiv", true, "kode", "X"));
    Decided decided = decided(facts, "ot");

    byte[] bytes = DecidedFacts.write(List.of(decided, decided));
    List<Decided> read = DecidedFacts.read(bytes);

    assertThat(read).hasSize(2);
    Facts again = read.getFirst().facts();
    assertThat(again.subject()).isNotNull().isNotEqualTo(SUBJECT);
    assertThat(new String(bytes, java.nio.charset.StandardCharsets.UTF_8))
        .doesNotContain(SUBJECT.value());
    assertThat(withSubject(again)).isEqualTo(facts);
    assertThat(read.getFirst().outcome()).isEqualTo(decided.outcome());
    assertThat(read.getFirst().withheld()).isEqualTo(decided.withheld());
    assertThat(read.getFirst().view()).isEqualTo("ot");
  }

  @Test
  void whatIsKeptIsEncryptedAndGoesWhenItsTimeIsUp(@TempDir Path folder)
      throws SQLException, IOException {
    try (EmbeddedPostgres postgres = EmbeddedPostgres.builder().start()) {
      DataSource database = postgres.getPostgresDatabase();
      Flyway.configure().dataSource(database).locations("classpath:db/migration").load().migrate();
      DecisionArchive archive =
          new DecisionArchive(Vault.createIfMissing(folder.resolve("vault.json")));
      Decided one = decided(facts(LocalDate.of(2009, 3, 14)), "ot");
      try (Connection connection = database.getConnection()) {
        archive.write(
            connection,
            List.of(
                new DecisionArchive.Kept(one, Period.ofYears(1)),
                new DecisionArchive.Kept(one, Period.ofYears(1)),
                new DecisionArchive.Kept(one, Period.ofYears(10))));
        try (ResultSet rows =
            connection
                .createStatement()
                .executeQuery("SELECT decisions, facts FROM decision_facts ORDER BY keep_until")) {
          rows.next();
          assertThat(rows.getInt(1)).isEqualTo(2);
          assertThat(HexFormat.of().formatHex(rows.getBytes(2)))
              .doesNotContain(HexFormat.of().formatHex("2009-03-14".getBytes()));
          rows.next();
          assertThat(rows.getInt(1)).isEqualTo(1);
        }
      }
      assertThat(read(archive, database, AT, AT.plusSeconds(1))).hasSize(3);
      assertThat(read(archive, database, AT.plusNanos(1_000), AT.plusSeconds(1))).isEmpty();
      assertThat(read(archive, database, AT.minusSeconds(1), AT)).isEmpty();
      Instant lastDay = Instant.parse("2027-09-01T23:00:00Z");
      assertThat(DecisionArchive.removeExpired(database, lastDay)).isZero();
      assertThat(DecisionArchive.removeExpired(database, lastDay.plusSeconds(3600))).isEqualTo(1);
      assertThat(read(archive, database, AT, AT.plusSeconds(1))).hasSize(1);
    }
  }

  @Test
  void underTheSameRulesNothingChanges() {
    DecisionReplay replay = new DecisionReplay(CONTRACTS, SHIPPED);
    for (Decided decided : DecidedFacts.read(DecidedFacts.write(many()))) {
      replay.take(decided);
    }
    assertThat(replay.replayed()).isEqualTo(4);
    assertThat(replay.unknown()).isZero();
    assertThat(replay.changes()).isEmpty();
  }

  @Test
  void underAnotherLawEachChangeIsCountedPerExchangeAndOutcome(@TempDir Path folder)
      throws IOException {
    Path other = copyOfPolicies(folder);
    Path file = other.resolve("legal-bases/school-to-ot.yaml");
    Files.writeString(
        file,
        Files.readString(file)
            .replace(
                "- {state: IN_FORCE, from: 2024-08-01}", "- {state: LAPSED, from: 2024-08-01}"));
    DecisionReplay replay = new DecisionReplay(CONTRACTS, PolicyPack.read(other));
    many().forEach(replay::take);
    assertThat(replay.inOrder())
        .extracting(
            e ->
                e.getKey().exchange()
                    + " "
                    + e.getKey().recipient()
                    + " "
                    + e.getKey().was().outcome()
                    + " -> "
                    + e.getKey().wouldBe().reason()
                    + " x"
                    + e.getValue())
        .containsExactly("dropout-notice ot REDUCED -> AWAITING_CONSENT x2");
  }

  @Test
  void aFieldMoreOrLessIsAChangeTooAndAnExchangeThatIsGoneIsToldOf(@TempDir Path folder)
      throws IOException {
    Path other = copyOfPolicies(folder);
    Path file = other.resolve("agreements/school-ot.yaml");
    Files.writeString(
        file,
        Files.readString(file)
            .replace(
                "[IDENTITY, NAME, CONTACT, ENROLMENT_END, PROGRAMME, SCHOOL_UNIT, ABSENCE]",
                "[IDENTITY, NAME, ENROLMENT_END, PROGRAMME, SCHOOL_UNIT, ABSENCE]"));
    DecisionReplay replay =
        new DecisionReplay(Map.of(DROPOUT.id(), DROPOUT), PolicyPack.read(other));
    many().forEach(replay::take);
    assertThat(replay.unknown()).isEqualTo(1);
    assertThat(replay.inOrder()).hasSize(1);
    assertThat(replay.inOrder().getFirst().getKey().fields()).isTrue();
    assertThat(replay.inOrder().getFirst().getValue()).isEqualTo(2);
  }

  /** Two notices within the target group, one outside it, and one answer. */
  private static List<Decided> many() {
    Facts answer =
        new Facts(
            RIGHTS.id(),
            RIGHTS.purpose(),
            new OrganisationNumber("311108565"),
            AgencyKind.OT,
            new OrganisationNumber("311067850"),
            AgencyKind.NAV,
            SUBJECT,
            Protection.NONE,
            List.of(),
            null,
            Map.of(),
            AT);
    Facts young = facts(LocalDate.of(2009, 3, 14));
    return List.of(
        decided(young, "ot"),
        decided(young, "ot"),
        decided(facts(LocalDate.of(1990, 3, 14)), "ot"),
        decided(answer, null));
  }

  private static Decided decided(Facts facts, @Nullable String view) {
    Contract contract = view == null ? RIGHTS : DROPOUT;
    Decision decision =
        SHIPPED.decide(
            contract,
            view == null
                ? java.util.Objects.requireNonNull(contract.answer())
                : contract.recipient(view).orElseThrow().view(),
            facts);
    assertThat(decision.outcome()).isNotEqualTo(Outcome.DEIDENTIFIED);
    return new Decided(
        facts, view, decision.outcome(), decision.grounds().reason(), decision.withheldFields());
  }

  private static Facts facts(LocalDate born) {
    return facts(born, List.of(), Protection.NONE, List.of(), Map.of());
  }

  private static Facts facts(
      LocalDate born,
      List<ConsentFact> consents,
      Protection protection,
      List<HumanAct> acts,
      Map<String, Object> attributes) {
    return new Facts(
        DROPOUT.id(),
        DROPOUT.purpose(),
        new OrganisationNumber("311000004"),
        AgencyKind.SCHOOL,
        new OrganisationNumber("311013572"),
        AgencyKind.OT,
        SUBJECT,
        protection,
        consents,
        born,
        attributes,
        acts,
        AT);
  }

  private static Facts withSubject(Facts f) {
    return new Facts(
        f.exchange(),
        f.purpose(),
        f.sender(),
        f.senderKind(),
        f.receiver(),
        f.receiverKind(),
        SUBJECT,
        f.protection(),
        f.consents(),
        f.birthDate(),
        f.attributes(),
        f.acts(),
        f.at());
  }

  private static List<Decided> read(
      DecisionArchive archive, DataSource database, Instant from, Instant to) throws SQLException {
    List<Decided> found = new ArrayList<>();
    archive.read(database, from, to, found::add);
    return found;
  }

  private static Path copyOfPolicies(Path folder) throws IOException {
    Path shipped = Path.of("policies");
    try (Stream<Path> files = Files.walk(shipped)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Path target = folder.resolve("policies").resolve(shipped.relativize(file).toString());
        Files.createDirectories(target.getParent());
        Files.copy(file, target);
      }
    }
    return folder.resolve("policies");
  }
}
