package no.bindeledd.hub;

import jakarta.servlet.http.HttpServletRequest;
import java.sql.SQLException;
import java.util.Map;
import java.util.Objects;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.delivery.DeadLetters;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.person.SealBrokenException;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code GET /dead-letters?after=0} lists what could not be delivered, without payload or person;
 * {@code POST /dead-letters/<id>/replay} sends one on its way again. Needs the keeper's scope.
 */
@RestController
final class DeadLetterEndpoint {
  private static final int PAGE = 500;

  private final DeadLetters deadLetters;
  private final Callers callers;

  DeadLetterEndpoint(DeadLetters deadLetters, Callers callers) {
    this.deadLetters = deadLetters;
    this.callers = callers;
  }

  @GetMapping("/dead-letters")
  ResponseEntity<Object> list(
      @RequestParam(name = "after", defaultValue = "-1") long after, HttpServletRequest http)
      throws SQLException {
    return callers.check(http, callers.keeperScope()) instanceof TokenCheck.Rejected rejected
        ? Problems.rejected(rejected)
        : ResponseEntity.ok(Map.of("deadLetters", deadLetters.list(after, PAGE)));
  }

  @PostMapping("/dead-letters/{id}/replay")
  ResponseEntity<Object> replay(@PathVariable("id") long id, HttpServletRequest http)
      throws SQLException {
    if (callers.check(http, callers.keeperScope()) instanceof TokenCheck.Rejected rejected) {
      return Problems.rejected(rejected);
    }
    try {
      return deadLetters.replay(id)
          ? ResponseEntity.accepted().build()
          : Problems.plain(HttpStatus.NOT_FOUND, "There is no such dead letter");
    } catch (SealBrokenException e) {
      return Problems.plain(HttpStatus.CONFLICT, Objects.requireNonNull(e.getMessage()));
    } catch (GateShutException e) {
      return Problems.of(
          HttpStatus.SERVICE_UNAVAILABLE,
          ReasonCode.GATE_SHUT,
          "Nothing was sent. Try again later");
    }
  }
}
