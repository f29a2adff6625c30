package no.bindeledd.consent;

/**
 * A consent is not at the version the writer saw, or the change cannot be made to it. Nothing was
 * written. The message names no person and may be shown to the writer.
 */
public final class ConsentConflictException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int currentVersion;
  private final boolean stale;

  /** The change cannot be made to this consent at all. */
  ConsentConflictException(String message, int currentVersion) {
    this(message, currentVersion, false);
  }

  ConsentConflictException(String message, int currentVersion, boolean stale) {
    super(message);
    this.currentVersion = currentVersion;
    this.stale = stale;
  }

  /** True when the change was made from another version than the newest. */
  public boolean stale() {
    return stale;
  }

  /** The newest version that is recorded; 0 when the id is unknown. */
  public int currentVersion() {
    return currentVersion;
  }
}
