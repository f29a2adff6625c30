package no.bindeledd.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.file.virtualfs.VirtualFileSystemFactory;
import org.apache.sshd.core.CoreModuleProperties;
import org.apache.sshd.server.SshServer;
import org.apache.sshd.server.keyprovider.SimpleGeneratorHostKeyProvider;
import org.apache.sshd.sftp.server.SftpSubsystemFactory;

/**
 * The schools' system with its SFTP server. It writes files of pupils who have left, under another
 * name first, into the account's folder {@code dropout/}; every second file is ISO-8859-1. The hub
 * fetches them and leaves reports in {@code done/} and {@code failed/}. Thread-safe.
 */
public final class SchoolSystem implements AutoCloseable {
  /** The column names in the order of the file; agreed with the exchange dropout-notice. */
  static final String HEADER =
      "fodselsnummer;fornavn;etternavn;fodselsdato;telefon;epost;skole_orgnr;skole_navn;"
          + "programomrade;trinn;avbruddsdato;avbruddsarsak;fravaersprosent;oppdatert";

  /** What may be wrong with a row. */
  private enum Fault {
    INVALID_NUMBER,
    FICTITIOUS_NUMBER,
    UNKNOWN_REASON,
    WRONG_DATE,
    TOO_FEW_COLUMNS
  }

  private static final DateTimeFormatter DATE = DateTimeFormatter.ofPattern("dd.MM.yyyy");
  private static final int ROWS_PER_FILE = 250;
  private static final String USERNAME = "bindeledd";

  private final Population population;
  private final Path folder;
  private final Path knownHosts;
  private final String password;
  private final SshServer server;

  /**
   * What was sent.
   *
   * @param rows all rows
   * @param badRows those of them that have a fault
   */
  public record Sent(int files, int rows, int badRows) {}

  /**
   * Starts the SFTP server.
   *
   * @param directory holds the account's files, the host key and the known_hosts file
   */
  public SchoolSystem(Population population, Path directory) {
    this.population = population;
    Path home = directory.toAbsolutePath().normalize().resolve("sftp");
    this.folder = home.resolve("dropout");
    this.knownHosts = directory.toAbsolutePath().normalize().resolve("known_hosts");
    byte[] secret = new byte[18];
    new SecureRandom().nextBytes(secret);
    this.password = HexFormat.of().formatHex(secret);
    this.server = SshServer.setUpDefaultServer();
    try {
      Files.createDirectories(folder);
      Files.setPosixFilePermissions(home, PosixFilePermissions.fromString("rwx------"));
      start(home, directory.resolve("host_key"));
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot start the school's SFTP server", e);
    }
  }

  private void start(Path home, Path hostKey) throws IOException {
    SimpleGeneratorHostKeyProvider keys = new SimpleGeneratorHostKeyProvider(hostKey);
    keys.setAlgorithm("EC");
    keys.setKeySize(256);
    server.setHost(LoopbackPort.LOOPBACK.getHostAddress());
    server.setKeyPairProvider(keys);
    server.setPasswordAuthenticator(
        (user, given, session) ->
            user.equals(USERNAME)
                && MessageDigest.isEqual(
                    given.getBytes(StandardCharsets.UTF_8),
                    password.getBytes(StandardCharsets.UTF_8)));
    server.setSubsystemFactories(List.of(new SftpSubsystemFactory()));
    server.setFileSystemFactory(new VirtualFileSystemFactory(home));
    // Without it each file takes 60 ms of waiting for acknowledgements.
    CoreModuleProperties.TCP_NODELAY.set(server, true);
    server.start();
    StringBuilder known = new StringBuilder();
    for (KeyPair key : keys.loadKeys(null)) {
      known
          .append("[127.0.0.1]:")
          .append(server.getPort())
          .append(' ')
          .append(PublicKeyEntry.toString(key.getPublic()))
          .append('\n');
    }
    Files.writeString(knownHosts, known);
  }

  /** {@code 127.0.0.1:port}. */
  public String address() {
    return "127.0.0.1:" + server.getPort();
  }

  public String username() {
    return USERNAME;
  }

  /** New at each start. */
  public String password() {
    return password;
  }

