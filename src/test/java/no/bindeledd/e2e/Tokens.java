package no.bindeledd.e2e;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import no.bindeledd.exchange.OrganisationNumber;
import no.nav.security.mock.oauth2.MockOAuth2Server;
import no.nav.security.mock.oauth2.token.DefaultOAuth2TokenCallback;

/** A Maskinporten-shaped issuer that also issues what the hub must refuse. */
final class Tokens implements AutoCloseable {
  static final String AUDIENCE = "https://bindeledd.example/exchanges";
  private static final String ISSUER = "maskinporten";

  private final MockOAuth2Server server = new MockOAuth2Server();

  Tokens() {
    server.start(InetAddress.getLoopbackAddress(), 0);
  }

  String issuer() {
    return server.issuerUrl(ISSUER).toString();
  }

  /** What a token says; each {@code with} changes one thing. */
  record Wanted(
      String issuer,
      OrganisationNumber consumer,
      String scope,
      String audience,
      Duration life,
      Map<String, Object> more) {
    Wanted withIssuer(String other) {
      return new Wanted(other, consumer, scope, audience, life, more);
    }

    Wanted withAudience(String other) {
      return new Wanted(issuer, consumer, scope, other, life, more);
    }

    Wanted withLife(Duration other) {
      return new Wanted(issuer, consumer, scope, audience, other, more);
    }

    Wanted with(String claim, Object value) {
      Map<String, Object> both = new HashMap<>(more);
      both.put(claim, value);
      return new Wanted(issuer, consumer, scope, audience, life, both);
    }
  }

  static Wanted of(OrganisationNumber consumer, String scope) {
    return new Wanted(ISSUER, consumer, scope, AUDIENCE, Duration.ofSeconds(120), Map.of());
  }

  String issue(Wanted wanted) {
    Map<String, Object> claims = new HashMap<>(wanted.more());
    claims.put("scope", wanted.scope());
    claims.put("client_id", "client-of-" + wanted.consumer());
    claims.put(
        "consumer", Map.of("authority", "iso6523-actorid-upis", "ID", "0192:" + wanted.consumer()));
    return server
        .issueToken(
            wanted.issuer(),
            "client",
            new DefaultOAuth2TokenCallback(
                wanted.issuer(),
                "client",
                "JWT",
                List.of(wanted.audience()),
                claims,
                wanted.life().toSeconds()))
        .serialize();
  }

  /** A DPoP proof (RFC 9449) for one POST to the address with the token. */
  static String proof(ECKey key, String token, String address) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII));
      SignedJWT proof =
          new SignedJWT(
              new JWSHeader.Builder(JWSAlgorithm.ES256)
                  .type(new JOSEObjectType("dpop+jwt"))
                  .jwk(key.toPublicJWK())
                  .build(),
              new JWTClaimsSet.Builder()
                  .claim("htm", "POST")
                  .claim("htu", address)
                  .claim("ath", Base64URL.encode(hash).toString())
                  .issueTime(new Date())
                  .jwtID(UUID.randomUUID().toString())
                  .build());
      proof.sign(new ECDSASigner(key));
      return proof.serialize();
    } catch (JOSEException | GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  @Override
  public void close() {
    server.shutdown();
  }
}
