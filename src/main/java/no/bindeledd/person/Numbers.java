package no.bindeledd.person;

/**
 * Which identity numbers an installation takes: one population or the other, never both, so that a
 * test person cannot reach a real agency nor a real person a demo. Source: contracts.md § 5.
 */
public enum Numbers {
  /** Production. */
  REAL_ONLY,
  /** Demo, test and load. */
  SYNTHETIC_ONLY
}
