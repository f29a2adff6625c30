package no.bindeledd.channel;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JOSEObjectType;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSVerifier;
import com.nimbusds.jose.crypto.ECDSAVerifier;
import com.nimbusds.jose.crypto.RSASSAVerifier;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.net.URI;
import java.net.URISyntaxException;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Date;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import no.bindeledd.channel.TokenCheck.Cause;
import no.bindeledd.channel.TokenCheck.Rejected;
import org.jspecify.annotations.Nullable;

/**
 * Proofs of possession (RFC 9449 § 4.3, § 7): the sender of a key-bound token signs each request
 * with that key, and each proof counts once. Thread-safe.
 *
 * <p>The verifier of oauth2-oidc-sdk reads the system clock and marks a proof as used before it has
 * compared the key, so that anyone could use up a proof's id; hence this one.
 */
final class DpopProofs {
  private static final JOSEObjectType TYPE = new JOSEObjectType("dpop+jwt");
  private static final Set<JWSAlgorithm> ALGORITHMS =
      Set.of(JWSAlgorithm.ES256, JWSAlgorithm.RS256, JWSAlgorithm.PS256);
  private static final Duration LIFE = Duration.ofSeconds(60);
  private static final int LONGEST = 8192;

  private final OnceOnly used;
  private final Duration skew;
  private final InstantSource clock;

  DpopProofs(OnceOnly used, Duration skew, InstantSource clock) {
    this.used = used;
    this.skew = skew;
    this.clock = clock;
  }

  /**
   * Null when the proof is good for the call, the token and the key it is bound to.
   *
   * @param hash SHA-256 of the access token
   * @param thumbprint {@code cnf.jkt} of the access token
   */
  @Nullable Rejected check(
      String proof, MaskinportenTokens.HttpCall call, byte[] hash, String thumbprint) {
    if (proof.length() > LONGEST) {
      return malformed("is too long");
    }
    try {
      return check(SignedJWT.parse(proof), call, Base64URL.encode(hash).toString(), thumbprint);
    } catch (ParseException | RuntimeException e) {
      // Nimbus answers some malformed proofs, such as a header without alg, with runtime
      // exceptions.
      return malformed("is not a signed JWT");
    } catch (JOSEException e) {
      return bad("has a key or signature that cannot be used");
    }
  }

  private @Nullable Rejected check(
      SignedJWT proof, MaskinportenTokens.HttpCall call, String hash, String thumbprint)
      throws ParseException, JOSEException {
    JWK key = proof.getHeader().getJWK();
    if (!TYPE.equals(proof.getHeader().getType()) || key == null || key.isPrivate()) {
      return malformed("needs the type dpop+jwt and a public key in its header");
    }
    if (!ALGORITHMS.contains(proof.getHeader().getAlgorithm())) {
      return bad("must be signed with ES256, PS256 or RS256");
    }
    if (!key.computeThumbprint().toString().equals(thumbprint)) {
      return bad("is signed with another key than the token's cnf.jkt");
    }
    JWSVerifier verifier = verifier(key);
    if (verifier == null || !proof.verify(verifier)) {
      return bad("has a wrong signature");
    }
    JWTClaimsSet claims = proof.getJWTClaimsSet();
    if (!call.method().equals(claims.getStringClaim("htm"))) {
      return malformed("is for another method (htm)");
    }
    String htu = claims.getStringClaim("htu");
    if (htu == null || !Objects.equals(base(htu), base(call.uri().toString()))) {
      return malformed("is for another address (htu)");
    }
    if (!hash.equals(claims.getStringClaim("ath"))) {
      return malformed("is for another token (ath)");
    }
    Date issued = claims.getIssueTime();
    String id = claims.getJWTID();
    if (issued == null || id == null || id.isEmpty()) {
      return malformed("lacks iat or jti");
    }
    Instant now = clock.instant();
    Instant from = issued.toInstant();
    Instant until = from.plus(LIFE).plus(skew);
    if (from.isAfter(now.plus(skew)) || !now.isBefore(until)) {
      return new Rejected(
          Cause.EXPIRED, "The DPoP proof is not of this time (iat): make a new one per request");
    }
    return used.first("dpop " + thumbprint + " " + MaskinportenTokens.digest(id), until)
        ? null
        : new Rejected(
            Cause.REPLAYED, "The DPoP proof was used before (jti): make a new one per request");
  }

  private static @Nullable JWSVerifier verifier(JWK key) throws JOSEException {
    if (key instanceof ECKey ec) {
      return new ECDSAVerifier(ec.toECPublicKey());
    }
    return key instanceof RSAKey rsa ? new RSASSAVerifier(rsa.toRSAPublicKey()) : null;
  }

  /** The address without query and fragment, in one spelling (RFC 3986 § 6.2.2, § 6.2.3). */
  private static @Nullable String base(String address) {
    try {
      URI uri = new URI(address).normalize();
      String scheme = uri.getScheme();
      String host = uri.getHost();
      if (scheme == null || host == null) {
        return null;
      }
      scheme = scheme.toLowerCase(Locale.ROOT);
      int standard = scheme.equals("https") ? 443 : 80;
      int port = uri.getPort() == -1 ? standard : uri.getPort();
      String path = uri.getRawPath();
      return scheme
          + "://"
          + host.toLowerCase(Locale.ROOT)
          + ":"
          + port
          + (path == null || path.isEmpty() ? "/" : path);
    } catch (URISyntaxException e) {
      return null;
    }
  }

  private static Rejected malformed(String what) {
    return new Rejected(Cause.MALFORMED, "The DPoP proof " + what + "; see RFC 9449 section 4.2");
  }

  private static Rejected bad(String what) {
    return new Rejected(
        Cause.BAD_SIGNATURE, "The DPoP proof " + what + "; see RFC 9449 section 4.2");
  }
}
