package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever has the database's password can change it; the check names the first broken entry. */
@SuppressWarnings("NullAway.Init")
class LedgerTamperingTest {
  /** Past two kept checkpoints (1,200 and 2,100), with entries after the last. */
  private static final int ENTRIES = 2500;

  private static final List<String> TABLES =
      List.of("audit_entry", "audit_head", "audit_checkpoint");

  private static @Nullable LogKey made; // with the honest tables, once

  private LogDatabase database;
  private LogKey key;

  @BeforeEach
  void restore() throws Exception {
    database = LogDatabase.shared();
    database.clear();
    if (made == null) {
      made = fill();
    } else {
      for (String table : TABLES) {
        database.sql("INSERT INTO %s TABLE honest_%s".formatted(table, table));
      }
    }
    key = made;
  }

  /**
   * {@link #ENTRIES} entries with checkpoints kept at 1,200 and 2,100, and a copy of the tables.
   */
  private LogKey fill() throws Exception {
    LogKey fresh =
        LogKey.open(Files.createTempDirectory("tampering").resolve("log.key"), LogDatabase.ORIGIN);
    try (Ledger ledger = database.open(fresh)) {
      database.append(ledger, Entries.batch(0, 1200));
      database.append(ledger, Entries.batch(1200, 900));
      database.append(ledger, Entries.batch(2100, 400));
    }
    for (String table : TABLES) {
      database.sql("DROP TABLE IF EXISTS honest_" + table);
      database.sql("CREATE TABLE honest_%s AS TABLE %s".formatted(table, table));
    }
    assertThat(database.text("SELECT size FROM audit_checkpoint ORDER BY size"))
        .isEqualTo("1200\n2100\n");
    assertThat(LedgerVerifier.verify(database.source, fresh.verifiers(), ProgressListener.NONE))
        .isEqualTo(new Verification(true, ENTRIES, null));
    return fresh;
  }

  private Verification verify() throws Exception {
    return LedgerVerifier.verify(database.source, key.verifiers(), ProgressListener.NONE);
  }

  @Test
  void whatNobodyChangedVerifies() throws Exception {
    assertThat(verify()).isEqualTo(new Verification(true, ENTRIES, null));
  }

  /** What was done to the database, and what the verification must say of it. */
  record Tampering(String expected, List<String> statements) {}

