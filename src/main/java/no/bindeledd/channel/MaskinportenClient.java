package no.bindeledd.channel;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.JSONObjectUtils;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Fetches access tokens from Maskinporten with the jwt-bearer grant (contracts.md § 5).
 * Thread-safe: threads that want the same token share one request. A token is kept until shortly
 * before it ends.
 */
public final class MaskinportenClient {
  private static final Duration ASSERTION = Duration.ofSeconds(60);
  private static final Duration EARLY = Duration.ofSeconds(10);
  private static final Duration REQUEST = Duration.ofSeconds(10);
  private static final String GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

  /**
   * An organisation's registration.
   *
   * @param tokenEndpoint such as {@code https://maskinporten.no/token}
   * @param issuer Maskinporten's own issuer, the assertion's {@code aud}
   * @param key the private key; its id is the one registered
   */
  public record Registration(URI tokenEndpoint, String issuer, String clientId, RSAKey key) {
    /** Without the key. */
    @Override
    public String toString() {
      return "Registration[" + tokenEndpoint + ", " + clientId + "]";
    }
  }

  private record Wanted(String scope, @Nullable String resource) {}

  private record Token(String value, Instant expires) {}

  private static final class Held {
    private final ReentrantLock lock = new ReentrantLock();
    private volatile @Nullable Token token;
  }

  private final Registration registration;
  private final HttpClient http;
  private final InstantSource clock;
  private final ConcurrentMap<Wanted, Held> held = new ConcurrentHashMap<>();

  public MaskinportenClient(Registration registration, HttpClient http, InstantSource clock) {
    this.registration = registration;
    this.http = http;
    this.clock = clock;
  }

  /**
   * A token that is valid for some seconds more.
   *
   * @param resource the audience that the receiver demands, or null
   * @throws IOException when Maskinporten does not answer with a token; safe to log
   */
  public String token(String scope, @Nullable String resource)
      throws IOException, InterruptedException {
    Held here = held.computeIfAbsent(new Wanted(scope, resource), wanted -> new Held());
    Token token = here.token;
    if (token != null && isGood(token)) {
      return token.value;
    }
    here.lock.lockInterruptibly();
    try {
      token = here.token;
      if (token == null || !isGood(token)) {
        token = fetch(scope, resource);
        here.token = token;
      }
      return token.value;
    } finally {
      here.lock.unlock();
    }
  }

  /** A token of its own, for a receiver that takes each token once. */
  public String newToken(String scope, @Nullable String resource)
      throws IOException, InterruptedException {
    return fetch(scope, resource).value;
  }

  private boolean isGood(Token token) {
    return clock.instant().isBefore(token.expires.minus(EARLY));
  }

  private Token fetch(String scope, @Nullable String resource)
      throws IOException, InterruptedException {
    Instant now = clock.instant();
    String form =
        "grant_type="
            + URLEncoder.encode(GRANT, StandardCharsets.UTF_8)
            + "&assertion="
            + assertion(scope, resource, now);
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(registration.tokenEndpoint())
                .timeout(REQUEST)
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Accept", "application/json")
                .POST(BodyPublishers.ofString(form))
                .build(),
            BodyHandlers.ofString());
    if (answer.statusCode() != 200) {
      throw new IOException(
          "Maskinporten gave no token for the scope "
              + scope
              + ": status "
              + answer.statusCode()
              + "; check the registration of client "
              + registration.clientId());
    }
    try {
      Map<String, Object> json = JSONObjectUtils.parse(answer.body());
      String value = JSONObjectUtils.getString(json, "access_token");
      if (value == null) {
        throw new IOException("Maskinporten answered without access_token");
      }
      long seconds = json.get("expires_in") instanceof Number n ? n.longValue() : 0;
      return new Token(value, now.plusSeconds(seconds));
    } catch (ParseException e) {
      throw new IOException("Maskinporten answered with something else than a token");
    }
  }

  private String assertion(String scope, @Nullable String resource, Instant now)
      throws IOException {
    JWTClaimsSet.Builder claims =
        new JWTClaimsSet.Builder()
            .audience(registration.issuer())
            .issuer(registration.clientId())
            .claim("scope", scope)
            .issueTime(Date.from(now))
            .expirationTime(Date.from(now.plus(ASSERTION)))
            .jwtID(UUID.randomUUID().toString());
    if (resource != null) {
      claims.claim("resource", resource);
    }
    SignedJWT jwt =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.RS256)
                .type(JOSEObjectType.JWT)
                .keyID(registration.key().getKeyID())
                .build(),
            claims.build());
    try {
      jwt.sign(new RSASSASigner(registration.key()));
    } catch (JOSEException e) {
      throw new IOException("The assertion cannot be signed: check the key of the registration", e);
    }
    return jwt.serialize();
  }
}
