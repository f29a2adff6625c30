package no.bindeledd.hub;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.LockSupport;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.Answer;
import no.bindeledd.gate.Caller;
import no.bindeledd.gate.Gate;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code POST /exchanges/<id>}: where agencies push records and ask questions. The sender is the
 * organisation of the token ({@code consumer.ID}); the payload has no say in it.
 *
 * <p>202: recorded (released or held), with an answer for each record. 200: the answer to a
 * synchronous question. 4xx: refused, do not repeat unchanged; 404 is also what is told when the
 * reason is about the person and the sender may not know it. 503: the gate is shut, send again.
 */
@RestController
final class ExchangeEndpoint {
  /** Longer than a source normally takes to answer. */
  private static final Duration TICK = Duration.ofMillis(250);

  private final Gate gate;
  private final Callers callers;
  private final AltinnConsents altinn;
  private final HubSettings settings;

  ExchangeEndpoint(Gate gate, Callers callers, AltinnConsents altinn, HubSettings settings) {
    this.gate = gate;
    this.callers = callers;
    this.altinn = altinn;
    this.settings = settings;
  }

  @PostMapping("/exchanges/{id}")
  ResponseEntity<Object> post(@PathVariable("id") String id, HttpServletRequest request)
      throws IOException {
    try {
      return take(id, request);
    } catch (GateShutException e) {
      return Problems.of(
          HttpStatus.SERVICE_UNAVAILABLE,
          ReasonCode.GATE_SHUT,
          "Nothing was recorded. Send the same message again later");
    }
  }

  private ResponseEntity<Object> take(String id, HttpServletRequest request) throws IOException {
    long started = System.nanoTime();
    String trace = request.getHeader("traceparent");
    Optional<LiveExchange> found = gate.catalogue().current().exchange(id);
    LiveExchange exchange = found.orElse(null);
    // The scope is asked for once it is known which sender this is.
    TokenCheck check = callers.check(request, null);
    if (check instanceof TokenCheck.Rejected rejected) {
      if (rejected.cause() != TokenCheck.Cause.KEYS_UNAVAILABLE) {
        gate.turnAway(
            exchange, null, ReasonCode.UNKNOWN_SENDER, "Token " + rejected.cause(), trace);
      }
      return Problems.rejected(rejected);
    }
    TokenCheck.Accepted token = (TokenCheck.Accepted) check;
    Optional<Contract.Sender> sender =
        found.flatMap(
            live ->
                live.contract().from().stream()
                    .filter(from -> from.authentication() == Contract.Authentication.MASKINPORTEN)
                    .filter(from -> from.organisations().contains(token.consumer()))
                    .findFirst());
    if (exchange == null || sender.isEmpty()) {
      // The two look alike: who may not send does not learn which exchanges there are.
      ReasonCode reason =
          exchange == null ? ReasonCode.UNKNOWN_EXCHANGE : ReasonCode.UNKNOWN_SENDER;
      gate.turnAway(exchange, token.consumer(), reason, "No such exchange for this sender", trace);
      return Problems.of(
          HttpStatus.NOT_FOUND,
          ReasonCode.UNKNOWN_EXCHANGE,
          "There is no such exchange for this organisation. Check the address and the agreement");
    }
    String scope = sender.get().scope();
    if (scope != null && !token.scopes().contains(scope)) {
      gate.turnAway(
          exchange, token.consumer(), ReasonCode.UNKNOWN_SENDER, "Token MISSING_SCOPE", trace);
      return Problems.rejected(
          new TokenCheck.Rejected(
              TokenCheck.Cause.MISSING_SCOPE, "the token lacks the scope " + scope));
    }
    Pseudonym onlyAbout = null;
    if (token.pid() != null) {
      Optional<Pseudonym> person = callers.person(token.pid());
      if (person.isEmpty()) {
        gate.turnAway(
            exchange, token.consumer(), ReasonCode.INVALID_IDENTITY_NUMBER, "Token pid", trace);
        return Problems.of(
            HttpStatus.FORBIDDEN,
            ReasonCode.INVALID_IDENTITY_NUMBER,
            "The token's pid is not a number that is accepted here");
      }
      onlyAbout = person.get();
    }
    try {
      Pseudonym consenting = altinn.use(token);
      // A token with somebody's consent is for requests about that person.
      onlyAbout = consenting == null ? onlyAbout : consenting;
    } catch (AltinnConsents.RefusedException e) {
      String detail = String.valueOf(e.getMessage());
      gate.turnAway(exchange, token.consumer(), e.reason(), detail, trace);
      return Problems.of(HttpStatus.FORBIDDEN, e.reason(), detail);
    } catch (CompletionException e) {
      throw e.getCause() instanceof GateShutException shut ? shut : e;
    }
    Caller caller = new Caller(sender.get(), token.consumer(), onlyAbout);
    int most = Math.toIntExact(settings.largestMessage().toBytes());
    byte[] body = request.getInputStream().readNBytes(most + 1);
    if (body.length > most) {
      gate.turnAway(
          exchange,
          token.consumer(),
          ReasonCode.TOO_LARGE,
          "Larger than " + most + " bytes",
          trace);
      return Problems.of(
          HttpStatus.PAYLOAD_TOO_LARGE,
          ReasonCode.TOO_LARGE,
          "The body is larger than " + most + " bytes. Split it");
    }
    Gate.Arrival arrival =
        new Gate.Arrival(
            new InputFormat.Raw(body, null, request.getHeader("Idempotency-Key")), trace);
    return exchange.contract().mode() == Contract.Mode.SYNCHRONOUS
        ? inTime(started, reply(gate.ask(exchange, caller, arrival)))
        : receipt(gate.receive(exchange, caller, List.of(arrival)));
  }

