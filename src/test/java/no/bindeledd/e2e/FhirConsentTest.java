package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.util.UUID;
import no.bindeledd.demo.Agencies;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Consents over FHIR R4. */
@ExtendWith(TestHouse.Resident.class)
class FhirConsentTest {
  private static final String NATIONAL_ID = "urn:oid:2.16.578.1.12.4.1.4.1";

  private final TestHouse house;
  private final UUID id = UUID.randomUUID();
  private final Youth youth = Youth.next();

  FhirConsentTest(TestHouse house) {
    this.house = house;
  }

  /** The profiles are read when the first resource comes, which is slow on a busy machine. */
  @BeforeEach
  void letTheProfilesBeRead() {
    await()
        .atMost(TestHouse.PATIENCE.multipliedBy(4))
        .ignoreExceptions()
        .until(() -> create("{\"resourceType\": \"Consent\"}").status() == 422);
  }

  @Test
  void aConsentThatIsCreatedLetsAReferralOutAndIsFoundByPatientAndStatus() {
    try (MllpLine line = house.mllp()) {
      line.send(MllpLine.referral("FHIR-1", youth));
    }
    TestHouse.Reply created = create(consent("active", "permit"));

    assertThat(created.status()).as(created.toString()).isEqualTo(201);
    assertThat(created.header("ETag")).isEqualTo("W/\"1\"");
    assertThat(created.header("Location")).endsWith("/fhir/Consent/" + id + "/_history/1");
    await().atMost(TestHouse.PATIENCE).until(() -> house.nav.about(youth).size() == 1);
    TestHouse.Reply again = create(consent("active", "permit"));
    assertThat(again.header("ETag")).as("repeated").isEqualTo("W/\"1\"");

    JsonNode found = search("active");
    assertThat(found.path("total").asInt()).isEqualTo(1);
    JsonNode resource = found.path("entry").get(0).path("resource");
    assertThat(resource.path("id").asText()).isEqualTo(id.toString());
    assertThat(resource.at("/patient/identifier/value").asText()).isEqualTo(youth.number());
    assertThat(resource.at("/provision/purpose/0/code").asText()).isEqualTo("EMPLOYMENT_SUPPORT");
    assertThat(resource.at("/provision/actor/0/reference/identifier/value").asText())
        .isEqualTo("311067850");
    assertThat(search("inactive").path("total").asInt()).isZero();
    JsonNode read = fhir("GET", "/" + id, "").json();
    assertThat(read.path("meta").path("versionId").asText()).isEqualTo("1");
    assertThat(read.toString()).doesNotContain(youth.number());
    assertThat(house.ledger.naming(id + "@1"))
        .extracting(e -> e.path("station").asText() + " " + e.path("outcome").asText())
        .contains("CONSENT GIVEN", "DECIDE RELEASED", "CONSENT READ");
  }

  @Test
  void anUpdateNamesItsVersionAndInactiveTakesTheConsentBack() {
    create(consent("active", "permit"));
    String inactive = consent("inactive", "permit");

    assertThat(fhir("PUT", "/" + id, withId(inactive)).status()).as("no If-Match").isEqualTo(422);
    TestHouse.Reply stale = fhir("PUT", "/" + id, withId(inactive), "If-Match", "W/\"7\"");
    assertThat(stale.status()).isEqualTo(412);
    TestHouse.Reply withdrawn = fhir("PUT", "/" + id, withId(inactive), "If-Match", "W/\"1\"");
    assertThat(withdrawn.status()).as(withdrawn.toString()).isEqualTo(200);
    assertThat(withdrawn.header("ETag")).isEqualTo("W/\"2\"");
    assertThat(fhir("PUT", "/" + id, withId(inactive), "If-Match", "W/\"1\"").header("ETag"))
        .as("repeated")
        .isEqualTo("W/\"2\"");
    assertThat(fhir("GET", "/" + id + "/_history/1", "").json().path("status").asText())
        .isEqualTo("active");
    assertThat(fhir("GET", "/" + id, "").json().path("status").asText()).isEqualTo("inactive");
    try (MllpLine line = house.mllp()) {
      assertThat(line.send(MllpLine.referral("FHIR-2", youth)).text()).contains("AE");
    }
  }

  @Test
  void whoGaveItIsReadBackButForTheNumbersOfGuardians() {
    Youth guardian = Youth.next();
    String performers =
        """
        "performer": [
          {"identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "%s"}},
          {"identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "%s"}}],
        "policy": ["""
            .formatted(youth.number(), guardian.number());
    TestHouse.Reply created =
        create(consent("active", "permit").replace("\"policy\": [", performers));
    assertThat(created.status()).as(created.toString()).isEqualTo(201);

    JsonNode resource = search("active").path("entry").get(0).path("resource");
    JsonNode found = resource.path("performer");
    assertThat(found).hasSize(2);
    assertThat(found.get(0).at("/identifier/value").asText()).isEqualTo(youth.number());
    assertThat(found.get(1).path("type").asText()).isEqualTo("RelatedPerson");
    JsonNode read = fhir("GET", "/" + id, "").json();
    assertThat(read.path("performer")).hasSize(2);
    assertThat(read.toString()).doesNotContain(youth.number()).doesNotContain(guardian.number());

    TestHouse.Reply written = fhir("PUT", "/" + id, resource.toString(), "If-Match", "W/\"1\"");
    assertThat(written.json().toString()).contains("performer.identifier");
    assertThat(written.status()).as("nobody is left out in silence").isEqualTo(422);
  }

