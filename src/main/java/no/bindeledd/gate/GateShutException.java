package no.bindeledd.gate;

/**
 * The audit trail cannot be written, so nothing may pass. Retryable: nothing was recorded, or what
 * was recorded will be recognised when it is sent again.
 */
public final class GateShutException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public GateShutException(Throwable cause) {
    super(
        "The gate is shut: the audit trail cannot be written ("
            + cause.getClass().getSimpleName()
            + "). Nothing was released; send again later",
        cause);
  }
}
