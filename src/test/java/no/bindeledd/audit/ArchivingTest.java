package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** A ledger of one full segment and a little more, told step by step. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@SuppressWarnings("NullAway.Init")
class ArchivingTest {
  private static final int ENTRIES = Segments.SIZE + 300;
  private static final Shard SECOND = new Shard(1);
  private static final int OTHERS = 5; // entries of the second shard
  private static final int LINK = 20; // the entry that holds the second shard's checkpoint
  private static final Instant NOW = Instant.parse("2030-01-01T00:00:00Z");

  @TempDir static Path folder;
  private static LogDatabase database;
  private static LogKey key;
  private static LogKey second;
  private static Ledger ledger;
  private static LogDirectory published;
  private static Path archives;

  @BeforeAll
  static void fill() throws Exception {
    database = new LogDatabase();
    key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    second = LogKey.open(folder.resolve("log-1.key"), SECOND.origin(LogDatabase.ORIGIN));
    SignedNote other = writeSecond(0);
    ledger = database.open(key);
    for (int from = 0; from < ENTRIES; from += 4000) {
      List<AuditEntry> batch = new ArrayList<>(Entries.batch(from, Math.min(4000, ENTRIES - from)));
      if (from == 0) {
        batch.set(LINK, CrossLink.entry(other, batch.get(LINK).at()));
      }
      database.append(ledger, batch);
    }
    published = LogDirectory.of(folder.resolve("log"), LogDatabase.ORIGIN);
    archives = folder.resolve("archive");
    shred(1);
  }

  @AfterAll
  static void stop() throws Exception {
    ledger.close();
    database.close();
  }

  @Test
  @Order(1)
  void whatIsNotPublishedOrTooYoungStays() throws Exception {
    assertThat(prepare(NOW)).isNull();
    publish();
    assertThat(prepare(Entries.number(Segments.SIZE - 1).at())).isNull();
    assertThat(archives).doesNotExist();
  }

  @Test
  @Order(2)
  void whatIsNotWhatWasPublishedStays() throws Exception {
    database.sql("UPDATE audit_entry SET outcome = 'HELD' WHERE idx = 4711");
    assertThatThrownBy(() -> prepare(NOW))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("Entry 4711 is not what was published");
    database.sql("UPDATE audit_entry SET outcome = 'RELEASED' WHERE idx = 4711");
    database.sql(
        "INSERT INTO audit_entry SELECT -1, at, station, exchange, outcome, message, subject, salt,"
            + " leaf, entry FROM audit_entry WHERE idx = 0");
    assertThatThrownBy(() -> prepare(NOW))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("Entry -1 is not in the log");
    database.sql("DELETE FROM audit_entry WHERE idx < 0");
  }

  @Test
  @Order(3)
  void theSegmentMovesInOneActThatTheLedgerRecords() throws Exception {
    AuditReader.Found before = at(9).getFirst();
    Archiving.Ready ready = Objects.requireNonNull(prepare(NOW));
    move(ready, false);
    assertThat(database.text("SELECT count(*) FROM audit_entry WHERE idx < " + Segments.SIZE))
        .isEqualTo(Segments.SIZE + "\n"); // rolled back
    long whole = ledger.size();
    assertThat(seenWhile(() -> move(ready, true)))
        .startsWith(0L)
        .isSorted()
        .doesNotHaveDuplicates()
        .hasSizeBetween((int) whole, (int) whole + 1); // with the record of the move, or without
    assertThat(database.text("SELECT min(idx) FROM audit_entry")).isEqualTo(Segments.SIZE + "\n");
    assertThat(database.text("SELECT to_regclass('audit_entry_0') IS NULL")).isEqualTo("t\n");
    assertThat(ready.file().getFileName().toString())
        .isEqualTo("audit.example.no_bindeledd-00000.zip");
    try (LogArchive archive = LogArchive.open(ready.file())) {
      assertThat(archive.verify(key.verifiers(), ProgressListener.NONE).verified()).isTrue();
    }
    AuditEntry record = at(ledger.size() - 1).getFirst().entry();
    assertThat(record.outcome()).isEqualTo("ARCHIVED");
    assertThat(record.detail())
        .startsWith("entries 0 to 65535 in audit.example.no_bindeledd-00000.zip, SHA-256 ");
    assertThat(at(9)).containsExactly(before);
    assertThat(before.intact()).isTrue();
    assertThat(prepare(NOW)).isNull(); // the open segment is not full
  }

