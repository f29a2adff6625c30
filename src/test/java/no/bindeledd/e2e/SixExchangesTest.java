package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static no.bindeledd.e2e.TestHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import no.bindeledd.demo.Agencies;
import no.bindeledd.e2e.Inbox.Letter;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.Books;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The six exchanges from sender to recipient, through every real part. */
@ExtendWith(TestHouse.Resident.class)
class SixExchangesTest {
  private final TestHouse house;

  SixExchangesTest(TestHouse house) {
    this.house = house;
  }

  @AfterEach
  void leaveNothingWaiting() {
    house.nav.behaveAsUsual();
    house.fint.behaveAsUsual();
    house.county.behaveAsUsual();
    house.settle();
  }

  // ---- dropout-notice

  @Test
  void otAndFintReceiveARowOfTheSchoolsFileAndTheSchoolReadsWhatBecameOfIt() throws Exception {
    Youth with = Youth.next();
    Youth without = Youth.next();
    house.consent(with, "FOLLOW_UP");

    JsonNode report =
        house.drop(
            "e2e-good.csv", TestHouse.csv(TestHouse.csvRow(with), TestHouse.csvRow(without)));

    assertThat(report.path("_folder").asText()).isEqualTo("done");
    assertThat(report.path("outcomes").path("RELEASED").asInt()).isEqualTo(3);
    assertThat(report.path("outcomes").path("REDUCED").asInt()).isEqualTo(1);
    assertThat(report.path("records").valueStream().map(SixExchangesTest::told))
        .containsExactly(
            "2 ot RELEASED RELEASED",
            "2 ot-fint RELEASED RELEASED",
            "3 ot REDUCED REDUCED",
            "3 ot-fint RELEASED RELEASED");
    assertThat(report.path("records").path(2).path("nb").asText())
        .isEqualTo("Deles uten feltene som mangler grunnlag.");

    Letter toOt = letter(TestHouse.DROPOUT_NOTICE, with);
    assertThat(toOt.json())
        .isEqualTo(
            json(
                """
                {"foedselsnummer": "%s", "foedselsdato": "%s",
                 "navn": {"fornavn": "%s", "etternavn": "%s"},
                 "kontakt": {"telefon": "+4799990001", "epost": "ung@example.no"},
                 "skole": {"organisasjonsnummer": "311000004",
                           "navn": "Eksempelvik videregående skole"},
                 "programomraade": {"kode": "BABAT1----", "trinn": 1},
                 "avbrudd": {"dato": "2026-08-28", "aarsak": "FV", "aarsakTekst": "Feilvalg"},
                 "fravaersprosent": 12.5, "oppdatert": "2026-08-31"}
                """
                    .formatted(with.number(), with.birthDate(), with.given(), with.family())));
    ObjectNode reduced = (ObjectNode) letter(TestHouse.DROPOUT_NOTICE, without).json();
    assertThat(reduced.has("fravaersprosent")).isFalse();
    assertThat(reduced.path("navn").path("fornavn").asText()).isEqualTo(without.given());
    assertThat(toOt.headers()).containsKeys("Idempotency-Key", "traceparent");
    assertThat(toOt.keyText()).matches("[0-9a-f]{32}");

    await().atMost(PATIENCE).until(() -> house.fint.about(with).size() == 1);
    JsonNode toFint = house.fint.about(with).getFirst().json();
    assertThat(toFint.at("/_links/person/0/href").asText())
        .isEqualTo("${felles.person}/fodselsnummer/" + with.number());
    assertThat(toFint.at("/_links/status/0/href").asText()).endsWith("/systemid/OTUK");
    assertThat(fieldNames(toFint)).containsExactly("_links", "systemId");

    house.settle();
    JsonNode released = report.path("records").path(2);
    List<JsonNode> entries = house.ledger.ofMessageIn(released.path("ledgerEntry").asLong());
    assertThat(entries)
        .extracting(entry -> entry.path("station").asText() + " " + entry.path("outcome").asText())
        .containsExactly("DECIDE REDUCED", "DELIVER DELIVERED");
    JsonNode decided = entries.getFirst();
    assertThat(decided.path("exchange").asText()).isEqualTo("dropout-notice");
    assertThat(decided.path("sender").asText()).isEqualTo("311000004");
    assertThat(entries)
        .allSatisfy(entry -> assertThat(entry.path("receiver").asText()).isEqualTo("311013572"));
    assertThat(decided.path("agreement").asText()).startsWith("school-ot");
    assertThat(decided.path("rules").toString()).contains("oppl-9-4-dropout");
    assertThat(decided.path("withheld").valueStream().map(JsonNode::asText))
        .containsExactly("/fravaersprosent");
    assertThat(decided.path("released").valueStream().map(JsonNode::asText))
        .contains("/foedselsnummer", "/navn", "/avbrudd/dato");
    assertThat(decided.path("payload").asText()).matches("[0-9a-f]{64}");
  }

