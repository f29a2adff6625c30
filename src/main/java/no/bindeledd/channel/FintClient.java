package no.bindeledd.channel;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
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
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import no.bindeledd.exchange.DeliveryRejected;
import org.jspecify.annotations.Nullable;

/**
 * Writes a resource to a FINT installation (contracts.md § 1): POST, 202 with the address of a
 * status, and polling of that status until the source has taken the resource or refused it.
 * Thread-safe; blocks the calling thread, which should be a virtual one.
 *
 * <p>How an answer is judged:
 *
 * <table>
 * <caption>Answers</caption>
 * <tr><th>Answer</th><th>Meaning</th></tr>
 * <tr><td>status 201, 204</td><td>taken</td></tr>
 * <tr><td>400, 413, 415, 422</td><td>{@link DeliveryRejected}: it would be refused again</td></tr>
 * <tr><td>409</td><td>the source holds a resource with this {@code systemId}. Is it the one that
 * was to be written, an earlier try whose receipt was lost has succeeded: taken. Is it another:
 * {@link DeliveryRejected}. So the resource is read back by {@code systemId} and every field sent
 * is compared; fields and links the source has added do not matter</td></tr>
 * <tr><td>anything else, or none in time</td><td>{@link IOException}: send again later. FINT keeps a
 * status for 30 minutes and writes are by {@code systemId}, so sending again is safe</td></tr>
 * </table>
 *
 * <p>No exception and no log line holds an address below the configured one, a body or a token: an
 * address can carry an identity number.
 */
public final class FintClient {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Set<Integer> REFUSALS = Set.of(400, 413, 415, 422);
  private static final Set<Integer> PASSING = Set.of(429, 502, 503, 504);
  private static final int CONFLICT = 409;

  /**
   * Time limits.
   *
   * @param request for each HTTP request
   * @param settle from the POST until the status must be final
   * @param firstPoll the pause before the first poll; doubled for each further one
   * @param longestPoll the longest pause
   */
  public record Limits(
      Duration request, Duration settle, Duration firstPoll, Duration longestPoll) {
    public static final Limits STANDARD =
        new Limits(
            Duration.ofSeconds(10),
            Duration.ofMinutes(2),
            Duration.ofMillis(50),
            Duration.ofSeconds(5));
  }

  /**
   * Where to write, and as whom.
   *
   * @param resource the class's address, such as {@code https://…/utdanning/ot/otungdom}
   * @param organisation the header {@code x-org-id}, or null
   * @param client the header {@code x-client}, or null
   */
  public record Target(
      URI resource,
      @Nullable String organisation,
      @Nullable String client,
      @Nullable FintCredentials credentials) {}

  /**
   * The source has taken the resource.
   *
   * @param status 201 or 204; 409 when it was there already
   * @param correlation FINT's id of the write (the last part of the status address), for tracing;
   *     empty when FINT gave none
   */
  public record Receipt(int status, String correlation) {}

  private final HttpClient http;
  private final InstantSource clock;
  private final ConcurrentMap<FintCredentials, FintLogin> logins = new ConcurrentHashMap<>();

  public FintClient(HttpClient http, InstantSource clock) {
    this.http = http;
    this.clock = clock;
  }

  /**
   * Writes one resource.
   *
   * @throws DeliveryRejected when it will never be taken
   * @throws IOException when it was not taken now, or it is not known whether it was
   */
  public Receipt write(Target target, Limits limits, byte[] body)
      throws IOException, InterruptedException {
    Instant deadline = clock.instant().plus(limits.settle());
    HttpResponse<byte[]> accepted = send(target, limits, target.resource(), body);
    if (accepted.statusCode() != 202) {
      return judge(target, limits, body, accepted.statusCode(), "");
    }
    URI status = statusAddress(target, accepted);
    String path = status.getPath();
    String correlation = path.substring(path.lastIndexOf('/') + 1);
    return judge(target, limits, body, settle(target, limits, status, deadline), correlation);
  }

  private static URI statusAddress(Target target, HttpResponse<byte[]> accepted)
      throws IOException {
    String location = accepted.headers().firstValue("Location").orElse("");
    URI status = null;
    try {
      status = location.isEmpty() ? null : target.resource().resolve(location);
    } catch (IllegalArgumentException e) {
      // Answered below, without the address.
    }
    if (status == null
        || status.getPath() == null
        || !Objects.equals(status.getScheme(), target.resource().getScheme())
        || !Objects.equals(status.getRawAuthority(), target.resource().getRawAuthority())) {
      throw new IOException("FINT answered 202 without a status address of its own");
    }
    return status;
  }

  /** Polls until the status is final, and answers it. */
  private int settle(Target target, Limits limits, URI status, Instant deadline)
      throws IOException, InterruptedException {
    Duration pause = limits.firstPoll();
    while (clock.instant().plus(pause).isBefore(deadline)) {
      Thread.sleep(pause);
      int code = poll(target, limits, status);
      if (code != 202 && !PASSING.contains(code)) {
        return code;
      }
      Duration twice = pause.multipliedBy(2);
      pause = twice.compareTo(limits.longestPoll()) < 0 ? twice : limits.longestPoll();
    }
    throw new IOException("FINT has not finished the write within " + limits.settle());
  }

