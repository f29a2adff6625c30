package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import java.net.http.HttpRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import no.bindeledd.demo.Agencies;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.Books;
import no.bindeledd.policy.Outcome;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.extension.ExtendWith;

/** What nobody has allowed is refused or held, said why, audited and counted. */
@ExtendWith(TestHouse.Resident.class)
class DefaultDenyTest {
  private static final String CAPACITY = "measure-capacity";
  private static final String SCOPE = "bindeledd:measure-capacity";

  private final TestHouse house;

  DefaultDenyTest(TestHouse house) {
    this.house = house;
  }

  @AfterEach
  void leaveNothingWaiting() {
    house.settle();
  }

  /**
   * Somebody whom the hub turns away at the door.
   *
   * @param said the code the caller reads, which may say less than what is recorded
   * @param detail what the problem's detail begins with
   * @param books the exchange it is counted under
   */
  private record Stranger(
      String name,
      String exchange,
      Tokens.Wanted token,
      int status,
      ReasonCode said,
      ReasonCode recorded,
      String detail,
      String books) {}

  private static List<Stranger> strangers() {
    Tokens.Wanted good = Tokens.of(Agencies.NAV_STATE, SCOPE);
    List<Stranger> all = new ArrayList<>();
    all.add(
        new Stranger(
            "an unknown exchange",
            "no-such-exchange",
            good,
            404,
            ReasonCode.UNKNOWN_EXCHANGE,
            ReasonCode.UNKNOWN_EXCHANGE,
            "There is no such exchange",
            "unknown"));
    all.add(
        new Stranger(
            "a sender that is in no contract",
            CAPACITY,
            Tokens.of(Agencies.SECOND_SCHOOL, SCOPE),
            404,
            ReasonCode.UNKNOWN_EXCHANGE,
            ReasonCode.UNKNOWN_SENDER,
            "There is no such exchange",
            CAPACITY));
    all.add(
        new Stranger(
            "a sender of another exchange",
            CAPACITY,
            Tokens.of(Agencies.NAV_A, SCOPE),
            404,
            ReasonCode.UNKNOWN_EXCHANGE,
            ReasonCode.UNKNOWN_SENDER,
            "There is no such exchange",
            CAPACITY));
    all.add(
        new Stranger(
            "a school that comes with a token instead of its file",
            "dropout-notice",
            Tokens.of(Agencies.SCHOOL, "bindeledd:dropout-notice"),
            404,
            ReasonCode.UNKNOWN_EXCHANGE,
            ReasonCode.UNKNOWN_SENDER,
            "There is no such exchange",
            "dropout-notice"));
    all.add(
        token(
            "a token for another audience",
            good.withAudience("https://other.example"),
            401,
            "WRONG_AUDIENCE"));
    all.add(token("a token of another issuer", good.withIssuer("elsewhere"), 401, "WRONG_ISSUER"));
    all.add(
        token("a token that has expired", good.withLife(Duration.ofMinutes(-5)), 401, "EXPIRED"));
    all.add(
        token(
            "a token for another exchange",
            Tokens.of(Agencies.NAV_STATE, "bindeledd:rights-query"),
            403,
            "MISSING_SCOPE"));
    return all;
  }

  private static Stranger token(String name, Tokens.Wanted token, int status, String cause) {
    return new Stranger(
        name,
        CAPACITY,
        token,
        status,
        ReasonCode.UNKNOWN_SENDER,
        ReasonCode.UNKNOWN_SENDER,
        cause,
        CAPACITY);
  }

  @TestFactory
  List<DynamicTest> aStrangerIsTurnedAwayAndRecorded() {
    return strangers().stream()
        .map(stranger -> DynamicTest.dynamicTest(stranger.name(), () -> turnedAway(stranger)))
        .toList();
  }

  private void turnedAway(Stranger stranger) {
    String trace = TestHouse.newTrace();
    Books before = house.books(stranger.books());

    TestHouse.Reply reply =
        house.post(
            stranger.exchange(),
            SixExchangesTest.capacity("E2E-DENY", "MENTOR").getBytes(UTF_8),
            with ->
                with.header("Authorization", house.bearer(stranger.token()))
                    .header("traceparent", trace));

    problem(reply, stranger.status(), stranger.said());
    assertThat(reply.json().path("detail").asText()).startsWith(stranger.detail());
    JsonNode entry = onlyEntry(trace);
    assertThat(entry.path("station").asText()).isEqualTo("IDENTIFY");
    assertThat(entry.path("exchange").asText()).isEqualTo(stranger.books());
    assertThat(entry.path("outcome").asText()).isEqualTo("REFUSED");
    assertThat(entry.path("reason").asText()).isEqualTo(stranger.recorded().name());
    counted(before, house.books(stranger.books()), 0, 1);
  }

