package no.bindeledd.consent;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;

/**
 * A real PostgreSQL with the hub's tables, one for all tests of this room that clear it first. It
 * ends with the JVM: a mutation run asks for it many times.
 */
final class ConsentDatabase {
  private static @Nullable DataSource shared;

  private ConsentDatabase() {}

  static synchronized DataSource shared() throws IOException {
    DataSource database = shared;
    if (database == null) {
      database = EmbeddedPostgres.builder().start().getPostgresDatabase();
      Flyway.configure().dataSource(database).locations("classpath:db/migration").load().migrate();
      shared = database;
    }
    return database;
  }
}
