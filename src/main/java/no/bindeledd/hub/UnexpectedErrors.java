package no.bindeledd.hub;

import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpStatusCode;
import org.springframework.http.ResponseEntity;
import org.springframework.web.ErrorResponse;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RestControllerAdvice;

/**
 * Every error of the HTTP edge that nobody else answered, as a problem document that repeats
 * nothing of the request: paths and parameters may hold an identity number, and the framework's own
 * answers show them. What went wrong inside is logged by its class and the id that the caller got.
 */
@RestControllerAdvice
final class UnexpectedErrors {
  private static final Logger LOG = LoggerFactory.getLogger(UnexpectedErrors.class);

  @ExceptionHandler(Exception.class)
  ResponseEntity<Object> answer(Exception error) {
    if (error instanceof ErrorResponse known) {
      return Problems.plain(known.getStatusCode(), advice(known.getStatusCode()));
    }
    if (error instanceof org.springframework.http.converter.HttpMessageNotReadableException
        || error instanceof org.springframework.beans.TypeMismatchException) {
      return Problems.plain(HttpStatus.BAD_REQUEST, advice(HttpStatus.BAD_REQUEST));
    }
    UUID id = UUID.randomUUID();
    LOG.error(
        "An HTTP request failed ({}), id {}, at {}",
        error.getClass().getName(),
        id,
        error.getStackTrace().length == 0 ? "unknown" : error.getStackTrace()[0]);
    return Problems.plain(
        HttpStatus.INTERNAL_SERVER_ERROR,
        "Something failed inside the hub. Send again later; if it fails again, tell the hub's"
            + " operators the id "
            + id);
  }

  private static String advice(HttpStatusCode status) {
    return switch (status.value()) {
      case 400 -> "The request cannot be read. Check the address, the parameters and the JSON";
      case 404 -> "There is nothing at this address";
      case 405 -> "The address does not take this method";
      case 415 -> "Send application/json";
      default -> "The request cannot be served";
    };
  }
}
