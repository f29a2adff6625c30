package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static no.bindeledd.e2e.TestHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import no.bindeledd.demo.Agencies;
import org.apache.camel.CamelContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * People with numbers and names of their own go through every exchange in every way, good and bad;
 * then everything the hub has written is searched for all people whom any test has met. Only the
 * recipients' opened payloads may hold them.
 */
@ExtendWith(TestHouse.Resident.class)
class CanaryTest {
  private final TestHouse house;

  CanaryTest(TestHouse house) {
    this.house = house;
  }

  @Test
  void theSearchFindsAPersonInEveryFormItLooksFor() {
    Youth youth = Youth.next();
    String hex = java.util.HexFormat.of().formatHex(youth.number().getBytes(UTF_8));
    String base64 =
        java.util.Base64.getEncoder()
            .encodeToString(("x " + youth.family() + " y").getBytes(UTF_8));

    assertThat(Leaks.in("{\"a\":\"" + youth.number() + "\"}")).hasSize(1);
    assertThat(Leaks.in("12" + youth.wrongNumber() + "34")).hasSize(1);
    assertThat(Leaks.in(youth.given().toUpperCase(java.util.Locale.ROOT))).hasSize(1);
    assertThat(Leaks.in("\\x00ff" + hex + "00")).isNotEmpty();
    assertThat(Leaks.in("\\x0" + hex)).isNotEmpty();
    assertThat(Leaks.in("value " + base64)).isNotEmpty();
    assertThat(Leaks.inBytes(("\u0000\u0001" + youth.given()).getBytes(UTF_8))).hasSize(1);
    assertThat(Leaks.in("nobody, 00000000000, and 3131313131313131313131")).isEmpty();
  }

  @Test
  void nothingTheHubWritesHoldsAPersonSaveTheRecipientsPayloads() throws Exception {
    plantFiles();
    plantEvents();
    plantReferrals();
    plantLists();
    plantQuestions();
    plantKeepersRequests();
    plantRawRequests();
    house.settle();

    assertThat(house.inbox.all())
        .as("the recipients' payloads hold them, or the search proves nothing")
        .anyMatch(letter -> !Leaks.inBytes(letter.plain()).isEmpty());
    assertThat(house.nav.calls()).anyMatch(call -> !Leaks.inBytes(call.body()).isEmpty());

    Map<String, List<String>> leaks = new TreeMap<>();
    searchHttp(leaks);
    searchActuator(leaks);
    searchDatabase(leaks);
    searchTopics(leaks);
    searchFilesOfTheHub(leaks);
    searchTheSchoolsServer(leaks);
    for (String answer : MllpLine.ANSWERS) {
      note(leaks, "acknowledgement", Leaks.in(answer));
    }
    leaks.values().removeIf(List::isEmpty);
    assertThat(leaks).isEmpty();
  }

  @Test
  void camelIsToldToKeepBodiesAndHeadersToItself() {
    CamelContext camel = house.hub.part(CamelContext.class);

    assertThat(camel.isLogMask()).isTrue();
    assertThat(camel.isMessageHistory()).isFalse();
    assertThat(camel.isLogExhaustedMessageBody()).isFalse();
    assertThat(camel.isTracing()).isFalse();
  }

  // ---- planting

