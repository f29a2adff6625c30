package no.bindeledd.channel;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.KeyUse;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.JSONObjectUtils;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The RSA keys an issuer signs with, from the {@code jwks_uri} of its metadata (RFC 8414).
 * Thread-safe.
 *
 * <p>A key that is known is answered at once, whatever the issuer's state: an old set is renewed in
 * the background and is trusted for {@link #TRUSTED} while the issuer does not answer. Only a
 * request with an unknown key waits, together with all others of its kind, for one fetch; fetches
 * are at least {@link #PAUSE} apart ({@link #PAUSE_AFTER_FAILURE} after a failed one), so tokens
 * with invented key ids cannot make the hub flood the issuer.
 *
 * <p>Nimbus's own {@code JWKSourceBuilder} does much of this but takes neither a clock nor the
 * metadata document.
 */
final class IssuerKeys {
  static final Duration FRESH = Duration.ofHours(1);
  static final Duration TRUSTED = Duration.ofHours(24);
  static final Duration PAUSE = Duration.ofSeconds(30);
  static final Duration PAUSE_AFTER_FAILURE = Duration.ofSeconds(5);
  private static final Duration REQUEST = Duration.ofSeconds(3);
  private static final long LARGEST_DOCUMENT = 1 << 20;
  private static final int SMALLEST_KEY = 2048;
  private static final Logger LOG = LoggerFactory.getLogger(IssuerKeys.class);

  /** What is known about a key id. */
  sealed interface Answer {}

  record Known(JWSVerifier verifier) implements Answer {}

  /** The issuer answered lately and has no such key. */
  record Unknown() implements Answer {}

  /** The issuer cannot be asked now. */
  record Unavailable() implements Answer {}

  private record Keys(Map<String, JWSVerifier> byId, Instant fetched) {}

  private record Attempt(Instant at, CompletableFuture<Boolean> succeeded) {}

  private final String issuer;
  private final URI metadata;
  private final HttpClient http;
  private final InstantSource clock;
  private final AtomicReference<@Nullable Attempt> latest = new AtomicReference<>();
  private volatile Keys keys = new Keys(Map.of(), Instant.EPOCH);

  IssuerKeys(String issuer, URI metadata, HttpClient http, InstantSource clock) {
    this.issuer = issuer;
    this.metadata = metadata;
    this.http = http;
    this.clock = clock;
  }

  Answer find(String id) {
    Instant now = clock.instant();
    Keys held = keys;
    JWSVerifier verifier = held.byId.get(id);
    if (verifier != null && now.isBefore(held.fetched.plus(TRUSTED))) {
      if (!now.isBefore(held.fetched.plus(FRESH))) {
        attempt(now);
      }
      return new Known(verifier);
    }
    boolean asked = await(attempt(now));
    JWSVerifier fetched = keys.byId.get(id);
    if (fetched != null && now.isBefore(keys.fetched.plus(TRUSTED))) {
      return new Known(fetched);
    }
    return asked ? new Unknown() : new Unavailable();
  }

  /** Starts a fetch, unless one is under way or ended a short while ago. */
  private CompletableFuture<Boolean> attempt(Instant now) {
    while (true) {
      Attempt last = latest.get();
      if (last != null && !isDue(last, now)) {
        return last.succeeded;
      }
      Attempt next = new Attempt(now, new CompletableFuture<>());
      if (latest.compareAndSet(last, next)) {
        Thread.ofVirtual().name("issuer-keys").start(() -> next.succeeded.complete(fetch()));
        return next.succeeded;
      }
    }
  }

  private static boolean isDue(Attempt last, Instant now) {
    if (!last.succeeded.isDone()) {
      return false;
    }
    Duration pause = last.succeeded.join() ? PAUSE : PAUSE_AFTER_FAILURE;
    return !now.isBefore(last.at.plus(pause));
  }

  private static boolean await(CompletableFuture<Boolean> succeeded) {
    try {
      return succeeded.get(REQUEST.multipliedBy(2).toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException | TimeoutException e) {
      return false;
    }
  }

  private boolean fetch() {
    try {
      Map<String, Object> described = JSONObjectUtils.parse(get(metadata));
      if (!issuer.equals(described.get("issuer"))) {
        throw new IOException("the metadata document names another issuer");
      }
      URI jwks = URI.create(Objects.toString(described.get("jwks_uri"), ""));
      keys = new Keys(verifiers(JWKSet.parse(get(jwks))), clock.instant());
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (IOException | ParseException | JOSEException | RuntimeException e) {
      LOG.warn(
          "The keys of the token issuer {} cannot be fetched from {}: {}. Known keys stay in use;"
              + " check the address and the network",
          issuer,
          metadata,
          e.toString());
      return false;
    }
  }

  private String get(URI uri) throws IOException, InterruptedException {
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(uri)
                .timeout(REQUEST)
                .header("Accept", "application/json")
                .build(),
            BodyHandlers.limiting(BodyHandlers.ofString(), LARGEST_DOCUMENT));
    if (answer.statusCode() != 200) {
      throw new IOException("status " + answer.statusCode());
    }
    return answer.body();
  }

  private static Map<String, JWSVerifier> verifiers(JWKSet set) throws JOSEException {
    Map<String, JWSVerifier> byId = new HashMap<>();
    for (JWK jwk : set.getKeys()) {
      boolean signs = jwk.getKeyUse() == null || KeyUse.SIGNATURE.equals(jwk.getKeyUse());
      if (signs
          && jwk.getKeyID() != null
          && jwk instanceof RSAKey rsa
          && rsa.size() >= SMALLEST_KEY) {
        byId.put(jwk.getKeyID(), new RSASSAVerifier(rsa.toRSAPublicKey()));
      }
    }
    return Map.copyOf(byId);
  }
}