  static Stream<Tampering> tamperings() {
    String swap =
        "UPDATE audit_entry a SET (at,station,exchange,outcome,message,subject,salt,leaf,entry) ="
            + " (b.at,b.station,b.exchange,b.outcome,b.message,b.subject,b.salt,b.leaf,b.entry)"
            + " FROM audit_entry b WHERE a.idx + b.idx = 21 AND a.idx IN (10, 11)";
    String forge = // an entry and its recorded hash, rewritten together
        "UPDATE audit_entry SET entry = e, leaf = sha256('\\x00'::bytea || e), outcome = 'RELEASED'"
            + " FROM (SELECT convert_to(replace(convert_from(entry, 'UTF8'), 'REFUSED',"
            + " 'RELEASED'), 'UTF8') AS e FROM audit_entry WHERE idx = 1500) f WHERE idx = 1500";
    return Stream.of(
        tamper("Entry 7 ", "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 7"),
        tamper("Entry 0 ", "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 0"),
        tamper(
            "Entry 2499 ",
            "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 2499"),
        tamper("Entry 7 ", "UPDATE audit_entry SET entry = '' WHERE idx = 7"),
        tamper(
            "Entry 7 ",
            "UPDATE audit_entry SET leaf = set_byte(leaf, 0, 255 - get_byte(leaf, 0)) WHERE idx ="
                + " 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET leaf = '' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET subject = NULL WHERE idx = 7"),
        tamper(
            "Entry 7 ",
            "UPDATE audit_entry SET subject = decode(repeat('00', 16), 'hex') WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET subject = '\\x00' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET salt = NULL WHERE idx = 7"),
        tamper(
            "Entry 7 ",
            "UPDATE audit_entry SET salt = set_byte(salt, 0, 255 - get_byte(salt, 0)) WHERE idx ="
                + " 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET message = 'another' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET message = NULL WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET outcome = 'HELD' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET exchange = 'another' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET station = 'SHAPE' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET at = at + interval '1 us' WHERE idx = 7"),
        tamper("Entry 7 ", "UPDATE audit_entry SET at = 'infinity' WHERE idx = 7"),
        nothing("at"),
        nothing("station"),
        nothing("exchange"),
        nothing("outcome"),
        nothing("leaf"),
        nothing("entry"),
        tamper("Entry 0 ", "DELETE FROM audit_entry WHERE idx = 0"),
        tamper("Entry 1300 ", "DELETE FROM audit_entry WHERE idx = 1300"),
        tamper("Entry 2499 ", "DELETE FROM audit_entry WHERE idx = 2499"),
        tamper("Entry 0 ", "DELETE FROM audit_entry"),
        tamper("one of 0 to 1199", swap),
        tamper("one of 1200 to 2099", forge),
        tamper(
            "one of 1200 to 2099",
            forge,
            "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 1600"),
        tamper(
            "Entry 8 ",
            "UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx IN (8, 9, 1300)"),
        tamper(
            "Entry 2499 ",
            "ALTER TABLE audit_entry DROP CONSTRAINT audit_entry_pkey",
            "INSERT INTO audit_entry SELECT * FROM audit_entry WHERE idx = 2499",
            "UPDATE audit_entry SET idx = idx"),
        tamper(
            "Entry 2500 ",
            "INSERT INTO audit_entry SELECT 2500, at, station, exchange, outcome, message, subject,"
                + " salt, leaf, entry FROM audit_entry WHERE idx = 2499"),
        tamper(
            "Entry -1 ",
            "INSERT INTO audit_entry SELECT -1, at, station, exchange, outcome, message, subject,"
                + " salt, leaf, entry FROM audit_entry WHERE idx = 0"),
        tamper("no signed head", "DELETE FROM audit_head"),
        tamper(
            "other: Entry 0 is missing",
            "INSERT INTO audit_head (shard, origin, size, frontier, checkpoint)"
                + " SELECT 1, 'other', size, frontier, checkpoint FROM audit_head"),
        tamper(
            "The head ",
            "UPDATE audit_head SET frontier = set_byte(frontier, 0, 255 - get_byte(frontier, 0))"),
        tamper("The head ", "UPDATE audit_head SET checkpoint = replace(checkpoint, '=', '')"),
        tamper("The head ", "UPDATE audit_head SET checkpoint = ''"),
        tamper(
            "Entry 2498 ",
            "DELETE FROM audit_entry WHERE idx = 2499",
            "UPDATE audit_head SET size = 2498"),
        tamper(
            "The kept checkpoint at size 1200",
            "UPDATE audit_checkpoint SET checkpoint = 'x' WHERE size = 1200"),
        tamper(
            "The kept checkpoint at size 1200",
            "UPDATE audit_checkpoint SET frontier = '' WHERE size = 1200"),
        tamper("kept checkpoint", "UPDATE audit_checkpoint SET size = 1201 WHERE size = 1200"),
        tamper(
            "The kept checkpoint stored at size 1200 is signed for size 2500",
            "UPDATE audit_checkpoint SET checkpoint = (SELECT checkpoint FROM audit_head)"
                + " WHERE size = 1200"),
        tamper(
            "The head stored at size 2500 is signed for size 1200",
            "UPDATE audit_head SET checkpoint ="
                + " (SELECT checkpoint FROM audit_checkpoint WHERE size = 1200)"),
        tamper(
            ". Then: Entry 9 is missing: the next stored has index 10",
            "UPDATE audit_entry SET message = NULL WHERE idx = 7",
            "DELETE FROM audit_entry WHERE idx = 9"),
        tamper(
            "Entry 1200 ", // the tail cut off, under an earlier genuine checkpoint
            "DELETE FROM audit_entry WHERE idx >= 1200",
            "UPDATE audit_head h SET (size, frontier, checkpoint) = (c.size, c.frontier,"
                + " c.checkpoint) FROM audit_checkpoint c WHERE c.size = 1200"));
  }