  private void plantFiles() throws Exception {
    Youth good = Youth.next();
    Youth bad = Youth.next();
    Youth held = Youth.next();
    Youth refused = Youth.next();
    Youth quoted = Youth.next();
    house.consent(good, "FOLLOW_UP");
    house.protect(held, "FORTROLIG", false);
    house.protect(refused, "STRENGT_FORTROLIG", true);
    String row = TestHouse.csvRow(bad);
    house.drop(
        "canary-" + bad.number() + ".csv",
        TestHouse.csv(
            TestHouse.csvRow(good),
            TestHouse.csvRow(held),
            TestHouse.csvRow(refused),
            TestHouse.csvRow(quoted).replace(quoted.given(), "\"" + quoted.given() + "\r\nx\""),
            row.replace(bad.number(), bad.wrongNumber()),
            row.replace(";FV;", ";" + bad.given() + ";"),
            row.replace("28.08.2026", bad.family()),
            row.replace(";1;", ";" + bad.number() + ";"),
            row.replace("311000004", bad.number()),
            row.replace(bad.given(), bad.given().repeat(20)),
            row.replace(bad.given(), bad.given() + "\u0007"),
            bad.number() + ";" + bad.given(),
            "\"" + row));
    house.drop("canary-no-header.csv", (row + "\r\n" + row).getBytes(UTF_8));
    house.drop("canary-name-as-column.csv", (bad.given() + ";" + row).getBytes(UTF_8));

    // FINT refuses the one, and repeats what it was sent; the other becomes a dead letter too.
    Youth rejected = Youth.next();
    Youth failing = Youth.next();
    house.fint.behave(
        call -> {
          String body = new String(call.body(), UTF_8);
          return body.contains(rejected.number())
              ? new Peer.Answer(400, Map.of(), call.body())
              : body.contains(failing.number())
                  ? new Peer.Answer(400, Map.of("Location", "/" + failing.number()), call.body())
                  : new Peer.Answer(202, Map.of("Location", "/status/1"), new byte[0]);
        });
    house.drop(
        "canary-dead.csv", TestHouse.csv(TestHouse.csvRow(rejected), TestHouse.csvRow(failing)));
    long dead = house.books("dropout-notice").deadLettered();
    house.settle();
    assertThat(house.books("dropout-notice").deadLettered()).isGreaterThanOrEqualTo(dead);
    house.fint.behaveAsUsual();
  }

  private void plantEvents() {
    Youth good = Youth.next();
    Youth bad = Youth.next();
    String event = TestHouse.measureEvent("canary-" + good.hashCode(), good);
    Map<String, String> headers =
        Map.of("traceparent", bad.number(), "tracestate", "a=" + bad.given(), bad.given(), "x");
    for (String value :
        List.of(
            event,
            event.substring(0, 80),
            bad.given() + " " + bad.number(),
            "{\"" + bad.number() + "\": \"" + bad.given() + "\"}",
            event.replace(good.number(), bad.wrongNumber()),
            event.replace(good.number(), bad.given()),
            event.replace("HAR_SLUTTET", "KANARIFUGL"),
            event.replace("\"status\":{", "\"status\":{\"" + bad.given() + "\":1,"),
            event.replace("2026-08-17T", bad.number() + "T"),
            event.replace("KOMET", bad.family()))) {
      house.publish(TestHouse.MEASURE_EVENTS, bad.number(), value.getBytes(UTF_8), headers);
    }
    await().atMost(PATIENCE).until(() -> !house.inbox.on(TestHouse.MEASURE_EVENT, good).isEmpty());
  }

  private void plantReferrals() {
    Youth good = Youth.next();
    Youth held = Youth.next();
    Youth bad = Youth.next();
    Youth rejected = Youth.next();
    Youth failing = Youth.next();
    for (Youth youth : List.of(good, rejected, failing)) {
      house.consent(youth, "EMPLOYMENT_SUPPORT");
    }
    house.nav.behave(
        call -> {
          String body = new String(call.body(), UTF_8);
          return body.contains(rejected.number())
              ? new Peer.Answer(400, Map.of("X-Who", rejected.number()), call.body())
              : body.contains(failing.number())
                  ? new Peer.Answer(500, Map.of("Location", "/" + failing.number()), call.body())
                  : Peer.Answer.of(201);
        });
    String message = MllpLine.referral("CANARY-BAD", bad);
    long dead = house.books("ips-referral").deadLettered();
    try (MllpLine line = house.mllp()) {
      line.send(MllpLine.referral("CANARY-GOOD", good));
      line.send(MllpLine.referral("CANARY-HELD", held));
      line.send(MllpLine.referral("CANARY-REJECTED", rejected));
      line.send(MllpLine.referral("CANARY-FAILING", failing));
      line.send(message.replace(bad.number(), bad.wrongNumber()));
      line.send(message.replace("PID|1||", "PID|1||" + bad.given() + "~"));
      line.send(message.replace("IPSUNG^", bad.given() + "^"));
      line.send(message.replaceAll("PID[^\r]*", bad.number() + " " + bad.given()));
      line.send(message.replace("REF^I12^REF_I12", bad.given() + "^" + bad.number()));
      line.send(message.replace("UNICODE UTF-8", bad.given()));
      line.send(message.replace("|2.5|", "|" + bad.number() + "|"));
      line.send(message.replaceAll("\\|20[0-9]{6}\\|U", "|" + bad.number() + "|U"));
      line.send(bad.number() + " " + bad.given());
      // The control id goes back to the sender, as HL7 wants it; so this answer is not searched.
      MllpLine.ANSWERS.remove(line.send(MllpLine.referral(bad.number(), held)).text());
    }
    await().atMost(PATIENCE).until(() -> house.books("ips-referral").deadLettered() - dead == 2);
    house.nav.behaveAsUsual();
  }

