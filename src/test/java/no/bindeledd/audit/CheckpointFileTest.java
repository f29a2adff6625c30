package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the ledger remembers outside the database. */
@SuppressWarnings("NullAway.Init")
class CheckpointFileTest {
  @TempDir Path folder;
  private Path path;
  private CheckpointFile file;
  private SignedNote shorter;
  private SignedNote longer;

  @BeforeEach
  void make() throws Exception {
    path = folder.resolve("log.key.checkpoint");
    file = new CheckpointFile(path, InstantSource.fixed(Instant.parse("2026-09-01T10:00:00Z")));
    LogKey key = LogKey.open(folder.resolve("log.key"), "log.example.no");
    LogKey next = LogKey.addNext(folder.resolve("log.key"), "log.example.no");
    Checkpoint checkpoint = new Checkpoint("log.example.no", 7, new byte[32]);
    shorter = checkpoint.sign(key);
    longer = checkpoint.sign(next); // two keys sign
  }

  @Test
  void whatIsWrittenIsReadAgainAndNothingOfWhatStoodThereBefore() throws Exception {
    assertThat(file.path()).isEqualTo(path);
    assertThat(file.read()).isNull();
    for (SignedNote note : List.of(shorter, longer, shorter, shorter, longer)) {
      file.write(note);
      assertThat(file.read()).isEqualTo(note);
      assertThat(Files.readString(path)).isEqualTo(note.encoded());
    }
    assertThat(folder.resolve("log.key.checkpoint.new")).doesNotExist();
  }

  @Test
  void itIsWrittenOverAlsoWhenItStoodThereBefore() throws Exception {
    Files.writeString(path, longer.encoded());
    file.write(shorter);
    file.close();
    assertThat(Files.readString(path)).isEqualTo(shorter.encoded());
    file.close(); // once more does no harm
    file.write(longer); // and it is opened anew
    assertThat(file.read()).isEqualTo(longer);
  }

  @Test
  void whatCannotBeReadOrWrittenIsNamedWithWhatToDo() throws Exception {
    Files.writeString(path, "x");
    assertThatThrownBy(file::read)
        .isInstanceOf(LedgerException.class)
        .hasMessageStartingWith(
            "The checkpoint file " + path + " cannot be read as a signed note. Restore it;");
    Files.delete(path);
    Files.createDirectory(path);
    assertThatThrownBy(() -> file.write(shorter))
        .isInstanceOf(LedgerException.class)
        .hasMessage("The checkpoint file " + path + " cannot be written");
  }
}