  @Test
  void aPatientsBlockIsADenialAndStopsWhatAConsentAllows() {
    house.consent(youth, "EMPLOYMENT_SUPPORT");
    TestHouse.Reply blocked =
        create(
            consent("active", "deny")
                .replace(
                    "\"policy\": [{\"uri\": \"urn:bindeledd:consent-text:fhir@1\"}]",
                    "\"policyRule\": {\"coding\": [{\"code\": \"PBRL5-3\"}]}"));

    assertThat(blocked.status()).as(blocked.toString()).isEqualTo(201);
    try (MllpLine line = house.mllp()) {
      assertThat(line.send(MllpLine.referral("FHIR-3", youth)).text()).contains("AE");
    }
    JsonNode resource = fhir("GET", "/" + id, "").json();
    assertThat(resource.at("/provision/type").asText()).isEqualTo("deny");
    assertThat(resource.at("/policyRule/coding/0/code").asText()).isEqualTo("PBRL5-3");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          "provision": {|"provisjon": {
          "status": "active"|"status": "aktiv"
          "patient":|"subject":
          "type": "permit"|"typ": "permit"
          urn:uuid:|urn:feil:
          "purpose": [|"dataPeriod": {"start": "2026-01-01"}, "purpose": [
          "IRCP"|"PROV"
          urn:oid:2.16.578.1.12.4.1.4.101|urn:oid:2.16.578.1.12.4.1.4.102
          "policy": [|"policyRule": {"coding": [{"code": "PBRL5-3"}]}, "policy": [
          "status": "active"|"status": "proposed"
          "311067850"|"31106785"
          """)
  void whatIsWrongIsRefusedWithAnOperationOutcomeThatQuotesNothing(String right, String wrong) {
    String body = consent("active", "permit");
    assertThat(body).contains(right);
    String bad = body.replace(right, wrong).replace("\"feil\"", "\"" + youth.family() + "\"");

    TestHouse.Reply reply = create(bad);

    assertThat(reply.status()).as(reply.toString()).isIn(400, 422);
    assertThat(reply.json().path("resourceType").asText()).isEqualTo("OperationOutcome");
    assertThat(reply.body()).doesNotContain(youth.number(), youth.family(), "provisjon", "aktiv");
    assertThat(search(null).path("total").asInt()).isZero();
  }

  @Test
  void onlyAKeepersTokenIsTakenAndANumberNeverStandsInAnAddress() {
    TestHouse.Reply nobody =
        house.send(HttpRequest.newBuilder(URI.create(house.address("/fhir/Consent/" + id))));
    TestHouse.Reply other =
        house.send(
            HttpRequest.newBuilder(URI.create(house.address("/fhir/Consent/" + id)))
                .header(
                    "Authorization",
                    house.bearer(Tokens.of(Agencies.NAV_STATE, "bindeledd:rights-query"))));
    assertThat(nobody.status()).isEqualTo(401);
    assertThat(other.status()).isEqualTo(403);
    assertThat(fhir("GET", "/" + id, "").status()).isEqualTo(404);
    TestHouse.Reply address =
        fhir(
            "GET",
            "?patient.identifier=" + URLEncoder.encode(NATIONAL_ID + "|" + youth.number(), UTF_8),
            "");
    assertThat(address.status()).isEqualTo(422);
    assertThat(address.body()).doesNotContain(youth.number());
    TestHouse.Reply garbage = create("{\"" + youth.number() + "\": " + youth.family());
    assertThat(garbage.status()).isEqualTo(400);
    assertThat(garbage.body()).doesNotContain(youth.number(), youth.family());
  }

  private TestHouse.Reply create(String body) {
    return fhir("POST", "", body);
  }

  private String withId(String body) {
    return body.replaceFirst("\\{", "{\"id\": \"" + id + "\", ");
  }

  private JsonNode search(String status) {
    String form =
        "patient.identifier="
            + URLEncoder.encode(NATIONAL_ID + "|" + youth.number(), UTF_8)
            + (status == null ? "" : "&status=" + status);
    TestHouse.Reply reply =
        house.send(
            at("/_search")
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(HttpRequest.BodyPublishers.ofString(form)));
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    return reply.json();
  }

  private TestHouse.Reply fhir(String method, String path, String body, String... headers) {
    HttpRequest.Builder request =
        at(path)
            .header("Content-Type", "application/fhir+json")
            .method(method, HttpRequest.BodyPublishers.ofString(body));
    if (headers.length > 0) {
      request.headers(headers);
    }
    return house.send(request);
  }

  private HttpRequest.Builder at(String path) {
    return HttpRequest.newBuilder(URI.create(house.address("/fhir/Consent" + path)))
        .header("Authorization", house.bearer(Tokens.of(Agencies.NAV_STATE, "bindeledd:keeper")));
  }

  private String consent(String status, String type) {
    return """
        {"resourceType": "Consent",
         "identifier": [{"system": "urn:ietf:rfc:3986", "value": "urn:uuid:%s"}],
         "status": "%s",
         "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope",
           "code": "patient-privacy"}]},
         "category": [{"coding": [{"system": "urn:bindeledd:consent-kind",
           "code": "INFORMATION_SHARING"}]}],
         "patient": {"identifier": {"system": "%s", "value": "%s"}},
         "policy": [{"uri": "urn:bindeledd:consent-text:fhir@1"}],
         "provision": {
           "type": "%s",
           "period": {"start": "2026-01-01T00:00:00Z"},
           "actor": [{
             "role": {"coding": [{
               "system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType",
               "code": "IRCP"}]},
             "reference": {"identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.101",
               "value": "311067850"}}}],
           "purpose": [{"system": "urn:bindeledd:purpose", "code": "EMPLOYMENT_SUPPORT"}]}}
        """
        .formatted(id, status, NATIONAL_ID, youth.number(), type);
  }
}
