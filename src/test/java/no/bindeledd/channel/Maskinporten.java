package no.bindeledd.channel;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.oauth2.sdk.JWTBearerGrant;
import com.nimbusds.oauth2.sdk.TokenRequest;
import java.net.URI;
import java.net.http.HttpClient;
import java.text.ParseException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import no.nav.security.mock.oauth2.MockOAuth2Server;
import no.nav.security.mock.oauth2.OAuth2Config;
import no.nav.security.mock.oauth2.token.KeyProvider;
import no.nav.security.mock.oauth2.token.OAuth2TokenCallback;
import no.nav.security.mock.oauth2.token.OAuth2TokenProvider;

/**
 * mock-oauth2-server, answering the jwt-bearer grant as Maskinporten does: the audience is the
 * assertion's resource, and the consumer is the organisation that the client id belongs to.
 */
final class Maskinporten implements AutoCloseable {
  static final String ISSUER_ID = "maskinporten";
  static final long LIFE = 120;
  final MockOAuth2Server server;
  final KeyProvider keys = new KeyProvider();
  final OAuth2TokenProvider tokens;
  private final RSAKey clientKey;

  Maskinporten(InstantSource clock, Map<String, String> organisationByClient) {
    this.tokens = new OAuth2TokenProvider(keys, clock::instant);
    Callback callback = new Callback(organisationByClient);
    this.server =
        new MockOAuth2Server(new OAuth2Config(false, null, null, false, tokens, Set.of(callback)));
    server.start();
    try {
      this.clientKey = new RSAKeyGenerator(2048).keyID("client-key").generate();
    } catch (JOSEException e) {
      throw new AssertionError(e);
    }
  }

  String issuer() {
    return server.issuerUrl(ISSUER_ID).toString();
  }

  MaskinportenClient client(String clientId, HttpClient http, InstantSource clock) {
    return new MaskinportenClient(
        new MaskinportenClient.Registration(
            URI.create(server.tokenEndpointUrl(ISSUER_ID).toString()),
            issuer(),
            clientId,
            clientKey),
        http,
        clock);
  }

  @Override
  public void close() {
    server.shutdown();
  }

  private record Callback(Map<String, String> organisationByClient) implements OAuth2TokenCallback {
    @Override
    public String issuerId() {
      return ISSUER_ID;
    }

    @Override
    public String subject(TokenRequest request) {
      return "";
    }

    @Override
    public String typeHeader(TokenRequest request) {
      return "JWT";
    }

    @Override
    public List<String> audience(TokenRequest request) {
      Object resource = assertion(request).getClaim("resource");
      return resource == null ? new ArrayList<>() : new ArrayList<>(List.of(resource.toString()));
    }

    @Override
    public Map<String, Object> addClaims(TokenRequest request) {
      String client = assertion(request).getIssuer();
      Map<String, Object> claims = new HashMap<>();
      claims.put("client_id", client);
      claims.put(
          "consumer",
          Map.of(
              "authority",
              "iso6523-actorid-upis",
              "ID",
              "0192:" + Objects.requireNonNull(organisationByClient.get(client))));
      return claims;
    }

    @Override
    public long tokenExpiry() {
      return LIFE;
    }

    private static JWTClaimsSet assertion(TokenRequest request) {
      try {
        return ((JWTBearerGrant) request.getAuthorizationGrant())
            .getJWTAssertion()
            .getJWTClaimsSet();
      } catch (ParseException e) {
        throw new AssertionError(e);
      }
    }
  }
}
