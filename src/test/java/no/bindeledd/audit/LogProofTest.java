package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("NullAway.Init")
class LogProofTest {
  @TempDir static Path folder;
  private static LogKey key;

  @BeforeAll
  static void makeKey() throws IOException {
    key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
  }

  private static MemoryLog log(int size) {
    return new MemoryLog(
        IntStream.range(0, size).mapToObj(i -> ("entry " + i).getBytes()).toList(), key);
  }

  private static SignedNote checkpoint(MemoryLog log) {
    return SignedNote.parse(log.piece("checkpoint"));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 255, 256, 257, 511, 512, 700, 66_000})
  void theTilesGiveTheProofsOfTheWholeTree(int size) throws Exception {
    MemoryLog log = log(size);
    TileTree tree = new TileTree(log, size);
    TreeHash hash = new TreeHash();
    List<byte[]> leaves = log.entries.stream().map(hash::leaf).toList();
    byte[] root = Checkpoint.parse(checkpoint(log).text()).root();
    assertThat(tree.root(size)).isEqualTo(root);
    for (int index = 0; index < size; index += Math.max(1, size / 40)) {
      assertThat(tree.inclusion(index, size))
          .usingRecursiveComparison()
          .isEqualTo(
              size > 1000 ? tree.inclusion(index, size) : MerkleProof.inclusion(index, leaves));
      assertThat(
              MerkleProof.verifyInclusion(
                  leaves.get(index), index, size, tree.inclusion(index, size), root))
          .isTrue();
      assertThat(tree.entry(index)).isEqualTo(log.entries.get(index));
      assertThat(
              MerkleProof.verifyConsistency(
                  index, size, tree.root(index), root, tree.consistency(index, size)))
          .isTrue();
    }
  }

  @Test
  void aProofIsReadBackAndHoldsForItsEntryAlone() throws Exception {
    MemoryLog log = log(700);
    LogProof proof = LogProof.of(log, 600, checkpoint(log));
    assertThat(proof.encoded()).startsWith("c2sp.org/tlog-proof@v1\nindex 600\n");
    LogProof read = LogProof.parse(proof.encoded());
    assertThat(read.encoded()).isEqualTo(proof.encoded());
    assertThat(read.problem(log.entries.get(600), key.verifiers())).isNull();
    assertThat(read.problem(log.entries.get(601), key.verifiers()))
        .isEqualTo("The entry is not the one at index 600 of the signed tree");
    LogKey other = LogKey.open(folder.resolve("other.key"), LogDatabase.ORIGIN);
    assertThat(read.problem(log.entries.get(600), other.verifiers())).contains("not signed");
    LogKey otherName = LogKey.open(folder.resolve("name.key"), "other");
    SignedNote foreign = SignedNote.sign(checkpoint(log).text(), otherName);
    assertThat(
            new LogProof(600, proof.path(), foreign)
                .problem(log.entries.get(600), otherName.verifiers()))
        .contains("not signed by a known key of its log");
    SignedNote notOne = SignedNote.sign("x\n", key);
    assertThat(new LogProof(600, List.of(), notOne).problem(new byte[0], key.verifiers()))
        .contains("cannot be read");
    String extra = proof.encoded().replaceFirst("index", "extra AAAA\nindex");
    assertThat(LogProof.parse(extra).encoded()).isEqualTo(proof.encoded());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "c2sp.org/tlog-proof@v1\nindex 0\n",
        "c2sp.org/tlog-proof@v2\nindex 0\n\nNOTE",
        "c2sp.org/tlog-proof@v1\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex 00\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex -1\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex \n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex 9999999999999999999\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\nNOTE",
        "c2sp.org/tlog-proof@v1\nindex 0\n\n"
      })
  void whatIsNoProofIsRefused(String text) {
    String note = checkpoint(log(1)).encoded();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> LogProof.parse(text.replace("NOTE", note)));
  }

  @Test
  void aProofHasAtMost63Hashes() {
    SignedNote note = checkpoint(log(1));
    List<byte[]> path = new ArrayList<>(java.util.Collections.nCopies(63, new byte[32]));
    assertThat(new LogProof(0, path, note).path()).hasSize(63);
    path.add(new byte[32]);
    assertThatIllegalArgumentException().isThrownBy(() -> new LogProof(0, path, note));
    assertThatIllegalArgumentException().isThrownBy(() -> new LogProof(-1, List.of(), note));
  }

  @Test
  void missingPiecesAndImpossibleQuestionsAreToldApart() throws Exception {
    MemoryLog log = log(300);
    TileTree tree = new TileTree(log, 300);
    for (long index : new long[] {-1, 300}) {
      assertThatIllegalArgumentException().isThrownBy(() -> tree.inclusion(index, 300));
    }
    assertThatIllegalArgumentException().isThrownBy(() -> tree.inclusion(0, 301));
    assertThatIllegalArgumentException().isThrownBy(() -> tree.consistency(2, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> tree.consistency(-1, 1));
    assertThatIllegalArgumentException().isThrownBy(() -> tree.consistency(1, 301));
    assertThat(tree.consistency(0, 300)).isEmpty();
    log.files.remove("tile/0/001.p/44");
    log.files.remove("tile/entries/001.p/44");
    assertThatThrownBy(() -> tree.inclusion(1, 300))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("tile/0/001.p/44");
    assertThatThrownBy(() -> tree.entry(299)).hasMessageContaining("tile/entries/001.p/44");
  }

  @Test
  void aFullPieceServesWhereThePartialOneIsGone() throws Exception {
    MemoryLog log = log(700);
    MemoryLog longer = log(1024);
    longer.files.put("checkpoint", log.piece("checkpoint"));
    longer.files.put("tile/1/000.p/2", log.piece("tile/1/000.p/2"));
    assertThat(LogVerifier.verify(longer, key.verifiers(), List.of(), 1, ProgressListener.NONE))
        .isEqualTo(new Verification(true, 700, null));
    assertThat(new TileTree(longer, 700).entry(699)).isEqualTo("entry 699".getBytes());
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, 256, tile/0/000",
    "0, 1234067, 256, tile/0/x001/x234/067",
    "-1, 999, 8, tile/entries/999.p/8",
    "63, 1000, 255, tile/63/x001/000.p/255",
    "2, 0, 1, tile/2/000.p/1"
  })
  void aPathIsWrittenAsTheFormatSaysAndReadBack(int level, long index, int width, String path) {
    TilePath tile = new TilePath(level, index, width);
    assertThat(tile.path()).isEqualTo(path);
    assertThat(TilePath.parse(path)).isEqualTo(tile);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tile/0/0",
        "tile/64/000",
        "tile/00/000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001",
        "tile/x/000",
        "tile/0/000/",
        "tile/0/../000",
        "/tile/0/000",
        "tile/0/000\n",
        "tile/0/000.p/999",
        ""
      })
  void otherPathsAreNone(String path) {
    assertThat(TilePath.parse(path)).isNull();
  }

  @Test
  void aTileHasAPlaceAndAWidth() {
    for (int[] bad : new int[][] {{-2, 0, 1}, {64, 0, 1}, {0, -1, 1}, {0, 0, 0}, {0, 0, 257}}) {
      assertThatIllegalArgumentException().isThrownBy(() -> new TilePath(bad[0], bad[1], bad[2]));
    }
    assertThatIllegalArgumentException().isThrownBy(() -> TilePath.in(256, 0, 1));
  }
}
