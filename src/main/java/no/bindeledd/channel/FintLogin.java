package no.bindeledd.channel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Base64;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** One set of credentials and the access token fetched with it. Thread-safe. */
final class FintLogin {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration EARLY = Duration.ofSeconds(30);

  private record Token(String value, Instant expires) {}

  private final FintCredentials credentials;
  private final HttpClient http;
  private final InstantSource clock;
  private final Duration timeout;
  private final ReentrantLock lock = new ReentrantLock();
  private volatile @Nullable Token token;

  FintLogin(FintCredentials credentials, HttpClient http, InstantSource clock, Duration timeout) {
    this.credentials = credentials;
    this.http = http;
    this.clock = clock;
    this.timeout = timeout;
  }

  String token() throws IOException, InterruptedException {
    Token held = token;
    if (held != null && clock.instant().isBefore(held.expires)) {
      return held.value;
    }
    lock.lockInterruptibly();
    try {
      held = token;
      if (held == null || !clock.instant().isBefore(held.expires)) {
        held = fetch();
        token = held;
      }
      return held.value;
    } finally {
      lock.unlock();
    }
  }

  /** The receiver refused the token before its time. */
  void forget(String refused) {
    Token held = token;
    if (held != null && held.value.equals(refused)) {
      token = null;
    }
  }

  private Token fetch() throws IOException, InterruptedException {
    Instant now = clock.instant();
    String basic =
        Base64.getEncoder()
            .encodeToString(
                (credentials.clientId() + ":" + credentials.clientSecret())
                    .getBytes(StandardCharsets.UTF_8));
    HttpResponse<byte[]> answer =
        http.send(
            HttpRequest.newBuilder(credentials.tokenEndpoint())
                .timeout(timeout)
                .header("Authorization", "Basic " + basic)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .POST(
                    BodyPublishers.ofString(
                        "grant_type=password&username="
                            + encoded(credentials.username())
                            + "&password="
                            + encoded(credentials.password())
                            + "&scope="
                            + encoded(credentials.scope())))
                .build(),
            BodyHandlers.ofByteArray());
    if (answer.statusCode() != 200) {
      throw new IOException(
          "FINT gave no access token: status "
              + answer.statusCode()
              + "; check the credentials of client "
              + credentials.clientId());
    }
    JsonNode json = JSON.readTree(answer.body());
    String value = json.path("access_token").asText("");
    if (value.isEmpty()) {
      throw new IOException("FINT's token endpoint answered without access_token");
    }
    Duration life = Duration.ofSeconds(json.path("expires_in").asLong(0));
    return new Token(value, now.plus(life).minus(EARLY));
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
