package no.bindeledd.audit;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * How many independent witnesses must have cosigned a checkpoint before somebody believes it.
 * Whoever names the witnesses decides whom to believe; the log cannot. Immutable.
 *
 * @param witnesses their verifier keys
 * @param least of them, one signature each
 */
public record WitnessQuorum(Set<VerifierKey> witnesses, int least) {
  public WitnessQuorum {
    witnesses = new LinkedHashSet<>(witnesses);
    if (least < 1 || least > witnesses.size()) {
      throw new IllegalArgumentException(
          "A quorum is at least one, and at most the " + witnesses.size() + " witnesses named");
    }
    for (VerifierKey witness : witnesses) {
      if (!witness.cosigner()) {
        throw new IllegalArgumentException(
            witness.name() + " is the key of a log, not of a witness: see its verifier key");
      }
    }
  }

  /** What is missing from the checkpoint, or null. */
  public @Nullable String problem(SignedNote checkpoint) {
    Set<VerifierKey> signed = checkpoint.signers(witnesses);
    if (signed == null) {
      return "A signature that claims to be a witness's is false";
    }
    if (signed.size() >= least) {
      return null;
    }
    String missing =
        witnesses.stream()
            .filter(witness -> !signed.contains(witness))
            .map(VerifierKey::name)
            .collect(Collectors.joining(", "));
    return "Only "
        + signed.size()
        + " of the "
        + least
        + " witnesses that are demanded cosigned the checkpoint; missing: "
        + missing;
  }
}
