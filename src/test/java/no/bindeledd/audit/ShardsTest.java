package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Several hub instances on one database: a log each, and each vouches for the others. */
@SuppressWarnings("NullAway.Init")
class ShardsTest {
  private static final Instant NOW = Instant.parse("2026-09-01T10:00:00Z");
  private static final Shard SECOND = new Shard(1);
  private static LogDatabase database;

  @TempDir Path folder;
  private final List<House> houses = new ArrayList<>();

  /** One instance, as far as its log goes. */
  private final class House {
    final Shard shard;
    final LogKey key;
    final Ledger ledger;
    final LogPublisher publisher;
    final CrossLinker linker;
    int written;

    House(Shard shard, Path secrets, Path published) throws Exception {
      this.shard = shard;
      this.key = LogKey.open(secrets.resolve(shard.keyFile()), shard.origin(LogDatabase.ORIGIN));
      this.ledger =
          Ledger.hold(database.source, key, LogDatabase.ORIGIN, shard, InstantSource.system());
      this.publisher =
          new LogPublisher(
              database.source,
              ledger,
              key,
              LogDirectory.of(published, shard.origin(LogDatabase.ORIGIN)),
              LogPublisher.Cosigners.NONE);
      this.linker = new CrossLinker(shard, LogDatabase.ORIGIN, () -> VerifierKey.ofHouse(secrets));
      publisher.open();
    }

    void append(int count) throws SQLException {
      database.append(ledger, Entries.batch(written, count));
      written += count;
    }

    int link() throws SQLException, IOException {
      List<AuditEntry> due;
      try (Connection c = database.source.getConnection()) {
        due = linker.due(c, NOW);
      }
      if (!due.isEmpty()) {
        database.append(ledger, due);
      }
      return due.size();
    }
  }

  @BeforeAll
  static void start() throws IOException {
    database = LogDatabase.shared();
  }

  @BeforeEach
  void clear() throws SQLException {
    database.clear();
  }

  private House open(Shard shard) throws Exception {
    House house = new House(shard, secrets(), folder.resolve("log"));
    houses.add(house);
    return house;
  }

  private Path secrets() {
    return folder.resolve("secrets");
  }

  /** Two shards of some thousand entries that name each other, published. */
  private void linked() throws Exception {
    House one = open(Shard.FIRST);
    House two = open(SECOND);
    for (int round = 0; round < 3; round++) {
      one.append(700);
      two.append(900);
      one.publisher.publish();
      two.publisher.publish();
      assertThat(one.link()).isEqualTo(1);
      assertThat(two.link()).isEqualTo(1);
    }
    one.publisher.publish();
    two.publisher.publish();
  }

  private Verification inDatabase() throws Exception {
    return LedgerVerifier.verify(
        database.source, VerifierKey.ofHouse(secrets()), ProgressListener.NONE);
  }

  private Verification published(Path log) throws IOException {
    return HouseVerifier.verify(
        new LogDirectory(log), VerifierKey.ofHouse(secrets()), List.of(), 2, ProgressListener.NONE);
  }

  private Path publishedHouse() {
    return folder.resolve("log").resolve(LogDatabase.ORIGIN);
  }

