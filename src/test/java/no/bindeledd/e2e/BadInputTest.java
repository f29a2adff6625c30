package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;
import static no.bindeledd.e2e.TestHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import no.bindeledd.demo.Agencies;
import no.bindeledd.gate.Books;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** Bad input of every kind gets a clear error, is counted, and leaves the hub healthy. */
@ExtendWith(TestHouse.Resident.class)
class BadInputTest {
  private static final int FIFTY_MEGABYTES = 50 * 1024 * 1024;
  private static final AtomicInteger GOOD = new AtomicInteger();

  private final TestHouse house;

  BadInputTest(TestHouse house) {
    this.house = house;
  }

  @AfterEach
  void theHubIsHealthyAndAGoodMessagePasses() {
    healthy();
  }

  private void healthy() {
    assertThat(house.health().path("status").asText()).isEqualTo("UP");
    TestHouse.Reply reply =
        house.post(
            "measure-capacity",
            Agencies.NAV_STATE,
            SixExchangesTest.capacity("E2E-GOOD-" + GOOD.incrementAndGet(), "MENTOR"));
    assertThat(reply.status()).isEqualTo(202);
    house.settle();
  }

  // ---- REST

  private record Posted(String name, byte[] body, int status, String code, String detail) {}

  @TestFactory
  List<DynamicTest> badJsonByRestIsAnsweredWithAProblemDocument() {
    Youth youth = Youth.next();
    String good = SixExchangesTest.capacity("E2E-BAD-1", "MENTOR");
    return List.of(
            new Posted("nothing", new byte[0], 400, "MALFORMED", "one JSON object"),
            new Posted(
                "not JSON", bytes(youth.given() + " er ikke JSON"), 400, "MALFORMED", "JSON"),
            new Posted("cut off", bytes(good.substring(0, 40)), 400, "MALFORMED", "too early"),
            new Posted("two documents", bytes(good + good), 400, "MALFORMED", "after the end"),
            new Posted("a list", bytes("[" + good + "]"), 400, "MALFORMED", "one JSON object"),
            new Posted(
                "a member twice",
                bytes(
                    good.replace(
                        "{", "{\"" + youth.number() + "\":1,\"" + youth.number() + "\":2,")),
                400,
                "MALFORMED",
                "twice"),
            new Posted(
                "nested too deep", bytes("{\"a\":".repeat(2_000)), 400, "MALFORMED", "nested"),
            new Posted(
                "ISO-8859-1",
                good.replace("Ungdom", "Åpent for ungdom").getBytes(ISO_8859_1),
                400,
                "WRONG_CHARSET",
                "UTF-8"),
            new Posted("UTF-16", good.getBytes(UTF_16LE), 400, "WRONG_CHARSET", "UTF-8"),
            new Posted(
                "a member that the schema does not have",
                bytes(good.replace("{", "{\"" + youth.given() + "\":\"" + youth.number() + "\",")),
                422,
                "SCHEMA_VIOLATION",
                "additionalProperties"),
            new Posted(
                "a value of the wrong kind",
                bytes(good.replace("true", "\"" + youth.given() + "\"")),
                422,
                "SCHEMA_VIOLATION",
                "/open"),
            new Posted(
                "a member missing",
                bytes(good.replace("\"office\": \"311040715\", ", "")),
                422,
                "SCHEMA_VIOLATION",
                "office"),
            new Posted(
                "an unknown code",
                bytes(SixExchangesTest.capacity("E2E-BAD-CODE", "KANARIFUGLER")),
                422,
                "UNKNOWN_CODE",
                "tiltakskode"))
        .stream()
        .map(bad -> DynamicTest.dynamicTest(bad.name(), () -> posted(bad)))
        .toList();
  }

  private void posted(Posted bad) {
    Books before = house.books("measure-capacity");

    TestHouse.Reply reply =
        house.post(
            "measure-capacity",
            Tokens.of(Agencies.NAV_STATE, "bindeledd:measure-capacity"),
            bad.body());

    assertThat(reply.status()).as(reply.toString()).isEqualTo(bad.status());
    assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(reply.json().path("code").asText()).isEqualTo(bad.code());
    assertThat(reply.json().path("detail").asText()).contains(bad.detail());
    assertThat(reply.json().path("nb").asText()).isNotEmpty();
    Books after = house.books("measure-capacity");
    assertThat(after.refused() - before.refused()).isBetween(1L, 2L);
    assertThat(after.balance()).isTrue();
  }

