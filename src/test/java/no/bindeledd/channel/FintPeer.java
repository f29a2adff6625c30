package no.bindeledd.channel;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A FINT installation that speaks 202 and status, and answers as the test has planned. A planned
 * answer of 0 breaks the connection, one of -1 never comes.
 */
final class FintPeer implements AutoCloseable {
  static final String CLASS = "/utdanning/ot/otungdom";

  record Request(String method, String path, Map<String, List<String>> headers, String body) {}

  private record Answer(int status, String location, String body) {}

  final List<Request> requests = new CopyOnWriteArrayList<>();
  private final Map<String, Queue<Answer>> planned = new ConcurrentHashMap<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  FintPeer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/", this::handle);
    server.start();
  }

  String url() {
    return "http://localhost:" + server.getAddress().getPort();
  }

  /** Plans the next answers to a method and path; the last one stays. */
  void plan(String call, int... statuses) {
    for (int status : statuses) {
      plan(call, status, "", "");
    }
  }

  void plan(String call, int status, String location, String body) {
    planned
        .computeIfAbsent(call, c -> new ConcurrentLinkedQueue<>())
        .add(new Answer(status, location, body));
  }

  long count(String method) {
    return requests.stream().filter(r -> r.method().equals(method)).count();
  }

  private void handle(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getRawPath();
    String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
    requests.add(
        new Request(
            exchange.getRequestMethod(), path, Map.copyOf(exchange.getRequestHeaders()), body));
    Queue<Answer> answers =
        planned.getOrDefault(
            exchange.getRequestMethod() + " " + path, new ConcurrentLinkedQueue<>());
    Answer answer = answers.size() > 1 ? answers.poll() : answers.peek();
    if (answer == null) {
      answer = new Answer(404, "", "");
    }
    if (answer.status() == 0) {
      exchange.close();
      return;
    }
    if (answer.status() == -1) {
      awaitEnd();
      exchange.close();
      return;
    }
    byte[] bytes = answer.body().getBytes(StandardCharsets.UTF_8);
    if (!answer.location().isEmpty()) {
      exchange.getResponseHeaders().add("Location", answer.location());
    }
    exchange.sendResponseHeaders(answer.status(), bytes.length == 0 ? -1 : bytes.length);
    if (bytes.length > 0) {
      exchange.getResponseBody().write(bytes);
    }
    exchange.close();
  }

  private void awaitEnd() {
    try {
      closed.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closed.countDown();
    server.stop(0);
    threads.shutdownNow();
  }
}
