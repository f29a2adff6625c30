package no.bindeledd.consent;

/**
 * A consent is not at the version the writer saw, or the change cannot be made to it. Nothing was
 * written. The message names no person and may be shown to the writer.
 */
public final class ConsentConflictException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int currentVersion;

  ConsentConflictException(String message, int currentVersion) {
    super(message);
    this.currentVersion = currentVersion;
  }

  /** The newest version that is recorded; 0 when the id is unknown. */
  public int currentVersion() {
    return currentVersion;
  }
}
