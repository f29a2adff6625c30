package no.bindeledd.channel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import no.bindeledd.exchange.DeliveryRejected;
import org.apache.camel.Exchange;
import org.apache.camel.catalog.DefaultCamelCatalog;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The component {@code fint:} in a real Camel context against a real HTTP server. */
class FintTest {
  private static final String PERSON = "17912099997";
  private static final String BODY =
      """
      {"systemId":{"identifikatorverdi":"b7 1"},
       "_links":{"person":[{"href":"${felles.person}/fodselsnummer/17912099997"}],
                 "status":[{"href":"${utdanning.kodeverk.otstatus}/systemid/OTOV"}]}}
      """;
  private static final String HELD =
      """
      {"systemId":{"identifikatorverdi":"b7 1","gyldighetsperiode":null},
       "_links":{"self":[{"href":"https://fint.example/utdanning/ot/otungdom/systemid/b7%201"}],
                 "person":[{"href":"https://fint.example/felles/person/fodselsnummer/17912099997"}],
                 "status":[{"href":"https://fint.example/utdanning/kodeverk/otstatus/systemid/@"}]}}
      """;
  private static final String POST = "POST " + FintPeer.CLASS;
  private static final String STATUS = FintPeer.CLASS + "/status/7f0e";
  private static final String POLL = "GET " + STATUS;
  private static final String READ = "GET " + FintPeer.CLASS + "/systemid/b7%201";

  private FintPeer peer;
  private DefaultCamelContext camel;

  @BeforeEach
  void start() throws Exception {
    peer = new FintPeer();
    camel = new DefaultCamelContext();
    camel.start();
  }

  @AfterEach
  void stop() throws Exception {
    camel.close();
    peer.close();
  }

  @ParameterizedTest
  @CsvSource({"201", "204"})
  void theStatusIsPolledUntilTheResourceIsTaken(int end) {
    peer.plan(POST, 202, STATUS, "");
    peer.plan(POLL, 202, 202, end);

    Exchange sent = send("orgId=county.no&client=bindeledd");

    assertThat(sent.getException()).isNull();
    assertThat(sent.getMessage().getHeader(FintProducer.STATUS)).isEqualTo(end);
    assertThat(sent.getMessage().getHeader(FintProducer.CORRELATION)).isEqualTo("7f0e");
    FintPeer.Request first = peer.requests.getFirst();
    assertThat(first.body()).isEqualTo(BODY);
    assertThat(first.headers().get("X-org-id")).containsExactly("county.no");
    assertThat(first.headers().get("X-client")).containsExactly("bindeledd");
    assertThat(peer.count("GET")).isEqualTo(3);
  }

  @Test
  void aStatusThatPassinglyFailsIsPolledOnInsteadOfWrittenAgain() {
    peer.plan(POST, 202, peer.url() + STATUS, "");
    peer.plan(POLL, 503, 0, 429, 201);

    assertThat(send("").getException()).isNull();
    assertThat(peer.count("POST")).isEqualTo(1);
  }

  @ParameterizedTest(name = "POST {0}, status {1}: {2}")
  @CsvSource({
    "202, 400, rejected",
    "202, 500, retried",
    "202, 404, retried",
    "202, 410, retried",
    "202, 403, retried",
    "400, 0, rejected",
    "413, 0, rejected",
    "422, 0, rejected",
    "500, 0, retried",
    "503, 0, retried",
    "429, 0, retried",
    "401, 0, retried",
    "302, 0, retried",
    "200, 0, retried",
    "0, 0, retried",
    "-1, 0, retried",
  })
  void aRefusalIsFinalAndEverythingElseIsTriedAgain(int post, int status, String what) {
    peer.plan(POST, post, post == 202 ? STATUS : "", "");
    peer.plan(POLL, status);

    Exception failure = send("requestTimeout=300").getException();

    assertThat(failure)
        .isInstanceOf(what.equals("rejected") ? DeliveryRejected.class : IOException.class);
    assertSafe(failure);
  }

  @Test
  void aConflictWithTheResourceThatWasToBeWrittenCountsAsTaken() {
    peer.plan(POST, 202, STATUS, "");
    peer.plan(POLL, 202, 409);
    peer.plan(READ, 200, "", HELD.replace("@", "OTOV"));

    Exchange sent = send("");

    assertThat(sent.getException()).isNull();
    assertThat(sent.getMessage().getHeader(FintProducer.STATUS)).isEqualTo(409);
  }

  @Test
  void aConflictWithAnotherResourceIsARefusal() {
    peer.plan(POST, 409);
    peer.plan(READ, 200, "", HELD.replace("@", "OTAP"));

    Exception failure = send("").getException();

    assertThat(failure).isInstanceOf(DeliveryRejected.class).hasMessageContaining("409");
    assertSafe(failure);
  }

  @Test
  void aConflictWithNothingToReadBackIsARefusal() {
    peer.plan(POST, 409);

    assertThat(send("").getException()).isInstanceOf(DeliveryRejected.class);
  }

