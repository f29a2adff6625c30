package no.bindeledd.bench;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

/**
 * A source of answers over HTTP in this process, as small as it can be: the same answer to every
 * request, so that its own work hides nothing. Keeps connections alive.
 */
final class AnswerSource implements AutoCloseable {
  private static final byte[] BODY =
      ("{\"rett\":true,\"rettighetstype\":\"UNGDOMSRETT\",\"restAar\":2,\"otStatus\":{\"gruppe\":2,"
              + "\"kode\":\"OTOV\"},\"merknad\":\"Kildens egen merknad, som ikke skal videre.\"}")
          .getBytes(StandardCharsets.UTF_8);
  private static final byte[] ANSWER = answer();

  private final ServerSocket server;

  AnswerSource() {
    try {
      server = new ServerSocket(0, 256, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    var unused = Thread.ofVirtual().name("bench-source").start(this::accept);
  }

  String url() {
    return "http://127.0.0.1:" + server.getLocalPort();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket connection = server.accept();
        var unused = Thread.ofVirtual().start(() -> serve(connection));
      } catch (IOException e) {
        return;
      }
    }
  }

  private static void serve(Socket connection) {
    try (connection) {
      connection.setTcpNoDelay(true);
      Wire requests = new Wire(connection.getInputStream());
      OutputStream out = connection.getOutputStream();
      while (requests.next() != null) {
        out.write(ANSWER);
      }
    } catch (IOException e) {
      // The other side is gone: so is this connection.
    }
  }

  private static byte[] answer() {
    byte[] head =
        ("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                + BODY.length
                + "\r\n\r\n")
            .getBytes(StandardCharsets.US_ASCII);
    byte[] answer = new byte[head.length + BODY.length];
    System.arraycopy(head, 0, answer, 0, head.length);
    System.arraycopy(BODY, 0, answer, head.length, BODY.length);
    return answer;
  }

  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