  @Test
  void aCallWithoutATokenIsTurnedAwayAndRecorded() {
    String trace = TestHouse.newTrace();
    Books before = house.books(CAPACITY);

    TestHouse.Reply reply =
        house.post(CAPACITY, "{}".getBytes(UTF_8), with -> with.header("traceparent", trace));

    problem(reply, 401, ReasonCode.UNKNOWN_SENDER);
    assertThat(onlyEntry(trace).path("reason").asText()).isEqualTo("UNKNOWN_SENDER");
    counted(before, house.books(CAPACITY), 0, 1);
  }

  @Test
  void aProofThatWasUsedBeforeIsTurnedAwayAndAFreshOneIsNot() throws Exception {
    ECKey key = new ECKeyGenerator(Curve.P_256).generate();
    String token =
        house.tokens.issue(
            Tokens.of(Agencies.NAV_STATE, SCOPE)
                .with("cnf", Map.of("jkt", key.computeThumbprint().toString())));
    String address = house.address("/exchanges/" + CAPACITY);
    String proof = Tokens.proof(key, token, address);
    byte[] notice = SixExchangesTest.capacity("E2E-DPOP", "MENTOR").getBytes(UTF_8);
    String trace = TestHouse.newTrace();
    Books before = house.books(CAPACITY);

    TestHouse.Reply first = house.post(CAPACITY, notice, dpop(token, proof, trace));
    TestHouse.Reply replayed = house.post(CAPACITY, notice, dpop(token, proof, trace));
    TestHouse.Reply stolen =
        house.post(CAPACITY, notice, with -> with.header("Authorization", "Bearer " + token));
    TestHouse.Reply fresh =
        house.post(CAPACITY, notice, dpop(token, Tokens.proof(key, token, address), trace));

    assertThat(first.status()).as(first.toString()).isEqualTo(202);
    problem(replayed, 401, ReasonCode.UNKNOWN_SENDER);
    assertThat(replayed.json().path("detail").asText()).startsWith("REPLAYED");
    problem(stolen, 401, ReasonCode.UNKNOWN_SENDER);
    assertThat(fresh.status()).isEqualTo(202);
    house.settle();
    assertThat(house.ledger.ofTrace(trace))
        .filteredOn(entry -> entry.path("station").asText().equals("IDENTIFY"))
        .extracting(entry -> entry.path("detail").asText())
        .containsExactly("Token REPLAYED");
    counted(before, house.books(CAPACITY), 2, 2);
  }

  private static Consumer<HttpRequest.Builder> dpop(String token, String proof, String trace) {
    return with ->
        with.header("Authorization", "DPoP " + token)
            .header("DPoP", proof)
            .header("traceparent", trace);
  }

  @Test
  void aTokenForOnePersonOpensNothingAboutAnother() {
    Youth own = Youth.next();
    Youth other = Youth.next();
    Tokens.Wanted token =
        Tokens.of(Agencies.NAV_STATE, "bindeledd:rights-query").with("pid", own.number());

    TestHouse.Reply about = house.post("rights-query", token, question("E2E-PID-1", own));
    TestHouse.Reply aboutOther = house.post("rights-query", token, question("E2E-PID-2", other));

    assertThat(about.status()).as(about.toString()).isEqualTo(200);
    problem(aboutOther, 403, ReasonCode.UNKNOWN_SENDER);
    assertThat(house.county.about(other)).isEmpty();
  }

  /** A known sender whose message may not pass. */
  private record Refusal(String name, String exchange, String json, int status, ReasonCode code) {}

