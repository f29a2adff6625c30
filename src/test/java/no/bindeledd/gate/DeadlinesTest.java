package no.bindeledd.gate;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import javax.sql.DataSource;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LogKey;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.fault.FragileDatabase;
import no.bindeledd.fault.Parts;
import no.bindeledd.fault.RealDatabase;
import no.bindeledd.hub.ExchangeFolders;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Pseudonymizer;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.Outcome;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The eight weeks of E06 and the one coordinating service of E18, with the shipped folders, a real
 * database and a clock that is moved.
 */
@Timeout(60)
@SuppressWarnings("NullAway.Init")
class DeadlinesTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final byte[] SECRET = "only synthetic people stand in these tests".getBytes(UTF_8);
  private static final String OFFICE = "311040715";

  private static final DataSource source = RealDatabase.source();
  private static Catalogue.Edition shipped;

  @TempDir Path folder;
  private FragileDatabase database;
  private Ledger ledger;
  private Journal journal;
  private Catalogue catalogue;
  private Gate gate;
  private Deadlines deadlines;
  private Instant now = oslo("2026-09-01T09:00");
  private final List<Outgoing> released = Collections.synchronizedList(new ArrayList<>());
  private final Set<Pseudonym> blocked = new HashSet<>();

  @BeforeAll
  static void start() {
    ExchangeFolders folders = new ExchangeFolders(Path.of("."));
    ExchangeFolders.Read read = folders.all(folders.codeLists());
    assertThat(read.problems()).isEmpty();
    shipped = new Catalogue.Edition(read.exchanges(), folders.pack());
  }

  @BeforeEach
  void open() throws Exception {
    Parts.empty(source);
    startHub();
  }

  @AfterEach
  void close() {
    journal.close();
    ledger.close();
  }

  private void startHub() throws Exception {
    database = new FragileDatabase(source);
    LogKey key = LogKey.open(folder.resolve("log.key"), "audit.example.no/bindeledd");
    ledger = Ledger.open(source, key, "audit.example.no/bindeledd", () -> now);
    Vault vault = Vault.createIfMissing(folder.resolve("vault.json"));
    journal = new Journal(database.source(), ledger, vault);
    journal.listen(
        new Journal.Listener() {
          @Override
          public void released(List<Outgoing> messages) {
            released.addAll(messages);
          }

          @Override
          public void uncertain() {}
        });
    StationTimes times = new StationTimes(new SimpleMeterRegistry());
    Judge judge =
        new Judge(new Pseudonymizer(SECRET), Numbers.SYNTHETIC_ONLY, vault, SECRET, times);
    catalogue = new Catalogue(shipped);
    FactSource facts = new Nothing();
    HeldMessages held =
        new HeldMessages(source, catalogue, judge, journal, facts, vault, () -> now, times);
    gate = new Gate(catalogue, judge, journal, facts, held, new Deliverers(), () -> now, times);
    deadlines = new Deadlines(source, gate, vault, () -> now);
  }

  @ParameterizedTest(name = "referred {0}, looked at {1}: {2}")
  @CsvSource({
    // Day 0 is 1 September. Day 49 is 20 October, day 56 is 27 October; summer time ends on the
    // 25th.
    "2026-09-01, 2026-10-19T23:59, ''",
    "2026-09-01, 2026-10-20T00:00, PAAMINNELSE",
    "2026-09-01, 2026-10-27T23:59, PAAMINNELSE",
    "2026-09-01, 2026-10-28T00:00, ESKALERING",
    // Summer time begins on 29 March 2027: day 49 of 16 February is 6 April, day 56 is 13 April.
    "2027-02-16, 2027-04-05T23:59, ''",
    "2027-02-16, 2027-04-06T00:00, PAAMINNELSE",
    "2027-02-16, 2027-04-13T23:59, PAAMINNELSE",
    "2027-02-16, 2027-04-14T00:00, ESKALERING",
  })
  void the_days_are_those_of_the_oslo_calendar(String referred, String at, String expected)
      throws Exception {
    now = oslo(referred + "T09:00");
    refer(1, referred);
    now = oslo(at);
    deadlines.send();
    assertThat(notices()).extracting(n -> n.path("type").asText()).isEqualTo(expected(expected));
  }

  @Test
  void first_the_office_is_warned_and_then_the_contact_of_the_agreement_hears_of_it()
      throws Exception {
    refer(1, "2026-09-01");
    now = oslo("2026-10-20T06:00");
    assertThat(deadlines.send()).isEqualTo(1);
    assertThat(deadlines.send()).isZero();
    now = oslo("2026-10-28T06:00");
    assertThat(deadlines.send()).isEqualTo(1);
    assertThat(deadlines.send()).isZero();
    assertThat(recipients()).containsExactly("nav-a", "nav");
    assertThat(notices())
        .allSatisfy(
            notice -> {
              assertThat(notice.path("referanse").asText()).isEqualTo("HENV-1");
              assertThat(notice.path("sisteDag").asText()).isEqualTo("2026-10-27");
              assertThat(notice.path("enhet").asText()).isEqualTo(OFFICE);
              assertThat(notice.toString()).doesNotContain(number(1));
            });
    assertThat(states()).containsExactly("ESCALATED");
  }

  @Test
  void an_answer_ends_it_and_only_the_right_one_does() throws Exception {
    refer(1, "2026-09-01");
    refer(2, "2026-09-01");
    refer(3, "2026-09-01");
    offer(1, "HENV-1", OFFICE);
    // Another person's, another office's and one about a referral that there is not.
    offer(2, "HENV-3", OFFICE);
    offer(3, "HENV-3", "311054287");
    offer(3, "HENV-4", OFFICE);
    now = oslo("2026-10-20T06:00");
    deadlines.send();
    assertThat(notices())
        .extracting(n -> n.path("referanse").asText())
        .containsExactlyInAnyOrder("HENV-2", "HENV-3");
    offer(2, "HENV-2", OFFICE);
    now = oslo("2026-11-30T06:00");
    deadlines.send();
    assertThat(recipients()).filteredOn("nav"::equals).hasSize(1);
    assertThat(states()).containsExactlyInAnyOrder("ANSWERED", "ANSWERED", "ESCALATED");
    assertThat(text("SELECT length(facts)::text FROM deadline WHERE state = 'ANSWERED'"))
        .containsOnly("0");
  }

  @Test
  void a_referral_sent_again_starts_no_second_clock_and_one_that_did_not_leave_starts_none()
      throws Exception {
    refer(1, "2026-09-01");
    refer(1, "2026-09-01");
    receive("youth-referral", "ot", referral(1, "2026-09-05").replace("M-HENV-1", "M-HENV-1-B"));
    blocked.add(pseudonym(number(2)));
    assertThat(refer(2, "2026-09-01").getFirst().outcome()).isEqualTo(Outcome.REFUSED);
    assertThat(states()).containsExactly("RUNNING");
    assertThat(text("SELECT last_day::text FROM deadline")).containsExactly("2026-10-27");
  }

  @Test
  void the_days_are_those_of_the_rule_in_force_when_it_left(@TempDir Path rules) throws Exception {
    use(
        rules,
        """
        - {state: IN_FORCE, from: 2017-01-01, to: 2026-09-30}
        """,
        """

        - id: youth-effort
          version: 2
          title: {nb: "Seks uker", en: "Six weeks"}
          status: [{state: IN_FORCE, from: 2026-10-01, to: 2026-10-31}]
          ages: {counted: BIRTHDAY, through: 29}
          deadlines: [{id: first-offer, what: {nb: Tilbud, en: Offer}, days: 42, warning: 35, lastDayCounts: false}]
          source: test
        """);
    now = oslo("2026-09-30T23:59:59");
    refer(1, "2026-09-30");
    now = oslo("2026-10-01T00:00");
    refer(2, "2026-09-30");
    now = oslo("2026-11-01T00:00");
    refer(3, "2026-11-01");
    assertThat(text("SELECT warn_on || ' ' || last_day FROM deadline ORDER BY 1"))
        .as("eight weeks, six weeks without the last day, and no rule at all")
        .containsExactly("2026-11-04 2026-11-10", "2026-11-18 2026-11-25");
  }

  /** The shipped rules, but that the youth effort has these days and something is added. */
  private void use(Path home, String status, String more) throws IOException {
    Path shippedRules = Path.of("policies");
    try (Stream<Path> files = Files.walk(shippedRules)) {
      for (Path from : files.filter(Files::isRegularFile).toList()) {
        Path to = home.resolve(shippedRules.relativize(from).toString());
        Files.createDirectories(to.getParent());
        Files.copy(from, to);
      }
    }
    Path schemes = home.resolve("target-groups/schemes.yaml");
    String text = Files.readString(schemes);
    String old = "- {state: IN_FORCE, from: 2017-01-01}";
    int at = text.indexOf(old, text.indexOf("- id: youth-effort"));
    Files.writeString(
        schemes, text.substring(0, at) + status.strip() + text.substring(at + old.length()) + more);
    PolicyPack pack = PolicyPack.read(home);
    catalogue.change(edition -> new Catalogue.Edition(edition.exchanges(), pack));
  }

  @Test
  void a_referral_dated_in_the_future_counts_from_the_day_it_left() throws Exception {
    refer(1, "2026-12-24");
    assertThat(text("SELECT last_day::text FROM deadline")).containsExactly("2026-10-27");
  }

  @Test
  void nothing_is_forgotten_by_a_restart_nor_said_twice_after_a_crash() throws Exception {
    refer(1, "2026-09-01");
    close();
    startHub();
    now = oslo("2026-10-20T06:00");
    assertThat(deadlines.send()).isEqualTo(1);
    // As if the hub had died between the notice and the note about it.
    execute("UPDATE deadline SET state = 'RUNNING'");
    close();
    startHub();
    deadlines.send();
    assertThat(recipients()).containsExactly("nav-a");
    assertThat(states()).containsExactly("WARNED");
  }

  @Test
  void an_escalation_that_nobody_may_have_is_in_the_books_and_not_lost() throws Exception {
    refer(1, "2026-09-01");
    execute("UPDATE deadline SET agreement = 'no-such-agreement@1'");
    now = oslo("2026-10-28T06:00");
    deadlines.send();
    assertThat(notices()).isEmpty();
    assertThat(text("SELECT reason FROM envelope WHERE exchange = 'deadline-notice'"))
        .containsExactly("UNKNOWN_RECIPIENT");
  }

  // ---- E18

  @Test
  void aPersonHasOneCoordinatingServiceAndASecondOneIsRefusedUntilTheFirstHasEnded() {
    assertThat(invite("1", "municipality", "311156004", false))
        .containsExactly(ReasonCode.RELEASED, ReasonCode.RELEASED);
    // The same one may invite further services, and say it again.
    assertThat(invite("2", "municipality", "311156004", false))
        .containsExactly(ReasonCode.RELEASED, ReasonCode.RELEASED);
    assertThat(invite("3", "youth-services", "311171003", false))
        .containsExactly(ReasonCode.ALREADY_HELD, ReasonCode.ALREADY_HELD);
    // One that is not the one cannot end it.
    invite("4", "youth-services", "311171003", true);
    assertThat(invite("5", "youth-services", "311171003", false))
        .containsOnly(ReasonCode.ALREADY_HELD);
    assertThat(invite("6", "municipality", "311156004", true)).containsOnly(ReasonCode.RELEASED);
    assertThat(invite("7", "youth-services", "311171003", false)).containsOnly(ReasonCode.RELEASED);
  }

  @Test
  void twoCoordinatingServicesAtTheSameMomentAreOne() throws Exception {
    List<Callable<List<ReasonCode>>> calls = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      String id = "m" + i;
      boolean first = i % 2 == 0;
      calls.add(
          () ->
              first
                  ? invite(id, "municipality", "311156004", false)
                  : invite(id, "youth-services", "311171003", false));
    }
    Set<Boolean> winners = new HashSet<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<List<ReasonCode>>> all = threads.invokeAll(calls);
      for (int i = 0; i < all.size(); i++) {
        if (all.get(i).get().contains(ReasonCode.RELEASED)) {
          winners.add(i % 2 == 0);
        }
      }
    }
    assertThat(winners).hasSize(1);
    assertThat(text("SELECT holder FROM single_holder")).hasSize(1);
  }

  @Test
  void aServiceThatNeitherAnswersNorDeclinesIsReminded() throws Exception {
    invite("1", "municipality", "311156004", false);
    receive(
        "coordination-answer",
        "nav",
        """
        {"messageId": "S-1", "invitasjonId": "K-1", "foedselsnummer": "%s",
         "mottaker": "311156004", "svar": "AVSLAR", "grunn": "KAPASITET",
         "kontakt": {"navn": "Fagperson", "enhet": "NAV"}}"""
            .formatted(number(1)));
    now = oslo("2026-09-15T09:00");
    deadlines.send();
    assertThat(recipients()).containsExactly("health");
    now = oslo("2026-09-23T09:00");
    deadlines.send();
    assertThat(recipients()).containsExactly("health", "governor");
  }

  private List<ReasonCode> invite(String id, String sender, String holder, boolean ended) {
    return receive(
            "coordinating-service",
            sender,
            """
            {"messageId": "M-%s", "invitasjonId": "K-%s", "foedselsnummer": "%s",
             "foedselsdato": "2008-03-14", "navn": {"fornavn": "Solrik", "etternavn": "Testesen"},
             "koordinerendeTjeneste": "%s", "koordinerendeNavn": "Tjenesten", "avsluttet": %s,
             "inviterte": ["311067850", "311094998"]}"""
                .formatted(id, id, number(1), holder, ended))
        .stream()
        .map(Answer::reason)
        .toList();
  }

  // ---- the parts

  private List<Answer> refer(int person, String day) {
    return receive("youth-referral", "ot", referral(person, day));
  }

  private static String referral(int person, String day) {
    return """
        {"messageId": "M-HENV-%d", "henvisningId": "HENV-%d", "foedselsnummer": "%s",
         "foedselsdato": "2008-03-14", "navn": {"fornavn": "Solrik", "etternavn": "Testesen"},
         "mottaker": "%s", "henvistDato": "%s", "otStatus": "OTOV",
         "kontakt": {"navn": "Rådgiver", "enhet": "OT"}}"""
        .formatted(person, person, number(person), OFFICE, day);
  }

  private void offer(int person, String reference, String office) {
    String name = office.equals(OFFICE) ? "nav-a" : "nav-b";
    List<Answer> answers =
        receive(
            "follow-up-offer",
            name,
            """
            {"messageId": "M-%d-%s", "henvisningId": "%s", "foedselsnummer": "%s",
             "tilbudsdato": "2026-10-01"}"""
                .formatted(person, reference, reference, number(person)));
    assertThat(answers.getFirst().outcome().leaves()).isTrue();
  }

  private List<Answer> receive(String exchange, String sender, String body) {
    LiveExchange live = shipped.exchange(exchange).orElseThrow();
    var party = live.contract().sender(sender).orElseThrow();
    return gate.receive(
        live,
        Caller.of(party, party.organisations().getFirst()),
        List.of(new Gate.Arrival(new InputFormat.Raw(body.getBytes(UTF_8), null, null), null)));
  }

  private static Pseudonym pseudonym(String number) {
    return new Pseudonymizer(SECRET)
        .pseudonym((NationalId) NationalId.parse(number, Numbers.SYNTHETIC_ONLY));
  }

  private static String number(int person) {
    return List.of("14830851160", "30890665825", "27860858520").get(person - 1);
  }

  private List<JsonNode> notices() throws IOException {
    List<JsonNode> notices = new ArrayList<>();
    for (Outgoing message : List.copyOf(released)) {
      if (message.exchange().equals("deadline-notice")) {
        notices.add(JSON.readTree(message.payload()));
      }
    }
    return notices;
  }

  private List<String> recipients() {
    return released.stream()
        .filter(message -> message.exchange().equals("deadline-notice"))
        .map(Outgoing::recipient)
        .toList();
  }

  private static List<String> expected(String type) {
    return type.isEmpty() ? List.of() : List.of(type);
  }

  private static List<String> states() throws SQLException {
    return text("SELECT state FROM deadline");
  }

  private static List<String> text(String query) throws SQLException {
    List<String> found = new ArrayList<>();
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      while (row.next()) {
        found.add(row.getString(1));
      }
    }
    return found;
  }

  private static void execute(String statement) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement update = connection.createStatement()) {
      update.execute(statement);
    }
  }

  private static Instant oslo(String time) {
    return LocalDateTime.parse(time).atZone(Timing.OSLO).toInstant();
  }

  /** Everybody has consented to coordination and to nothing else, and some block a referral. */
  private final class Nothing implements FactSource {
    @Override
    public Map<Pseudonym, List<ConsentFact>> consents(Collection<Pseudonym> subjects) {
      Map<Pseudonym, List<ConsentFact>> found = new java.util.HashMap<>();
      for (Pseudonym subject : subjects) {
        found.put(
            subject,
            blocked.contains(subject)
                ? List.of(fact(ConsentFact.State.BLOCKED, "REFERRAL"))
                : List.of(fact(ConsentFact.State.GIVEN, "COORDINATION")));
      }
      return found;
    }

    private ConsentFact fact(ConsentFact.State state, String purpose) {
      Instant from = LocalDate.of(2020, 1, 1).atStartOfDay(Timing.OSLO).toInstant();
      return new ConsentFact("c", 1, state, purpose, Set.of(), Set.of(), from, null);
    }

    @Override
    public Protection protection(Pseudonym subject) {
      return Protection.NONE;
    }

    @Override
    public @Nullable Map<Pseudonym, String> roster(
        String exchange,
        OrganisationNumber holder,
        OrganisationNumber counterpart,
        String list,
        Collection<Pseudonym> subjects) {
      return null;
    }
  }
}
