package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys as they stand in files, and names as they stand before them. */
@SuppressWarnings("NullAway.Init")
class VerifierKeyTest {
  @TempDir static Path folder;
  private static LogKey log;
  private static LogKey witness;

  @BeforeAll
  static void makeKeys() throws IOException {
    log = LogKey.open(folder.resolve("log.key"), "log.example.no");
    witness = LogKey.openWitness(folder.resolve("witness.key"), "witness.example.no");
  }

  /** A line whose key id is right for these bytes, whatever they are. */
  private static String vkey(String name, byte[] typed) {
    byte[] head = (name + "\n").getBytes(StandardCharsets.UTF_8);
    byte[] all = Arrays.copyOf(head, head.length + typed.length);
    System.arraycopy(typed, 0, all, head.length, typed.length);
    return name
        + "+"
        + HexFormat.of().formatHex(TreeHash.sha256(all), 0, 4)
        + "+"
        + Base64.getEncoder().encodeToString(typed);
  }

  private static byte[] typed(int type, int length) {
    byte[] raw = Base64.getDecoder().decode(log.verifier().vkey().split("\\+", 3)[2]);
    byte[] typed = Arrays.copyOf(raw, length);
    typed[0] = (byte) type;
    return typed;
  }

  @Test
  void aLineHoldsTheTypeOfALogOrAWitnessAndAnEd25519Key() {
    assertThat(VerifierKey.parse(vkey("n", typed(1, 33))).cosigner()).isFalse();
    assertThat(VerifierKey.parse(vkey("n", typed(4, 33))).cosigner()).isTrue();
    assertThat(VerifierKey.parse(vkey("n", typed(1, 33))).name()).isEqualTo("n");
    for (byte[] wrong : List.of(typed(1, 32), typed(1, 34), typed(2, 33), typed(0, 33))) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> VerifierKey.parse(vkey("n", wrong)))
          .withMessage(
              "A verifier key holds 0x01 (a log's) or 0x04 (a witness's) and 32 bytes (Ed25519)");
    }
    for (String form : List.of("", "n", vkey("", typed(1, 33)), "n+12345678", "n+1234567+AAAA")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> VerifierKey.parse(form))
          .withMessage("A verifier key reads name+keyid+key");
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> VerifierKey.parse(vkey("n", typed(1, 33)).replace("n+", "m+")))
        .withMessageContaining("by name and key, but reads ");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new VerifierKey("n", new byte[31]))
        .withMessage("An Ed25519 public key has 32 bytes, this has 31");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "a b",
        "a\u00a0b",
        "a\u2003b",
        "a\u2028b",
        "a+b",
        "a\nb",
        "a\tb",
        "a\u001fb",
        "a\u0000b",
        "a\u007fb",
        "a\u0085b",
        "a\ud800b",
        "a\udc00b",
        "a\udfff"
      })
  void aNameWithWhiteSpaceOrControlCharactersOrAPlusSignIsRefused(String name) {
    assertThat(VerifierKey.validName(name)).isFalse();
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new VerifierKey(name, new byte[32]))
        .withMessageStartingWith("A key name is not empty");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a", "!", "~", "\u0080", "\u0086", "\ud7ff", "\ue000", "log.no/æ", "😀"})
  void anyOtherNameIsGood(String name) {
    assertThat(new VerifierKey(name, new byte[32]).name()).isEqualTo(name);
  }

  @Test
  void aFileOfKeysMayHaveEmptyLinesAndRemarks() {
    VerifierKey one = log.verifier();
    VerifierKey two = witness.verifier();
    assertThat(VerifierKey.parseAll("# the log\n" + one + "\n\n  \n#\n" + two + "\n"))
        .containsExactly(one, two);
    assertThat(VerifierKey.parseAll("")).isEmpty();
    assertThatIllegalArgumentException().isThrownBy(() -> VerifierKey.parseAll(one + "\nx\n"));
    assertThat(VerifierKey.of(List.of(one, two), "log.example.no")).containsExactly(one, two);
    assertThat(VerifierKey.of(List.of(one, two), "other.example.no")).containsExactly(two);
  }

  @Test
  void whoeverReadsAKeyGetsTheSameKey() {
    VerifierKey again = VerifierKey.parse(log.verifier().toString());
    assertThat(again).isEqualTo(log.verifier()).hasSameHashCodeAs(log.verifier());
    assertThat(again.hashCode()).isEqualTo(again.id()).isNotZero();
    assertThat(again).isNotEqualTo(VerifierKey.parse(vkey("n", typed(1, 33))));
    assertThat(again).isNotEqualTo(VerifierKey.parse(vkey("log.example.no", typed(4, 33))));
    assertThat(log).hasToString(log.verifier().vkey());
  }

  @Test
  void aWitnesssSignatureIsOverTheTimeItSays() {
    Instant at = Instant.parse("2026-09-01T10:00:00Z");
    byte[] text = "text\n".getBytes(StandardCharsets.UTF_8);
    byte[] signature = witness.cosign("text\n", at).getFirst().signature();
    assertThat(signature).hasSize(72).startsWith(0, 0, 0, 0);
    assertThat(witness.verifier().verifies(text, signature)).isTrue();
    byte[] later = signature.clone();
    later[7] ^= 1;
    assertThat(witness.verifier().verifies(text, later)).isFalse();
    for (int length : new int[] {0, 7, 8, 9, 71}) {
      assertThat(witness.verifier().verifies(text, Arrays.copyOf(signature, length))).isFalse();
    }
    assertThat(log.verifier().verifies(text, log.sign("text\n").getFirst().signature())).isTrue();
    assertThat(log.verifier().verifies(text, signature)).isFalse();
    assertThat(new String(VerifierKey.cosigned(at.getEpochSecond(), text), StandardCharsets.UTF_8))
        .isEqualTo("cosignature/v1\ntime 1788256800\ntext\n");
  }

  @Test
  void aNoteOfExactlyTheGreatestLengthIsReadAndControlCharactersAreNot() {
    SignedNote note = SignedNote.sign("x\n", log);
    int rest = SignedNote.MAX_LENGTH - note.encoded().getBytes(StandardCharsets.UTF_8).length;
    String largest = "x".repeat(rest) + note.encoded();
    assertThat(SignedNote.parse(largest.getBytes(StandardCharsets.UTF_8)).text()).hasSize(rest + 2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> SignedNote.parse(("x" + largest).getBytes(StandardCharsets.UTF_8)))
        .withMessage("A note has at most 1000000 bytes");
    for (String text : List.of("", "x", "\u0000\n", "\u001f\n", "\ud800\n", "\udfff\n", "\t\n")) {
      assertThatIllegalArgumentException().as(text).isThrownBy(() -> SignedNote.sign(text, log));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> new SignedNote(text, note.signatures()));
    }
    for (String text : List.of("\n", " \n", "\ud7ff\n", "\ue000\n", "x\n\ny\n")) {
      assertThat(SignedNote.parse(SignedNote.sign(text, log).encoded()).text()).isEqualTo(text);
    }
  }
}
