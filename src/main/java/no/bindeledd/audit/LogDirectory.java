package no.bindeledd.audit;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A published log in a folder that can be copied anywhere: {@code checkpoint}, {@code tile/…},
 * {@code log.vkey}, and earlier checkpoints under {@code checkpoints/}. A file appears whole and on
 * the disk, or not at all. Safe on any thread; one writer.
 */
public final class LogDirectory implements LogSource {
  /** Verifier keys of the log, a line each. */
  public static final String KEYS = "log.vkey";

  public static final String CHECKPOINT = "checkpoint";
  private static final String EARLIER = "checkpoints";

  private final Path folder;

  public LogDirectory(Path folder) {
    this.folder = folder;
  }

  /** The folder of the log with this origin below the folder of all logs. */
  public static LogDirectory of(Path logs, String origin) {
    Path folder = logs.resolve(origin).normalize();
    if (origin.contains("..") || !folder.startsWith(logs.normalize())) {
      throw new LedgerException("The origin " + origin + " cannot be the name of a folder");
    }
    return new LogDirectory(folder);
  }

  public Path folder() {
    return folder;
  }

  @Override
  public byte @Nullable [] read(String path) throws IOException {
    try {
      return Files.readAllBytes(folder.resolve(path));
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** The earlier checkpoints that were kept, in no order; unread. */
  public List<byte[]> earlierCheckpoints() throws IOException {
    List<byte[]> notes = new ArrayList<>();
    Path earlier = folder.resolve(EARLIER);
    if (Files.isDirectory(earlier)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(earlier)) {
        for (Path file : files) {
          if (!file.toString().endsWith(".new")) {
            notes.add(Files.readAllBytes(file));
          }
        }
      }
    }
    return notes;
  }

  void keepCheckpoint(long size, byte[] note) throws IOException {
    write(EARLIER + "/" + size, note, note.length);
  }

  /** Writes the first bytes of the array. */
  void write(String path, byte[] bytes, int length) throws IOException {
    Path file = folder.resolve(path);
    Files.createDirectories(file.getParent());
    Path unfinished = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel channel =
        FileChannel.open(
            unfinished,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE)) {
      ByteBuffer rest = ByteBuffer.wrap(bytes, 0, length);
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      channel.force(false);
    }
    Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Removes the partial pieces that a full one replaces. */
  void removePartial(TilePath full) throws IOException {
    Path partial = folder.resolve(full.path() + ".p");
    if (!Files.isDirectory(partial)) {
      return;
    }
    try (DirectoryStream<Path> files = Files.newDirectoryStream(partial)) {
      for (Path file : files) {
        Files.delete(file);
      }
    }
    Files.delete(partial);
  }
}
