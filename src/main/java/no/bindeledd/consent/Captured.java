package no.bindeledd.consent;

/** How a version of a consent or block reached the registry. A code, so that nothing else can. */
public enum Captured {
  /** The person's own portal. */
  PORTAL,
  /** Signed electronically. */
  ELECTRONIC_SIGNATURE,
  /** Signed on paper, and kept by whoever captured it. */
  PAPER,
  /** Said, and written down by a caseworker. */
  SPOKEN,
  /** A consent of Altinn 3. */
  ALTINN,
  /** A health system, over FHIR. */
  HEALTH_SYSTEM,
  /** Recorded before this was asked for. */
  NOT_STATED
}
