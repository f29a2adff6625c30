package no.bindeledd.reading;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/** Takes octet-counted syslog messages, as RFC 6587 § 3.4.1 says. */
final class SyslogPeer implements AutoCloseable {
  final List<String> messages = new CopyOnWriteArrayList<>();
  private final List<Socket> sockets = new CopyOnWriteArrayList<>();
  private final ServerSocket server;
  private volatile Predicate<String> hangUpAfter = message -> false;

  SyslogPeer(ServerSocket server) {
    this.server = server;
    Thread.ofVirtual().start(this::accept);
  }

  static SyslogPeer plain(int port) throws IOException {
    return new SyslogPeer(new ServerSocket(port, 5, InetAddress.getLoopbackAddress()));
  }

  int port() {
    return server.getLocalPort();
  }

  void hangUpAfter(Predicate<String> message) {
    hangUpAfter = message;
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        sockets.add(socket);
        Thread.ofVirtual().start(() -> read(socket));
      } catch (IOException closed) {
        return;
      }
    }
  }

  private void read(Socket socket) {
    try (socket;
        DataInputStream in = new DataInputStream(socket.getInputStream())) {
      while (true) {
        byte[] message = new byte[length(in)];
        in.readFully(message);
        String text = new String(message, StandardCharsets.UTF_8);
        messages.add(text);
        if (hangUpAfter.test(text)) {
          hangUpAfter = any -> false;
          return;
        }
      }
    } catch (IOException ended) {
      // The connection is over.
    }
  }

  private static int length(DataInputStream in) throws IOException {
    int length = 0;
    for (int c = in.read(); c != ' '; c = in.read()) {
      if (c < '0' || c > '9') {
        throw new EOFException();
      }
      length = 10 * length + (c - '0');
    }
    return length;
  }

  @Override
  public void close() throws IOException {
    server.close();
    for (Socket socket : sockets) {
      socket.close();
    }
  }
}
