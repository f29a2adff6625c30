package no.bindeledd.audit;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.InstantSource;
import java.util.List;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;

/** A real PostgreSQL with the hub's tables, for the tests of this room. */
final class LogDatabase implements AutoCloseable {
  static final String ORIGIN = "audit.example.no/bindeledd";

  private static @Nullable LogDatabase shared;

  private final EmbeddedPostgres postgres;
  final DataSource source;

  LogDatabase() throws IOException {
    postgres = EmbeddedPostgres.builder().start();
    HikariConfig pool = new HikariConfig();
    pool.setDataSource(postgres.getPostgresDatabase());
    pool.setMaximumPoolSize(20);
    pool.setMinimumIdle(0);
    source = new HikariDataSource(pool);
    Flyway.configure().dataSource(source).locations("classpath:db/migration").load().migrate();
  }

  /** One for all test classes that clear it first; it ends with the JVM. */
  static synchronized LogDatabase shared() throws IOException {
    LogDatabase database = shared;
    if (database == null) {
      database = new LogDatabase();
      shared = database;
    }
    return database;
  }

  /** An empty database on the same server, without any tables. */
  DataSource empty(String name) throws SQLException {
    sql("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)");
    sql("CREATE DATABASE " + name);
    return postgres.getDatabase("postgres", name);
  }

  /** Empties the tables of this room: with few rows in them, quicker than to truncate them. */
  void clear() throws SQLException {
    sql(
        "DELETE FROM audit_entry; DELETE FROM audit_head; DELETE FROM audit_checkpoint;"
            + " DELETE FROM audit_shredded; DELETE FROM audit_shredded_segment;"
            + " DELETE FROM audit_shredding; DELETE FROM audit_published;"
            + " DELETE FROM audit_archive; DELETE FROM audit_link");
  }

  Ledger open(LogKey key) throws SQLException {
    return Ledger.open(source, key, ORIGIN, InstantSource.system());
  }

  void append(Ledger ledger, List<AuditEntry> entries) throws SQLException {
    try (Connection c = source.getConnection()) {
      c.setAutoCommit(false);
      Appended appended = ledger.append(c, entries);
      c.commit();
      ledger.confirm(appended);
    }
  }

  void sql(String statement) throws SQLException {
    try (Connection c = source.getConnection();
        Statement s = c.createStatement()) {
      s.execute(statement);
    }
  }

  String text(String query) throws SQLException {
    StringBuilder lines = new StringBuilder();
    try (Connection c = source.getConnection();
        Statement s = c.createStatement();
        ResultSet rs = s.executeQuery(query)) {
      while (rs.next()) {
        lines.append(rs.getString(1)).append('\n');
      }
    }
    return lines.toString();
  }

  @Override
  public void close() throws IOException {
    postgres.close();
  }
}
