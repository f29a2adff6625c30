package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the check of the database says of an honest ledger, and of one under another key. */
@SuppressWarnings("NullAway.Init")
class LedgerVerifierTest {
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
  }

  @AfterEach
  void end() {
    ledger.close();
  }

  @Test
  void anHonestLogVerifiesAtEverySizeAndAfterEveryRestart() throws Exception {
    int written = 0;
    for (int batch : new int[] {1, 2, 7, 300, 900, 1024, 5, 2048}) {
      append(written, batch);
      written += batch;
      assertThat(verify()).isEqualTo(new Verification(true, written, null));
      ledger.close();
      ledger = database.open(key);
      assertThat(ledger.size()).isEqualTo(written);
    }
    assertThat(verify(ledger.checkpoint()).verified()).isTrue();
  }

  @Test
  void anEmptyLogVerifies() throws Exception {
    assertThat(verify()).isEqualTo(new Verification(true, 0, null));
  }

  @Test
  void aHistoryRewrittenWithAnotherKeyIsDetectedAndRefused() throws Exception {
    append(0, 1200);
    LogKey thief = LogKey.open(folder.resolve("thief/log.key"), LogDatabase.ORIGIN);
    database.sql("TRUNCATE audit_entry, audit_head, audit_checkpoint");
    try (Ledger forged = database.open(thief)) {
      database.append(forged, Entries.batch(5000, 1200));
    }
    assertThat(verify().firstProblem()).contains("is not signed by a known key");
    assertThatThrownBy(() -> database.open(key))
        .isInstanceOf(LedgerException.class)
        .hasMessageContaining("not signed");
  }

  @Test
  void progressIsToldUpToTheEnd() throws Exception {
    append(0, 9000);
    List<Long> told = new ArrayList<>();
    LedgerVerifier.verify(database.source, key.verifiers(), (done, total) -> told.add(done));
    assertThat(told).containsExactly(8192L, 9000L);
  }

  private void append(int from, int count) throws SQLException {
    database.append(ledger, Entries.batch(from, count));
  }

  private Verification verify(SignedNote... known) throws SQLException {
    return LedgerVerifier.verify(
        database.source, key.verifiers(), List.of(known), ProgressListener.NONE);
  }
}
