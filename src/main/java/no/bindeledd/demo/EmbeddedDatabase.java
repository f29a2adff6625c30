package no.bindeledd.demo;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A real PostgreSQL server on 127.0.0.1, durable like a production one ({@code fsync} and {@code
 * synchronous_commit} on). Its directory keeps everything from start to start:
 *
 * <pre>
 * postgres/cluster/         PostgreSQL's own data directory
 * postgres/server.log       the server's log (this start and the one before)
 * postgres/password         made at random, readable by the owner only
 * postgres/port             the port of the last start, taken again when it is free
 * </pre>
 *
 * <p>PostgreSQL refuses to run as root; a root process starts it in a user namespace where it is
 * nobody, or, where namespaces are forbidden, as the user 65534. A server that an earlier, killed
 * process left behind is stopped before a new one starts; a small guard process stops it as soon as
 * the process that started it is gone. Thread-safe.
 */
public final class EmbeddedDatabase implements AutoCloseable {
  private static final String USER = "bindeledd";
  private static final String NAME = "bindeledd";
  private static final int ATTEMPTS = 4;
  private static final long COMMAND_SECONDS = 90;
  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private final Path directory;
  private final Path cluster;
  private final DirectoryLock lock;
  private final Path programs;
  private final List<String> asServer;
  private final boolean fixedPort;
  private final String password;
  private int port;
  private @Nullable Process guard;

  private EmbeddedDatabase(Path directory, DirectoryLock lock, int port) throws IOException {
    this.directory = directory;
    this.cluster = directory.resolve("cluster");
    this.lock = lock;
    this.fixedPort = port > 0;
    this.port = port;
    this.programs = PostgresBinaries.unpacked().resolve("bin");
    this.asServer = asServer();
    this.password = password(directory.resolve("password"));
  }

  /** Starts a server on the port of its last start, or any free one, and waits until it serves. */
  public static EmbeddedDatabase start(Path directory) {
    return start(directory, 0);
  }

  /**
   * Starts a server and waits until it serves.
   *
   * @param directory created when missing; reused as it was left
   * @param port 0 for the port of its last start, or any free one
   * @throws IllegalStateException when another process uses the directory, or the server does not
   *     start; names the server's log
   */
  public static EmbeddedDatabase start(Path directory, int port) {
    Path absolute = directory.toAbsolutePath().normalize();
    DirectoryLock lock = DirectoryLock.of(absolute);
    try {
      // Symbolic links resolved: a server's processes are known by their working directory.
      EmbeddedDatabase database = new EmbeddedDatabase(absolute.toRealPath(), lock, port);
      database.initialise();
      database.startAgain();
      database.createDatabase();
      return database;
    } catch (IOException e) {
      lock.close();
      throw new UncheckedIOException("Cannot prepare the database in " + absolute, e);
    } catch (RuntimeException e) {
      lock.close();
      throw e;
    }
  }

  /** The address without user and password; the same for the life of this object. */
  public synchronized String jdbcUrl() {
    return "jdbc:postgresql://127.0.0.1:" + port + "/" + NAME;
  }

  public String user() {
    return USER;
  }

  public String password() {
    return password;
  }

  /** A new connection to the database; the caller closes it. */
  public Connection connect() throws SQLException {
    return DriverManager.getConnection(jdbcUrl(), USER, password);
  }

  /** The server's process; none while it is stopped. */
  public synchronized Optional<ProcessHandle> process() {
    return serverProcess();
  }

  /** Stops the server in good order, ending its connections. */
  public synchronized void stop() {
    if (serverProcess().isPresent()) {
      try {
        run("pg_ctl", "stop", "-D", cluster.toString(), "-m", "fast", "-w", "-t", "60");
      } catch (IllegalStateException e) {
        // One whose parent died may have ended by itself in the meantime.
        if (serverProcess().isPresent()) {
          throw e;
        }
      }
    }
    endGuard();
  }

  /** Ends the server at once, as a crash would; its next start recovers. */
  public synchronized void kill() {
    serverProcess().ifPresent(server -> new RunningProcess(server).kill());
    endGuard();
    clearRemains();
  }

  /** Starts the server after {@link #stop} or {@link #kill}, on the same port. */
  public synchronized void startAgain() {
    if (guard != null && guard.isAlive() && serverProcess().isPresent()) {
      return;
    }
    stop();
    clearRemains();
    boolean keepPort = port > 0;
    for (int attempt = 1; ; attempt++) {
      int candidate = keepPort ? port : LoopbackPort.remembered(directory.resolve("port"));
      writeSettings(candidate);
      if (launch()) {
        port = candidate;
        LoopbackPort.remember(directory.resolve("port"), port);
        guard = guard();
        return;
      }
      if (attempt == ATTEMPTS || (fixedPort && !LoopbackPort.isFree(port))) {
        throw new IllegalStateException(
            "PostgreSQL did not start on port "
                + candidate
                + "; the reason is in "
                + directory.resolve("server.log"));
      }
    }
  }

