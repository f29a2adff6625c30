package no.bindeledd.fault;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;

/**
 * One real database with the hub's tables, for tests of the hub's own parts: the first that asks
 * starts it, and it ends with the JVM. Each test empties it before it begins ({@link Parts#empty});
 * no two of them run at the same time.
 */
public final class RealDatabase {
  private RealDatabase() {}

  private static final class Started {
    private static final DataSource SOURCE = start();
  }

  public static DataSource source() {
    return Started.SOURCE;
  }

  private static DataSource start() {
    try {
      DataSource source = EmbeddedPostgres.builder().start().getPostgresDatabase();
      Flyway.configure().dataSource(source).locations("classpath:db/migration").load().migrate();
      return source;
    } catch (IOException e) {
      throw new UncheckedIOException("No PostgreSQL could be started", e);
    }
  }
}
