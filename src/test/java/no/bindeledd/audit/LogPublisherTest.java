package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@SuppressWarnings("NullAway.Init")
class LogPublisherTest {
  private static LogDatabase database;

  @TempDir Path folder;
  private LogKey key;
  private Ledger ledger;
  private LogDirectory directory;
  private LogPublisher publisher;

  @BeforeAll
  static void start() throws IOException {
    database = LogDatabase.shared();
  }

  @BeforeEach
  void begin() throws Exception {
    database.clear();
    key = LogKey.open(folder.resolve("secrets/log.key"), LogDatabase.ORIGIN);
    ledger = database.open(key);
    directory = LogDirectory.of(folder.resolve("log"), LogDatabase.ORIGIN);
    publisher = publisher();
  }

  @AfterEach
  void end() {
    ledger.close();
  }

  /** With the entries read from the database, and told by the ledger. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatIsPublishedIsWhatTheFormatSaysAtEverySize(boolean told) throws Exception {
    if (told) {
      ledger.follow(publisher);
    }
    List<byte[]> entries = new ArrayList<>();
    assertThat(publisher.publish()).isZero();
    assertThat(verify()).isEqualTo(new Verification(true, 0, null));
    for (int batch : new int[] {1, 2, 252, 1, 1, 255, 1, 600, 151, 30}) {
      append(entries, batch);
      assertThat(publisher.publish()).isEqualTo(entries.size());
      SortedMap<String, byte[]> expected = new MemoryLog(entries, key).files;
      SortedMap<String, String> found = new TreeMap<>();
      for (String path : expected.keySet()) {
        found.put(path, hex(Files.readAllBytes(directory.folder().resolve(path))));
      }
      SortedMap<String, String> right = new TreeMap<>();
      expected.forEach((path, bytes) -> right.put(path, hex(bytes)));
      assertThat(found).isEqualTo(right);
      assertThat(verify()).isEqualTo(new Verification(true, entries.size(), null));
    }
    try (Stream<Path> files = Files.walk(directory.folder().resolve("tile"))) {
      // The partial pieces of a full one are gone, and nothing unfinished is left.
      assertThat(files.map(Path::toString))
          .noneMatch(path -> path.contains("/0/000.p") || path.endsWith(".new"));
    }
    assertThat(VerifierKey.parseAll(Files.readString(directory.folder().resolve("log.vkey"))))
        .containsExactly(key.verifier());
  }

  /** Two witnesses; who is away is asked again although the log has not grown. */
  @Test
  void aWitnessThatComesBackCosignsAQuietLogToo() throws Exception {
    LogKey one = LogKey.openWitness(folder.resolve("one.key"), "one.example.no/w1");
    LogKey two = LogKey.openWitness(folder.resolve("two.key"), "two.example.no/w1");
    List<LogKey> here = new ArrayList<>();
    List<Integer> answered = new ArrayList<>();
    LogPublisher.Cosigners witnesses =
        new LogPublisher.Cosigners() {
          @Override
          public SignedNote cosign(SignedNote note, LogSource log) {
            answered.add(here.size());
            SignedNote all = note;
            for (LogKey key : here) {
              all = all.and(key.cosign(note.text(), Instant.EPOCH));
            }
            return all;
          }

          @Override
          public boolean complete() {
            return answered.getLast() == 2;
          }
        };
    publisher = new LogPublisher(database.source, ledger, key, directory, witnesses);
    append(new ArrayList<>(), 3);
    here.add(one);
    publisher.publish();
    here.set(0, two); // whose signature came before is not lost when somebody else is away
    publisher.publish();
    assertThat(signers()).containsExactly(LogDatabase.ORIGIN, "one.example.no/w1");
    here.add(one);
    publisher.publish();
    assertThat(signers())
        .containsExactly(LogDatabase.ORIGIN, "two.example.no/w1", "one.example.no/w1");
    publisher.publish();
    assertThat(answered).containsExactly(1, 1, 2); // and then nobody is asked any more
  }

  private List<String> signers() throws Exception {
    return SignedNote.parse(Files.readAllBytes(directory.folder().resolve("checkpoint")))
        .signatures()
        .stream()
        .map(SignedNote.Line::name)
        .toList();
  }

  @Test
  void aRestartGoesOnAndACrashBeforeTheCheckpointIsMadeGood() throws Exception {
    List<byte[]> entries = new ArrayList<>();
    append(entries, 700);
    publisher.publish();
    Path checkpoint = directory.folder().resolve("checkpoint");
    byte[] early = Files.readAllBytes(checkpoint);
    append(entries, 300);
    publisher.publish();
    Files.write(checkpoint, early); // as if the process had died before this checkpoint
    publisher = publisher();
    publisher.open();
    append(entries, 100);
    publisher.publish();
    assertThat(verify()).isEqualTo(new Verification(true, 1100, null));
  }

  @Test
  void missingOrDamagedPiecesAreWrittenAnew() throws Exception {
    append(new ArrayList<>(), 600);
    publisher.publish();
    for (String piece : List.of("tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/002.p/88")) {
      Files.delete(directory.folder().resolve(piece));
      publisher = publisher();
      publisher.open();
      assertThat(verify()).isEqualTo(new Verification(true, 600, null));
    }
    Path tile = directory.folder().resolve("tile/0/002.p/88");
    byte[] bytes = Files.readAllBytes(tile);
    bytes[40] ^= 1;
    Files.write(tile, bytes);
    publisher().open();
    assertThat(verify()).isEqualTo(new Verification(true, 600, null));
  }

