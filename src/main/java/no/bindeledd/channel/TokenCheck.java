package no.bindeledd.channel;

import java.time.Instant;
import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.OrganisationNumber;
import org.jspecify.annotations.Nullable;

/** What {@link MaskinportenTokens} found about the access token of one request. */
public sealed interface TokenCheck {
  /**
   * The token is good for the request.
   *
   * @param consumer the organisation that acts: {@code consumer.ID}. Authorise on this
   * @param scopes all scopes of the token
   * @param pid the person the token was issued for, or null. The gate rejects a request whose
   *     subject is someone else
   * @param supplier the organisation that fetched the token on the consumer's behalf; null when the
   *     consumer did so itself
   * @param expires when the token ends, without tolerance
   * @param consents the consents of Altinn 3 that it carries
   */
  record Accepted(
      OrganisationNumber consumer,
      Set<String> scopes,
      @Nullable String pid,
      @Nullable OrganisationNumber supplier,
      Instant expires,
      List<AltinnConsent> consents)
      implements TokenCheck {
    public Accepted {
      scopes = Set.copyOf(scopes);
      consents = List.copyOf(consents);
    }

    /** Without the person's number. */
    @Override
    public String toString() {
      return "Accepted[consumer="
          + consumer
          + ", scopes="
          + scopes
          + ", pid="
          + (pid == null ? "none" : "present")
          + ", supplier="
          + supplier
          + ", expires="
          + expires
          + ", consents="
          + consents.size()
          + "]";
    }
  }

  /**
   * The token is not good for the request.
   *
   * @param detail what is wrong and what to do; never a value from the token, so safe to show
   */
  record Rejected(Cause cause, String detail) implements TokenCheck {}

  /** Why a token was rejected. */
  enum Cause {
    /** No token, or no DPoP proof for a token that is bound to a key. */
    MISSING(401),
    MALFORMED(401),
    EXPIRED(401),
    WRONG_ISSUER(401),
    WRONG_AUDIENCE(401),
    BAD_SIGNATURE(401),
    /** The DPoP proof, or a token that is good for one use, was seen before. */
    REPLAYED(401),
    MISSING_SCOPE(403),
    /** The token was not issued to an organisation. */
    NOT_AN_ORGANISATION(403),
    /** The issuer's keys cannot be had now; the sender may try again. */
    KEYS_UNAVAILABLE(503);

    private final int status;

    Cause(int status) {
      this.status = status;
    }

    /** The HTTP status that fits. */
    public int status() {
      return status;
    }
  }
}
