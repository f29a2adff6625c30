package no.bindeledd.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashSet;
import java.util.Set;

/**
 * What an agency has received, kept over restarts like the hub's books: one line with a hash for
 * each message. Thread-safe.
 */
final class ReceivedLog implements AutoCloseable {
  private static final int HASH = 32;

  private final FileChannel file;
  private final Set<String> different = new HashSet<>();
  private long records;

  ReceivedLog(Path path) {
    try {
      Files.createDirectories(path.toAbsolutePath().getParent());
      if (Files.exists(path)) {
        for (String line : Files.readAllLines(path, StandardCharsets.US_ASCII)) {
          if (line.length() == HASH) {
            records++;
            different.add(line);
          }
        }
      }
      file = FileChannel.open(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot open " + path, e);
    }
  }

  /** Notes a message by what makes it different from others. */
  synchronized void add(String identity) {
    String hash = TopicReader.digest(identity.getBytes(StandardCharsets.UTF_8));
    try {
      file.write(ByteBuffer.wrap((hash + "\n").getBytes(StandardCharsets.US_ASCII)));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot note a received message", e);
    }
    records++;
    different.add(hash);
  }

  synchronized long records() {
    return records;
  }

  synchronized long different() {
    return different.size();
  }

  @Override
  public void close() {
    try {
      file.close();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot close a log of received messages", e);
    }
  }
}
