package no.bindeledd.e2e;

import static no.bindeledd.e2e.TestHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import java.util.UUID;
import no.bindeledd.demo.Agencies;
import no.bindeledd.exchange.OrganisationNumber;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What only people may do: two settle what the rules leave open, and a decision is explained. */
@ExtendWith(TestHouse.Resident.class)
class HumanActTest {
  private static final OrganisationNumber TEAM = new OrganisationNumber("311094998");

  private final TestHouse house;

  HumanActTest(TestHouse house) {
    this.house = house;
  }

  @Test
  void aReferralOfOneBelowSixteenGoesWhenTwoPeopleHaveSettledIt() {
    Youth next = Youth.next();
    Youth young =
        new Youth(
            next.number(),
            next.given(),
            next.family(),
            LocalDate.now(ZoneId.of("Europe/Oslo")).minusYears(15));
    house.consent(young, "EMPLOYMENT_SUPPORT");
    long held = house.books("ips-referral").held();
    try (MllpLine line = house.mllp()) {
      assertThat(line.send(MllpLine.referral("E2E-FIFTEEN", young)).code()).isEqualTo("AA");
    }
    await().atMost(PATIENCE).until(() -> house.books("ips-referral").held() == held + 1);
    long entry = heldEntry();
    UUID act = UUID.randomUUID();
    String first =
        "{\"kind\": \"OVERRIDE\", \"ledgerEntry\": "
            + entry
            + ", \"person\": "
            + person("t1")
            + "}";

    assertThat(call("PUT", "/api/acts/" + act, first, new OrganisationNumber("311000004")).status())
        .as("another organisation does not even learn that the message is there")
        .isEqualTo(404);
    assertThat(call("PUT", "/api/acts/" + act, first, TEAM).status()).isEqualTo(200);
    assertThat(call("PUT", "/api/acts/" + act, first, TEAM).status()).as("again").isEqualTo(200);
    assertThat(confirm(act, "t1").status()).as("the same person").isEqualTo(422);
    assertThat(house.nav.about(young)).as("one person is not two").isEmpty();
    assertThat(confirm(act, "t2").status()).isEqualTo(200);

    await().atMost(PATIENCE).until(() -> !house.nav.about(young).isEmpty());
    assertThat(house.ledger.naming(act.toString()))
        .extracting(e -> e.path("outcome").asText())
        .contains("OVERRIDE", "OVERRIDE_CONFIRMED");
    assertThat(house.ledger.naming(act.toString()).toString()).doesNotContain("Lege Legesen");
  }

  @Test
  void aDecisionIsExplainedToAPartyWithoutAnythingBeingSent() {
    String question =
        "{\"exchange\": \"ips-referral\", \"at\": \"2026-09-01T10:00:00Z\","
            + " \"facts\": {\"birthDate\": \"2009-03-14\"}}";
    JsonNode explained =
        call("POST", "/api/decisions/explain", question, TEAM, "bindeledd:explain").json();
    assertThat(explained.path("outcome").asText()).isEqualTo("HELD");
    assertThat(explained.path("reason").asText()).isEqualTo("AWAITING_CONSENT");
    assertThat(explained.path("agreement").asText()).isEqualTo("health-nav@1");
    assertThat(explained.path("steps").findValuesAsText("topic"))
        .contains("LEGAL_BASIS", "OUTCOME");
    assertThat(explained.path("nb").asText()).isNotBlank();
    JsonNode stopped =
        call(
                "POST",
                "/api/decisions/explain",
                question.replace(
                    "\"birthDate\"",
                    "\"protection\": {\"grade\": \"STRENGT_FORTROLIG\"}, \"birthDate\""),
                TEAM,
                "bindeledd:explain")
            .json();
    assertThat(stopped.path("reason").asText()).as("for the officer").isEqualTo("PROTECTED");
    assertThat(stopped.at("/told/reason").asText()).as("for the sender").isEqualTo("NOT_FOUND");
    assertThat(stopped.at("/told/nb").asText()).startsWith("Fant ingenting");
    assertThat(
            call(
                    "POST",
                    "/api/decisions/explain",
                    question,
                    new OrganisationNumber("311000004"),
                    "bindeledd:explain")
                .status())
        .as("no party")
        .isEqualTo(404);
    assertThat(
            call(
                    "POST",
                    "/api/decisions/explain",
                    question.replace("\"at\"", "\"subject\": \"x\", \"at\""),
                    TEAM,
                    "bindeledd:explain")
                .status())
        .as("about a person needs a scope of its own")
        .isEqualTo(403);
  }

