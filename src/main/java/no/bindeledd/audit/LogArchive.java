package no.bindeledd.audit;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * One full segment of a published log in a ZIP file that verifies alone: its entries and tiles, the
 * few other tiles that lead from it to the root, and the signed checkpoint, under the same paths as
 * in the log. Safe on any thread.
 */
public final class LogArchive implements LogSource, AutoCloseable {
  private static final String SEGMENT = "segment";

  private final ZipFile zip;

  private LogArchive(ZipFile zip) {
    this.zip = zip;
  }

  public static LogArchive open(Path file) throws IOException {
    return new LogArchive(new ZipFile(file.toFile()));
  }

  /**
   * Writes a segment, once it verifies. It is on the disk when this returns.
   *
   * @param segment from 0; entries {@code segment * 65536} and on
   * @throws LedgerException when the log does not verify there
   * @throws IllegalArgumentException when the segment is not full yet
   */
  public static void write(LogSource log, List<VerifierKey> keys, long segment, Path file)
      throws IOException {
    Path unfinished = file.resolveSibling(file.getFileName() + ".new");
    Set<String> written = new HashSet<>();
    try (OutputStream out = Files.newOutputStream(unfinished);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      put(zip, SEGMENT, (segment + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8));
      // What a check of the segment reads is what the archive must hold.
      LogSource recording =
          path -> {
            byte[] bytes = log.read(path);
            if (bytes != null && written.add(path)) {
              put(zip, path, bytes);
            }
            return bytes;
          };
      Verification verification = verify(recording, keys, segment, ProgressListener.NONE);
      if (!verification.verified()) {
        Files.delete(unfinished);
        throw new LedgerException("Not archived: " + verification.firstProblem());
      }
    }
    force(unfinished);
    Files.move(unfinished, file, java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    force(java.util.Objects.requireNonNull(file.toAbsolutePath().getParent()));
  }

  /**
   * A published log from whose folder the entries of old segments were taken: what it lacks is read
   * from their archive files, of its own shard or of those below it.
   *
   * @throws IllegalArgumentException when a file is not an archive of this house's logs
   */
  public static LogSource beside(LogSource log, Collection<Path> files) throws IOException {
    if (files.isEmpty()) {
      return log;
    }
    String house = origin(log);
    Map<Path, String> prefixes = new LinkedHashMap<>();
    for (Path file : files) {
      try (LogArchive archive = open(file)) {
        String origin = origin(archive);
        if (!origin.equals(house) && !origin.startsWith(house + "/")) {
          throw new IllegalArgumentException(
              "The archive %s is of the log %s, not of %s".formatted(file, origin, house));
        }
        prefixes.put(file, origin.equals(house) ? "" : origin.substring(house.length() + 1) + "/");
      }
    }
    return path -> {
      byte[] bytes = log.read(path);
      for (Map.Entry<Path, String> each : prefixes.entrySet()) {
        if (bytes == null && path.startsWith(each.getValue())) {
          try (LogArchive archive = open(each.getKey())) {
            bytes = archive.read(path.substring(each.getValue().length()));
          }
        }
      }
      return bytes;
    };
  }

  private static String origin(LogSource log) throws IOException {
    Checkpoint checkpoint = log.checkpoint();
    if (checkpoint == null) {
      throw new IllegalArgumentException("There is no checkpoint in the log or the archive");
    }
    return checkpoint.origin();
  }

  private static void force(Path path) throws IOException {
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      channel.force(true);
    }
  }

  private static void put(ZipOutputStream zip, String path, byte[] bytes) throws IOException {
    zip.putNextEntry(new ZipEntry(path));
    zip.write(bytes);
    zip.closeEntry();
  }

  /** Checks every entry of the archive, and that its segment stands in the signed tree. */
  public Verification verify(List<VerifierKey> keys, ProgressListener progress) throws IOException {
    byte[] segment = read(SEGMENT);
    if (segment == null) {
      return new Verification(false, 0, "This is no archive of a log's segment");
    }
    String text = new String(segment, java.nio.charset.StandardCharsets.UTF_8).strip();
    return verify(this, keys, Checkpoint.decimal(text), progress);
  }

  private static Verification verify(
      LogSource log, List<VerifierKey> keys, long segment, ProgressListener progress)
      throws IOException {
    byte[] note = log.read(LogDirectory.CHECKPOINT);
    if (note == null) {
      return new Verification(false, 0, "There is no checkpoint");
    }
    SignedNote signed;
    Checkpoint checkpoint;
    try {
      signed = SignedNote.parse(note);
      checkpoint = Checkpoint.parse(signed.text());
    } catch (IllegalArgumentException e) {
      return new Verification(false, 0, "The checkpoint cannot be read: " + e.getMessage());
    }
    if (!signed.verify(keys)
        || keys.stream().noneMatch(key -> key.name().equals(checkpoint.origin()))) {
      return new Verification(false, 0, "The checkpoint is not signed by a known key of this log");
    }
    long from = segment * Segments.SIZE;
    if (from + Segments.SIZE > checkpoint.size()) {
      throw new IllegalArgumentException(
          "Segment " + segment + " is not full: the log has " + checkpoint.size() + " entries");
    }
    List<byte[]> root = new ArrayList<>();
    String problem = LogVerifier.segmentProblem(log, checkpoint.size(), from, root);
    if (problem == null) {
      problem = misplaced(log, checkpoint, from, root.getFirst());
    }
    progress.progress(problem == null ? Segments.SIZE : 0, Segments.SIZE);
    return new Verification(problem == null, problem == null ? Segments.SIZE : 0, problem);
  }

  /** Follows the path of the first entry: 16 steps to the segment's root, the rest to the log's. */
  private static @Nullable String misplaced(
      LogSource log, Checkpoint checkpoint, long from, byte[] root) throws IOException {
    byte[] tile = log.read(TilePath.in(checkpoint.size(), 0, from / TilePath.FULL));
    List<byte[]> path = new TileTree(log, checkpoint.size()).inclusion(from, checkpoint.size());
    byte[] leaf = Arrays.copyOf(tile == null ? new byte[0] : tile, TreeHash.LENGTH);
    TreeHash hash = new TreeHash();
    byte[] node = leaf;
    for (byte[] sibling : path.subList(0, Long.numberOfTrailingZeros(Segments.SIZE))) {
      node = hash.node(node, sibling);
    }
    boolean held =
        Arrays.equals(node, root)
            && MerkleProof.verifyInclusion(leaf, from, checkpoint.size(), path, checkpoint.root());
    return held ? null : "The segment from entry " + from + " does not lead to the signed root";
  }

  @Override
  public byte @Nullable [] read(String path) throws IOException {
    ZipEntry entry = zip.getEntry(path);
    if (entry == null) {
      return null;
    }
    try (var bytes = zip.getInputStream(entry)) {
      return bytes.readAllBytes();
    }
  }

  @Override
  public void close() throws IOException {
    zip.close();
  }
}