  @TestFactory
  List<DynamicTest> aMessageThatMayNotPassIsRefusedAndRecorded() {
    Youth wrong = Youth.next();
    Youth secret = Youth.next();
    Youth blocked = Youth.next();
    Youth other = Youth.next();
    house.protect(secret, "STRENGT_FORTROLIG", false);
    house.consent(blocked, "RIGHTS_QUERY", "BLOCKED");
    List<Refusal> refusals =
        List.of(
            new Refusal(
                "an invalid number",
                "rights-query",
                text(question("E2E-D-1", wrong)).replace(wrong.number(), wrong.wrongNumber()),
                422,
                ReasonCode.INVALID_IDENTITY_NUMBER),
            new Refusal(
                "a number of a real person, in a hub for synthetic ones",
                "rights-query",
                text(question("E2E-D-2", wrong)).replace(wrong.number(), "02013299997"),
                422,
                ReasonCode.INVALID_IDENTITY_NUMBER),
            new Refusal(
                "a strictly confidential address",
                "rights-query",
                text(question("E2E-D-3", secret)),
                404,
                ReasonCode.PROTECTED),
            new Refusal(
                "a person who has blocked the sharing",
                "rights-query",
                text(question("E2E-D-4", blocked)),
                404,
                ReasonCode.BLOCKED_BY_SUBJECT),
            new Refusal(
                "two offices without an agreement",
                "list-reconciliation",
                SixExchangesTest.list(
                    "E2E-D-5",
                    Agencies.NAV_B,
                    Map.of("d-5", SixExchangesTest.row(other, "IVARETATT"))),
                403,
                ReasonCode.NO_AGREEMENT),
            new Refusal(
                "a counterpart that is no party",
                "list-reconciliation",
                SixExchangesTest.list(
                    "E2E-D-6",
                    Agencies.SCHOOL,
                    Map.of("d-6", SixExchangesTest.row(other, "IVARETATT"))),
                422,
                ReasonCode.UNKNOWN_RECIPIENT));
    return refusals.stream()
        .map(refusal -> DynamicTest.dynamicTest(refusal.name(), () -> refused(refusal)))
        .toList();
  }

  private void refused(Refusal refusal) {
    String trace = TestHouse.newTrace();
    Books before = house.books(refusal.exchange());
    var sender = refusal.exchange().equals("rights-query") ? Agencies.NAV_STATE : Agencies.NAV_A;

    TestHouse.Reply reply =
        house.post(
            refusal.exchange(),
            refusal.json().getBytes(UTF_8),
            with ->
                with.header(
                        "Authorization",
                        house.bearer(Tokens.of(sender, "bindeledd:" + refusal.exchange())))
                    .header("traceparent", trace));

    problem(reply, refusal.status(), refusal.code().told(false));
    JsonNode entry = onlyEntry(trace);
    assertThat(entry.path("station").asText()).isEqualTo("DECIDE");
    assertThat(entry.path("outcome").asText()).isEqualTo("REFUSED");
    assertThat(entry.path("reason").asText()).isEqualTo(refusal.code().name());
    assertThat(entry.has("payload")).isFalse();
    assertThat(reply.json().path("detail").asText()).contains("ledger entry");
    counted(before, house.books(refusal.exchange()), 0, 1);
  }

  @Test
  void aRefusalAndANotFoundAreAlikeToTheLastByte() {
    Youth secret = Youth.next();
    Youth blocked = Youth.next();
    Youth unknown = Youth.next();
    house.protect(secret, "STRENGT_FORTROLIG", false);
    Youth shielded = Youth.next();
    house.protect(shielded, "UGRADERT", true);
    house.consent(blocked, "RIGHTS_QUERY", "BLOCKED");
    house.county.behave(
        call ->
            text(call.body()).contains(unknown.number())
                ? Peer.Answer.json(404, "{\"feil\": \"Kanari finnes ikke\"}")
                : Peer.Answer.json(200, TestHouse.COUNTY_ANSWER));
    try {
      List<String> reasons = new ArrayList<>();
      Set<String> told = new HashSet<>();
      for (Youth youth : List.of(secret, shielded, blocked, unknown)) {
        TestHouse.Reply reply =
            house.post(
                "rights-query",
                Agencies.NAV_STATE,
                text(question("E2E-ALIKE-" + reasons.size(), youth)));
        reasons.add(house.ledger.reason(reply));
        told.add(withoutIds(reply));
      }

      assertThat(reasons)
          .containsExactly("PROTECTED", "PROTECTED", "BLOCKED_BY_SUBJECT", "NOT_FOUND");
      assertThat(told).hasSize(1);
      assertThat(told.iterator().next()).startsWith("404").doesNotContain("Kanari");
      assertThat(house.county.about(secret)).isEmpty();
    } finally {
      house.county.behaveAsUsual();
    }
  }

  /** All of a reply that a caller can see, save the moment and the ledger entry. */
  private static String withoutIds(TestHouse.Reply reply) {
    Map<String, List<String>> headers = new TreeMap<>(reply.headers());
    headers.remove("date");
    int width = headers.remove("content-length") == null ? 0 : 1;
    String body = reply.body().replaceAll("ledger entry \\d+", "ledger entry #");
    return reply.status() + " " + headers + " " + width + " " + body;
  }

