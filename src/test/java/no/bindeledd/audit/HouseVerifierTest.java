package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What the offline check says of a house's two logs, each holding a checkpoint of the other. */
@SuppressWarnings("NullAway.Init")
class HouseVerifierTest {
  private static final Instant NOW = Instant.parse("2026-09-01T10:00:00Z");
  private static final String FIRST = LogDatabase.ORIGIN;
  private static final Shard SHARD = new Shard(1);
  private static final String SECOND = SHARD.origin(FIRST);

  @TempDir static Path folder;
  private static List<byte[]> made; // once: the salts are drawn at random
  private static LogKey firstKey;
  private static LogKey secondKey;
  private static List<VerifierKey> keys;

  private final Map<String, MemoryLog> logs = new HashMap<>();
  private final List<String> told = new ArrayList<>();

  @BeforeAll
  static void make() throws IOException {
    made = Entries.batch(0, 200).stream().map(AuditEntry::canonical).toList();
    firstKey = LogKey.open(folder.resolve("log.key"), FIRST);
    secondKey = LogKey.open(folder.resolve("log-1.key"), SECOND);
    keys = VerifierKey.ofHouse(folder);
  }

  /** The first log: 20 entries, the second log's checkpoint at 10, 10 more, the one at 40, one. */
  @BeforeEach
  void write() {
    List<byte[]> first = entries(0, 20);
    first.add(link(second(10)));
    first.addAll(entries(20, 10));
    first.add(link(second(40)));
    first.addAll(entries(30, 1));
    logs.put("", new MemoryLog(first, firstKey));
    logs.put(SHARD.below(), second(60));
  }

  private static MemoryLog second(int size) {
    List<byte[]> entries = entries(100, 50);
    entries.add(link(new MemoryLog(entries(0, 20), firstKey)));
    entries.addAll(entries(150, 20));
    return new MemoryLog(entries.subList(0, size), secondKey);
  }

  private static List<byte[]> entries(int from, int count) {
    return new ArrayList<>(made.subList(from, from + count));
  }

  private static byte[] link(MemoryLog log) {
    return CrossLink.entry(SignedNote.parse(log.piece("checkpoint")), NOW).canonical();
  }

  private static byte[] link(SignedNote note) {
    return CrossLink.entry(note, NOW).canonical();
  }

  private byte @Nullable [] read(String path) {
    String below = path.startsWith(SHARD.below()) ? SHARD.below() : "";
    MemoryLog log = logs.get(below);
    return log == null ? null : log.files.get(path.substring(below.length()));
  }

  private Verification verify(byte[]... known) throws IOException {
    return HouseVerifier.verify(
        this::read, keys, List.of(known), 1, (done, total) -> told.add(done + " of " + total));
  }

  private Verification disregarding(long number) throws IOException {
    return HouseVerifier.verify(
        this::read, keys, List.of(), Set.of(number), 1, ProgressListener.NONE);
  }

  private MemoryLog log(String below) {
    return Objects.requireNonNull(logs.get(below));
  }

  private static byte[] checkpoint(MemoryLog log) {
    return log.piece("checkpoint");
  }

  @Test
  void logsThatAgreeVerifyAndProgressRunsOverAllOfThem() throws Exception {
    assertThat(verify(checkpoint(second(10)), checkpoint(new MemoryLog(entries(0, 5), firstKey))))
        .isEqualTo(new Verification(true, 33 + 60, null));
    assertThat(told).containsExactly("33 of 93", "93 of 93");
  }

  @Test
  void aLogThatIsGoneIsMissedByTheOneThatHoldsItsCheckpoint() throws Exception {
    logs.remove(SHARD.below());
    assertThat(verify().verified()).isFalse();
    assertThat(verify().firstProblem())
        .isEqualTo(
            "The log %s is missing: entry 20 of %s holds its signed checkpoint with 10 entries"
                .formatted(SECOND, FIRST));
  }

