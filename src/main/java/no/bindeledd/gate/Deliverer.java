package no.bindeledd.gate;

import java.util.List;
import no.bindeledd.exchange.ReasonCode;

/**
 * The way out to one recipient: a running route from {@code gate:<exchange>?to=<recipient>}.
 * Thread-safe.
 */
public interface Deliverer {
  /** How one attempt ended. */
  enum Result {
    /** The recipient has it. */
    DELIVERED,
    /** The recipient will never take it: a dead letter. */
    REJECTED,
    /** It failed, and may go better: counts towards the dead letters. */
    FAILED,
    /** Nobody answers: an outage, which never makes dead letters. */
    UNAVAILABLE
  }

  /** True when many messages go in one call; then they succeed or fail together. */
  boolean batches();

  /** Sends the messages in order. */
  Result deliver(List<Outgoing> messages);

  /**
   * Asks and waits, for a synchronous exchange.
   *
   * @return the answer's body
   * @throws NoAnswerException when there is none to be had
   */
  byte[] ask(Outgoing question) throws NoAnswerException;

  /**
   * The source did not answer, not usefully, or that it has nothing. The message holds nothing from
   * the record.
   */
  final class NoAnswerException extends Exception {
    private static final long serialVersionUID = 1L;

    private final ReasonCode reason;

    public NoAnswerException(String message) {
      this(ReasonCode.SOURCE_UNAVAILABLE, message);
    }

    public NoAnswerException(ReasonCode reason, String message) {
      super(message);
      this.reason = reason;
    }

    public ReasonCode reason() {
      return reason;
    }
  }
}
