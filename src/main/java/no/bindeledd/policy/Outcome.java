package no.bindeledd.policy;

/** The final state of a message; each message has exactly one. */
public enum Outcome {
  RELEASED,
  REDUCED,
  DEIDENTIFIED,
  HELD,
  REFUSED;

  /** True when something leaves. */
  public boolean leaves() {
    return this == RELEASED || this == REDUCED || this == DEIDENTIFIED;
  }
}
