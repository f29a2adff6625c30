package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.sql.Connection;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Which tables the ledger's entries lie in, before any is written; nothing here is committed. */
@SuppressWarnings("NullAway.Init")
class SegmentsRulesTest {
  private static final Shard SHARD = new Shard(9);
  private static final long FIRST = SHARD.first() / Segments.SIZE;

  private static LogDatabase database;

  private Connection connection;

  @BeforeAll
  static void start() throws Exception {
    database = LogDatabase.shared();
  }

  @BeforeEach
  void connect() throws Exception {
    connection = database.source.getConnection();
    connection.setAutoCommit(false);
  }

  @AfterEach
  void forget() throws Exception {
    connection.rollback();
    connection.close();
  }

  private static Segments.Segment segment(long number) {
    long from = number * Segments.SIZE;
    return new Segments.Segment("audit_entry_" + number, from, from + Segments.SIZE);
  }

  @Test
  void aShardGetsItsTablesInOrderUpToTheEntryThatIsNeeded() throws Exception {
    assertThat(Segments.list(connection, SHARD)).isEmpty();
    long first = SHARD.first();
    assertThat(Segments.extend(connection, SHARD, first)).isEqualTo(first + Segments.SIZE);
    assertThat(Segments.list(connection, SHARD)).containsExactly(segment(FIRST));
    assertThat(Segments.extend(connection, SHARD, first + Segments.SIZE - 1))
        .isEqualTo(first + Segments.SIZE);
    assertThat(Segments.list(connection, SHARD)).hasSize(1);
    assertThat(Segments.extend(connection, SHARD, first + 2L * Segments.SIZE))
        .isEqualTo(first + 3L * Segments.SIZE);
    assertThat(Segments.list(connection, SHARD))
        .containsExactly(segment(FIRST), segment(FIRST + 1), segment(FIRST + 2));
    long to = first + Segments.SIZE;
    assertThat(Segments.of(connection, SHARD, first, to)).isEqualTo(segment(FIRST));
    assertThat(Segments.of(connection, SHARD, first + 5, to - 5)).isEqualTo(segment(FIRST));
    assertThat(Segments.of(connection, SHARD, to, to + Segments.SIZE))
        .isEqualTo(segment(FIRST + 1));
    assertThat(Segments.of(connection, SHARD, first, to + 1)).isNull();
    assertThat(Segments.of(connection, SHARD, first - 1, to)).isNull();
    assertThat(Segments.of(connection, Shard.FIRST, first, to)).isNull();
    assertThat(Segments.list(connection))
        .startsWith(new Segments.Segment("audit_entry_0", 0, Segments.SIZE))
        .containsAll(Segments.list(connection, SHARD));
  }

  @Test
  void aTableThatIsNoSegmentIsNamed() throws Exception {
    try (var statement = connection.createStatement()) {
      statement.execute("CREATE TABLE strange (LIKE audit_entry)");
      statement.execute("ALTER TABLE audit_entry ATTACH PARTITION strange DEFAULT");
    }
    assertThatThrownBy(() -> Segments.list(connection))
        .isInstanceOf(LedgerException.class)
        .hasMessage("The table strange is no segment of the ledger: DEFAULT");
  }

  @Test
  void anEntryIsWrittenAsSoonAsItsTableIsThere() throws Exception {
    Segments.extend(connection, SHARD, SHARD.first());
    try (var statement = connection.createStatement()) {
      String row = ", now(), 'ADMIN', 'audit', 'X', NULL, NULL, NULL, '', '')";
      String insert =
          "INSERT INTO audit_entry (idx, at, station, exchange, outcome, message, subject, salt,"
              + " leaf, entry) VALUES (";
      assertThat(statement.executeUpdate(insert + (SHARD.first() + Segments.SIZE - 1) + row))
          .isEqualTo(1);
      assertThatThrownBy(
              () -> statement.executeUpdate(insert + (SHARD.first() + Segments.SIZE) + row))
          .hasMessageContaining("no partition of relation");
    }
  }
}