  @Test
  void shardsAppendAtOnceAndEachIsWithoutGap() throws Exception {
    House one = open(Shard.FIRST);
    House two = open(SECOND);
    House three = open(new Shard(15));
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Future<?>> writing = new ArrayList<>();
      for (House house : List.of(one, two, three)) {
        writing.add(
            threads.submit(
                () -> {
                  for (int i = 0; i < 120; i++) {
                    house.append(1 + i % 70);
                    if (i % 40 == 39) {
                      house.publisher.publish();
                      house.link();
                    }
                  }
                  return null;
                }));
      }
      for (Future<?> each : writing) {
        each.get();
      }
    }
    for (House house : List.of(one, two, three)) {
      house.publisher.publish();
      assertThat(
              database.text(
                  "SELECT count(*) || ' ' || min(idx) || ' ' || max(idx) FROM audit_entry WHERE idx"
                      + " BETWEEN "
                      + house.shard.first()
                      + " AND "
                      + (house.shard.end() - 1)))
          .isEqualTo(
              house.ledger.size()
                  + " "
                  + house.shard.first()
                  + " "
                  + house.shard.entry(house.ledger.size() - 1)
                  + "\n");
    }
    long all = houses.stream().mapToLong(house -> house.ledger.size()).sum();
    assertThat(inDatabase()).isEqualTo(new Verification(true, all, null));
    assertThat(published(publishedHouse())).isEqualTo(new Verification(true, all, null));
  }

  @Test
  void quietShardsDoNotTellEachOtherOfTheirTellingForEver() throws Exception {
    linked();
    for (int round = 0; round < 3; round++) {
      for (House house : houses) {
        assertThat(house.link()).isZero();
        house.publisher.publish();
      }
    }
    houses.getFirst().append(1);
    houses.getFirst().publisher.publish();
    assertThat(houses.getLast().link()).isEqualTo(1);
  }

  @Test
  void aShardThatBeginsAgainGoesOnWhereItStood() throws Exception {
    linked();
    long before = houses.getLast().ledger.size();
    House again = open(SECOND);
    again.append(5);
    assertThat(again.ledger.size()).isEqualTo(before + 5);
    assertThat(inDatabase().verified()).isTrue();
  }

  @Test
  void whoeverIsShutOutWritesNothingMore() throws Exception {
    House first = open(SECOND);
    first.append(3);
    House next = open(SECOND);
    assertThatThrownBy(() -> first.append(1))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("has taken it");
    try (Connection c = database.source.getConnection()) {
      c.setAutoCommit(false);
      assertThatThrownBy(() -> first.ledger.requireWritable(c))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("bindeledd.shard");
      next.ledger.requireWritable(c);
    }
    next.append(1);
    assertThat(next.ledger.size()).isEqualTo(4);
    assertThat(inDatabase().verified()).isTrue();
  }

  /** A checkpoint of the second shard that its key has not signed. */
  private SignedNote planted() throws Exception {
    LogKey thief = LogKey.open(folder.resolve("planter.key"), SECOND.origin(LogDatabase.ORIGIN));
    return new Checkpoint(SECOND.origin(LogDatabase.ORIGIN), 1_000_000, new byte[32]).sign(thief);
  }

  @Test
  void whatIsPlantedAmongThePublishedIsNotEntered() throws Exception {
    linked();
    House one = houses.getFirst();
    House two = houses.getLast();
    one.append(1);
    for (String text :
        List.of(planted().encoded(), "no checkpoint", one.ledger.checkpoint().encoded())) {
      database.sql("UPDATE audit_published SET checkpoint = '" + text + "' WHERE shard = 1");
      assertThat(one.link()).as(text).isZero();
    }
    two.append(1);
    two.publisher.publish(); // and so writes its row anew
    assertThat(one.link()).isEqualTo(1);
    assertThat(inDatabase().verified()).isTrue();
  }

  @Test
  void aPlantedCrossLinkIsNamedAndThereIsAWayBack() throws Exception {
    linked();
    House one = houses.getFirst();
    long number = one.ledger.next();
    database.sql(
        "UPDATE audit_published SET checkpoint = '" + planted().encoded() + "' WHERE shard = 1");
    CrossLinker trusting = new CrossLinker(Shard.FIRST, LogDatabase.ORIGIN, List::of);
    try (Connection c = database.source.getConnection()) {
      database.append(one.ledger, trusting.due(c, NOW)); // it has no key of the other shard
    }
    one.publisher.publish();
    List<VerifierKey> keys = VerifierKey.ofHouse(secrets());
    LogDirectory log = new LogDirectory(publishedHouse());
    for (Verification found : List.of(inDatabase(), published(publishedHouse()))) {
      assertThat(found.firstProblem())
          .startsWith("Entry " + number + " ")
          .contains("no known key of that log has signed")
          .contains("planted it in audit_published")
          .endsWith("--disregard " + number);
    }
    Set<Long> disregarded = Set.of(number);
    assertThat(
            LedgerVerifier.verify(
                    database.source, keys, List.of(), disregarded, ProgressListener.NONE)
                .firstProblem())
        .isNull();
    assertThat(
            HouseVerifier.verify(log, keys, List.of(), disregarded, 2, ProgressListener.NONE)
                .firstProblem())
        .isNull();
    forged(3000); // the other links still tell
    assertThat(
            LedgerVerifier.verify(
                    database.source, keys, List.of(), disregarded, ProgressListener.NONE)
                .firstProblem())
        .contains("that entry ")
        .contains(" of " + LogDatabase.ORIGIN + " holds");
  }

  @Test
  void aShardIsHeldByOneInstanceAtATime() throws Exception {
    try (ShardHold held = ShardHold.take(database.source, SECOND, Duration.ZERO);
        ShardHold other = ShardHold.take(database.source, Shard.FIRST, Duration.ZERO);
        Connection c = database.source.getConnection()) {
      assertThat(held.keep()).isTrue();
      assertThat(ShardHold.held(c)).containsExactly(Shard.FIRST, SECOND);
      assertThatThrownBy(() -> ShardHold.take(database.source, SECOND, Duration.ZERO))
          .isInstanceOf(LedgerException.class)
          .hasMessageContaining("shard 1")
          .hasMessageContaining("bindeledd.shard");
      other.close();
      assertThat(ShardHold.held(c)).containsExactly(SECOND);
      database.sql(
          "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
              + " AND pid <> pg_backend_pid()");
      assertThat(held.keep()).isTrue(); // taken anew
      assertThat(ShardHold.held(c)).containsExactly(SECOND);
    }
    ShardHold.take(database.source, SECOND, Duration.ZERO).close();
  }

  @Test
  void aDatabaseOfAnotherHouseIsRefused() throws Exception {
    open(Shard.FIRST);
    LogKey key = LogKey.open(folder.resolve("k"), "other.example.no/shard-1");
    assertThatThrownBy(
            () ->
                Ledger.hold(
                    database.source, key, "other.example.no", SECOND, InstantSource.system()))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining(LogDatabase.ORIGIN);
  }

  /** The thief has the signing key of the shard and the database's password. */
  private House forged(int entries) throws Exception {
    database.sql("DELETE FROM audit_entry WHERE idx >= " + SECOND.first());
    database.sql("DELETE FROM audit_checkpoint WHERE shard = 1");
    database.sql("DELETE FROM audit_head WHERE shard = 1");
    Path stolen = folder.resolve("thief");
    Files.createDirectories(stolen);
    for (String file : List.of("log-1.key", "log-1.key.vkey")) {
      Files.copy(
          secrets().resolve(file),
          stolen.resolve(file),
          java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
    }
    House thief = new House(SECOND, stolen, folder.resolve("forged"));
    thief.written = 10_000;
    for (int left = entries; left > 0; left -= 100) {
      thief.append(Math.min(100, left));
    }
    thief.publisher.publish();
    return thief;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 100, 1801, 3000})
  void aShardRewrittenWithAStolenKeyContradictsItsSibling(int entries) throws Exception {
    linked();
    forged(entries);
    // Alone it is a sound log: nobody could tell.
    Path forged = folder.resolve("forged").resolve(SECOND.origin(LogDatabase.ORIGIN));
    assertThat(published(forged).verified()).isTrue();
    assertThat(inDatabase().firstProblem())
        .startsWith(SECOND.origin(LogDatabase.ORIGIN) + ": ")
        .contains("that entry ")
        .contains(" of " + LogDatabase.ORIGIN + " holds");

    Path house = publishedHouse();
    removeAll(house.resolve("shard-1"));
    copyAll(forged, house.resolve("shard-1"));
    assertThat(published(house).firstProblem())
        .contains(SECOND.origin(LogDatabase.ORIGIN))
        .contains("of " + LogDatabase.ORIGIN + " holds");
  }

  @Test
  void aShardCutBackToAGenuineEarlierStateContradictsItsSibling() throws Exception {
    linked();
    String kept = "SELECT max(size) FROM audit_checkpoint WHERE shard = 1 AND size < 2000";
    long size = Long.parseLong(database.text(kept).strip());
    database.sql("DELETE FROM audit_entry WHERE idx >= " + SECOND.entry(size));
    database.sql("DELETE FROM audit_checkpoint WHERE shard = 1 AND size > " + size);
    database.sql(
        "UPDATE audit_head h SET (size, frontier, checkpoint) ="
            + " (c.size, c.frontier, c.checkpoint) FROM audit_checkpoint c"
            + " WHERE h.shard = 1 AND c.shard = 1 AND c.size = "
            + size);
    assertThat(inDatabase().firstProblem())
        .contains("shard-1: Entry " + size + " is missing")
        .contains("that entry ");
  }

  @Test
  void aWholeShardThatIsGoneIsMissed() throws Exception {
    linked();
    removeAll(publishedHouse().resolve("shard-1"));
    assertThat(published(publishedHouse()).firstProblem())
        .contains("shard-1 is missing: entry ")
        .contains("of " + LogDatabase.ORIGIN);

    database.sql("DELETE FROM audit_head WHERE shard = 1");
    assertThat(inDatabase().firstProblem()).contains("entries of shard 1 and no signed head");
    database.sql("DELETE FROM audit_checkpoint WHERE shard = 1");
    database.sql("DELETE FROM audit_entry WHERE idx >= " + SECOND.first());
    assertThat(inDatabase().firstProblem())
        .contains("it holds a checkpoint of the log " + SECOND.origin(LogDatabase.ORIGIN));
  }

  @Test
  void theKeyOfOneShardSignsForNoOther() throws Exception {
    linked();
    LogKey second = houses.getLast().key;
    byte[] checkpoint = Files.readAllBytes(publishedHouse().resolve("checkpoint"));
    String text = SignedNote.parse(checkpoint).text();
    Files.writeString(
        publishedHouse().resolve("checkpoint"), SignedNote.sign(text, second).encoded());
    assertThat(published(publishedHouse()).firstProblem())
        .contains("is not signed by a known key of this log");
    Files.write(publishedHouse().resolve("checkpoint"), checkpoint);

    SignedNote foreign =
        new Checkpoint(SECOND.origin(LogDatabase.ORIGIN), 5, new byte[32])
            .sign(houses.getFirst().key);
    database.sql(
        "UPDATE audit_published SET checkpoint = '" + foreign.encoded() + "' WHERE shard = 1");
    House again = open(Shard.FIRST);
    assertThat(again.link()).isZero();
    database.append(again.ledger, List.of(CrossLink.entry(foreign, NOW)));
    assertThat(inDatabase().firstProblem()).contains("no known key of that log has signed");
  }

  @Test
  void entriesOfAllShardsAreShreddedAsOneSet() throws Exception {
    linked();
    for (House house : List.of(houses.getLast(), houses.getFirst(), houses.getLast())) {
      int person = house.ledger.size() % 2 == 0 ? 3 : 4;
      List<Long> entries =
          database
              .text(
                  "SELECT idx FROM audit_entry WHERE encode(subject, 'hex') = '"
                      + Entries.subject(person).value()
                      + "'")
              .lines()
              .map(Long::valueOf)
              .toList();
      try (Connection c = database.source.getConnection()) {
        c.setAutoCommit(false);
        Shredder.Shredding done =
            Shredder.subject(
                c, Entries.subject(person), entries, house.ledger.next(), NOW, "311013572");
        if (done != null) {
          Appended appended = house.ledger.append(c, List.of(done.entry()));
          c.commit();
          house.ledger.confirm(appended);
          assertThat(done.links()).anyMatch(link -> Shard.of(link.index()).equals(SECOND));
        }
      }
    }
    assertThat(inDatabase().firstProblem()).isNull();
    database.sql(
        "UPDATE audit_entry SET subject = NULL, salt = NULL WHERE idx = " + SECOND.entry(8));
    assertThat(inDatabase().firstProblem()).contains("Not the entries on record");
  }

  private static void removeAll(Path path) throws IOException {
    try (Stream<Path> files = Files.walk(path)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
  }

  private static void copyAll(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      files
          .filter(Files::isRegularFile)
          .forEach(
              file -> {
                Path target = to.resolve(from.relativize(file));
                try {
                  Files.createDirectories(target.getParent());
                  Files.copy(file, target);
                } catch (IOException e) {
                  throw new UncheckedIOException(e);
                }
              });
    }
  }
}
