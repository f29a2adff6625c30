package no.bindeledd.person;

import com.google.crypto.tink.Aead;
import com.google.crypto.tink.InsecureSecretKeyAccess;
import com.google.crypto.tink.KeyStatus;
import com.google.crypto.tink.KeysetHandle;
import com.google.crypto.tink.RegistryConfiguration;
import com.google.crypto.tink.TinkJsonProtoKeysetFormat;
import com.google.crypto.tink.aead.AeadConfig;
import com.google.crypto.tink.aead.PredefinedAeadParameters;
import java.nio.file.Path;
import java.security.GeneralSecurityException;

/**
 * Encrypts payloads at rest: AES-256-GCM with a random nonce, from a Tink keyset file (mode 600,
 * Tink's JSON). Every sealed text is bound to its context (which row or record it belongs to):
 * moved elsewhere it does not open. A keyset may hold several keys; the primary seals, any of them
 * opens, which is how keys are rotated without touching what is stored. Immutable and safe on any
 * thread.
 *
 * <p>Rotation, so that several instances never meet an unknown key: {@link #stageKey} and restart
 * them all, {@link #promoteStagedKey} and restart them all. The old keys stay.
 */
public final class Vault {
  static {
    try {
      AeadConfig.register();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This Java platform lacks a cipher that Tink needs", e);
    }
  }

  private final Aead aead;

  private Vault(Aead aead) {
    this.aead = aead;
  }

  /**
   * Opens an existing keyset.
   *
   * @throws SecretFileException when it is missing, readable by others, or not an AEAD keyset
   */
  public static Vault open(Path keyset) {
    SecretFile file = new SecretFile(keyset);
    KeysetHandle keys = parse(file);
    try {
      return new Vault(keys.getPrimitive(RegistryConfiguration.get(), Aead.class));
    } catch (GeneralSecurityException e) {
      throw notAKeyset(file, e);
    }
  }

  /** Opens the keyset, and first makes one with a single new key when there is no file. */
  public static Vault createIfMissing(Path keyset) {
    SecretFile file = new SecretFile(keyset);
    if (!file.exists()) {
      file.createIfMissing(
          serialize(file, KeysetHandle.newBuilder().addEntry(key().makePrimary())));
    }
    return open(keyset);
  }

  /** Adds a key that opens but does not seal yet. */
  public static void stageKey(Path keyset) {
    SecretFile file = new SecretFile(keyset);
    file.replace(serialize(file, KeysetHandle.newBuilder(parse(file)).addEntry(key())));
  }

  /** Lets the key that was added last seal from now on. */
  public static void promoteStagedKey(Path keyset) {
    SecretFile file = new SecretFile(keyset);
    KeysetHandle.Builder keys = KeysetHandle.newBuilder(parse(file));
    keys.getAt(keys.size() - 1).makePrimary();
    file.replace(serialize(file, keys));
  }

  /**
   * Encrypts.
   *
   * @param context what the plain text belongs to, such as the envelope's key; not secret, and not
   *     stored: give the same to open
   */
  public byte[] seal(byte[] plain, byte[] context) {
    try {
      return aead.encrypt(plain, context);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("The payload could not be encrypted, so it is not kept", e);
    }
  }

  /**
   * Decrypts what {@link #seal} made.
   *
   * @throws SealBrokenException when the bytes or the context are not the same, or the key is gone
   */
  public byte[] open(byte[] sealed, byte[] context) {
    try {
      return aead.decrypt(sealed, context);
    } catch (GeneralSecurityException e) {
      throw new SealBrokenException(e);
    }
  }

  private static KeysetHandle.Builder.Entry key() {
    return KeysetHandle.generateEntryFromParameters(PredefinedAeadParameters.AES256_GCM)
        .withRandomId()
        .setStatus(KeyStatus.ENABLED);
  }

  private static KeysetHandle parse(SecretFile file) {
    try {
      return TinkJsonProtoKeysetFormat.parseKeyset(file.read(), InsecureSecretKeyAccess.get());
    } catch (GeneralSecurityException e) {
      throw notAKeyset(file, e);
    }
  }

  private static String serialize(SecretFile file, KeysetHandle.Builder keys) {
    try {
      return TinkJsonProtoKeysetFormat.serializeKeyset(keys.build(), InsecureSecretKeyAccess.get());
    } catch (GeneralSecurityException e) {
      throw notAKeyset(file, e);
    }
  }

  private static SecretFileException notAKeyset(SecretFile file, GeneralSecurityException cause) {
    return new SecretFileException(
        file.path(),
        "this is not a Tink keyset for authenticated encryption (AEAD)",
        "restore the file from backup; without its keys nothing that is stored can be opened",
        cause);
  }
}
