package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static no.bindeledd.e2e.TestHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import no.bindeledd.demo.Agencies;
import no.bindeledd.gate.Books;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The same message again is answered as the first time, and nothing is delivered again. */
@ExtendWith(TestHouse.Resident.class)
class OnceTest {
  private final TestHouse house;

  OnceTest(TestHouse house) {
    this.house = house;
  }

  @AfterEach
  void leaveNothingWaiting() {
    house.settle();
  }

  @Test
  void aNoticeByRestAgainHasTheSameAnswerAndLedgerEntryAndIsNotDeliveredAgain() {
    String notice = SixExchangesTest.capacity("E2E-ONCE-REST", "MENTOR");
    TestHouse.Reply first = house.post("measure-capacity", Agencies.NAV_STATE, notice);
    house.settle();
    Books before = house.books("measure-capacity");

    TestHouse.Reply second = house.post("measure-capacity", Agencies.NAV_STATE, notice);
    house.settle();

    assertThat(second.status()).isEqualTo(first.status()).isEqualTo(202);
    for (int i = 0; i < 2; i++) {
      JsonNode was = first.answers().get(i);
      JsonNode now = second.answers().get(i);
      for (String member : List.of("recipient", "outcome", "reason", "nb", "en", "ledgerEntry")) {
        assertThat(now.path(member)).isEqualTo(was.path(member));
      }
      assertThat(was.path("repeated").asBoolean()).isFalse();
      assertThat(now.path("repeated").asBoolean()).isTrue();
    }
    assertThat(house.books("measure-capacity")).isEqualTo(before);
    assertThat(capacityLetters("E2E-ONCE-REST")).isEqualTo(1);
  }

