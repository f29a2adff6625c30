package no.bindeledd.e2e;

import static no.bindeledd.e2e.TestHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.UUID;
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
