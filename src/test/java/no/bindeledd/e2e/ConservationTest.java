package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static no.bindeledd.e2e.TestHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import no.bindeledd.audit.LedgerVerifier;
import no.bindeledd.audit.Verification;
import no.bindeledd.demo.Agencies;
import no.bindeledd.gate.Books;
import no.bindeledd.gate.StationTimes;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The laws in the Javadoc of {@link StationTimes}, added up from what Prometheus reads. */
@ExtendWith(TestHouse.Resident.class)
class ConservationTest {
  private static final Pattern METRIC = Pattern.compile("(bindeledd_[a-z_]+)\\{(.*)}");
  private static final Set<String> LEFT = Set.of("released", "reduced", "deidentified");

  private final TestHouse house;

  ConservationTest(TestHouse house) {
    this.house = house;
  }

  /** The counters of one exchange: name, or name and the value of its other tag. */
  private static final class Counters {
    private final Map<String, Double> values = new TreeMap<>();

    double of(String name) {
      return values.getOrDefault(name, 0.0);
    }

    double all(String name) {
      return values.entrySet().stream()
          .filter(entry -> entry.getKey().startsWith(name + " "))
          .mapToDouble(Map.Entry::getValue)
          .sum();
    }

    double left(String name) {
      return LEFT.stream().mapToDouble(outcome -> of(name + " " + outcome)).sum();
    }

    @Override
    public String toString() {
      return values.toString();
    }
  }

  private Map<String, Counters> counters() {
    Map<String, Counters> exchanges = new TreeMap<>();
    house
        .metrics()
        .forEach(
            (metric, value) -> {
              Matcher matcher = METRIC.matcher(metric);
              // How far a copy of the ledger has come is no count of messages.
              if (!matcher.matches() || matcher.group(1).startsWith("bindeledd_audit_")) {
                return;
              }
              String exchange = null;
              StringBuilder name = new StringBuilder(matcher.group(1));
              for (String tag : matcher.group(2).split(",")) {
                String text = tag.substring(tag.indexOf('"') + 1, tag.lastIndexOf('"'));
                if (tag.startsWith("exchange=")) {
                  exchange = text;
                } else {
                  name.append(' ').append(text);
                }
              }
              assertThat(exchange).as(metric).isNotNull();
              exchanges
                  .computeIfAbsent(exchange, key -> new Counters())
                  .values
                  .put(name.toString(), value);
            });
    return exchanges;
  }

  @Test
  void everyMessageIsReceivedAndThenDeliveredHeldRefusedOrDead() throws Exception {
    traffic();
    house.settle();

    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> counters().forEach((exchange, c) -> lawsHold(exchange, c)));