  private void plantLists() {
    Youth good = Youth.next();
    Youth bad = Youth.next();
    String list = "CANARY-" + Long.toHexString(System.nanoTime());
    house.post(
        "list-reconciliation",
        Agencies.NAV_A,
        SixExchangesTest.list(
            list, Agencies.OT, Map.of("c-1", SixExchangesTest.row(good, "IVARETATT"))));
    house.post(
        "list-reconciliation",
        Agencies.OT,
        SixExchangesTest.list(
            list,
            Agencies.NAV_A,
            Map.of(
                "c-1",
                SixExchangesTest.row(good, "IVARETATT"),
                bad.number(),
                SixExchangesTest.row(bad, "IVARETATT"),
                "c-3",
                SixExchangesTest.row(bad, bad.given()),
                "c-4",
                SixExchangesTest.row(bad, "IVARETATT").put(bad.given(), bad.number()),
                "c-5",
                SixExchangesTest.row(bad, "IVARETATT").put("foedselsnummer", bad.wrongNumber()))));
    ObjectNode odd = TestHouse.JSON.createObjectNode();
    odd.put("listId", bad.given() + " " + bad.number());
    odd.put("counterpart", bad.number());
    odd.putArray("persons").add(bad.number()).add(SixExchangesTest.row(bad, "IVARETATT"));
    house.post("list-reconciliation", Agencies.OT, odd.toString());
  }

  private void plantQuestions() {
    Youth good = Youth.next();
    Youth bad = Youth.next();
    Tokens.Wanted token = Tokens.of(Agencies.NAV_STATE, "bindeledd:rights-query");
    String question =
        """
        {"messageId": "CANARY-1", "foedselsnummer": "%s", "question": "OT_STATUS"}
        """
            .formatted(good.number());
    house.post("rights-query", Agencies.NAV_STATE, question);
    house.county.behave(
        call -> new Peer.Answer(500, Map.of("Location", "/" + good.number()), call.body()));
    house.post("rights-query", Agencies.NAV_STATE, question.replace("CANARY-1", "CANARY-2"));
    house.county.behave(
        call ->
            Peer.Answer.json(200, "{\"rett\": \"" + good.number() + " " + good.given() + "\"}"));
    house.post("rights-query", Agencies.NAV_STATE, question.replace("CANARY-1", "CANARY-3"));
    house.county.behave(
        call -> Peer.Answer.json(200, TestHouse.COUNTY_ANSWER.replace("OTOV", good.given())));
    house.post("rights-query", Agencies.NAV_STATE, question.replace("CANARY-1", "CANARY-4"));
    house.county.behaveAsUsual();
    for (String body :
        List.of(
            question.replace("OT_STATUS", bad.given()),
            question.replace("messageId", bad.number()),
            question.replace("CANARY-1", bad.given() + " " + bad.number()),
            question.replace(good.number(), bad.wrongNumber()),
            question.replace(good.number(), bad.given()),
            question + bad.given(),
            "\"" + bad.number() + "\"")) {
      house.post("rights-query", token, body.getBytes(UTF_8));
    }
    house.post("rights-query", token.with("pid", bad.number()), question.getBytes(UTF_8));
    house.post("rights-query", token.with("pid", bad.given()), question.getBytes(UTF_8));
    house.post(
        "rights-query",
        question.getBytes(UTF_8),
        with ->
            with.header("Authorization", "Bearer " + bad.number() + "." + bad.given() + ".x")
                .header("traceparent", bad.number())
                .header("Idempotency-Key", bad.number())
                .header("baggage", "who=" + bad.given()));
    house.post(bad.number(), token, question.getBytes(UTF_8));
    house.post("rights-query?who=" + bad.number(), token, question.getBytes(UTF_8));
    house.get("/exchanges/" + bad.number());
    house.get("/persons/" + bad.number() + "?name=" + bad.given());
    house.get("/actuator/health/" + bad.number());
    house.get("/actuator/metrics/" + bad.number());
    house.get("/actuator/metrics/bindeledd.receive?tag=exchange:" + bad.number());
  }

