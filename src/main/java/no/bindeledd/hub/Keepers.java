package no.bindeledd.hub;

import jakarta.servlet.http.HttpServletRequest;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletionException;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.consent.ConsentConflictException;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;

/** Those who keep consents and person protection: lets them in, and says what they did. */
final class Keepers {
  private final Callers callers;
  private final InstantSource clock;

  Keepers(Callers callers, InstantSource clock) {
    this.callers = callers;
    this.clock = clock;
  }

  /** What a keeper asks for. */
  interface Act {
    ResponseEntity<Object> by(OrganisationNumber keeper);
  }

  /** The number that is spoken of is not a person's, or not one that is accepted here. */
  static final class InvalidNumberException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    InvalidNumberException(String field) {
      super(field + " is not an identity number that is accepted here");
    }
  }

  /** The request does not say which version it was made from. */
  static final class NoVersionException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NoVersionException() {
      super(
          "The version is missing; send If-None-Match: * with what is new, and If-Match with the"
              + " ETag of what you change");
    }
  }

  /** The person behind a number in a request. */
  Pseudonym person(String number, String field) {
    return callers.person(number).orElseThrow(() -> new InvalidNumberException(field));
  }

  /** Does it when the token has the keeper's scope; answers with a problem document when not. */
  ResponseEntity<Object> let(HttpServletRequest http, Act act) {
    return switch (callers.check(http, callers.keeperScope())) {
      case TokenCheck.Rejected rejected -> Problems.rejected(rejected);
      case TokenCheck.Accepted token -> act(act, token.consumer());
    };
  }

  private static ResponseEntity<Object> act(Act act, OrganisationNumber keeper) {
    try {
      return act.by(keeper);
    } catch (CompletionException | GateShutException | ConsentConflictException e) {
      return problem(e instanceof CompletionException ? e.getCause() : e);
    } catch (NoVersionException e) {
      return Problems.plain(HttpStatus.PRECONDITION_REQUIRED, String.valueOf(e.getMessage()));
    } catch (InvalidNumberException e) {
      return Problems.of(
          HttpStatus.UNPROCESSABLE_ENTITY,
          ReasonCode.INVALID_IDENTITY_NUMBER,
          String.valueOf(e.getMessage()));
    } catch (IllegalArgumentException e) {
      return Problems.of(
          HttpStatus.UNPROCESSABLE_ENTITY,
          ReasonCode.SCHEMA_VIOLATION,
          String.valueOf(e.getMessage()));
    }
  }

  private static ResponseEntity<Object> problem(@Nullable Throwable cause) {
    if (cause instanceof ConsentConflictException conflict) {
      String detail = String.valueOf(conflict.getMessage());
      return conflict.stale()
          ? Problems.plain(HttpStatus.PRECONDITION_FAILED, detail)
          : Problems.of(HttpStatus.CONFLICT, ReasonCode.MESSAGE_ID_REUSED, detail);
    }
    if (cause instanceof IllegalArgumentException) {
      return Problems.of(
          HttpStatus.UNPROCESSABLE_ENTITY,
          ReasonCode.SCHEMA_VIOLATION,
          String.valueOf(cause.getMessage()));
    }
    return Problems.of(
        HttpStatus.SERVICE_UNAVAILABLE,
        ReasonCode.GATE_SHUT,
        "Nothing was recorded. Send the same request again later");
  }

  /** The version that an {@code If-Match} names; 0 for {@code If-None-Match: *}. */
  static int expectedVersion(@Nullable String ifMatch, @Nullable String ifNoneMatch) {
    if (ifMatch == null) {
      if ("*".equals(ifNoneMatch)) {
        return 0;
      }
      throw new NoVersionException();
    }
    String tag = ifMatch.startsWith("W/") ? ifMatch.substring(2) : ifMatch;
    if (!tag.matches("\"[1-9][0-9]{0,8}\"")) {
      throw new IllegalArgumentException("If-Match is no ETag from here; send it as it was given");
    }
    return Integer.parseInt(tag.substring(1, tag.length() - 1));
  }

  /** What the ledger says of a keeper's act. */
  AuditEntry entry(
      Station station,
      String about,
      OrganisationNumber keeper,
      Pseudonym subject,
      String outcome,
      List<String> consents) {
    return AuditEntry.plain(
            clock.instant(),
            station,
            about,
            keeper.value(),
            null,
            subject,
            null,
            null,
            outcome,
            outcome,
            null)
        .withConsents(consents);
  }
}
