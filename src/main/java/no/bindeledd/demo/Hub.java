package no.bindeledd.demo;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Executors;
import no.bindeledd.exchange.OrganisationNumber;

/**
 * The hub as the agencies see it: where it listens, and how a well-behaved sender treats it – what
 * was not taken for a passing reason is sent again, unchanged, a little later. Thread-safe.
 */
public final class Hub implements AutoCloseable {
  private static final Set<Integer> PASSING = Set.of(429, 502, 503, 504);
  private static final Duration REQUEST_LIMIT = Duration.ofSeconds(60);

  private final URI rest;
  private final int mllpPort;
  private final TokenIssuer tokens;
  private final Patience patience;
  private final HttpClient http =
      HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .connectTimeout(Duration.ofSeconds(5))
          .executor(Executors.newVirtualThreadPerTaskExecutor())
          .build();

  /**
   * How long a sender goes on.
   *
   * @param attempts in all
   * @param pause before the second attempt; doubled for each further one up to {@code longest}
   */
  public record Patience(int attempts, Duration pause, Duration longest) {
    /** About half a minute: longer than a hub takes to start again. */
    public static final Patience STANDARD =
        new Patience(20, Duration.ofMillis(100), Duration.ofSeconds(2));

    /** Waits before the attempt after the given one, which counts from 1. */
    void waitAfter(int attempt) throws InterruptedException {
      long millis = pause.toMillis() << Math.min(attempt - 1, 20);
      Thread.sleep(Math.min(millis, longest.toMillis()));
    }
  }

  /**
   * What the hub answered.
   *
   * @param attempts 1 when it answered at once
   * @param nanos the last attempt's time
   */
  public record Reply(int status, byte[] body, int attempts, long nanos) {
    @Override
    public String toString() {
      return "Reply[status=" + status + ", attempts=" + attempts + "]";
    }
  }

  /** A hub whose REST entrance is {@code <rest>/exchanges/<id>}. */
  public Hub(URI rest, int mllpPort, TokenIssuer tokens, Patience patience) {
    this.rest = rest;
    this.mllpPort = mllpPort;
    this.tokens = tokens;
    this.patience = patience;
  }

  int mllpPort() {
    return mllpPort;
  }

  Patience patience() {
    return patience;
  }

  /** Sends JSON to an exchange as the organisation, until the hub has said yes or no. */
  public Reply post(String exchange, OrganisationNumber sender, byte[] json)
      throws InterruptedException {
    return send("POST", "/exchanges/" + exchange, "bindeledd:" + exchange, sender, json);
  }

  /**
   * A named person signs a message that the hub holds for it.
   *
   * @param act the act's id; the same again changes nothing
   * @param json the act, with the ledger entry of the message's receipt
   */
  public Reply sign(UUID act, OrganisationNumber sender, byte[] json) throws InterruptedException {
    return send("PUT", "/api/acts/" + act, "bindeledd:acts", sender, json);
  }

  private Reply send(
      String method, String path, String scope, OrganisationNumber sender, byte[] json)
      throws InterruptedException {
    for (int attempt = 1; ; attempt++) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(rest + path))
              .timeout(REQUEST_LIMIT)
              .header("Content-Type", "application/json")
              .header("Authorization", "Bearer " + tokens.token(sender, scope))
              .method(method, HttpRequest.BodyPublishers.ofByteArray(json))
              .build();
      long from = System.nanoTime();
      boolean last = attempt >= patience.attempts();
      try {
        HttpResponse<byte[]> response = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
        long nanos = System.nanoTime() - from;
        if (last || !PASSING.contains(response.statusCode())) {
          return new Reply(response.statusCode(), response.body(), attempt, nanos);
        }
      } catch (IOException e) {
        if (last) {
          throw new IllegalStateException(
              "The hub did not answer at " + rest + " in " + attempt + " attempts", e);
        }
      }
      patience.waitAfter(attempt);
    }
  }

  @Override
  public void close() {
    http.shutdownNow();
  }
}