  @Override
  public synchronized void close() {
    try {
      stop();
    } finally {
      lock.close();
    }
  }

  private void initialise() throws IOException {
    if (Files.exists(directory.resolve("initialised"))) {
      return;
    }
    List<String> probe = new ArrayList<>(asServer);
    probe.addAll(List.of(programs.resolve("initdb").toString(), "--version"));
    if (execute(probe) != 0) {
      throw new IllegalStateException(
          "The PostgreSQL programs in "
              + programs
              + " do not run here as the server's user"
              + (asServer.isEmpty() ? "" : " ('" + String.join(" ", asServer) + "')")
              + "; set XDG_CACHE_HOME to a folder that every user may read and execute from");
    }
    if (Files.exists(cluster)) {
      // An initdb that was cut short; nothing has ever been stored in it.
      run(List.of("rm", "-rf", cluster.toString()));
    }
    Files.createDirectory(cluster);
    Files.setPosixFilePermissions(cluster, PosixFilePermissions.fromString("rwx------"));
    Path given = directory.resolve("password");
    giveToServer(cluster, given);
    run(
        "initdb",
        "-D",
        cluster.toString(),
        "-U",
        USER,
        "-A",
        "scram-sha-256",
        "--pwfile=" + given,
        "-E",
        "UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",
        "--no-instructions");
    Files.writeString(
        cluster.resolve("postgresql.conf"),
        "\ninclude_if_exists = '" + settingsFile().toString().replace("'", "''") + "'\n",
        java.nio.file.StandardOpenOption.APPEND);
    Files.createFile(directory.resolve("initialised"));
  }

  private Path settingsFile() {
    return directory.resolve("server.conf");
  }

  private void writeSettings(int candidate) {
    String settings =
        """
        # Written by Bindeledd at each start.
        listen_addresses = '127.0.0.1'
        port = %d
        unix_socket_directories = ''
        max_connections = 100
        fsync = on
        synchronous_commit = on
        full_page_writes = on
        shared_buffers = 256MB
        work_mem = 16MB
        maintenance_work_mem = 128MB
        wal_compression = off
        wal_buffers = 16MB
        min_wal_size = 512MB
        max_wal_size = 4GB
        checkpoint_timeout = 15min
        checkpoint_completion_target = 0.9
        autovacuum_naptime = 15s
        random_page_cost = 1.1
        timezone = 'UTC'
        log_timezone = 'UTC'
        # A statement may carry a person's data: it stays out of the log.
        log_min_error_statement = panic
        log_parameter_max_length_on_error = 0
        log_error_verbosity = terse
        """
            .formatted(candidate);
    try {
      Files.writeString(settingsFile(), settings);
      if (Files.exists(directory.resolve("server.log"))) {
        Files.move(
            directory.resolve("server.log"),
            directory.resolve("server.log.1"),
            StandardCopyOption.REPLACE_EXISTING);
      }
      Files.createFile(directory.resolve("server.log"));
      giveToServer(settingsFile(), directory.resolve("server.log"));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write the settings of the database", e);
    }
  }

  /** {@code pg_ctl} takes the server out of this process's group, so Ctrl-C does not reach it. */
  private boolean launch() {
    List<String> command = new ArrayList<>(asServer);
    command.addAll(
        List.of(
            programs.resolve("pg_ctl").toString(),
            "start",
            "-D",
            cluster.toString(),
            "-l",
            directory.resolve("server.log").toString(),
            "-w",
            "-t",
            "60"));
    return execute(command) == 0;
  }

  private void createDatabase() {
    String server = "jdbc:postgresql://127.0.0.1:" + port + "/postgres";
    try (Connection connection = DriverManager.getConnection(server, USER, password);
        Statement statement = connection.createStatement()) {
      try (ResultSet found =
          statement.executeQuery("SELECT 1 FROM pg_database WHERE datname = '" + NAME + "'")) {
        if (found.next()) {
          return;
        }
      }
      statement.execute("CREATE DATABASE " + NAME);
    } catch (SQLException e) {
      stop();
      throw new IllegalStateException("Cannot create the database in " + directory, e);
    }
  }