  /** A poll that gets no answer is as good as "not yet": the write itself goes on. */
  private int poll(Target target, Limits limits, URI status) throws InterruptedException {
    try {
      return send(target, limits, status, null).statusCode();
    } catch (IOException e) {
      return 202;
    }
  }

  private Receipt judge(Target target, Limits limits, byte[] body, int status, String correlation)
      throws IOException, InterruptedException {
    if (status == 201 || status == 204) {
      return new Receipt(status, correlation);
    }
    if (status == CONFLICT && isThere(target, limits, body)) {
      return new Receipt(CONFLICT, correlation);
    }
    if (status == CONFLICT) {
      throw new DeliveryRejected(
          "FINT refuses the resource with status 409: it holds another one with the same systemId");
    }
    if (REFUSALS.contains(status)) {
      throw new DeliveryRejected(
          "FINT refuses the resource with status "
              + status
              + ": compare the mapping with FINT's information model");
    }
    throw new IOException("FINT did not take the resource: status " + status);
  }

  private boolean isThere(Target target, Limits limits, byte[] body)
      throws IOException, InterruptedException {
    JsonNode sent = json(body);
    String id = sent == null ? "" : sent.at("/systemId/identifikatorverdi").asText("");
    if (sent == null || id.isEmpty()) {
      return false;
    }
    URI address =
        URI.create(
            target.resource()
                + "/systemid/"
                + URLEncoder.encode(id, StandardCharsets.UTF_8).replace("+", "%20"));
    HttpResponse<byte[]> answer = send(target, limits, address, null);
    if (answer.statusCode() == 404) {
      return false;
    }
    JsonNode found = answer.statusCode() == 200 ? json(answer.body()) : null;
    if (found == null) {
      throw new IOException(
          "FINT answered 409, and the resource it holds cannot be read: status "
              + answer.statusCode());
    }
    return covers(found, sent);
  }

  private static @Nullable JsonNode json(byte[] body) throws IOException {
    try {
      return JSON.readTree(body);
    } catch (JsonProcessingException e) {
      return null;
    }
  }

  /** True when everything that was sent stands in what was found. */
  private static boolean covers(JsonNode found, JsonNode sent) {
    if (sent.isObject()) {
      return sent.properties().stream()
          .allMatch(
              field -> {
                JsonNode there = found.path(field.getKey());
                return field.getKey().equals("href")
                    ? isSameLink(there.asText(), field.getValue().asText())
                    : covers(there, field.getValue());
              });
    }
    if (sent.isArray()) {
      return found.isArray()
          && sent.valueStream().allMatch(s -> found.valueStream().anyMatch(f -> covers(f, s)));
    }
    return sent.isNull() ? found.isNull() || found.isMissingNode() : found.equals(sent);
  }

  /** FINT rewrites the front of a link; its field and value, the last two parts, remain. */
  private static boolean isSameLink(String found, String sent) {
    return end(found).equalsIgnoreCase(end(sent));
  }

  private static String end(String link) {
    int value = link.lastIndexOf('/');
    return link.substring(value <= 0 ? 0 : link.lastIndexOf('/', value - 1) + 1);
  }

  /** Sends with a fresh token when the held one is refused. GET when there is no body. */
  private HttpResponse<byte[]> send(
      Target target, Limits limits, URI address, byte @Nullable [] body)
      throws IOException, InterruptedException {
    FintCredentials credentials = target.credentials();
    if (credentials == null) {
      return send(target, limits, address, body, null);
    }
    FintLogin login =
        logins.computeIfAbsent(credentials, c -> new FintLogin(c, http, clock, limits.request()));
    String token = login.token();
    HttpResponse<byte[]> answer = send(target, limits, address, body, token);
    if (answer.statusCode() != 401) {
      return answer;
    }
    login.forget(token);
    return send(target, limits, address, body, login.token());
  }

  private HttpResponse<byte[]> send(
      Target target, Limits limits, URI address, byte @Nullable [] body, @Nullable String token)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address)
            .timeout(limits.request())
            .header("Accept", "application/json");
    if (target.organisation() != null) {
      request.header("x-org-id", target.organisation());
    }
    if (target.client() != null) {
      request.header("x-client", target.client());
    }
    if (token != null) {
      request.header("Authorization", "Bearer " + token);
    }
    if (body != null) {
      request.header("Content-Type", "application/json").POST(BodyPublishers.ofByteArray(body));
    }
    try {
      return http.send(request.build(), BodyHandlers.ofByteArray());
    } catch (IOException e) {
      // The cause stays out: its message is the HTTP client's to choose.
      throw new IOException("FINT does not answer (" + e.getClass().getSimpleName() + ")");
    }
  }
}
