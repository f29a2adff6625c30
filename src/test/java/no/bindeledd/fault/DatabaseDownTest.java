package no.bindeledd.fault;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import no.bindeledd.demo.ConsentPortal;
import no.bindeledd.demo.Hub;
import no.bindeledd.demo.NavOffice;
import no.bindeledd.demo.World;
import no.bindeledd.gate.Books;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.gate.Journal;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

/** A whole hub whose database stops and comes back. */
@ExtendWith(RealHub.Extension.class)
@Timeout(150)
class DatabaseDownTest {
  private static final int PATIENT = 1_000;

  /** A test that failed in the middle is not to fail the others. */
  @AfterEach
  void startAgain(RealHub real) {
    real.database.startAgain();
  }

  @Test
  void with_the_database_down_the_gate_is_shut_and_afterwards_everything_catches_up_by_itself(
      RealHub real) throws Exception {
    World world = real.world;
    RealHub.Tally tally = real.tally();
    try (ConsentPortal portal = real.portal();
        Hub patient = real.asSender(PATIENT)) {
      portal.registerProtections(world.population());
      portal.registerConsents(world.population(), false);

      // Referrals that are recorded and wait for NAV.
      real.navAnswers = 503;
      UUID withdrawn = UUID.randomUUID();
      for (int person = 0; person < 20; person++) {
        UUID id = person == 0 ? withdrawn : UUID.randomUUID();
        assertThat(real.consent(id, person).statusCode()).isEqualTo(200);
        assertThat(real.mllp(Letters.referral(person, person).raw().body())).contains("\nMSA|AA|");
      }
      long waiting = real.books("ips-referral").pending();
      assertThat(waiting).isEqualTo(20);

      real.database.stop();

      assertShut(real.withdrawal(withdrawn, 0));

      assertShut(real.post("measure-capacity", RealHub.capacity("DOWN-1")));
      assertShut(real.post("rights-query", RealHub.question("DOWN-2", 1)));
      assertThat(real.mllp(Letters.referral(300, 300).raw().body()))
          .contains("\nMSA|AR|")
          .containsPattern("\nERR\\|[^|]*\\|[^|]*\\|207");
      assertHealth(real, "/actuator/health/audit-trail", 503, "DOWN");
      assertHealth(real, "/actuator/health/readiness", 503, "DOWN");
      assertHealth(real, "/actuator/health/liveness", 200, "UP");
      assertThat(real.hub.part(Journal.class).trouble()).isNotNull();

      // NAV would take the referrals now, and is not given them.
      real.navAnswers = 201;
      double retried = real.retried("ips-referral");
      int received = real.received.size();

      try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
        // Everybody sends while it is down, and goes on until it is taken.
        int files = world.school().sendFiles(rows -> {}).files();
        int events = world.nav().sendMeasureEvents(sent -> {});
        List<Future<Integer>> senders = new ArrayList<>();
        for (NavOffice office : world.offices()) {
          senders.add(threads.submit(() -> office.sendList(patient, World.LIST_ID).status()));
          senders.add(
              threads.submit(
                  () ->
                      world.ot().sendList(patient, World.LIST_ID, office.organisation()).status()));
          senders.add(
              threads.submit(
                  () -> office.sendCapacities(patient) == office.capacities() ? 202 : 0));
        }
        Future<Integer> late =
            threads.submit(
                () -> {
                  String ack = "";
                  while (!ack.contains("\nMSA|AA|")) {
                    ack = real.mllp(Letters.referral(300, 300).raw().body());
                  }
                  return 202;
                });
        senders.add(late);

        try {
          patiently().until(() -> real.retried("ips-referral") > retried + 5 * waiting);
          assertThat(real.referrals).isEmpty();
          assertThat(world.school().waitingFiles()).isEqualTo(files);
          assertThat(real.received).hasSize(received);
          assertThat(senders).noneMatch(Future::isDone);
        } finally {
          real.database.startAgain();
        }

        for (Future<Integer> sender : senders) {
          assertThat(sender.get()).isEqualTo(202);
        }
        patiently().until(() -> real.books("measure-event").received() == events);
      }
      patiently().until(() -> real.settled() && real.hub.part(HeldMessages.class).idle());
      assertHealth(real, "/actuator/health/audit-trail", 200, "UP");
      assertHealth(real, "/actuator/health/readiness", 200, "UP");

      assertThat(real.referrals).hasSize((int) waiting).doesNotHaveDuplicates();
      assertThat(real.withdrawal(withdrawn, 0).statusCode()).isEqualTo(200);
      assertEachArrivedOnce(real, tally);
      assertThat(world.school().reports()).isNotEmpty();
      assertThat(real.books().values()).extracting(Books::deadLettered).containsOnly(0L);
      assertThat(real.verify().verified()).isTrue();
    }
  }

  /** A second outage, by a crash of the server in the middle of the traffic. */
  @Test
  void a_crash_of_the_database_under_load_loses_and_doubles_nothing(RealHub real) throws Exception {
    underLoad(
        real,
        "CRASH",
        () -> {
          real.database.kill();
          real.database.startAgain();
        });
  }

  /** As when its machine hangs or the network swallows every packet: no error, no answer. */
  @Test
  void a_database_that_hangs_shuts_the_gate_and_is_no_different_afterwards(RealHub real)
      throws Exception {
    underLoad(
        real,
        "HANG",
        () -> {
          signal(real, "STOP");
          try {
            patiently().until(() -> real.hub.part(Journal.class).trouble() != null);
            assertShut(real.post("measure-capacity", RealHub.capacity("HANG-SHUT")));
          } finally {
            signal(real, "CONT");
          }
        });
  }

  private static void signal(RealHub real, String name) throws Exception {
    ProcessHandle server = real.database.process().orElseThrow();
    List<String> command = new ArrayList<>(List.of("kill", "-" + name));
    Stream.concat(Stream.of(server), server.descendants())
        .forEach(process -> command.add(Long.toString(process.pid())));
    // A process that ended meanwhile makes kill say no.
    new ProcessBuilder(command).inheritIO().start().waitFor();
  }

  private interface Trouble {
    void happen() throws Exception;
  }

  private static void underLoad(RealHub real, String name, Trouble trouble) throws Exception {
    int notices = 400;
    RealHub.Tally tally = real.tally();
    long before = real.books("measure-capacity").received();
    try (Hub patient = real.asSender(PATIENT);
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> sending = new ArrayList<>();
      for (int sender = 0; sender < 8; sender++) {
        int mine = sender;
        sending.add(
            threads.submit(
                () -> {
                  int taken = 0;
                  for (int i = mine; i < notices; i += 8) {
                    byte[] json = RealHub.capacity(name + "-" + i).getBytes(UTF_8);
                    taken +=
                        patient.post("measure-capacity", RealHub.NAV, json).status() == 202 ? 1 : 0;
                  }
                  return taken;
                }));
      }
      patiently().until(() -> real.books("measure-capacity").received() > before + notices / 2);
      trouble.happen();
      int taken = 0;
      for (Future<Integer> sender : sending) {
        taken += sender.get();
      }
      assertThat(taken).isEqualTo(notices);
    }
    patiently().until(real::settled);
    assertThat(real.books("measure-capacity").received()).isEqualTo(before + 2 * notices);
    assertEachArrivedOnce(real, tally);
    assertThat(real.verify().verified()).isTrue();
  }

  private static void assertShut(HttpResponse<String> response) {
    assertThat(response.statusCode()).isEqualTo(503);
    assertThat(response.headers().firstValue("Content-Type").orElse(""))
        .startsWith("application/problem+json");
    assertThat(response.body()).contains("GATE_SHUT");
  }

  private static void assertHealth(RealHub real, String path, int status, String says)
      throws Exception {
    HttpResponse<String> health = real.get(path);
    assertThat(health.body()).contains("\"status\":\"" + says + "\"");
    assertThat(health.statusCode()).isEqualTo(status);
  }

  /** Each message once: repeats are counted too. */
  private static void assertEachArrivedOnce(RealHub real, RealHub.Tally before) {
    patiently()
        .untilAsserted(
            () -> {
              RealHub.Tally since = real.tally().since(before);
              assertThat(since.received()).isEqualTo(since.delivered());
            });
    assertThat(real.world.unreadable()).isZero();
  }

  private static ConditionFactory patiently() {
    return Awaitility.await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(50));
  }
}