  /** The process that {@code postmaster.pid} names, if that process really is our server. */
  private Optional<ProcessHandle> serverProcess() {
    Path file = cluster.resolve("postmaster.pid");
    try {
      if (!Files.exists(file)) {
        return Optional.empty();
      }
      String first = Files.readString(file).lines().findFirst().orElse("").strip();
      if (!first.matches("[0-9]{1,10}")) {
        return Optional.empty();
      }
      // After a restart of the machine the number may belong to any process.
      return ProcessHandle.of(Long.parseLong(first))
          .filter(p -> new RunningProcess(p).commandLine().contains(cluster.toString()));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + file, e);
    }
  }

  /**
   * After a crash the server's helpers see that it is gone and end by themselves; until then they
   * hold its shared memory. Every process of the server, and no other, works in the data directory.
   * A pid file that is left then names nobody, or a process that ended and was not collected, which
   * PostgreSQL would take for a running server.
   */
  private void clearRemains() {
    ProcessHandle.allProcesses()
        .filter(p -> cluster.equals(workingDirectory(p)))
        .forEach(p -> new RunningProcess(p).end(Duration.ofSeconds(10)));
    try {
      Files.deleteIfExists(cluster.resolve("postmaster.pid"));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot clear " + cluster.resolve("postmaster.pid"), e);
    }
  }

  private static @Nullable Path workingDirectory(ProcessHandle process) {
    try {
      return Files.readSymbolicLink(Path.of("/proc", Long.toString(process.pid()), "cwd"));
    } catch (IOException e) {
      return null;
    }
  }

  /**
   * A shell that waits for the end of its standard input, which comes when this process ends in any
   * way, and then asks this one server process to stop.
   */
  private Process guard() {
    long pid =
        serverProcess()
            .map(ProcessHandle::pid)
            .orElseThrow(() -> new IllegalStateException("PostgreSQL ended just after its start"));
    try {
      return new ProcessBuilder(
              "/bin/sh",
              "-c",
              "trap '' INT HUP; while read -r line; do :; done; kill -INT \"$1\" 2>/dev/null",
              "bindeledd-postgres-guard",
              Long.toString(pid))
          .redirectOutput(ProcessBuilder.Redirect.DISCARD)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot start the guard of the database", e);
    }
  }

  private void endGuard() {
    Process ended = guard;
    guard = null;
    if (ended != null) {
      new RunningProcess(ended.toHandle()).kill();
    }
  }

  private static List<String> asServer() {
    if (!System.getProperty("user.name").equals("root")) {
      return List.of();
    }
    List<String> namespace = List.of("unshare", "-U");
    if (works(namespace)) {
      return namespace;
    }
    List<String> nobody =
        List.of("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--");
    if (works(nobody)) {
      return nobody;
    }
    throw new IllegalStateException(
        "PostgreSQL refuses to run as root, and neither 'unshare -U' nor 'setpriv' works here;"
            + " start Bindeledd as another user");
  }

  private static boolean works(List<String> prefix) {
    List<String> command = new ArrayList<>(prefix);
    command.add("true");
    return execute(command) == 0;
  }

  /** Outside a user namespace the server is another user, and must own what it reads. */
  private void giveToServer(Path... files) {
    if (!asServer.isEmpty() && asServer.getFirst().equals("setpriv")) {
      List<String> command = new ArrayList<>(List.of("chown", "-R", "65534:65534"));
      Arrays.stream(files).map(Path::toString).forEach(command::add);
      run(command);
    }
  }

  private void run(String program, String... arguments) {
    List<String> command = new ArrayList<>(asServer);
    command.add(programs.resolve(program).toString());
    command.addAll(Arrays.asList(arguments));
    run(command);
  }

  private static void run(List<String> command) {
    int code = execute(command);
    if (code != 0) {
      throw new IllegalStateException("'" + String.join(" ", command) + "' ended with " + code);
    }
  }

  private static int execute(List<String> command) {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      if (!process.waitFor(COMMAND_SECONDS, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return -1;
      }
      return process.exitValue();
    } catch (IOException e) {
      return 127;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("Interrupted while running " + command.getFirst(), e);
    }
  }

  private static String password(Path file) throws IOException {
    if (Files.exists(file) && Files.size(file) > 0) {
      return Files.readString(file, StandardCharsets.US_ASCII).strip();
    }
    Files.deleteIfExists(file);
    byte[] bytes = new byte[24];
    new SecureRandom().nextBytes(bytes);
    String made = HexFormat.of().formatHex(bytes);
    Files.createFile(file, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    Files.writeString(file, made, StandardCharsets.US_ASCII);
    return made;
  }
}
