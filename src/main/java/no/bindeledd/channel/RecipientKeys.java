package no.bindeledd.channel;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.gen.OctetSequenceKeyGenerator;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.text.ParseException;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import no.bindeledd.exchange.OrganisationNumber;

/**
 * The keys the hub shares with its recipients: one file {@code <organisation>.jwks.json} (RFC 7517)
 * each in the secrets directory, readable by its owner only, to be handed to the recipient by a
 * secure way. The first key in a file seals. A missing file is created with a new key; in an
 * installation where the directory is read-only that is an error. Thread-safe; a file is read once,
 * so a changed one takes effect at the next start.
 */
public final class RecipientKeys {
  // A group may read: that is how Kubernetes hands a mounted secret to a process.
  private static final Set<PosixFilePermission> ALLOWED =
      EnumSet.of(
          PosixFilePermission.OWNER_READ,
          PosixFilePermission.OWNER_WRITE,
          PosixFilePermission.GROUP_READ);
  private static final Set<PosixFilePermission> OWNER_ONLY =
      EnumSet.of(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);

  private final Path directory;
  private final ConcurrentMap<OrganisationNumber, SealedValue> read = new ConcurrentHashMap<>();

  /**
   * @param directory made when missing
   */
  public RecipientKeys(Path directory) {
    this.directory = directory;
  }

  /**
   * What seals for, and opens from, the organisation.
   *
   * @throws UncheckedIOException when the file can be neither read nor made
   * @throws IllegalStateException when the file is open to others or holds no usable key; names the
   *     file and the remedy
   */
  public SealedValue of(OrganisationNumber organisation) {
    return read.computeIfAbsent(organisation, this::read);
  }

  private SealedValue read(OrganisationNumber organisation) {
    Path file = directory.resolve(organisation + ".jwks.json");
    try {
      if (!Files.exists(file)) {
        create(file, organisation);
      }
      if (!ALLOWED.containsAll(Files.getPosixFilePermissions(file))) {
        throw new IllegalStateException(
            file + ": others may read or change this key file; chmod 600 it");
      }
      List<OctetSequenceKey> keys =
          JWKSet.parse(Files.readString(file)).getKeys().stream()
              .map(JWK::toOctetSequenceKey)
              .toList();
      return new SealedValue(keys);
    } catch (IOException e) {
      throw new UncheckedIOException(file + ": the key file cannot be read or made", e);
    } catch (ParseException | ClassCastException | IllegalArgumentException e) {
      throw new IllegalStateException(
          file
              + ": not a JWK set of 256-bit keys with ids; restore it, or remove it to start anew");
    }
  }

  /** Writes the file whole or not at all, also when two processes start at once. */
  private void create(Path file, OrganisationNumber organisation) throws IOException {
    Files.createDirectories(directory);
    Path draft = Files.createTempFile(directory, organisation.value(), ".tmp");
    try {
      Files.setPosixFilePermissions(draft, PosixFilePermissions.fromString("rw-------"));
      JWK key = new OctetSequenceKeyGenerator(256).keyID(organisation + "-1").generate();
      Files.writeString(
          draft,
          new JWKSet(key).toString(false),
          StandardOpenOption.WRITE,
          StandardOpenOption.SYNC);
      Files.createLink(file, draft);
    } catch (FileAlreadyExistsException e) {
      // The other process was first; its key is the one to use.
    } catch (JOSEException e) {
      throw new IOException("no key can be made", e);
    } finally {
      Files.deleteIfExists(draft);
    }
  }
}
