package no.bindeledd.channel;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.Set;
import org.apache.camel.Exchange;
import org.apache.camel.component.file.FileConstants;
import org.apache.camel.component.file.GenericFile;
import org.apache.camel.component.file.GenericFileEndpoint;
import org.apache.camel.component.file.GenericFileOperationFailedException;
import org.apache.camel.component.file.GenericFileOperations;
import org.apache.camel.component.file.GenericFileProcessStrategy;
import org.apache.camel.component.file.remote.RemoteFileEndpoint;
import org.apache.camel.component.file.remote.SftpRemoteFile;
import org.apache.camel.util.FileUtil;
import org.jspecify.annotations.Nullable;

/**
 * What happens to a received file on the SFTP server, as the gate has answered: it moves to {@code
 * done/} when at least one of its records was good, else to {@code failed/}, and the gate's report
 * stands beside it as {@code <name>.report.json}. When the gate is shut the file stays where it is
 * and the next poll brings it again; the gate recognises records it has already taken. Used as
 * {@code processStrategy: "#gateFiles"}. Stateless and thread-safe.
 *
 * <p>The report is written, under another name first, before the file moves: a reader of {@code
 * done/} finds no file without its report and no half report, and a crash between the two only
 * brings the file again. Nothing in {@code done/} or {@code failed/} is ever overwritten: the
 * second {@code a.csv} becomes {@code a.20260901T100000Z.csv}.
 *
 * <p>A file is left alone while its name says that it is being uploaded ({@code .part}, {@code
 * .filepart}, {@code .tmp}, {@code .uploading}, or a leading dot) or while it has changed within
 * the quiet time, by the server's clock. Rename when complete is the safe way to send.
 */
public final class SftpFileStrategy implements GenericFileProcessStrategy<SftpRemoteFile> {
  /** Exchange property, set by the gate: the report as JSON, a {@code byte[]} in UTF-8. */
  public static final String REPORT = "BindeleddReport";

  /** Exchange property, set by the gate: a Boolean, true when at least one record was good. */
  public static final String ACCEPTED = "BindeleddAccepted";

  /** Which of several hub instances that poll the same server takes a file. Thread-safe. */
  public interface Claims {
    /** There is one hub. */
    Claims NONE =
        new Claims() {
          @Override
          public boolean take(String name) {
            return true;
          }

          @Override
          public void release(String name) {}
        };

    /**
     * @return false when another instance has it, or nobody can tell
     */
    boolean take(String name);

    /** Does nothing when this instance has not taken it. */
    void release(String name);
  }

  private static final String DONE = "done";
  private static final String FAILED = "failed";
  private static final String REPORT_ENDING = ".report.json";
  private static final Set<String> UPLOADING = Set.of("part", "filepart", "tmp", "uploading");
  private static final DateTimeFormatter MOMENT =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'", Locale.ROOT).withZone(ZoneOffset.UTC);

  private final InstantSource clock;
  private final Duration quiet;
  private final Claims claims;

  /**
   * @param quiet how long a file must have been unchanged before it is read; zero when every sender
   *     renames when complete
   */
  public SftpFileStrategy(InstantSource clock, Duration quiet, Claims claims) {
    this.clock = clock;
    this.quiet = quiet;
    this.claims = claims;
  }

  @Override
  public void prepareOnStartup(
      GenericFileOperations<SftpRemoteFile> operations,
      GenericFileEndpoint<SftpRemoteFile> endpoint) {
    if (endpoint instanceof RemoteFileEndpoint<?> remote) {
      // Ask for one name; the default lists the whole of done/.
      remote.setFastExistsCheck(true);
    }
  }