  @Test
  void aLogThatWasCutOffContradictsItsSibling() throws Exception {
    logs.put(SHARD.below(), second(39));
    assertThat(verify().firstProblem())
        .startsWith(
            "Entry 39 of %s is missing: its checkpoint says 39 entries, one that entry 31 of %s holds says 40"
                .formatted(SECOND, FIRST));
    logs.put(SHARD.below(), second(40));
    assertThat(verify().verified()).isTrue();
  }

  @Test
  void aLogThatGrowsWhileItIsCheckedIsNotTakenForCutOff() throws Exception {
    log(SHARD.below()).files.putAll(second(30).files); // partial tiles stay for a while
    log(SHARD.below()).files.put("checkpoint", checkpoint(second(60)));
    int[] reads = {0};
    LogSource growing =
        path -> {
          boolean early = path.equals("shard-1/checkpoint") && reads[0]++ == 0;
          return early ? checkpoint(second(30)) : read(path);
        };
    assertThat(HouseVerifier.verify(growing, keys, List.of(), 1, ProgressListener.NONE))
        .isEqualTo(new Verification(true, 33 + 60, null));
  }

  @ParameterizedTest
  @CsvSource({"5, 0, 9", "9, 0, 9", "10, 10, 39", "39, 10, 39"})
  void aRewrittenLogIsNarrowedDownByWhatItsSiblingHolds(int changed, int from, int to)
      throws Exception {
    List<byte[]> rewritten = new ArrayList<>(second(60).entries);
    rewritten.set(changed, entries(199, 1).getFirst());
    logs.put(SHARD.below(), new MemoryLog(rewritten, secondKey));
    String problem = verify().firstProblem();
    assertThat(problem)
        .startsWith(
            "The log %s was rewritten: its first broken entry is one of %d to %d. A signed checkpoint that entry %d of %s holds says at size %d the root "
                .formatted(SECOND, from, to, to == 9 ? 20 : 31, FIRST, to + 1));
    MemoryLog after = log(SHARD.below());
    assertThat(problem)
        .endsWith(
            "its tiles give " + HexFormat.of().formatHex(new TileTree(after, 60).root(to + 1)));
  }

  @Test
  void whatIsChangedBehindTheLastCheckpointHeldIsNotSeenHere() throws Exception {
    List<byte[]> rewritten = new ArrayList<>(second(60).entries);
    rewritten.set(40, entries(199, 1).getFirst());
    logs.put(SHARD.below(), new MemoryLog(rewritten, secondKey));
    assertThat(verify().verified()).isTrue(); // the hub's next cross-link would hold it
  }

  static Stream<SignedNote> foreign() throws IOException {
    LogKey stranger = LogKey.open(folder.resolve("stranger/log.key"), "other.example.no");
    LogKey thief = LogKey.open(folder.resolve("thief/log-1.key"), SECOND);
    return Stream.of(
        new Checkpoint("other.example.no", 3, new byte[32]).sign(stranger),
        new Checkpoint(SECOND, 3, new byte[32]).sign(thief),
        new Checkpoint(SECOND, 3, new byte[32]).sign(firstKey),
        new Checkpoint(FIRST, 3, new byte[32]).sign(firstKey)); // of the log itself
  }

  @ParameterizedTest
  @MethodSource("foreign")
  void anEntryMayOnlyHoldWhatAKnownKeyOfAnotherLogHasSigned(SignedNote note) throws Exception {
    List<byte[]> first = entries(0, 2);
    first.add(link(note));
    logs.put("", new MemoryLog(first, firstKey));
    logs.remove(SHARD.below());
    assertThat(verify().firstProblem())
        .startsWith(
            "Entry 2 holds a checkpoint of the log %s that no known key of that log has signed"
                .formatted(Checkpoint.parse(note.text()).origin()))
        .endsWith("--disregard 2");
    assertThat(disregarding(2).verified()).isTrue();
    assertThat(disregarding(1).verified()).isFalse();
  }

