package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Stream;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import org.apache.camel.Exchange;
import org.apache.camel.ServiceStatus;
import org.apache.camel.impl.DefaultCamelContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RouteFoldersTest {
  private static final RouteLinter LINTER = new RouteLinter();

  private final FakeGate gate = new FakeGate();
  private final DefaultCamelContext context = new DefaultCamelContext();
  private final ExecutorService starter = Executors.newVirtualThreadPerTaskExecutor();
  private final ScheduledExecutorService retries = Executors.newSingleThreadScheduledExecutor();
  private final List<String> received = new CopyOnWriteArrayList<>();
  private final HttpServer peer;
  private final RouteFolders folders;
  private final Path home;
  private final Contract toy;

  RouteFoldersTest(@TempDir Path home) throws IOException {
    this.home = home;
    toy =
        ToyContract.contract(
            "toy",
            Files.createDirectories(home.resolve("toy")),
            ToyContract.recipient("ot", "{{peer}}/ot"),
            ToyContract.recipient("nav", "{{peer}}/nav"));
    peer = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    folders =
        new RouteFolders(
            context,
            LINTER,
            Placeholders.of(context),
            starter,
            retries,
            Duration.ofSeconds(20),
            Duration.ofMillis(10));
  }

  @BeforeEach
  void start() {
    peer.createContext(
        "/",
        http -> {
          String body = new String(http.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
          received.add(http.getRequestURI() + " " + body);
          http.sendResponseHeaders(body.equals("bad") ? 500 : 204, -1);
          http.close();
        });
    peer.start();
    Properties properties = new Properties();
    properties.setProperty("peer", "http://127.0.0.1:" + peer.getAddress().getPort());
    context.getPropertiesComponent().setInitialProperties(properties);
    context.addComponent("gate", gate);
    context.start();
  }

  @AfterEach
  void stop() {
    folders.close();
    context.stop();
    retries.shutdownNow();
    starter.shutdownNow();
    peer.stop(0);
  }

  @Test
  void aFolderIsLoadedAndDeliversToItsRecipients() throws Exception {
    route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav?httpMethod=PUT");

    assertThat(load()).isEmpty();

    gate.push("ot", "one");
    gate.push("nav", "two");
    assertThat(received).containsExactly("/ot one", "/nav two");
    assertThat(folders.routes().get("toy"))
        .extracting(RouteFile::routeId)
        .containsExactlyInAnyOrder("toy.deliver-ot", "toy.deliver-nav");
    assertThat(folders.waiting()).isEmpty();
    assertThat(folders.strangers()).isEmpty();
  }

  @Test
  void aRouteHasNoErrorHandlerSoThatTheGateSeesEachFailureOnce() throws Exception {
    route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav");
    load();

    Exchange exchange = gate.push("ot", "bad");

    assertThat(exchange.getException()).isNotNull();
    assertThat(received).containsExactly("/ot bad");
  }

  @Test
  void onlyTheRouteWhoseFileChangedIsReplaced() throws Exception {
    route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav");
    load();
    gate.log.clear();

    route("nav", "{{peer}}/nav?httpMethod=PUT");
    assertThat(load()).isEmpty();
    assertThat(gate.log).containsExactly("stop nav", "start nav");

    gate.log.clear();
    assertThat(load()).isEmpty();
    assertThat(gate.log).isEmpty();
  }

  @Test
  void aRenamedFileReplacesItsRoute() throws Exception {
    Path old = route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav");
    load();

    Files.move(old, old.resolveSibling("renamed.camel.yaml"));
    assertThat(load()).isEmpty();

    gate.push("ot", "one");
    assertThat(received).containsExactly("/ot one");
    assertThat(context.getRoutes()).hasSize(2);
  }

  @Test
  void aBrokenFolderIsRefusedWholeAndTheOldVersionRunsOn() throws Exception {
    route("ot", "{{peer}}/ot");
    Path nav = route("nav", "{{peer}}/nav");
    load();
    gate.log.clear();

    route("ot", "{{peer}}/ot?httpMethod=PUT");
    route("nav", "{{peer}}/evil");
    List<Problem> problems = load();

    assertThat(problems)
        .singleElement()
        .satisfies(
            p -> {
              assertThat(p.file()).isEqualTo(nav);
              assertThat(p.line()).isEqualTo(6);
              assertThat(p.what()).contains("goes to another address");
            });
    assertThat(gate.log).isEmpty();
    gate.push("nav", "still");
    assertThat(received).containsExactly("/nav still");
  }

  @Test
  void aNewVersionThatCannotBeBuiltGivesWayToTheOldOne() throws Exception {
    route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav");
    load();

    route("ot", "{{peer}}/ot?sslContextParameters=#nobody");
    List<Problem> problems = load();

    assertThat(problems).singleElement().satisfies(p -> assertThat(p.what()).contains("be built"));
    gate.push("ot", "one");
    gate.push("nav", "two");
    assertThat(received).containsExactly("/ot one", "/nav two");
    assertThat(folders.routes().get("toy"))
        .allSatisfy(file -> assertThat(file.text()).doesNotContain("nobody"));
  }

  @Test
  void aNewVersionThatDoesNotStartGivesWayToTheOldOne() throws Exception {
    route("ot", "{{peer}}/ot");
    Path nav = route("nav", "{{peer}}/nav");
    load();
    gate.log.clear();

    gate.failOnce("nav");
    route("nav", "{{peer}}/nav?httpMethod=PUT");
    List<Problem> problems = load();

    assertThat(problems)
        .extracting(Problem::toString)
        .containsExactly(
            nav
                + ":0: the route 'toy.deliver-nav' does not start (ConnectException: the peer is"
                + " down); the version before it keeps running; correct the file");
    assertThat(gate.log).containsExactly("stop nav", "fail nav", "start nav");
    assertThat(folders.waiting()).isEmpty();
  }

  @Test
  void aPeerThatIsDownAtTheStartStopsNoOtherRouteAndIsTriedAgain() throws Exception {
    gate.failing.add("nav");
    route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav");

    assertThat(load()).isEmpty();

    gate.push("ot", "one");
    assertThat(received).containsExactly("/ot one");
    assertThat(folders.waiting())
        .containsExactly(
            java.util.Map.entry("toy.deliver-nav", "ConnectException: the peer is down"));

    gate.failing.clear();
    await().until(() -> folders.waiting().isEmpty());
    gate.push("nav", "two");
    assertThat(received).containsExactly("/ot one", "/nav two");
  }

  @Test
  void aStartThatHangsIsLeftToItself() throws Exception {
    CountDownLatch latch = new CountDownLatch(1);
    gate.hanging.put("nav", latch);
    route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav");
    try (RouteFolders impatient =
        new RouteFolders(
            context,
            LINTER,
            Placeholders.of(context),
            starter,
            retries,
            Duration.ZERO,
            Duration.ofMillis(10))) {
      try (Stream<Path> files = Files.list(toy.folder())) {
        assertThat(impatient.load(toy, files.sorted().toList())).isEmpty();
      }
      assertThat(impatient.waiting()).containsEntry("toy.deliver-nav", "still starting");

      latch.countDown();
      await().until(() -> impatient.waiting().isEmpty());
      gate.push("nav", "one");
      gate.push("ot", "two");
      assertThat(received).containsExactly("/nav one", "/ot two");
    }
  }

  @Test
  void whenNeitherVersionStartsThePeerIsAtFaultAndTheNewOneStays() throws Exception {
    route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav");
    load();

    gate.failing.add("nav");
    route("nav", "{{peer}}/nav?httpMethod=PUT");
    assertThat(load()).isEmpty();
    assertThat(folders.waiting()).containsOnlyKeys("toy.deliver-nav");

    gate.failing.clear();
    await().until(() -> folders.waiting().isEmpty());
    assertThat(folders.routes().get("toy"))
        .anySatisfy(file -> assertThat(file.text()).contains("httpMethod=PUT"));
    gate.push("nav", "two");
    assertThat(received).containsExactly("/nav two");
  }

  @Test
  void aRouteThatWaitsForItsPeerIsForgottenWithItsFolder() throws Exception {
    gate.failing.add("nav");
    route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav");
    load();

    folders.remove("toy");

    assertThat(folders.waiting()).isEmpty();
    assertThat(context.getRoutes()).isEmpty();
    assertThat(context.getRouteDefinitions()).isEmpty();
  }

  @Test
  void removingOneExchangeLeavesTheOthersRunning() throws Exception {
    route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav");
    load();
    Contract other =
        ToyContract.contract(
            "other",
            Files.createDirectories(home.resolve("other")),
            ToyContract.recipient("county", "{{peer}}/county"));
    Files.writeString(
        other.folder().resolve("a.camel.yaml"),
        RouteLinterTest.deliver("other", "county", "{{peer}}/county"));
    assertThat(folders.load(other, List.of(other.folder().resolve("a.camel.yaml")))).isEmpty();
    gate.log.clear();

    folders.remove("toy");

    assertThat(gate.log).containsExactlyInAnyOrder("stop ot", "stop nav");
    assertThat(folders.routes()).containsOnlyKeys("other");
    assertThat(context.getRouteController().getRouteStatus("other.deliver-county"))
        .isEqualTo(ServiceStatus.Started);
  }

  @Test
  void anIdThatAnotherRouteHasIsRefused() throws Exception {
    context.addRoutes(
        new org.apache.camel.builder.RouteBuilder() {
          @Override
          public void configure() {
            from("direct:hub").routeId("toy.deliver-ot").to("gate:toy?from=hub");
          }
        });
    Path ot = route("ot", "{{peer}}/ot");
    route("nav", "{{peer}}/nav");

    assertThat(load())
        .extracting(Problem::toString)
        .containsExactly(
            ot
                + ":0: the route id 'toy.deliver-ot' is already used by another route; give it an"
                + " id of its own");
    assertThat(context.getRoutes()).hasSize(1);
    assertThat(folders.strangers()).containsExactly("toy.deliver-ot");
  }

  private Path route(String recipient, String to) throws IOException {
    return Files.writeString(
        toy.folder().resolve("deliver-" + recipient + ".camel.yaml"),
        RouteLinterTest.deliver("toy", recipient, to));
  }

  private List<Problem> load() throws IOException {
    try (Stream<Path> files = Files.list(toy.folder())) {
      return folders.load(toy, files.sorted().toList());
    }
  }
}
