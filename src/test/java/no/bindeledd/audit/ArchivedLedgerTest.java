package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A ledger whose first segment lies in a file is verified, opened and published as a whole. */
@SuppressWarnings("NullAway.Init")
class ArchivedLedgerTest {
  private static final int SIZE = ArchivedLog.SIZE;

  private static LogDatabase database;
  private static ArchivedLog made;

  @TempDir Path folder;

  @BeforeAll
  static void make() throws IOException {
    database = LogDatabase.shared();
    made = ArchivedLog.shared();
  }

  @BeforeEach
  void store() throws Exception {
    made.store(database);
  }

  private static Verification verify() throws SQLException {
    return LedgerVerifier.verify(database.source, made.key.verifiers(), ProgressListener.NONE);
  }

  private static void broken(String problem) throws SQLException {
    assertThat(verify().firstProblem()).startsWith(problem);
  }

  @Test
  void theLedgerVerifiesThroughTheFile() throws Exception {
    assertThat(verify()).isEqualTo(new Verification(true, SIZE, null));
  }

  @Test
  void whatIsKeptOfAnArchivedEntryIsCheckedAgainstItsBytes() throws Exception {
    database.sql(
        "UPDATE audit_link SET subject = '\\x00112233445566778899aabbccddeeff' WHERE idx = 7");
    broken("Entry 7 is broken: ");
  }

  @Test
  void aLinkThatIsGoneWithoutARecordIsMissed() throws Exception {
    database.sql("DELETE FROM audit_link WHERE idx = 10007");
    broken("Entry 10007 is broken: its subject and salt are gone");
  }

  /** Opened with an older memory, so that the tree must be seen to grow out of it. */
  private void open(int remembered, @Nullable Integer changed) throws Exception {
    List<byte[]> entries = new ArrayList<>(made.log.entries.subList(0, remembered));
    if (changed != null) {
      entries.set(changed, made.log.entries.get(changed + 1));
    }
    TreeHash hash = new TreeHash();
    byte[] root = MerkleProof.root(entries.stream().map(hash::leaf).toList());
    Path memory = made.key.checkpointFile();
    Files.writeString(
        memory, new Checkpoint(LogDatabase.ORIGIN, remembered, root).sign(made.key).encoded());
    try (Ledger ledger =
        Ledger.open(database.source, made.key, LogDatabase.ORIGIN, InstantSource.system())) {
      assertThat(ledger.size()).isEqualTo(SIZE);
      publish(ledger);
    } finally {
      Files.deleteIfExists(memory);
    }
  }

  private void publish(Ledger ledger) throws Exception {
    LogDirectory directory = LogDirectory.of(folder.resolve("log"), LogDatabase.ORIGIN);
    LogPublisher publisher =
        new LogPublisher(database.source, ledger, made.key, directory, LogPublisher.Cosigners.NONE);
    publisher.open();
    assertThat(publisher.publish()).isEqualTo(SIZE);
    for (String piece : List.of("tile/0/000", "tile/0/255", "tile/1/000", "tile/entries/255")) {
      assertThat(directory.read(piece)).as(piece).isEqualTo(made.log.piece(piece));
    }
    assertThat(directory.read("checkpoint")).isEqualTo(made.log.piece("checkpoint"));
  }

  @Test
  void theLedgerOpensAndPublishesThroughTheFile() throws Exception {
    open(65_000, null);
  }

  @ParameterizedTest
  @CsvSource({"65000, 64999", "65000, 0", "65537, 65536"})
  void aMemoryOfAnotherTreeIsSeenThroughTheFile(int remembered, int changed) {
    assertThatThrownBy(() -> open(remembered, changed))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("at size " + remembered);
  }

  @Test
  void anEntryBehindTheFileIsMissedAndSoIsTheFile() throws Exception {
    database.sql("DELETE FROM audit_entry WHERE idx = 65536");
    broken("Entry 65536 is missing: ");
    database.sql("DELETE FROM audit_archive");
    broken("Entry 0 is missing: ");
  }
}
