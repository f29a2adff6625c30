package no.bindeledd.person;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SecretsTest {
  private static final NationalId SOMEONE =
      (NationalId) NationalId.parse("17912099997", Numbers.SYNTHETIC_ONLY);

  private final Path folder;

  SecretsTest(@TempDir Path folder) {
    this.folder = folder;
  }

  @Test
  void aNewHubMakesItsSecretsOnceAndKeepsThem() throws IOException {
    Secrets first = Secrets.openOrCreate(folder.resolve("secrets"));
    Pseudonym pseudonym = first.pseudonymizer().pseudonym(SOMEONE);
    byte[] sealed = first.vault().seal(new byte[] {1}, new byte[0]);
    byte[] digest = first.secret("digest");

    Secrets again = Secrets.open(folder.resolve("secrets"));
    assertThat(again.pseudonymizer().pseudonym(SOMEONE)).isEqualTo(pseudonym);
    assertThat(again.vault().open(sealed, new byte[0])).containsExactly(1);
    assertThat(again.secret("digest")).isEqualTo(digest).hasSize(32);
    assertThat(again.secret("pseudonym")).isNotEqualTo(digest);
    assertThat(Files.getPosixFilePermissions(folder.resolve("secrets/pseudonym.secret")))
        .isEqualTo(PosixFilePermissions.fromString("rw-------"));
  }

  @Test
  void productionNeverMakesASecretThatWouldNotFitWhatIsStored() {
    Secrets secrets = Secrets.open(folder);
    assertThatThrownBy(secrets::pseudonymizer)
        .isInstanceOf(SecretFileException.class)
        .hasMessageContaining("pseudonym.secret: the secret cannot be read");
    assertThatThrownBy(secrets::vault).isInstanceOf(SecretFileException.class);
    assertThat(folder).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-r--r--", "rw-----w-", "rw-rw----", "rw------x"})
  void aSecretThatOthersMayReadOrChangeIsRefused(String mode) throws IOException {
    Path file = secretFile("ab".repeat(32), mode);
    assertThatThrownBy(() -> Secrets.openOrCreate(folder).secret("pseudonym"))
        .isInstanceOf(SecretFileException.class)
        .hasMessage(
            file
                + ": others may read or change this secret ("
                + mode
                + "); run chmod 600 on it, and replace it if it may have been read");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-------", "r--------", "r--r-----"})
  void aSecretThatOnlyTheHubOrItsGroupReadsIsTaken(String mode) throws IOException {
    secretFile("ab".repeat(32) + "\n", mode);
    assertThat(Secrets.open(folder).secret("pseudonym")).hasSize(32).containsOnly(0xab);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "ab", "not a secret at all, but just as long as one would have to be."})
  void aSecretOfAnotherFormIsRefusedWithoutShowingIt(String text) throws IOException {
    Path file = secretFile(text, "rw-------");
    assertThatThrownBy(() -> Secrets.open(folder).pseudonymizer())
        .isInstanceOf(SecretFileException.class)
        .hasMessage(
            file
                + ": this is not a secret of 64 hexadecimal characters; restore it from backup, or"
                + " for a new hub make it with: openssl rand -hex 32");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "../x", "a/b", "A", "a.b"})
  void aNameThatCouldLeaveTheFolderIsRefused(String name) {
    assertThatThrownBy(() -> Secrets.openOrCreate(folder).secret(name))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private Path secretFile(String text, String mode) throws IOException {
    Path file = Files.writeString(folder.resolve("pseudonym.secret"), text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
    return file;
  }
}
