package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import no.bindeledd.demo.Agencies;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Consents of Altinn 3 in the tokens of those who ask. */
@ExtendWith(TestHouse.Resident.class)
class AltinnConsentTest {
  private final TestHouse house;
  private final UUID id = UUID.randomUUID();
  private final Youth youth = Youth.next();

  AltinnConsentTest(TestHouse house) {
    this.house = house;
  }

  @ParameterizedTest
  @ValueSource(strings = {"metadata", "metaData"})
  void aConsentInTheTokenLetsTheAskerSeeWhatItIsFor(String spelling) {
    Map<String, Object> consent = consent(spelling);

    TestHouse.Reply without = ask(token());
    TestHouse.Reply with = ask(token().with("authorization_details", List.of(consent)));
    TestHouse.Reply again = ask(token().with("authorization_details", List.of(consent)));

    assertThat(without.json().path("otStatus").has("kode")).isFalse();
    assertThat(with.json().path("otStatus").path("kode").asText())
        .as(with.toString())
        .isEqualTo("OTOV");
    assertThat(again.status()).isEqualTo(200);
    var found =
        house
            .keeper("POST", "/consents/search", "{\"subject\": \"" + youth.number() + "\"}")
            .json()
            .path("consents");
    assertThat(found).as("recorded once").hasSize(1);
    assertThat(found.get(0).path("captured").asText()).isEqualTo("ALTINN");
    assertThat(found.get(0).path("purpose").asText()).isEqualTo("RIGHTS_QUERY");
    assertThat(found.get(0).path("recipients").toString())
        .isEqualTo("[\"" + Agencies.NAV_STATE + "\"]");
  }

  @Test
  void theRecipientMayStandAsInTheRequestOrAsInTheToken() {
    Map<String, Object> consent = consent("metadata");
    consent.put("to", "urn:altinn:organization:identifier-no:" + Agencies.NAV_STATE);
    assertThat(ask(token().with("authorization_details", List.of(consent))).status())
        .isEqualTo(200);
  }

  @Test
  void aConsentThatDoesNotHoldIsRefused() {
    refused("UNKNOWN_SENDER", "from", "urn:altinn:person:identifier-no:" + Youth.next().number());
    refused("UNKNOWN_SENDER", "to", actor(Agencies.OT.value()));
    refused("UNKNOWN_SENDER", "to", "urn:altinn:organization:identifier-no:" + Agencies.OT);
    refused("CONSENT_EXPIRED", "validTo", Instant.now().minusSeconds(60).toString());
    refused("AWAITING_CONSENT", "consented", Instant.now().plusSeconds(600).toString());
    refused("CONSENT_WITHDRAWN", "status", "revoked");
    refused("CONSENT_WITHDRAWN", "status", "rejected");
    refused("CONSENT_WITHDRAWN", "status", "created");
    refused("CONSENT_WITHDRAWN", "status", "deleted");
    refused("CONSENT_EXPIRED", "status", "expired");
    refused("INVALID_IDENTITY_NUMBER", "from", "urn:altinn:person:identifier-no:13057444850");
    assertThat(
            ask(token()
                    .with("pid", Youth.next().number())
                    .with("authorization_details", List.of(consent("metadata"))))
                .status())
        .as("another pid")
        .isEqualTo(403);
    for (String field : List.of("id", "from", "to", "consented", "validTo", "consentRights")) {
      Map<String, Object> broken = consent("metadata");
      broken.put(field, youth.number());
      TestHouse.Reply reply = ask(token().with("authorization_details", List.of(broken)));
      assertThat(reply.status()).as(field).isEqualTo(401);
      assertThat(reply.body()).contains(field).doesNotContain(youth.number());
    }
    assertThat(
            house
                .keeper("POST", "/consents/search", "{\"subject\": \"" + youth.number() + "\"}")
                .json()
                .path("consents"))
        .isEmpty();
  }