  @Test
  void aBadRowIsToldWithItsPlaceAndTheGoodRowsOfAnOlderSystemsFileGoOn() throws Exception {
    Youth good = Youth.next();
    Youth bad = Youth.next();
    String file =
        String.join(
            "\r\n",
            TestHouse.CSV_HEADER,
            TestHouse.csvRow(good),
            TestHouse.csvRow(bad).replace(bad.number(), bad.wrongNumber()),
            TestHouse.csvRow(bad).replace(";FV;", ";XX;"),
            TestHouse.csvRow(bad).replace("28.08.2026", "2026-08-28"),
            bad.number() + ";" + bad.given(),
            "");

    JsonNode report = house.drop("e2e-bad-rows.csv", file.getBytes(ISO_8859_1));

    assertThat(report.path("_folder").asText()).isEqualTo("done");
    assertThat(report.path("records").valueStream().map(SixExchangesTest::told))
        .containsExactly(
            "2 ot REDUCED REDUCED",
            "2 ot-fint RELEASED RELEASED",
            "3  REFUSED INVALID_IDENTITY_NUMBER",
            "4 avbruddsarsak REFUSED UNKNOWN_CODE",
            "5 avbruddsdato REFUSED SCHEMA_VIOLATION",
            "6  REFUSED MALFORMED");
    assertThat(letter(TestHouse.DROPOUT_NOTICE, good).json().at("/skole/navn").asText())
        .isEqualTo("Eksempelvik videregående skole");
    house.settle();
    assertThat(house.inbox.on(TestHouse.DROPOUT_NOTICE, bad)).isEmpty();
    assertThat(house.fint.about(bad)).isEmpty();
  }

  // ---- measure-event

  @Test
  void otLearnsThatAMeasureEndedAndWithConsentWhenButNeverWhy() throws Exception {
    Youth without = Youth.next();
    Youth with = Youth.next();
    house.consent(with, "FOLLOW_UP");
    Books before = house.books("measure-event");
    String trace = TestHouse.newTrace();
    String other = TestHouse.newTrace();

    publish("m-" + without.hashCode(), without, trace);
    publish("m-" + with.hashCode(), with, other);

    assertThat(letter(TestHouse.MEASURE_EVENT, without).json())
        .isEqualTo(
            json(
                """
                {"deltakelseId": "m-%d", "foedselsnummer": "%s", "iTiltak": false,
                 "hendelse": "SLUTTET"}
                """
                    .formatted(without.hashCode(), without.number())));
    assertThat(letter(TestHouse.MEASURE_EVENT, with).json())
        .isEqualTo(
            json(
                """
                {"deltakelseId": "m-%d", "foedselsnummer": "%s", "iTiltak": false,
                 "hendelse": "SLUTTET", "startDato": "2026-08-17", "sluttDato": "2026-12-18",
                 "endretDato": "2026-08-17"}
                """
                    .formatted(with.hashCode(), with.number())));
    house.settle();
    assertThat(outcomes(trace)).containsExactly("DECIDE REDUCED", "DELIVER DELIVERED");
    assertThat(outcomes(other)).containsExactly("DECIDE RELEASED", "DELIVER DELIVERED");
    assertThat(house.ledger.ofTrace(other).getFirst().path("consents")).hasSize(1);
    Books after = house.books("measure-event");
    assertThat(after.reduced() - before.reduced()).isEqualTo(1);
    assertThat(after.released() - before.released()).isEqualTo(1);
    assertThat(after.delivered() - before.delivered()).isEqualTo(2);
  }

