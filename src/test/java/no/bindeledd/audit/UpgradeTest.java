package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.LongStream;
import javax.sql.DataSource;
import no.bindeledd.reading.EntryIndex;
import no.bindeledd.reading.EntryQuery;
import no.bindeledd.reading.EntrySearch;
import org.flywaydb.core.Flyway;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A data folder that the first hub filled, with its tables and its entries as they were then,
 * written here without the present writer: today's hub takes it over whole.
 */
@SuppressWarnings("NullAway.Init")
class UpgradeTest {
  private static final int ENTRIES = 33_500; // more than a block of the index
  private static final int PEOPLE = 500;
  private static final Instant START = Instant.parse("2026-09-01T08:00:00Z");
  private static final HexFormat HEX = HexFormat.of();

  @TempDir Path folder;

  @Test
  void anOldFilledDataFolderIsTakenOverAndGoesOn() throws Exception {
    DataSource database = LogDatabase.shared().empty("old_data_folder");
    LogKey key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    migrate(database, "3");
    write(database, key);
    sql(
        database,
        "INSERT INTO envelope VALUES ('\\x01', 'dropout-notice', 'RELEASED', 'RELEASED', '\\x02', 7);"
            + "INSERT INTO outbox (id, key, exchange, recipient, sender, outcome, withheld, payload)"
            + " VALUES (7, '\\x01', 'dropout-notice', 'ot', '311000004', 'RELEASED', '{}', '\\x03');"
            + "INSERT INTO protection VALUES ('\\x11', 'STRICTLY_CONFIDENTIAL', true)");
    migrate(database, "60");
    sql(
        database,
        "INSERT INTO audit_position (reader, next) VALUES ('index', 8192), ('syslog', 500);"
            + "INSERT INTO audit_block VALUES (0, now(), now());"
            + "INSERT INTO audit_term VALUES (1, 0, '\\x000000000000')");

    migrate(database, "latest");

    List<VerifierKey> keys = key.verifiers();
    assertThat(LedgerVerifier.verify(database, keys, ProgressListener.NONE))
        .isEqualTo(new Verification(true, ENTRIES, null));
    assertThat(found(database)).isEqualTo(about(ENTRIES));
    EntryIndex index = new EntryIndex(database);
    assertThat(index.indexNextBlock()).isTrue();
    while (index.indexNextBlock()) {}
    assertThat(found(database)).isEqualTo(about(ENTRIES));
    try (Ledger ledger = Ledger.open(database, key, LogDatabase.ORIGIN, InstantSource.system())) {
      assertThat(ledger.size()).isEqualTo(ENTRIES);
      append(database, ledger, Entries.batch(ENTRIES, 1500));
      assertThat(LedgerVerifier.verify(database, keys, ProgressListener.NONE))
          .isEqualTo(new Verification(true, ENTRIES + 1500, null));
      LogDirectory log = new LogDirectory(folder.resolve("log"));
      LogPublisher publisher =
          new LogPublisher(database, ledger, key, log, LogPublisher.Cosigners.NONE);
      publisher.open();
      publisher.publish();
      SignedNote before = remembered();
      assertThat(
              LogVerifier.verify(
                  log,
                  keys,
                  List.of(before.encoded().getBytes(StandardCharsets.UTF_8)),
                  1,
                  ProgressListener.NONE))
          .isEqualTo(new Verification(true, ENTRIES + 1500, null));
    }
    assertThat(text(database, "SELECT next FROM audit_position WHERE reader = 'syslog'"))
        .isEqualTo("500"); // an exporter goes on where it was
    assertThat(text(database, "SELECT state FROM outbox WHERE id = 7")).isEqualTo("PENDING");
    assertThat(text(database, "SELECT count(*) FROM protection")).isEqualTo("1");
  }

  private SignedNote remembered() throws Exception {
    return SignedNote.parse(Files.readString(folder.resolve("old.checkpoint")));
  }