  @Test
  void whatWasTakenBackHereStaysSoWhateverATokenSays() {
    Map<String, Object> consent = consent("metadata");
    ask(token().with("authorization_details", List.of(consent)));
    String recorded =
        house
            .keeper("POST", "/consents/search", "{\"subject\": \"" + youth.number() + "\"}")
            .json()
            .at("/consents/0/id")
            .asText();
    house.withdraw(UUID.fromString(recorded), youth);

    TestHouse.Reply reply = ask(token().with("authorization_details", List.of(consent)));

    assertThat(reply.status()).isEqualTo(403);
    assertThat(reply.json().path("code").asText()).isEqualTo("CONSENT_WITHDRAWN");
  }

  @Test
  void aConsentToAnotherResourceGivesNothingHere() {
    Map<String, Object> consent = consent("metadata");
    consent.put("consentRights", List.of(right("somebody-elses-resource", "metadata")));
    TestHouse.Reply reply = ask(token().with("authorization_details", List.of(consent)));
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.json().path("otStatus").has("kode")).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"metadata", "metaData"})
  void aConsentThatIsLimitedInAWayNobodyKnowsHereIsNotUsed(String spelling) {
    Map<String, Object> right = new HashMap<>(right(TestHouse.ALTINN_RESOURCE, "metadata"));
    right.put(spelling, Map.of("skoleaar", "2026", "skole", "311000004"));
    refused("AWAITING_CONSENT", "consentRights", List.of(right));
  }

  @Test
  void aRightToSomethingElseThanConsentGivesNothing() {
    Map<String, Object> right = new HashMap<>(right(TestHouse.ALTINN_RESOURCE, "metadata"));
    right.put("action", List.of("read"));
    Map<String, Object> consent = consent("metadata");
    consent.put("consentRights", List.of(right));
    TestHouse.Reply reply = ask(token().with("authorization_details", List.of(consent)));
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.json().path("otStatus").has("kode")).isFalse();
  }

  private void refused(String code, String field, Object value) {
    Map<String, Object> consent = consent("metadata");
    consent.put(field, value);
    TestHouse.Reply reply = ask(token().with("authorization_details", List.of(consent)));
    assertThat(reply.status()).as(field + ": " + reply).isIn(403, 422);
    assertThat(reply.json().path("code").asText()).as(field).isEqualTo(code);
  }

  private Map<String, Object> consent(String metadata) {
    Map<String, Object> consent = new HashMap<>();
    consent.put("type", "urn:altinn:consent");
    consent.put("id", id.toString());
    consent.put("from", "urn:altinn:person:identifier-no:" + youth.number());
    consent.put("to", actor(Agencies.NAV_STATE.value()));
    consent.put("consented", Instant.now().minus(Duration.ofDays(1)).toString());
    consent.put("validTo", Instant.now().plus(Duration.ofDays(1)).toString());
    consent.put("consentRights", List.of(right(TestHouse.ALTINN_RESOURCE, metadata)));
    return consent;
  }

  private static Map<String, Object> right(String resource, String metadata) {
    return Map.of(
        "action",
        List.of("consent"),
        "resource",
        List.of(Map.of("type", "urn:altinn:resource", "value", resource)),
        metadata,
        Map.of("skoleaar", "2026"));
  }

  private static Map<String, Object> actor(String organisation) {
    return Map.of("authority", "iso6523-actorid-upis", "ID", "0192:" + organisation);
  }

  private static Tokens.Wanted token() {
    return Tokens.of(Agencies.NAV_STATE, "bindeledd:rights-query");
  }

  private TestHouse.Reply ask(Tokens.Wanted token) {
    String question =
        """
        {"messageId": "ALTINN-%s", "foedselsnummer": "%s", "question": "OT_STATUS"}
        """
            .formatted(UUID.randomUUID(), youth.number());
    return house.post("rights-query", token, question.getBytes(UTF_8));
  }
}
