package no.bindeledd.audit;

import com.google.crypto.tink.subtle.Ed25519Sign;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.PrivateKey;
import java.security.interfaces.EdECPrivateKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/**
 * The Ed25519 key that signs a log's checkpoints. It lies in a file that only its owner may read
 * (mode 600, PKCS#8 in PEM, as {@code openssl pkey} reads it); beside it {@code <file>.vkey} lists
 * the verifier keys of the log, the present one and the earlier ones. Safe on any thread.
 */
public final class LogKey {
  private static final String BEGIN = "-----BEGIN PRIVATE KEY-----";
  private static final String END = "-----END PRIVATE KEY-----";

  private static final String NEXT = ".next";

  private final Path file;
  private final List<Live> live;
  private final List<VerifierKey> verifiers;

  private LogKey(Path file, List<Live> live, List<VerifierKey> verifiers) {
    this.file = file;
    this.live = List.copyOf(live);
    this.verifiers = verifiers;
  }

  /** A key that signs now. */
  private record Live(Ed25519Sign signer, VerifierKey verifier) {
    byte[] sign(byte[] message) {
      try {
        return signer.sign(message);
      } catch (GeneralSecurityException e) {
        throw new LedgerException("The key " + verifier.name() + " cannot sign", e);
      }
    }
  }

  /**
   * Reads the key, or makes one when the file does not exist. With {@code <file>.next} beside it,
   * both sign: so verifiers can change from one to the other in their own time.
   *
   * @param name the key's name: the log's origin
   * @throws LedgerException when a file is readable by others, or is not an Ed25519 key
   */
  public static LogKey open(Path file, String name) throws IOException {
    return open(file, name, VerifierKey.ED25519);
  }

  /** As {@link #open}, of a witness. */
  public static LogKey openWitness(Path file, String name) throws IOException {
    return open(file, name, VerifierKey.COSIGNATURE);
  }

  /** Makes the key that signs beside the present one from the next start on. */
  public static LogKey addNext(Path file, String name) throws IOException {
    requireSecret(file);
    Path next = file.resolveSibling(file.getFileName() + NEXT);
    if (Files.exists(next)) {
      throw new LedgerException("There is a next key already: " + next);
    }
    create(next);
    return open(file, name);
  }

  private static LogKey open(Path file, String name, byte type) throws IOException {
    if (!Files.exists(file)) {
      create(file);
    }
    List<Live> live = new ArrayList<>();
    live.add(live(file, name, type));
    Path next = file.resolveSibling(file.getFileName() + NEXT);
    if (Files.exists(next)) {
      live.add(live(next, name, type));
    }
    return new LogKey(file, live, publish(file, live));
  }

  private static Live live(Path file, String name, byte type) throws IOException {
    requireSecret(file);
    byte[] seed = read(file);
    try {
      byte[] raw = Ed25519Sign.KeyPair.newKeyPairFromSeed(seed).getPublicKey();
      return new Live(new Ed25519Sign(seed), new VerifierKey(name, type, raw));
    } catch (GeneralSecurityException e) {
      throw new LedgerException("The log's key " + file + " cannot be used", e);
    }
  }

  /** The verifier key of this key. */
  public VerifierKey verifier() {
    return live.getFirst().verifier();
  }

  /** The verifier keys listed beside the key file: the live ones, and earlier ones of the log. */
  public List<VerifierKey> verifiers() {
    return verifiers;
  }

  /** Where the newest signed checkpoint is remembered outside the database. */
  Path checkpointFile() {
    return file.resolveSibling(file.getFileName() + ".checkpoint");
  }

  /** A line for each live key. */
  List<SignedNote.Line> sign(String text) {
    byte[] message = text.getBytes(StandardCharsets.UTF_8);
    return live.stream().map(key -> SignedNote.Line.of(key.verifier(), key.sign(message))).toList();
  }

  /** A timestamped cosignature for each live key of a witness. Source: C2SP tlog-cosignature. */
  List<SignedNote.Line> cosign(String text, Instant at) {
    long time = at.getEpochSecond();
    byte[] message = VerifierKey.cosigned(time, text.getBytes(StandardCharsets.UTF_8));
    return live.stream()
        .map(
            key -> {
              byte[] signature = key.sign(message);
              byte[] stamped =
                  ByteBuffer.allocate(8 + signature.length).putLong(time).put(signature).array();
              return SignedNote.Line.of(key.verifier(), stamped);
            })
        .toList();
  }

  private static void create(Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    KeyPair pair;
    try {
      pair = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("Every Java platform has Ed25519", e);
    }
    String body =
        Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(pair.getPrivate().getEncoded());
    try {
      Files.createFile(file, ownerOnly(file));
    } catch (FileAlreadyExistsException e) {
      return; // another instance was faster: its key counts
    }
    Files.writeString(file, BEGIN + "\n" + body + "\n" + END + "\n", StandardOpenOption.SYNC);
  }

  private static FileAttribute<?>[] ownerOnly(Path file) {
    return posix(file)
        ? new FileAttribute<?>[] {
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
        }
        : new FileAttribute<?>[0];
  }

  private static void requireSecret(Path file) throws IOException {
    if (!posix(file)) {
      return;
    }
    Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
    // A group may read: that is how Kubernetes hands a mounted secret to a process.
    boolean open =
        permissions.contains(PosixFilePermission.GROUP_WRITE)
            || permissions.contains(PosixFilePermission.OTHERS_READ)
            || permissions.contains(PosixFilePermission.OTHERS_WRITE);
    if (open) {
      throw new LedgerException(
          "The log's key " + file + " can be read or changed by others: set its mode to 600");
    }
  }

  private static boolean posix(Path file) {
    return file.getFileSystem().supportedFileAttributeViews().contains("posix");
  }

  /** The key's 32 bytes of RFC 8032. */
  private static byte[] read(Path file) throws IOException {
    String pem = Files.readString(file).strip();
    if (!pem.startsWith(BEGIN) || !pem.endsWith(END)) {
      throw new LedgerException("The log's key " + file + " is not PKCS#8 in PEM");
    }
    try {
      byte[] encoded =
          Base64.getMimeDecoder()
              .decode(pem.substring(BEGIN.length(), pem.length() - END.length()).strip());
      PrivateKey key =
          KeyFactory.getInstance("Ed25519").generatePrivate(new PKCS8EncodedKeySpec(encoded));
      return ((EdECPrivateKey) key).getBytes().orElseThrow();
    } catch (GeneralSecurityException | RuntimeException e) {
      throw new LedgerException("The log's key " + file + " is not an Ed25519 key in PKCS#8", e);
    }
  }

  private static List<VerifierKey> publish(Path file, List<Live> live) throws IOException {
    Path vkeys = file.resolveSibling(file.getFileName() + ".vkey");
    List<VerifierKey> known = new ArrayList<>();
    if (Files.exists(vkeys)) {
      try {
        known.addAll(VerifierKey.parseAll(Files.readString(vkeys)));
      } catch (IllegalArgumentException e) {
        throw new LedgerException("The file " + vkeys + " has a line that is no verifier key", e);
      }
    }
    for (Live key : live) {
      if (!known.contains(key.verifier())) {
        known.add(key.verifier());
        Files.writeString(
            vkeys,
            key.verifier().vkey() + "\n",
            StandardOpenOption.CREATE,
            StandardOpenOption.APPEND);
      }
    }
    return List.copyOf(known);
  }

  @Override
  public String toString() {
    return verifier().vkey();
  }
}
