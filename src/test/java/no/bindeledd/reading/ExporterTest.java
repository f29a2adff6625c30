package no.bindeledd.reading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fluenda.parcefone.event.CommonEvent;
import com.fluenda.parcefone.parser.CEFParser;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest;
import io.opentelemetry.proto.logs.v1.LogRecord;
import io.opentelemetry.proto.logs.v1.SeverityNumber;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import java.util.zip.GZIPInputStream;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import no.bindeledd.audit.AuditEntry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ledger is copied in order and without gaps, whatever becomes of the other side. */
@SuppressWarnings("NullAway.Init")
class ExporterTest {
  private static final Instant START = Instant.parse("2026-09-01T08:00:00Z");
  private static final int ENTRIES = 1700;
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
  private static final Pattern MESSAGE =
      Pattern.compile(
          "<1(08|10)>1 2026-09-01T08:\\d\\d:\\d\\d\\.\\d{6}Z hub bindeledd - audit - (CEF:0\\|.*)",
          Pattern.DOTALL);
  private static final CEFParser PARSER = new CEFParser();

  private static TestLedger ledger;

  @TempDir Path folder;

  @BeforeAll
  static void write() throws Exception {
    ledger = new TestLedger();
    List<AuditEntry> entries = new ArrayList<>();
    for (int i = 0; i < ENTRIES; i++) {
      String outcome = i % 10 == 0 ? "REFUSED" : "RELEASED";
      entries.add(
          TestLedger.decision(
              START.plusSeconds(i),
              "dropout-notice",
              "311000004",
              "311013572",
              TestLedger.person(i),
              "00ff",
              "00-" + TRACE + "-00f067aa0ba902b7-01",
              outcome,
              outcome,
              List.of("opplaeringslova-25-8@1"),
              List.of("6f1d3f0e-58a8-4f0e-9d3c-0f8d7a9b1c2d@1"),
              List.of("/reference"),
              List.of()));
    }
    ledger.append(entries);
  }

  @AfterAll
  static void stop() throws Exception {
    ledger.close();
  }

  @BeforeEach
  void fromTheBeginning() throws Exception {
    ledger.sql("DELETE FROM audit_position");
  }

  private static Exporter syslog(int port, SSLContext tls) {
    return new Exporter(ledger.source, "syslog", new SyslogSink("localhost", port, tls, "hub"));
  }

  @SuppressWarnings("NullAway")
  private static Exporter plain(int port) {
    return syslog(port, null);
  }

  /** The indexes in the order in which they came. */
  private static List<Long> indexes(SyslogPeer peer) throws Exception {
    List<Long> indexes = new ArrayList<>();
    for (String message : peer.messages) {
      Matcher parts = MESSAGE.matcher(message);
      assertThat(parts.matches()).as(message).isTrue();
      CommonEvent event = PARSER.parse(parts.group(2));
      assertThat(event).as(message).isNotNull();
      boolean denied = "Deny".equals(event.getExtension(true).get("flexString1"));
      assertThat(parts.group(1)).isEqualTo(denied ? "08" : "10");
      indexes.add((Long) event.getExtension(true).get("cn1"));
    }
    return indexes;
  }

  private static List<Long> all() {
    return LongStream.range(0, ENTRIES).boxed().toList();
  }

  @Test
  void everyEntryComesOnceAndInOrder() throws Exception {
    try (SyslogPeer peer = SyslogPeer.plain(0);
        Exporter exporter = plain(peer.port())) {
      while (exporter.step()) {
        assertThat(exporter.behind()).isLessThan(ENTRIES);
      }
      await().atMost(20, TimeUnit.SECONDS).until(() -> peer.messages.size() == ENTRIES);
      assertThat(indexes(peer)).isEqualTo(all());
      assertThat(exporter.behind()).isZero();
    }
  }

  @Test
  void aReceiverThatIsDownGetsWhatItLacksLater() throws Exception {
    SyslogPeer first = SyslogPeer.plain(0);
    int port = first.port();
    try (Exporter exporter = plain(port)) {
      assertThat(exporter.step()).isTrue();
      await().atMost(20, TimeUnit.SECONDS).until(() -> first.messages.size() == 500);
      first.close();
      for (int i = 0; i < 3; i++) {
        assertThatThrownBy(exporter::step).isInstanceOf(IOException.class);
        assertThat(exporter.behind()).isEqualTo(ENTRIES - 500);
      }
    }
    // The hub, too, may have been away meanwhile.
    try (SyslogPeer second = SyslogPeer.plain(port);
        Exporter exporter = plain(port)) {
      while (exporter.step()) {
        // on
      }
      await().atMost(20, TimeUnit.SECONDS).until(() -> second.messages.size() == ENTRIES - 500);
      List<Long> both = new ArrayList<>(indexes(first));
      both.addAll(indexes(second));
      assertThat(both).isEqualTo(all());
    }
  }

  @Test
  void aReceiverThatHangsUpInTheMiddleGetsTheStretchAgain() throws Exception {
    try (SyslogPeer peer = SyslogPeer.plain(0);
        Exporter exporter = plain(peer.port())) {
      peer.hangUpAfter(message -> message.contains(" cn1=700 "));
      await()
          .atMost(30, TimeUnit.SECONDS)
          .until(
              () -> {
                try {
                  return !exporter.step() && new TreeSet<>(indexes(peer)).size() == ENTRIES;
                } catch (IOException e) {
                  return false;
                }
              });
      assertThat(new TreeSet<>(indexes(peer))).containsExactlyElementsOf(all());
    }
  }