  @ParameterizedTest
  @CsvSource({"500", "0"})
  void aConflictThatCannotBeLookedIntoIsTriedAgain(int read) {
    peer.plan(POST, 409);
    peer.plan(READ, read);

    Exception failure = send("").getException();

    assertThat(failure).isInstanceOf(IOException.class);
    assertSafe(failure);
  }

  @Test
  void aWriteThatNeverSettlesIsTriedAgain() {
    peer.plan(POST, 202, STATUS, "");
    peer.plan(POLL, 202);

    Exception failure = send("settleTimeout=100").getException();

    assertThat(failure).isInstanceOf(IOException.class).hasMessageContaining("PT0.1S");
    assertSafe(failure);
  }

  @ParameterizedTest
  @CsvSource({"http://elsewhere.example/status/1", "''", "not an address", "//elsewhere/status/1"})
  void theTokenIsNotSentToAStatusAddressElsewhere(String location) {
    peer.plan(POST, 202, location, "");

    Exception failure = send("").getException();

    assertThat(failure).isInstanceOf(IOException.class).hasMessageContaining("status address");
    assertThat(failure.getMessage()).doesNotContain("elsewhere");
  }

  @Test
  void theLoginIsFetchedOnceAndRenewedWhenItIsRefused() {
    peer.plan("POST /token", 200, "", "{\"access_token\":\"one\",\"expires_in\":3600}");
    peer.plan("POST /token", 200, "", "{\"access_token\":\"two\",\"expires_in\":3600}");
    peer.plan(POST, 202, STATUS, "");
    peer.plan(POLL, 401, 201);
    FintCredentials credentials =
        new FintCredentials(
            URI.create(peer.url() + "/token"), "hub", "p&ss", "client", "sec:ret", "fint-client");
    camel.getRegistry().bind("fintLogin", credentials);

    assertThat(send("credentials=#fintLogin").getException()).isNull();

    FintPeer.Request login = peer.requests.getFirst();
    assertThat(login.body())
        .isEqualTo("grant_type=password&username=hub&password=p%26ss&scope=fint-client");
    assertThat(login.headers().get("Authorization")).containsExactly("Basic Y2xpZW50OnNlYzpyZXQ=");
    assertThat(peer.requests.stream().filter(r -> r.path().equals("/token"))).hasSize(2);
    assertThat(peer.requests.getLast().headers().get("Authorization"))
        .containsExactly("Bearer two");
    assertThat(credentials.toString()).doesNotContain("p&ss").doesNotContain("sec:ret");
  }

  @Test
  void aRefusedLoginIsTriedAgainWithoutTheSecretInTheError() {
    peer.plan("POST /token", 400, "", "{\"error\":\"invalid_grant\"}");
    camel
        .getRegistry()
        .bind(
            "fintLogin",
            new FintCredentials(
                URI.create(peer.url() + "/token"), "hub", "p&ss", "client", "secret", "s"));

    Exception failure = send("credentials=#fintLogin").getException();

    assertThat(failure).isInstanceOf(IOException.class).hasMessageContaining("status 400");
    assertThat(failure.getMessage()).doesNotContain("p&ss").doesNotContain("secret");
    assertThat(peer.count("POST")).isEqualTo(1);
  }

  @Test
  void theCatalogueKnowsTheComponentsOptions() throws Exception {
    DefaultCamelCatalog catalogue = new DefaultCamelCatalog();
    try (InputStream schema =
        FintComponent.class.getResourceAsStream("/META-INF/no/bindeledd/channel/fint.json")) {
      catalogue.addComponent(
          "fint",
          FintComponent.class.getName(),
          new String(schema.readAllBytes(), StandardCharsets.UTF_8));
    }
    String address = "fint:{{peers.fint.url}}" + FintPeer.CLASS;

    assertThat(
            catalogue
                .validateEndpointProperties(address + "?orgId=a&credentials=#b&firstPoll=1s")
                .isSuccess())
        .isTrue();
    assertThat(catalogue.validateEndpointProperties(address + "?orgid=a").getUnknown())
        .containsExactly("orgid");
  }

  @Test
  void manyWritesGoOnAtOnce() {
    // As in the hub, the component is there before the first message.
    camel.getComponent("fint");
    peer.plan(POST, 202, STATUS, "");
    peer.plan(POLL, 201);

    List<Exchange> all =
        java.util.stream.IntStream.range(0, 64)
            .parallel()
            .mapToObj(i -> send("orgId=county.no"))
            .toList();

    assertThat(all).allMatch(e -> e.getException() == null);
    assertThat(peer.count("POST")).isEqualTo(64);
  }

  private Exchange send(String options) {
    String uri =
        "fint:"
            + peer.url()
            + FintPeer.CLASS
            + "?firstPoll=1&longestPoll=5"
            + (options.isEmpty() ? "" : "&" + options);
    return camel
        .createFluentProducerTemplate()
        .to(uri)
        .withBody(BODY.getBytes(StandardCharsets.UTF_8))
        .send();
  }

  private void assertSafe(Throwable failure) {
    for (Throwable t = failure; t != null; t = t.getCause()) {
      assertThat(t.toString()).doesNotContain(PERSON).doesNotContain("http").doesNotContain("b7");
    }
  }
}
