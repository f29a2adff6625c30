package no.bindeledd.e2e;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.net.URI;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.Map;
import no.bindeledd.demo.Agencies;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who may read the audit trail, what they see, and that it is recorded. */
@ExtendWith(TestHouse.Resident.class)
class AuditReadingTest {
  private static final String READ = "bindeledd:audit.read";
  private static final String SUPERVISION = "bindeledd:audit.supervision";
  private static final String SUBJECTS = "bindeledd:audit.subjects";

  private final TestHouse house;

  AuditReadingTest(TestHouse house) {
    this.house = house;
  }

  @AfterEach
  void leaveNothingWaiting() {
    house.settle();
  }

  private TestHouse.Reply get(String path, String scope) {
    return house.send(
        HttpRequest.newBuilder(URI.create(house.address(path)))
            .header("Authorization", house.bearer(Tokens.of(Agencies.COUNTY, scope)))
            .GET());
  }

  private TestHouse.Reply post(String path, String scope, String json) {
    return house.send(
        HttpRequest.newBuilder(URI.create(house.address(path)))
            .header("Authorization", house.bearer(Tokens.of(Agencies.COUNTY, scope)))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(json)));
  }

  private List<JsonNode> readings(long since) {
    return house.ledger.after(since).stream()
        .filter(entry -> entry.path("station").asText().equals("READ"))
        .toList();
  }

  @Test
  void metadataComesWithoutPersonsAndTheReadingIsRecorded() {
    Youth youth = Youth.next();
    house.consent(youth, "IPS_REFERRAL");
    long before = house.ledger.newest();
    TestHouse.Reply reply = get("/audit/entries?exchange=consent&outcome=GIVEN&limit=5", READ);
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    JsonNode newest = reply.json().path("entries").path(0);
    assertThat(newest.path("outcome").asText()).isEqualTo("GIVEN");
    assertThat(newest.path("intact").asBoolean()).isTrue();
    assertThat(newest.has("subject")).isFalse();
    assertThat(newest.has("consents")).isFalse();
    List<JsonNode> readings = readings(before);
    assertThat(readings).hasSize(1);
    assertThat(readings.getFirst().path("sender").asText()).isEqualTo(Agencies.COUNTY.value());
    assertThat(readings.getFirst().path("outcome").asText()).isEqualTo("METADATA_READ");
    assertThat(readings.getFirst().path("detail").asText())
        .startsWith("asked for exchange consent, outcome GIVEN; rows: ");
    assertThat(readings.getFirst().has("subject")).isFalse();
  }

  @Test
  void onePersonIsFoundByTheNumberInTheBodyAndTheTrailTellsWhoLooked() {
    Youth youth = Youth.next();
    house.consent(youth, "IPS_REFERRAL");
    String body = "{\"subject\": \"" + youth.number() + "\"}";
    TestHouse.Reply first = post("/audit/entries/search", READ + " " + SUBJECTS, body);
    assertThat(first.status()).as(first.toString()).isEqualTo(200);
    assertThat(first.json().path("entries")).hasSize(1);
    assertThat(first.json().path("entries").path(0).path("subject").asText()).hasSize(32);
    TestHouse.Reply second = post("/audit/entries/search", SUBJECTS, body);
    assertThat(second.json().path("entries")).hasSize(2);
    JsonNode looked = second.json().path("entries").path(0);
    assertThat(looked.path("station").asText()).isEqualTo("READ");
    assertThat(looked.path("outcome").asText()).isEqualTo("SUBJECTS_READ");
    assertThat(looked.path("detail").asText()).isEqualTo("asked for one person; rows: 1");
    assertThat(second.body()).doesNotContain(youth.number());
  }

  @Test
  void aRightToMetadataIsNoRightToAskAboutOnePerson() {
    long before = house.ledger.newest();
    String body = "{\"subject\": \"" + Youth.next().number() + "\"}";
    assertThat(post("/audit/entries/search", READ, body).status()).isEqualTo(403);
    assertThat(get("/audit/entries", "bindeledd:keeper").status()).isEqualTo(403);
    assertThat(house.get("/audit/entries").status()).isEqualTo(401);
    assertThat(readings(before)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"subject", "message", "trace", "organisation", "exchange", "from", "limit"})
  void anIdentityNumberInAnAddressIsNotTakenNorRepeated(String parameter) {
    String number = Youth.next().number();
    long before = house.ledger.newest();
    TestHouse.Reply reply = get("/audit/entries?" + parameter + "=" + number, READ);
    assertThat(reply.body()).doesNotContain(number);
    assertThat(reply.status()).as(reply.toString()).isEqualTo(400);
    assertThat(readings(before)).isEmpty();
  }

  @Test
  void pagesFollowOneAnother() {
    for (int i = 0; i < 5; i++) {
      house.consent(Youth.next(), "IPS_REFERRAL");
    }
    JsonNode first = get("/audit/entries?exchange=consent&limit=3", READ).json();
    long last = first.path("entries").path(2).path("index").asLong();
    assertThat(first.path("before").asLong()).isEqualTo(last);
    JsonNode second = get("/audit/entries?exchange=consent&limit=2&before=" + last, READ).json();
    assertThat(second.path("entries").path(0).path("index").asLong()).isLessThan(last);
  }

  @Test
  void supervisorsGetAnArchiveOfWhatOrganisationsDidAndItIsRecorded() {
    house.consent(Youth.next(), "IPS_REFERRAL");
    long before = house.ledger.newest();
    String body =
        "{\"organisations\": [\"%s\"], \"from\": \"2026-01-01T00:00:00Z\", \"to\": \"2999-01-01T00:00:00Z\"}"
            .formatted(Agencies.NAV_STATE);
    TestHouse.Reply reply = post("/audit/export", SUPERVISION, body);
    assertThat(reply.status()).as(reply.header("content-type")).isEqualTo(200);
    assertThat(reply.header("content-type")).isEqualTo("application/zip");
    assertThat(reply.body()).startsWith("PK").contains("manifest.json", "entries.csv");
    JsonNode reading = readings(before).getFirst();
    assertThat(reading.path("outcome").asText()).isEqualTo("SUPERVISION_EXPORT");
    assertThat(reading.path("detail").asText())
        .startsWith("asked for organisations " + Agencies.NAV_STATE + ", from 2026-01-01");
    assertThat(post("/audit/export", SUPERVISION, "{}").status()).isEqualTo(400);
    assertThat(post("/audit/export", READ, body).status()).isEqualTo(403);
  }

  @Test
  void decisionsAboutAPersonAreFhirAuditEvents() {
    Youth youth = Youth.next();
    house.publish(
        TestHouse.MEASURE_EVENTS,
        "fhir-audit",
        TestHouse.measureEvent("fhir-audit", youth).getBytes(UTF_8),
        Map.of());
    String form =
        "patient.identifier=" + youth.number() + "&agent.identifier=" + Agencies.OT + "&_count=10";
    JsonNode bundle =
        await()
            .atMost(TestHouse.PATIENCE)
            .until(
                () -> fhirSearch(form, SUBJECTS).json(), found -> found.path("entry").size() > 0);
    JsonNode event = bundle.path("entry").path(0).path("resource");
    assertThat(event.path("resourceType").asText()).isEqualTo("AuditEvent");
    assertThat(event.path("type").path("code").asText()).isEqualTo("110113");
    String pseudonym =
        event.path("entity").path(0).path("what").path("identifier").path("value").asText();
    TestHouse.Reply byPseudonym =
        get("/fhir/AuditEvent?patient.identifier=urn:bindeledd:pseudonym%7C" + pseudonym, SUBJECTS);
    assertThat(byPseudonym.json().path("entry")).isNotEmpty();
    assertThat(get("/fhir/AuditEvent/" + event.path("id").asText(), SUBJECTS).status())
        .isEqualTo(200);
    TestHouse.Reply inAddress =
        get("/fhir/AuditEvent?patient.identifier=" + youth.number(), SUBJECTS);
    assertThat(inAddress.status()).isEqualTo(400);
    assertThat(inAddress.body()).doesNotContain(youth.number());
    assertThat(fhirSearch(form, READ).status()).isEqualTo(403);
  }

  private TestHouse.Reply fhirSearch(String form, String scope) {
    return house.send(
        HttpRequest.newBuilder(URI.create(house.address("/fhir/AuditEvent/_search")))
            .header("Authorization", house.bearer(Tokens.of(Agencies.COUNTY, scope)))
            .header("Content-Type", "application/x-www-form-urlencoded")
            .POST(HttpRequest.BodyPublishers.ofString(form)));
  }

  @Test
  void thePersonConcernedGetsAReportWithProofsAndItIsRecorded() {
    Youth youth = Youth.next();
    house.consent(youth, "IPS_REFERRAL");
    String body = "{\"subject\": \"" + youth.number() + "\"}";
    assertThat(post("/audit/subject-report", SUBJECTS, body).status()).isEqualTo(403);
    long before = house.ledger.newest();
    // Each report that comes before the consent is published is itself an entry about the person.
    var last = new java.util.concurrent.atomic.AtomicReference<TestHouse.Reply>();
    await()
        .atMost(TestHouse.PATIENCE)
        .until(
            () -> {
              last.set(post("/audit/subject-report", "bindeledd:audit.report", body));
              return last.get().status() == 200
                  && readings(before)
                      .getLast()
                      .path("detail")
                      .asText()
                      .matches(".*; rows: [1-9]\\d*");
            });
    TestHouse.Reply reply = last.get();
    assertThat(reply.header("content-type")).isEqualTo("application/zip");
    assertThat(reply.body()).contains("report.nb.pdf", "report.en.html", "proofs.json");
    JsonNode reading = readings(before).getLast();
    assertThat(reading.path("outcome").asText()).isEqualTo("SUBJECT_REPORT");
    assertThat(reading.has("subject")).isTrue();
  }

  @Test
  void aMonthIsCountedWhenItIsOver() {
    long before = house.ledger.newest();
    TestHouse.Reply reply = get("/audit/statistics?month=2026-01", SUPERVISION);
    assertThat(reply.status()).as(reply.toString()).isEqualTo(200);
    assertThat(reply.json().path("month").asText()).isEqualTo("2026-01");
    assertThat(readings(before).getFirst().path("detail").asText())
        .isEqualTo("asked for statistics of 2026-01; rows: 0");
    assertThat(get("/audit/statistics?month=2999-01", SUPERVISION).status()).isEqualTo(400);
    assertThat(get("/audit/statistics?month=x", SUPERVISION).status()).isEqualTo(400);
    assertThat(get("/audit/statistics?month=2026-01&organisation=1", SUPERVISION).status())
        .isEqualTo(400);
  }

  /** The copy to syslog, which is down in these tests, holds nobody up and catches up later. */
  @Test
  void aCopyThatCannotBeSentIsSeenInTheMetrics() {
    house.consent(Youth.next(), "IPS_REFERRAL");
    org.awaitility.Awaitility.await()
        .atMost(TestHouse.PATIENCE)
        .until(
            () ->
                house.metrics().getOrDefault("bindeledd_audit_behind{exporter=\"syslog\"}", 0.0)
                    > 0);
  }

  @Test
  void aPersonWhoIsShreddedIsNotFoundAnyMoreAndEveryProofHolds() throws Exception {
    Youth youth = Youth.next();
    house.consent(youth, "IPS_REFERRAL");
    String body = "{\"subject\": \"" + youth.number() + "\"}";
    assertThat(post("/audit/shredding", READ + " " + SUBJECTS, body).status()).isEqualTo(403);
    TestHouse.Reply done = post("/audit/shredding", "bindeledd:audit.shred", body);
    assertThat(done.status()).as(done.toString()).isEqualTo(200);
    assertThat(done.json().path("entries").asInt()).isEqualTo(1);
    JsonNode found = post("/audit/entries/search", SUBJECTS, body).json().path("entries");
    assertThat(found).isEmpty();
    assertThat(post("/audit/shredding", "bindeledd:audit.shred", "{\"subject\": \"12\"}").status())
        .isEqualTo(400);
    assertThat(
            no.bindeledd.audit.LedgerVerifier.verify(
                    house.hub.database(),
                    house.hub.logKey().verifiers(),
                    no.bindeledd.audit.ProgressListener.NONE)
                .firstProblem())
        .isNull();
  }
}
