package no.bindeledd.fault;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import no.bindeledd.audit.HouseVerifier;
import no.bindeledd.audit.LedgerVerifier;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.ProgressListener;
import no.bindeledd.audit.Verification;
import no.bindeledd.audit.VerifierKey;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two whole hubs on one database and one broker; the second is a process that can be killed. */
@Timeout(240)
class TwoHubsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern READY =
      Pattern.compile("Ready\\. Health: (http://localhost:[0-9]+)");

  @TempDir Path folder;
  private final HttpClient http = HttpClient.newHttpClient();

  private record Second(Process process, URI rest, int mllp) implements AutoCloseable {
    @Override
    public void close() throws InterruptedException {
      process.destroyForcibly().waitFor();
    }
  }

  @Test
  void what_one_hub_learns_bites_at_the_other_and_a_killed_one_goes_on() throws Exception {
    RealHub first = new RealHub();
    try {
      with(first);
    } finally {
      first.close();
    }
  }

  private void with(RealHub first) throws Exception {
    Second second = start(first);
    try {
      eachMessageIsDeliveredOnce(first, second);
      eachFileIsTakenByOneOfThem(first);
      aWithdrawalAtOneStopsWhatIsQueuedAtTheOther(first, second);
      String waiting = referralThatWaits(first, second);
      second.close();
      assertThat(first.count(PENDING_IN_SECOND)).isEqualTo(1);
      second = start(first);
      first.navAnswers = 201;
      patiently(() -> first.referrals.contains(waiting));
      patiently(() -> first.count(PENDING_IN_SECOND) == 0);
      assertThat(first.referrals.stream().filter(waiting::equals)).hasSize(1);
      // Long enough for the shards to name each other.
      patiently(
          () ->
              first.count(
                      "SELECT count(DISTINCT idx >> 40) FROM audit_entry"
                          + " WHERE outcome = 'CROSS_LINK'")
                  == 2);
    } finally {
      first.navAnswers = 201;
      second.close();
    }
    Path secrets = first.folder.resolve("secrets");
    Verification inDatabase =
        LedgerVerifier.verify(
            first.hub.database(), VerifierKey.ofHouse(secrets), ProgressListener.NONE);
    assertThat(inDatabase.firstProblem()).isNull();
    Verification published =
        HouseVerifier.verify(
            new LogDirectory(first.folder.resolve("log/bindeledd.local/1")),
            VerifierKey.ofHouse(secrets),
            List.of(),
            2,
            ProgressListener.NONE);
    assertThat(published.firstProblem()).isNull();
    assertThat(first.count("SELECT count(*) FROM audit_entry WHERE idx >= 1::bigint << 40"))
        .isPositive();
  }

  private static final String PENDING_IN_SECOND =
      "SELECT (SELECT count(*) FROM outbox WHERE id >= 1::bigint << 40 AND state = 'PENDING')"
          + " + (SELECT coalesce(sum(waiting), 0) FROM parcel WHERE id >= 1::bigint << 40)";

  private void eachMessageIsDeliveredOnce(RealHub first, Second second) throws Exception {
    List<String> ids = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      String id = "two-" + UUID.randomUUID();
      ids.add(id);
      List<URI> both =
          i % 2 == 0 ? List.of(first.rest(), second.rest()) : List.of(second.rest(), first.rest());
      JsonNode taken = capacity(first, both.get(0), id);
      assertThat(taken.at("/answers/0/repeated").asBoolean()).isFalse();
      JsonNode again = capacity(first, both.get(1), id);
      assertThat(again.at("/answers/0/repeated").asBoolean()).isTrue();
      assertThat(again.at("/answers/0/ledgerEntry")).isEqualTo(taken.at("/answers/0/ledgerEntry"));
    }
    for (String id : ids) {
      patiently(() -> got(first, id) >= 2); // OT, and the schools
    }
    patiently(() -> first.settled());
    for (String id : ids) {
      assertThat(got(first, id)).isEqualTo(2);
    }
  }

  private static long got(RealHub hub, String id) {
    return hub.received.stream().filter(one -> one.value().toString().contains(id)).count();
  }

  private JsonNode capacity(RealHub hub, URI rest, String id) throws Exception {
    HttpResponse<String> answer =
        http.send(
            HttpRequest.newBuilder(rest.resolve("/exchanges/measure-capacity"))
                .header("Content-Type", "application/json")
                .header(
                    "Authorization",
                    "Bearer " + hub.world.tokens().token(RealHub.NAV, "bindeledd:measure-capacity"))
                .POST(HttpRequest.BodyPublishers.ofString(RealHub.capacity(id)))
                .build(),
            HttpResponse.BodyHandlers.ofString());
    assertThat(answer.statusCode()).as(answer.body()).isIn(200, 202);
    return JSON.readTree(answer.body());
  }

  /** Both poll the school's directory; it is filled until each has taken some. */
  private static void eachFileIsTakenByOneOfThem(RealHub hubs) throws Exception {
    Path inbox = hubs.folder.resolve("agencies/school/sftp/dropout");
    byte[] rows =
        Files.readAllBytes(Path.of("routes/dropout-notice/samples/without-consent/input.csv"));
    Set<String> sent = new TreeSet<>();
    patiently(
        () -> {
          for (int i = 0; i < 12; i++) {
            String name = "shared-%03d.csv".formatted(sent.size());
            sent.add(name);
            Path draft = Files.write(inbox.resolve(name + ".part"), rows);
            Files.move(draft, inbox.resolve(name), StandardCopyOption.ATOMIC_MOVE);
          }
          patiently(() -> hubs.world.school().waitingFiles() == 0);
          return hubs.count(
                  "SELECT count(DISTINCT idx >> 40) FROM audit_entry"
                      + " WHERE exchange = 'dropout-notice' AND station = 'DECIDE'")
              == 2;
        });
    Set<String> done = new TreeSet<>();
    try (Stream<Path> files = Files.list(inbox.resolve("done"))) {
      files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.startsWith("shared-"))
          .forEach(done::add);
    }
    Set<String> expected = new TreeSet<>(sent); // a second taking would have another name
    sent.forEach(name -> expected.add(name + ".report.json"));
    assertThat(done).isEqualTo(expected);
    for (String name : sent) {
      JsonNode report =
          JSON.readTree(inbox.resolve("done").resolve(name + ".report.json").toFile());
      assertThat(report.findValues("repeated")).as(name).isNotEmpty();
      assertThat(report.findValuesAsText("repeated")).as(name).containsOnly("false");
    }
  }

  private void aWithdrawalAtOneStopsWhatIsQueuedAtTheOther(RealHub first, Second second)
      throws Exception {
    UUID consent = UUID.randomUUID();
    assertThat(first.consent(consent, 311).statusCode()).isEqualTo(200);
    first.navAnswers = 503;
    int before = first.referrals.size();
    assertThat(mllp(second.mllp(), Letters.referral(311, 90_311))).contains("MSA|AA");
    patiently(() -> first.count(PENDING_IN_SECOND) == 1);
    assertThat(first.withdrawal(consent, 311).statusCode()).isEqualTo(200);
    first.navAnswers = 201;
    patiently(() -> first.count(PENDING_IN_SECOND) == 0);
    assertThat(first.referrals).hasSize(before);
    assertThat(
            first.count(
                "SELECT count(*) FROM envelope WHERE exchange = 'ips-referral'"
                    + " AND outcome = 'REFUSED' AND entry >= 1::bigint << 40"))
        .isEqualTo(1);
  }

  /** Answers its idempotency key. */
  private String referralThatWaits(RealHub first, Second second) throws Exception {
    assertThat(first.consent(UUID.randomUUID(), 312).statusCode()).isEqualTo(200);
    first.navAnswers = 503;
    assertThat(mllp(second.mllp(), Letters.referral(312, 90_312))).contains("MSA|AA");
    patiently(() -> first.count(PENDING_IN_SECOND) == 1);
    try (var connection = first.database.connect();
        var statement = connection.createStatement();
        var row =
            statement.executeQuery(
                "SELECT encode(key, 'hex') FROM envelope WHERE exchange = 'ips-referral'"
                    + " AND outcome IN ('RELEASED', 'REDUCED') ORDER BY entry DESC LIMIT 1")) {
      row.next();
      return row.getString(1);
    }
  }

  private Second start(RealHub first) throws Exception {
    Map<String, Object> settings = new HashMap<>(first.settings());
    int mllp;
    try (ServerSocket free = new ServerSocket(0)) {
      mllp = free.getLocalPort();
    }
    settings.put("hub.mllp.port", mllp);
    settings.put("bindeledd.shard", 1);
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "-Dbindeledd.project=" + Path.of("").toAbsolutePath(),
                "-cp",
                System.getProperty("java.class.path"),
                "no.bindeledd.cli.Bindeledd",
                "run",
                "--home",
                first.home.toString(),
                "--"));
    settings.forEach((name, value) -> command.add("--" + name + "=" + value));
    Path out = Files.createTempFile(folder, "second-", ".out");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(out.toFile()).start();
    try {
      patiently(() -> !process.isAlive() || READY.matcher(Files.readString(out)).find());
      Matcher ready = READY.matcher(Files.readString(out));
      assertThat(ready.find()).as(Files.readString(out)).isTrue();
      return new Second(process, URI.create(ready.group(1)), mllp);
    } catch (Throwable e) {
      process.destroyForcibly();
      throw e;
    }
  }

  private static String mllp(int port, no.bindeledd.gate.Gate.Arrival referral) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      socket.setSoTimeout(30_000);
      socket.getOutputStream().write(0x0B);
      socket.getOutputStream().write(referral.raw().body());
      socket.getOutputStream().write(new byte[] {0x1C, 0x0D});
      socket.getOutputStream().flush();
      StringBuilder answer = new StringBuilder();
      for (int b = socket.getInputStream().read();
          b >= 0 && b != 0x1C;
          b = socket.getInputStream().read()) {
        answer.append((char) b);
      }
      return new String(
          answer.toString().getBytes(StandardCharsets.ISO_8859_1), StandardCharsets.UTF_8);
    }
  }

  private interface Check {
    boolean holds() throws Exception;
  }

  private static void patiently(Check check) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofMillis(100))
        .until(check::holds);
  }
}
