package no.bindeledd.audit;

/** Told now and then how far a verification has come, on the thread that verifies. */
@FunctionalInterface
public interface ProgressListener {
  ProgressListener NONE = (done, total) -> {};

  /**
   * @param done entries checked
   * @param total entries that the signed head promises
   */
  void progress(long done, long total);
}
