package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyFactory;
import java.security.Signature;
import java.security.spec.X509EncodedKeySpec;
import java.util.HexFormat;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.springframework.util.FileSystemUtils;

@SuppressWarnings("NullAway.Init")
class SignedNoteTest {
  /** From the documentation and tests of golang.org/x/mod/sumdb/note. */
  private static final String PETER =
      "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

  private static final String PETERS_NOTE =
      "If you think cryptography is the answer to your problem,\n"
          + "then you don't know what your problem is.\n"
          + "\n"
          + "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

  private static Path folder;
  private static LogKey key;
  private static LogKey other;

  @BeforeContainer
  static void makeKeys() throws IOException {
    folder = Files.createTempDirectory("notes");
    key = LogKey.open(folder.resolve("a/log.key"), "audit.example.no/one");
    other = LogKey.open(folder.resolve("b/log.key"), "audit.example.no/two");
  }

  @AfterContainer
  static void removeKeys() throws IOException {
    FileSystemUtils.deleteRecursively(folder);
  }

  @Example
  void aNoteSignedByTheReferenceImplementationVerifies() {
    SignedNote note = SignedNote.parse(PETERS_NOTE.getBytes(StandardCharsets.UTF_8));
    assertThat(note.verify(List.of(VerifierKey.parse(PETER)))).isTrue();
    assertThat(note.encoded()).isEqualTo(PETERS_NOTE);
    assertThat(VerifierKey.parse(PETER).vkey()).isEqualTo(PETER);
  }

  @Property(tries = 200)
  void aSignedNoteIsReadBackAndVerifies(@ForAll("texts") String text) {
    SignedNote note = SignedNote.sign(text, key);
    SignedNote read = SignedNote.parse(note.encoded().getBytes(StandardCharsets.UTF_8));
    assertThat(read).isEqualTo(note);
    assertThat(read.verify(List.of(other.verifier(), key.verifier()))).isTrue();
    assertThat(read.verify(List.of(other.verifier()))).isFalse();
  }

  @Property(tries = 300)
  void aNoteWithAnyByteFlippedIsRefusedOrDoesNotVerify(
      @ForAll("positions") int position, @ForAll("bits") int bit) {
    byte[] bytes =
        new Checkpoint(key.verifier().name(), 42, new byte[32])
            .sign(key)
            .encoded()
            .getBytes(StandardCharsets.UTF_8);
    bytes[position % bytes.length] ^= (byte) (1 << bit);
    boolean accepted;
    try {
      accepted = SignedNote.parse(bytes).verify(List.of(key.verifier()));
    } catch (IllegalArgumentException e) {
      accepted = false;
    }
    assertThat(accepted).isFalse();
  }

  @Example
  void aNoteWithTwoSignaturesVerifiesByEitherAndIsRefusedWhenAKnownOneIsFalse() {
    String text = "log\n1\nroot\n";
    SignedNote.Line one = SignedNote.sign(text, key).signatures().getFirst();
    SignedNote.Line two = SignedNote.sign(text, other).signatures().getFirst();
    SignedNote both = SignedNote.parse(new SignedNote(text, List.of(one, two)).encoded());
    assertThat(both.verify(List.of(key.verifier()))).isTrue();
    assertThat(both.verify(List.of(other.verifier()))).isTrue();
    SignedNote.Line wrong = SignedNote.sign("log\n2\nroot\n", other).signatures().getFirst();
    SignedNote half = new SignedNote(text, List.of(one, wrong));
    assertThat(half.verify(List.of(key.verifier()))).isTrue();
    assertThat(half.verify(List.of(key.verifier(), other.verifier()))).isFalse();
  }

