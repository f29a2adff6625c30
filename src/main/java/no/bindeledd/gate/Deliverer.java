package no.bindeledd.gate;

import java.util.List;

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

  /** The source did not answer, or not usefully. The message holds nothing from the record. */
  final class NoAnswerException extends Exception {
    private static final long serialVersionUID = 1L;

    public NoAnswerException(String message) {
      super(message);
    }
  }
}