  @Test
  void anotherLogsEntryIsDisregardedByItsNumberInTheHouse() throws Exception {
    List<byte[]> entries = entries(100, 50);
    entries.add(link(new Checkpoint(FIRST, 3, new byte[32]).sign(secondKey)));
    logs.put(SHARD.below(), new MemoryLog(entries, secondKey));
    assertThat(verify().firstProblem())
        .startsWith(SECOND + ": Entry 50 holds a checkpoint of the log " + FIRST)
        .endsWith("--disregard " + SHARD.entry(50));
    assertThat(disregarding(SHARD.entry(50)).verified()).isTrue();
    assertThat(disregarding(50).verified()).isFalse();
  }

  @Test
  void aProblemInALaterLogIsSaidWithItsName() throws Exception {
    MemoryLog damaged = second(60).copy();
    damaged.files.remove("tile/entries/000.p/60");
    logs.put(SHARD.below(), damaged);
    assertThat(verify())
        .isEqualTo(
            new Verification(
                false, 33, SECOND + ": Entry 0 is missing: there is no tile/entries/000.p/60"));
    MemoryLog first = log("").copy();
    first.files.remove("tile/entries/000.p/33");
    logs.put("", first);
    assertThat(verify().firstProblem())
        .isEqualTo("Entry 0 is missing: there is no tile/entries/000.p/33");
  }

  @Test
  void otherCheckpointsAtHandAreHeldAgainstTheLogTheyAreOf() throws Exception {
    assertThat(verify(checkpoint(second(69))).firstProblem())
        .startsWith(SECOND + ": Entry 60 is missing: the checkpoint says 60 entries");
    byte[] strange =
        new Checkpoint("other.example.no", 3, new byte[32])
            .sign(firstKey)
            .encoded()
            .getBytes(StandardCharsets.UTF_8);
    assertThat(verify(strange))
        .isEqualTo(
            new Verification(
                false, 0, "There is a checkpoint of the log other.example.no, and no such log"));
    assertThat(verify("x".getBytes(StandardCharsets.UTF_8)).firstProblem())
        .startsWith("Another checkpoint cannot be read: ");
  }

  @Test
  void aSiblingWhoseCheckpointCannotBeReadIsMissedToo() throws Exception {
    MemoryLog damaged = second(60).copy();
    damaged.files.put("checkpoint", "x".getBytes(StandardCharsets.UTF_8));
    logs.put(SHARD.below(), damaged);
    assertThat(verify().firstProblem()).startsWith("The log " + SECOND + " is missing: ");
  }

  @Test
  void theLogOfOneShardCanBeCheckedAlone() throws Exception {
    List<byte[]> entries = new ArrayList<>(second(60).entries);
    MemoryLog log = new MemoryLog(entries, secondKey);
    assertThat(HouseVerifier.verify(log, keys, List.of(), 1, ProgressListener.NONE))
        .isEqualTo(new Verification(true, 60, null));
    assertThat(HouseVerifier.verify(path -> null, keys, List.of(), 1, ProgressListener.NONE))
        .isEqualTo(
            new Verification(
                false, 0, "There is no checkpoint: the log was never published, or was removed"));
  }

  @Test
  void anEntryThatSaysItHoldsACheckpointAndDoesNotIsBroken() throws Exception {
    List<byte[]> first = entries(0, 2);
    byte[] broken =
        AuditEntry.plain(
                NOW,
                Station.ADMIN,
                "audit",
                null,
                null,
                null,
                null,
                null,
                CrossLink.OUTCOME,
                CrossLink.OUTCOME,
                "no checkpoint")
            .canonical();
    first.add(broken);
    logs.put("", new MemoryLog(first, firstKey));
    assertThat(verify().firstProblem())
        .startsWith("Entry 2 is broken: it cannot be read as an entry, or holds no checkpoint: ");
  }
}
