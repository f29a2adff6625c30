package no.bindeledd.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.impl.DefaultCamelContext;
import org.apache.sshd.common.file.virtualfs.VirtualFileSystemFactory;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;
import org.apache.sshd.server.session.ServerSession;
import org.apache.sshd.sftp.server.SftpEventListener;
import org.apache.sshd.sftp.server.SftpSubsystemFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** A Camel route from a real SFTP server; a processor answers in the gate's place. */
class SftpFileStrategyTest {
  private Path home;
  private final MovableClock clock = new MovableClock();
  private final List<String> received = new CopyOnWriteArrayList<>();
  private SshServer server;
  private DefaultCamelContext camel;
  private volatile boolean shut;
  private volatile boolean silent;
  private volatile boolean anotherHub;

  @BeforeEach
  void start(@TempDir Path directory) throws Exception {
    home = directory;
    server = SshServer.setUpDefaultServer();
    server.setHost("127.0.0.1");
    CoreModuleProperties.TCP_NODELAY.set(server, true);
    server.setKeyPairProvider(new SimpleGeneratorHostKeyProvider());
    server.setPasswordAuthenticator((user, password, session) -> password.equals("secret"));
    SftpSubsystemFactory sftp = new SftpSubsystemFactory();
    sftp.addSftpEventListener(
        new SftpEventListener() {
          @Override
          public void creating(ServerSession session, Path path, Map<String, ?> attributes)
              throws IOException {
            if (anotherHub) {
              Files.createDirectories(path); // a moment before
            }
          }
        });
    server.setSubsystemFactories(List.of(sftp));
    server.setFileSystemFactory(new VirtualFileSystemFactory(home));
    server.start();
    camel = new DefaultCamelContext();
    camel.addLifecycleStrategy(new FileTroubles());
  }