  // ---- ips-referral

  @Test
  void aReferralWithConsentReachesNavWithoutTheDiagnosis() {
    Youth youth = Youth.next();
    house.consent(youth, "EMPLOYMENT_SUPPORT");

    MllpLine.Ack ack;
    try (MllpLine line = house.mllp()) {
      ack = line.send(MllpLine.referral("E2E-IPS-1", youth));
    }

    assertThat(ack.code()).isEqualTo("AA");
    assertThat(ack.field("MSA", 2)).isEqualTo("E2E-IPS-1");
    await().atMost(PATIENCE).until(() -> house.nav.about(youth).size() == 1);
    Peer.Call call = house.nav.about(youth).getFirst();
    assertThat(call.path()).isEqualTo("/ips-referrals");
    assertThat(call.json())
        .isEqualTo(
            json(
                """
                {"referanse": "E2E-IPS-1", "foedselsnummer": "%s", "foedselsdato": "%s",
                 "navn": {"fornavn": "%s", "etternavn": "%s"}, "oenskerArbeid": true,
                 "maalgruppe": "IPS_UNG", "hastegrad": "RUTINE",
                 "kontakt": {"fornavn": "Ekte", "etternavn": "Testlege",
                   "virksomhet": "Eksempelvik behandlingsteam",
                   "organisasjonsnummer": "311094998"}}
                """
                    .formatted(youth.number(), youth.birthDate(), youth.given(), youth.family())));
    assertThat(new String(call.body(), UTF_8)).doesNotContain("F32", "depressiv", "søvn", "Halv");
    assertThat(call.header("Idempotency-key")).matches("[0-9a-f]{32}");
    house.settle();
    assertThat(outcomes(call.header("Traceparent")))
        .containsExactly("DECIDE RELEASED", "DELIVER DELIVERED");
  }

  @Test
  void referralsWithoutConsentAreHeldAndReleasedInOrderWhenItArrives() {
    Youth youth = Youth.next();
    Books before = house.books("ips-referral");
    List<String> ids = List.of("E2E-HELD-1", "E2E-HELD-2", "E2E-HELD-3");
    try (MllpLine line = house.mllp()) {
      for (String id : ids) {
        MllpLine.Ack ack = line.send(MllpLine.referral(id, youth));
        assertThat(ack.code()).as("taken, and held").isEqualTo("AA");
        assertThat(ack.field("ERR", 5)).isEqualTo("AWAITING_CONSENT");
      }
    }
    assertThat(house.books("ips-referral").held() - before.held()).isEqualTo(3);
    assertThat(house.nav.about(youth)).isEmpty();

    house.consent(youth, "EMPLOYMENT_SUPPORT");

    await().atMost(PATIENCE).until(() -> house.nav.about(youth).size() == 3);
    assertThat(house.nav.about(youth))
        .extracting(call -> call.json().path("referanse").asText())
        .containsExactlyElementsOf(ids);
    house.settle();
    Books after = house.books("ips-referral");
    assertThat(after.held()).isEqualTo(before.held());
    assertThat(after.released() - before.released()).isEqualTo(3);
    assertThat(outcomes(house.nav.about(youth).getFirst().header("Traceparent")))
        .containsExactly("DECIDE HELD", "DECIDE RELEASED", "DELIVER DELIVERED");
  }