  @Test
  void ofTwoInstancesOneExports() throws Exception {
    try (SyslogPeer peer = SyslogPeer.plain(0);
        Exporter one = plain(peer.port())) {
      assertThat(one.step()).isTrue();
      try (Exporter other = plain(peer.port())) {
        assertThat(other.step()).isFalse();
      }
      assertThat(one.step()).isTrue();
      ledger.sql("UPDATE audit_position SET held_until = now() - interval '1 second'");
      try (Exporter other = plain(peer.port())) {
        assertThat(other.step()).isTrue();
        assertThat(one.step()).isFalse();
      }
      assertThat(one.step()).isTrue(); // the other let go of it
    }
  }

  @Test
  void overTlsOnlyAReceiverThatIsTrustedGetsAnything() throws Exception {
    Path keys = folder.resolve("peer.p12");
    Process keytool =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
                "-genkeypair",
                "-alias",
                "peer",
                "-keyalg",
                "EC",
                "-dname",
                "CN=localhost",
                "-ext",
                "san=dns:localhost",
                "-storetype",
                "PKCS12",
                "-keystore",
                keys.toString(),
                "-storepass",
                "changeit")
            .redirectErrorStream(true)
            .start();
    assertThat(keytool.waitFor()).isZero();
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(keys)) {
      store.load(in, "changeit".toCharArray());
    }
    KeyManagerFactory own = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    own.init(store, "changeit".toCharArray());
    SSLContext server = SSLContext.getInstance("TLS");
    server.init(own.getKeyManagers(), null, null);
    TrustManagerFactory trust =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    SSLContext client = SSLContext.getInstance("TLS");
    client.init(null, trust.getTrustManagers(), null);
    try (SyslogPeer peer =
            new SyslogPeer(
                server
                    .getServerSocketFactory()
                    .createServerSocket(0, 5, InetAddress.getByName("localhost")));
        Exporter trusting = syslog(peer.port(), client)) {
      try (Exporter wary = syslog(peer.port(), SSLContext.getDefault())) {
        assertThatThrownBy(wary::step).isInstanceOf(IOException.class);
      }
      assertThat(peer.messages).isEmpty();
      assertThat(trusting.step()).isTrue();
      await().atMost(20, TimeUnit.SECONDS).until(() -> peer.messages.size() == 500);
    }
  }

  @Test
  void anOpenTelemetryReceiverGetsLogRecordsWithTheTraceAndWithoutThePerson() throws Exception {
    List<LogRecord> records = new CopyOnWriteArrayList<>();
    int[] failures = {1};
    HttpServer peer =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 5);
    peer.createContext(
        "/v1/logs",
        exchange -> {
          byte[] body;
          try (InputStream in = exchange.getRequestBody()) {
            byte[] raw = in.readAllBytes();
            boolean zipped =
                "gzip".equals(exchange.getRequestHeaders().getFirst("Content-Encoding"));
            body =
                zipped
                    ? new GZIPInputStream(new java.io.ByteArrayInputStream(raw)).readAllBytes()
                    : raw;
          }
          if (failures[0]-- > 0) {
            exchange.sendResponseHeaders(400, -1);
            return;
          }
          ExportLogsServiceRequest.parseFrom(body)
              .getResourceLogsList()
              .forEach(
                  r -> r.getScopeLogsList().forEach(s -> records.addAll(s.getLogRecordsList())));
          exchange.sendResponseHeaders(200, -1);
        });
    peer.start();
    String address = "http://127.0.0.1:" + peer.getAddress().getPort() + "/v1/logs";
    try (Exporter exporter = new Exporter(ledger.source, "otlp", new OtlpSink(address, "hub/1"))) {
      assertThatThrownBy(exporter::step).isInstanceOf(IOException.class);
      while (exporter.step()) {
        // on
      }
    } finally {
      peer.stop(0);
    }
    assertThat(records.stream().map(r -> number(r, "bindeledd.ledger.index")).toList())
        .isEqualTo(all());
    LogRecord refused = records.get(10);
    assertThat(refused.getSeverityNumber()).isEqualTo(SeverityNumber.SEVERITY_NUMBER_WARN);
    assertThat(HexFormat.of().formatHex(refused.getTraceId().toByteArray())).isEqualTo(TRACE);
    assertThat(refused.getBody().getStringValue()).isEqualTo("DECIDE dropout-notice REFUSED");
    assertThat(refused.getTimeUnixNano())
        .isEqualTo(START.plusSeconds(10).getEpochSecond() * 1_000_000_000L);
    String whole = records.toString();
    assertThat(whole).doesNotContain(TestLedger.person(10).value());
    assertThat(whole).doesNotContain("6f1d3f0e-58a8-4f0e-9d3c-0f8d7a9b1c2d");
  }

  private static long number(LogRecord record, String key) {
    return record.getAttributesList().stream()
        .filter(attribute -> attribute.getKey().equals(key))
        .findFirst()
        .orElseThrow()
        .getValue()
        .getIntValue();
  }
}
