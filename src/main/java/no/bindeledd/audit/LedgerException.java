package no.bindeledd.audit;

/**
 * The ledger refuses: what is stored and what was signed do not agree, another instance wrote to
 * it, or its key or checkpoint file cannot be used. The message says what was expected, what was
 * found and what to do; it never holds entry content.
 */
public final class LedgerException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public LedgerException(String message) {
    super(message);
  }

  public LedgerException(String message, Throwable cause) {
    super(message, cause);
  }
}