  @Test
  void aReportToChildWelfareGoesWhenANamedPersonHasSignedIt() {
    Youth child = Youth.next();
    house.consent(child, "*", "BLOCKED");
    TestHouse.Reply receipt =
        house.post("child-welfare-report", Agencies.NAV_STATE, report("E2E-SIGN", child));
    assertThat(receipt.status()).as(receipt.toString()).isEqualTo(202);
    JsonNode held = receipt.answers().getFirst();
    assertThat(held.path("outcome").asText()).isEqualTo("HELD");
    assertThat(held.path("reason").asText()).isEqualTo("AWAITING_SIGNATURE");
    UUID act = UUID.randomUUID();
    String about = "{\"kind\": \"SIGNATURE\", \"ledgerEntry\": " + held.path("ledgerEntry");

    assertThat(call("PUT", "/api/acts/" + act, about + "}", Agencies.NAV_STATE).status())
        .as("nobody has signed")
        .isEqualTo(422);
    String nameless = about + ", \"person\": {\"id\": \"leder-1\", \"reason\": \"Vurdert\"}}";
    assertThat(call("PUT", "/api/acts/" + act, nameless, Agencies.NAV_STATE).status())
        .as("a person without a name")
        .isEqualTo(422);
    String signed = about + ", \"person\": " + person("leder-1") + "}";
    assertThat(call("PUT", "/api/acts/" + act, signed, Agencies.OT).status())
        .as("somebody else's message")
        .isEqualTo(404);
    assertThat(house.inbox.on(TestHouse.CHILD_WELFARE_REPORTS, child)).isEmpty();
    assertThat(call("PUT", "/api/acts/" + act, signed, Agencies.NAV_STATE).status()).isEqualTo(200);

    await()
        .atMost(PATIENCE)
        .until(() -> house.inbox.on(TestHouse.CHILD_WELFARE_REPORTS, child).size() == 1);
    assertThat(call("PUT", "/api/acts/" + act, signed, Agencies.NAV_STATE).status())
        .as("sent again when it is done")
        .isIn(200, 404);
    house.settle();
    assertThat(house.inbox.on(TestHouse.CHILD_WELFARE_REPORTS, child)).hasSize(1);
    List<JsonNode> entries = house.ledger.naming(act.toString());
    assertThat(entries)
        .extracting(entry -> entry.path("outcome").asText() + " " + entry.path("reason").asText())
        .containsExactly("SIGNATURE SIGNATURE", "RELEASED DUTY_TO_REPORT");
    assertThat(entries.toString()).doesNotContain("Lege Legesen", "leder-1");
  }

  @Test
  void whoBreaksTheGlassSaysWhyForAnHourAndIsReviewed() throws Exception {
    Youth youth = Youth.next();
    UUID act = UUID.randomUUID();
    String about =
        "{\"kind\": \"BREAK_GLASS\", \"exchange\": \"youth-referral\", \"recipient\": \"nav-a\","
            + " \"subject\": \""
            + youth.number()
            + "\"";
    String broken = about + ", \"person\": " + person("radgiver-1") + "}";
    referred("E2E-GLASS-1", youth);
    assertThat(house.inbox.on(TestHouse.YOUTH_REFERRALS, youth).getLast().json().has("navn"))
        .as("without a consent the name stays")
        .isFalse();

    assertThat(call("PUT", "/api/acts/" + act, about + "}", Agencies.OT).status()).isEqualTo(422);
    String noReason = about + ", \"person\": {\"id\": \"radgiver-1\", \"name\": \"Lege Legesen\"}}";
    assertThat(call("PUT", "/api/acts/" + act, noReason, Agencies.OT).status())
        .as("no reason")
        .isEqualTo(422);
    assertThat(call("PUT", "/api/acts/" + act, broken, Agencies.SCHOOL).status())
        .as("no party")
        .isEqualTo(404);
    TestHouse.Reply done = call("PUT", "/api/acts/" + act, broken, Agencies.OT);
    assertThat(done.status()).as(done.toString()).isEqualTo(200);
    assertThat(Instant.parse(done.json().path("until").asText()))
        .isBeforeOrEqualTo(Instant.now().plus(Duration.ofHours(1)));

    referred("E2E-GLASS-2", youth);
    assertThat(house.inbox.on(TestHouse.YOUTH_REFERRALS, youth).getLast().json().has("navn"))
        .isTrue();
    assertThat(house.ledger.naming(act.toString()))
        .extracting(entry -> entry.path("outcome").asText() + " " + entry.path("reason").asText())
        .containsExactly("BREAK_GLASS BREAK_GLASS", "RELEASED BREAK_GLASS");
    assertThat(house.ledger.naming(act.toString()).toString())
        .doesNotContain("Lege Legesen", "radgiver-1", youth.number());

    assertThat(unreviewed(Agencies.NAV_STATE)).doesNotContain(act.toString());
    assertThat(unreviewed(Agencies.OT)).contains(act.toString(), "Lege Legesen", "Vurdert");
    assertThat(review(act, "radgiver-1", Agencies.OT).status()).as("one's own").isEqualTo(422);
    assertThat(review(act, "leder-1", Agencies.NAV_STATE).status()).as("another's").isEqualTo(404);
    assertThat(review(act, "leder-1", Agencies.OT).status()).isEqualTo(204);
    assertThat(unreviewed(Agencies.OT)).doesNotContain(act.toString());
    assertThat(house.ledger.naming(act.toString()).getLast().path("outcome").asText())
        .isEqualTo("REVIEWED");

    anHourHasGone(act);
    assertThat(call("PUT", "/api/acts/" + act, broken, Agencies.OT).status())
        .as("the same again does not lengthen it")
        .isEqualTo(200);
    referred("E2E-GLASS-3", youth);
    assertThat(house.inbox.on(TestHouse.YOUTH_REFERRALS, youth).getLast().json().has("navn"))
        .as("the glass is whole again")
        .isFalse();
  }

