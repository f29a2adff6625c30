package no.bindeledd.person;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.NotEmpty;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VaultTest {
  /** The properties share one keyset; the tests make their own. */
  private static Path shared = Path.of("");

  private static final byte[] CONTEXT = {1, 2, 3};

  @BeforeContainer
  static void makeKeyset() throws IOException {
    shared = Files.createTempDirectory("vault");
    Vault.createIfMissing(shared.resolve("keyset.json"));
  }

  @AfterContainer
  static void removeKeyset() throws IOException {
    Files.deleteIfExists(shared.resolve("keyset.json"));
    Files.deleteIfExists(shared);
  }

  private static Vault vault() {
    return Vault.open(shared.resolve("keyset.json"));
  }

  @Property(tries = 200)
  void whatIsSealedOpensAgain(@ForAll byte[] plain, @ForAll byte[] context) {
    byte[] sealed = vault().seal(plain, context);
    assertThat(vault().open(sealed, context)).isEqualTo(plain);
    assertThat(vault().seal(plain, context)).as("a nonce of its own").isNotEqualTo(sealed);
  }

  @Property(tries = 200)
  void oneChangedBitBreaksTheSeal(
      @ForAll byte[] plain, @ForAll @IntRange(max = 1_000_000) int place) {
    byte[] sealed = vault().seal(plain, CONTEXT);
    sealed[place % sealed.length] ^= (byte) (1 << (place % 8));
    assertThatThrownBy(() -> vault().open(sealed, CONTEXT))
        .isInstanceOf(SealBrokenException.class)
        .hasMessageStartingWith("The sealed bytes cannot be opened: ");
  }

  @Property(tries = 100)
  void anotherContextDoesNotOpen(@ForAll byte[] plain, @ForAll @NotEmpty byte[] context) {
    byte[] sealed = vault().seal(plain, context);
    byte[] shorter = Arrays.copyOf(context, context.length - 1);
    assertThatThrownBy(() -> vault().open(sealed, shorter)).isInstanceOf(SealBrokenException.class);
  }

  @Property(tries = 100)
  void aCutTextDoesNotOpen(@ForAll byte[] plain, @ForAll @IntRange(max = 1_000_000) int length) {
    byte[] sealed = vault().seal(plain, CONTEXT);
    byte[] cut = Arrays.copyOf(sealed, length % sealed.length);
    assertThatThrownBy(() -> vault().open(cut, CONTEXT)).isInstanceOf(SealBrokenException.class);
  }

  @Test
  void aNewKeysetIsForTheHubAloneAndIsKept(@TempDir Path folder) throws IOException {
    Path keyset = folder.resolve("secrets").resolve("keyset.json");
    byte[] sealed = Vault.createIfMissing(keyset).seal(CONTEXT, CONTEXT);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(keyset)))
        .isEqualTo("rw-------");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(keyset.getParent())))
        .isEqualTo("rwx------");
    assertThat(Vault.createIfMissing(keyset).open(sealed, CONTEXT)).isEqualTo(CONTEXT);
    try (Stream<Path> files = Files.list(keyset.getParent())) {
      assertThat(files).containsExactly(keyset);
    }
  }

  @Test
  void instancesThatStartTogetherShareOneKeyset(@TempDir Path folder) throws Exception {
    Path keyset = folder.resolve("keyset.json");
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      Callable<Vault> start = () -> Vault.createIfMissing(keyset);
      List<Future<Vault>> started =
          IntStream.range(0, 4).mapToObj(i -> threads.submit(start)).toList();
      byte[] sealed = Vault.createIfMissing(keyset).seal(CONTEXT, CONTEXT);
      for (Future<Vault> vault : started) {
        assertThat(vault.get().open(sealed, CONTEXT)).isEqualTo(CONTEXT);
      }
    }
  }

  @Test
  void aRotationNeverMeetsAnInstanceThatCannotOpen(@TempDir Path folder) {
    Path keyset = folder.resolve("keyset.json");
    Vault before = Vault.createIfMissing(keyset);
    byte[] old = before.seal(CONTEXT, CONTEXT);

    Vault.stageKey(keyset);
    Vault staged = Vault.open(keyset);
    assertThat(before.open(staged.seal(CONTEXT, CONTEXT), CONTEXT)).isEqualTo(CONTEXT);

    Vault.promoteStagedKey(keyset);
    Vault promoted = Vault.open(keyset);
    byte[] fresh = promoted.seal(CONTEXT, CONTEXT);
    assertThat(staged.open(fresh, CONTEXT)).isEqualTo(CONTEXT);
    assertThat(promoted.open(old, CONTEXT)).isEqualTo(CONTEXT);
    assertThatThrownBy(() -> before.open(fresh, CONTEXT))
        .as("sealed with the new key")
        .isInstanceOf(SealBrokenException.class);
  }

  @Test
  void aKeysetThatIsMissingOrIsNoneIsRefusedByName(@TempDir Path folder) throws IOException {
    Path missing = folder.resolve("missing.json");
    assertThatThrownBy(() -> Vault.open(missing))
        .isInstanceOf(SecretFileException.class)
        .hasMessage(
            missing + ": the secret cannot be read; check that the file exists and who owns it");
    Path none = Files.writeString(folder.resolve("none.json"), "{}");
    Files.setPosixFilePermissions(none, PosixFilePermissions.fromString("rw-------"));
    assertThatThrownBy(() -> Vault.createIfMissing(none))
        .isInstanceOf(SecretFileException.class)
        .hasMessageContaining("this is not a Tink keyset");
  }
}
