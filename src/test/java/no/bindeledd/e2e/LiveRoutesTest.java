package no.bindeledd.e2e;

import static no.bindeledd.e2e.TestHouse.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import no.bindeledd.demo.Agencies;
import no.bindeledd.e2e.Inbox.Letter;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The README's toy exchange and other changes in the home folder of a hub that runs. */
@ExtendWith(TestHouse.Resident.class)
class LiveRoutesTest {
  private static final String TOY = "meeting-invitation";
  private static final Pattern TEN_MINUTES =
      Pattern.compile("## Add a route in ten minutes.*?```sh\n(.*?)```", Pattern.DOTALL);

  @TempDir static Path toy;

  private final TestHouse house;

  LiveRoutesTest(TestHouse house) {
    this.house = house;
  }

  /** Does what the README says, in a folder of its own. */
  @BeforeAll
  static void followTheReadme() throws IOException {
    Matcher recipe = TEN_MINUTES.matcher(Files.readString(Path.of("README.md")));
    assertThat(recipe.find()).isTrue();
    String script = recipe.group(1);
    assertThat(script).contains("/tmp/toy");
    CommandLine.Ended ended =
        CommandLine.run(List.of("bash", "-ec", script.replace("/tmp/toy", toy.toString())));
    assertThat(ended.exitCode()).isZero();
  }

