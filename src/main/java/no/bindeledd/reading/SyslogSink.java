package no.bindeledd.reading;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.List;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.jspecify.annotations.Nullable;

/**
 * Sends entries as CEF over syslog: RFC 5424 messages, octet-counted (RFC 6587 § 3.4.1; RFC 5425
 * over TLS). Syslog has no acknowledgement: what the other side's machine took and then lost is
 * seen there as a gap in {@code cn1}. Not thread-safe.
 */
public final class SyslogSink implements Exporter.Sink {
  private static final int CONNECT_WITHIN_MILLIS = 5_000;

  /** Facility 13, log audit. */
  private static final int FACILITY = 13 * 8;

  private static final int WARNING = 4;
  private static final int INFORMATIONAL = 6;
  private static final DateTimeFormatter TIME =
      new DateTimeFormatterBuilder().appendInstant(6).toFormatter();

  private final String host;
  private final int port;
  private final @Nullable SSLContext tls;
  private final String hostname;
  private @Nullable Connection open;

  /**
   * @param tls null to send in clear, which is for a receiver on the same machine
   * @param hostname how this hub calls itself: printable ASCII without space
   */
  public SyslogSink(String host, int port, @Nullable SSLContext tls, String hostname) {
    this.host = host;
    this.port = port;
    this.tls = tls;
    this.hostname = hostname;
  }

  private record Connection(Socket socket, OutputStream out, InputStream in) {}

  @Override
  public void send(List<Exporter.Numbered> entries) throws IOException {
    try {
      Connection connection = connection();
      for (Exporter.Numbered entry : entries) {
        byte[] message = message(entry).getBytes(StandardCharsets.UTF_8);
        connection.out().write((message.length + " ").getBytes(StandardCharsets.US_ASCII));
        connection.out().write(message);
      }
      connection.out().flush();
      requireOpen(connection);
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  private String message(Exporter.Numbered entry) {
    int severity = CefLine.denies(entry.entry()) ? WARNING : INFORMATIONAL;
    return "<"
        + (FACILITY + severity)
        + ">1 "
        + TIME.format(entry.entry().at())
        + " "
        + hostname
        + " bindeledd - audit - "
        + CefLine.of(entry.index(), entry.entry());
  }

  private Connection connection() throws IOException {
    Connection known = open;
    if (known != null) {
      requireOpen(known);
      return known;
    }
    Socket socket = new Socket();
    try {
      socket.connect(new InetSocketAddress(host, port), CONNECT_WITHIN_MILLIS);
      if (tls != null) {
        SSLSocket secure =
            (SSLSocket) tls.getSocketFactory().createSocket(socket, host, port, true);
        SSLParameters parameters = secure.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS"); // the certificate is the host's
        secure.setSSLParameters(parameters);
        secure.setSoTimeout(CONNECT_WITHIN_MILLIS);
        secure.startHandshake();
        socket = secure;
      }
      socket.setSoTimeout(1); // only to look whether the other side has closed
      Connection fresh =
          new Connection(
              socket,
              new BufferedOutputStream(socket.getOutputStream(), 1 << 16),
              socket.getInputStream());
      open = fresh;
      return fresh;
    } catch (IOException e) {
      socket.close();
      throw e;
    }
  }

  /** A peer that has closed would take the first write all the same, and lose it. */
  private static void requireOpen(Connection connection) throws IOException {
    try {
      while (connection.in().read() >= 0) {
        // A syslog receiver has nothing to say.
      }
      throw new IOException("The syslog receiver closed the connection");
    } catch (SocketTimeoutException stillThere) {
      // What is wanted.
    }
  }

  @Override
  public void close() {
    Connection known = open;
    open = null;
    if (known != null) {
      try {
        known.socket().close();
      } catch (IOException e) {
        // It is over either way.
      }
    }
  }
}
