package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The file of a segment: what is in it, and what is said of one that was touched. */
@SuppressWarnings("NullAway.Init")
class LogArchiveTest {
  private static ArchivedLog made;

  @TempDir Path folder;

  @BeforeAll
  static void make() throws IOException {
    made = ArchivedLog.shared();
  }

  private Verification verify(Path file, List<VerifierKey> keys, List<String> told)
      throws IOException {
    try (LogArchive archive = LogArchive.open(file)) {
      return archive.verify(keys, (done, total) -> told.add(done + " of " + total));
    }
  }

  /** A copy of the file in which one piece reads otherwise, or is gone. */
  private Path with(String piece, byte @Nullable [] bytes) throws IOException {
    Path copy = folder.resolve("copy.zip");
    Files.copy(made.file, copy);
    try (FileSystem zip = FileSystems.newFileSystem(copy)) {
      if (bytes == null) {
        Files.delete(zip.getPath(piece));
      } else {
        Files.write(zip.getPath(piece), bytes);
      }
    }
    return copy;
  }

  private String problem(String piece, byte @Nullable [] bytes) throws IOException {
    List<String> told = new ArrayList<>();
    Verification verification = verify(with(piece, bytes), made.key.verifiers(), told);
    assertThat(verification.verified()).isFalse();
    assertThat(verification.entries()).isZero();
    assertThat(told).allMatch(each -> each.startsWith("0 of "));
    return String.valueOf(verification.firstProblem());
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  @Test
  void itHoldsItsEntriesAndTilesAndTheFewThatLeadToTheRootAndNothingElse() throws Exception {
    Path file = folder.resolve("written.zip");
    LogArchive.write(made.log, made.key.verifiers(), 0, file);
    List<String> expected = new ArrayList<>(ArchivedLog.pieces());
    expected.add("segment");
    try (ZipFile zip = new ZipFile(file.toFile())) {
      assertThat(zip.stream().map(ZipEntry::getName)).containsExactlyInAnyOrderElementsOf(expected);
    }
    assertThat(folder).isDirectoryNotContaining(each -> each.toString().endsWith(".new"));
    try (LogArchive archive = LogArchive.open(file)) {
      assertThat(archive.read("segment")).asString().isEqualTo("0\n");
      for (String piece : ArchivedLog.pieces()) {
        assertThat(archive.read(piece)).as(piece).isEqualTo(made.log.piece(piece));
      }
      assertThat(archive.read("tile/entries/256")).isNull();
    }
  }

  @Test
  void aSegmentThatIsNotFullIsNotArchived() {
    assertThatThrownBy(
            () -> LogArchive.write(made.log, made.key.verifiers(), 1, folder.resolve("1.zip")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("Segment 1 is not full: the log has 65539 entries");
  }

  @Test
  void whatALogLacksIsReadFromTheArchivesOfItsOwnHouse() throws Exception {
    MemoryLog emptied = made.log.copy();
    emptied.files.keySet().removeIf(path -> path.matches("tile/entries/[0-9]+"));
    LogSource whole = LogArchive.beside(emptied, List.of(made.file));
    assertThat(LogVerifier.verify(whole, made.key.verifiers(), List.of(), 1, ProgressListener.NONE))
        .isEqualTo(new Verification(true, ArchivedLog.SIZE, null));
    assertThat(whole.read("tile/entries/256.p/3"))
        .isEqualTo(made.log.piece("tile/entries/256.p/3"));
    assertThat(whole.read("nothing")).isNull();
    assertThat(LogArchive.beside(emptied, List.of())).isSameAs(emptied);
    LogKey above = LogKey.open(folder.resolve("above.key"), "audit.example.no");
    LogSource house = LogArchive.beside(new MemoryLog(List.of(), above), List.of(made.file));
    assertThat(house.read("bindeledd/tile/entries/017"))
        .isEqualTo(made.log.piece("tile/entries/017"));
    assertThat(house.read("tile/entries/017")).isNull();
    LogKey other = LogKey.open(folder.resolve("other.key"), "audit.example");
    assertThatThrownBy(() -> LogArchive.beside(new MemoryLog(List.of(), other), List.of(made.file)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is of the log audit.example.no/bindeledd, not of audit.example");
    assertThatThrownBy(() -> LogArchive.beside(path -> null, List.of(made.file)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("There is no checkpoint in the log or the archive");
  }

  @Test
  void itVerifiesAloneWithTheLogsKeyAndNoOther() throws Exception {
    List<String> told = new ArrayList<>();
    assertThat(verify(made.file, made.key.verifiers(), told))
        .isEqualTo(new Verification(true, Segments.SIZE, null));
    assertThat(told).containsExactly("65536 of 65536");
    LogKey other = LogKey.open(folder.resolve("other.key"), LogDatabase.ORIGIN);
    assertThat(verify(made.file, other.verifiers(), told))
        .isEqualTo(
            new Verification(false, 0, "The checkpoint is not signed by a known key of this log"));
  }

  @Test
  void aFileThatIsNoArchiveIsToldSo() throws Exception {
    assertThat(problem("segment", null)).isEqualTo("This is no archive of a log's segment");
    assertThatThrownBy(() -> LogArchive.open(Files.writeString(folder.resolve("x.zip"), "x")))
        .isInstanceOf(IOException.class);
  }

  @Test
  void withoutAReadableCheckpointOfTheLogNothingIsProved() throws Exception {
    assertThat(problem("checkpoint", null)).isEqualTo("There is no checkpoint");
    Files.delete(folder.resolve("copy.zip"));
    assertThat(problem("checkpoint", bytes("x"))).startsWith("The checkpoint cannot be read: ");
    Files.delete(folder.resolve("copy.zip"));
    Checkpoint signed = Checkpoint.parse(SignedNote.parse(made.log.piece("checkpoint")).text());
    byte[] foreign = // signed by the right key, of another log
        bytes(
            new Checkpoint("other.example.no", signed.size(), signed.root())
                .sign(made.key)
                .encoded());
    assertThat(problem("checkpoint", foreign)).contains("not signed by a known key of this log");
  }

  @Test
  void aSegmentOfAnotherTreeIsFoundOut() throws Exception {
    Checkpoint signed = Checkpoint.parse(SignedNote.parse(made.log.piece("checkpoint")).text());
    byte[] root = signed.root().clone();
    root[0] ^= 1;
    byte[] forked =
        bytes(new Checkpoint(LogDatabase.ORIGIN, signed.size(), root).sign(made.key).encoded());
    assertThat(problem("checkpoint", forked))
        .isEqualTo("The segment from entry 0 does not lead to the signed root");
  }

  @Test
  void aChangedEntryIsNamed() throws Exception {
    byte[] bundle = made.log.piece("tile/entries/017").clone();
    bundle[EntryBundle.offsets(bundle, 256)[5] + 30] ^= 1;
    assertThat(problem("tile/entries/017", bundle)).startsWith("Entry 4357 is broken: ");
  }

  @Test
  void aPieceThatIsGoneIsNamed() throws Exception {
    assertThat(problem("tile/entries/017", null))
        .isEqualTo("Entry 4352 is missing: there is no tile/entries/017");
  }

  @Test
  void whatDoesNotVerifyLeavesNoFileBehind() throws Exception {
    MemoryLog broken = made.log.copy();
    broken.files.remove("checkpoint");
    Path file = folder.resolve("new.zip");
    assertThatThrownBy(() -> LogArchive.write(broken, made.key.verifiers(), 0, file))
        .isInstanceOf(LedgerException.class)
        .hasMessage("Not archived: There is no checkpoint");
    assertThat(folder).isEmptyDirectory();
  }
}
