package no.bindeledd.hub;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.time.Period;
import java.util.List;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.CrossLinker;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.LogPublisher;
import no.bindeledd.audit.ShardHold;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.audit.Witnesses;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.DecisionArchive;
import no.bindeledd.gate.Journal;
import no.bindeledd.person.Secrets;
import no.bindeledd.reading.EntryIndex;
import no.bindeledd.reading.EntrySearch;
import org.springframework.boot.autoconfigure.flyway.FlywayMigrationInitializer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * The audit trail: the ledger and who holds it, the journal that writes it, and what is done behind
 * the writer.
 */
@Configuration(proxyBeanMethods = false)
class AuditConfiguration {
  private static final Duration OLD_INSTANCE_ENDS_WITHIN = Duration.ofSeconds(30);

  @Bean
  LogKey logKey(HubSettings settings) throws IOException {
    Path file = settings.secrets().resolve(settings.ownShard().keyFile());
    if (!settings.createSecrets() && !Files.exists(file)) {
      throw new IllegalStateException(
          "There is no log key at "
              + file
              + ": put the log's key there, or start once with"
              + " --bindeledd.create-secrets=true to make the keys of a new hub");
    }
    return LogKey.open(file, settings.ownShard().origin(settings.origin()));
  }

  /** The last parameter makes sure that the tables are there. */
  @Bean(destroyMethod = "close")
  ShardHold shardHold(
      DataSource database, HubSettings settings, FlywayMigrationInitializer migrated)
      throws SQLException, InterruptedException {
    return ShardHold.take(database, settings.ownShard(), OLD_INSTANCE_ENDS_WITHIN);
  }

  @Bean(destroyMethod = "close")
  Following holdOfTheShard(ShardHold hold) {
    return new Following(
        "The hold of the shard",
        Duration.ofSeconds(5),
        () -> {
          if (!hold.keep()) {
            throw new IllegalStateException("Another instance has the shard");
          }
          return false;
        });
  }

  @Bean(destroyMethod = "close")
  Ledger ledger(
      DataSource database, LogKey key, HubSettings settings, InstantSource clock, ShardHold held)
      throws SQLException {
    return Ledger.hold(database, key, settings.origin(), settings.ownShard(), clock);
  }

  @Bean
  LogDirectory publishedLog(HubSettings settings) {
    return LogDirectory.of(settings.logs(), settings.ownShard().origin(settings.origin()));
  }

  @Bean
  Witnesses witnesses(HubSettings settings) {
    return new Witnesses(
        settings.published().witnesses().stream()
            .map(witness -> new Witnesses.Peer(witness.url(), VerifierKey.parse(witness.key())))
            .toList());
  }

  /** Before the journal: a log that is not the published one takes no entries. */
  @Bean(destroyMethod = "close")
  Publication publication(
      DataSource database, Ledger ledger, LogKey key, LogDirectory directory, Witnesses witnesses)
      throws IOException, SQLException {
    LogPublisher publisher = new LogPublisher(database, ledger, key, directory, witnesses);
    ledger.follow(publisher);
    return new Publication(publisher);
  }

  @Bean(destroyMethod = "close")
  Journal journal(DataSource database, Ledger ledger, Publication published, Secrets secrets) {
    return new Journal(database, ledger, secrets.vault(), new DecisionArchive(secrets.vault()));
  }

  /** What the other shards have published is entered here, so that each vouches for the others. */
  @Bean(destroyMethod = "close")
  Following crossLinks(
      DataSource database, Journal journal, HubSettings settings, InstantSource clock) {
    CrossLinker linker =
        new CrossLinker(
            journal.shard(), settings.origin(), () -> VerifierKey.ofHouse(settings.secrets()));
    return new Following(
        "The cross-linking of the shards",
        Duration.ofSeconds(5),
        () -> {
          List<AuditEntry> due;
          try (Connection connection = database.getConnection()) {
            due = linker.due(connection, clock.instant());
          }
          if (!due.isEmpty()) {
            journal.enter(due).join();
          }
          return false;
        });
  }

  /** Once an hour, and as long as there is more. */
  @Bean(destroyMethod = "close")
  Following retention(Journal journal, Catalogue catalogue, InstantSource clock, Alone alone) {
    Retention retention = new Retention(journal, catalogue, clock);
    return new Following(
        "The retention", Duration.ofHours(1), () -> alone.run("retention", retention::next));
  }

  /** Each instance moves its own shard's segments. */
  @Bean(destroyMethod = "close")
  Following archiving(
      DataSource database,
      Journal journal,
      Ledger ledger,
      LogDirectory directory,
      LogKey key,
      HubSettings settings,
      InstantSource clock) {
    Period after = settings.archive().after();
    return new Following(
        "The archiving",
        Duration.ofHours(1),
        after == null
            ? () -> false
            : new ArchiveChore(
                    database,
                    ArchiveChore.Writer.of(journal),
                    ledger.shard(),
                    directory,
                    key.verifiers(),
                    settings.archives(),
                    after,
                    clock)
                ::next);
  }

  /** What decisions were made on is kept as long as the agreements say. */
  @Bean(destroyMethod = "close")
  Following decisionRetention(
      DataSource database, InstantSource clock, FlywayMigrationInitializer migrated) {
    return new Following(
        "The retention of decisions",
        Duration.ofHours(1),
        () -> DecisionArchive.removeExpired(database, clock.instant()) > 0);
  }

  @Bean
  EntrySearch entrySearch(DataSource database, FlywayMigrationInitializer migrated) {
    return new EntrySearch(database);
  }

  @Bean(destroyMethod = "close")
  Following auditIndex(DataSource database, Ledger ledger) {
    EntryIndex index = new EntryIndex(database);
    ledger.follow(index);
    return new Following("The audit index", Duration.ofSeconds(1), index::indexNextBlock);
  }

  @Bean(destroyMethod = "close")
  AuditExporters auditExporters(
      DataSource database,
      HubSettings settings,
      MeterRegistry registry,
      FlywayMigrationInitializer migrated)
      throws IOException {
    return new AuditExporters(database, settings, registry);
  }
}
