package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@SuppressWarnings("NullAway.Init")
class ShredderTest {
  private static final Instant NOW = Instant.parse("2026-11-22T10:00:00Z");
  private static LogDatabase database;

  @TempDir Path folder;
  private LogKey key;
  private Ledger ledger;

  @BeforeAll
  static void start() throws IOException {
    database = LogDatabase.shared();
  }

  @BeforeEach
  void begin() throws Exception {
    database.clear();
    key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    ledger = database.open(key);
    database.append(ledger, Entries.batch(0, 200));
  }

  @AfterEach
  void end() {
    ledger.close();
  }

  @Test
  void aPersonsEntriesLoseTheirLinkAndEveryProofHolds() throws Exception {
    String bytes = database.text("SELECT entry FROM audit_entry ORDER BY idx");
    List<Shredder.Link> links = shredSubject(7);
    assertThat(links.stream().map(Shredder.Link::index))
        .containsExactlyInAnyOrder(7L, 57L, 107L, 157L);
    assertThat(verify()).isEqualTo(new Verification(true, 201, null));
    assertThat(database.text("SELECT entry FROM audit_entry WHERE idx < 200 ORDER BY idx"))
        .isEqualTo(bytes);
    assertThat(
            database.text(
                "SELECT idx FROM audit_entry WHERE (subject IS NULL OR salt IS NULL) AND idx < 200"
                    + " ORDER BY idx"))
        .isEqualTo("7\n57\n107\n157\n");
    assertThat(read(Entries.subject(7))).isEmpty();
    assertThat(read(Entries.subject(8))).hasSize(4);
    AuditReader.Found shredded = read(null).get(200 - 157);
    assertThat(shredded.index()).isEqualTo(157);
    assertThat(shredded.intact()).isTrue();
    assertThat(shredded.entry().subject()).isNull();
    assertThat(shredded.entry().outcome()).isEqualTo("RELEASED");
  }

  @Test
  void theActItselfStandsInTheLedgerWithoutSayingWhom() throws Exception {
    shredSubject(7);
    AuditEntry record = read(null).getFirst().entry();
    assertThat(record.station()).isEqualTo(Station.ADMIN);
    assertThat(record.outcome()).isEqualTo("SHREDDED");
    assertThat(record.sender()).isEqualTo("311013572");
    assertThat(record.detail()).isEqualTo("4 entries");
    assertThat(record.subject()).isNull();
  }

  @Test
  void otherEntriesOfTheSameMessagesAreShreddedToo() throws Exception {
    byte[] salt = AuditEntry.newSalt();
    AuditEntry receipt = Entries.of("dropout-notice", "DELIVERED", null, salt, "message-57", NOW);
    database.append(ledger, List.of(receipt));
    assertThat(shredSubject(7)).hasSize(4);
    assertThat(
            database.text(
                "SELECT count(*) FROM audit_entry WHERE subject IS NOT NULL AND salt IS NOT NULL"))
        .isEqualTo("196\n"); // nobody else's
    assertThat(database.text("SELECT salt IS NULL FROM audit_entry WHERE idx = 200"))
        .isEqualTo("t\n");
    assertThat(verify().verified()).isTrue();
  }

  @Test
  void shreddingGoesOnAndTheEarlierCommitmentCannotBeTriedAnyMore() throws Exception {
    shredSubject(7);
    shredSubject(8);
    assertThat(shredSubject(8)).isEmpty();
    database.append(ledger, Entries.batch(200, 50));
    shredSubject(7); // what came later
    assertThat(verify()).isEqualTo(new Verification(true, 253, null));
    assertThat(
            database.text(
                "SELECT idx FROM audit_entry WHERE outcome = 'SHREDDED' AND salt IS NOT NULL"))
        .isEqualTo("252\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "Not the entries on record | UPDATE audit_entry SET salt = NULL, subject = NULL WHERE idx = 9",
        "Entry 220 is broken: its subject and salt are gone"
            + " | UPDATE audit_entry SET salt = NULL, subject = NULL WHERE idx = 220",
        "Entry 7 is broken: its subject and salt are gone"
            + " | UPDATE audit_entry SET salt = NULL WHERE outcome = 'SHREDDED'",
        "Entry 7 is broken | UPDATE audit_entry SET salt = '\\x00000000000000000000000000000000'"
            + " WHERE idx = 7",
        "Entry 7 is broken | UPDATE audit_entry SET subject = '\\x00000000000000000000000000000000'"
            + " WHERE idx = 7",
        "Entry 7 is broken | UPDATE audit_entry SET entry = set_byte(entry, 30, 65) WHERE idx = 7",
        "Entry 8 is broken | UPDATE audit_entry SET salt = NULL WHERE idx = 8",
        "Entry 8 is broken | UPDATE audit_entry SET subject = NULL WHERE idx = 8"
      })
  void saltsThatAreGoneWithoutARecordAreDetected(String expected, String statement)
      throws Exception {
    shredSubject(7);
    database.append(ledger, Entries.batch(200, 50));
    database.sql(statement);
    assertThat(verify().firstProblem()).contains(expected);
  }

  @Test
  void missingSaltsBeforeAnyShreddingAreNamed() throws Exception {
    database.sql("UPDATE audit_entry SET salt = NULL, subject = NULL WHERE idx IN (9, 12)");
    assertThat(verify().firstProblem()).startsWith("Entry 9 is broken: its subject and salt are");
  }

