package no.bindeledd.audit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * The newest signed checkpoint, remembered outside the database: what a restored old backup cannot
 * know of. Written in place after every commit, which a killed process survives, and forced to the
 * disk at most once a second, since a machine that loses power may only make the memory older,
 * never wrong. Not thread-safe.
 */
final class CheckpointFile implements AutoCloseable {
  private static final Duration FORCE_EVERY = Duration.ofSeconds(1);

  private final Path path;
  private final InstantSource clock;
  private @Nullable FileChannel channel;
  private Instant forced = Instant.EPOCH;

  CheckpointFile(Path path, InstantSource clock) {
    this.path = path;
    this.clock = clock;
  }

  Path path() {
    return path;
  }

  /** Null when nothing is remembered yet. */
  @Nullable SignedNote read() {
    if (!Files.exists(path)) {
      return null;
    }
    try {
      return SignedNote.parse(Files.readAllBytes(path));
    } catch (IOException | IllegalArgumentException e) {
      throw new LedgerException(
          "The checkpoint file "
              + path
              + " cannot be read as a signed note. Restore it; or, when you are sure that the"
              + " database is no older than it was, remove it",
          e);
    }
  }

  void write(SignedNote note) {
    byte[] bytes = note.encoded().getBytes(StandardCharsets.UTF_8);
    try {
      FileChannel to = channel;
      if (to == null) {
        if (!Files.exists(path)) {
          create(bytes);
        }
        to = FileChannel.open(path, StandardOpenOption.WRITE);
        channel = to;
      }
      to.write(ByteBuffer.wrap(bytes), 0);
      if (to.size() > bytes.length) {
        to.truncate(bytes.length);
      }
      Instant now = clock.instant();
      if (!now.isBefore(forced.plus(FORCE_EVERY))) {
        to.force(false);
        forced = now;
      }
    } catch (IOException e) {
      throw new LedgerException("The checkpoint file " + path + " cannot be written", e);
    }
  }

  /** The file appears whole or not at all. */
  private void create(byte[] bytes) throws IOException {
    Path whole = path.resolveSibling(path.getFileName() + ".new");
    Files.write(
        whole,
        bytes,
        StandardOpenOption.CREATE,
        StandardOpenOption.TRUNCATE_EXISTING,
        StandardOpenOption.WRITE,
        StandardOpenOption.SYNC);
    Files.move(whole, path, StandardCopyOption.ATOMIC_MOVE);
  }

  @Override
  public void close() {
    FileChannel open = channel;
    if (open == null) {
      return;
    }
    channel = null;
    try (open) {
      open.force(false);
    } catch (IOException e) {
      throw new LedgerException("The checkpoint file " + path + " cannot be written", e);
    }
  }
}
