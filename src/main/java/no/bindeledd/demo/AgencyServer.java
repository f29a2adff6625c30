package no.bindeledd.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** An agency's HTTP server on 127.0.0.1, with a virtual thread for each request. */
final class AgencyServer implements AutoCloseable {
  static final ObjectMapper JSON = new ObjectMapper();
  private static final int LARGEST_BODY = 10 * 1024 * 1024;
  private static final int BACKLOG = 512;

  /** Answers one request. */
  interface Handler {
    Answer answer(String method, String path, byte[] body) throws IOException;
  }

  /**
   * An answer.
   *
   * @param headers besides Content-Type
   * @param body JSON; empty for none
   */
  record Answer(int status, Map<String, String> headers, byte[] body) {
    static Answer empty(int status) {
      return new Answer(status, Map.of(), new byte[0]);
    }

    static Answer json(int status, JsonNode body) throws IOException {
      return new Answer(status, Map.of(), JSON.writeValueAsBytes(body));
    }
  }

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  AgencyServer(Handler handler) {
    // Read by the server's class when it loads: without it small answers wait for the peer's
    // acknowledgement, 40 ms each.
    if (System.getProperty("sun.net.httpserver.nodelay") == null) {
      System.setProperty("sun.net.httpserver.nodelay", "true");
    }
    try {
      server = HttpServer.create(new InetSocketAddress(LoopbackPort.LOOPBACK, 0), BACKLOG);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot start an agency's HTTP server", e);
    }
    server.setExecutor(threads);
    server.createContext("/", exchange -> handle(handler, exchange));
    server.start();
  }

  /** {@code http://127.0.0.1:port}, without a slash at the end. */
  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  private static void handle(Handler handler, HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readNBytes(LARGEST_BODY + 1);
      Answer answer =
          body.length > LARGEST_BODY
              ? Answer.empty(413)
              : handler.answer(
                  exchange.getRequestMethod(), exchange.getRequestURI().getPath(), body);
      answer.headers().forEach((name, value) -> exchange.getResponseHeaders().set(name, value));
      if (answer.body().length > 0) {
        exchange.getResponseHeaders().set("Content-Type", "application/json");
      }
      exchange.sendResponseHeaders(
          answer.status(), answer.body().length == 0 ? -1 : answer.body().length);
      if (answer.body().length > 0) {
        exchange.getResponseBody().write(answer.body());
      }
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
  }
}
