package no.bindeledd.channel;

import static org.assertj.core.api.Assertions.assertThat;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.ECDSASigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.ECKeyGenerator;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import no.bindeledd.channel.MaskinportenTokens.HttpCall;
import no.bindeledd.channel.MaskinportenTokens.Trust;
import no.bindeledd.channel.MaskinportenTokens.Use;
import no.bindeledd.channel.TokenCheck.Accepted;
import no.bindeledd.channel.TokenCheck.Cause;
import no.bindeledd.channel.TokenCheck.Rejected;
import no.bindeledd.exchange.OrganisationNumber;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Against mock-oauth2-server over HTTP. */
class MaskinportenTokensTest {
  private static final String OFFICE = "311040715";
  private static final String AUDIENCE = "https://bindeledd.example";
  private static final String SCOPE = "bindeledd:list-reconciliation";
  private static final URI ADDRESS = URI.create("https://hub.example/exchanges/list?x=1");
  private static final MovableClock ISSUER_CLOCK = new MovableClock();
  private static final HttpClient HTTP = HttpClient.newHttpClient();
  private static final Maskinporten MASKINPORTEN =
      new Maskinporten(ISSUER_CLOCK, Map.of("office-a", OFFICE));

  private final MovableClock clock = new MovableClock();
  private final MaskinportenTokens tokens =
      new MaskinportenTokens(Trust.of(MASKINPORTEN.issuer(), AUDIENCE), HTTP, clock);

  @AfterAll
  static void stop() {
    MASKINPORTEN.close();
    HTTP.close();
  }

  @Test
  void aTokenFetchedWithTheJwtBearerGrantNamesTheOrganisation() throws Exception {
    String token = client().token(SCOPE, AUDIENCE);

    TokenCheck check = tokens.check(bearer(token), SCOPE, Use.UNTIL_IT_EXPIRES);

    assertThat(check).isInstanceOf(Accepted.class);
    Accepted accepted = (Accepted) check;
    assertThat(accepted.consumer()).isEqualTo(new OrganisationNumber(OFFICE));
    assertThat(accepted.scopes()).containsExactly(SCOPE);
    assertThat(accepted.pid()).isNull();
    assertThat(accepted.supplier()).isNull();
  }

  @Test
  void theClientKeepsATokenUntilShortlyBeforeItEnds() throws Exception {
    MaskinportenClient client = client();
    String first = client.token(SCOPE, AUDIENCE);

    assertThat(client.token(SCOPE, AUDIENCE)).isEqualTo(first);
    assertThat(client.token("bindeledd:other", AUDIENCE)).isNotEqualTo(first);
    assertThat(client.newToken(SCOPE, AUDIENCE)).isNotEqualTo(first);
    clock.advance(Duration.ofSeconds(Maskinporten.LIFE - 10));
    assertThat(client.token(SCOPE, AUDIENCE)).isNotEqualTo(first);
  }

  @Test
  void aDelegatedTokenNamesConsumerAndSupplierAndThePerson() throws Exception {
    JWTClaimsSet claims =
        claims()
            .claim("supplier", organisation("0192:311054287"))
            .claim("pid", "17912099997")
            .build();

    Accepted accepted =
        (Accepted) tokens.check(bearer(issued(claims)), SCOPE, Use.UNTIL_IT_EXPIRES);

    assertThat(accepted.consumer().value()).isEqualTo(OFFICE);
    assertThat(accepted.supplier()).isEqualTo(new OrganisationNumber("311054287"));
    assertThat(accepted.pid()).isEqualTo("17912099997");
    assertThat(accepted.toString()).doesNotContain("17912099997");
  }

