package no.bindeledd.audit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Checks all published logs of a house, each as {@link LogVerifier} does, and what each holds of
 * the others: a log that was cut off, rewritten or forked, even with its own signing key,
 * contradicts the checkpoints of it that stand in its siblings.
 *
 * <p>The first shard lies at the top, each other one in {@code shard-<n>/} below it. The log of one
 * shard alone can be checked too; what it holds of the others is then not looked at.
 */
public final class HouseVerifier {
  private static final HexFormat HEX = HexFormat.of();

  private final List<VerifierKey> keys;
  private final Set<Long> disregarded;
  private final Map<String, Log> logs = new LinkedHashMap<>();

  /** A published log, as far as its checkpoint says. Only read while another one is checked. */
  private static final class Log {
    private final Shard shard;
    private final LogSource source;
    private Checkpoint checkpoint;
    private TileTree tiles;
    private long agreed; // up to where another shard's word was right

    Log(Shard shard, LogSource source, Checkpoint checkpoint) {
      this.shard = shard;
      this.source = source;
      this.checkpoint = checkpoint;
      this.tiles = new TileTree(source, checkpoint.size());
    }

    void grow(Checkpoint to) {
      checkpoint = to;
      tiles = new TileTree(source, to.size());
    }
  }

  private HouseVerifier(List<VerifierKey> keys, Set<Long> disregarded) {
    this.keys = keys;
    this.disregarded = disregarded;
  }

  /** The log of a shard below that of the first one. */
  public static LogSource below(LogSource house, Shard shard) {
    return shard.number() == 0 ? house : path -> house.read(shard.below() + path);
  }

  /** As the other, believing all cross-links. */
  public static Verification verify(
      LogSource house,
      List<VerifierKey> keys,
      Collection<byte[]> known,
      int threads,
      ProgressListener progress)
      throws IOException {
    return verify(house, keys, known, Set.of(), threads, progress);
  }

  /**
   * @param house the first shard's log, or one shard's alone
   * @param keys verifier keys of all the logs, present and earlier
   * @param known other signed checkpoints at hand, unread, of any of the logs
   * @param disregarded numbers of cross-links whose word about another shard is not taken
   * @param threads how many hash side by side
   * @throws IOException when a piece can neither be read nor is known to be missing
   */
  public static Verification verify(
      LogSource house,
      List<VerifierKey> keys,
      Collection<byte[]> known,
      Set<Long> disregarded,
      int threads,
      ProgressListener progress)
      throws IOException {
    HouseVerifier verifier = new HouseVerifier(keys, disregarded);
    Checkpoint first = checkpoint(house);
    if (first == null || Shard.isBelow(first.origin())) {
      return LogVerifier.verify(house, keys, known, threads, progress);
    }
    for (int number = 0; number < Shard.MOST; number++) {
      LogSource log = below(house, new Shard(number));
      Checkpoint checkpoint = number == 0 ? first : checkpoint(log);
      if (checkpoint != null) {
        Shard shard = new Shard(number);
        verifier.logs.put(checkpoint.origin(), new Log(shard, log, checkpoint));
      }
    }
    return verifier.all(known, threads, progress);
  }

  private Verification all(Collection<byte[]> known, int threads, ProgressListener progress)
      throws IOException {
    Map<String, List<byte[]>> byLog = new LinkedHashMap<>();
    logs.keySet().forEach(origin -> byLog.put(origin, new ArrayList<>()));
    String first = logs.keySet().iterator().next();
    for (byte[] note : known) {
      String origin = origin(note);
      List<byte[]> of = byLog.get(origin == null ? first : origin);
      if (of == null) {
        return new Verification(
            false, 0, "There is a checkpoint of the log " + origin + ", and no such log");
      }
      of.add(note);
    }
    long total = logs.values().stream().mapToLong(log -> log.checkpoint.size()).sum();
    long entries = 0;
    for (Map.Entry<String, Log> log : logs.entrySet()) {
      String origin = log.getKey();
      long before = entries;
      Verification one =
          LogVerifier.verify(
              log.getValue().source,
              keys,
              byLog.getOrDefault(origin, List.of()),
              threads,
              (done, of) -> progress.progress(before + done, total),
              (index, note) -> contradiction(log.getValue().shard, origin, index, note));
      entries += one.entries();
      if (!one.verified()) {
        boolean named = logs.size() == 1 || origin.equals(first);
        return new Verification(
            false, entries, named ? one.firstProblem() : origin + ": " + one.firstProblem());
      }
    }
    return new Verification(true, entries, null);
  }

  /** What an entry of one log holds of another, against that other one. */
  private @Nullable String contradiction(Shard holding, String by, long index, SignedNote note)
      throws IOException {
    if (disregarded.contains(holding.entry(index))) {
      return null;
    }
    Checkpoint named = Checkpoint.parse(note.text());
    String holder = "entry " + index + " of " + by;
    if (named.origin().equals(by) || !note.verify(VerifierKey.of(keys, named.origin()))) {
      return "Entry "
          + index
          + " holds "
          + CrossLink.unsigned(named.origin(), holding.entry(index));
    }
    Log log = logs.get(named.origin());
    if (log == null) {
      return "The log %s is missing: %s holds its signed checkpoint with %d entries"
          .formatted(named.origin(), holder, named.size());
    }
    if (named.size() > log.checkpoint.size()) {
      Checkpoint newer = checkpoint(log.source);
      if (newer != null && newer.size() > log.checkpoint.size()) {
        log.grow(newer); // it was published while this ran
      }
    }
    if (named.size() > log.checkpoint.size()) {
      return "Entry %d of %s is missing: its checkpoint says %d entries, one that %s holds says %d"
              .formatted(
                  log.checkpoint.size(),
                  named.origin(),
                  log.checkpoint.size(),
                  holder,
                  named.size())
          + " (newest entries removed, or that log was copied before this one)";
    }
    byte[] root = log.tiles.root(named.size());
    if (!Arrays.equals(root, named.root())) {
      return "The log %s was rewritten: its first broken entry is one of %d to %d. A signed checkpoint"
              .formatted(named.origin(), log.agreed, named.size() - 1)
          + " that %s holds says at size %d the root %s, its tiles give %s"
              .formatted(holder, named.size(), HEX.formatHex(named.root()), HEX.formatHex(root));
    }
    log.agreed = Math.max(log.agreed, named.size());
    return null;
  }

  /** Null when there is none that can be read: who checks that log says why. */
  private static @Nullable Checkpoint checkpoint(LogSource log) throws IOException {
    try {
      return log.checkpoint();
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static @Nullable String origin(byte[] note) {
    try {
      return Checkpoint.parse(SignedNote.parse(note).text()).origin();
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
