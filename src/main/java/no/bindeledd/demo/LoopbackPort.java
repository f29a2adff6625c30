package no.bindeledd.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Ports on 127.0.0.1 for servers that cannot be asked which port they took. Another process may
 * take a free port before the server does, so the caller tries again when the server cannot bind.
 */
final class LoopbackPort {
  static final InetAddress LOOPBACK = InetAddress.ofLiteral("127.0.0.1");

  private LoopbackPort() {}

  /** A port that nothing listens on now. */
  static int free() {
    try (ServerSocket socket = new ServerSocket()) {
      socket.bind(new InetSocketAddress(LOOPBACK, 0));
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("No free port on 127.0.0.1", e);
    }
  }

  /** True when a server could listen on the port now. */
  static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(LOOPBACK, port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /**
   * The port noted in the file by an earlier start, as long as it is free, else another free one.
   * Keeping the port lets clients of an earlier start find the server again.
   */
  static int remembered(Path file) {
    try {
      if (Files.exists(file)) {
        String text = Files.readString(file).strip();
        if (text.matches("[1-9][0-9]{3,4}") && isFree(Integer.parseInt(text))) {
          return Integer.parseInt(text);
        }
      }
      return free();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + file, e);
    }
  }

  static void remember(Path file, int port) {
    try {
      Files.writeString(file, port + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write " + file, e);
    }
  }
}