  @Test
  void whatTheLedgerTellsIsNotReadBackAndWhatItDoesNotIs() throws Exception {
    List<byte[]> entries = new ArrayList<>();
    append(entries, 300);
    ledger.follow(publisher);
    append(entries, 200);
    database.sql("DELETE FROM audit_entry WHERE idx >= 300");
    assertThat(publisher.publish()).isEqualTo(500);
    append(entries, 10);
    append(entries, 20);
    database.sql("DELETE FROM audit_entry");
    assertThat(publisher.publish()).isEqualTo(530);
    assertThat(verify()).isEqualTo(new Verification(true, 530, null));
    publisher = publisher(); // one that was told nothing
    publisher.open();
    append(entries, 1);
    ledger.follow(publisher);
    append(entries, 1);
    assertThat(publisher.publish()).isEqualTo(532);
    assertThat(verify()).isEqualTo(new Verification(true, 532, null));
  }

  @Test
  void whatThereIsNoRoomForIsReadFromTheDatabase() throws Exception {
    ledger.follow(publisher);
    List<AuditEntry> large = new ArrayList<>();
    List<String> consents = Collections.nCopies(4_000, "long-name-1@1");
    for (int i = 0; i < 60; i++) {
      large.add(Entries.number(i).withConsents(consents));
    }
    for (int i = 0; i < 12; i++) {
      database.append(ledger, large);
    }
    assertThat(publisher.publish()).isEqualTo(720);
    assertThat(verify()).isEqualTo(new Verification(true, 720, null));
    database.append(ledger, large);
    database.sql("DELETE FROM audit_entry WHERE idx >= 720");
    assertThat(publisher.publish()).isEqualTo(780); // there is room again
  }

  @Test
  void alteredEntriesAreNotPublished() throws Exception {
    append(new ArrayList<>(), 300);
    database.sql("UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 280");
    assertThatThrownBy(publisher::publish)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("do not lead to the signed root at size 300");
    assertThat(directory.read("checkpoint")).isNull();
    database.sql("DELETE FROM audit_entry WHERE idx = 280");
    assertThatThrownBy(publisher::publish)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("Entry 280 is missing");
  }

  @Test
  void aLogOlderThanWhatIsPublishedIsRefused() throws Exception {
    append(new ArrayList<>(), 10);
    publisher.publish();
    ledger.close();
    database.clear();
    Files.delete(folder.resolve("secrets/log.key.checkpoint"));
    ledger = database.open(key); // an empty database, and no memory beside the key
    assertThatThrownBy(() -> publisher().open())
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("has 0 entries, but what is published has 10")
        .hasMessageContaining("an old backup was restored");
    append(new ArrayList<>(), 12, 5000); // and another history, as long
    publisher = publisher();
    publisher.open();
    assertThatThrownBy(publisher::publish)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("signed root");
  }

  @Test
  void aForeignLogIsNotWrittenOver() throws Exception {
    append(new ArrayList<>(), 1);
    publisher.publish();
    LogKey other = LogKey.open(folder.resolve("other/log.key"), LogDatabase.ORIGIN);
    LogPublisher foreign =
        new LogPublisher(database.source, ledger, other, directory, LogPublisher.Cosigners.NONE);
    assertThatThrownBy(foreign::open)
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("not signed by this log's keys");
    Files.writeString(directory.folder().resolve("checkpoint"), "x");
    assertThatThrownBy(() -> publisher().open()).hasMessageContaining("cannot be read");
  }

  @Test
  void anOriginCannotLeaveTheFolder() {
    assertThatThrownBy(() -> LogDirectory.of(folder, "../x")).isInstanceOf(LedgerException.class);
    assertThatThrownBy(() -> LogDirectory.of(folder, "/etc")).isInstanceOf(LedgerException.class);
  }

  @Test
  void earlierCheckpointsAreKeptAndAgree() throws Exception {
    List<byte[]> entries = new ArrayList<>();
    for (int batch : new int[] {500, 600, 1000, 10}) {
      append(entries, batch);
      publisher.publish();
    }
    assertThat(directory.earlierCheckpoints()).hasSize(3);
    assertThat(verify()).isEqualTo(new Verification(true, 2110, null));
  }

  private LogPublisher publisher() {
    return new LogPublisher(database.source, ledger, key, directory, LogPublisher.Cosigners.NONE);
  }

  private void append(List<byte[]> entries, int count) throws Exception {
    append(entries, count, entries.size());
  }

  private void append(List<byte[]> entries, int count, int from) throws Exception {
    List<AuditEntry> batch = Entries.batch(from, count);
    database.append(ledger, batch);
    batch.forEach(entry -> entries.add(entry.canonical()));
  }

  private Verification verify() throws IOException {
    return LogVerifier.verify(
        directory,
        VerifierKey.parseAll(
            new String(
                Files.readAllBytes(directory.folder().resolve("log.vkey")),
                StandardCharsets.UTF_8)),
        directory.earlierCheckpoints(),
        2,
        ProgressListener.NONE);
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}
