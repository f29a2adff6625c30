package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("NullAway.Init")
class WitnessTest {
  private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");
  private static List<byte[]> history;

  @TempDir Path folder;
  private LogKey key;
  private LogKey own;
  private Witness witness;
  private WitnessServer server;

  @BeforeAll
  static void write() {
    history = Entries.batch(0, 900).stream().map(AuditEntry::canonical).toList();
  }

  @BeforeEach
  void start() throws Exception {
    key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    own = LogKey.openWitness(folder.resolve("witness.key"), "governor.example.no/w1");
    witness = witness();
    server = new WitnessServer(witness, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private Witness witness() {
    return new Witness(
        folder.resolve("seen"), own, List.of(key.verifier()), InstantSource.fixed(NOW));
  }

  private Witnesses witnesses() {
    return new Witnesses(
        List.of(
            new Witnesses.Peer(URI.create("http://localhost:" + server.port()), own.verifier())));
  }

  private MemoryLog log(int size) {
    return new MemoryLog(history.subList(0, size), key);
  }

  private static SignedNote note(MemoryLog log) {
    return SignedNote.parse(log.piece("checkpoint"));
  }

  @Test
  void aLogThatGrowsIsCosignedAtEveryStepAlsoAfterARestartOfEither() throws Exception {
    Witnesses asking = witnesses();
    for (int size : new int[] {0, 1, 255, 256, 700, 700}) {
      MemoryLog log = log(size);
      SignedNote cosigned = asking.cosign(note(log), log);
      assertThat(cosigned.signers(List.of(key.verifier(), own.verifier())))
          .containsExactly(key.verifier(), own.verifier());
      assertThat(cosigned.verify(List.of(key.verifier()))).isTrue();
      assertThat(asking.away()).isEmpty();
    }
    witness = witness();
    assertThat(witnesses().cosign(note(log(900)), log(900)).signatures()).hasSize(2);
  }

  @Test
  void theCosignatureIsThatOfTheFormat() throws Exception {
    SignedNote cosigned = witnesses().cosign(note(log(3)), log(3));
    byte[] signature = cosigned.signatures().getLast().signature();
    assertThat(signature).hasSize(72);
    byte[] message =
        ("cosignature/v1\ntime " + NOW.getEpochSecond() + "\n" + cosigned.text())
            .getBytes(StandardCharsets.UTF_8);
    byte[] raw = VerifierKey.strictBase64(own.verifier().vkey().split("\\+", 3)[2]);
    assertThat(raw[0]).isEqualTo((byte) 4);
    new com.google.crypto.tink.subtle.Ed25519Verify(java.util.Arrays.copyOfRange(raw, 1, 33))
        .verify(java.util.Arrays.copyOfRange(signature, 8, 72), message);
    assertThat(java.nio.ByteBuffer.wrap(signature).getLong()).isEqualTo(NOW.getEpochSecond());
  }

  @Test
  void aWitnessDoesNotStandInForTheLog() throws Exception {
    SignedNote cosigned = witnesses().cosign(note(log(3)), log(3));
    assertThat(cosigned.verify(List.of(own.verifier()))).isFalse();
    SignedNote alone = new SignedNote(cosigned.text(), List.of(cosigned.signatures().getLast()));
    assertThat(alone.verify(List.of(key.verifier(), own.verifier()))).isFalse();
    assertThat(VerifierKey.parse(own.verifier().vkey())).isEqualTo(own.verifier());
    VerifierKey sameBytes = new VerifierKey(own.verifier().name(), new byte[32]);
    assertThat(sameBytes).isNotEqualTo(own.verifier());
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Witnesses.Peer(URI.create("http://x"), key.verifier()));
  }

  @Test
  void anOlderLogIsRefusedAndTheHubIsTold() throws Exception {
    witnesses().cosign(note(log(700)), log(700));
    assertThatThrownBy(() -> witnesses().cosign(note(log(300)), log(300)))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining(
            "has 300 entries, but the witness governor.example.no/w1 has seen 700")
        .hasMessageContaining("an old backup was restored");
  }

  @Test
  void anotherHistoryIsRefusedAtTheSameSizeAndLonger() throws Exception {
    witnesses().cosign(note(log(700)), log(700));
    List<byte[]> changed = new ArrayList<>(history);
    changed.set(5, history.get(6));
    for (int size : new int[] {700, 900}) {
      MemoryLog other = new MemoryLog(changed.subList(0, size), key);
      assertThatThrownBy(() -> witnesses().cosign(note(other), other))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("the history was changed");
    }
    assertThat(witnesses().cosign(note(log(900)), log(900)).signatures()).hasSize(2);
  }

  @Test
  void aWitnessThatIsAwayOrStrangeIsLeftOut() throws Exception {
    LogKey stranger = LogKey.open(folder.resolve("other.key"), "other");
    Witnesses asking = witnesses();
    MemoryLog unknown = new MemoryLog(history.subList(0, 2), stranger);
    assertThat(asking.cosign(note(unknown), unknown)).isEqualTo(note(unknown));
    assertThat(asking.away()).isEqualTo(Set.of("governor.example.no/w1"));
    server.close();
    assertThat(asking.cosign(note(log(2)), log(2))).isEqualTo(note(log(2)));
    LogKey false1 = LogKey.openWitness(folder.resolve("w2.key"), "governor.example.no/w1");
    Witness another =
        new Witness(folder.resolve("s2"), false1, List.of(key.verifier()), InstantSource.system());
    server = new WitnessServer(another, new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    assertThat(witnesses().cosign(note(log(2)), log(2))).isEqualTo(note(log(2)));
  }

  @Test
  void theAnswersAreThoseOfTheProtocol() throws Exception {
    assertThat(ask(0, List.of(), note(log(10))).status()).isEqualTo(200);
    Witness.Answer conflict = ask(0, List.of(), note(log(20)));
    assertThat(conflict).isEqualTo(new Witness.Answer(409, "text/x.tlog.size", "10\n"));
    MemoryLog fork = new MemoryLog(history.subList(1, 11), key);
    assertThat(ask(10, List.of(), note(fork))).isEqualTo(conflict); // as large, and another
    assertThat(ask(10, List.of(), note(log(10))).status()).isEqualTo(200);
    assertThat(ask(21, List.of(), note(log(20))).status()).isEqualTo(400);
    assertThat(ask(10, List.of(new byte[32]), note(log(20))).status()).isEqualTo(422);
    LogKey thief = LogKey.open(folder.resolve("thief.key"), LogDatabase.ORIGIN);
    assertThat(ask(10, List.of(), note(new MemoryLog(history, thief))).status()).isEqualTo(403);
    LogKey other = LogKey.open(folder.resolve("other.key"), "other");
    assertThat(ask(10, List.of(), note(new MemoryLog(history, other))).status()).isEqualTo(404);
    try (var files = Files.list(folder.resolve("seen"))) {
      assertThat(files).hasSize(1);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "old 1\n",
        "old x\n\nNOTE",
        "new 1\n\nNOTE",
        "old 0\nAAAA\n\nNOTE",
        "old 0\n\nx"
      })
  void whatIsNoRequestIsRefused(String text) throws Exception {
    String body = text.replace("NOTE", note(log(1)).encoded());
    assertThat(witness.addCheckpoint(body.getBytes(StandardCharsets.UTF_8)).status())
        .isEqualTo(400);
  }

  private HttpResponse<String> send(String method, byte[] body) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(
                  URI.create("http://localhost:" + server.port() + "/add-checkpoint"))
              .method(method, HttpRequest.BodyPublishers.ofByteArray(body))
              .build(),
          HttpResponse.BodyHandlers.ofString());
    }
  }

  @Test
  void overHttpOnlyAPostOfACheckpointIsAnsweredWithACosignature() throws Exception {
    byte[] request =
        new WitnessRequest(0, List.of(), note(log(10))).encoded().getBytes(StandardCharsets.UTF_8);
    assertThat(send("PUT", request).statusCode()).isEqualTo(405);
    HttpResponse<String> large = send("POST", new byte[100_001]);
    assertThat(large.statusCode()).isEqualTo(413);
    assertThat(large.body()).isEqualTo("The request is too large\n");
    assertThat(send("POST", new byte[100_000]).statusCode()).isEqualTo(400);
    HttpResponse<String> cosigned = send("POST", request);
    assertThat(cosigned.statusCode()).isEqualTo(200);
    assertThat(cosigned.headers().firstValue("Content-Type")).hasValue("text/plain; charset=utf-8");
    SignedNote.Line line = SignedNote.Line.parse(cosigned.body().strip());
    assertThat(note(log(10)).and(List.of(line)).signers(List.of(own.verifier()))).hasSize(1);
    HttpResponse<String> again = send("POST", request);
    assertThat(again.statusCode()).isEqualTo(409);
    assertThat(again.headers().firstValue("Content-Type")).hasValue("text/x.tlog.size");
    assertThat(again.body()).isEqualTo("10\n");
  }

  @Test
  void aProofHasAtMost63Hashes() {
    List<byte[]> proof = new ArrayList<>(java.util.Collections.nCopies(64, new byte[32]));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new WitnessRequest(0, proof, note(log(1))));
    assertThat(new WitnessRequest(0, proof.subList(0, 63), note(log(1))).proof()).hasSize(63);
  }

  @Test
  void twoLiveKeysBothSignUntilTheOldOneIsTakenAway() throws Exception {
    VerifierKey old = key.verifier();
    LogKey both = LogKey.addNext(folder.resolve("log.key"), LogDatabase.ORIGIN);
    VerifierKey next = both.verifiers().getLast();
    assertThat(both.verifier()).isEqualTo(old);
    assertThat(both.verifiers()).containsExactly(old, next);
    SignedNote signed = new Checkpoint(LogDatabase.ORIGIN, 0, new byte[32]).sign(both);
    assertThat(signed.verify(List.of(old))).isTrue();
    assertThat(signed.verify(List.of(next))).isTrue();
    assertThatThrownBy(() -> LogKey.addNext(folder.resolve("log.key"), LogDatabase.ORIGIN))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("next key already");
    Files.move(
        folder.resolve("log.key.next"),
        folder.resolve("log.key"),
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    LogKey after = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    assertThat(after.verifier()).isEqualTo(next);
    assertThat(after.verifiers()).containsExactly(old, next);
    SignedNote later = new Checkpoint(LogDatabase.ORIGIN, 0, new byte[32]).sign(after);
    assertThat(later.verify(List.of(old))).isFalse();
    assertThat(later.verify(after.verifiers())).isTrue();
  }

  private Witness.Answer ask(long old, List<byte[]> proof, SignedNote note) throws Exception {
    return witness.addCheckpoint(
        new WitnessRequest(old, proof, note).encoded().getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void aQuorumDemandsTheWitnessesThatItNames() throws Exception {
    VerifierKey here = own.verifier();
    VerifierKey away =
        LogKey.openWitness(folder.resolve("away.key"), "governor.example.no/w2").verifier();
    SignedNote alone = note(log(3));
    SignedNote cosigned = witnesses().cosign(alone, log(3));
    WitnessQuorum one = new WitnessQuorum(Set.of(here), 1);
    assertThat(one.problem(cosigned)).isNull();
    assertThat(one.problem(alone))
        .isEqualTo(
            "Only 0 of the 1 witnesses that are demanded cosigned the checkpoint; missing:"
                + " governor.example.no/w1");
    assertThat(new WitnessQuorum(Set.of(here, away), 1).problem(cosigned)).isNull();
    assertThat(new WitnessQuorum(Set.of(here, away), 2).problem(cosigned))
        .isEqualTo(
            "Only 1 of the 2 witnesses that are demanded cosigned the checkpoint; missing:"
                + " governor.example.no/w2");
    SignedNote elsewhere = witnesses().cosign(note(log(4)), log(4));
    SignedNote moved =
        alone.and(List.of(elsewhere.signatures().getLast())); // signed for another tree
    assertThat(one.problem(moved)).contains("is false");
    assertThatIllegalArgumentException().isThrownBy(() -> new WitnessQuorum(Set.of(here), 0));
    assertThatIllegalArgumentException().isThrownBy(() -> new WitnessQuorum(Set.of(here), 2));
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new WitnessQuorum(Set.of(key.verifier()), 1))
        .withMessageContaining("not of a witness");
  }
}
