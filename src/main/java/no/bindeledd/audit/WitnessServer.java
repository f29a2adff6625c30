package no.bindeledd.audit;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A {@link Witness} on plain HTTP: {@code POST /add-checkpoint}. */
public final class WitnessServer implements AutoCloseable {
  private static final int MAX_REQUEST = 100_000;

  private final HttpServer server;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();

  /**
   * @param port 0 for a free one
   */
  public WitnessServer(Witness witness, InetSocketAddress port) throws IOException {
    server = HttpServer.create(port, 0);
    server.createContext("/add-checkpoint", exchange -> answer(witness, exchange));
    server.setExecutor(threads);
    server.start();
  }

  public int port() {
    return server.getAddress().getPort();
  }

  private static void answer(Witness witness, HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] body = exchange.getRequestBody().readNBytes(MAX_REQUEST + 1);
      Witness.Answer answer =
          !exchange.getRequestMethod().equals("POST")
              ? new Witness.Answer(405, "text/plain", "POST a checkpoint\n")
              : body.length > MAX_REQUEST
                  ? new Witness.Answer(413, "text/plain", "The request is too large\n")
                  : witness.addCheckpoint(body);
      byte[] text = answer.body().getBytes(StandardCharsets.UTF_8);
      exchange.getResponseHeaders().set("Content-Type", answer.type());
      exchange.sendResponseHeaders(answer.status(), text.length);
      exchange.getResponseBody().write(text);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