  @Test
  void fiftyMegabytesByRestAreRefusedWithAnAnswerThatTheSenderCanRead() {
    Books before = house.books("measure-capacity");

    TestHouse.Reply reply =
        house.post(
            "measure-capacity",
            Tokens.of(Agencies.NAV_STATE, "bindeledd:measure-capacity"),
            filled(FIFTY_MEGABYTES));

    assertThat(reply.status()).isEqualTo(413);
    assertThat(reply.json().path("code").asText()).isEqualTo("TOO_LARGE");
    assertThat(reply.json().path("detail").asText()).contains("Split it");
    assertThat(house.books("measure-capacity").refused() - before.refused()).isEqualTo(1);
  }

  @Test
  void anAddressOrMethodThatTheHubDoesNotHaveIsAProblemDocumentToo() {
    Youth youth = Youth.next();
    TestHouse.Reply method = house.get("/exchanges/measure-capacity");
    TestHouse.Reply path = house.get("/persons/" + youth.number());
    TestHouse.Reply consent =
        house.keeper(
            "PUT", "/consents/" + youth.number(), "{\"subject\":\"" + youth.given() + "\"}");
    TestHouse.Reply notJson =
        house.keeper(
            "PUT",
            "/consents/00000000-0000-4000-8000-000000000001",
            "{\"state\":\"" + youth.given() + "\"}");
    TestHouse.Reply cutOff = house.keeper("PUT", "/protection", "{\"subject\":\"" + youth.number());

    assertThat(method.status()).isEqualTo(405);
    assertThat(path.status()).isEqualTo(404);
    assertThat(List.of(consent, notJson, cutOff))
        .extracting(TestHouse.Reply::status)
        .containsOnly(400);
    assertThat(List.of(method, path, consent, notJson, cutOff))
        .extracting(reply -> reply.header("Content-Type"))
        .containsOnly("application/problem+json");
    assertThat(List.of(method, path, consent, notJson, cutOff))
        .allSatisfy(reply -> assertThat(Leaks.in(reply.body())).isEmpty());
  }

  // ---- Kafka

  @Test
  void badRecordsOnATopicAreCountedAndDoNotStopTheGoodOneBehindThem() {
    Youth youth = Youth.next();
    Books before = house.books("measure-event");
    String good = TestHouse.measureEvent("bad-kafka-" + youth.hashCode(), youth);
    List<byte[]> bad =
        List.of(
            bytes("{\"id\": \"" + youth.given()),
            bytes("[]"),
            new byte[0],
            new byte[] {(byte) 0xFF, (byte) 0xFE, 0, 1, 2, 3},
            good.replace("innsatsgruppe", "innsatsgruppeø").getBytes(ISO_8859_1),
            bytes(good.replace("\"personIdent\"", "\"" + youth.family() + "\"")),
            bytes(good.replace("HAR_SLUTTET", "FINNES_IKKE")),
            bytes(good.replace(youth.number(), youth.wrongNumber())));
    for (byte[] value : bad) {
      house.publish(TestHouse.MEASURE_EVENTS, "same-partition", value, Map.of());
    }
    house.publish(TestHouse.MEASURE_EVENTS, "same-partition", bytes(good), Map.of());

    await()
        .atMost(PATIENCE)
        .until(() -> house.inbox.on(TestHouse.MEASURE_EVENT, youth).size() == 1);
    house.settle();
    Books after = house.books("measure-event");
    assertThat(after.refused() - before.refused()).isEqualTo(bad.size());
  }

  // ---- files

  private record Dropped(String name, byte[] content, String reason) {}

  @TestFactory
  List<DynamicTest> aFileThatCannotBeReadGoesToFailedWithAReport() {
    Youth youth = Youth.next();
    String row = TestHouse.csvRow(youth);
    return List.of(
            new Dropped("empty", new byte[0], "MALFORMED"),
            new Dropped("without-header", bytes(row + "\r\n" + row + "\r\n"), "MALFORMED"),
            new Dropped("open-quote", TestHouse.csv("\"" + row), "MALFORMED"),
            new Dropped(
                "utf-16", (TestHouse.CSV_HEADER + "\n" + row).getBytes(UTF_16LE), "WRONG_CHARSET"),
            new Dropped("binary", binary(), "WRONG_CHARSET"),
            new Dropped("other-header", bytes("a;b;c\r\n" + row + "\r\n"), "MALFORMED"),
            new Dropped("too-large", filled(FIFTY_MEGABYTES), "TOO_LARGE"))
        .stream()
        .map(bad -> DynamicTest.dynamicTest(bad.name(), () -> dropped(bad)))
        .toList();
  }

