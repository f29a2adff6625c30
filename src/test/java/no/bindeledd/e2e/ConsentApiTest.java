package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static no.bindeledd.e2e.TestHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import no.bindeledd.demo.Agencies;
import no.bindeledd.exchange.OrganisationNumber;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the keepers of consents and protection can do over HTTP. */
@ExtendWith(TestHouse.Resident.class)
class ConsentApiTest {
  private final TestHouse house;
  private final UUID id = UUID.randomUUID();
  private final Youth youth = Youth.next();

  ConsentApiTest(TestHouse house) {
    this.house = house;
  }

  @Test
  void aConsentIsReadBackAsItWasGivenWithEveryVersionButNotWhoItIsAbout() {
    Youth mother = Youth.next();
    ObjectNode body = body();
    body.put("kind", "FETCHING");
    body.putArray("sources").add("311000004");
    body.putArray("recipients").add("311067850");
    body.putArray("categories").add("ABSENCE");
    body.putObject("grantors").put("person", true).putArray("guardians").add(mother.number());
    TestHouse.Reply given = put(body, "If-None-Match", "*");
    TestHouse.Reply withdrawn = withdraw("\"1\"");

    assertThat(given.status()).as(given.toString()).isEqualTo(200);
    assertThat(given.header("ETag")).isEqualTo("\"1\"");
    assertThat(withdrawn.status()).isEqualTo(200);
    TestHouse.Reply now = house.keeper("GET", "/consents/" + id, "");
    assertThat(now.header("ETag")).isEqualTo("\"2\"");
    JsonNode json = now.json();
    assertThat(json.path("state").asText()).isEqualTo("WITHDRAWN");
    assertThat(json.path("captured").asText()).isEqualTo("SPOKEN");
    assertThat(json.path("kind").asText()).isEqualTo("FETCHING");
    assertThat(json.path("sources").toString()).isEqualTo("[\"311000004\"]");
    assertThat(json.path("grantors").toString()).isEqualTo("{\"person\":true,\"guardians\":1}");
    assertThat(json.path("textVersion").asText()).isEqualTo("e2e@1");
    assertThat(json.path("recordedAt").asText()).isNotEmpty();
    assertThat(house.keeper("GET", "/consents/" + id + "/versions", "").json().path("versions"))
        .extracting(version -> version.path("state").asText())
        .containsExactly("GIVEN", "WITHDRAWN");
    JsonNode found = search();
    assertThat(found).hasSize(1);
    assertThat(found.get(0).path("version").asInt()).isEqualTo(2);
    assertThat(now.body() + found).doesNotContain(youth.number(), mother.number());
    assertThat(house.ledger.naming(id.toString()))
        .as("each change, and each reading")
        .extracting(e -> e.path("outcome").asText())
        .containsExactly("GIVEN", "WITHDRAWN", "READ", "READ", "READ");
  }

  @Test
  void aRepeatedWriteHasTheFirstAnswerAndAnOtherVersionIsRefused() {
    TestHouse.Reply first = put(body(), "If-None-Match", "*");
    TestHouse.Reply again = put(body(), "If-None-Match", "*");
    assertThat(again.body()).isEqualTo(first.body());
    assertThat(withdraw("\"1\"").status()).isEqualTo(200);
    assertThat(withdraw("\"1\"").status()).as("repeated").isEqualTo(200);

    assertThat(put(body().put("purpose", "OTHER"), "If-None-Match", "*").status()).isEqualTo(412);
    TestHouse.Reply stale = put(body(), "If-Match", "\"7\"");
    assertThat(stale.status()).isEqualTo(412);
    assertThat(stale.body()).contains("The consent is at version 2, not 7; read it again");
    assertThat(put(body()).status()).as("no version").isEqualTo(428);
    assertThat(put(body(), "If-Match", "2").status()).as("no ETag").isEqualTo(422);
    assertThat(put(body().put("state", "BLOCKED"), "If-Match", "\"2\"").status()).isEqualTo(409);
    assertThat(put(body(), "If-Match", "\"2\"").status()).as("given again").isEqualTo(200);
    assertThat(house.ledger.naming(id.toString()))
        .extracting(e -> e.path("outcome").asText())
        .containsExactly("GIVEN", "WITHDRAWN", "GIVEN");
  }