  static List<Arguments> badTokens() throws Exception {
    RSAKey stranger = new RSAKeyGenerator(2048).keyID(issuerKeyId()).generate();
    String publicKey = MASKINPORTEN.tokens.publicJwkSet(Maskinporten.ISSUER_ID).toString();
    String good = issued(claims().build());
    List<Arguments> all = new ArrayList<>();
    all.add(Arguments.of("nothing", null, Cause.MISSING));
    all.add(Arguments.of("basic authentication", "Basic YTpi", Cause.MALFORMED));
    all.add(Arguments.of("no token", "Bearer ", Cause.MALFORMED));
    all.add(Arguments.of("not a JWT", "Bearer abc", Cause.MALFORMED));
    for (String header :
        List.of("{}", "[]", "null", "{\"alg\":null}", "{\"alg\":7}", "{\"alg\":\"RS256\"}")) {
      String rubbish = Base64URL.encode(header) + "." + Base64URL.encode("null") + ".AAAA";
      all.add(Arguments.of("header " + header, "Bearer " + rubbish, Cause.MALFORMED));
    }
    all.add(Arguments.of("line break", "Bearer a.b\n.c", Cause.MALFORMED));
    all.add(Arguments.of("too long", "Bearer " + "a".repeat(20_000), Cause.MALFORMED));
    all.add(
        Arguments.of(
            "forged with another key",
            "Bearer " + signed(claims().build(), stranger, stranger.getKeyID()),
            Cause.BAD_SIGNATURE));
    all.add(
        Arguments.of(
            "unknown key id",
            "Bearer " + signed(claims().build(), stranger, "invented"),
            Cause.BAD_SIGNATURE));
    all.add(
        Arguments.of(
            "changed payload",
            "Bearer " + withPayload(good, claims().claim("scope", "bindeledd:all").build()),
            Cause.BAD_SIGNATURE));
    all.add(
        Arguments.of(
            "no algorithm",
            "Bearer " + new PlainJWT(claims().build()).serialize(),
            Cause.BAD_SIGNATURE));
    all.add(
        Arguments.of(
            "HS256 with the public key as secret",
            "Bearer " + withMac(claims().build(), publicKey),
            Cause.BAD_SIGNATURE));
    all.add(
        Arguments.of(
            "wrong issuer",
            "Bearer " + issued(claims().issuer("https://elsewhere.example/").build()),
            Cause.WRONG_ISSUER));
    all.add(
        Arguments.of(
            "wrong audience",
            "Bearer " + issued(claims().audience("https://other.example").build()),
            Cause.WRONG_AUDIENCE));
    all.add(
        Arguments.of(
            "no audience",
            "Bearer " + issued(claims().audience((String) null).build()),
            Cause.WRONG_AUDIENCE));
    all.add(
        Arguments.of(
            "expired",
            "Bearer " + issued(claims().expirationTime(in(Duration.ofSeconds(-10))).build()),
            Cause.EXPIRED));
    all.add(
        Arguments.of(
            "issued in the future",
            "Bearer " + issued(claims().issueTime(in(Duration.ofSeconds(30))).build()),
            Cause.MALFORMED));
    all.add(
        Arguments.of(
            "never expires",
            "Bearer " + issued(claims().expirationTime(null).build()),
            Cause.MALFORMED));
    all.add(
        Arguments.of(
            "other scope",
            "Bearer " + issued(claims().claim("scope", "bindeledd:other " + SCOPE + "2").build()),
            Cause.MISSING_SCOPE));
    all.add(
        Arguments.of(
            "no consumer",
            "Bearer " + issued(claims().claim("consumer", null).build()),
            Cause.NOT_AN_ORGANISATION));
    all.add(
        Arguments.of(
            "invalid organisation number",
            "Bearer " + issued(claims().claim("consumer", organisation("0192:123456789")).build()),
            Cause.NOT_AN_ORGANISATION));
    all.add(
        Arguments.of(
            "foreign organisation",
            "Bearer " + issued(claims().claim("consumer", organisation("0007:" + OFFICE)).build()),
            Cause.NOT_AN_ORGANISATION));
    return all;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("badTokens")
  void aBadTokenIsRejectedWithItsCause(String what, @Nullable String authorization, Cause cause) {
    HttpCall call = new HttpCall("POST", ADDRESS, authorization, List.of());

    TokenCheck check = tokens.check(call, SCOPE, Use.UNTIL_IT_EXPIRES);

    assertThat(check).isInstanceOf(Rejected.class);
    Rejected rejected = (Rejected) check;
    assertThat(rejected.cause()).as(what + ": " + rejected.detail()).isEqualTo(cause);
    assertThat(rejected.detail()).isNotBlank();
    if (authorization != null && authorization.length() > 20) {
      assertThat(rejected.detail()).doesNotContain(authorization.substring(10, 20));
    }
  }

  @Test
  void aRememberedTokenIsForgottenWhenItExpires() throws Exception {
    HttpCall call = bearer(client().token(SCOPE, AUDIENCE));
    assertThat(tokens.check(call, SCOPE, Use.UNTIL_IT_EXPIRES)).isInstanceOf(Accepted.class);

    clock.advance(Duration.ofSeconds(Maskinporten.LIFE).plus(MaskinportenTokens.SKEW));

    assertThat(cause(tokens.check(call, SCOPE, Use.UNTIL_IT_EXPIRES))).isEqualTo(Cause.EXPIRED);
  }

  @Test
  void aRememberedTokenStillNeedsTheScopeOfEachExchange() throws Exception {
    HttpCall call = bearer(client().token(SCOPE, AUDIENCE));
    assertThat(tokens.check(call, SCOPE, Use.UNTIL_IT_EXPIRES)).isInstanceOf(Accepted.class);

    assertThat(cause(tokens.check(call, "bindeledd:other", Use.UNTIL_IT_EXPIRES)))
        .isEqualTo(Cause.MISSING_SCOPE);
  }

  @Test
  void aTokenForOneUseIsAcceptedOnceEvenWhenManyTryAtOnce() throws Exception {
    HttpCall call = bearer(client().newToken(SCOPE, AUDIENCE));
    assertThat(cause(tokens.check(call, "bindeledd:other", Use.ONCE)))
        .as("a refused request does not use it up")
        .isEqualTo(Cause.MISSING_SCOPE);

    Callable<TokenCheck> use = () -> tokens.check(call, SCOPE, Use.ONCE);
    List<TokenCheck> checks = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<TokenCheck> done : threads.invokeAll(java.util.Collections.nCopies(20, use))) {
        checks.add(done.get());
      }
    }

