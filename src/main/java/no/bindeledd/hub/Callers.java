package no.bindeledd.hub;

import jakarta.servlet.http.HttpServletRequest;
import java.net.URI;
import java.util.Collections;
import java.util.Optional;
import no.bindeledd.channel.MaskinportenTokens;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.channel.TokenCheck.Cause;
import no.bindeledd.channel.TokenCheck.Rejected;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Pseudonymizer;
import org.jspecify.annotations.Nullable;

/** Who calls over HTTP: reads and checks the token of a request. Thread-safe. */
public final class Callers {
  private final @Nullable MaskinportenTokens tokens;
  private final Pseudonymizer pseudonymizer;
  private final Numbers accept;

  private final String keeperScope;

  public Callers(
      @Nullable MaskinportenTokens tokens,
      Pseudonymizer pseudonymizer,
      Numbers accept,
      String keeperScope) {
    this.keeperScope = keeperScope;
    this.tokens = tokens;
    this.pseudonymizer = pseudonymizer;
    this.accept = accept;
  }

  /** The scope of those who keep consents, protection and dead letters. */
  String keeperScope() {
    return keeperScope;
  }

  TokenCheck check(HttpServletRequest request, @Nullable String scope) {
    if (tokens == null) {
      return new Rejected(
          Cause.KEYS_UNAVAILABLE, "No token issuer is configured: set bindeledd.tokens.issuer");
    }
    return tokens.check(
        new MaskinportenTokens.HttpCall(
            request.getMethod(),
            URI.create(request.getRequestURL().toString()),
            request.getHeader("Authorization"),
            Collections.list(request.getHeaders("DPoP"))),
        scope,
        MaskinportenTokens.Use.UNTIL_IT_EXPIRES);
  }

  /** The person a token was issued for; empty when its number is not one we accept. */
  Optional<Pseudonym> person(String pid) {
    return NationalId.parse(pid, accept) instanceof NationalId number
        ? Optional.of(pseudonymizer.pseudonym(number))
        : Optional.empty();
  }
}
