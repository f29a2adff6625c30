package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What the offline check says, piece by piece; a log of three segments. */
@SuppressWarnings("NullAway.Init")
class LogVerifierTest {
  private static final int SIZE = 2 * Segments.SIZE + 700;

  @TempDir static Path folder;
  private static LogKey key;
  private static MemoryLog honest;

  @BeforeAll
  static void write() throws IOException {
    key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    honest = new MemoryLog(entries(SIZE), key);
  }

  private static List<byte[]> entries(int size) {
    return IntStream.range(0, size).mapToObj(i -> ("entry " + i).getBytes()).toList();
  }

  private static byte[] checkpoint(int size) throws IOException {
    byte[] root = new TileTree(honest, SIZE).root(size);
    return new Checkpoint(LogDatabase.ORIGIN, size, root)
        .sign(key)
        .encoded()
        .getBytes(StandardCharsets.UTF_8);
  }

  private static Verification verify(LogSource log, byte[]... known) throws IOException {
    return LogVerifier.verify(log, key.verifiers(), List.of(known), 2, ProgressListener.NONE);
  }

  @ParameterizedTest
  @ValueSource(
      ints = {
        0,
        1,
        255,
        256,
        257,
        700,
        Segments.SIZE - 1,
        Segments.SIZE,
        Segments.SIZE + 1,
        Segments.SIZE + 256,
        2 * Segments.SIZE,
        SIZE - 1,
        SIZE
      })
  void aCheckpointOfAnySizeAgrees(int size) throws IOException {
    assertThat(verify(honest, checkpoint(size))).isEqualTo(new Verification(true, SIZE, null));
  }

  @Test
  void manyCheckpointsInAnyOrderAgreeAndProgressIsTold() throws IOException {
    List<byte[]> known = new ArrayList<>();
    for (int size : new int[] {SIZE, 3, Segments.SIZE, 0, 70_000, 512, 512}) {
      known.add(checkpoint(size));
    }
    List<Long> told = new ArrayList<>();
    Verification verification =
        LogVerifier.verify(
            honest,
            key.verifiers(),
            known,
            1,
            (done, total) -> told.add(done * 10_000_000 + total));
    assertThat(verification).isEqualTo(new Verification(true, SIZE, null));
    assertThat(told)
        .isEqualTo(
            LongStream.of(Segments.SIZE, 2 * Segments.SIZE, SIZE)
                .mapToObj(done -> done * 10_000_000 + SIZE)
                .toList());
  }

  @ParameterizedTest
  @CsvSource({"5, 0", "700, 5", "65536, 700", "65537, 65536", "131072, 65536", "131100, 131072"})
  void aCheckpointOfAnotherTreeNarrowsTheFirstBrokenEntry(int wrong, int proved)
      throws IOException {
    byte[] other =
        new Checkpoint(LogDatabase.ORIGIN, wrong, new byte[32])
            .sign(key)
            .encoded()
            .getBytes(StandardCharsets.UTF_8);
    Verification verification = verify(honest, other, checkpoint(proved));
    assertThat(verification.verified()).isFalse();
    assertThat(verification.entries()).isEqualTo(proved);
    assertThat(verification.firstProblem())
        .isEqualTo(
            "The first broken entry is one of %d to %d: another checkpoint at size %d is signed for"
                    .formatted(proved, wrong - 1, wrong)
                + " the root %s, the entries give %s"
                    .formatted(
                        HexFormat.of().formatHex(new byte[32]),
                        HexFormat.of().formatHex(new TileTree(honest, SIZE).root(wrong))));
  }

