package no.bindeledd.audit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Remembers the newest checkpoint of each log it knows, and cosigns a newer one only when it is
 * proved to extend that: whoever trusts the witness knows that everybody is shown the same log.
 * Remembers before it answers. Safe on any thread. Source: C2SP tlog-witness, tlog-cosignature.
 */
public final class Witness {
  private static final String TEXT = "text/plain; charset=utf-8";
  private static final String SIZE = "text/x.tlog.size";

  private final LogDirectory memory;
  private final LogKey key;
  private final List<VerifierKey> logs;
  private final InstantSource clock;

  /** What is answered: an HTTP status, a media type and a text. */
  public record Answer(int status, String type, String body) {}

  /**
   * @param memory folder with a file for each log
   * @param key opened by {@link LogKey#openWitness}
   * @param logs verifier keys of the logs it knows; a log's key is named by its origin
   */
  public Witness(Path memory, LogKey key, List<VerifierKey> logs, InstantSource clock) {
    this.memory = new LogDirectory(memory);
    this.key = key;
    this.logs = List.copyOf(logs);
    this.clock = clock;
  }

  /** Answers {@code add-checkpoint}. */
  public synchronized Answer addCheckpoint(byte[] body) throws IOException {
    WitnessRequest request;
    Checkpoint offered;
    try {
      request = WitnessRequest.parse(new String(body, StandardCharsets.UTF_8));
      offered = Checkpoint.parse(request.checkpoint().text());
    } catch (IllegalArgumentException e) {
      return refuse(400, e.getMessage());
    }
    List<VerifierKey> keys =
        logs.stream().filter(log -> log.name().equals(offered.origin())).toList();
    if (keys.isEmpty()) {
      return refuse(404, "This witness does not know the log");
    }
    if (!request.checkpoint().verify(keys)) {
      return refuse(403, "The checkpoint is not signed by a known key of the log");
    }
    if (request.old() > offered.size()) {
      return refuse(400, "The old size is larger than the checkpoint's");
    }
    Checkpoint seen = seen(offered.origin());
    long size = seen == null ? 0 : seen.size();
    if (request.old() != size) {
      return new Answer(409, SIZE, size + "\n");
    }
    if (seen != null
        && seen.size() == offered.size()
        && !Arrays.equals(seen.root(), offered.root())) {
      return new Answer(409, SIZE, size + "\n");
    }
    byte[] root = seen == null ? new TreeHash().empty() : seen.root();
    if (!MerkleProof.verifyConsistency(
        size, offered.size(), root, offered.root(), request.proof())) {
      return refuse(422, "The consistency proof does not hold: this is another tree");
    }
    byte[] note = request.checkpoint().encoded().getBytes(StandardCharsets.UTF_8);
    memory.write(file(offered.origin()), note, note.length);
    return new Answer(
        200,
        TEXT,
        key.cosign(request.checkpoint().text(), clock.instant()).stream()
            .map(line -> line.encoded() + "\n")
            .collect(Collectors.joining()));
  }

  private @Nullable Checkpoint seen(String origin) throws IOException {
    byte[] note = memory.read(file(origin));
    return note == null ? null : Checkpoint.parse(SignedNote.parse(note).text());
  }

  private static String file(String origin) {
    return HexFormat.of().formatHex(TreeHash.sha256(origin.getBytes(StandardCharsets.UTF_8)))
        + ".checkpoint";
  }

  private static Answer refuse(int status, @Nullable String why) {
    return new Answer(status, TEXT, why + "\n");
  }
}
