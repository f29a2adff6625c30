package no.bindeledd.e2e;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.util.List;
import java.util.Objects;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogProof;
import no.bindeledd.audit.LogVerifier;
import no.bindeledd.audit.LogWebsite;
import no.bindeledd.audit.ProgressListener;
import no.bindeledd.audit.SignedNote;
import no.bindeledd.audit.TileTree;
import no.bindeledd.hub.Publication;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the whole hub did stands in a log that anyone can check with its verifier key. */
@ExtendWith(TestHouse.Resident.class)
class PublishedLogTest {
  private final TestHouse house;

  PublishedLogTest(TestHouse house) {
    this.house = house;
  }

  @Test
  void theFolderVerifiesOfflineAndProvesEachEntryOverHttp() throws Exception {
    house.consent(Youth.next(), "IPS_REFERRAL");
    long size = house.hub.part(Publication.class).now();
    LogDirectory folder = house.hub.part(LogDirectory.class);
    assertThat(
            LogVerifier.verify(
                    folder,
                    house.hub.logKey().verifiers(),
                    folder.earlierCheckpoints(),
                    2,
                    ProgressListener.NONE)
                .firstProblem())
        .isNull();
    LogWebsite site = new LogWebsite(URI.create(prefix()), HttpClient.newHttpClient());
    SignedNote note = SignedNote.parse(Objects.requireNonNull(site.read("checkpoint")));
    long entry = size - 1;
    assertThat(
            LogProof.of(site, entry, note)
                .problem(new TileTree(folder, size).entry(entry), house.hub.logKey().verifiers()))
        .isNull();
  }

  @Test
  void overHttpTheEntriesAreGivenOnlyWhereTheSettingsSaySo() throws Exception {
    house.hub.part(Publication.class).now();
    LogWebsite site = new LogWebsite(URI.create(prefix()), HttpClient.newHttpClient());
    assertThatThrownBy(
            () ->
                LogVerifier.verify(
                    site, house.hub.logKey().verifiers(), List.of(), 1, ProgressListener.NONE))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("status 403");
  }

  @Test
  void nothingButPiecesOfTheLogIsServed() {
    for (String path :
        List.of("/log/", "/log/other/checkpoint", "tile/0/999", "../secrets/log.key", "x")) {
      URI address = URI.create(path.startsWith("/") ? house.address(path) : prefix() + "/" + path);
      assertThat(house.send(HttpRequest.newBuilder(address).GET()).status())
          .as(path)
          .isIn(400, 404);
    }
  }

  private String prefix() {
    return house.address("/log/" + house.hub.logKey().verifier().name());
  }
}