  @Example
  void whatIsNotExactlyANoteIsRefused() {
    String signature = PETERS_NOTE.substring(PETERS_NOTE.indexOf('—'));
    List<String> wrong =
        List.of(
            "",
            "text\n",
            "text\n\n",
            "text\n" + signature,
            "\n" + signature,
            "text\n\n" + signature.strip(),
            "text\n\n" + signature + "\n",
            "text\n\n" + signature + "rest",
            "text\n\n" + signature.replace("— ", "- "),
            "text\n\n" + signature.replace("Peter", "Pe+ter"),
            "text\n\n" + signature.replace("=", ""),
            "text\n\n— PeterNeumann\n",
            "text\n\n— PeterNeumann x08go\n",
            "te\txt\n\n" + signature,
            "te\rxt\n\n" + signature,
            "text\n\n" + signature.repeat(101));
    for (String note : wrong) {
      assertThatIllegalArgumentException()
          .as(note)
          .isThrownBy(() -> SignedNote.parse(note.getBytes(StandardCharsets.UTF_8)));
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SignedNote.parse(new byte[] {(byte) 0xff, '\n', '\n', 'x', '\n'}));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SignedNote.parse(new byte[SignedNote.MAX_LENGTH + 1]));
  }

  @Example
  void aVerifierKeyThatIsNotExactlyOneIsRefused() {
    List<String> wrong =
        List.of(
            "",
            "PeterNeumann",
            PETER.replace("c74f20a3", "c74f20a4"),
            PETER.replace("c74f20a3", "C74F20A3"),
            PETER.replace("Peter", "Pet er"),
            PETER.replace("ARpc", "Arpc"),
            PETER + "=",
            PETER.substring(0, PETER.length() - 4));
    for (String vkey : wrong) {
      assertThatIllegalArgumentException().as(vkey).isThrownBy(() -> VerifierKey.parse(vkey));
    }
  }

  @Property(tries = 200)
  void aCheckpointIsReadBackFromItsText(@ForAll("sizes") long size) {
    Checkpoint checkpoint = new Checkpoint("audit.example.no/one", size, new byte[32]);
    assertThat(Checkpoint.parse(checkpoint.text())).isEqualTo(checkpoint);
    assertThat(Checkpoint.parse(checkpoint.text() + "extension\n")).isEqualTo(checkpoint);
  }

  @Example
  void whatIsNotExactlyACheckpointIsRefused() {
    String root = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    List<String> wrong =
        List.of(
            "",
            "log\n1\n" + root,
            "log\n1\n",
            "\n1\n" + root + "\n",
            "log\n01\n" + root + "\n",
            "log\n-1\n" + root + "\n",
            "log\n+1\n" + root + "\n",
            "log\n1e3\n" + root + "\n",
            "log\n٣\n" + root + "\n",
            "log\n9999999999999999999\n" + root + "\n",
            "log\n\n" + root + "\n",
            "log\n1\nAAAA\n",
            "log\n1\n" + root.replace("=", "") + "\n",
            "log\n1\n" + root + "\n\n");
    for (String text : wrong) {
      assertThatIllegalArgumentException().as(text).isThrownBy(() -> Checkpoint.parse(text));
    }
  }

  @Example
  void theKeyIsSecretAndReadAgain() throws IOException {
    Path file = folder.resolve("a/log.key");
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    LogKey again = LogKey.open(file, "audit.example.no/one");
    assertThat(again.verifier()).isEqualTo(key.verifier());
    assertThat(SignedNote.sign("t\n", again).verify(List.of(key.verifier()))).isTrue();
    assertThat(Files.readString(folder.resolve("a/log.key.vkey")))
        .isEqualTo(key.verifier().vkey() + "\n");
  }

  @Example
  void theJdkAcceptsOurSignatures() throws Exception {
    byte[] raw = VerifierKey.strictBase64(key.verifier().vkey().split("\\+", 3)[2]);
    byte[] encoded = HexFormat.of().parseHex("302a300506032b6570032100" + "00".repeat(32));
    System.arraycopy(raw, 1, encoded, 12, 32);
    Signature jdk = Signature.getInstance("Ed25519");
    jdk.initVerify(
        KeyFactory.getInstance("Ed25519").generatePublic(new X509EncodedKeySpec(encoded)));
    jdk.update("text\n".getBytes(StandardCharsets.UTF_8));
    assertThat(jdk.verify(SignedNote.sign("text\n", key).signatures().getFirst().signature()))
        .isTrue();
  }

  @Example
  void aNewKeyIsListedBesideTheOldOne() throws IOException {
    Path file = folder.resolve("rotated/log.key");
    VerifierKey old = LogKey.open(file, "log").verifier();
    Files.delete(file);
    LogKey fresh = LogKey.open(file, "log");
    assertThat(fresh.verifiers()).containsExactly(old, fresh.verifier());
  }

  @Example
  void aKeyThatOthersCanReadOrThatIsNoKeyIsRefused() throws IOException {
    Path file = folder.resolve("open.key");
    LogKey.open(file, "log");
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw----"));
    assertThatThrownBy(() -> LogKey.open(file, "log"))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("600");
    Path empty = folder.resolve("empty.key");
    Files.createFile(
        empty, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    assertThatThrownBy(() -> LogKey.open(empty, "log")).isInstanceOf(LedgerException.class);
  }

  @Provide
  Arbitrary<String> texts() {
    return Arbitraries.strings()
        .withCharRange(' ', '\ud7ff')
        .withChars('\n')
        .ofMaxLength(60)
        .map(text -> text + "\n");
  }

  @Provide
  Arbitrary<Integer> positions() {
    return Arbitraries.integers().between(0, 10_000);
  }

  @Provide
  Arbitrary<Integer> bits() {
    return Arbitraries.integers().between(0, 7);
  }

  @Provide
  Arbitrary<Long> sizes() {
    return Arbitraries.longs().between(0, 999_999_999_999_999_999L);
  }
}