  @Test
  void aMessageThatManySendAtTheSameTimeIsTakenOnce() throws Exception {
    String notice = SixExchangesTest.capacity("E2E-ONCE-MANY", "MENTOR");
    Callable<TestHouse.Reply> sending =
        () -> house.post("measure-capacity", Agencies.NAV_STATE, notice);
    List<TestHouse.Reply> replies = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<TestHouse.Reply> one :
          threads.invokeAll(java.util.Collections.nCopies(20, sending))) {
        replies.add(one.get());
      }
    }
    house.settle();

    List<JsonNode> toOt = replies.stream().map(reply -> reply.answers().getFirst()).toList();
    assertThat(toOt)
        .extracting(answer -> answer.path("ledgerEntry").asLong())
        .containsOnly(toOt.getFirst().path("ledgerEntry").asLong());
    assertThat(toOt).filteredOn(answer -> !answer.path("repeated").asBoolean()).hasSize(1);
    assertThat(capacityLetters("E2E-ONCE-MANY")).isEqualTo(1);
  }

  @Test
  void anIdUsedAgainWithOtherContentIsRefusedOnceForEachSuchContent() {
    house.post(
        "measure-capacity", Agencies.NAV_STATE, SixExchangesTest.capacity("E2E-REUSED", "MENTOR"));
    Books before = house.books("measure-capacity");
    String other = SixExchangesTest.capacity("E2E-REUSED", "JOBBKLUBB");

    TestHouse.Reply reused = house.post("measure-capacity", Agencies.NAV_STATE, other);
    TestHouse.Reply again = house.post("measure-capacity", Agencies.NAV_STATE, other);

    for (TestHouse.Reply reply : List.of(reused, again)) {
      assertThat(reply.status()).isEqualTo(409);
      assertThat(reply.json().path("code").asText()).isEqualTo("MESSAGE_ID_REUSED");
      assertThat(reply.json().path("nb").asText())
          .isEqualTo("Meldings-ID-en er brukt før med annet innhold.");
    }
    Books after = house.books("measure-capacity");
    assertThat(after.refused() - before.refused()).as("a copy for each recipient").isEqualTo(2);
    house.settle();
    assertThat(capacityLetters("E2E-REUSED")).isEqualTo(1);
  }

  @Test
  void aReferralAgainHasTheSameAcknowledgementAndReachesNavOnce() {
    Youth youth = Youth.next();
    house.consent(youth, "EMPLOYMENT_SUPPORT");
    String referral = MllpLine.referral("E2E-ONCE-HL7", youth);
    Books before = house.books("ips-referral");

    MllpLine.Ack first;
    MllpLine.Ack second;
    try (MllpLine line = house.mllp()) {
      first = line.send(referral);
      house.settle();
      second = line.send(referral);
    }
    house.settle();

    assertThat(first.code()).isEqualTo("AA");
    assertThat(withoutTime(second)).isEqualTo(withoutTime(first));
    assertThat(house.nav.about(youth)).hasSize(1);
    assertThat(house.books("ips-referral").received() - before.received()).isEqualTo(1);
  }

  @Test
  void aControlIdUsedAgainForAnotherPatientIsRefusedOnce() {
    Youth one = Youth.next();
    Youth other = Youth.next();
    house.consent(one, "EMPLOYMENT_SUPPORT");
    house.consent(other, "EMPLOYMENT_SUPPORT");
    Books before = house.books("ips-referral");
    try (MllpLine line = house.mllp()) {
      line.send(MllpLine.referral("E2E-REUSED-HL7", one));
      for (int i = 0; i < 2; i++) {
        MllpLine.Ack ack = line.send(MllpLine.referral("E2E-REUSED-HL7", other));
        assertThat(ack.code()).isEqualTo("AE");
        assertThat(ack.field("ERR", 5)).isEqualTo("MESSAGE_ID_REUSED");
      }
    }
    house.settle();

    assertThat(house.nav.about(other)).isEmpty();
    Books after = house.books("ips-referral");
    assertThat(after.refused() - before.refused()).isEqualTo(1);
    assertThat(after.delivered() - before.delivered()).isEqualTo(1);
  }

  @Test
  void aReferralThatIsHeldIsHeldOnce() {
    Youth youth = Youth.next();
    Books before = house.books("ips-referral");
    try (MllpLine line = house.mllp()) {
      for (int i = 0; i < 3; i++) {
        MllpLine.Ack ack = line.send(MllpLine.referral("E2E-ONCE-HELD", youth));
        assertThat(ack.code() + ack.field("ERR", 5)).isEqualTo("AAAWAITING_CONSENT");
      }
    }
    assertThat(house.books("ips-referral").held() - before.held()).isEqualTo(1);

    house.consent(youth, "EMPLOYMENT_SUPPORT");
    house.settle();
    MllpLine.Ack later;
    try (MllpLine line = house.mllp()) {
      later = line.send(MllpLine.referral("E2E-ONCE-HELD", youth));
    }
    house.settle();

    assertThat(later.code()).isEqualTo("AA");
    assertThat(house.nav.about(youth)).hasSize(1);
  }

  @Test
  void anEventThatTheBrokerBringsAgainIsTakenOnce() {
    Youth youth = Youth.next();
    Books before = house.books("measure-event");
    byte[] event = TestHouse.measureEvent("once-" + youth.hashCode(), youth).getBytes(UTF_8);
    double repeated = repeated("measure-event");
    for (int i = 0; i < 3; i++) {
      house.publish(TestHouse.MEASURE_EVENTS, "once-" + youth.hashCode(), event, Map.of());
    }

    await().atMost(PATIENCE).until(() -> repeated("measure-event") - repeated == 2);
    house.settle();
    assertThat(house.inbox.on(TestHouse.MEASURE_EVENT, youth)).hasSize(1);
    assertThat(house.books("measure-event").received() - before.received()).isEqualTo(1);
  }

  @Test
  void aFileUploadedAgainGetsAReportThatSaysSoAndBothFilesAreKept() throws Exception {
    Youth youth = Youth.next();
    byte[] file =
        TestHouse.csv(
            TestHouse.csvRow(youth),
            TestHouse.csvRow(youth).replace(youth.number(), youth.wrongNumber()));
    JsonNode first = house.drop("e2e-once.csv", file);
    house.settle();
    Books before = house.books("dropout-notice");

    JsonNode second = house.drop("e2e-once.csv", file);
    house.settle();

    assertThat(first.path("records")).hasSize(3);
    for (int i = 0; i < 3; i++) {
      JsonNode was = first.path("records").path(i);
      JsonNode now = second.path("records").path(i);
      for (String member : List.of("line", "recipient", "outcome", "reason", "ledgerEntry")) {
        assertThat(now.path(member)).isEqualTo(was.path(member));
      }
      assertThat(now.path("repeated").asBoolean()).isTrue();
    }
    assertThat(house.books("dropout-notice")).isEqualTo(before);
    assertThat(house.inbox.on(TestHouse.DROPOUT_NOTICE, youth)).hasSize(1);
    assertThat(house.fint.about(youth)).hasSize(1);
    try (Stream<Path> done = Files.list(house.dropFolder().resolve("done"))) {
      assertThat(done.map(p -> p.getFileName().toString()))
          .filteredOn(name -> name.startsWith("e2e-once."))
          .hasSize(4);
    }
  }

  @Test
  void aMendedFileOfTheSameNameTakesTheMendedRowAndKnowsTheOthers() throws Exception {
    Youth good = Youth.next();
    Youth mended = Youth.next();
    Youth bad = Youth.next();
    String wrong = TestHouse.csvRow(mended).replace("28.08.2026", "2026-08-28");
    String hopeless = TestHouse.csvRow(bad).replace(bad.number(), bad.wrongNumber());
    house.drop("e2e-mended.csv", TestHouse.csv(TestHouse.csvRow(good), wrong, hopeless, "x"));
    house.settle();
    Books before = house.books("dropout-notice");

    JsonNode report =
        house.drop(
            "e2e-mended.csv",
            TestHouse.csv(TestHouse.csvRow(good), TestHouse.csvRow(mended), hopeless, "x"));
    house.settle();

    assertThat(
            report
                .path("records")
                .valueStream()
                .map(
                    r ->
                        r.path("line").asText()
                            + " "
                            + r.path("reason").asText()
                            + " "
                            + r.path("repeated").asText()))
        .containsExactly(
            "2 REDUCED true",
            "2 RELEASED true",
            "3 REDUCED false",
            "3 RELEASED false",
            "4 INVALID_IDENTITY_NUMBER true",
            "5 MALFORMED true");
    assertThat(house.inbox.on(TestHouse.DROPOUT_NOTICE, good)).hasSize(1);
    assertThat(house.inbox.on(TestHouse.DROPOUT_NOTICE, mended)).hasSize(1);
    assertThat(house.books("dropout-notice").received() - before.received()).isEqualTo(2);
  }

  @Test
  void anIdIsNotUsedUpByABadMessageAndEachBadOneHearsItsOwnFault() {
    Youth youth = Youth.next();
    String good = MllpLine.referral("E2E-BAD-THEN-GOOD", youth);
    house.consent(youth, "EMPLOYMENT_SUPPORT");
    List<String> reasons = new ArrayList<>();
    try (MllpLine line = house.mllp()) {
      for (String message :
          List.of(
              good.replaceAll("PID[^\r]*\r", ""),
              good.replace(youth.number(), youth.wrongNumber()),
              good.replace(youth.number(), youth.wrongNumber()),
              good)) {
        reasons.add(line.send(message).field("ERR", 5));
      }
    }
    house.settle();

    assertThat(reasons)
        .containsExactly("MALFORMED", "INVALID_IDENTITY_NUMBER", "INVALID_IDENTITY_NUMBER", "");
    assertThat(house.nav.about(youth)).hasSize(1);
  }

  @Test
  void aQuestionAgainIsDecidedAgainAndRecordedAgain() {
    Youth youth = Youth.next();
    UUID consent = house.consent(youth, "RIGHTS_QUERY");
    String question =
        """
        {"messageId": "E2E-ONCE-RQ", "foedselsnummer": "%s", "question": "OT_STATUS"}
        """
            .formatted(youth.number());
    Books before = house.books("rights-query");
    TestHouse.Reply first = house.post("rights-query", Agencies.NAV_STATE, question);
    house.withdraw(consent, youth);

    TestHouse.Reply second = house.post("rights-query", Agencies.NAV_STATE, question);
    house.consent(youth, "*", "BLOCKED");
    TestHouse.Reply third = house.post("rights-query", Agencies.NAV_STATE, question);

    assertThat(first.json().path("otStatus").path("kode").asText()).isEqualTo("OTOV");
    assertThat(second.status()).isEqualTo(200);
    assertThat(second.json().path("otStatus").has("kode")).as("withdrawn").isFalse();
    assertThat(third.status()).as("blocked").isEqualTo(404);
    assertThat(third.json().path("code").asText()).isEqualTo("NOT_FOUND");
    assertThat(second.header("Bindeledd-Entry")).isNotEqualTo(first.header("Bindeledd-Entry"));
    Books after = house.books("rights-query");
    assertThat(after.received() - before.received()).isEqualTo(3);
    assertThat(after.refused() - before.refused()).isEqualTo(1);
    assertThat(after.balance()).isTrue();
  }

  private double repeated(String exchange) {
    return house
        .metrics()
        .getOrDefault("bindeledd_record_repeated_total{exchange=\"" + exchange + "\"}", 0.0);
  }

  private long capacityLetters(String id) {
    return house.inbox.on(TestHouse.MEASURE_CAPACITY).stream()
        .filter(letter -> letter.json().path("messageId").asText().equals(id))
        .count();
  }

  /** MSH-7 is the time of the acknowledgement. */
  private static String withoutTime(MllpLine.Ack ack) {
    return ack.text().replace(ack.field("MSH", 6), "");
  }
}