    assertThat(checks).filteredOn(c -> c instanceof Accepted).hasSize(1);
    assertThat(checks)
        .filteredOn(c -> c instanceof Rejected)
        .allMatch(c -> cause(c) == Cause.REPLAYED);
    clock.advance(Duration.ofSeconds(Maskinporten.LIFE).plus(MaskinportenTokens.SKEW));
    assertThat(cause(tokens.check(call, SCOPE, Use.ONCE))).isEqualTo(Cause.EXPIRED);
  }

  @Test
  void aTokenWithoutAnIdCannotBeUsedWhereEachCountsOnce() throws Exception {
    HttpCall call = bearer(issued(claims().jwtID(null).build()));

    assertThat(cause(tokens.check(call, SCOPE, Use.ONCE))).isEqualTo(Cause.MALFORMED);
  }

  @Test
  void aBoundTokenNeedsANewProofForEachRequest() throws Exception {
    ECKey key = new ECKeyGenerator(Curve.P_256).generate();
    String token = bound(key);
    String proof = proof(key, token, "POST", "HTTPS://hub.example:443/exchanges/list", now());

    HttpCall call = dpop(token, proof);

    assertThat(tokens.check(call, SCOPE, Use.UNTIL_IT_EXPIRES)).isInstanceOf(Accepted.class);
    assertThat(cause(tokens.check(call, SCOPE, Use.UNTIL_IT_EXPIRES))).isEqualTo(Cause.REPLAYED);
    String next = proof(key, token, "POST", "https://hub.example/exchanges/list", now());
    assertThat(tokens.check(dpop(token, next), SCOPE, Use.UNTIL_IT_EXPIRES))
        .isInstanceOf(Accepted.class);
  }

  @Test
  void aReplayedProofIsStillRefusedAtTheEndOfItsLife() throws Exception {
    ECKey key = new ECKeyGenerator(Curve.P_256).generate();
    String token = bound(key);
    String base = "https://hub.example/exchanges/list";
    HttpCall call = dpop(token, proof(key, token, "POST", base, now().plusSeconds(10)));
    assertThat(tokens.check(call, SCOPE, Use.UNTIL_IT_EXPIRES)).isInstanceOf(Accepted.class);

    clock.advance(Duration.ofSeconds(79));
    assertThat(cause(tokens.check(call, SCOPE, Use.UNTIL_IT_EXPIRES))).isEqualTo(Cause.REPLAYED);
    clock.advance(Duration.ofSeconds(1));
    assertThat(cause(tokens.check(call, SCOPE, Use.UNTIL_IT_EXPIRES))).isEqualTo(Cause.EXPIRED);
  }

  @Test
  void aProofForSomethingElseIsRejected() throws Exception {
    ECKey key = new ECKeyGenerator(Curve.P_256).generate();
    ECKey thief = new ECKeyGenerator(Curve.P_256).generate();
    String token = bound(key);
    String base = "https://hub.example/exchanges/list";
    Instant now = now();
    Map<String, Cause> causeByProof =
        Map.of(
            proof(thief, token, "POST", base, now),
            Cause.BAD_SIGNATURE,
            proof(key, token, "GET", base, now),
            Cause.MALFORMED,
            proof(key, token, "POST", base + "s", now),
            Cause.MALFORMED,
            proof(key, token + "x", "POST", base, now),
            Cause.MALFORMED,
            proof(key, token, "POST", base, now.minusSeconds(70)),
            Cause.EXPIRED,
            proof(key, token, "POST", base, now.plusSeconds(11)),
            Cause.EXPIRED,
            withKey(proof(thief, token, "POST", base, now), key),
            Cause.BAD_SIGNATURE,
            "abc",
            Cause.MALFORMED);

    causeByProof.forEach(
        (proof, cause) -> {
          Rejected rejected =
              (Rejected) tokens.check(dpop(token, proof), SCOPE, Use.UNTIL_IT_EXPIRES);
          assertThat(rejected.cause()).as(rejected.detail()).isEqualTo(cause);
        });
    assertThat(cause(tokens.check(bearer(token), SCOPE, Use.UNTIL_IT_EXPIRES)))
        .as("a stolen bound token without its key")
        .isEqualTo(Cause.MISSING);
    String one = proof(key, token, "POST", base, now);
    HttpCall two = new HttpCall("POST", ADDRESS, "DPoP " + token, List.of(one, one));
    assertThat(cause(tokens.check(two, SCOPE, Use.UNTIL_IT_EXPIRES))).isEqualTo(Cause.MALFORMED);
    assertThat(tokens.check(dpop(token, one), SCOPE, Use.UNTIL_IT_EXPIRES))
        .isInstanceOf(Accepted.class);
  }

  private MaskinportenClient client() {
    return MASKINPORTEN.client("office-a", HTTP, clock);
  }

  private static HttpCall bearer(String token) {
    return new HttpCall("POST", ADDRESS, "Bearer " + token, List.of());
  }

  private static HttpCall dpop(String token, String proof) {
    return new HttpCall("POST", ADDRESS, "DPoP " + token, List.of(proof));
  }

  private static Cause cause(TokenCheck check) {
    return ((Rejected) check).cause();
  }

  private Instant now() {
    return clock.instant();
  }

  private static Date in(Duration time) {
    return Date.from(ISSUER_CLOCK.instant().plus(time));
  }

  private static Map<String, Object> organisation(String id) {
    return Map.of("authority", "iso6523-actorid-upis", "ID", id);
  }

  private static JWTClaimsSet.Builder claims() {
    return new JWTClaimsSet.Builder()
        .issuer(MASKINPORTEN.issuer())
        .audience(AUDIENCE)
        .claim("scope", SCOPE)
        .claim("consumer", organisation("0192:" + OFFICE))
        .issueTime(in(Duration.ZERO))
        .expirationTime(in(Duration.ofSeconds(120)))
        .jwtID(UUID.randomUUID().toString());
  }

  /** Signed with the issuer's real key. */
  private static String issued(JWTClaimsSet claims) throws JOSEException {
    RSAKey key = issuerKey();
    return signed(claims, key, key.getKeyID());
  }

  private static RSAKey issuerKey() {
    return (RSAKey) MASKINPORTEN.keys.signingKey(Maskinporten.ISSUER_ID);
  }

  private static String issuerKeyId() {
    return issuerKey().getKeyID();
  }

  private static String signed(JWTClaimsSet claims, RSAKey key, String id) throws JOSEException {
    SignedJWT jwt =
        new SignedJWT(new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(id).build(), claims);
    jwt.sign(new RSASSASigner(key));
    return jwt.serialize();
  }

  private static String withMac(JWTClaimsSet claims, String secret) throws JOSEException {
    SignedJWT jwt =
        new SignedJWT(
            new JWSHeader.Builder(JWSAlgorithm.HS256).keyID(issuerKeyId()).build(), claims);
    jwt.sign(new MACSigner(secret.getBytes(StandardCharsets.UTF_8)));
    return jwt.serialize();
  }

  private static String withPayload(String token, JWTClaimsSet claims) {
    String[] parts = token.split("\\.");
    return parts[0] + "." + Base64URL.encode(claims.toString()) + "." + parts[2];
  }

  private static String bound(ECKey key) throws JOSEException {
    return issued(claims().claim("cnf", Map.of("jkt", key.computeThumbprint().toString())).build());
  }

  private static String proof(ECKey key, String token, String htm, String htu, Instant at)
      throws Exception {
    byte[] hash =
        MessageDigest.getInstance("SHA-256").digest(token.getBytes(StandardCharsets.US_ASCII));
    JWTClaimsSet claims =
        new JWTClaimsSet.Builder()
            .claim("htm", htm)
            .claim("htu", htu)
            .claim("ath", Base64URL.encode(hash).toString())
            .issueTime(Date.from(at))
            .jwtID(UUID.randomUUID().toString())
            .build();
    return signedProof(key.toPublicJWK(), new ECDSASigner(key), claims);
  }

  /** The thief's signature under the owner's public key. */
  private static String withKey(String proof, ECKey owner) throws Exception {
    String[] parts = proof.split("\\.");
    return proofHeader(owner.toPublicJWK()).toBase64URL() + "." + parts[1] + "." + parts[2];
  }

  private static JWSHeader proofHeader(JWK key) {
    return new JWSHeader.Builder(JWSAlgorithm.ES256)
        .type(new JOSEObjectType("dpop+jwt"))
        .jwk(key)
        .build();
  }

  private static String signedProof(JWK key, JWSSigner signer, JWTClaimsSet claims)
      throws JOSEException {
    SignedJWT jwt = new SignedJWT(proofHeader(key), claims);
    jwt.sign(signer);
    return jwt.serialize();
  }
}
