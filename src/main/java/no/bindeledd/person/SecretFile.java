package no.bindeledd.person;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Set;

/**
 * A small text file that only the hub may read. Appears whole or not at all, with mode 600 from its
 * first byte; refused when others could read or change it. A group may read: that is how Kubernetes
 * hands a mounted secret to a process that is not root.
 */
record SecretFile(Path path) {
  private static final Set<PosixFilePermission> FORBIDDEN =
      EnumSet.of(
          PosixFilePermission.GROUP_WRITE,
          PosixFilePermission.OTHERS_READ,
          PosixFilePermission.OTHERS_WRITE,
          PosixFilePermission.OTHERS_EXECUTE);

  boolean exists() {
    return Files.exists(path);
  }

  String read() {
    try {
      Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(path);
      if (permissions.stream().anyMatch(FORBIDDEN::contains)) {
        throw new SecretFileException(
            path,
            "others may read or change this secret ("
                + PosixFilePermissions.toString(permissions)
                + ")",
            "run chmod 600 on it, and replace it if it may have been read",
            null);
      }
      return Files.readString(path, StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new SecretFileException(
          path, "the secret cannot be read", "check that the file exists and who owns it", e);
    }
  }

  /** Writes the text unless the file is there already, also when another process does the same. */
  void createIfMissing(String text) {
    if (exists()) {
      return;
    }
    Path written = writeBeside(text);
    try {
      Files.createLink(path, written);
    } catch (FileAlreadyExistsException anotherWasFirst) {
      // Its secret counts.
    } catch (IOException e) {
      throw notWritten(e);
    } finally {
      delete(written);
    }
  }

  void replace(String text) {
    Path written = writeBeside(text);
    try {
      Files.move(written, path, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      delete(written);
      throw notWritten(e);
    }
  }

  private Path writeBeside(String text) {
    try {
      Path folder = path.toAbsolutePath().getParent();
      if (folder == null) {
        throw new IOException("not a file name");
      }
      Files.createDirectories(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
      Path file =
          Files.createTempFile(
              folder,
              ".new-",
              null,
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
      try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
        ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
        while (bytes.hasRemaining()) {
          out.write(bytes);
        }
        out.force(true);
      }
      return file;
    } catch (IOException e) {
      throw notWritten(e);
    }
  }

  private static void delete(Path file) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException leftOver) {
      // The leftover has mode 600 and is never read.
    }
  }

  private SecretFileException notWritten(IOException cause) {
    return new SecretFileException(
        path, "the secret cannot be written", "make the folder writable for the hub's user", cause);
  }
}