  @Test
  void anEmptyTreeHasOneRoot() throws IOException {
    byte[] wrong =
        new Checkpoint(LogDatabase.ORIGIN, 0, new byte[32])
            .sign(key)
            .encoded()
            .getBytes(StandardCharsets.UTF_8);
    assertThat(verify(honest, wrong).firstProblem())
        .isEqualTo(
            "Another checkpoint at size 0 is signed with a root that is not the empty tree's");
    assertThat(verify(new MemoryLog(List.of(), key))).isEqualTo(new Verification(true, 0, null));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "checkpoint | There is no checkpoint: the log was never published, or was removed",
        "tile/entries/001 | Entry 256 is missing: there is no tile/entries/001",
        "tile/0/001 | The tile tile/0/001 is missing or has the wrong length",
        "tile/1/001 | The tile tile/1/001 is missing or has the wrong length",
        "tile/2/000.p/2 | The tile tile/2/000.p/2 is missing or has the wrong length",
        "tile/1/002.p/2 | The tile tile/1/002.p/2 is missing or has the wrong length",
        "tile/0/514.p/188 | The tile tile/0/514.p/188 is missing or has the wrong length",
        "tile/entries/514.p/188 | Entry 131584 is missing: there is no tile/entries/514.p/188"
      })
  void aPieceThatIsGoneIsNamed(String path, String problem) throws IOException {
    MemoryLog log = honest.copy();
    assertThat(log.files.remove(path)).isNotNull();
    assertThat(verify(log).firstProblem()).isEqualTo(problem);
    if (path.startsWith("tile/") && !path.contains("entries")) {
      byte[] piece = honest.piece(path);
      log.files.put(path, Arrays.copyOf(piece, piece.length - 1));
      assertThat(verify(log).firstProblem()).isEqualTo(problem);
    }
  }

  @Test
  void aTileThatDoesNotAgreeWithTheTileAboveIsToldFromABrokenEntry() throws IOException {
    MemoryLog log = honest.copy();
    byte[] tile = honest.piece("tile/0/001").clone();
    tile[3 * 32] ^= 1;
    log.files.put("tile/0/001", tile);
    String leaf = HexFormat.of().formatHex(new TreeHash().leaf("entry 259".getBytes()));
    assertThat(verify(log).firstProblem())
        .isEqualTo(
            "The tile tile/0/001 is broken at entry 259: its bytes hash to %s, its tile tile/0/001 says %s"
                .formatted(leaf, HexFormat.of().formatHex(tile, 96, 128)));
    MemoryLog upper = honest.copy();
    byte[] two = honest.piece("tile/2/000.p/2").clone();
    two[40] ^= 1;
    upper.files.put("tile/2/000.p/2", two);
    assertThat(verify(upper).firstProblem())
        .isEqualTo(
            "The tile tile/2/000.p/2 is broken: hash 1 in it is %s, the entries below give %s"
                .formatted(
                    HexFormat.of().formatHex(two, 32, 64),
                    HexFormat.of().formatHex(honest.piece("tile/2/000.p/2"), 32, 64)));
  }

  @Test
  void theFirstOfSeveralBrokenEntriesIsNamedAcrossSegments() throws IOException {
    MemoryLog log = honest.copy();
    for (int index : new int[] {70_000, 131_080, 66_000}) {
      TilePath path = TilePath.in(SIZE, TilePath.ENTRIES, index / 256);
      byte[] bundle = log.piece(path.path()).clone();
      bundle[EntryBundle.offsets(bundle, path.width())[index % 256]] ^= 1;
      log.files.put(path.path(), bundle);
    }
    assertThat(verify(log).firstProblem()).startsWith("Entry 66000 is broken: its bytes hash to ");
    assertThat(verify(log, checkpoint(Segments.SIZE)).entries()).isEqualTo(Segments.SIZE);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0 | Entry 0 is missing or cut off: ",
        "1 | Entry 0 is missing or cut off: ",
        "12 | Entry 1 is missing or cut off: ",
        "-1 | Entry 255 is missing or cut off: "
      })
  void aBundleThatEndsEarlyNamesTheFirstEntryThatIsNotWhole(int length, String problem)
      throws IOException {
    MemoryLog log = honest.copy();
    byte[] bundle = honest.piece("tile/entries/000");
    int left = length < 0 ? bundle.length + length : length;
    log.files.put("tile/entries/000", Arrays.copyOf(bundle, left));
    assertThat(verify(log).firstProblem())
        .startsWith(problem + " tile/entries/000 is no bundle of 256 entries, it ends after ");
  }

  @Test
  void aBundleThatGoesOnOrChangesMidwayIsToldSo() throws IOException {
    MemoryLog log = honest.copy();
    byte[] bundle = honest.piece("tile/entries/000");
    log.files.put("tile/entries/000", Arrays.copyOf(bundle, bundle.length + 1));
    assertThat(verify(log).firstProblem())
        .isEqualTo(
            "There is more than entry 255: tile/entries/000 is no bundle of 256 entries, it has"
                + " something after its 256 entries");
    byte[] changed = Arrays.copyOf(bundle, bundle.length - 1);
    changed[2] ^= 1;
    log.files.put("tile/entries/000", changed);
    assertThat(verify(log).firstProblem()).startsWith("Entry 0 is broken: its bytes hash to ");
  }

  @Test
  void aLogOfAnotherNameOrKeyIsNotThisLog() throws IOException {
    LogKey other = LogKey.open(folder.resolve("other.key"), "other");
    MemoryLog log = new MemoryLog(entries(3), other);
    assertThat(verify(log).firstProblem())
        .isEqualTo("The checkpoint at size 3 is not signed by a known key of this log");
    SignedNote foreign =
        Checkpoint.parse(SignedNote.parse(log.piece("checkpoint")).text()).sign(key);
    log.files.put("checkpoint", foreign.encoded().getBytes(StandardCharsets.UTF_8));
    assertThat(verify(log).firstProblem()).contains("not signed by a known key of this log");
    assertThat(verify(honest, "x".getBytes()).firstProblem())
        .startsWith("Another checkpoint cannot be read: ");
  }

  @Test
  void aLongerCheckpointAtHandMeansThatEntriesAreMissing() throws IOException {
    MemoryLog shorter = new MemoryLog(entries(300), key);
    assertThat(verify(shorter, checkpoint(301)).firstProblem())
        .isEqualTo(
            "Entry 300 is missing: the checkpoint says 300 entries, another checkpoint 301 (newest"
                + " entries removed, or an old backup published)");
  }

  @Test
  void whatCannotBeReadIsNotTakenForMissing() {
    LogSource failing =
        path -> {
          if (path.equals("tile/0/300")) {
            throw new IOException("disk");
          }
          return honest.read(path);
        };
    assertThatThrownBy(() -> verify(failing)).isInstanceOf(IOException.class).hasMessage("disk");
  }

  @Test
  void anArchivedSegmentVerifiesAloneAndNothingInItCanBeChanged() throws Exception {
    Path file = folder.resolve("one.zip");
    LogArchive.write(honest, key.verifiers(), 1, file);
    try (LogArchive archive = LogArchive.open(file)) {
      assertThat(archive.verify(key.verifiers(), ProgressListener.NONE))
          .isEqualTo(new Verification(true, Segments.SIZE, null));
      LogKey other = LogKey.open(folder.resolve("another.key"), LogDatabase.ORIGIN);
      assertThat(archive.verify(other.verifiers(), ProgressListener.NONE).firstProblem())
          .contains("not signed");
    }
    try (java.nio.file.FileSystem zip = java.nio.file.FileSystems.newFileSystem(file)) {
      Path bundle = zip.getPath("tile/entries/300");
      byte[] bytes = java.nio.file.Files.readAllBytes(bundle);
      bytes[5] ^= 1;
      java.nio.file.Files.write(bundle, bytes);
    }
    try (LogArchive archive = LogArchive.open(file)) {
      assertThat(archive.verify(key.verifiers(), ProgressListener.NONE).firstProblem())
          .startsWith("Entry " + 300 * 256 + " is broken: ");
    }
  }

  @Test
  void aSegmentThatIsNotFullOrBrokenOrOfAnotherTreeIsNotArchived() throws Exception {
    Path file = folder.resolve("two.zip");
    assertThatThrownBy(() -> LogArchive.write(honest, key.verifiers(), 2, file))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Segment 2 is not full");
    MemoryLog broken = honest.copy();
    broken.files.put("tile/entries/010", honest.piece("tile/entries/011"));
    assertThatThrownBy(() -> LogArchive.write(broken, key.verifiers(), 0, file))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("Entry 2560 is broken");
    MemoryLog moved = honest.copy();
    byte[] two = honest.piece("tile/2/000.p/2").clone();
    two[40] ^= 1; // the other segment's root
    moved.files.put("tile/2/000.p/2", two);
    assertThatThrownBy(() -> LogArchive.write(moved, key.verifiers(), 0, file))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("does not lead to the signed root");
    assertThat(file).doesNotExist();
  }
}