  /** An OpenSSH known_hosts file with this server's key. */
  public Path knownHosts() {
    return knownHosts;
  }

  /**
   * Writes the files of all pupils who have left; the same names and contents each time.
   *
   * @param progress hears the number of rows so far
   */
  public Sent sendFiles(IntConsumer progress) {
    List<Person> left = population.dropouts().toList();
    int files = 0;
    int rows = 0;
    int badRows = 0;
    for (int from = 0; from < left.size() || files == 0; from += ROWS_PER_FILE) {
      files++;
      List<Person> part = left.subList(from, Math.min(left.size(), from + ROWS_PER_FILE));
      List<String> lines = new ArrayList<>(List.of(HEADER));
      part.forEach(p -> lines.add(row(p)));
      List<String> wrong = wrongRows(files);
      lines.addAll(wrong);
      write(files, lines);
      rows += lines.size() - 1;
      badRows += wrong.size();
      progress.accept(rows);
    }
    return new Sent(files, rows, badRows);
  }

  /** The hub's reports, of all starts. */
  public List<JsonNode> reports() {
    List<JsonNode> reports = new ArrayList<>();
    for (String place : List.of("done", "failed")) {
      for (Path file : filesIn(folder.resolve(place), ".report.json")) {
        try {
          reports.add(AgencyServer.JSON.readTree(file.toFile()));
        } catch (IOException e) {
          throw new UncheckedIOException("A report of the hub cannot be read", e);
        }
      }
    }
    return reports;
  }

  /** Files that the hub has not fetched yet. */
  public int waitingFiles() {
    return filesIn(folder, ".csv").size();
  }

  private static List<Path> filesIn(Path place, String ending) {
    if (!Files.isDirectory(place)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(place)) {
      return files.filter(f -> f.getFileName().toString().endsWith(ending)).sorted().toList();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot list " + place, e);
    }
  }

  private void write(int file, List<String> lines) {
    String name = "avbrudd-%d-%03d".formatted(population.reference().getYear(), file);
    Charset charset = file % 2 == 0 ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8;
    Path draft = folder.resolve(name + ".part");
    try {
      Files.write(draft, (String.join("\r\n", lines) + "\r\n").getBytes(charset));
      Files.move(draft, folder.resolve(name + ".csv"), StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write the file " + name, e);
    }
  }

  private String row(Person person) {
    return String.join(";", columns(person));
  }

  private List<String> columns(Person person) {
    Person.Dropout dropout = person.dropout();
    String absence = dropout == null ? null : dropout.absencePercent();
    LocalDate date = dropout == null ? population.reference() : dropout.date();
    return List.of(
        person.identityNumber(),
        person.givenName(),
        person.familyName(),
        DATE.format(person.birthDate()),
        person.phone(),
        person.number() % 5 == 0 ? "" : person.email(),
        person.school().organisation().value(),
        person.school().name(),
        person.programme(),
        Integer.toString(person.level()),
        DATE.format(date),
        dropout == null ? "AF" : dropout.reason(),
        absence == null ? "" : absence,
        DATE.format(date.plusDays(1)));
  }

  /** One row with each fault in the first file, and one wrong row in each further file. */
  private List<String> wrongRows(int file) {
    Fault[] all = Fault.values();
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < all.length; i++) {
      if (file == 1 || file % all.length == i) {
        Person person = population.people().get((file + i) % population.people().size());
        rows.add(wrongRow(person, all[i], file));
      }
    }
    return rows;
  }

  private String wrongRow(Person person, Fault fault, int serial) {
    List<String> columns = new ArrayList<>(columns(person));
    switch (fault) {
      case INVALID_NUMBER -> columns.set(0, SyntheticNumber.broken(person.identityNumber()));
      case FICTITIOUS_NUMBER ->
          columns.set(0, SyntheticNumber.fictitious(person.birthDate(), serial));
      case UNKNOWN_REASON -> columns.set(11, "XX");
      case WRONG_DATE -> columns.set(10, population.reference().toString());
      case TOO_FEW_COLUMNS -> columns.subList(5, columns.size()).clear();
    }
    return String.join(";", columns);
  }

  @Override
  public void close() {
    try {
      server.stop(true);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot stop the school's SFTP server", e);
    }
  }
}
