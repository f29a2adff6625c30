package no.bindeledd.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Against an issuer of our own, which can be rotated, broken and made to hang. */
class IssuerKeysTest {
  private final MovableClock clock = new MovableClock();
  private final HttpClient http = HttpClient.newHttpClient();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicInteger fetches = new AtomicInteger();
  private final CountDownLatch released = new CountDownLatch(1);
  private HttpServer server;
  private String issuer;
  private IssuerKeys keys;
  private volatile JWKSet published = new JWKSet();
  private volatile boolean broken;
  private volatile boolean hanging;

  @BeforeEach
  void start() throws Exception {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    issuer = "http://localhost:" + server.getAddress().getPort() + "/";
    server.createContext(
        "/metadata",
        exchange -> {
          fetches.incrementAndGet();
          answer(exchange, "{\"issuer\":\"" + issuer + "\",\"jwks_uri\":\"" + issuer + "jwk\"}");
        });
    server.createContext("/jwk", exchange -> answer(exchange, published.toString()));
    server.start();
    keys = new IssuerKeys(issuer, URI.create(issuer + "metadata"), http, clock);
  }

  @AfterEach
  void stop() {
    released.countDown();
    server.stop(0);
    threads.shutdownNow();
    http.close();
  }

  private void answer(HttpExchange exchange, String body) throws IOException {
    if (hanging) {
      try {
        released.await();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(broken ? 503 : 200, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  @Test
  void inventedKeyIdsDoNotMakeTheHubFloodTheIssuer() throws Exception {
    publish("a");

    for (int i = 0; i < 50; i++) {
      assertThat(keys.find("invented-" + i)).isInstanceOf(IssuerKeys.Unknown.class);
    }

    assertThat(fetches).hasValue(1);
    assertThat(keys.find("a")).isInstanceOf(IssuerKeys.Known.class);
  }

  @Test
  void aNewKeyIsFoundAfterThePauseAndAWithdrawnOneIsNot() throws Exception {
    publish("a");
    assertThat(keys.find("a")).isInstanceOf(IssuerKeys.Known.class);
    publish("b");
    assertThat(keys.find("b")).isInstanceOf(IssuerKeys.Unknown.class);

    clock.advance(IssuerKeys.PAUSE);

    assertThat(keys.find("b")).isInstanceOf(IssuerKeys.Known.class);
    assertThat(keys.find("a")).isInstanceOf(IssuerKeys.Unknown.class);
  }

  @Test
  void manyRequestsWithANewKeyShareOneFetch() throws Exception {
    publish("a");

    List<Future<IssuerKeys.Answer>> answers = new ArrayList<>();
    for (int i = 0; i < 64; i++) {
      answers.add(threads.submit(() -> keys.find("a")));
    }

    for (Future<IssuerKeys.Answer> answer : answers) {
      assertThat(answer.get()).isInstanceOf(IssuerKeys.Known.class);
    }
    assertThat(fetches).hasValue(1);
  }

  @Test
  void knownKeysAnswerAtOnceWhileTheIssuerHangs() throws Exception {
    publish("a");
    assertThat(keys.find("a")).isInstanceOf(IssuerKeys.Known.class);
    hanging = true;
    clock.advance(IssuerKeys.FRESH);

    for (int i = 0; i < 1000; i++) {
      assertThat(keys.find("a")).isInstanceOf(IssuerKeys.Known.class);
    }

    await().untilAsserted(() -> assertThat(fetches).hasValue(2));
  }

  @Test
  void knownKeysOutliveABrokenIssuerForADayAndComeBackWithIt() throws Exception {
    publish("a");
    assertThat(keys.find("a")).isInstanceOf(IssuerKeys.Known.class);
    broken = true;

    clock.advance(IssuerKeys.TRUSTED.minusSeconds(1));
    assertThat(keys.find("a")).isInstanceOf(IssuerKeys.Known.class);
    await().untilAsserted(() -> assertThat(fetches).hasValue(2));
    clock.advance(Duration.ofSeconds(1).plus(IssuerKeys.PAUSE_AFTER_FAILURE));
    assertThat(keys.find("a")).isInstanceOf(IssuerKeys.Unavailable.class);
    assertThat(keys.find("unknown")).isInstanceOf(IssuerKeys.Unavailable.class);

    broken = false;
    clock.advance(IssuerKeys.PAUSE_AFTER_FAILURE);
    assertThat(keys.find("a")).isInstanceOf(IssuerKeys.Known.class);
  }

  @Test
  void keysOfADocumentThatNamesAnotherIssuerAreNotTaken() throws Exception {
    publish("a");
    IssuerKeys other =
        new IssuerKeys("https://other.example/", URI.create(issuer + "metadata"), http, clock);

    assertThat(other.find("a")).isInstanceOf(IssuerKeys.Unavailable.class);
  }

  private void publish(String id) throws Exception {
    RSAKey key = new RSAKeyGenerator(2048).keyID(id).generate();
    published = new JWKSet(key);
  }
}
