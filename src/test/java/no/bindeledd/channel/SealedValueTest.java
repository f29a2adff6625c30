package no.bindeledd.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.JWEObject;
import com.nimbusds.jose.jwk.OctetSequenceKey;
import com.nimbusds.jose.jwk.gen.OctetSequenceKeyGenerator;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import no.bindeledd.exchange.OrganisationNumber;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SealedValueTest {
  private static final OrganisationNumber COUNTY = new OrganisationNumber("311013572");
  private static final OrganisationNumber NAV = new OrganisationNumber("311067850");
  private static final SealedValue SEALED = new SealedValue(List.of(key("k-1")));

  @Property(tries = 200)
  void whatIsSealedOpensToTheSameBytesAndNoOthers(@ForAll byte[] payload, @ForAll int where) {
    byte[] sealed = SEALED.seal(payload);

    assertThat(SEALED.open(sealed)).isEqualTo(payload);
    byte[] changed = sealed.clone();
    int at = Math.floorMod(where, changed.length);
    changed[at] = (byte) (changed[at] == 'A' ? 'B' : 'A');
    assertThatThrownBy(() -> open(changed, sealed)).isInstanceOf(IllegalArgumentException.class);
  }

  /** The last character of a base64url part may hold bits that stand for nothing. */
  private static void open(byte[] changed, byte[] sealed) {
    byte[] opened = SEALED.open(changed);
    if (java.util.Arrays.equals(opened, SEALED.open(sealed))) {
      throw new IllegalArgumentException("same meaning");
    }
  }

  @Test
  void theHeaderIsConstantAndNamesAlgorithmAndKey() throws Exception {
    String first = new String(SEALED.seal(new byte[] {1}), StandardCharsets.US_ASCII);
    String second = new String(SEALED.seal(new byte[] {1}), StandardCharsets.US_ASCII);

    assertThat(first.substring(0, first.indexOf('.')))
        .isEqualTo(second.substring(0, second.indexOf('.')));
    assertThat(first).as("a new nonce each time").isNotEqualTo(second);
    String header =
        new String(
            Base64.getUrlDecoder().decode(first.substring(0, first.indexOf('.'))),
            StandardCharsets.UTF_8);
    assertThat(header).contains("\"alg\":\"dir\"", "\"enc\":\"A256GCM\"", "\"kid\":\"k-1\"");
    assertThat(JWEObject.parse(first).getEncryptedKey()).isNull();
  }

  @Test
  void aRotatedKeyStillOpensWhatItSealed() {
    OctetSequenceKey old = key("old");
    byte[] sealed = new SealedValue(List.of(old)).seal(new byte[] {7});
    SealedValue rotated = new SealedValue(List.of(key("new"), old));

    assertThat(rotated.open(sealed)).containsExactly(7);
    assertThat(new String(rotated.seal(new byte[0]), StandardCharsets.US_ASCII))
        .isNotEmpty()
        .satisfies(s -> assertThat(JWEObject.parse(s).getHeader().getKeyID()).isEqualTo("new"));
  }

  @Test
  void anotherRecipientCannotOpen(@TempDir Path secrets) {
    RecipientKeys keys = RecipientKeys.openOrCreate(secrets.resolve("recipients"));
    byte[] sealed = keys.of(COUNTY).seal("hei".getBytes(StandardCharsets.UTF_8));

    assertThatThrownBy(() -> keys.of(NAV).open(sealed))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not held here");
  }

  @Test
  void aKeyFileIsMadeOnceReadableByItsOwnerOnly(@TempDir Path secrets) throws Exception {
    byte[] sealed = RecipientKeys.openOrCreate(secrets).of(COUNTY).seal(new byte[] {1, 2});

    assertThat(RecipientKeys.openOrCreate(secrets).of(COUNTY).open(sealed)).containsExactly(1, 2);
    Path file = secrets.resolve("311013572.jwks.json");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    try (var files = Files.list(secrets)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void aMissingKeyIsNotMadeUnlessTheHubIsNew(@TempDir Path secrets) throws Exception {
    RecipientKeys keys = RecipientKeys.open(secrets);
    assertThatThrownBy(() -> keys.of(COUNTY))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("311013572.jwks.json")
        .hasMessageContaining("create-secrets");

    byte[] sealed = RecipientKeys.openOrCreate(secrets).of(COUNTY).seal(new byte[] {1});
    assertThat(keys.of(COUNTY).open(sealed)).containsExactly(1);
  }

  @Test
  void aKeyFileThatOthersMayReadIsRefused(@TempDir Path secrets) throws Exception {
    RecipientKeys.openOrCreate(secrets).of(COUNTY);
    Path file = secrets.resolve("311013572.jwks.json");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));

    assertThatThrownBy(() -> RecipientKeys.openOrCreate(secrets).of(COUNTY))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("chmod 600");
  }

  @Test
  void aBrokenKeyFileIsRefusedWithoutItsContent(@TempDir Path secrets) throws Exception {
    RecipientKeys.openOrCreate(secrets).of(COUNTY);
    Path file = secrets.resolve("311013572.jwks.json");
    for (String content :
        List.of(
            "secret-rubbish",
            "{\"keys\":[]}",
            "{\"keys\":[{\"kty\":\"oct\",\"k\":\"secret-rubbish\",\"kid\":\"x\"}]}",
            "{\"keys\":[{\"kty\":\"oct\",\"k\":\"secret-rubbish\"}]}")) {
      Files.writeString(file, content);
      assertThatThrownBy(() -> RecipientKeys.openOrCreate(secrets).of(COUNTY))
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining(file.toString())
          .hasMessageNotContaining("secret-rubbish")
          .hasNoCause();
    }
  }

  private static OctetSequenceKey key(String id) {
    try {
      return new OctetSequenceKeyGenerator(256).keyID(id).generate();
    } catch (com.nimbusds.jose.JOSEException e) {
      throw new AssertionError(e);
    }
  }
}