  /** OT refers the youth, and NAV has read it. */
  private void referred(String id, Youth youth) {
    int before = house.inbox.on(TestHouse.YOUTH_REFERRALS, youth).size();
    TestHouse.Reply receipt = house.post("youth-referral", Agencies.OT, referral(id, youth));
    assertThat(receipt.status()).as(receipt.toString()).isEqualTo(202);
    await()
        .atMost(PATIENCE)
        .until(() -> house.inbox.on(TestHouse.YOUTH_REFERRALS, youth).size() == before + 1);
  }

  private void anHourHasGone(UUID act) throws SQLException {
    try (Connection connection = house.hub.database().getConnection();
        PreparedStatement update =
            connection.prepareStatement(
                "UPDATE human_act SET starts = starts - interval '61 minutes', ends = ends -"
                    + " interval '61 minutes' WHERE id = ?")) {
      update.setObject(1, act);
      assertThat(update.executeUpdate()).isEqualTo(1);
    }
  }

  private String unreviewed(OrganisationNumber organisation) {
    return house
        .send(
            HttpRequest.newBuilder(URI.create(house.address("/api/acts/unreviewed")))
                .header("Authorization", house.bearer(Tokens.of(organisation, "bindeledd:acts")))
                .GET())
        .body();
  }

  private TestHouse.Reply review(UUID act, String person, OrganisationNumber organisation) {
    return call(
        "POST",
        "/api/acts/" + act + "/review",
        "{\"person\": " + person(person) + "}",
        organisation);
  }

  private static String report(String id, Youth child) {
    return """
        {"messageId": "%s-1", "meldingId": "%s", "foedselsnummer": "%s", "foedselsdato": "%s",
         "navn": {"fornavn": "%s", "etternavn": "%s"}, "grunn": "OMSORGSSVIKT",
         "bekymring": "Alene hjemme i flere døgn.",
         "melder": {"navn": "Veileder Eksempel", "enhet": "NAV Eksempelvik"}}
        """
        .formatted(
            id,
            id,
            child.number(),
            LocalDate.now(ZoneId.of("Europe/Oslo")).minusYears(15),
            child.given(),
            child.family());
  }

  private static String referral(String id, Youth youth) {
    return """
        {"messageId": "%s-1", "henvisningId": "%s", "foedselsnummer": "%s", "foedselsdato": "%s",
         "navn": {"fornavn": "%s", "etternavn": "%s"}, "mottaker": "%s", "henvistDato": "%s",
         "otStatus": "OTOV", "oensket": "ARBEID",
         "kontakt": {"navn": "Rådgiver Eksempel", "enhet": "OT Eksempelvik", "telefon": "+4799990200"}}
        """
        .formatted(
            id,
            id,
            youth.number(),
            youth.birthDate(),
            youth.given(),
            youth.family(),
            Agencies.NAV_A,
            LocalDate.now(ZoneId.of("Europe/Oslo")));
  }

  private TestHouse.Reply confirm(UUID act, String person) {
    return call(
        "POST", "/api/acts/" + act + "/confirmation", "{\"person\": " + person(person) + "}", TEAM);
  }

  private static String person(String id) {
    return "{\"id\": \"" + id + "\", \"name\": \"Lege Legesen\", \"reason\": \"Vurdert\"}";
  }

  private TestHouse.Reply call(
      String method, String path, String json, OrganisationNumber organisation) {
    return call(method, path, json, organisation, "bindeledd:acts");
  }

  private TestHouse.Reply call(
      String method, String path, String json, OrganisationNumber organisation, String scope) {
    return house.send(
        HttpRequest.newBuilder(URI.create(house.address(path)))
            .header("Authorization", house.bearer(Tokens.of(organisation, scope)))
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofString(json)));
  }

  private long heldEntry() {
    try (var connection = house.hub.database().getConnection();
        var row =
            connection
                .createStatement()
                .executeQuery(
                    "SELECT e.entry FROM held h JOIN envelope e ON e.key = h.key WHERE"
                        + " h.exchange = 'ips-referral' AND h.reason = 'RULE_IN_DOUBT'"
                        + " ORDER BY h.id DESC LIMIT 1")) {
      row.next();
      return row.getLong(1);
    } catch (java.sql.SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
