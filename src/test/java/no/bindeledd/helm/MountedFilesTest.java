package no.bindeledd.helm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import no.bindeledd.audit.LogKey;
import no.bindeledd.channel.RecipientKeys;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.hub.ExchangeFolders;
import no.bindeledd.person.Secrets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files as the chart's volumes show them to the hub. */
class MountedFilesTest {
  private static final OrganisationNumber OT = new OrganisationNumber("311013572");

  @TempDir private Path folder;

  /** A projected volume: {@code home} links into {@code ..data}, which is swapped in one step. */
  @Test
  void aMountedHomeHoldsTheSameExchangesAsTheProject() throws IOException {
    Path version = folder.resolve("..2026_11_21");
    for (String part : List.of("routes", "mappings", "policies")) {
      copy(Path.of(part), version.resolve("home").resolve(part));
    }
    Files.createSymbolicLink(folder.resolve("..data"), Path.of("..2026_11_21"));
    Files.createSymbolicLink(folder.resolve("home"), Path.of("..data/home"));

    ExchangeFolders mounted = new ExchangeFolders(folder.resolve("home"));
    ExchangeFolders project = new ExchangeFolders(Path.of("."));
    assertThat(mounted.ids()).isNotEmpty().isEqualTo(project.ids());
    assertThat(mounted.pack().hash()).isEqualTo(project.pack().hash());
    ExchangeFolders.Read read = mounted.all(mounted.codeLists());
    assertThat(read.problems()).isEmpty();
    assertThat(read.exchanges().keySet()).containsExactlyElementsOf(project.ids());
  }

  /** Kubernetes gives a Secret's files to root and to the pod's group: mode 0440 at the least. */
  @Test
  void keysThatThePodsGroupMayReadAreTaken() throws IOException {
    Secrets.openOrCreate(folder).pseudonymizer();
    Secrets.openOrCreate(folder).vault();
    LogKey.open(folder.resolve("log.key"), "hub.example.no/1");
    RecipientKeys.openOrCreate(folder.resolve("recipients")).of(OT);
    for (String file :
        List.of(
            "pseudonym.secret", "vault.keyset.json", "log.key", "recipients/311013572.jwks.json")) {
      Files.setPosixFilePermissions(
          folder.resolve(file), PosixFilePermissions.fromString("r--r-----"));
    }

    assertThatCode(() -> Secrets.open(folder).pseudonymizer()).doesNotThrowAnyException();
    assertThatCode(() -> Secrets.open(folder).vault()).doesNotThrowAnyException();
    assertThatCode(() -> LogKey.open(folder.resolve("log.key"), "hub.example.no/1"))
        .doesNotThrowAnyException();
    assertThatCode(() -> RecipientKeys.open(folder.resolve("recipients")).of(OT))
        .doesNotThrowAnyException();
  }

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
        if (!file.toString().contains("/samples/")) {
          Path target = to.resolve(from.relativize(file).toString());
          Files.createDirectories(target.getParent());
          Files.copy(file, target);
        }
      }
    }
  }
}
