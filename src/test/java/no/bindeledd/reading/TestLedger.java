package no.bindeledd.reading;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import javax.sql.DataSource;
import no.bindeledd.audit.Appended;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.Station;
import no.bindeledd.person.Pseudonym;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;

/** A ledger in a real PostgreSQL of its own, written by the real writer. */
final class TestLedger implements AutoCloseable {
  static final String ORIGIN = "audit.example.no/reading";

  private final EmbeddedPostgres postgres;
  final DataSource source;
  final LogKey key;
  final Ledger ledger;

  TestLedger() throws Exception {
    postgres = EmbeddedPostgres.builder().start();
    source = postgres.getPostgresDatabase();
    Flyway.configure().dataSource(source).locations("classpath:db/migration").load().migrate();
    Path folder = Files.createTempDirectory("reading-");
    key = LogKey.open(folder.resolve("log.key"), ORIGIN);
    ledger = Ledger.open(source, key, ORIGIN, InstantSource.system());
  }

  /** Writes them in batches of 3,000. */
  void append(List<AuditEntry> entries) throws SQLException {
    for (int from = 0; from < entries.size(); from += 3000) {
      try (Connection connection = source.getConnection()) {
        connection.setAutoCommit(false);
        Appended appended =
            ledger.append(connection, entries.subList(from, Math.min(entries.size(), from + 3000)));
        connection.commit();
        ledger.confirm(appended);
      }
    }
  }

  void sql(String statement) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement run = connection.createStatement()) {
      run.execute(statement);
    }
  }

  static Pseudonym person(int number) {
    return new Pseudonym(String.format("%032x", 0x9e3779b97f4a7c15L * (number + 1)));
  }

  /** A decision; what is not given has a usual value. */
  @SuppressWarnings("NullAway") // it does not read a nullable array from class files
  static AuditEntry decision(
      Instant at,
      String exchange,
      String sender,
      @Nullable String receiver,
      @Nullable Pseudonym subject,
      String message,
      String trace,
      String outcome,
      String reason,
      List<String> rules,
      List<String> consents,
      List<String> released,
      List<String> withheld) {
    byte[] salt = AuditEntry.newSalt();
    return new AuditEntry(
        at,
        Station.DECIDE,
        exchange,
        sender,
        receiver,
        subject,
        message,
        trace,
        outcome,
        reason,
        rules,
        "school-ot@1#2.1", // with the clause, as the gate writes it
        consents,
        "sha256:9f86d081884c7d65",
        "sha256:60303ae22b998861",
        released,
        withheld,
        released.isEmpty() ? null : AuditEntry.payloadHash(salt, new byte[] {1}),
        salt,
        null);
  }

  /** What became of it at the recipient. */
  @SuppressWarnings("NullAway") // it does not read a nullable array from class files
  static AuditEntry delivery(
      Instant at, String exchange, String sender, String recipient, String message, String trace) {
    return AuditEntry.plain(
        at,
        Station.DELIVER,
        exchange,
        sender,
        recipient,
        null,
        message,
        trace,
        "DELIVERED",
        "DELIVERED",
        null);
  }

  /** A consent that was given. */
  @SuppressWarnings("NullAway") // it does not read a nullable array from class files
  static AuditEntry consent(Instant at, String keeper, Pseudonym subject, String consent) {
    return new AuditEntry(
        at,
        Station.CONSENT,
        "consent",
        keeper,
        null,
        subject,
        null,
        null,
        "GIVEN",
        "GIVEN",
        List.of(),
        null,
        List.of(consent),
        null,
        null,
        List.of(),
        List.of(),
        null,
        null,
        null);
  }

  /** Somebody who was turned away. */
  @SuppressWarnings("NullAway") // it does not read a nullable array from class files
  static AuditEntry noted(
      Instant at, String exchange, String sender, String outcome, String reason, String detail) {
    return AuditEntry.plain(
        at, Station.IDENTIFY, exchange, sender, null, null, null, null, outcome, reason, detail);
  }

  @Override
  public void close() throws Exception {
    ledger.close();
    postgres.close();
  }
}
