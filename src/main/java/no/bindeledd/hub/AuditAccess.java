package no.bindeledd.hub;

import jakarta.servlet.http.HttpServletRequest;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.regex.Pattern;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.Journal;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.reading.Place;
import no.bindeledd.reading.ReadRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;

/**
 * Who may read the audit trail over HTTP, and the record that they did. Each way of reading has a
 * scope of its own, so that a role gets no more than it needs. Nothing is given out before the
 * reading is in the ledger. Thread-safe.
 */
@Component
final class AuditAccess {
  private static final Pattern TRACEPARENT = Pattern.compile("[0-9a-f-]{55}");

  private final Callers callers;
  private final String scope;
  private final Journal journal;
  private final InstantSource clock;

  AuditAccess(Callers callers, HubSettings settings, Journal journal, InstantSource clock) {
    HubSettings.Tokens tokens = settings.tokens();
    this.callers = callers;
    this.scope = tokens == null ? HubSettings.AUDIT_SCOPE : tokens.auditScope();
    this.journal = journal;
    this.clock = clock;
  }

  /** What a caller may read: the end of a scope's name. */
  enum Right {
    /** Entries without subjects. */
    READ("read"),
    /** Entries with subjects, and about one subject. */
    SUBJECTS("subjects"),
    /** The report to the person concerned. */
    REPORT("report"),
    /** Exports and statistics for supervision. */
    SUPERVISION("supervision"),
    /** Destroying what links entries to a person. */
    SHRED("shred");

    private final String end;

    Right(String end) {
      this.end = end;
    }
  }

  /** An act of reading by a caller who may. */
  interface Act {
    ResponseEntity<Object> by(Reader reader) throws SQLException;
  }

  /** Who reads, in one request. */
  final class Reader {
    private final TokenCheck.Accepted token;
    private final @Nullable String trace;

    private Reader(TokenCheck.Accepted token, @Nullable String trace) {
      this.token = token;
      this.trace = trace;
    }

    boolean may(Right right) {
      return token.scopes().contains(scope(right));
    }

    String organisation() {
      return token.consumer().value();
    }

    Instant now() {
      return clock.instant();
    }

    /** Returns when the reading is durably in the ledger. */
    void record(ReadRecord.Kind kind, @Nullable Pseudonym subject, String asked, long rows) {
      String by = token.supplier() == null ? "" : "; through " + token.supplier().value();
      journal
          .enter(
              List.of(
                  ReadRecord.of(
                      clock.instant(), kind, organisation(), subject, trace, asked + by, rows)))
          .join();
    }
  }

  /** Lets the caller do it who has this right. */
  ResponseEntity<Object> as(Right right, HttpServletRequest http, Act act) {
    switch (callers.check(http, scope(right))) {
      case TokenCheck.Rejected rejected -> {
        return Problems.rejected(rejected);
      }
      case TokenCheck.Accepted token -> {
        return answer(act, new Reader(token, trace(http)));
      }
    }
  }

  private static ResponseEntity<Object> answer(Act act, Reader reader) {
    try {
      return act.by(reader);
    } catch (IllegalArgumentException e) {
      return Problems.plain(HttpStatus.BAD_REQUEST, String.valueOf(e.getMessage()));
    } catch (LedgerException e) {
      return Problems.plain(HttpStatus.CONFLICT, String.valueOf(e.getMessage()));
    } catch (SQLException | CompletionException | GateShutException e) {
      return Problems.of(
          HttpStatus.SERVICE_UNAVAILABLE,
          ReasonCode.GATE_SHUT,
          "The audit trail cannot be read and the reading recorded now. Try again later");
    }
  }

  /** The person with this number; empty when it is none that is accepted here. */
  Optional<Pseudonym> person(@Nullable String number) {
    return number == null ? Optional.empty() : callers.person(number);
  }

  /**
   * @throws IllegalArgumentException when the address has another parameter than these: what the
   *     hub does not understand, it does not answer as if it did
   */
  static void requireOnly(Map<String, ?> parameters, Set<String> known) {
    if (!known.containsAll(parameters.keySet())) {
      throw new IllegalArgumentException(
          "The parameters are " + String.join(", ", known.stream().sorted().toList()));
    }
  }

  static @Nullable Instant instant(@Nullable String text, String name) {
    try {
      return text == null ? null : Instant.parse(text);
    } catch (DateTimeParseException e) {
      throw new IllegalArgumentException(name + " is a time such as 2026-09-01T00:00:00Z");
    }
  }

  static @Nullable Long whole(@Nullable String text, String name) {
    try {
      return text == null ? null : Long.valueOf(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(name + " is a whole number");
    }
  }

  static @Nullable Place place(@Nullable String text, String name) {
    try {
      return text == null ? null : Place.parse(text);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + " is as the page before this one gave it", e);
    }
  }

  private String scope(Right right) {
    return scope + "." + right.end;
  }

  private static @Nullable String trace(HttpServletRequest http) {
    String trace = http.getHeader("traceparent");
    return trace != null && TRACEPARENT.matcher(trace).matches() ? trace : null;
  }
}
