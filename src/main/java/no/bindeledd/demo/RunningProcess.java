package no.bindeledd.demo;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/**
 * A process of this machine that may not be our child. One that has ended but that nobody has
 * collected (a zombie, common where process 1 of a container collects late or never) counts as
 * ended.
 */
record RunningProcess(ProcessHandle handle) {
  /** The words of its command line with NUL between them; empty when it has ended. */
  String commandLine() {
    Path file = Path.of("/proc", Long.toString(handle.pid()), "cmdline");
    if (!handle.isAlive()) {
      return "";
    }
    try {
      return Files.readString(file, java.nio.charset.StandardCharsets.ISO_8859_1);
    } catch (IOException e) {
      return "";
    }
  }

  boolean runs() {
    return !commandLine().isEmpty();
  }

  /** Waits for its end; true when it came in time. */
  boolean ended(Duration limit) {
    long until = System.nanoTime() + limit.toNanos();
    try {
      while (runs()) {
        if (System.nanoTime() - until > 0) {
          return false;
        }
        Thread.sleep(5);
      }
      return true;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  /** Waits for its end, and after the limit makes an end. */
  void end(Duration limit) {
    if (!ended(limit)) {
      kill();
    }
  }

  /** Ends it at once and waits until it is gone. */
  void kill() {
    handle.destroyForcibly();
    if (!ended(Duration.ofSeconds(10))) {
      throw new IllegalStateException("Process " + handle.pid() + " does not end; stop it by hand");
    }
  }
}