  /** Entries, tree, kept checkpoints and head, as the first hub's tables had them. */
  private void write(DataSource database, LogKey key) throws Exception {
    MerkleFrontier tree = new MerkleFrontier();
    TreeHash hash = new TreeHash();
    try (Connection connection = database.getConnection();
        PreparedStatement entries =
            connection.prepareStatement(
                "INSERT INTO audit_entry (idx, at, station, exchange, outcome, message, subject,"
                    + " salt, entry, leaf) VALUES (?, ?, 'DECIDE', 'dropout-notice', 'RELEASED', ?,"
                    + " ?, ?, ?, ?)");
        PreparedStatement kept =
            connection.prepareStatement("INSERT INTO audit_checkpoint VALUES (?, ?, ?)");
        PreparedStatement head =
            connection.prepareStatement("INSERT INTO audit_head VALUES (?, ?, ?, ?)")) {
      connection.setAutoCommit(false);
      for (int i = 0; i < ENTRIES; i++) {
        byte[] salt = AuditEntry.newSalt();
        byte[] entry = canonical(i, salt);
        byte[] leaf = hash.leaf(entry);
        tree.append(leaf);
        entries.setLong(1, i);
        entries.setObject(2, START.plusSeconds(i).atOffset(ZoneOffset.UTC));
        entries.setString(3, message(i));
        entries.setBytes(4, Entries.subject(i % PEOPLE).bytes());
        entries.setBytes(5, salt);
        entries.setBytes(6, entry);
        entries.setBytes(7, leaf);
        entries.addBatch();
        if ((i + 1) % Ledger.KEEP_EVERY == 0) {
          entries.executeBatch();
          kept.setLong(1, tree.size());
          kept.setBytes(2, tree.serialise());
          kept.setString(3, signed(tree, key));
          kept.addBatch();
        }
      }
      entries.executeBatch();
      kept.executeBatch();
      head.setString(1, LogDatabase.ORIGIN);
      head.setLong(2, tree.size());
      head.setBytes(3, tree.serialise());
      head.setString(4, signed(tree, key));
      head.executeUpdate();
      connection.commit();
    }
    Files.writeString(folder.resolve("log.key.checkpoint"), signed(tree, key));
    Files.writeString(folder.resolve("old.checkpoint"), signed(tree, key));
  }

  private static String signed(MerkleFrontier tree, LogKey key) {
    return new Checkpoint(LogDatabase.ORIGIN, tree.size(), tree.root()).sign(key).encoded();
  }

  /** The bytes of version 1, member by member. */
  private static byte[] canonical(int i, byte[] salt) {
    String subject = HEX.formatHex(AuditEntry.subjectHash(salt, Entries.subject(i % PEOPLE)));
    return ("{\"agreement\":\"school-ot@1\",\"at\":\""
            + START.plusSeconds(i).toString().replace("Z", ".000000Z")
            + "\",\"exchange\":\"dropout-notice\",\"mapping\":\"sha256:9f86d081884c7d65\",\"message\":\""
            + message(i)
            + "\",\"outcome\":\"RELEASED\",\"policies\":\"sha256:60303ae22b998861\",\"reason\":"
            + "\"RELEASED\",\"receiver\":\"311013572\",\"released\":[\"/reference\",\"/skole/navn\"],"
            + "\"rules\":[\"oppl-9-4-dropout@1\"],\"sender\":\"311000004\",\"station\":\"DECIDE\","
            + "\"subject\":\""
            + subject
            + "\",\"v\":1,\"withheld\":[\"/fravaersprosent\"]}")
        .getBytes(StandardCharsets.UTF_8);
  }

  private static String message(int i) {
    return "%032x".formatted(i);
  }

  /** Entries about the seventh person among the first ones, newest first. */
  private static List<Long> about(int entries) {
    List<Long> numbers =
        new ArrayList<>(LongStream.range(0, entries).filter(i -> i % PEOPLE == 7).boxed().toList());
    return numbers.reversed();
  }

  private static List<Long> found(DataSource database) throws SQLException {
    EntrySearch search = new EntrySearch(database);
    return search
        .search(EntryQuery.ALL.about(Entries.subject(7)), null, EntrySearch.MAX_LIMIT)
        .entries()
        .stream()
        .map(AuditReader.Found::index)
        .toList();
  }

  private static void append(DataSource database, Ledger ledger, List<AuditEntry> entries)
      throws SQLException {
    try (Connection connection = database.getConnection()) {
      connection.setAutoCommit(false);
      Appended appended = ledger.append(connection, entries);
      connection.commit();
      ledger.confirm(appended);
    }
  }

  private static void migrate(DataSource database, String version) {
    Flyway.configure()
        .dataSource(database)
        .locations("classpath:db/migration")
        .target(version)
        .load()
        .migrate();
  }

  private static void sql(DataSource database, String statements) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement run = connection.createStatement()) {
      run.execute(statements);
    }
  }

  private static String text(DataSource database, String query) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement run = connection.createStatement();
        ResultSet rs = run.executeQuery(query)) {
      rs.next();
      return rs.getString(1);
    }
  }
}