  @Test
  void retentionShredsWhatIsOlderPortionByPortion() throws Exception {
    database.append(ledger, Entries.batch(200, 4300));
    Instant before = Entries.number(4100).at();
    int portions = 0;
    while (expire("measure-event", before)) {
      portions++;
    }
    assertThat(portions).isEqualTo(3);
    assertThat(
            database.text(
                "SELECT min(idx) FROM audit_entry WHERE exchange = 'measure-event'"
                    + " AND salt IS NOT NULL"))
        .isEqualTo("4101\n");
    assertThat(
            database.text(
                "SELECT count(*) FROM audit_entry WHERE exchange = 'dropout-notice'"
                    + " AND salt IS NULL"))
        .isEqualTo("0\n");
    assertThat(verify().verified()).isTrue();
    assertThat(expire("measure-event", before)).isFalse();
    assertThat(expire("measure-event", Entries.number(4104).at())).isTrue();
    assertThat(verify().verified()).isTrue();
  }

  @Test
  void anAgreementWithARetentionOfItsOwnIsLeftToIt() throws Exception {
    Instant before = Entries.number(150).at();
    String left =
        "SELECT count(*) FROM audit_entry WHERE exchange = 'measure-event' AND salt IS NOT NULL";
    Set<String> own = Set.of("county-school@3");
    assertThat(expire(new Shredder.Aged("measure-event", null, own, before))).isTrue();
    assertThat(expire(new Shredder.Aged("measure-event", "other@1", Set.of(), before))).isTrue();
    assertThat(database.text(left)).isEqualTo("67\n"); // one in three of 200
    Shredder.Aged agreed =
        new Shredder.Aged("measure-event", "county-school@3", Set.of(), Entries.number(50).at());
    assertThat(expire(agreed)).isTrue();
    assertThat(database.text(left)).isEqualTo("50\n");
    assertThat(expire(agreed)).isFalse();
    // The agreement loses its own: everything is looked at once more.
    assertThat(expire(new Shredder.Aged("measure-event", null, Set.of(), before))).isTrue();
    assertThat(database.text(left)).isEqualTo("17\n");
    assertThat(verify().verified()).isTrue();
  }

  @Test
  void theRecordOfARetentionSaysWhichAndHowManyAndHowFarItCame() throws Exception {
    Instant one = Entries.number(1).at();
    Instant ten = Entries.number(10).at();
    assertThat(expire("measure-event", one)).isTrue();
    assertRecorded("1 entry of measure-event from before " + one, "retention of measure-event 1");
    assertThat(expire(new Shredder.Aged("measure-event", "county-school@3", Set.of(), ten)))
        .isTrue();
    assertRecorded(
        "3 entries of measure-event under county-school@3 from before " + ten,
        "retention of measure-event under county-school@3 10");
    assertThat(expire(new Shredder.Aged("measure-event", null, Set.of("b@2", "a@1"), ten)))
        .isTrue();
    assertThat(database.text("SELECT what FROM audit_shredding WHERE what LIKE '%but%'"))
        .isEqualTo("retention of measure-event but a@1, b@2\n");
    assertThat(read(null).getFirst().entry().detail()).startsWith("3 entries"); // none was left
    assertThat(verify().verified()).isTrue();
  }

  private void assertRecorded(String detail, String position) throws Exception {
    AuditEntry record = read(null).getFirst().entry();
    assertThat(record.outcome()).isEqualTo("SHREDDED");
    assertThat(record.reason()).isEqualTo("RETENTION");
    assertThat(record.sender()).isNull();
    assertThat(record.detail()).isEqualTo(detail);
    assertThat(
            database.text(
                "SELECT what || ' ' || next FROM audit_shredding WHERE what LIKE 'retention%'"))
        .contains(position + "\n");
  }

  private boolean expire(String exchange, Instant before) throws Exception {
    return expire(new Shredder.Aged(exchange, null, Set.of(), before));
  }

  private boolean expire(Shredder.Aged aged) throws Exception {
    try (Connection c = database.source.getConnection()) {
      c.setAutoCommit(false);
      Shredder.Portion portion = Shredder.expired(c, Shard.FIRST, aged, ledger.size(), NOW);
      if (portion.shredding() != null) {
        Appended appended = ledger.append(c, List.of(portion.shredding().entry()));
        c.commit();
        ledger.confirm(appended);
      }
      c.commit();
      return portion.more();
    }
  }

  private List<Shredder.Link> shredSubject(int person) throws Exception {
    try (Connection c = database.source.getConnection()) {
      c.setAutoCommit(false);
      Shredder.Shredding shredding =
          Shredder.subject(
              c,
              Entries.subject(person),
              LongStream.range(0, ledger.size()).boxed().toList(),
              ledger.size(),
              NOW,
              "311013572");
      if (shredding == null) {
        return List.of();
      }
      Appended appended = ledger.append(c, List.of(shredding.entry()));
      c.commit();
      ledger.confirm(appended);
      return shredding.links();
    }
  }

  private static List<AuditReader.Found> read(no.bindeledd.person.@Nullable Pseudonym subject)
      throws Exception {
    try (Connection c = database.source.getConnection()) {
      return AuditReader.newest(
          c,
          0,
          Long.MAX_VALUE,
          new AuditReader.Narrowing(subject, List.of(), null, null, List.of()),
          1000);
    }
  }

  private Verification verify() throws Exception {
    return LedgerVerifier.verify(database.source, key.verifiers(), ProgressListener.NONE);
  }
}