  private void plantKeepersRequests() {
    Youth youth = Youth.next();
    String address = "/consents/00000000-0000-4000-8000-0000000000c1";
    for (String body :
        List.of(
            "{\"subject\": \"" + youth.number() + "\", \"state\": \"" + youth.given() + "\"}",
            "{\"subject\": \"" + youth.number() + "\", \"purpose\": \"" + youth.given() + "\"}",
            "{\"subject\": \"" + youth.wrongNumber() + "\", \"purpose\": \"FOLLOW_UP\"}",
            "{\"subject\": \""
                + youth.number()
                + "\", \"recipients\": [\""
                + youth.number()
                + "\"]}",
            "{\"subject\": \"" + youth.number() + "\", \"validFrom\": \"" + youth.given() + "\"}",
            "{\"subject\": \""
                + youth.number()
                + "\", \"purpose\": \"FOLLOW_UP\", \"textVersion\": \"e2e@1\", \"captured\": \"PORTAL\", \"categories\": [\""
                + youth.given()
                + "\"]}",
            "{\"subject\": \""
                + youth.number()
                + "\", \"textVersion\": \"e2e@1\", \"captured\": \"PORTAL\", \"purpose\": \""
                + youth.given()
                + "\"}",
            "{\"subject\": \""
                + youth.number()
                + "\", \"purpose\": \"FOLLOW_UP\", \"captured\": \"PORTAL\", \"textVersion\": \""
                + youth.given()
                + "\"}",
            "{\"subject\": \"" + youth.number() + "\", \"captured\": \"" + youth.given() + "\"}",
            "{\"" + youth.number() + "\": 1}",
            youth.number())) {
      assertThat(house.keeper("PUT", address, body, "If-None-Match", "*").status())
          .as(body)
          .isBetween(400, 499);
    }
    house.keeper("PUT", address, "{}", "If-Match", youth.number());
    house.keeper("POST", "/consents/search", "{\"subject\": \"" + youth.wrongNumber() + "\"}");
    house.keeper("PUT", "/consents/" + youth.number(), "{}");
    house.keeper("PUT", "/protection", "{\"subject\": \"" + youth.given() + "\"}");
    house.keeper("PUT", "/protection", "{\"grade\": \"" + youth.given() + "\"}");
    house.keeper("DELETE", "/protection/" + youth.number(), "");
    house.send(
        HttpRequest.newBuilder(URI.create(house.address("/protection")))
            .header("Content-Type", "text/plain")
            .PUT(HttpRequest.BodyPublishers.ofString(youth.number())));
  }