  private void dropped(Dropped bad) throws Exception {
    Books before = house.books("dropout-notice");

    JsonNode report = house.drop("e2e-bad-" + bad.name() + ".csv", bad.content());

    assertThat(report.path("_folder").asText()).isEqualTo("failed");
    assertThat(report.path("records")).isNotEmpty();
    assertThat(report.path("records").path(0).path("outcome").asText()).isEqualTo("REFUSED");
    assertThat(report.path("records").path(0).path("reason").asText()).isEqualTo(bad.reason());
    assertThat(report.path("records").path(0).path("detail").asText()).isNotEmpty();
    assertThat(Leaks.in(report.toString())).isEmpty();
    Books after = house.books("dropout-notice");
    assertThat(after.refused() - before.refused()).isEqualTo(report.path("records").size());
  }

  @Test
  void aFileWithAHeaderAndNoRowsIsTakenAsItIs() throws Exception {
    JsonNode report = house.drop("e2e-no-rows.csv", bytes(TestHouse.CSV_HEADER + "\r\n"));

    assertThat(report.path("_folder").asText()).isEqualTo("done");
    assertThat(report.path("records")).isEmpty();
  }

  // ---- MLLP

  private record Sent(String name, byte[] message, String reason) {}

  @TestFactory
  List<DynamicTest> aBadHl7MessageIsAcknowledgedAsAnErrorWithItsReason() {
    Youth youth = Youth.next();
    String good = MllpLine.referral("E2E-BAD-HL7", youth);
    return List.of(
            new Sent("not HL7", bytes(youth.given() + " er ikke HL7"), "MALFORMED"),
            new Sent(
                "another type", bytes(good.replace("REF^I12^REF_I12", "ADT^A01")), "MALFORMED"),
            new Sent("no control id", bytes(good.replace("E2E-BAD-HL7|P|", "|P|")), "MALFORMED"),
            new Sent("no patient", bytes(good.replaceAll("PID[^\r]*\r", "")), "MALFORMED"),
            new Sent(
                "a line that is no segment",
                bytes(good + youth.given() + " " + youth.number() + "\r"),
                "MALFORMED"),
            new Sent("Latin-1 that says UTF-8", good.getBytes(ISO_8859_1), "WRONG_CHARSET"),
            new Sent("an unknown code", bytes(good.replace("IPSUNG^", "KIRURGI^")), "UNKNOWN_CODE"),
            new Sent(
                "an invalid number",
                bytes(good.replace(youth.number(), youth.wrongNumber())),
                "INVALID_IDENTITY_NUMBER"),
            new Sent("too large", large(good), "TOO_LARGE"))
        .stream()
        .map(bad -> DynamicTest.dynamicTest(bad.name(), () -> sent(bad)))
        .toList();
  }

  private void sent(Sent bad) {
    Books before = house.books("ips-referral");
    MllpLine.Ack ack;
    try (MllpLine line = house.mllp()) {
      ack = line.send(bad.message());
    }
    assertThat(ack.code()).as(ack.text()).isEqualTo("AE");
    assertThat(ack.field("ERR", 5)).isEqualTo(bad.reason());
    assertThat(ack.field("ERR", 7)).isNotEmpty();
    assertThat(ack.field("ERR", 8)).isNotEmpty();
    assertThat(Leaks.in(ack.text())).isEmpty();
    assertThat(house.books("ips-referral").refused() - before.refused()).isEqualTo(1);
  }

  @Test
  void whatIsNoMllpFrameAtAllIsDroppedAndTheNextSenderIsServed() throws IOException {
    Youth youth = Youth.next();
    house.consent(youth, "EMPLOYMENT_SUPPORT");
    for (String rubbish :
        List.of(
            "GET / HTTP/1.1\r\nHost: " + youth.given() + "\r\n\r\n",
            "\u000B" + youth.number(),
            MllpLine.referral("E2E-NO-FRAME", youth))) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), house.mllpPort())) {
        OutputStream out = socket.getOutputStream();
        out.write(rubbish.getBytes(UTF_8));
        out.flush();
        socket.shutdownOutput();
        socket.setSoTimeout(30_000);
        socket.getInputStream().readAllBytes();
      }
    }
    try (MllpLine line = house.mllp()) {
      assertThat(line.send(MllpLine.referral("E2E-AFTER-RUBBISH", youth)).code()).isEqualTo("AA");
    }
    house.settle();
    assertThat(house.nav.about(youth))
        .extracting(call -> call.json().path("referanse").asText())
        .containsExactly("E2E-AFTER-RUBBISH");
  }

  private static byte[] bytes(String text) {
    return text.getBytes(UTF_8);
  }

  private static byte[] filled(int size) {
    byte[] body = new byte[size];
    Arrays.fill(body, (byte) 'x');
    return body;
  }

  private static byte[] binary() {
    byte[] body = new byte[2_000];
    new java.util.Random(1).nextBytes(body);
    return body;
  }

  private static byte[] large(String good) {
    return bytes(good + "NTE|2||" + "x".repeat(FIFTY_MEGABYTES) + "\r");
  }
}