  @Test
  @Order(4)
  void everyReaderFindsArchivedEntries() throws Exception {
    try (Connection connection = database.source.getConnection()) {
      assertThat(AuditReader.at(connection, List.of(65_600L, 3L, 65_535L, 256L)))
          .extracting(AuditReader.Found::index)
          .containsExactly(65_600L, 65_535L, 256L, 3L);
      List<Long> scanned = new ArrayList<>();
      AuditReader.scan(connection, 65_000, SECOND.first(), (index, entry) -> scanned.add(index));
      assertThat(scanned).hasSize((int) ledger.size() - 65_000).isSorted();
      assertThat(
              AuditReader.newest(
                  connection, 0, 65_560, AuditReader.Narrowing.subject(Entries.subject(7)), 3))
          .extracting(AuditReader.Found::index)
          .containsExactly(65_557L, 65_507L, 65_457L);
      assertThat(
              AuditReader.newest(
                  connection,
                  0,
                  Long.MAX_VALUE,
                  new AuditReader.Narrowing(
                      null,
                      List.of("message-300", "message-301"),
                      Entries.number(300).at(),
                      Entries.number(301).at(),
                      List.of("\"exchange\":\"measure-event\"")),
                  10))
          .extracting(AuditReader.Found::index)
          .containsExactly(300L);
    }
  }

  @Test
  @Order(5)
  void theDatabaseVerifiesThroughTheFile() throws Exception {
    assertThat(verify()).isEqualTo(new Verification(true, ledger.size() + OTHERS, null));
    database.sql("UPDATE audit_link SET subject = '\\x00' WHERE idx = 11");
    assertThat(verify().firstProblem()).startsWith("Entry 11 is broken: ");
    database.sql(
        "UPDATE audit_link SET subject = decode('"
            + Entries.subject(11).value()
            + "', 'hex') WHERE idx = 11");
    String salt = database.text("SELECT encode(salt, 'hex') FROM audit_link WHERE idx = 12");
    database.sql("DELETE FROM audit_link WHERE idx = 12");
    assertThat(verify().firstProblem()).contains("Not the entries on record were shredded");
    database.sql(
        "INSERT INTO audit_link VALUES (12, decode('"
            + Entries.subject(12).value()
            + "', 'hex'), decode('"
            + salt.strip()
            + "', 'hex'))");
    assertThat(verify().verified()).isTrue();
  }

  @Test
  @Order(6)
  void shreddingReachesArchivedEntries() throws Exception {
    assertThat(shred(7)).isEqualTo(1317);
    assertThat(
            database.text(
                "SELECT count(*) FROM audit_link WHERE subject = decode('"
                    + Entries.subject(7).value()
                    + "', 'hex')"))
        .isEqualTo("0\n");
    assertThat(at(7).getFirst().entry().subject()).isNull();
    assertThat(at(7).getFirst().intact()).isTrue();
    assertThat(verify().verified()).isTrue();
  }

  @Test
  @Order(7)
  void retentionReachesArchivedEntries() throws Exception {
    try (Connection c = database.source.getConnection()) {
      c.setAutoCommit(false);
      Shredder.Portion portion =
          Shredder.expired(
              c,
              Shard.FIRST,
              new Shredder.Aged(
                  "measure-event", null, java.util.Set.of(), Entries.number(100).at()),
              ledger.size(),
              NOW);
      Shredder.Shredding shredding = Objects.requireNonNull(portion.shredding());
      Appended appended = ledger.append(c, List.of(shredding.entry()));
      c.commit();
      ledger.confirm(appended);
      assertThat(shredding.links()).hasSize(32); // of 34, two were about somebody shredded
    }
    assertThat(verify().verified()).isTrue();
  }

  @Test
  @Order(8)
  void thePublishedLogCanBeMadeAnewAndTheLedgerOpened() throws Exception {
    Path file = folder.resolve("log.key.checkpoint");
    byte[] remembered = Files.readAllBytes(file);
    published = LogDirectory.of(folder.resolve("again"), LogDatabase.ORIGIN);
    publish();
    assertThat(
            LogVerifier.verify(published, key.verifiers(), List.of(), 1, ProgressListener.NONE)
                .verified())
        .isTrue();
    ledger.close();
    // It remembers a tree inside the archived segment.
    String note = database.text("SELECT checkpoint FROM audit_checkpoint ORDER BY size LIMIT 1");
    Files.writeString(file, note.substring(0, note.length() - 1));
    ledger = database.open(key);
    ledger.close();
    Files.write(file, remembered);
    ledger = database.open(key);
  }

  @Test
  @Order(9)
  void aFileThatIsAwayIsNamed() throws Exception {
    Path file = archives.resolve("audit.example.no_bindeledd-00000.zip");
    Path away = folder.resolve("away.zip");
    Files.move(file, away);
    assertThatThrownBy(() -> at(9))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("The entries 0 to 65535 are archived in " + file);
    database.sql("UPDATE audit_archive SET file = '" + away + "'");
    assertThat(at(9)).hasSize(1);
    Path altered = folder.resolve("altered.zip");
    alter(away, altered);
    database.sql("UPDATE audit_archive SET file = '" + altered + "'");
    assertThat(verify().firstProblem()).startsWith("Entry 1 is broken: its recorded hash is ");
    assertThat(at(1).getFirst().intact()).isFalse();
    database.sql("UPDATE audit_archive SET file = '" + away + "'");
  }