  @Test
  void anUnknownConsentIsNotFoundAndAnotherScopeSeesNothing() {
    assertThat(house.keeper("GET", "/consents/" + id, "").status()).isEqualTo(404);
    assertThat(house.keeper("GET", "/consents/" + id + "/versions", "").status()).isEqualTo(404);
    put(body(), "If-None-Match", "*");
    for (HttpRequest.Builder request :
        List.of(
            at("/consents/" + id).GET(),
            at("/consents/" + id + "/versions").GET(),
            at("/consents/search")
                .header("Content-Type", "application/json")
                .POST(
                    HttpRequest.BodyPublishers.ofString(
                        "{\"subject\": \"" + youth.number() + "\"}")))) {
      TestHouse.Reply reply =
          house.send(
              request.header(
                  "Authorization",
                  house.bearer(Tokens.of(Agencies.NAV_STATE, "bindeledd:rights-query"))));
      assertThat(reply.status()).isEqualTo(403);
    }
  }

  @Test
  void whoReceivedSomethingUnderAConsentIsListedAndToldWhenItIsWithdrawn() {
    UUID consent = house.consent(youth, "FOLLOW_UP");
    UUID unused = house.consent(youth, "LIST_RECONCILIATION");
    house.publish(
        TestHouse.MEASURE_EVENTS,
        "notice",
        TestHouse.measureEvent("notice-" + youth.hashCode(), youth).getBytes(UTF_8),
        Map.of());
    await().atMost(PATIENCE).until(() -> !house.inbox.on(TestHouse.MEASURE_EVENT, youth).isEmpty());
    house.settle();

    JsonNode delivered = deliveries(consent);
    assertThat(delivered).hasSize(1);
    assertThat(delivered.get(0).path("exchange").asText()).isEqualTo("measure-event");
    assertThat(delivered.get(0).path("recipient").asText()).isEqualTo("311013572");
    assertThat(delivered.get(0).path("consent").asText()).isEqualTo(consent + "@1");
    assertThat(delivered.get(0).path("fields").toString()).contains("/startDato");
    assertThat(deliveries(unused)).isEmpty();

    house.withdraw(consent, youth);
    house.withdraw(unused, youth);
    JsonNode notice =
        await()
            .atMost(PATIENCE)
            .until(
                () -> house.inbox.on(TestHouse.WITHDRAWALS, youth), letters -> letters.size() == 1)
            .getFirst()
            .json();
    assertThat(notice.path("foedselsnummer").asText()).isEqualTo(youth.number());
    assertThat(notice.path("samtykke").path("id").asText()).isEqualTo(consent.toString());
    assertThat(notice.path("mottatt").get(0).path("melding").asText())
        .as("the id it came with")
        .isEqualTo(delivered.get(0).path("message").asText())
        .isEqualTo(
            house
                .inbox
                .on(TestHouse.MEASURE_EVENT, youth)
                .getFirst()
                .headers()
                .get("Idempotency-Key"));
    assertThat(house.ledger.naming("\"exchange\":\"consent-withdrawal\""))
        .as("decided, and delivered")
        .extracting(e -> e.path("station").asText())
        .contains("DECIDE");
    assertThat(deliveries(consent)).as("the list stays").hasSize(1);
    house.settle();
    assertThat(house.inbox.on(TestHouse.WITHDRAWALS, youth)).as("told once").hasSize(1);
  }

