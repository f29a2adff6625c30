package no.bindeledd.cli;

import java.nio.file.Path;
import javax.sql.DataSource;
import no.bindeledd.demo.EmbeddedDatabase;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import picocli.CommandLine.Option;

/** Options of the commands that read a hub's database beside it. */
final class HubData {
  @Option(
      names = "--data",
      paramLabel = "DIR",
      defaultValue = "data",
      description = "Data folder of an embedded hub that is not running (default: ./data)")
  private Path data = Path.of("data");

  @Option(
      names = "--jdbc-url",
      paramLabel = "URL",
      description = "Database of a hub that runs, with user and password in the URL")
  private @Nullable String jdbcUrl;

  @Option(
      names = "--secrets",
      paramLabel = "DIR",
      description = "Folder with the hub's keys (default: DIR/secrets)")
  private @Nullable Path secrets;

  interface Work<T> {
    T with(DataSource database) throws Exception;
  }

  /** The folder of an embedded hub. */
  Path folder() {
    return data;
  }

  Path secrets() {
    return secrets == null ? data.resolve("secrets") : secrets;
  }

  /** Does it with the database, started for the time if it is an embedded one. */
  <T> T read(Work<T> work) throws Exception {
    PGSimpleDataSource database = new PGSimpleDataSource();
    if (jdbcUrl != null) {
      database.setUrl(jdbcUrl);
      return work.with(database);
    }
    try (EmbeddedDatabase embedded = EmbeddedDatabase.start(data.resolve("postgres"))) {
      database.setUrl(embedded.jdbcUrl());
      database.setUser(embedded.user());
      database.setPassword(embedded.password());
      return work.with(database);
    }
  }
}
