package no.bindeledd.reading;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Shredder;
import org.junit.jupiter.api.Test;

class ForgettingTest {
  @Test
  void theIndexForgetsASubjectAndNobodyElse() throws Exception {
    try (TestLedger ledger = new TestLedger()) {
      List<AuditEntry> entries = new ArrayList<>();
      for (int i = 0; i < Blocks.SIZE; i++) {
        entries.add(
            TestLedger.decision(
                Instant.EPOCH.plusSeconds(i),
                "measure-event",
                "311000004",
                "311013572",
                TestLedger.person(i % 100),
                String.format("%032x", i),
                String.format("00-%032x-00f067aa0ba902b7-01", i + 1),
                "RELEASED",
                "RELEASED",
                List.of(),
                List.of(),
                List.of(),
                List.of()));
      }
      ledger.append(entries);
      assertThat(new EntryIndex(ledger.source).indexNextBlock()).isTrue();
      long before = termBytes(ledger);
      try (Connection connection = ledger.source.getConnection()) {
        connection.setAutoCommit(false);
        EntryIndex.forget(
            connection,
            List.of(
                new Shredder.Link(7, TestLedger.person(7)),
                new Shredder.Link(107, TestLedger.person(7)),
                new Shredder.Link(Blocks.SIZE + 7L, TestLedger.person(7)), // not indexed yet
                new Shredder.Link(9, TestLedger.person(8)))); // another's place
        connection.commit();
      }
      assertThat(termBytes(ledger)).isEqualTo(before - 2 * Terms.BYTES);
    }
  }

  private static long termBytes(TestLedger ledger) throws Exception {
    try (Connection connection = ledger.source.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rs = statement.executeQuery("SELECT sum(length(terms)) FROM audit_term")) {
      rs.next();
      return rs.getLong(1);
    }
  }
}