  private static ResponseEntity<Object> reply(Gate.Reply reply) {
    byte[] body = reply.body();
    if (body != null) {
      return ResponseEntity.ok()
          .contentType(MediaType.APPLICATION_JSON)
          .header("Bindeledd-Outcome", reply.answer().outcome().name())
          .header("Bindeledd-Entry", Long.toString(reply.answer().entry()))
          .body(body);
    }
    return refusal(reply.answer());
  }

  /**
   * Waits before a not-found is told, so that the time it took says nothing: what was stopped here
   * is answered sooner than what the source did not have.
   */
  private static ResponseEntity<Object> inTime(long started, ResponseEntity<Object> reply) {
    if (reply.getStatusCode() == HttpStatus.NOT_FOUND) {
      LockSupport.parkNanos(toNextTick(System.nanoTime() - started));
    }
    return reply;
  }

  /** Nanoseconds until the time that has gone is a whole number of ticks. */
  static long toNextTick(long gone) {
    return TICK.toNanos() - gone % TICK.toNanos();
  }

  private static ResponseEntity<Object> receipt(List<Answer> answers) {
    if (isOneRefusal(answers)) {
      return refusal(answers.getFirst());
    }
    return ResponseEntity.status(HttpStatus.ACCEPTED)
        .contentType(MediaType.APPLICATION_JSON)
        .body(Map.of("answers", answers.stream().map(Receipt::of).toList()));
  }

  /** One record, and no recipient gets it. */
  private static boolean isOneRefusal(List<Answer> answers) {
    return !answers.isEmpty()
        && answers.stream().allMatch(answer -> answer.outcome() == Outcome.REFUSED)
        && answers.stream().map(Answer::place).distinct().count() == 1;
  }

  static ResponseEntity<Object> refusal(Answer answer) {
    String detail = answer.detail() == null ? answer.reason().text().en() : answer.detail();
    return Problems.of(
        status(answer.reason()),
        answer.reason(),
        detail + " (ledger entry " + answer.entry() + ")");
  }

  private static HttpStatus status(ReasonCode reason) {
    return switch (reason) {
      case MALFORMED, WRONG_CHARSET -> HttpStatus.BAD_REQUEST;
      case SCHEMA_VIOLATION,
          UNKNOWN_CODE,
          INVALID_IDENTITY_NUMBER,
          SYNTHETIC_IDENTITY_NUMBER,
          FICTITIOUS_IDENTITY_NUMBER,
          UNKNOWN_RECIPIENT ->
          HttpStatus.UNPROCESSABLE_ENTITY;
      case NOT_FOUND -> HttpStatus.NOT_FOUND;
      case MESSAGE_ID_REUSED, ALREADY_HELD -> HttpStatus.CONFLICT;
      case TOO_LARGE -> HttpStatus.PAYLOAD_TOO_LARGE;
      case INVALID_ANSWER -> HttpStatus.BAD_GATEWAY;
      case SOURCE_UNAVAILABLE, GATE_SHUT -> HttpStatus.SERVICE_UNAVAILABLE;
      default -> HttpStatus.FORBIDDEN;
    };
  }

  /** What a sender reads about one record. */
  record Receipt(
      String place,
      @Nullable String recipient,
      Outcome outcome,
      ReasonCode reason,
      String nb,
      String en,
      @Nullable String detail,
      long ledgerEntry,
      boolean repeated) {
    static Receipt of(Answer answer) {
      return new Receipt(
          answer.place().toString(),
          answer.recipient(),
          answer.outcome(),
          answer.reason(),
          answer.reason().text().nb(),
          answer.reason().text().en(),
          answer.detail(),
          answer.entry(),
          answer.repeated());
    }
  }
}
