package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Assertions;

/** No change to a published log goes unseen, and an honest log is never accused. */
@SuppressWarnings("NullAway.Init")
class TamperingTest {
  private static final int ENTRIES = 1037;
  private static final int EARLIER = 700;
  private static final LogKey KEY = key("log.key");
  private static final LogKey THIEF = key("thief.key");
  private static final List<byte[]> HISTORY =
      Entries.batch(0, ENTRIES).stream().map(AuditEntry::canonical).toList();
  private static final MemoryLog HONEST = new MemoryLog(HISTORY, KEY);
  private static final MemoryLog BEFORE = new MemoryLog(HISTORY.subList(0, EARLIER), KEY);

  /** The pieces that a check of the whole log reads. */
  private static final List<String> PIECES = List.copyOf(HONEST.files.keySet());

  private static LogKey key(String name) {
    try {
      Path folder = Files.createTempDirectory("tampering");
      return LogKey.open(folder.resolve(name), LogDatabase.ORIGIN);
    } catch (IOException e) {
      return Assertions.fail(e);
    }
  }

  /** What somebody did to the pieces, or to the history under them. */
  interface Tampering {
    MemoryLog of(MemoryLog honest);
  }

  private static Tampering piece(String path, java.util.function.UnaryOperator<byte[]> change) {
    return log -> {
      log.files.put(path, change.apply(log.piece(path).clone()));
      return log;
    };
  }

  /** Entries and all tiles above them rewritten, under the honest checkpoint. */
  private static Tampering history(java.util.function.Consumer<List<byte[]>> change) {
    return honest -> {
      List<byte[]> entries = new ArrayList<>(HISTORY);
      change.accept(entries);
      MemoryLog rewritten = new MemoryLog(entries, THIEF);
      rewritten.files.put("checkpoint", honest.piece("checkpoint"));
      return rewritten;
    };
  }

  @Provide
  Arbitrary<Tampering> tamperings() {
    Arbitrary<String> paths = Arbitraries.of(PIECES);
    Arbitrary<Integer> places = Arbitraries.integers().between(0, 1 << 20);
    Arbitrary<Integer> indexes = Arbitraries.integers().between(0, ENTRIES - 1);
    Arbitrary<Tampering> flip =
        Combinators.combine(paths, places, Arbitraries.integers().between(0, 7))
            .as(
                (path, at, bit) ->
                    piece(
                        path,
                        bytes -> {
                          bytes[at % bytes.length] ^= (byte) (1 << bit);
                          return bytes;
                        }));
    Arbitrary<Tampering> cut =
        Combinators.combine(paths, places)
            .as((path, at) -> piece(path, bytes -> Arrays.copyOf(bytes, at % bytes.length)));
    Arbitrary<Tampering> longer =
        Combinators.combine(paths, Arbitraries.integers().between(1, 40))
            .as((path, more) -> piece(path, bytes -> Arrays.copyOf(bytes, bytes.length + more)));
    Arbitrary<Tampering> drop =
        paths.map(
            path ->
                log -> {
                  log.files.remove(path);
                  return log;
                });
    Arbitrary<Tampering> exchange =
        Combinators.combine(paths, paths)
            .filter((one, other) -> !Arrays.equals(HONEST.piece(one), HONEST.piece(other)))
            .as(
                (one, other) ->
                    log -> {
                      byte[] first = log.piece(one);
                      log.files.put(one, log.piece(other));
                      log.files.put(other, first);
                      return log;
                    });
    Arbitrary<Tampering> altered =
        Combinators.combine(indexes, places)
            .as(
                (index, at) ->
                    history(
                        entries -> {
                          byte[] entry = entries.get(index).clone();
                          entry[at % entry.length] ^= 1;
                          entries.set(index, entry);
                        }));
    Arbitrary<Tampering> swapped =
        Combinators.combine(indexes, indexes)
            .filter((one, other) -> !one.equals(other))
            .as(
                (one, other) ->
                    history(entries -> java.util.Collections.swap(entries, one, other)));
    Arbitrary<Tampering> dropped =
        indexes.map(index -> history(entries -> entries.remove(index.intValue())));
    Arbitrary<Tampering> inserted =
        Combinators.combine(indexes, indexes)
            .as((to, from) -> history(entries -> entries.add(to, HISTORY.get(from))));
    Arbitrary<Tampering> replaced = // an entry dropped, another doubled: the number is right
        Combinators.combine(indexes, indexes)
            .filter((one, other) -> !one.equals(other))
            .as((to, from) -> history(entries -> entries.set(to, HISTORY.get(from))));
    Arbitrary<Tampering> resigned = // everything rewritten, and signed with another key
        indexes.map(
            index ->
                honest -> {
                  List<byte[]> entries = new ArrayList<>(HISTORY);
                  entries.remove(index.intValue());
                  return new MemoryLog(entries, THIEF);
                });
    Arbitrary<Tampering> forked = // the same with the stolen key: only the earlier checkpoint tells
        Arbitraries.integers()
            .between(0, EARLIER - 1)
            .map(
                index ->
                    honest -> {
                      List<byte[]> entries = new ArrayList<>(HISTORY);
                      entries.set(index, HISTORY.get(EARLIER));
                      return new MemoryLog(entries, KEY);
                    });
    Arbitrary<Tampering> setBack = // an old backup, shorter than a checkpoint that was handed out
        Arbitraries.integers()
            .between(1, EARLIER - 1)
            .map(size -> honest -> new MemoryLog(HISTORY.subList(0, size), KEY));
    return Arbitraries.frequencyOf(
        Tuple.of(4, flip),
        Tuple.of(2, cut),
        Tuple.of(1, longer),
        Tuple.of(1, drop),
        Tuple.of(2, exchange),
        Tuple.of(1, altered),
        Tuple.of(1, swapped),
        Tuple.of(1, dropped),
        Tuple.of(1, inserted),
        Tuple.of(1, replaced),
        Tuple.of(1, resigned),
        Tuple.of(1, forked),
        Tuple.of(1, setBack));
  }

