package no.bindeledd.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Keeps a second process off a data directory. The operating system drops the lock when its holder
 * ends in any way, {@code kill -9} included, so there is no stale lock to clear away.
 */
final class DirectoryLock implements AutoCloseable {
  /** A process that was just killed, or is just stopping, holds the lock a moment longer. */
  private static final Duration PATIENCE = Duration.ofSeconds(5);

  private final FileChannel channel;

  private DirectoryLock(FileChannel channel) {
    this.channel = channel;
  }

  /**
   * Locks the directory, which is created when missing.
   *
   * @throws IllegalStateException when another process, or this one, holds it
   */
  static DirectoryLock of(Path directory) {
    try {
      Files.createDirectories(directory);
      Path file = directory.resolve("in-use");
      FileChannel channel =
          FileChannel.open(
              file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
      FileLock lock = tryLock(channel);
      if (lock == null) {
        channel.close();
        throw new IllegalStateException(
            directory
                + " is in use by process "
                + Files.readString(file).strip()
                + "; stop that process or choose another data directory");
      }
      byte[] owner = (ProcessHandle.current().pid() + "\n").getBytes(StandardCharsets.US_ASCII);
      channel.truncate(0).write(ByteBuffer.wrap(owner));
      return new DirectoryLock(channel);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot lock the data directory " + directory, e);
    }
  }

  private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
    long until = System.nanoTime() + PATIENCE.toNanos();
    try {
      FileLock lock = channel.tryLock();
      while (lock == null && System.nanoTime() - until < 0) {
        Thread.sleep(20);
        lock = channel.tryLock();
      }
      return lock;
    } catch (OverlappingFileLockException e) {
      // Held by this very process.
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot release the lock of a data directory", e);
    }
  }
}
