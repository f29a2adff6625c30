package no.bindeledd.audit;

import java.io.IOException;
import java.io.InterruptedIOException;
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
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
  private static final Set<StandardOpenOption> NEW =
      Set.of(
          StandardOpenOption.CREATE,
          StandardOpenOption.TRUNCATE_EXISTING,
          StandardOpenOption.WRITE);

  private final Path folder;

  /**
   * A piece of a log that is to be written.
   *
   * @param bytes of which the first {@code length} belong to it
   */
  record Piece(TilePath path, byte[] bytes, int length) {}

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

  /**
   * Writes them at the same time, for each waits for the disk, and removes the partial pieces that
   * full ones replace.
   */
  void write(List<Piece> pieces) throws IOException {
    List<Callable<Void>> tasks = new ArrayList<>(pieces.size());
    for (Piece piece : pieces) {
      tasks.add(
          () -> {
            write(piece.path().path(), piece.bytes(), piece.length());
            if (piece.path().full()) {
              removePartial(piece.path());
            }
            return null;
          });
    }
    try (ExecutorService writers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<Void> written : writers.invokeAll(tasks)) {
        written.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("The log was not written to its end");
    } catch (ExecutionException e) {
      throw new IOException("A piece of the log cannot be written to " + folder, e.getCause());
    }
  }

  /** Writes the first bytes of the array. */
  void write(String path, byte[] bytes, int length) throws IOException {
    Path file = folder.resolve(path);
    Path unfinished = file.resolveSibling(file.getFileName() + ".new");
    try (FileChannel channel = open(unfinished)) {
      ByteBuffer rest = ByteBuffer.wrap(bytes, 0, length);
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
      channel.force(false);
    }
    Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Most folders are there already: to ask first would cost as much as to write. */
  private static FileChannel open(Path file) throws IOException {
    try {
      return FileChannel.open(file, NEW);
    } catch (NoSuchFileException e) {
      Files.createDirectories(file.getParent());
      return FileChannel.open(file, NEW);
    }
  }

  /** Removes the partial pieces that a full one replaces. */
  private void removePartial(TilePath full) throws IOException {
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
