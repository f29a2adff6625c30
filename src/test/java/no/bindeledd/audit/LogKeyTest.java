package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The file with the signing key: who may read it, and what must stand in it. */
@SuppressWarnings("NullAway.Init")
class LogKeyTest {
  @TempDir Path folder;
  private Path file;

  @BeforeEach
  void make() throws IOException {
    file = folder.resolve("log.key");
    LogKey.open(file, "log.example.no");
  }

  private void mode(String mode) throws IOException {
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-------", "r--------", "r--r-----", "rwxr-x--x"})
  void aKeyThatItsOwnerOrAMountedGroupReadsIsOpened(String mode) throws Exception {
    VerifierKey before = LogKey.open(file, "log.example.no").verifier();
    mode(mode);
    assertThat(LogKey.open(file, "log.example.no").verifier()).isEqualTo(before);
    assertThat(LogKey.addNext(file, "log.example.no").verifiers()).hasSize(2);
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw--w----", "rw----r--", "rw-----w-", "rwxrwxrwx"})
  void aKeyThatOthersReadOrAGroupChangesIsRefusedAndGetsNoNext(String mode) throws Exception {
    mode(mode);
    String problem =
        "The log's key %s can be read or changed by others: set its mode to 600".formatted(file);
    assertThatThrownBy(() -> LogKey.open(file, "log.example.no"))
        .isInstanceOf(LedgerException.class)
        .hasMessage(problem);
    assertThatThrownBy(() -> LogKey.addNext(file, "log.example.no"))
        .isInstanceOf(LedgerException.class)
        .hasMessage(problem);
    assertThat(folder.resolve("log.key.next")).doesNotExist();
  }

  @Test
  void aFileThatIsNotWholeIsRefused() throws Exception {
    String pem = Files.readString(file);
    String body = pem.lines().skip(1).findFirst().orElseThrow();
    for (String wrong :
        List.of(
            "",
            pem.replace("-----END PRIVATE KEY-----", ""),
            pem.replace("-----BEGIN PRIVATE KEY-----", ""))) {
      Files.writeString(file, wrong);
      assertThatThrownBy(() -> LogKey.open(file, "log.example.no"))
          .isInstanceOf(LedgerException.class)
          .hasMessage("The log's key %s is not PKCS#8 in PEM".formatted(file));
    }
    for (String wrong : List.of(body.substring(4), "", "AAAA", "*")) {
      Files.writeString(file, pem.replace(body, wrong));
      assertThatThrownBy(() -> LogKey.open(file, "log.example.no"))
          .isInstanceOf(LedgerException.class)
          .hasMessage("The log's key %s is not an Ed25519 key in PKCS#8".formatted(file));
    }
    Files.writeString(file, "\n " + pem + "\n\n");
    LogKey.open(file, "log.example.no");
    Files.writeString(folder.resolve("log.key.vkey"), "x\n");
    assertThatThrownBy(() -> LogKey.open(file, "log.example.no"))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("log.key.vkey has a line that is no verifier key");
  }

  @Test
  void aCheckpointIsTheSameWhenNameSizeAndRootAre() {
    Checkpoint one = new Checkpoint("log.example.no", 3, new byte[32]);
    byte[] other = new byte[32];
    other[31] = 1;
    assertThat(one)
        .isEqualTo(Checkpoint.parse(one.toString()))
        .hasSameHashCodeAs(Checkpoint.parse(one.text()))
        .isNotEqualTo(new Checkpoint("other.example.no", 3, new byte[32]))
        .isNotEqualTo(new Checkpoint("log.example.no", 4, new byte[32]))
        .isNotEqualTo(new Checkpoint("log.example.no", 3, other))
        .isNotEqualTo("x");
    assertThat(new Checkpoint("log.example.no", 4, new byte[32])).doesNotHaveSameHashCodeAs(one);
  }
}