  private String wrong(String statement) throws Exception {
    restore();
    database.sql(statement);
    return String.valueOf(verify().firstProblem());
  }

  private String leaf(int index, String column) throws Exception {
    return database
        .text("SELECT encode(" + column + ", 'hex') FROM audit_entry WHERE idx = " + index)
        .strip();
  }

  private SignedNote kept(int size) throws Exception {
    String note =
        database.text("SELECT checkpoint FROM honest_audit_checkpoint WHERE size = " + size);
    return SignedNote.parse(note.substring(0, note.length() - 1));
  }

  @Test
  void whatIsExpectedAndWhatIsFoundAreBothSaid() throws Exception {
    String honest = leaf(7, "leaf");
    assertThat(wrong("UPDATE audit_entry SET leaf = sha256('') WHERE idx = 7"))
        .isEqualTo(
            "Entry 7 is broken: its recorded hash is %s, its bytes hash to %s"
                .formatted(leaf(7, "leaf"), honest));
    assertThat(wrong("UPDATE audit_entry SET outcome = 'HELD' WHERE idx = 7"))
        .isEqualTo("Entry 7 is broken: the column outcome differs from it");
    String rewritten =
        "UPDATE audit_entry SET leaf = sha256('\\x0058'), entry = '\\x58' WHERE idx = 1500";
    String root = HexFormat.of().formatHex(Checkpoint.parse(kept(2100).text()).root());
    assertThat(wrong(rewritten))
        .startsWith(
            "The first broken entry is one of 1200 to 2099: by the kept checkpoint at size 2100 the"
                + " signed root is "
                + root
                + ", the recorded hashes give ")
        .endsWith(
            ". Also: Entry 1500 is broken: its bytes are not a canonical entry, or its subject or"
                + " salt was changed");
  }

  @Test
  void aKeptCheckpointIsSignedByAKeyOfItsOwnLog() throws Exception {
    for (String name : List.of(LogDatabase.ORIGIN, "other.example.no")) {
      LogKey other = LogKey.open(Files.createTempDirectory("other").resolve("log.key"), name);
      String note = SignedNote.sign(kept(1200).text(), other).encoded();
      assertThat(wrong("UPDATE audit_checkpoint SET checkpoint = '" + note + "' WHERE size = 1200"))
          .isEqualTo("The kept checkpoint at size 1200 is not signed by a known key");
    }
    String foreign = new Checkpoint("other.example.no", 1200, new byte[32]).sign(key).encoded();
    assertThat(
            wrong("UPDATE audit_checkpoint SET checkpoint = '" + foreign + "' WHERE size = 1200"))
        .isEqualTo("The kept checkpoint at size 1200 is not signed by a known key");
  }

  private static Tampering tamper(String expected, String... statements) {
    return new Tampering(expected, List.of(statements));
  }

  /** Where the schema allows no null, it may have been altered too. */
  private static Tampering nothing(String column) {
    return tamper(
        "Entry 7 is broken: ",
        "ALTER TABLE audit_entry ALTER COLUMN " + column + " DROP NOT NULL",
        "UPDATE audit_entry SET " + column + " = NULL WHERE idx = 7");
  }

  @ParameterizedTest
  @MethodSource("tamperings")
  void everyTamperingIsDetectedAndTheFirstBrokenEntryNamed(Tampering tampering) throws Exception {
    for (String statement : tampering.statements()) {
      database.sql(statement);
    }
    Verification verification = verify();
    String first = tampering.statements().getFirst();
    if (first.startsWith("ALTER")) {
      database.sql("TRUNCATE audit_entry");
      database.sql(
          first
              .replace("DROP NOT NULL", "SET NOT NULL")
              .replace("DROP CONSTRAINT audit_entry_pkey", "ADD PRIMARY KEY (idx)"));
    }
    assertThat(verification.verified()).isFalse();
    assertThat(verification.firstProblem()).contains(tampering.expected());
  }
}