    Map<String, Counters> counters = counters();
    assertThat(counters.keySet())
        .contains(
            "dropout-notice",
            "ips-referral",
            "list-reconciliation",
            "measure-capacity",
            "measure-event",
            "rights-query",
            "unknown");
    Map<String, Books> books = new TreeMap<>(house.books());
    // Where nothing has come yet there is nothing to count.
    counters.values().removeIf(c -> received(c) == 0);
    books.values().removeIf(book -> book.received() == 0);
    assertThat(new TreeSet<>(books.keySet())).isEqualTo(new TreeSet<>(counters.keySet()));
    books.forEach(
        (exchange, book) -> {
          Counters c = counters.get(exchange);
          assertThat(book.balance()).as(exchange).isTrue();
          assertThat(received(c)).as(exchange).isEqualTo(book.received());
          assertThat(c.of("bindeledd_hold_waiting")).as(exchange).isEqualTo(book.held());
          assertThat(c.of("bindeledd_deliver_pending")).as(exchange).isEqualTo(book.pending());
          assertThat(c.of("bindeledd_deliver_total dead"))
              .as(exchange)
              .isEqualTo(book.deadLettered());
        });
  }

  private static double received(Counters c) {
    return c.of("bindeledd_receive_total")
        - c.of("bindeledd_record_repeated_total")
        - c.of("bindeledd_record_failed_total");
  }

  private static void lawsHold(String exchange, Counters c) {
    String about = exchange + " " + c;
    assertThat(received(c)).as(about).isEqualTo(c.all("bindeledd_record_total"));
    double left = c.left("bindeledd_record_total") + c.left("bindeledd_record_reconsidered_total");
    assertThat(
            c.of("bindeledd_deliver_total delivered")
                + c.of("bindeledd_deliver_total dead")
                + c.of("bindeledd_deliver_total stopped")
                + c.of("bindeledd_deliver_total parked")
                + c.of("bindeledd_deliver_pending"))
        .as(about)
        .isEqualTo(left);
    assertThat(c.of("bindeledd_hold_waiting") + c.all("bindeledd_record_reconsidered_total"))
        .as(about)
        .isEqualTo(c.of("bindeledd_record_total held") + c.of("bindeledd_deliver_total parked"));
  }

  /** Something of every kind, so that the laws have something to hold of. */
  private void traffic() throws Exception {
    Youth released = Youth.next();
    Youth held = Youth.next();
    Youth heldForGood = Youth.next();
    Youth dead = Youth.next();
    house.consent(released, "EMPLOYMENT_SUPPORT");
    house.consent(dead, "EMPLOYMENT_SUPPORT");
    house.nav.behave(
        call -> Peer.Answer.of(new String(call.body(), UTF_8).contains(dead.number()) ? 422 : 201));
    try (MllpLine line = house.mllp()) {
      line.send(MllpLine.referral("LAW-1", released));
      line.send(MllpLine.referral("LAW-1", released));
      line.send(MllpLine.referral("LAW-2", held));
      line.send(MllpLine.referral("LAW-3", heldForGood));
      line.send(MllpLine.referral("LAW-4", dead));
      line.send("MSH|not HL7");
    }
    house.consent(held, "EMPLOYMENT_SUPPORT");
    house.settle();
    house.nav.behaveAsUsual();
    withdrawnAndParkedAndResumed();

    house.drop("laws.csv", TestHouse.csv(TestHouse.csvRow(released), TestHouse.csvRow(held), "x"));
    house.publish(
        TestHouse.MEASURE_EVENTS,
        "law",
        TestHouse.measureEvent("law-" + released.hashCode(), released).getBytes(UTF_8),
        Map.of());
    house.publish(TestHouse.MEASURE_EVENTS, "law", "x".getBytes(UTF_8), Map.of());
    await()
        .atMost(PATIENCE)
        .until(() -> !house.inbox.on(TestHouse.MEASURE_EVENT, released).isEmpty());
    String list = "LAW-" + UUID.randomUUID();
    for (var side : List.of(Agencies.OT, Agencies.NAV_A)) {
      house.post(
          "list-reconciliation",
          side,
          SixExchangesTest.list(
              list,
              side == Agencies.OT ? Agencies.NAV_A : Agencies.OT,
              Map.of(side + "-law-" + list.hashCode(), SixExchangesTest.row(held, "IVARETATT"))));
    }
    house.post(
        "measure-capacity", Agencies.NAV_STATE, SixExchangesTest.capacity("LAW-C", "MENTOR"));
    house.post("measure-capacity", Agencies.NAV_STATE, "{}");
    house.post("no-such-exchange", Agencies.NAV_STATE, "{}");
    for (Youth youth : List.of(released, released, held)) {
      house.post(
          "rights-query",
          Agencies.NAV_STATE,
          """
          {"messageId": "LAW-%d", "foedselsnummer": "%s", "question": "OT_STATUS"}
          """
              .formatted(youth.hashCode(), youth.number()));
    }
  }

  /** Stopped at the door for good, and parked there until the protection is lifted. */
  private void withdrawnAndParkedAndResumed() {
    Youth withdrawn = Youth.next();
    Youth parked = Youth.next();
    UUID consent = house.consent(withdrawn, "EMPLOYMENT_SUPPORT");
    house.consent(parked, "EMPLOYMENT_SUPPORT");
    house.nav.behave(call -> Peer.Answer.of(503));
    long pending = house.books("ips-referral").pending();
    try (MllpLine line = house.mllp()) {
      line.send(MllpLine.referral("LAW-WITHDRAWN", withdrawn));
      line.send(MllpLine.referral("LAW-PARKED", parked));
    }
    house.withdraw(consent, withdrawn);
    house.protect(parked, "FORTROLIG", false);
    await().atMost(PATIENCE).until(() -> house.books("ips-referral").pending() == pending);
    house.nav.behaveAsUsual();
    house.protect(parked, "UGRADERT", false);
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                house.nav.about(parked).stream()
                    .anyMatch(call -> house.books("ips-referral").pending() == pending));
  }

  @Test
  void theSendersTraceReachesEveryRecipientAndStandsInTheLedger() {
    Youth youth = Youth.next();
    String kafka = TestHouse.newTrace();
    String rest = TestHouse.newTrace();
    String asked = TestHouse.newTrace();
    house.publish(
        TestHouse.MEASURE_EVENTS,
        "trace",
        TestHouse.measureEvent("trace-" + youth.hashCode(), youth).getBytes(UTF_8),
        Map.of("traceparent", kafka));
    push("measure-capacity", SixExchangesTest.capacity("E2E-TRACE", "MENTOR"), rest);
    push(
        "rights-query",
        """
        {"messageId": "E2E-TRACE-RQ", "foedselsnummer": "%s", "question": "OT_STATUS"}
        """
            .formatted(youth.number()),
        asked);
    await().atMost(PATIENCE).until(() -> !house.inbox.on(TestHouse.MEASURE_EVENT, youth).isEmpty());
    house.settle();

    assertThat(house.inbox.on(TestHouse.MEASURE_EVENT, youth).getFirst().headers())
        .containsEntry("traceparent", kafka);
    for (String topic : List.of(TestHouse.MEASURE_CAPACITY, TestHouse.SCHOOL_CAPACITY)) {
      assertThat(house.inbox.on(topic))
          .filteredOn(letter -> letter.json().path("messageId").asText().equals("E2E-TRACE"))
          .extracting(letter -> letter.headers().get("traceparent"))
          .containsExactly(rest);
    }
    assertThat(house.county.about(youth).getFirst().header("Traceparent")).isEqualTo(asked);
    for (String trace : List.of(kafka, rest, asked)) {
      assertThat(house.ledger.ofTrace(trace))
          .extracting(entry -> entry.path("station").asText())
          .contains("DECIDE");
    }
    assertThat(house.ledger.ofTrace(kafka))
        .extracting(entry -> entry.path("station").asText())
        .containsExactly("DECIDE", "DELIVER");
  }

  @Test
  void aMessageWithoutATraceGetsOneThatFollowsItToTheRecipient() {
    Youth youth = Youth.next();
    house.consent(youth, "EMPLOYMENT_SUPPORT");
    try (MllpLine line = house.mllp()) {
      line.send(MllpLine.referral("E2E-NO-TRACE", youth));
    }
    house.settle();

    String trace = house.nav.about(youth).getFirst().header("Traceparent");
    assertThat(trace).matches("00-[0-9a-f]{32}-[0-9a-f]{16}-01");
    assertThat(house.ledger.ofTrace(trace))
        .extracting(entry -> entry.path("station").asText())
        .containsExactly("DECIDE", "DELIVER");
  }

  @Test
  void theLedgerOfAllThisIsProvedFromItsFirstEntryToItsLast() throws Exception {
    house.settle();
    Verification verification =
        LedgerVerifier.verify(
            house.hub.database(), house.hub.logKey().verifiers(), List.of(), (done, of) -> {});

    assertThat(verification.verified()).as(String.valueOf(verification.firstProblem())).isTrue();
    assertThat(verification.entries()).isPositive();
  }

  @Test
  void eachPartAndChannelHasAHealthGroupOfItsOwn() {
    for (String group :
        List.of(
            "database",
            "message-broker",
            "audit-trail",
            "channel-kafka",
            "channel-sftp",
            "channel-mllp",
            "channel-rest",
            "channel-fint",
            "readiness",
            "liveness")) {
      JsonNode health = house.get("/actuator/health/" + group).json();
      assertThat(health.path("status").asText()).as(group).isEqualTo("UP");
    }
    assertThat(house.get("/actuator/health/channel-sftp").body())
        .contains("dropout-notice.receive");
  }

  private void push(String exchange, String json, String trace) {
    TestHouse.Reply reply =
        house.post(
            exchange,
            json.getBytes(UTF_8),
            with ->
                with.header(
                        "Authorization",
                        house.bearer(Tokens.of(Agencies.NAV_STATE, "bindeledd:" + exchange)))
                    .header("traceparent", trace));
    assertThat(reply.status()).as(reply.toString()).isIn(200, 202);
  }
}
