package no.bindeledd.audit;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * What a log asks a witness: to cosign a checkpoint that extends the one the witness saw last.
 * Immutable. Source: C2SP tlog-witness, {@code add-checkpoint}.
 *
 * @param old size of the checkpoint that the witness saw last
 * @param proof consistency from there, RFC 9162; 32-byte hashes
 */
record WitnessRequest(long old, List<byte[]> proof, SignedNote checkpoint) {
  private static final String OLD = "old ";
  private static final int MAX_PROOF = 63;

  WitnessRequest {
    proof = List.copyOf(proof);
    if (proof.size() > MAX_PROOF) {
      throw new IllegalArgumentException("A consistency proof has at most 63 hashes");
    }
  }

  String encoded() {
    StringBuilder text = new StringBuilder(OLD).append(old).append('\n');
    for (byte[] node : proof) {
      text.append(Base64.getEncoder().encodeToString(node)).append('\n');
    }
    return text.append('\n').append(checkpoint.encoded()).toString();
  }

  /**
   * @throws IllegalArgumentException when the text is not exactly a request
   */
  static WitnessRequest parse(String text) {
    int split = text.indexOf("\n\n");
    if (split < 0 || !text.startsWith(OLD)) {
      throw new IllegalArgumentException(
          "A request has a line with the old size, the proof, an empty line and a checkpoint");
    }
    List<String> lines = List.of(text.substring(0, split).split("\n", -1));
    List<byte[]> proof = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      byte[] node = VerifierKey.strictBase64(line);
      if (node.length != TreeHash.LENGTH) {
        throw new IllegalArgumentException("A proof's hashes have 32 bytes");
      }
      proof.add(node);
    }
    return new WitnessRequest(
        Checkpoint.decimal(lines.getFirst().substring(OLD.length())),
        proof,
        SignedNote.parse(text.substring(split + 2)));
  }
}
