package no.bindeledd.channel;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.gen.OctetSequenceKeyGenerator;
import java.io.IOException;
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
 * secure way. The first key in a file seals. A missing file is an error, so that nothing is sealed
 * with a key that its recipient was never given; only a new hub makes them. Thread-safe; a file is
 * read once it is there, so a changed one takes effect at the next start.
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
  private final boolean creates;
  private final ConcurrentMap<OrganisationNumber, SealedValue> read = new ConcurrentHashMap<>();

  private RecipientKeys(Path directory, boolean creates) {
    this.directory = directory;
    this.creates = creates;
  }

  /** The keys that are there. */
  public static RecipientKeys open(Path directory) {
    return new RecipientKeys(directory, false);
  }

  /**
   * Makes a key for each recipient that has none when it is first asked for.
   *
   * @param directory made when missing
   */
  public static RecipientKeys openOrCreate(Path directory) {
    return new RecipientKeys(directory, true);
  }

  /**
   * What seals for, and opens from, the organisation.
   *
   * @throws IllegalStateException when the file is missing, cannot be read or made, is open to
   *     others or holds no usable key; names the file and the remedy
   */
  public SealedValue of(OrganisationNumber organisation) {
    return read.computeIfAbsent(organisation, this::read);
  }

  private SealedValue read(OrganisationNumber organisation) {
    Path file = directory.resolve(organisation + ".jwks.json");
    try {
      if (!Files.exists(file)) {
        if (!creates) {
          throw new IllegalStateException(
              "There is no key for this recipient at "
                  + file
                  + ": put the key there that was handed to it, or start once with"
                  + " --bindeledd.create-secrets=true to make the keys of a new hub");
        }
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
      throw new IllegalStateException(file + ": the key file cannot be read or made", e);
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