  @AfterEach
  void putTheHomeBack() throws IOException {
    for (String folder : List.of("routes", "mappings", "policies")) {
      TestHouse.remove(house.home.resolve(folder).resolve(TOY));
      TestHouse.copy(Path.of(folder), house.home.resolve(folder));
    }
    Path policies = house.home.resolve("policies");
    try (Stream<Path> files = Files.walk(policies)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        if (!Files.exists(Path.of("policies").resolve(policies.relativize(file).toString()))) {
          Files.delete(file);
        }
      }
    }
    house.nav.behaveAsUsual();
    await().atMost(PATIENCE).until(() -> house.hub.catalogue().current().exchange(TOY).isEmpty());
    await()
        .atMost(PATIENCE)
        .untilAsserted(() -> assertThat(status()).as(refusals()).isEqualTo("UP"));
    house.settle();
  }

  @Test
  void theReadmesToyExchangeIsCleanAndItsSamplePasses() {
    CommandLine.Ended validate = CommandLine.bindeledd("validate", "--home", toy.toString());
    CommandLine.Ended test = CommandLine.bindeledd("test", TOY, "--home", toy.toString());

    assertThat(validate.exitCode()).as(validate.out().toString()).isZero();
    assertThat(test.exitCode()).as(test.out().toString()).isZero();
    assertThat(test.out()).contains("ok     " + TOY + "/no-phone");
  }

  @Test
  void aNewExchangeIsTakenUpABrokenChangeRefusedAndARemovedOneGoneWhileTheOthersRun()
      throws IOException {
    Map<Route, String> others = runningRoutes();
    assertThat(invite("TOY-0", Youth.next()).status()).isEqualTo(404);

    copyToy();
    await().atMost(PATIENCE).until(() -> house.hub.catalogue().current().exchange(TOY).isPresent());
    Youth first = Youth.next();
    TestHouse.Reply taken = invite("TOY-1", first);

    assertThat(taken.status()).as(taken.toString()).isEqualTo(202);
    assertThat(taken.answers().getFirst().path("outcome").asText()).isEqualTo("REDUCED");
    assertThat(invitation(first))
        .isEqualTo(
            TestHouse.JSON
                .createObjectNode()
                .put("foedselsnummer", first.number())
                .put("tid", "2026-09-14T09:00")
                .put("sted", "Rådhuset"));
    assertThat(acts()).endsWith(TOY + " ADDED");

    // A route that goes round the contract, and a mapping that does not compile: refused whole.
    change(
        "routes/meeting-invitation/deliver-school.camel.yaml", "school.meeting", "other.meeting");
    change("mappings/meeting-invitation/school.jslt", "\"tid\": .time", "\"tid\": .tiem");
    await().atMost(PATIENCE).until(() -> status().equals("OUT_OF_DATE"));
    JsonNode refused = house.health().path("components").path("folders").path("details").path(TOY);
    assertThat(refused.toString()).containsPattern("school\\.jslt:[0-9]+: ");
    Youth second = Youth.next();
    assertThat(invite("TOY-2", second).status()).as("the old version runs").isEqualTo(202);
    assertThat(invitation(second).path("tid").asText()).isEqualTo("2026-09-14T09:00");

    change("mappings/meeting-invitation/school.jslt", "\"tid\": .tiem", "\"tid\": .time");
    await().atMost(PATIENCE).until(() -> refusals().contains("deliver-school.camel.yaml:"));
    assertThat(invite("TOY-3", Youth.next()).status()).isEqualTo(202);

    // Mended, with a change that is good.
    change(
        "routes/meeting-invitation/deliver-school.camel.yaml", "other.meeting", "school.meeting");
    change("mappings/meeting-invitation/school.jslt", ".place", "\"Skolen\"");
    await().atMost(PATIENCE).until(() -> status().equals("UP"));
    Youth third = Youth.next();
    assertThat(invite("TOY-4", third).status()).isEqualTo(202);
    assertThat(invitation(third).path("sted").asText()).isEqualTo("Skolen");
    assertThat(acts()).endsWith(TOY + " CHANGED");

    house.settle();
    TestHouse.remove(house.home.resolve("routes").resolve(TOY));
    await().atMost(PATIENCE).until(() -> house.hub.catalogue().current().exchange(TOY).isEmpty());
    assertThat(invite("TOY-5", Youth.next()).status()).isEqualTo(404);
    await().atMost(PATIENCE).untilAsserted(() -> assertThat(acts()).endsWith(TOY + " REMOVED"));
    assertThat(runningRoutes()).as("not one was stopped or replaced").isEqualTo(others);
  }

  @Test
  void aNewFolderThatIsBrokenIsRefusedAndForgottenWhenItIsRemoved() throws IOException {
    Path folder = house.home.resolve("routes").resolve(TOY);
    Files.createDirectories(folder);
    Files.writeString(folder.resolve("exchange.yaml"), "id: meeting-invitation\nmode: NONE\n");

    await().atMost(PATIENCE).until(() -> status().equals("OUT_OF_DATE"));
    assertThat(refusals()).contains("exchange.yaml:");
    assertThat(invite("TOY-BROKEN", Youth.next()).status()).isEqualTo(404);
    TestHouse.remove(folder);

    await().atMost(PATIENCE).until(() -> status().equals("UP"));
  }

  @Test
  void aRuleChangeParksWhatIsQueuedAndTheNextOneLetsItGo() throws IOException {
    Youth youth = Youth.next();
    house.consent(youth, "EMPLOYMENT_SUPPORT");
    house.nav.behave(call -> Peer.Answer.of(503));
    try (MllpLine line = house.mllp()) {
      assertThat(line.send(MllpLine.referral("E2E-PARKED", youth)).code()).isEqualTo("AA");
    }
    long held = house.books("ips-referral").held();

    change(
        "policies/agreements/health-nav.yaml",
        "bindingness: KAN",
        "bindingness: SAERSKILTE_TILFELLER");
    await().atMost(PATIENCE).until(() -> house.books("ips-referral").held() == held + 1);
    house.nav.behaveAsUsual();
    int tries = house.nav.about(youth).size();
    change(
        "policies/agreements/health-nav.yaml",
        "bindingness: SAERSKILTE_TILFELLER",
        "bindingness: KAN");

    await().atMost(PATIENCE).until(() -> house.nav.about(youth).size() == tries + 1);
    house.settle();
    assertThat(house.books("ips-referral").held()).isEqualTo(held);
  }

  @Test
  void aPackWhoseClauseNamesNoExchangeOrFieldIsRefusedWholeAndTheOldOneStays() throws IOException {
    String file = "policies/agreements/health-nav.yaml";
    String pack = house.hub.catalogue().current().pack().hash();

    change(file, "exchange: ips-referral", "exchange: ips-referal");
    await().atMost(PATIENCE).until(() -> status().equals("OUT_OF_DATE"));
    assertThat(refusals())
        .contains(
            "health-nav.yaml:16: There is no exchange 'ips-referal'; correct the name to a folder"
                + " under routes/, or remove the clause");
    change(file, "exchange: ips-referal", "exchange: ips-referral");
    await().atMost(PATIENCE).until(() -> status().equals("UP"));

    change(file, "bindingness: KAN", "fields: [/pasient/diagnose]\n      bindingness: KAN");
    await().atMost(PATIENCE).until(() -> status().equals("OUT_OF_DATE"));
    assertThat(refusals())
        .contains(
            "health-nav.yaml:20: No view of ips-referral to that receiver has the field"
                + " /pasient/diagnose; correct the path to one of the contract's, or remove it");
    assertThat(house.hub.catalogue().current().pack().hash()).isEqualTo(pack);
    change(file, "fields: [/pasient/diagnose]\n      bindingness: KAN", "bindingness: KAN");
    await().atMost(PATIENCE).until(() -> status().equals("UP"));
  }

  private void copyToy() {
    TestHouse.copy(toy.resolve("mappings"), house.home.resolve("mappings"));
    TestHouse.copy(toy.resolve("policies"), house.home.resolve("policies"));
    TestHouse.copy(toy.resolve("routes"), house.home.resolve("routes"));
  }

  private void change(String file, String from, String to) throws IOException {
    Path path = house.home.resolve(file);
    String text = Files.readString(path);
    assertThat(text).as(file).contains(from);
    Files.writeString(path, text.replace(from, to));
  }

  private TestHouse.Reply invite(String id, Youth youth) {
    return house.post(
        TOY,
        Agencies.OT,
        """
        {"messageId": "%s", "foedselsnummer": "%s", "time": "2026-09-14T09:00",
         "place": "Rådhuset", "phone": "+4799990001"}
        """
            .formatted(id, youth.number()));
  }

  private JsonNode invitation(Youth youth) {
    return await()
        .atMost(PATIENCE)
        .until(() -> house.inbox.on(TestHouse.INVITATION, youth), found -> found.size() == 1)
        .stream()
        .map(Letter::json)
        .findFirst()
        .orElseThrow();
  }

  private String status() {
    return house.health().path("status").asText();
  }

  private String refusals() {
    return house.health().path("components").path("folders").path("details").toString();
  }

  /** What the ledger says of this exchange's route. */
  private List<String> acts() {
    List<String> acts = new ArrayList<>();
    for (JsonNode entry : house.ledger.after(-1)) {
      if (entry.path("station").asText().equals("ROUTE")
          && entry.path("exchange").asText().equals(TOY)) {
        acts.add(TOY + " " + entry.path("outcome").asText());
      }
    }
    return acts;
  }

  /** The routes of all other exchanges, as the objects they are. */
  private Map<Route, String> runningRoutes() {
    CamelContext camel = house.hub.part(CamelContext.class);
    Map<Route, String> routes = new IdentityHashMap<>();
    for (Route route : camel.getRoutes()) {
      if (!route.getRouteId().startsWith(TOY)) {
        assertThat(camel.getRouteController().getRouteStatus(route.getRouteId()).isStarted())
            .isTrue();
        routes.put(route, route.getRouteId());
      }
    }
    return routes;
  }
}
