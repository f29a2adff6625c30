package no.bindeledd.hub;

import java.net.URI;
import no.bindeledd.exchange.ReasonCode;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;

/** RFC 9457 problem documents. Never hold anything from a request. */
final class Problems {
  private Problems() {}

  static ResponseEntity<Object> of(HttpStatus status, ReasonCode reason, String detail) {
    ProblemDetail problem = ProblemDetail.forStatusAndDetail(status, detail);
    problem.setType(
        URI.create("urn:bindeledd:" + reason.name().toLowerCase(java.util.Locale.ROOT)));
    problem.setTitle(reason.text().en());
    problem.setProperty("code", reason.name());
    problem.setProperty("nb", reason.text().nb());
    problem.setProperty("en", reason.text().en());
    ResponseEntity.BodyBuilder response =
        ResponseEntity.status(status).contentType(MediaType.APPLICATION_PROBLEM_JSON);
    if (status == HttpStatus.SERVICE_UNAVAILABLE) {
      response.header("Retry-After", "5");
    }
    return response.body(problem);
  }
}