  @Property(tries = 1500)
  void noTamperingWithAPublishedLogGoesUnseen(@ForAll("tamperings") Tampering tampering)
      throws IOException {
    Verification verification = verify(tampering.of(HONEST.copy()));
    assertThat(verification.verified()).isFalse();
    assertThat(verification.firstProblem()).isNotBlank();
  }

  @Property(tries = 100)
  void theAlteredEntryIsNamedWithBothHashes(
      @ForAll @IntRange(max = ENTRIES - 1) int index, @ForAll @IntRange(max = 600) int at)
      throws IOException {
    byte[] entry = HISTORY.get(index).clone();
    String honest = hex(new TreeHash().leaf(entry));
    entry[at % entry.length] ^= 4;
    MemoryLog log = HONEST.copy();
    TilePath bundle = TilePath.in(ENTRIES, TilePath.ENTRIES, index / 256);
    List<byte[]> entries = EntryBundle.entries(log.piece(bundle.path()), bundle.width());
    entries.set(index % 256, entry);
    log.files.put(bundle.path(), bundle(entries));
    assertThat(verify(log).firstProblem())
        .isEqualTo(
            "Entry %d is broken: its bytes hash to %s, its tile %s says %s"
                .formatted(
                    index,
                    hex(new TreeHash().leaf(entry)),
                    TilePath.in(ENTRIES, 0, index / 256).path(),
                    honest));
  }

  @Property(tries = 60)
  void aRewrittenStretchIsNarrowedToItsTile(@ForAll @IntRange(max = 1023) int index)
      throws IOException {
    MemoryLog rewritten =
        history(entries -> entries.set(index, HISTORY.get(1030))).of(HONEST.copy());
    rewritten.files.put("tile/1/000.p/4", HONEST.piece("tile/1/000.p/4"));
    int group = index / 256 * 256;
    assertThat(verify(rewritten).firstProblem())
        .startsWith("The first broken entry is one of %d to %d:".formatted(group, group + 255));
  }

  @Property(tries = 60)
  void anHonestLogIsNeverAccused(@ForAll @IntRange(max = 1500) int size, @ForAll Random random)
      throws IOException {
    List<byte[]> entries = Entries.batch(0, size).stream().map(AuditEntry::canonical).toList();
    MemoryLog log = new MemoryLog(entries, KEY);
    int before = random.nextInt(size + 1);
    byte[] earlier = new MemoryLog(entries.subList(0, before), KEY).piece("checkpoint");
    assertThat(LogVerifier.verify(log, KEY.verifiers(), List.of(earlier), 2, ProgressListener.NONE))
        .isEqualTo(new Verification(true, size, null));
  }

  private static Verification verify(LogSource log) throws IOException {
    return LogVerifier.verify(
        log, KEY.verifiers(), List.of(BEFORE.piece("checkpoint")), 1, ProgressListener.NONE);
  }

  private static byte[] bundle(List<byte[]> entries) {
    CanonicalWriter bundle = new CanonicalWriter(1 << 16);
    for (byte[] entry : entries) {
      bundle.int16(entry.length);
      bundle.raw(entry);
    }
    return bundle.toByteArray();
  }

  private static String hex(byte[] bytes) {
    return java.util.HexFormat.of().formatHex(bytes);
  }
}