  @Test
  void aProtectedPersonInAFileIsHeldOrRefusedAndNothingLeaves() throws Exception {
    Youth strictly = Youth.next();
    Youth confidential = Youth.next();
    Youth shielded = Youth.next();
    house.protect(strictly, "STRENGT_FORTROLIG_UTLAND", false);
    house.protect(confidential, "FORTROLIG", false);
    house.protect(shielded, "UGRADERT", true);
    Books before = house.books("dropout-notice");

    JsonNode report =
        house.drop(
            "e2e-protected.csv",
            TestHouse.csv(
                TestHouse.csvRow(strictly),
                TestHouse.csvRow(confidential),
                TestHouse.csvRow(shielded)));

    assertThat(report.path("records").valueStream().map(r -> r.path("outcome").asText()))
        .containsExactly("REFUSED", "REFUSED", "HELD", "HELD", "HELD", "HELD");
    assertThat(report.path("records").valueStream().map(r -> r.path("reason").asText()))
        .containsExactly(
            "NOT_FOUND",
            "NOT_FOUND",
            "RULE_IN_DOUBT",
            "RULE_IN_DOUBT",
            "RULE_IN_DOUBT",
            "RULE_IN_DOUBT");
    assertThat(report.toString()).doesNotContain("PROTECTED");
    for (JsonNode record : report.path("records")) {
      assertThat(house.ledger.entry(record.path("ledgerEntry").asLong()).path("reason").asText())
          .isEqualTo("PROTECTED");
    }
    house.settle();
    for (Youth youth : List.of(strictly, confidential, shielded)) {
      assertThat(house.inbox.on(TestHouse.DROPOUT_NOTICE, youth)).isEmpty();
      assertThat(house.fint.about(youth)).isEmpty();
    }
    Books after = house.books("dropout-notice");
    assertThat(after.held() - before.held()).isEqualTo(4);
    assertThat(after.refused() - before.refused()).isEqualTo(2);
  }

  @Test
  void protectionSetAfterTheReleaseStopsWhatIsStillQueued() {
    Youth youth = Youth.next();
    house.consent(youth, "EMPLOYMENT_SUPPORT");
    Books before = house.books("ips-referral");
    // While NAV is being asked, the person becomes protected; then NAV is away.
    house.nav.behave(
        call -> {
          if (text(call.body()).contains(youth.number())) {
            house.protect(youth, "STRENGT_FORTROLIG", false);
          }
          return Peer.Answer.of(503);
        });
    try (MllpLine line = house.mllp()) {
      assertThat(line.send(MllpLine.referral("E2E-D-QUEUED", youth)).code()).isEqualTo("AA");
    }
    await()
        .atMost(TestHouse.PATIENCE)
        .until(() -> house.books("ips-referral").refused() > before.refused());
    house.nav.behaveAsUsual();
    house.settle();

    assertThat(house.nav.about(youth)).as("the one try before the protection").hasSize(1);
  }

  private void problem(TestHouse.Reply reply, int status, ReasonCode code) {
    assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
    assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
    JsonNode problem = reply.json();
    assertThat(problem.path("status").asInt()).isEqualTo(status);
    assertThat(problem.path("code").asText()).isEqualTo(code.name());
    assertThat(problem.path("title").asText()).isEqualTo(code.text().en());
    assertThat(problem.path("nb").asText()).isEqualTo(code.text().nb());
    assertThat(problem.path("en").asText()).isEqualTo(code.text().en());
  }

  private JsonNode onlyEntry(String trace) {
    List<JsonNode> entries = house.ledger.ofTrace(trace);
    assertThat(entries).hasSize(1);
    return entries.getFirst();
  }

  private static void counted(Books before, Books after, int left, int refused) {
    assertThat(after.received() - before.received()).isEqualTo(left + refused);
    assertThat(after.refused() - before.refused()).isEqualTo(refused);
    assertThat(after.balance()).isTrue();
    assertThat(Outcome.REFUSED.leaves()).isFalse();
  }

  private static byte[] question(String id, Youth youth) {
    return """
        {"messageId": "%s", "foedselsnummer": "%s", "question": "OT_STATUS"}
        """
        .formatted(id, youth.number())
        .getBytes(UTF_8);
  }

  private static String text(byte[] bytes) {
    return new String(bytes, UTF_8);
  }
}
