package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whoever has the database password and changes one thing at random is found out. */
@SuppressWarnings("NullAway.Init")
class DatabaseTamperingTest {
  private static final int ENTRIES = 1200;
  private static final int TAMPERINGS = 240;
  private static final List<String> TABLES =
      List.of("audit_entry", "audit_head", "audit_checkpoint");

  @TempDir static Path folder;
  private static LogDatabase database;
  private static LogKey key;
  private static SignedNote newest;

  @BeforeAll
  static void write() throws Exception {
    database = LogDatabase.shared();
    database.clear();
    key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    try (Ledger ledger = database.open(key)) {
      for (int from = 0; from < ENTRIES; from += 100) {
        database.append(ledger, Entries.batch(from, 100));
      }
      newest = ledger.checkpoint();
    }
  }

  @Test
  void everyOneOfManyIsDetected() throws Exception {
    Random random = new Random(4711);
    try (Connection connection = database.source.getConnection();
        Statement sql = connection.createStatement()) {
      for (String table : TABLES) {
        sql.execute("CREATE TEMP TABLE honest_" + table + " AS TABLE " + table);
      }
      for (int i = 0; i < TAMPERINGS; i++) {
        String tampering = tampering(i % 20, random);
        sql.execute(tampering);
        Verification found =
            LedgerVerifier.verify(
                database.source, key.verifiers(), List.of(newest), ProgressListener.NONE);
        assertThat(found.verified()).as(tampering).isFalse();
        assertThat(found.firstProblem()).as(tampering).isNotBlank();
        for (String table : TABLES) {
          sql.execute("DELETE FROM " + table);
          sql.execute("INSERT INTO " + table + " SELECT * FROM honest_" + table);
        }
      }
    }
    assertThat(
            LedgerVerifier.verify(
                database.source, key.verifiers(), List.of(newest), ProgressListener.NONE))
        .isEqualTo(new Verification(true, ENTRIES, null));
  }

  private static String tampering(int kind, Random random) {
    int one = random.nextInt(ENTRIES);
    int other = (one + 1 + random.nextInt(ENTRIES - 1)) % ENTRIES;
    String where = " WHERE idx = " + one;
    return switch (kind) {
      case 0, 1 -> flip("audit_entry", "entry", random) + where;
      case 2 -> flip("audit_entry", "leaf", random) + where;
      case 3 -> flip("audit_entry", "salt", random) + where;
      case 4 -> flip("audit_entry", "subject", random) + where;
      case 5 -> "DELETE FROM audit_entry" + where;
      case 6 ->
          "INSERT INTO audit_entry SELECT "
              + ENTRIES
              + ", at, station, exchange, outcome, message, subject, salt, leaf, entry"
              + " FROM audit_entry"
              + where;
      case 7 ->
          "UPDATE audit_entry SET idx = -1 - idx"
              + where
              + "; UPDATE audit_entry SET idx = "
              + one
              + " WHERE idx = "
              + other
              + "; UPDATE audit_entry SET idx = "
              + other
              + " WHERE idx = "
              + (-1 - one);
      case 8 -> "UPDATE audit_entry SET outcome = outcome || 'X'" + where;
      case 9 -> "UPDATE audit_entry SET exchange = 'other'" + where;
      case 10 -> "UPDATE audit_entry SET message = NULL" + where;
      case 11 -> "UPDATE audit_entry SET at = at + interval '1 microsecond'" + where;
      case 12 -> "UPDATE audit_entry SET station = 'DELIVER'" + where;
      case 13 ->
          "UPDATE audit_entry e SET entry = o.entry, leaf = o.leaf, salt = o.salt,"
              + " subject = o.subject, at = o.at, exchange = o.exchange, outcome = o.outcome,"
              + " message = o.message FROM audit_entry o WHERE e.idx = "
              + one
              + " AND o.idx = "
              + other;
      case 14 -> flip("audit_head", "frontier", random);
      case 15 -> note("audit_head", random);
      case 16 -> flip("audit_checkpoint", "frontier", random);
      case 17 -> note("audit_checkpoint", random);
      case 18 -> // an earlier, genuine head, and the entries behind it gone
          "UPDATE audit_head h SET size = c.size, frontier = c.frontier, checkpoint = c.checkpoint"
              + " FROM audit_checkpoint c; DELETE FROM audit_entry"
              + " WHERE idx >= (SELECT size FROM audit_head)";
      default -> "UPDATE audit_entry SET subject = NULL, salt = NULL" + where;
    };
  }

  private static String flip(String table, String column, Random random) {
    int bit = random.nextInt(1 << 20);
    String at = "(" + bit + " % (8 * length(" + column + ")))";
    return "UPDATE %s SET %s = set_bit(%s, %s, 1 - get_bit(%s, %s))"
        .formatted(table, column, column, at, column, at);
  }

  /** Another character somewhere in a signed note. */
  private static String note(String table, Random random) {
    String at = "(1 + " + random.nextInt(1 << 20) + " % length(checkpoint))";
    return ("UPDATE %s SET checkpoint = overlay(checkpoint placing"
            + " CASE substr(checkpoint, %s, 1) WHEN 'A' THEN 'B' ELSE 'A' END from %s for 1)")
        .formatted(table, at, at);
  }
}
