package no.bindeledd.hub;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import javax.sql.DataSource;
import no.bindeledd.reading.Exporter;
import no.bindeledd.reading.OtlpSink;
import no.bindeledd.reading.SyslogSink;
import org.jspecify.annotations.Nullable;

/**
 * The copies of the audit trail that the settings ask for, each on a thread of its own. The gauge
 * {@code bindeledd.audit.behind} tells how many entries each receiver lacks.
 */
final class AuditExporters implements AutoCloseable {
  private static final Duration PAUSE = Duration.ofSeconds(1);

  private final List<AutoCloseable> open = new ArrayList<>();
  private final DataSource database;
  private final MeterRegistry registry;

  AuditExporters(DataSource database, HubSettings settings, MeterRegistry registry)
      throws IOException {
    this.database = database;
    this.registry = registry;
    HubSettings.Syslog syslog = settings.audit().syslog();
    if (syslog != null) {
      SSLContext tls = syslog.tls() ? trusting(syslog.authority()) : null;
      start("syslog", new SyslogSink(syslog.host(), syslog.port(), tls, syslog.hostname()));
    }
    HubSettings.Otlp otlp = settings.audit().otlp();
    if (otlp != null) {
      start("otlp", new OtlpSink(otlp.endpoint(), settings.origin()));
    }
  }

  private void start(String name, Exporter.Sink sink) {
    Exporter exporter = new Exporter(database, name, sink);
    Gauge.builder("bindeledd.audit.behind", exporter, Exporter::behind)
        .tag("exporter", name)
        .description("Audit entries that the receiver lacks")
        .register(registry);
    open.addFirst(exporter);
    open.addFirst(new Following("The audit export " + name, PAUSE, exporter::step));
  }

  /** TLS that trusts the platform's authorities, or those of a PEM file. */
  static SSLContext trusting(@Nullable Path authority) throws IOException {
    try {
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      KeyStore store = null;
      if (authority != null) {
        store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (InputStream pem = Files.newInputStream(authority)) {
          int number = 0;
          for (Certificate each :
              CertificateFactory.getInstance("X.509").generateCertificates(pem)) {
            store.setCertificateEntry("authority-" + number++, each);
          }
        }
      }
      trust.init(store);
      SSLContext tls = SSLContext.getInstance("TLS");
      tls.init(null, trust.getTrustManagers(), null);
      return tls;
    } catch (GeneralSecurityException e) {
      throw new IOException(
          "The certificates in " + authority + " cannot be read: give a PEM file", e);
    }
  }

  @Override
  public void close() throws SQLException {
    for (AutoCloseable each : open) {
      try {
        each.close();
      } catch (Exception e) {
        // The place is kept, and free again in a minute.
      }
    }
  }
}
