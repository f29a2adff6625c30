package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A published log behind a web server, as an officer elsewhere reads it. */
@SuppressWarnings("NullAway.Init")
class LogWebsiteTest {
  private final HttpClient client = HttpClient.newHttpClient();
  private HttpServer server;

  @BeforeEach
  void serve() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/log/",
        exchange -> {
          try (exchange) {
            String path = exchange.getRequestURI().getPath().substring("/log/".length());
            byte[] body = path.getBytes(StandardCharsets.UTF_8);
            int status = path.matches("[0-9]+") ? Integer.parseInt(path) : 200;
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
          }
        });
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
    client.close();
  }

  private LogSource log(String path) {
    return new LogWebsite(
        URI.create("http://localhost:" + server.getAddress().getPort() + path), client);
  }

  @ParameterizedTest
  @ValueSource(strings = {"/log", "/log/"})
  void aPieceIsReadBelowThePrefixWithOrWithoutItsLastSlash(String prefix) throws Exception {
    assertThat(log(prefix).read("tile/0/x001/000.p/3")).asString().isEqualTo("tile/0/x001/000.p/3");
  }

  @Test
  void aPieceThatIsNotThereIsToldFromAnAnswerThatSaysNothing() throws Exception {
    assertThat(log("/log").read("404")).isNull();
    assertThat(log("/log").read("410")).isNull();
    for (String status : new String[] {"403", "500", "204"}) {
      assertThatThrownBy(() -> log("/log").read(status))
          .isInstanceOf(IOException.class)
          .hasMessageEndingWith("/log/" + status + " answered with status " + status);
    }
  }

  @Test
  void whoeverIsInterruptedIsToldSoAndStaysInterrupted() {
    Thread.currentThread().interrupt();
    assertThatThrownBy(() -> log("/log").read("checkpoint"))
        .isInstanceOf(InterruptedIOException.class);
    assertThat(Thread.interrupted()).isTrue();
  }
}
