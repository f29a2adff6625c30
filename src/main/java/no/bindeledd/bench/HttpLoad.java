package no.bindeledd.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/**
 * Sends questions over keep-alive connections, each connection the next as soon as it has the
 * answer to the last (a closed loop). Every question has an id of its own.
 */
final class HttpLoad {
  private final People people;
  private final String run;
  private final AtomicLong serial = new AtomicLong();

  HttpLoad(People people, String run) {
    this.people = people;
    this.run = run;
  }

  /** What came of it in the measured time. */
  record Result(double requestsPerSecond, Latencies.Percentiles latency, Meter.Usage usage) {}

  /**
   * Runs for the warm-up and the measured time.
   *
   * @param token sent as bearer token when not empty
   * @throws IllegalStateException when an answer is not 200
   */
  Result run(
      int port,
      String path,
      String token,
      int connections,
      long warmMillis,
      long measuredMillis,
      Meter meter)
      throws InterruptedException {
    LongAdder done = new LongAdder();
    Latencies latencies = new Latencies();
    long begin = System.nanoTime() + warmMillis * 1_000_000;
    long end = begin + measuredMillis * 1_000_000;
    byte[] head =
        ("POST "
                + path
                + " HTTP/1.1\r\nHost: localhost:"
                + port
                + "\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
                + (token.isEmpty() ? "" : "Authorization: Bearer " + token + "\r\n")
                + "Content-Length: ")
            .getBytes(StandardCharsets.US_ASCII);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> clients = new ArrayList<>();
      for (int i = 0; i < connections; i++) {
        clients.add(
            threads.submit(
                () -> {
                  client(port, head, begin, end, done, latencies);
                  return null;
                }));
      }
      sleepUntil(begin);
      Meter.Usage before = meter.read();
      long doneBefore = done.sum();
      sleepUntil(end);
      Meter.Usage used = meter.read().since(before);
      long count = done.sum() - doneBefore;
      for (Future<?> client : clients) {
        client.get();
      }
      return new Result(count * 1e9 / used.nanos(), latencies.percentiles(), used);
    } catch (ExecutionException e) {
      throw new IllegalStateException("A request of the benchmark failed", e.getCause());
    }
  }

  private void client(
      int port, byte[] head, long begin, long end, LongAdder done, Latencies latencies)
      throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setTcpNoDelay(true);
      OutputStream out = socket.getOutputStream();
      Wire answers = new Wire(socket.getInputStream());
      while (true) {
        byte[] request = request(head);
        long started = System.nanoTime();
        if (started >= end) {
          return;
        }
        out.write(request);
        String status = answers.next();
        long now = System.nanoTime();
        if (status == null || !status.startsWith("HTTP/1.1 200")) {
          throw new IllegalStateException("Answer: " + status);
        }
        done.increment();
        if (started >= begin && now <= end) {
          latencies.add(now - started);
        }
      }
    }
  }

  private byte[] request(byte[] head) {
    int person = ThreadLocalRandom.current().nextInt(people.count());
    byte[] body =
        ("{\"messageId\":\""
                + run
                + "-q"
                + serial.incrementAndGet()
                + "\",\"foedselsnummer\":\""
                + people.number(person)
                + "\",\"question\":\"RETT_TIL_VIDEREGAAENDE\"}")
            .getBytes(StandardCharsets.US_ASCII);
    byte[] length = (body.length + "\r\n\r\n").getBytes(StandardCharsets.US_ASCII);
    byte[] request = new byte[head.length + length.length + body.length];
    System.arraycopy(head, 0, request, 0, head.length);
    System.arraycopy(length, 0, request, head.length, length.length);
    System.arraycopy(body, 0, request, head.length + length.length, body.length);
    return request;
  }

  private static void sleepUntil(long nanoTime) throws InterruptedException {
    long left = nanoTime - System.nanoTime();
    if (left > 0) {
      Thread.sleep(left / 1_000_000, (int) (left % 1_000_000));
    }
  }
}
