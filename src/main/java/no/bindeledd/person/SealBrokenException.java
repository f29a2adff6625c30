package no.bindeledd.person;

/** Sealed bytes cannot be opened. Says nothing of what is in them. */
public final class SealBrokenException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  SealBrokenException(Exception cause) {
    super(
        "The sealed bytes cannot be opened: they were changed, belong to another context, or their"
            + " key is no longer in the keyset; restore the row or the keyset from backup",
        cause);
  }
}
