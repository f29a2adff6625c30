package no.bindeledd.demo;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import no.bindeledd.exchange.OrganisationNumber;
import no.nav.security.mock.oauth2.MockOAuth2Server;
import no.nav.security.mock.oauth2.token.DefaultOAuth2TokenCallback;

/**
 * Stands in for Maskinporten: issues access tokens of its shape (contracts.md § 5) and serves the
 * keys to check them with. The signing key is new at each start. Thread-safe.
 */
public final class TokenIssuer implements AutoCloseable {
  /** The hub's own name, which the tokens are meant for. */
  public static final String AUDIENCE = "https://bindeledd.example/exchanges";

  private static final String ISSUER = "maskinporten";
  private static final Duration LIFE = Duration.ofSeconds(120);
  private static final Duration MARGIN = Duration.ofSeconds(30);

  private final MockOAuth2Server server = new MockOAuth2Server();
  private final Clock clock;
  private final ConcurrentMap<String, Issued> issued = new ConcurrentHashMap<>();

  private record Issued(String token, Instant until) {}

  public TokenIssuer(Clock clock) {
    this.clock = clock;
    server.start(LoopbackPort.LOOPBACK, 0);
  }

  /** The value of {@code iss}; metadata lies below it at {@code .well-known/}. */
  public String issuer() {
    return server.issuerUrl(ISSUER).toString();
  }

  public String keys() {
    return server.jwksUrl(ISSUER).toString();
  }

  /** A token for the hub; the same one until shortly before it expires. */
  public String token(OrganisationNumber consumer, String scope) {
    Instant now = clock.instant();
    return issued
        .compute(
            consumer + " " + scope,
            (key, old) ->
                old != null && now.isBefore(old.until())
                    ? old
                    : new Issued(
                        issue(consumer, scope, AUDIENCE, LIFE), now.plus(LIFE).minus(MARGIN)))
        .token();
  }

  /** A token as wanted, for showing what the hub refuses: another audience, already expired. */
  public String issue(
      OrganisationNumber consumer, String scope, String audience, Duration expiresIn) {
    Map<String, Object> claims =
        Map.of(
            "scope",
            scope,
            "client_id",
            "client-of-" + consumer,
            "client_amr",
            "private_key_jwt",
            "consumer",
            Map.of("authority", "iso6523-actorid-upis", "ID", "0192:" + consumer));
    return server
        .issueToken(
            ISSUER,
            "client-of-" + consumer,
            new DefaultOAuth2TokenCallback(
                ISSUER,
                "client-of-" + consumer,
                "JWT",
                List.of(audience),
                claims,
                expiresIn.toSeconds()))
        .serialize();
  }

  @Override
  public void close() {
    server.shutdown();
  }
}
