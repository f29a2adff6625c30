package no.bindeledd.audit;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;

/**
 * Asks the witnesses of a log to cosign each published checkpoint. One that is away, or does not
 * know the log, is left out; one that has seen another or a longer log stops the publication. Not
 * thread-safe but for {@link #away}. Source: C2SP tlog-witness.
 */
public final class Witnesses implements LogPublisher.Cosigners {
  private static final Duration PATIENCE = Duration.ofSeconds(3);
  private static final int TRIES = 3;

  private final List<Peer> peers;
  private final HttpClient client =
      HttpClient.newBuilder()
          .connectTimeout(PATIENCE)
          .followRedirects(HttpClient.Redirect.NEVER)
          .build();
  private final Map<Peer, Long> seen = new ConcurrentHashMap<>();
  private final Set<String> away = new ConcurrentSkipListSet<>();

  /**
   * A witness.
   *
   * @param prefix its address, above {@code add-checkpoint}
   * @param key its verifier key, type 0x04
   */
  public record Peer(URI prefix, VerifierKey key) {
    public Peer {
      if (!key.cosigner()) {
        throw new IllegalArgumentException(
            "The key " + key.name() + " is a log's and not a witness's (type 0x04)");
      }
    }
  }

  public Witnesses(List<Peer> peers) {
    this.peers = List.copyOf(peers);
  }

  /** Names of those that did not cosign the last time. Any thread. */
  public Set<String> away() {
    return Set.copyOf(away);
  }

  @Override
  public boolean complete() {
    return away.isEmpty();
  }

  @Override
  public SignedNote cosign(SignedNote note, LogSource log) throws IOException {
    List<SignedNote.Line> lines = new ArrayList<>();
    for (Peer peer : peers) {
      List<SignedNote.Line> more = ask(peer, note, log);
      if (more.isEmpty()) {
        away.add(peer.key().name());
      } else {
        away.remove(peer.key().name());
      }
      lines.addAll(more);
    }
    return note.and(lines);
  }

  private List<SignedNote.Line> ask(Peer peer, SignedNote note, LogSource log) throws IOException {
    Checkpoint checkpoint = Checkpoint.parse(note.text());
    TileTree tree = new TileTree(log, checkpoint.size());
    long old = Math.min(seen.getOrDefault(peer, 0L), checkpoint.size());
    for (int attempt = 0; attempt < TRIES; attempt++) {
      WitnessRequest request =
          new WitnessRequest(old, tree.consistency(old, checkpoint.size()), note);
      HttpResponse<String> response = post(peer, request.encoded());
      if (response == null) {
        return List.of();
      }
      switch (response.statusCode()) {
        case 200 -> {
          seen.put(peer, checkpoint.size());
          return own(peer, note, response.body());
        }
        case 409 -> old = known(peer, checkpoint, old, response.body());
        case 422 -> throw forked(peer, checkpoint, "is not grown out of");
        default -> {
          return List.of();
        }
      }
    }
    return List.of();
  }

  /** The size that the witness says it saw, when this log can be proved to extend it. */
  private static long known(Peer peer, Checkpoint checkpoint, long asked, String body) {
    long size;
    try {
      size = Checkpoint.decimal(body.strip());
    } catch (IllegalArgumentException e) {
      return asked;
    }
    if (size > checkpoint.size()) {
      throw SignedTree.older(
          checkpoint.origin(),
          checkpoint.size(),
          size,
          "the witness " + peer.key().name() + " has seen");
    }
    if (size == asked) { // the same size, and still a conflict
      throw forked(peer, checkpoint, "differs at the same size from");
    }
    return size;
  }

  private static LedgerException forked(Peer peer, Checkpoint checkpoint, String how) {
    return new LedgerException(
        "The log %s with %d entries %s the one that the witness %s has seen: the history was"
                .formatted(checkpoint.origin(), checkpoint.size(), how, peer.key().name())
            + " changed. Do not go on; run the verification");
  }

  private @org.jspecify.annotations.Nullable HttpResponse<String> post(Peer peer, String body) {
    String prefix = peer.prefix().toString();
    HttpRequest request =
        HttpRequest.newBuilder(
                URI.create(
                    prefix.endsWith("/") ? prefix + "add-checkpoint" : prefix + "/add-checkpoint"))
            .timeout(PATIENCE)
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
    try {
      return client.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException e) {
      return null; // away
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  /** The lines that are truly this witness's. */
  private static List<SignedNote.Line> own(Peer peer, SignedNote note, String body) {
    List<SignedNote.Line> own = new ArrayList<>();
    for (String text : body.lines().limit(10).toList()) {
      try {
        SignedNote.Line line = SignedNote.Line.parse(text);
        Set<VerifierKey> signers =
            new SignedNote(note.text(), List.of(line)).signers(List.of(peer.key()));
        if (signers != null && !signers.isEmpty()) {
          own.add(line);
        }
      } catch (IllegalArgumentException e) {
        // Not a signature line: it is left out, as any line by another key.
      }
    }
    return own;
  }
}
