package no.bindeledd.exchange;

/**
 * The recipient has judged a message and will not take it, however often it is sent: the delivery
 * room dead-letters it at once. Every other exception from a channel means "not now" and is
 * retried. The message is shown to people and written to logs, so a channel puts into it neither a
 * payload, nor a raw address, nor a cause that might hold either.
 */
public final class DeliveryRejected extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public DeliveryRejected(String message) {
    super(message);
  }
}