  @Override
  public boolean begin(
      GenericFileOperations<SftpRemoteFile> operations,
      GenericFileEndpoint<SftpRemoteFile> endpoint,
      Exchange exchange,
      GenericFile<SftpRemoteFile> file) {
    String name = file.getFileNameOnly();
    String ending = name.substring(name.lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    return !name.startsWith(".")
        && !UPLOADING.contains(ending)
        && file.getLastModified() <= clock.instant().minus(quiet).toEpochMilli()
        && claims.take(claim(endpoint, file))
        // Another instance may have moved it since it was listed here.
        && operations.existsFile(file.getAbsoluteFilePath());
  }

  /** The same at every instance that has the route. */
  private static String claim(
      GenericFileEndpoint<SftpRemoteFile> endpoint, GenericFile<SftpRemoteFile> file) {
    return endpoint.getEndpointBaseUri() + " " + file.getAbsoluteFilePath();
  }

  @Override
  public void abort(
      GenericFileOperations<SftpRemoteFile> operations,
      GenericFileEndpoint<SftpRemoteFile> endpoint,
      Exchange exchange,
      GenericFile<SftpRemoteFile> file)
      throws IOException {
    release(operations, exchange);
    claims.release(claim(endpoint, file));
  }

  @Override
  public void rollback(
      GenericFileOperations<SftpRemoteFile> operations,
      GenericFileEndpoint<SftpRemoteFile> endpoint,
      Exchange exchange,
      GenericFile<SftpRemoteFile> file)
      throws IOException {
    release(operations, exchange);
    claims.release(claim(endpoint, file));
  }

  @Override
  public void commit(
      GenericFileOperations<SftpRemoteFile> operations,
      GenericFileEndpoint<SftpRemoteFile> endpoint,
      Exchange exchange,
      GenericFile<SftpRemoteFile> file)
      throws IOException {
    try {
      done(operations, endpoint, exchange, file);
    } catch (GenericFileOperationFailedException e) {
      // Its message names the file, and Camel logs what is thrown.
      FileTroubles.tell(endpoint, FileTroubles.kinds(e));
      throw new IllegalStateException("The SFTP server did not take the report or move the file");
    } catch (IllegalStateException e) {
      FileTroubles.tell(endpoint, String.valueOf(e.getMessage()));
      throw e;
    } finally {
      claims.release(claim(endpoint, file));
    }
  }

  private void done(
      GenericFileOperations<SftpRemoteFile> operations,
      GenericFileEndpoint<SftpRemoteFile> endpoint,
      Exchange exchange,
      GenericFile<SftpRemoteFile> file)
      throws IOException {
    release(operations, exchange);
    Boolean accepted = exchange.getProperty(ACCEPTED, Boolean.class);
    byte[] report = exchange.getProperty(REPORT, byte[].class);
    if (accepted == null || report == null) {
      throw new IllegalStateException(
          "The gate has not answered for this file, so it stays where it is: the receive route must"
              + " end in gate:<exchange>?from=<sender>");
    }
    String path = file.getAbsoluteFilePath();
    String folder = FileUtil.onlyPath(path);
    String directory = (folder == null ? "" : folder + "/") + (accepted ? DONE : FAILED);
    boolean made = operations.buildDirectory(directory, file.isAbsolute());
    if (!made) { // another instance may have made it at the same moment
      made = operations.buildDirectory(directory, file.isAbsolute());
    }
    require(made, "make the directory");
    String target = freeName(operations, directory, file.getFileNameOnly());
    write(operations, endpoint, target + REPORT_ENDING, report);
    require(operations.renameFile(path, target), "move the file");
  }

  private String freeName(
      GenericFileOperations<SftpRemoteFile> operations, String directory, String name) {
    String candidate = directory + "/" + name;
    String stem = FileUtil.stripExt(name, true);
    String ending = name.substring(stem.length());
    String moment = MOMENT.format(clock.instant());
    for (int next = 1; isTaken(operations, candidate); next++) {
      candidate = directory + "/" + stem + "." + moment + (next == 1 ? "" : "-" + next) + ending;
    }
    return candidate;
  }

  private static boolean isTaken(
      GenericFileOperations<SftpRemoteFile> operations, String candidate) {
    return operations.existsFile(candidate) || operations.existsFile(candidate + REPORT_ENDING);
  }

  private static void write(
      GenericFileOperations<SftpRemoteFile> operations,
      GenericFileEndpoint<SftpRemoteFile> endpoint,
      String name,
      byte[] report) {
    String draft = name + ".tmp";
    Exchange carrier = endpoint.createExchange();
    carrier.getIn().setBody(report);
    require(operations.storeFile(draft, carrier, report.length), "write the report");
    require(operations.renameFile(draft, name), "name the report");
  }

  private static void require(boolean succeeded, String act) {
    if (!succeeded) {
      throw new IllegalStateException(
          "The SFTP server would not " + act + ": check its permissions");
    }
  }

  /** Closes the download and removes the local copy, which holds personal data. */
  private static void release(GenericFileOperations<SftpRemoteFile> operations, Exchange exchange)
      throws IOException {
    operations.releaseRetrievedFileResources(exchange);
    @Nullable String local =
        exchange.getIn().getHeader(FileConstants.FILE_LOCAL_WORK_PATH, String.class);
    if (local != null) {
      Files.deleteIfExists(new File(local).toPath());
    }
  }
}
