package no.bindeledd.person;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;

/**
 * The hub's folder of secrets, one per file, each with mode 600 (or 440 when Kubernetes mounts
 * them):
 *
 * <ul>
 *   <li>{@code pseudonym.secret}: 32 bytes as 64 hexadecimal characters ({@code openssl rand -hex
 *       32}); all instances of a hub share it, and changing it cuts every person loose from their
 *       consents and audit entries
 *   <li>{@code vault.keyset.json}: see {@link Vault}
 *   <li>{@code <name>.secret}: further secrets of 32 bytes, see {@link #secret}
 * </ul>
 *
 * Safe on any thread. All methods throw {@link SecretFileException}.
 */
public final class Secrets {
  private static final int BYTES = 32;

  private final Path folder;
  private final boolean create;

  private Secrets(Path folder, boolean create) {
    this.folder = folder;
    this.create = create;
  }

  /** Production: a missing file is an error, as a new secret would not fit what is stored. */
  public static Secrets open(Path folder) {
    return new Secrets(folder, false);
  }

  /** Demo, tests and the embedded start: a missing file is made, from the system's randomness. */
  public static Secrets openOrCreate(Path folder) {
    return new Secrets(folder, true);
  }

  public Pseudonymizer pseudonymizer() {
    return new Pseudonymizer(secret("pseudonym"));
  }

  public Vault vault() {
    Path keyset = folder.resolve("vault.keyset.json");
    return create ? Vault.createIfMissing(keyset) : Vault.open(keyset);
  }

  /**
   * A secret of 32 bytes of its own, so that no key serves two purposes.
   *
   * @param name lower-case letters, digits and dashes
   */
  public byte[] secret(String name) {
    if (name.isEmpty() || !name.chars().allMatch(Secrets::isNameCharacter)) {
      throw new IllegalArgumentException(
          "A secret's name has lower-case letters, digits and dashes");
    }
    SecretFile file = new SecretFile(folder.resolve(name + ".secret"));
    if (create && !file.exists()) {
      byte[] random = new byte[BYTES];
      new SecureRandom().nextBytes(random);
      file.createIfMissing(HexFormat.of().formatHex(random) + "\n");
    }
    return parse(file);
  }

  private static boolean isNameCharacter(int c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  }

  private static byte[] parse(SecretFile file) {
    String text = file.read().strip();
    boolean hex = text.chars().allMatch(HexFormat::isHexDigit);
    if (text.length() != 2 * BYTES || !hex) {
      throw new SecretFileException(
          file.path(),
          "this is not a secret of 64 hexadecimal characters",
          "restore it from backup, or for a new hub make it with: openssl rand -hex 32",
          null);
    }
    return HexFormat.of().parseHex(text);
  }
}