  /** Another exchange in entry 1. */
  private static void alter(Path from, Path to) throws Exception {
    try (ZipFile good = new ZipFile(from.toFile());
        ZipOutputStream bad = new ZipOutputStream(Files.newOutputStream(to))) {
      for (ZipEntry entry : java.util.Collections.list(good.entries())) {
        byte[] bytes = good.getInputStream(entry).readAllBytes();
        if (entry.getName().equals("tile/entries/000")) {
          String text = new String(bytes, StandardCharsets.ISO_8859_1);
          bytes =
              text.replaceFirst("dropout-notice", "dropout-motice")
                  .getBytes(StandardCharsets.ISO_8859_1);
        }
        bad.putNextEntry(new ZipEntry(entry.getName()));
        bad.write(bytes);
        bad.closeEntry();
      }
    }
  }

  @Test
  @Order(10)
  void whatOneShardHoldsOfAnotherCountsAlsoWhenItIsArchived() throws Exception {
    assertThat(verify().verified()).isTrue();
    writeSecond(100); // the thief has the signing key of the shard and the database's password
    assertThat(verify().firstProblem())
        .startsWith(SECOND.origin(LogDatabase.ORIGIN) + ": The first broken entry is one of 0 to 4")
        .contains("the checkpoint that entry " + LINK + " of " + LogDatabase.ORIGIN + " holds");
  }

  /** The second shard's log, or another in its place. */
  private static SignedNote writeSecond(int first) throws Exception {
    for (String table :
        List.of(
            "audit_entry WHERE idx >= " + SECOND.first(),
            "audit_checkpoint WHERE shard = 1",
            "audit_head WHERE shard = 1")) {
      database.sql("DELETE FROM " + table);
    }
    Files.deleteIfExists(folder.resolve("log-1.key.checkpoint"));
    try (Ledger log =
        Ledger.hold(database.source, second, LogDatabase.ORIGIN, SECOND, InstantSource.system())) {
      database.append(log, Entries.batch(first, OTHERS));
      return log.checkpoint();
    }
  }

  private interface Act {
    void now() throws Exception;
  }

  /** The numbers of all entries of the first shard, read while something happens. */
  private static List<Long> seenWhile(Act act) throws Exception {
    List<Long> seen = new ArrayList<>();
    try (Connection connection = database.source.getConnection()) {
      StoredEntry.each(
          connection,
          0,
          SECOND.first(),
          entry -> {
            if (entry.index() == 5) {
              try {
                act.now();
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            }
            return seen.add(entry.index());
          });
    }
    return seen;
  }

  private static Archiving.@Nullable Ready prepare(Instant before) throws Exception {
    try (Connection c = database.source.getConnection()) {
      return Archiving.prepare(c, Shard.FIRST, published, key.verifiers(), archives, before);
    }
  }

  private static void move(Archiving.Ready ready, boolean commit) throws Exception {
    try (Connection c = database.source.getConnection()) {
      c.setAutoCommit(false);
      Appended appended = ledger.append(c, List.of(Archiving.move(c, ready, NOW)));
      if (commit) {
        c.commit();
        ledger.confirm(appended);
      } else {
        c.rollback();
        ledger.discard(appended);
      }
    }
  }

  private static int shred(int person) throws Exception {
    try (Connection c = database.source.getConnection()) {
      c.setAutoCommit(false);
      List<Long> entries = new ArrayList<>();
      for (long i = person; i < ENTRIES; i += 50) {
        entries.add(i);
      }
      Shredder.Shredding shredding =
          Objects.requireNonNull(
              Shredder.subject(c, Entries.subject(person), entries, ledger.size(), NOW, null));
      Appended appended = ledger.append(c, List.of(shredding.entry()));
      c.commit();
      ledger.confirm(appended);
      return shredding.links().size();
    }
  }

  private static List<AuditReader.Found> at(long index) throws Exception {
    try (Connection connection = database.source.getConnection()) {
      return AuditReader.at(connection, List.of(index));
    }
  }

  private static void publish() throws Exception {
    LogPublisher publisher =
        new LogPublisher(database.source, ledger, key, published, LogPublisher.Cosigners.NONE);
    publisher.open();
    publisher.publish();
  }

  private static Verification verify() throws Exception {
    List<VerifierKey> keys = List.of(key.verifier(), second.verifier());
    return LedgerVerifier.verify(database.source, keys, ProgressListener.NONE);
  }
}