  @Test
  void aWithdrawalStopsWhatIsQueuedForARecipientThatIsAway() {
    Youth youth = Youth.next();
    UUID consent = house.consent(youth, "EMPLOYMENT_SUPPORT");
    Books before = house.books("ips-referral");
    house.nav.behave(call -> Peer.Answer.of(503));
    try (MllpLine line = house.mllp()) {
      assertThat(line.send(MllpLine.referral("E2E-QUEUED-1", youth)).code()).isEqualTo("AA");
      assertThat(line.send(MllpLine.referral("E2E-QUEUED-2", youth)).code()).isEqualTo("AA");
    }
    await().atMost(PATIENCE).until(() -> house.nav.about(youth).size() > 1);

    house.withdraw(consent, youth);
    await().atMost(PATIENCE).until(() -> house.books("ips-referral").pending() == 0);
    int tries = house.nav.about(youth).size();
    house.nav.behaveAsUsual();
    // Something later for the same recipient passes, so the line was open again.
    Youth later = Youth.next();
    house.consent(later, "EMPLOYMENT_SUPPORT");
    try (MllpLine line = house.mllp()) {
      line.send(MllpLine.referral("E2E-LATER", later));
    }
    await().atMost(PATIENCE).until(() -> !house.nav.about(later).isEmpty());

    assertThat(house.nav.about(youth)).as("tried while NAV was away").hasSize(tries);
    house.settle();
    assertThat(outcomes(house.nav.about(youth).getFirst().header("Traceparent")))
        .containsExactly("DECIDE RELEASED", "DECIDE REFUSED");
    Books after = house.books("ips-referral");
    assertThat(after.refused() - before.refused()).isEqualTo(2);
    assertThat(after.delivered() - before.delivered()).isEqualTo(1);
  }

  @Test
  void aRecipientThatIsAwayForAWhileGetsEachPersonsReferralsInOrderAndOnce() {
    Youth one = Youth.next();
    Youth two = Youth.next();
    house.consent(one, "EMPLOYMENT_SUPPORT");
    house.consent(two, "EMPLOYMENT_SUPPORT");
    house.nav.behave(call -> Peer.Answer.of(503));
    try (MllpLine line = house.mllp()) {
      for (int i = 1; i <= 3; i++) {
        line.send(MllpLine.referral("E2E-AWAY-A" + i, one));
        line.send(MllpLine.referral("E2E-AWAY-B" + i, two));
      }
    }
    // By chance the two share a lane, and then the second waits behind the first.
    await()
        .atMost(PATIENCE)
        .until(() -> house.nav.about(one).size() + house.nav.about(two).size() > 1);
    house.nav.behaveAsUsual();
    house.settle();

    for (Youth youth : List.of(one, two)) {
      String letter = youth == one ? "A" : "B";
      List<String> last =
          house.nav.about(youth).stream()
              .map(call -> call.json().path("referanse").asText())
              .toList();
      assertThat(last.subList(last.size() - 2, last.size()))
          .containsExactly("E2E-AWAY-" + letter + 2, "E2E-AWAY-" + letter + 3);
      assertThat(new TreeSet<>(last)).hasSize(3);
      assertThat(last.subList(0, last.size() - 2)).allMatch(id -> id.endsWith(letter + 1));
    }
  }

  @Test
  void aRecipientCannotMakeTheHubWaitNorSendItElsewhere() throws Exception {
    Youth youth = Youth.next();
    house.consent(youth, "EMPLOYMENT_SUPPORT");
    Queue<Peer.Answer> answers = new ConcurrentLinkedQueue<>();
    answers.add(new Peer.Answer(503, Map.of("Retry-After", "3600"), new byte[0]));
    answers.add(new Peer.Answer(429, Map.of("Retry-After", "3600"), new byte[0]));
    answers.add(
        new Peer.Answer(307, Map.of("Location", house.county.url() + "/stolen"), new byte[0]));
    house.nav.behave(
        call -> {
          Peer.Answer next = answers.poll();
          return next == null ? Peer.Answer.of(201) : next;
        });

    try (MllpLine line = house.mllp()) {
      line.send(MllpLine.referral("E2E-RETRY-AFTER", youth));
    }
    house.settle();

    assertThat(house.nav.about(youth)).hasSize(4);
    assertThat(house.nav.about(youth))
        .as("each try carries the same key, by which NAV knows a repeat")
        .extracting(call -> call.header("Idempotency-key"))
        .containsOnly(house.nav.about(youth).getFirst().header("Idempotency-key"));
    assertThat(house.county.about(youth)).isEmpty();
  }