  /** What no HTTP client would send. */
  private void plantRawRequests() throws IOException {
    Youth youth = Youth.next();
    for (String request :
        List.of(
            "GET /" + youth.number() + "|{} HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET /%zz" + youth.number() + " HTTP/1.1\r\nHost: x\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: " + youth.given() + " {}\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: x\r\n" + youth.given() + " (x): 1\r\n\r\n",
            youth.number() + " / HTTP/1.1\r\nHost: x\r\n\r\n",
            "POST /exchanges/x HTTP/1.1\r\nHost: x\r\nContent-Length: "
                + youth.given()
                + "\r\n\r\n",
            youth.given() + "\r\n\r\n")) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), house.hub.port())) {
        socket.setSoTimeout(10_000);
        socket.getOutputStream().write(request.getBytes(UTF_8));
        socket.shutdownOutput();
        String answer = new String(socket.getInputStream().readAllBytes(), UTF_8);
        assertThat(Leaks.in(answer)).as(request).isEmpty();
      }
    }
    for (String frame :
        List.of("\u000B" + youth.number(), youth.given() + "\u001C\r", "\u000B\u001C\r")) {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), house.mllpPort())) {
        socket.setSoTimeout(20_000);
        socket.getOutputStream().write(frame.getBytes(UTF_8));
        socket.shutdownOutput();
        socket.getInputStream().readAllBytes();
      }
    }
  }

  // ---- searching

  private void searchHttp(Map<String, List<String>> leaks) {
    for (TestHouse.Reply reply : house.replies()) {
      note(leaks, "HTTP " + reply.status(), Leaks.in(reply.body()));
      note(leaks, "HTTP headers", Leaks.in(reply.headers().toString()));
    }
  }

  private void searchActuator(Map<String, List<String>> leaks) {
    for (String path : List.of("", "/health", "/info", "/prometheus", "/metrics")) {
      note(leaks, path, Leaks.in(house.get("/actuator" + path).body()));
    }
    for (JsonNode name : house.get("/actuator/metrics").json().path("names")) {
      String path = "/actuator/metrics/" + name.asText();
      note(leaks, path, Leaks.in(house.get(path).body()));
    }
  }

  private void searchDatabase(Map<String, List<String>> leaks) throws SQLException {
    try (Connection connection = house.hub.database().getConnection();
        Statement statement = connection.createStatement()) {
      List<String> tables = new ArrayList<>();
      try (ResultSet rows =
          statement.executeQuery(
              "SELECT format('%I.%I', table_schema, table_name) FROM information_schema.tables"
                  + " WHERE table_type = 'BASE TABLE'"
                  + " AND table_schema NOT IN ('pg_catalog', 'information_schema')")) {
        while (rows.next()) {
          tables.add(rows.getString(1));
        }
      }
      assertThat(tables)
          .contains(
              "public.envelope",
              "public.held",
              "public.outbox",
              "public.parcel",
              "public.roster",
              "public.audit_entry",
              "public.consent",
              "public.protection");
      for (String table : tables) {
        // A row as text; bytea is hexadecimal in it.
        try (ResultSet rows = statement.executeQuery("SELECT t::text FROM " + table + " t")) {
          while (rows.next()) {
            note(leaks, "table " + table, Leaks.in(rows.getString(1)));
          }
        }
      }
    }
  }

  private void searchTopics(Map<String, List<String>> leaks) {
    for (Inbox.Letter letter : house.inbox.all()) {
      note(leaks, letter.topic() + " key", Leaks.in(letter.keyText()));
      note(leaks, letter.topic() + " headers", Leaks.in(letter.headers().toString()));
      note(leaks, letter.topic() + " value", Leaks.in(new String(letter.value(), UTF_8)));
    }
  }

  /** All of its data directory, the database's and the broker's files included. */
  private void searchFilesOfTheHub(Map<String, List<String>> leaks) throws IOException {
    Path schools = house.data.resolve("school");
    Path topics = house.data.resolve("kafka").resolve("topics");
    List<Path> files;
    try (Stream<Path> all = Files.walk(house.data)) {
      files = all.filter(Files::isRegularFile).toList();
    }
    for (Path file : files) {
      // The school's and NAV's own: what they send.
      boolean sendersOwn =
          file.startsWith(schools)
              || (file.startsWith(topics)
                  && topics.relativize(file).toString().startsWith(TestHouse.MEASURE_EVENTS));
      if (sendersOwn) {
        continue;
      }
      byte[] content;
      try {
        content = Files.readAllBytes(file);
      } catch (IOException e) {
        // The database and the broker remove files of theirs as they please.
        continue;
      }
      String name = house.data.relativize(file).toString();
      note(leaks, "name of " + name, Leaks.in(name));
      note(leaks, name, Leaks.inBytes(content));
      if (file.equals(house.log())) {
        note(leaks, name, Leaks.in(new String(content, UTF_8)));
      }
    }
    assertThat(files).contains(house.log());
  }

  /** The school named one file after a person, and so its report; the hub adds no such name. */
  private void searchTheSchoolsServer(Map<String, List<String>> leaks) throws IOException {
    try (Stream<Path> files = Files.walk(house.dropFolder())) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = file.getFileName().toString();
        if (!name.matches("canary-[0-9]{11}\\.csv.*")) {
          note(leaks, "file name on the SFTP server", Leaks.in(name));
        }
        if (name.endsWith(".report.json")) {
          ObjectNode report = (ObjectNode) TestHouse.JSON.readTree(file.toFile());
          report.remove("file");
          note(leaks, "report", Leaks.in(report.toString()));
        }
      }
    }
  }

  private static void note(Map<String, List<String>> leaks, String where, List<String> found) {
    leaks.computeIfAbsent(where, key -> new ArrayList<>()).addAll(found);
  }
}