  @Test
  void aConsentThatNamesSourcesAsksEachAndAWithdrawalStopsTheRest() {
    ObjectNode body = body();
    body.put("kind", "FETCHING");
    body.put("purpose", "CONSENTED_COLLECTION");
    body.putArray("sources").add("311000004").add("311013572");
    body.putArray("recipients").add("311067850");
    body.putArray("categories").add("ABSENCE").add("OT_STATUS_GROUP");
    assertThat(put(body, "If-None-Match", "*").status()).isEqualTo(200);
    JsonNode asked =
        await()
            .atMost(PATIENCE)
            .until(
                () -> house.inbox.on(TestHouse.SCHOOL_REQUESTS, youth),
                letters -> letters.size() == 1)
            .getFirst()
            .json();
    await().atMost(PATIENCE).until(() -> !house.inbox.on(TestHouse.OT_REQUESTS, youth).isEmpty());
    assertThat(asked.path("samtykke").path("id").asText()).isEqualTo(id.toString());
    assertThat(asked.path("opplysninger").toString())
        .isEqualTo("[\"ABSENCE\",\"OT_STATUS_GROUP\"]");

    TestHouse.Reply school = answer(Agencies.SCHOOL, "\"absencePercent\": 12.5");
    assertThat(school.status()).as(school.toString()).isEqualTo(202);
    await().atMost(PATIENCE).until(() -> house.nav.about(youth).size() == 1);
    assertThat(withdraw("\"1\"").status()).isEqualTo(200);
    TestHouse.Reply late = answer(Agencies.OT, "\"otStatusGroup\": 2");

    assertThat(house.nav.about(youth).getFirst().json().path("fravaersprosent").asDouble())
        .as("a partial answer is used")
        .isEqualTo(12.5);
    assertThat(late.status()).isEqualTo(404);
    assertThat(late.json().path("code").asText()).isEqualTo("NOT_FOUND");
    assertThat(house.ledger.reason(late)).isEqualTo("CONSENT_WITHDRAWN");
    await()
        .atMost(PATIENCE)
        .until(
            () ->
                house.inbox.on(TestHouse.SCHOOL_WITHDRAWALS, youth).size() == 1
                    && house.inbox.on(TestHouse.WITHDRAWALS, youth).size() == 1);
    house.settle();
    assertThat(house.nav.about(youth)).hasSize(1);
  }

  private TestHouse.Reply answer(OrganisationNumber source, String said) {
    return house.post(
        "collection-answer",
        source,
        """
        {"messageId": "A-%s-%s", "foedselsnummer": "%s", "consent": "%s", %s}
        """
            .formatted(source, id.toString().substring(0, 8), youth.number(), id, said));
  }

  @Test
  void aWithdrawalForAnotherPersonIsRefused() {
    put(body(), "If-None-Match", "*");
    TestHouse.Reply reply =
        house.keeper(
            "POST",
            "/consents/" + id + "/withdrawal",
            "{\"subject\": \"" + Youth.next().number() + "\", \"captured\": \"SPOKEN\"}",
            "If-Match",
            "\"1\"");
    assertThat(reply.status()).isEqualTo(422);
    assertThat(reply.body()).contains("subject is not the person whom the consent is about");
    assertThat(search().get(0).path("state").asText()).isEqualTo("GIVEN");
  }

  private JsonNode deliveries(UUID consent) {
    return house
        .keeper("GET", "/consents/" + consent + "/deliveries", "")
        .json()
        .path("deliveries");
  }

  @Test
  void everyChangeOfAProtectionIsEntered() {
    long before = house.ledger.newest();
    house.protect(youth, "FORTROLIG", true);
    house.protect(youth, "UGRADERT", false);
    assertThat(house.ledger.after(before))
        .filteredOn(e -> e.path("exchange").asText().equals("protection"))
        .extracting(e -> e.path("outcome").asText())
        .containsExactly("SET", "SET");
  }

  private HttpRequest.Builder at(String path) {
    return HttpRequest.newBuilder(URI.create(house.address(path)));
  }

  private ObjectNode body() {
    return TestHouse.JSON
        .createObjectNode()
        .put("subject", youth.number())
        .put("purpose", "FOLLOW_UP")
        .put("textVersion", "e2e@1")
        .put("captured", "PORTAL");
  }

  private TestHouse.Reply put(ObjectNode body, String... headers) {
    return house.keeper("PUT", "/consents/" + id, body.toString(), headers);
  }

  private TestHouse.Reply withdraw(String version) {
    return house.keeper(
        "POST",
        "/consents/" + id + "/withdrawal",
        "{\"subject\": \"" + youth.number() + "\", \"captured\": \"SPOKEN\"}",
        "If-Match",
        version);
  }

  private JsonNode search() {
    return house
        .keeper("POST", "/consents/search", "{\"subject\": \"" + youth.number() + "\"}")
        .json()
        .path("consents");
  }
}
