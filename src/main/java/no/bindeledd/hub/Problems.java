package no.bindeledd.hub;

import java.net.URI;
import java.util.Locale;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.exchange.ReasonCode;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;

/**
 * RFC 9457 problem documents. Never hold anything from a request; {@code instance} is set so that
 * Spring does not fill in the request's path.
 */
final class Problems {
  private Problems() {}

  private static final URI NO_INSTANCE = URI.create("about:blank");

  /** A refusal by the rules of the gate. */
  static ResponseEntity<Object> of(HttpStatus status, ReasonCode reason, String detail) {
    ProblemDetail problem = problem(status, detail);
    problem.setType(URI.create("urn:bindeledd:" + reason.name().toLowerCase(Locale.ROOT)));
    problem.setTitle(reason.text().en());
    problem.setProperty("code", reason.name());
    problem.setProperty("nb", reason.text().nb());
    problem.setProperty("en", reason.text().en());
    return response(problem);
  }

  /** A token that was not taken. */
  static ResponseEntity<Object> rejected(TokenCheck.Rejected rejected) {
    return of(
        HttpStatus.valueOf(rejected.cause().status()),
        ReasonCode.UNKNOWN_SENDER,
        rejected.cause() + ": " + rejected.detail());
  }

  /** An error of the HTTP edge itself. */
  static ResponseEntity<Object> plain(HttpStatusCode status, String detail) {
    return response(problem(status, detail));
  }

  private static ProblemDetail problem(HttpStatusCode status, String detail) {
    ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail);
    problem.setInstance(NO_INSTANCE);
    return problem;
  }

  private static ResponseEntity<Object> response(ProblemDetail problem) {
    ResponseEntity.BodyBuilder response =
        ResponseEntity.status(problem.getStatus()).contentType(MediaType.APPLICATION_PROBLEM_JSON);
    if (problem.getStatus() == HttpStatus.SERVICE_UNAVAILABLE.value()) {
      response.header("Retry-After", "5");
    }
    return response.body(problem);
  }
}
