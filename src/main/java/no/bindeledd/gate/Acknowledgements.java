package no.bindeledd.gate;

import no.bindeledd.exchange.ReasonCode;

/** Writes the acknowledgement that an HL7 v2 sender waits for. Thread-safe. */
@FunctionalInterface
public interface Acknowledgements {
  /** HL7 acknowledgement codes: accepted, error (do not send it again), rejected (not now). */
  enum Code {
    AA,
    AE,
    AR
  }

  byte[] write(byte[] original, Code code, ReasonCode reason);
}