  @AfterEach
  void stop() throws Exception {
    camel.close();
    server.stop(true);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "&streamDownload=true", "&stepwise=false", "&localWorkDirectory="})
  void aFileWithAGoodRecordMovesToDoneWithItsReport(String options, @TempDir Path work)
      throws Exception {
    put("dropout/elever.csv", "good");

    poll("dropout", Duration.ZERO, options.endsWith("=") ? options + work : options);

    await()
        .untilAsserted(
            () ->
                assertThat(files())
                    .containsExactly(
                        "dropout/done/elever.csv", "dropout/done/elever.csv.report.json"));
    assertThat(text("dropout/done/elever.csv")).isEqualTo("good");
    assertThat(text("dropout/done/elever.csv.report.json")).isEqualTo("{\"report\":\"good æ\"}");
    assertThat(work.resolve("elever.csv")).as("no local copy remains").doesNotExist();
  }

  @Test
  void anotherHubMayMakeTheDirectoryAtTheSameMoment() throws Exception {
    anotherHub = true;
    put("dropout/elever.csv", "good");

    poll("dropout", Duration.ZERO, "");

    await()
        .untilAsserted(
            () ->
                assertThat(files())
                    .containsExactly(
                        "dropout/done/elever.csv", "dropout/done/elever.csv.report.json"));
    assertThat(received).as("taken once").hasSize(1);
  }

  @Test
  void aFileWithoutAGoodRecordMovesToFailedWithItsReport() throws Exception {
    put("dropout/elever.csv", "bad");

    poll("dropout", Duration.ZERO, "");

    await()
        .untilAsserted(
            () ->
                assertThat(files())
                    .containsExactly(
                        "dropout/failed/elever.csv", "dropout/failed/elever.csv.report.json"));
  }

  @Test
  void filesInTheLoginDirectoryItselfAreMovedToo() throws Exception {
    put("elever.csv", "good");

    poll("", Duration.ZERO, "");

    await()
        .untilAsserted(
            () ->
                assertThat(files())
                    .containsExactly("done/elever.csv", "done/elever.csv.report.json"));
  }

  @Test
  void aFileStaysWhileTheGateIsShutAndIsTakenWhenItOpens() throws Exception {
    shut = true;
    put("dropout/elever.csv", "good");

    poll("dropout", Duration.ZERO, "");

    await().until(() -> received.size() >= 3);
    assertThat(files()).containsExactly("dropout/elever.csv");
    shut = false;
    await()
        .untilAsserted(
            () ->
                assertThat(files())
                    .containsExactly(
                        "dropout/done/elever.csv", "dropout/done/elever.csv.report.json"));
  }

  @Test
  void aRouteThatDoesNotEndInTheGateLeavesTheFile() throws Exception {
    silent = true;
    put("dropout/elever.csv", "good");

    poll("dropout", Duration.ZERO, "");

    await().until(() -> received.size() >= 2);
    assertThat(files()).containsExactly("dropout/elever.csv");
  }

  @Test
  void theSameNameAgainOverwritesNeitherFileNorReport() throws Exception {
    poll("dropout", Duration.ZERO, "");
    for (String content : List.of("good 1", "good 2", "good 3")) {
      put("dropout/a.b.csv", content);
      int files = 2 * Integer.parseInt(content.substring(5));
      await().untilAsserted(() -> assertThat(files()).hasSize(files));
      await().until(() -> !Files.exists(home.resolve("dropout/a.b.csv")));
    }

    String moment = clock.instant().toString().replace("-", "").replace(":", "");
    assertThat(text("dropout/done/a.b.csv")).isEqualTo("good 1");
    assertThat(text("dropout/done/a.b.csv.report.json")).contains("good 1");
    assertThat(text("dropout/done/a.b." + moment + ".csv")).isEqualTo("good 2");
    assertThat(text("dropout/done/a.b." + moment + ".csv.report.json")).contains("good 2");
    assertThat(text("dropout/done/a.b." + moment + "-2.csv")).isEqualTo("good 3");
    assertThat(text("dropout/done/a.b." + moment + "-2.csv.report.json")).contains("good 3");
  }

  @Test
  void aFileThatIsBeingUploadedIsLeftAlone() throws Exception {
    for (String name : List.of("a.csv.part", "b.filepart", "c.TMP", ".d.csv", "e.uploading")) {
      put("dropout/" + name, "half");
    }
    put("dropout/whole.csv", "good");

    poll("dropout", Duration.ZERO, "");

    await().untilAsserted(() -> assertThat(files()).contains("dropout/done/whole.csv"));
    assertThat(received).containsExactly("whole.csv");
  }

  @Test
  void aFileThatChangedALittleWhileAgoIsLeftAlone() throws Exception {
    put("dropout/new.csv", "good");
    put("dropout/old.csv", "good");
    age("dropout/new.csv", Duration.ofSeconds(4));
    age("dropout/old.csv", Duration.ofSeconds(5));

    poll("dropout", Duration.ofSeconds(5), "");

    await().untilAsserted(() -> assertThat(files()).contains("dropout/done/old.csv"));
    assertThat(received).containsExactly("old.csv");
    clock.advance(Duration.ofSeconds(1));
    await().untilAsserted(() -> assertThat(files()).contains("dropout/done/new.csv"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"move", "shut"})
  void theNameOfAFileThatStaysStandsInNoLog(String trouble) throws Exception {
    String name = "kanarifugl.csv";
    put("dropout/" + name, "good");
    shut = trouble.equals("shut");
    if (trouble.equals("move")) {
      // Where the draft of the report should be written.
      Files.createDirectories(home.resolve("dropout/done/" + name + ".report.json.tmp/x"));
    }
    var log = new ListAppender<ILoggingEvent>();
    var root = (Logger) LoggerFactory.getLogger(Logger.ROOT_LOGGER_NAME);
    log.start();
    root.addAppender(log);
    try {
      poll("dropout", Duration.ZERO, "");
      await()
          .until(
              () ->
                  List.copyOf(log.list).stream()
                          .filter(event -> event.getLevel().isGreaterOrEqual(Level.WARN))
                          .count()
                      >= 3);
    } finally {
      root.detachAppender(log);
    }

    for (ILoggingEvent event : log.list) {
      assertThat(event.getFormattedMessage()).doesNotContain("kanarifugl");
      for (var cause = event.getThrowableProxy(); cause != null; cause = cause.getCause()) {
        assertThat(cause.getMessage()).doesNotContain("kanarifugl");
      }
    }
    assertThat(files()).contains("dropout/" + name);
  }

  private void poll(String directory, Duration quiet, String options) throws Exception {
    camel
        .getRegistry()
        .bind("gateFiles", new SftpFileStrategy(clock, quiet, SftpFileStrategy.Claims.NONE));
    camel.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("sftp:school@127.0.0.1:"
                    + server.getPort()
                    + "/"
                    + directory
                    + "?password=secret&delay=20&initialDelay=0&processStrategy=#gateFiles"
                    + "&useUserKnownHostsFile=false&strictHostKeyChecking=no"
                    + options)
                .process(SftpFileStrategyTest.this::answer);
          }
        });
    camel.start();
  }

  /** What the gate does with a file, seen from outside. */
  private void answer(Exchange exchange) {
    received.add(exchange.getMessage().getHeader(Exchange.FILE_NAME_ONLY, String.class));
    if (shut) {
      throw new IllegalStateException("the gate is shut");
    }
    if (silent) {
      return;
    }
    String body = exchange.getMessage().getBody(String.class);
    exchange.setProperty(SftpFileStrategy.ACCEPTED, body.startsWith("good"));
    exchange.setProperty(
        SftpFileStrategy.REPORT,
        ("{\"report\":\"" + body + " æ\"}").getBytes(StandardCharsets.UTF_8));
  }

  /** As a careful sender does: whole under another name, then renamed. */
  private void put(String name, String content) throws IOException {
    Path file = home.resolve(name);
    Files.createDirectories(file.getParent());
    Path draft = file.resolveSibling(file.getFileName() + ".part");
    Files.writeString(draft, content);
    Files.setLastModifiedTime(draft, FileTime.from(clock.instant()));
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
  }

  private void age(String name, Duration age) throws IOException {
    Files.setLastModifiedTime(home.resolve(name), FileTime.from(clock.instant().minus(age)));
  }

  private String text(String name) throws IOException {
    return Files.readString(home.resolve(name));
  }

  private List<String> files() {
    try (Stream<Path> all = Files.walk(home)) {
      return all.filter(Files::isRegularFile)
          .map(f -> home.relativize(f).toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