  @Test
  void aRecipientThatNeverAnswersIsTriedAgainAndOneThatAsksHearsThatTheSourceIsAway() {
    Youth youth = Youth.next();
    house.consent(youth, "EMPLOYMENT_SUPPORT");
    CountDownLatch over = new CountDownLatch(1);
    Peer.Behaviour silent =
        call -> {
          try {
            over.await();
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return Peer.Answer.of(201);
        };
    AtomicInteger tries = new AtomicInteger();
    house.nav.behave(
        call -> tries.incrementAndGet() == 1 ? silent.answer(call) : Peer.Answer.of(201));
    house.county.behave(silent);
    try (MllpLine line = house.mllp()) {
      line.send(MllpLine.referral("E2E-SILENT", youth));
      TestHouse.Reply reply = ask("E2E-RQ-SILENT", youth);
      assertThat(reply.status()).isEqualTo(503);
      assertThat(reply.json().path("code").asText()).isEqualTo("SOURCE_UNAVAILABLE");
      house.settle();
      assertThat(tries).hasValue(2);
    } finally {
      over.countDown();
    }
  }

  // ---- list-reconciliation

  @Test
  void threeOfficesUnderThreeAgreementsAnswerTheSameListDifferently() {
    Youth onBoth = Youth.next();
    Youth onlyWithOt = Youth.next();
    Youth onlyWithNav = Youth.next();
    String list = "E2E-" + Long.toHexString(System.nanoTime());
    Map<String, OrganisationNumber> offices =
        Map.of("nav-a", Agencies.NAV_A, "nav-b", Agencies.NAV_B, "nav-c", Agencies.NAV_C);

    offices.forEach(
        (name, office) -> {
          TestHouse.Reply asked =
              house.post(
                  "list-reconciliation",
                  Agencies.OT,
                  list(
                      list,
                      office,
                      Map.of(
                          "OT-" + name + "-both", row(onBoth, "IKKE_IVARETATT"),
                          "OT-" + name + "-ot", row(onlyWithOt, "IVARETATT"))));
          assertThat(asked.status()).isEqualTo(202);
          assertThat(asked.answers())
              .extracting(answer -> answer.path("reason").asText())
              .containsOnly(name.equals("nav-c") ? "NOTHING_ALLOWED" : "AWAITING_COUNTERPART_LIST");
        });
    offices.forEach(
        (name, office) -> {
          TestHouse.Reply answered =
              house.post(
                  "list-reconciliation",
                  office,
                  list(
                      list,
                      Agencies.OT,
                      Map.of(
                          "NAV-" + name + "-both", row(onBoth, "IVARETATT"),
                          "NAV-" + name + "-nav", row(onlyWithNav, "HAR_FLYTTET"))));
          assertThat(answered.status()).as(answered.toString()).isIn(202, 403);
        });
    house.settle();

    assertThat(answers(TestHouse.LIST_ANSWER, list))
        .containsOnly(
            Map.entry("OT-nav-a-both", answer(list, "OT-nav-a-both", true, "IVARETATT")),
            Map.entry("OT-nav-a-ot", answer(list, "OT-nav-a-ot", false, null)),
            Map.entry("OT-nav-b-both", answer(list, "OT-nav-b-both", true, null)),
            Map.entry("OT-nav-b-ot", answer(list, "OT-nav-b-ot", false, null)));
    assertThat(answers(TestHouse.answersTo("nav-a"), list))
        .containsOnly(
            Map.entry("NAV-nav-a-both", answer(list, "NAV-nav-a-both", true, "IKKE_IVARETATT")),
            Map.entry("NAV-nav-a-nav", answer(list, "NAV-nav-a-nav", false, null)));
    assertThat(answers(TestHouse.answersTo("nav-b"), list))
        .containsOnly(
            Map.entry("NAV-nav-b-both", answer(list, "NAV-nav-b-both", true, null)),
            Map.entry("NAV-nav-b-nav", answer(list, "NAV-nav-b-nav", false, null)));
    assertThat(answers(TestHouse.answersTo("nav-c"), list)).isEmpty();
  }

  @Test
  void noSideOfAReconciliationLearnsANameOrANumberItDidNotHave() {
    Youth onBoth = Youth.next();
    Youth onlyWithOt = Youth.next();
    Youth onlyWithNav = Youth.next();
    String list = "E2E-N-" + Long.toHexString(System.nanoTime());
    house.post(
        "list-reconciliation",
        Agencies.NAV_A,
        list(
            list,
            Agencies.OT,
            Map.of("n-1", row(onBoth, "IVARETATT"), "n-2", row(onlyWithNav, "IVARETATT"))));
    house.post(
        "list-reconciliation",
        Agencies.OT,
        list(
            list,
            Agencies.NAV_A,
            Map.of("o-1", row(onBoth, "IVARETATT"), "o-2", row(onlyWithOt, "IVARETATT"))));
    house.settle();

    List<Letter> toOt = ofList(TestHouse.LIST_ANSWER, list);
    List<Letter> toNav = ofList(TestHouse.answersTo("nav-a"), list);
    assertThat(toOt)
        .extracting(l -> l.json().path("reference").asText())
        .containsOnly("o-1", "o-2");
    assertThat(toNav)
        .extracting(l -> l.json().path("reference").asText())
        .containsOnly("n-1", "n-2");
    for (Letter letter : toOt) {
      assertThat(Leaks.in(new String(letter.plain(), UTF_8))).isEmpty();
      assertThat(fieldNames(letter.json())).isSubsetOf("listId", "reference", "present", "code");
    }
    for (Letter letter : toNav) {
      assertThat(Leaks.in(new String(letter.plain(), UTF_8))).isEmpty();
      assertThat(fieldNames(letter.json())).isSubsetOf("listId", "reference", "present", "code");
    }
  }

  // ---- measure-capacity

  @Test
  void otAndTheSchoolHearOfCapacityWithoutConsentAndWithAnAuditEntryEach() {
    String trace = TestHouse.newTrace();
    String notice = capacity("E2E-CAP-1", "MENTOR");

    TestHouse.Reply reply =
        house.post(
            "measure-capacity",
            notice.getBytes(UTF_8),
            with ->
                with.header(
                        "Authorization",
                        house.bearer(Tokens.of(Agencies.NAV_STATE, "bindeledd:measure-capacity")))
                    .header("traceparent", trace));

    assertThat(reply.status()).isEqualTo(202);
    assertThat(reply.answers())
        .extracting(a -> a.path("recipient").asText() + " " + a.path("outcome").asText())
        .containsExactly("ot RELEASED", "school RELEASED");
    JsonNode toOt = capacityLetter(TestHouse.MEASURE_CAPACITY, "E2E-CAP-1");
    JsonNode toSchool = capacityLetter(TestHouse.SCHOOL_CAPACITY, "E2E-CAP-1");
    assertThat(toOt)
        .isEqualTo(
            json(
                """
                {"messageId": "E2E-CAP-1", "office": "311040715", "measure": "MENTOR",
                 "measureName": "Mentor", "open": true, "places": 4,
                 "targetGroup": "Ungdom 16-24", "validFrom": "2026-09-07"}
                """));
    ObjectNode withoutPlaces = toOt.deepCopy();
    withoutPlaces.remove("places");
    assertThat(toSchool).isEqualTo(withoutPlaces);
    house.settle();
    assertThat(outcomes(trace))
        .containsExactlyInAnyOrder(
            "DECIDE RELEASED", "DECIDE RELEASED", "DELIVER DELIVERED", "DELIVER DELIVERED");
    assertThat(house.ledger.ofTrace(trace))
        .allMatch(entry -> !entry.has("subject"))
        .filteredOn(entry -> entry.path("station").asText().equals("DECIDE"))
        .extracting(entry -> entry.path("agreement").asText().replaceAll("[@ ].*", ""))
        .containsExactlyInAnyOrder("nav-ot", "nav-schools");
  }

  // ---- rights-query

  @Test
  void navLearnsTheRightAndTheExactStatusOnlyWithConsent() {
    Youth without = Youth.next();
    Youth with = Youth.next();
    house.consent(with, "RIGHTS_QUERY");

    TestHouse.Reply reduced = ask("E2E-RQ-1", without);
    TestHouse.Reply full = ask("E2E-RQ-2", with);

    assertThat(reduced.status()).isEqualTo(200);
    assertThat(reduced.json())
        .isEqualTo(
            json(
                """
                {"rett": true, "rettighetstype": "UNGDOMSRETT", "restAar": 2,
                 "otStatus": {"gruppe": 2}}
                """));
    assertThat(reduced.header("Bindeledd-Outcome")).isEqualTo("REDUCED");
    assertThat(full.json().path("otStatus").path("kode").asText()).isEqualTo("OTOV");
    assertThat(full.json().has("merknad")).isFalse();
    assertThat(house.county.about(without).getFirst().json())
        .isEqualTo(
            json(
                """
                {"referanse": "E2E-RQ-1", "foedselsnummer": "%s",
                 "spoersmaal": "RETT_TIL_VIDEREGAAENDE"}
                """
                    .formatted(without.number())));
    List<JsonNode> entries =
        house.ledger.ofMessageIn(Long.parseLong(reduced.header("Bindeledd-Entry")));
    assertThat(entries)
        .as("the question is recorded before it is forwarded, the answer before it is given")
        .extracting(e -> e.path("sender").asText() + " " + e.path("outcome").asText())
        .containsExactly("311067850 RELEASED", "311108565 REDUCED");
    assertThat(entries.getLast().path("withheld").toString()).contains("/otStatus/kode");
  }

  @Test
  void thatSomebodyIsIllIsNeverTold() {
    Youth youth = Youth.next();
    house.consent(youth, "RIGHTS_QUERY");
    house.county.behave(
        call -> Peer.Answer.json(200, TestHouse.COUNTY_ANSWER.replace("OTOV", "OTSY")));

    TestHouse.Reply reply = ask("E2E-RQ-ILL", youth);

    assertThat(reply.json().path("otStatus")).isEqualTo(json("{\"gruppe\": 4}"));
    assertThat(reply.body()).doesNotContain("OTSY");
  }

  @Test
  void aSourceThatIsAwayOrAnswersNonsenseGivesAProblemDocumentThatSaysSo() {
    Youth youth = Youth.next();
    Books before = house.books("rights-query");
    house.county.behave(call -> Peer.Answer.json(503, "{\"about\": \"" + youth.number() + "\"}"));
    TestHouse.Reply away = ask("E2E-RQ-AWAY", youth);
    house.county.behave(call -> Peer.Answer.json(200, "[\"" + youth.family() + "\"]"));
    TestHouse.Reply nonsense = ask("E2E-RQ-NONSENSE", youth);
    house.county.behaveAsUsual();
    TestHouse.Reply again = ask("E2E-RQ-AWAY", youth);

    assertThat(away.status()).isEqualTo(503);
    assertThat(away.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(away.header("Retry-After")).isNotEmpty();
    assertThat(away.json().path("code").asText()).isEqualTo("SOURCE_UNAVAILABLE");
    assertThat(away.json().path("nb").asText()).isEqualTo("Kilden svarer ikke. Prøv igjen senere.");
    assertThat(nonsense.status()).isEqualTo(502);
    assertThat(nonsense.json().path("code").asText()).isEqualTo("INVALID_ANSWER");
    assertThat(again.status()).as("the same question, when the county is back").isEqualTo(200);
    Books after = house.books("rights-query");
    assertThat(after.refused() - before.refused()).isEqualTo(2);
    assertThat(after.reduced() - before.reduced()).isEqualTo(1);
    assertThat(after.balance()).isTrue();
  }

  // ---- what the tests say

  private TestHouse.Reply ask(String id, Youth youth) {
    return house.post(
        "rights-query",
        Agencies.NAV_STATE,
        """
        {"messageId": "%s", "foedselsnummer": "%s", "question": "RETT_TIL_VIDEREGAAENDE"}
        """
            .formatted(id, youth.number()));
  }

  static String capacity(String id, String measure) {
    return """
        {"messageId": "%s", "office": "311040715", "measure": "%s", "open": true, "places": 4,
         "targetGroup": "Ungdom 16-24", "validFrom": "2026-09-07"}
        """
        .formatted(id, measure);
  }

  private JsonNode capacityLetter(String topic, String id) {
    return await()
        .atMost(PATIENCE)
        .until(
            () ->
                house.inbox.on(topic).stream()
                    .map(Letter::json)
                    .filter(json -> json.path("messageId").asText().equals(id))
                    .toList(),
            found -> found.size() == 1)
        .getFirst();
  }

  static ObjectNode row(Youth youth, String code) {
    return TestHouse.JSON
        .createObjectNode()
        .put("foedselsnummer", youth.number())
        .put("code", code);
  }

  static String list(String id, OrganisationNumber counterpart, Map<String, ObjectNode> rows) {
    ObjectNode list = TestHouse.JSON.createObjectNode();
    list.put("listId", id);
    list.put("counterpart", counterpart.value());
    ArrayNode persons = list.putArray("persons");
    rows.forEach((reference, row) -> persons.add(row.deepCopy().put("reference", reference)));
    return list.toString();
  }

  private static JsonNode answer(String list, String reference, boolean present, String code) {
    ObjectNode answer =
        TestHouse.JSON
            .createObjectNode()
            .put("listId", list)
            .put("reference", reference)
            .put("present", present);
    return code == null ? answer : answer.put("code", code);
  }

  private List<Letter> ofList(String topic, String list) {
    return house.inbox.on(topic).stream()
        .filter(letter -> letter.json().path("listId").asText().equals(list))
        .toList();
  }

  private Map<String, JsonNode> answers(String topic, String list) {
    return ofList(topic, list).stream()
        .collect(
            java.util.stream.Collectors.toMap(
                letter -> letter.json().path("reference").asText(), Letter::json));
  }

  private void publish(String id, Youth youth, String trace) {
    house.publish(
        TestHouse.MEASURE_EVENTS,
        id,
        TestHouse.measureEvent(id, youth).getBytes(UTF_8),
        Map.of("traceparent", trace));
  }

  private Letter letter(String topic, Youth about) {
    return await()
        .atMost(PATIENCE)
        .until(() -> house.inbox.on(topic, about), letters -> !letters.isEmpty())
        .getFirst();
  }

  private List<String> outcomes(String trace) {
    return house.ledger.ofTrace(trace).stream()
        .map(entry -> entry.path("station").asText() + " " + entry.path("outcome").asText())
        .toList();
  }

  private static String told(JsonNode record) {
    return record.path("line").asText()
        + " "
        + record.path("recipient").asText(record.path("column").asText())
        + " "
        + record.path("outcome").asText()
        + " "
        + record.path("reason").asText();
  }

  private static Set<String> fieldNames(JsonNode object) {
    Set<String> names = new TreeSet<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  private static JsonNode json(String text) {
    try {
      return TestHouse.JSON.readTree(text);
    } catch (java.io.IOException e) {
      throw new AssertionError(e);
    }
  }
}
