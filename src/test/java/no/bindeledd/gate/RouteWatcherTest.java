package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import no.bindeledd.gate.RouteWatcher.Change;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RouteWatcherTest {
  private final Path home;
  private final List<Change> changes = new CopyOnWriteArrayList<>();
  private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
  private final RouteWatcher watcher;

  RouteWatcherTest(@TempDir Path home) {
    this.home = home;
    watcher = new RouteWatcher(home, changes::add, scheduler, Duration.ofDays(1));
  }

  @BeforeEach
  void start() throws IOException {
    write("routes/toy/exchange.yaml", "id: toy");
    write("routes/other/exchange.yaml", "id: other");
    write("mappings/toy/ot.jslt", "{}");
    write("mappings/codes/status.csv", "a;b");
    write("policies/agreements/a.yaml", "id: a");
    watcher.start();
  }

  @AfterEach
  void stop() {
    watcher.close();
    scheduler.shutdownNow();
  }

  @Test
  void nothingIsReportedWhileNothingChanges() {
    look(3);
    assertThat(changes).isEmpty();
  }

  @Test
  void aChangeIsReportedOnceAndOnlyWhenItHasSettled() throws IOException {
    write("routes/toy/receive.camel.yaml", "- rou");
    look(1);
    assertThat(changes).isEmpty();
    write("routes/toy/receive.camel.yaml", "- route:");
    look(1);
    assertThat(changes).isEmpty();
    look(3);
    assertThat(changes).containsExactly(change(false, "toy"));
  }

  @Test
  void aChangeOfTheSameLengthIsSeen() throws IOException {
    write("routes/toy/exchange.yaml", "id: yot");
    look(2);
    assertThat(changes).containsExactly(change(false, "toy"));
  }

  @Test
  void aNewAndADeletedFolderAreReported() throws IOException {
    write("routes/new/exchange.yaml", "id: new");
    Files.delete(home.resolve("routes/other/exchange.yaml"));
    Files.delete(home.resolve("routes/other"));
    look(2);
    assertThat(changes).containsExactly(change(false, "new", "other"));
  }

  @Test
  void aMappingBelongsToItsExchangeAndACodeListToAll() throws IOException {
    write("mappings/toy/ot.jslt", "{\"a\": 1}");
    look(2);
    write("mappings/codes/status.csv", "a;c");
    look(2);
    assertThat(changes).containsExactly(change(false, "toy"), change(false, "other", "toy"));
  }

  @Test
  void aPolicyIsReportedAsSuch() throws IOException {
    write("policies/agreements/a.yaml", "id: b");
    look(2);
    assertThat(changes).containsExactly(change(true));
  }

  @Test
  void samplesAndHiddenFilesAreNotWatched() throws IOException {
    write("routes/toy/samples/one/case.yaml", "at: now");
    write("routes/toy/.exchange.yaml.swp", "x");
    write("routes/toy/exchange.yaml~", "x");
    look(3);
    assertThat(changes).isEmpty();
  }

  @Test
  void aListenerThatFailsIsToldAgain() throws IOException {
    List<Change> told = new ArrayList<>();
    RouteWatcher fails =
        new RouteWatcher(
            home,
            change -> {
              told.add(change);
              if (told.size() == 1) {
                throw new IllegalStateException("database down");
              }
            },
            scheduler,
            Duration.ofDays(1));
    fails.start();
    write("routes/toy/exchange.yaml", "id: yot");
    for (int i = 0; i < 5; i++) {
      fails.look();
    }
    assertThat(told).containsExactly(change(false, "toy"), change(false, "toy"));
  }

  @Test
  void theSchedulerDoesTheLooking() throws IOException {
    List<Change> told = new CopyOnWriteArrayList<>();
    try (RouteWatcher runs = new RouteWatcher(home, told::add, scheduler, Duration.ofMillis(5))) {
      runs.start();
      write("routes/toy/exchange.yaml", "id: yot");
      await().untilAsserted(() -> assertThat(told).containsExactly(change(false, "toy")));
    }
  }

  private void look(int times) {
    for (int i = 0; i < times; i++) {
      watcher.look();
    }
  }

  private static Change change(boolean policies, String... exchanges) {
    return new Change(new TreeSet<>(List.of(exchanges)), policies);
  }

  private void write(String file, String text) throws IOException {
    Path path = home.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
