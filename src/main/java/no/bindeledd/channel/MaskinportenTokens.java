package no.bindeledd.channel;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Expiry;
import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jwt.JWT;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.JWTParser;
import com.nimbusds.jwt.SignedJWT;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import no.bindeledd.channel.TokenCheck.Accepted;
import no.bindeledd.channel.TokenCheck.Cause;
import no.bindeledd.channel.TokenCheck.Rejected;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * Checks the Maskinporten access token of a request and answers which organisation sends it
 * (contracts.md § 5). Thread-safe; blocks only when the token names a signing key that was never
 * seen, and then for one fetch of the issuer's keys.
 *
 * <p>A token's signature and claims are checked once and remembered under the token's SHA-256 until
 * it expires, at most {@link #REMEMBERED}, so that a sender with many requests costs no RSA
 * operation each. Scope, expiry, proof of possession and single use are checked every time.
 */
public final class MaskinportenTokens {
  /** How far the issuer's and the hub's clocks may differ. */
  static final Duration SKEW = Duration.ofSeconds(10);

  /** The longest that a key withdrawn by the issuer goes on being trusted through the memory. */
  static final Duration REMEMBERED = Duration.ofMinutes(10);

  private static final int LONGEST = 16_384;
  private static final int MOST_REMEMBERED = 50_000;
  private static final int MOST_USED = 1_000_000;
  private static final String AUTHORITY = "iso6523-actorid-upis";
  private static final String ORGANISATION = "0192:";
  private static final Set<String> TYPES = Set.of("JWT", "AT+JWT", "APPLICATION/AT+JWT");

  /**
   * The issuer that is trusted and the audience its tokens must name.
   *
   * @param issuer compared exactly with {@code iss}, such as {@code https://maskinporten.no/}
   * @param metadata its RFC 8414 document
   * @param audience the hub's own name, which senders ask for as {@code resource}
   */
  public record Trust(String issuer, URI metadata, String audience) {
    /** With the metadata at {@code <issuer>/.well-known/oauth-authorization-server}. */
    public static Trust of(String issuer, String audience) {
      String base = issuer.endsWith("/") ? issuer : issuer + "/";
      return new Trust(
          issuer, URI.create(base + ".well-known/oauth-authorization-server"), audience);
    }
  }

  /**
   * What the check needs to know of a request.
   *
   * @param uri the address as the sender sees it, outside any proxy
   * @param authorization the header {@code Authorization}, or null
   * @param dpop every header {@code DPoP}
   */
  public record HttpCall(
      String method, URI uri, @Nullable String authorization, List<String> dpop) {
    public HttpCall {
      dpop = List.copyOf(dpop);
    }

    /** Without the address, which may hold personal data, and without the credentials. */
    @Override
    public String toString() {
      return "HttpCall[" + method + "]";
    }
  }

  /** How often one token may be used. */
  public enum Use {
    UNTIL_IT_EXPIRES,
    /** Each request needs a new token; a token whose {@code jti} was seen is REPLAYED. */
    ONCE
  }

  private record Verified(
      OrganisationNumber consumer,
      Set<String> scopes,
      @Nullable String pid,
      @Nullable OrganisationNumber supplier,
      Instant expires,
      @Nullable String id,
      @Nullable String thumbprint,
      List<AltinnConsent> consents) {}

  /** Ends a check; never leaves this class. */
  private static final class Stop extends Exception {
    private static final long serialVersionUID = 1L;
    private final transient Rejected rejected;

    Stop(Cause cause, String detail) {
      super(detail, null, false, false);
      this.rejected = new Rejected(cause, detail);
    }
  }

  private final Trust trust;
  private final IssuerKeys keys;
  private final OnceOnly used;
  private final DpopProofs proofs;
  private final InstantSource clock;
  private final Cache<String, Verified> remembered;

  /** Remembers used tokens and proofs in this process. */
  public MaskinportenTokens(Trust trust, HttpClient http, InstantSource clock) {
    this(trust, http, clock, OnceOnly.inMemory(clock, MOST_USED));
  }

  public MaskinportenTokens(Trust trust, HttpClient http, InstantSource clock, OnceOnly used) {
    this.trust = trust;
    this.keys = new IssuerKeys(trust.issuer(), trust.metadata(), http, clock);
    this.used = used;
    this.proofs = new DpopProofs(used, SKEW, clock);
    this.clock = clock;
    this.remembered =
        Caffeine.newBuilder()
            .maximumSize(MOST_REMEMBERED)
            .ticker(() -> TimeUnit.MILLISECONDS.toNanos(clock.millis()))
            .expireAfter(Expiry.<String, Verified>creating((key, token) -> memory(token.expires())))
            .build();
  }

  /**
   * Checks the token of a call.
   *
   * @param scope the scope that the exchange asks for; null when it asks for none
   */
  public TokenCheck check(HttpCall call, @Nullable String scope, Use use) {
    try {
      return accept(call, scope, use);
    } catch (Stop stop) {
      return stop.rejected;
    }
  }

  private Accepted accept(HttpCall call, @Nullable String scope, Use use) throws Stop {
    String authorization = call.authorization();
    if (authorization == null || authorization.isBlank()) {
      throw new Stop(Cause.MISSING, "Send an access token from Maskinporten in Authorization");
    }
    int space = authorization.indexOf(' ');
    String scheme = space < 0 ? "" : authorization.substring(0, space).toLowerCase(Locale.ROOT);
    boolean proven = scheme.equals("dpop");
    if (!proven && !scheme.equals("bearer")) {
      throw new Stop(Cause.MALFORMED, "Authorization must be 'Bearer <token>' or 'DPoP <token>'");
    }
    String token = authorization.substring(space + 1).strip();
    requireTokenShape(token);
    byte[] hash = sha256(token);
    Verified verified = verified(token, new String(hash, StandardCharsets.ISO_8859_1));
    if (scope != null && !verified.scopes.contains(scope)) {
      throw new Stop(Cause.MISSING_SCOPE, "The access token lacks the scope " + scope);
    }
    requireProof(call, proven, hash, verified);
    if (use == Use.ONCE) {
      requireFirstUse(verified);
    }
    return new Accepted(
        verified.consumer,
        verified.scopes,
        verified.pid,
        verified.supplier,
        verified.expires,
        verified.consents);
  }

  private static void requireTokenShape(String token) throws Stop {
    if (token.length() > LONGEST) {
      throw new Stop(Cause.MALFORMED, "The access token is longer than " + LONGEST + " characters");
    }
    for (int i = 0; i < token.length(); i++) {
      char c = token.charAt(i);
      boolean base64url =
          (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
      if (!base64url && c != '-' && c != '_' && c != '.') {
        throw new Stop(Cause.MALFORMED, "The access token is not a JWT in compact form");
      }
    }
  }

  private Verified verified(String token, String key) throws Stop {
    Verified known = remembered.getIfPresent(key);
    if (known != null) {
      if (clock.instant().isBefore(known.expires)) {
        return known;
      }
      remembered.invalidate(key);
    }
    Verified fresh = verify(token);
    if (clock.instant().isBefore(fresh.expires)) {
      remembered.put(key, fresh);
    }
    return fresh;
  }

  private Verified verify(String token) throws Stop {
    try {
      JWT parsed = JWTParser.parse(token);
      if (!(parsed instanceof SignedJWT jwt)
          || !JWSAlgorithm.RS256.equals(jwt.getHeader().getAlgorithm())) {
        throw new Stop(Cause.BAD_SIGNATURE, "The access token must be signed with RS256");
      }
      JOSEObjectType type = jwt.getHeader().getType();
      if (type != null && !TYPES.contains(type.getType().toUpperCase(Locale.ROOT))) {
        throw new Stop(Cause.MALFORMED, "The token's type (typ) is not that of an access token");
      }
      JWTClaimsSet claims = jwt.getJWTClaimsSet();
      if (!trust.issuer().equals(claims.getIssuer())) {
        throw new Stop(
            Cause.WRONG_ISSUER, "The access token must be issued by " + trust.issuer() + " (iss)");
      }
      Instant expires = requireTime(claims);
      requireSignature(jwt);
      if (!claims.getAudience().contains(trust.audience())) {
        throw new Stop(
            Cause.WRONG_AUDIENCE,
            "The access token must be for "
                + trust.audience()
                + " (aud): ask for it as resource in the assertion");
      }
      return read(claims, expires);
    } catch (ParseException | RuntimeException e) {
      // Nimbus answers some malformed tokens, such as a header without alg, with runtime
      // exceptions.
      throw new Stop(Cause.MALFORMED, "The access token is not a JWT with the claims expected");
    }
  }

  private Instant requireTime(JWTClaimsSet claims) throws Stop {
    Date expires = claims.getExpirationTime();
    Date issued = claims.getIssueTime();
    if (expires == null || issued == null) {
      throw new Stop(Cause.MALFORMED, "The access token lacks exp or iat");
    }
    Instant now = clock.instant();
    if (!now.isBefore(expires.toInstant().plus(SKEW))) {
      throw new Stop(Cause.EXPIRED, "The access token has expired (exp): fetch a new one");
    }
    Date notBefore = claims.getNotBeforeTime();
    Instant soonest = now.plus(SKEW);
    if (issued.toInstant().isAfter(soonest)
        || (notBefore != null && notBefore.toInstant().isAfter(soonest))) {
      throw new Stop(
          Cause.MALFORMED, "The access token lies in the future (iat, nbf): check the clocks");
    }
    return expires.toInstant();
  }

  private void requireSignature(SignedJWT jwt) throws Stop {
    String id = jwt.getHeader().getKeyID();
    if (id == null) {
      throw new Stop(Cause.BAD_SIGNATURE, "The access token names no key (kid)");
    }
    switch (keys.find(id)) {
      case IssuerKeys.Known known -> {
        try {
          if (jwt.verify(known.verifier())) {
            return;
          }
        } catch (JOSEException e) {
          // Falls through to the same answer: the caller learns nothing about how it failed.
        }
        throw new Stop(Cause.BAD_SIGNATURE, "The access token's signature is wrong");
      }
      case IssuerKeys.Unknown unknown ->
          throw new Stop(Cause.BAD_SIGNATURE, "The issuer has no key with the token's kid");
      case IssuerKeys.Unavailable unavailable ->
          throw new Stop(
              Cause.KEYS_UNAVAILABLE, "The issuer's keys cannot be fetched now: try again later");
    }
  }

  private static Verified read(JWTClaimsSet claims, Instant expires) throws ParseException, Stop {
    OrganisationNumber consumer = organisation(claims.getJSONObjectClaim("consumer"));
    if (consumer == null) {
      throw new Stop(
          Cause.NOT_AN_ORGANISATION,
          "The access token's consumer.ID is not '0192:' and an organisation number");
    }
    Map<String, Object> delegate = claims.getJSONObjectClaim("supplier");
    OrganisationNumber supplier = organisation(delegate);
    if (delegate != null && supplier == null) {
      throw new Stop(
          Cause.NOT_AN_ORGANISATION,
          "The access token's supplier.ID is not '0192:' and an organisation number");
    }
    String scope = claims.getStringClaim("scope");
    Map<String, Object> confirmation = claims.getJSONObjectClaim("cnf");
    String thumbprint = null;
    if (confirmation != null) {
      if (!(confirmation.get("jkt") instanceof String jkt)) {
        throw new Stop(Cause.MALFORMED, "The access token is bound (cnf) in another way than jkt");
      }
      thumbprint = jkt;
    }
    return new Verified(
        consumer,
        scope == null || scope.isBlank()
            ? Set.of()
            : Set.copyOf(List.of(scope.strip().split(" +"))),
        claims.getStringClaim("pid"),
        supplier,
        expires,
        claims.getJWTID(),
        thumbprint,
        consents(claims));
  }

  private static List<AltinnConsent> consents(JWTClaimsSet claims) throws Stop {
    try {
      return AltinnConsent.of(claims.getClaim("authorization_details"));
    } catch (AltinnConsent.MalformedException e) {
      throw new Stop(Cause.MALFORMED, String.valueOf(e.getMessage()));
    }
  }

  private static @Nullable OrganisationNumber organisation(@Nullable Map<String, Object> claim) {
    if (claim == null
        || !AUTHORITY.equals(claim.get("authority"))
        || !(claim.get("ID") instanceof String id)
        || !id.startsWith(ORGANISATION)) {
      return null;
    }
    String number = id.substring(ORGANISATION.length());
    return OrganisationNumber.isValid(number) ? new OrganisationNumber(number) : null;
  }

  private void requireProof(HttpCall call, boolean proven, byte[] hash, Verified token)
      throws Stop {
    if (token.thumbprint == null) {
      if (proven) {
        throw new Stop(
            Cause.MALFORMED, "The access token is not bound to a key: send it as 'Bearer <token>'");
      }
      return;
    }
    if (!proven || call.dpop().isEmpty()) {
      throw new Stop(
          Cause.MISSING,
          "The access token is bound to a key (cnf.jkt): send it as 'DPoP <token>' with a DPoP"
              + " proof");
    }
    if (call.dpop().size() > 1) {
      throw new Stop(Cause.MALFORMED, "Send one DPoP header, not several");
    }
    Rejected rejected = proofs.check(call.dpop().getFirst(), call, hash, token.thumbprint);
    if (rejected != null) {
      throw new Stop(rejected.cause(), rejected.detail());
    }
  }

  private void requireFirstUse(Verified token) throws Stop {
    if (token.id == null || token.id.isEmpty()) {
      throw new Stop(Cause.MALFORMED, "The access token lacks jti, and this exchange needs one");
    }
    if (!used.first("token " + digest(token.id), token.expires.plus(SKEW))) {
      throw new Stop(
          Cause.REPLAYED, "The access token was used before (jti): fetch a new one per request");
    }
  }

  private Duration memory(Instant expires) {
    Duration left = Duration.between(clock.instant(), expires);
    return left.compareTo(REMEMBERED) < 0 ? left : REMEMBERED;
  }

  /** A short name, of fixed length, for an id whose length the sender chooses. */
  static String digest(String text) {
    return HexFormat.of().formatHex(sha256(text));
  }

  private static byte[] sha256(String text) {
    return Sha256.of(text.getBytes(StandardCharsets.UTF_8));
  }
}
