package no.bindeledd.hub;

import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.time.Period;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
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
import no.bindeledd.channel.FileTroubles;
import no.bindeledd.channel.FintComponent;
import no.bindeledd.channel.FintCredentials;
import no.bindeledd.channel.Hl7Acknowledgement;
import no.bindeledd.channel.MaskinportenTokens;
import no.bindeledd.channel.RecipientKeys;
import no.bindeledd.channel.SftpFileStrategy;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.delivery.DeadLetters;
import no.bindeledd.delivery.Dispatcher;
import no.bindeledd.delivery.RetryPolicy;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.Deadlines;
import no.bindeledd.gate.DecisionArchive;
import no.bindeledd.gate.Deliverers;
import no.bindeledd.gate.Door;
import no.bindeledd.gate.FactSource;
import no.bindeledd.gate.Gate;
import no.bindeledd.gate.GateComponent;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.Judge;
import no.bindeledd.gate.OutboxRows;
import no.bindeledd.gate.Placeholders;
import no.bindeledd.gate.RouteFolders;
import no.bindeledd.gate.RouteLinter;
import no.bindeledd.gate.StationTimes;
import no.bindeledd.person.ProtectionRegistry;
import no.bindeledd.person.Secrets;
import no.bindeledd.policy.PolicyPack;
import no.bindeledd.reading.EntryIndex;
import no.bindeledd.reading.EntrySearch;
import org.apache.camel.CamelContext;
import org.apache.camel.component.http.HttpComponent;
import org.apache.camel.component.kafka.consumer.KafkaManualCommitFactory;
import org.apache.camel.spi.CamelContextCustomizer;
import org.apache.camel.spi.ComponentCustomizer;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.flyway.FlywayMigrationInitializer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What the hub is made of, and in which order. The only place that knows every room. */
@Configuration(proxyBeanMethods = false)
class HubConfiguration {
  private static final long CONNECT_WITHIN_MILLIS = 5_000;
  private static final Duration OLD_INSTANCE_ENDS_WITHIN = Duration.ofSeconds(30);

  @Bean
  InstantSource clock() {
    return Clock.systemUTC();
  }

  @Bean
  Secrets secrets(HubSettings settings) {
    return settings.createSecrets()
        ? Secrets.openOrCreate(settings.secrets())
        : Secrets.open(settings.secrets());
  }

  @Bean
  StationTimes stationTimes(MeterRegistry registry) {
    return new StationTimes(registry);
  }

  @Bean
  Catalogue catalogue(HubSettings settings) {
    PolicyPack pack = new ExchangeFolders(settings.home()).packFor(List.of());
    return new Catalogue(new Catalogue.Edition(Map.of(), pack));
  }

  @Bean
  Judge judge(HubSettings settings, Secrets secrets, StationTimes times) {
    return new Judge(
        secrets.pseudonymizer(),
        settings.numbers(),
        secrets.vault(),
        secrets.secret("message-hash"),
        times);
  }

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
  Alone alone(DataSource database) {
    return new Alone(database);
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
    return new Publication(new LogPublisher(database, ledger, key, directory, witnesses));
  }

  @Bean(destroyMethod = "close")
  Journal journal(DataSource database, Ledger ledger, Publication published, Secrets secrets) {
    return new Journal(database, ledger, secrets.vault(), new DecisionArchive(secrets.vault()));
  }

  /** What the other shards have published is entered here, so that each vouches for the others. */
  @Bean(destroyMethod = "close")
  Following crossLinks(DataSource database, Journal journal, InstantSource clock) {
    CrossLinker linker = new CrossLinker(journal.shard());
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
                    journal,
                    ledger.shard(),
                    directory,
                    key.verifiers(),
                    settings.archives(),
                    after,
                    clock)
                ::next);
  }

  @Bean
  ConsentRegistry consents(
      DataSource database,
      InstantSource clock,
      HubSettings settings,
      FlywayMigrationInitializer migrated) {
    return new ConsentRegistry(database, clock, settings.consentCache().toBytes());
  }

  @Bean
  ProtectionRegistry protections(DataSource database, FlywayMigrationInitializer migrated)
      throws SQLException {
    return new ProtectionRegistry(database);
  }

  @Bean
  HumanActs humanActs(
      DataSource database,
      Secrets secrets,
      InstantSource clock,
      FlywayMigrationInitializer migrated) {
    return new HumanActs(database, secrets.vault(), clock);
  }

  @Bean
  FactChanges factChanges(
      DataSource database,
      HubSettings settings,
      ConsentRegistry consents,
      ProtectionRegistry protections,
      HumanActs acts)
      throws SQLException {
    return new FactChanges(database, settings.ownShard(), consents, protections, acts);
  }

  @Bean
  FactSource facts(
      DataSource database,
      ConsentRegistry consents,
      ProtectionRegistry protections,
      HumanActs acts,
      FactChanges changes) {
    return new RegistryFacts(database, consents, protections, acts, changes);
  }

  /** A change at another instance is heard of also while nothing is delivered here. */
  @Bean(destroyMethod = "close")
  Following factsOfOthers(FactChanges changes, HeldMessages held, Door door, Journal journal) {
    changes.tell(held, door, journal);
    return new Following(
        "What other instances changed",
        Duration.ofMillis(250),
        () -> {
          changes.catchUp();
          return false;
        });
  }

  @Bean(destroyMethod = "close")
  Following oldFactChanges(FactChanges changes) {
    return new Following("Forgetting old changes", Duration.ofHours(1), changes::forgetOld);
  }

  @Bean
  Deliverers deliverers() {
    return new Deliverers();
  }

  @Bean(destroyMethod = "close")
  HeldMessages heldMessages(
      DataSource database,
      Catalogue catalogue,
      Judge judge,
      Journal journal,
      FactSource facts,
      Secrets secrets,
      InstantSource clock,
      StationTimes times,
      ConsentRegistry consents) {
    HeldMessages held =
        new HeldMessages(database, catalogue, judge, journal, facts, secrets.vault(), clock, times);
    consents.onChange(held::reconsider);
    return held;
  }

  @Bean
  Gate gate(
      Catalogue catalogue,
      Judge judge,
      Journal journal,
      FactSource facts,
      HeldMessages held,
      Deliverers deliverers,
      InstantSource clock,
      StationTimes times) {
    return new Gate(catalogue, judge, journal, facts, held, deliverers, clock, times);
  }

  @Bean
  Deadlines deadlines(DataSource database, Gate gate, Secrets secrets, InstantSource clock) {
    return new Deadlines(database, gate, secrets.vault(), clock);
  }

  @Bean
  Door door(
      Catalogue catalogue,
      Journal journal,
      FactSource facts,
      Secrets secrets,
      InstantSource clock,
      StationTimes times,
      HeldMessages held) {
    return new Door(catalogue, journal, facts, secrets.vault(), clock, times, held);
  }

  @Bean(destroyMethod = "close")
  Dispatcher dispatcher(
      DataSource database,
      Secrets secrets,
      Deliverers deliverers,
      Door door,
      Journal journal,
      HubSettings settings,
      InstantSource clock,
      StationTimes times) {
    HubSettings.Delivery delivery = settings.delivery();
    return new Dispatcher(
        database,
        new OutboxRows(secrets.vault()),
        deliverers,
        door,
        journal,
        new RetryPolicy(delivery.attempts(), delivery.firstPause(), delivery.longestPause()),
        clock,
        times);
  }

  @Bean
  DeadLetters deadLetters(
      DataSource database,
      Catalogue catalogue,
      Secrets secrets,
      Journal journal,
      InstantSource clock) {
    return new DeadLetters(database, catalogue, new OutboxRows(secrets.vault()), journal, clock);
  }

  @Bean
  RecipientKeys recipientKeys(HubSettings settings) {
    Path directory = settings.secrets().resolve("recipients");
    return settings.createSecrets()
        ? RecipientKeys.openOrCreate(directory)
        : RecipientKeys.open(directory);
  }

  @Bean("gate-component")
  GateComponent gateComponent(
      CamelContext context,
      Gate gate,
      Deliverers deliverers,
      RecipientKeys keys,
      HubSettings settings,
      InstantSource clock,
      Dispatcher dispatcher) {
    Hl7Acknowledgement acknowledgement = new Hl7Acknowledgement(clock);
    return new GateComponent(
        context,
        gate,
        deliverers,
        (recipient, payload) -> keys.of(recipient.organisation()).seal(payload),
        (original, code, reason) ->
            acknowledgement.write(original, Hl7Acknowledgement.Code.valueOf(code.name()), reason),
        settings.largestMessage().toBytes());
  }

  /** Named {@code gateFiles} in routes: moves a received file and writes its report. */
  @Bean
  SftpFileStrategy gateFiles(InstantSource clock, Alone alone) {
    return new SftpFileStrategy(clock, Duration.ZERO, alone);
  }

  @Bean
  KafkaManualCommitFactory offsetCommits() {
    return new OffsetCommits();
  }

  /** Not as Spring's own hook for it, which comes when the context has started. */
  @Bean
  CamelContextCustomizer camelSettings(HubSettings settings, InstantSource clock) {
    return context -> {
      context.setLogMask(true);
      context.setMessageHistory(false);
      context.setLogExhaustedMessageBody(false);
      context.addLifecycleStrategy(new FileTroubles());
      context.addComponent("fint", fint(settings.fint(), clock));
    };
  }

  private static FintComponent fint(HubSettings.@Nullable Fint login, InstantSource clock) {
    FintComponent fint = new FintComponent();
    fint.setClock(clock);
    if (login != null) {
      fint.setCredentials(
          new FintCredentials(
              URI.create(login.tokenEndpoint()),
              login.username(),
              login.password(),
              login.clientId(),
              login.clientSecret(),
              login.scope()));
      fint.setOrgId(login.orgId());
      fint.setClient(login.client());
    }
    return fint;
  }

  /**
   * A call over HTTP is one try, to the recipient's own address, that ends in time. Whether and
   * when it is made again is for the outlet to say, which asks the door first; the HTTP client
   * would do it by itself, wait as long as the recipient's Retry-After asks, and follow it
   * elsewhere.
   */
  @Bean
  ComponentCustomizer oneTry(HubSettings settings) {
    long within = settings.delivery().answerWithin().toMillis();
    return ComponentCustomizer.builder(HttpComponent.class)
        .build(
            http -> {
              http.setHttpClientConfigurer(
                  client -> client.disableAutomaticRetries().disableRedirectHandling());
              http.setConnectTimeout(Math.min(CONNECT_WITHIN_MILLIS, within));
              http.setResponseTimeout(within);
            });
  }

  /** One thread for what is done now and then. Wrapped: Spring takes a bare one for its own. */
  record Chores(ScheduledExecutorService thread) implements AutoCloseable {
    @Override
    public void close() {
      thread.shutdownNow();
    }
  }

  @Bean
  Chores chores() {
    return new Chores(
        Executors.newScheduledThreadPool(
            1, Thread.ofPlatform().name("chores-", 0).daemon().factory()));
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
  Backlog backlog(
      DataSource database,
      Catalogue catalogue,
      MeterRegistry registry,
      Chores chores,
      FlywayMigrationInitializer migrated) {
    Backlog backlog = new Backlog(database, catalogue, registry);
    var unused = chores.thread().scheduleWithFixedDelay(backlog::read, 1, 5, TimeUnit.SECONDS);
    return backlog;
  }

  @Bean
  EntrySearch entrySearch(DataSource database, FlywayMigrationInitializer migrated) {
    return new EntrySearch(database);
  }

  @Bean(destroyMethod = "close")
  Following auditIndex(DataSource database, FlywayMigrationInitializer migrated) {
    return new Following(
        "The audit index", Duration.ofSeconds(1), new EntryIndex(database)::indexNextBlock);
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

  @Bean(destroyMethod = "close")
  RouteFolders routeFolders(CamelContext context, Chores chores) {
    return new RouteFolders(
        context,
        new RouteLinter(),
        Placeholders.of(context),
        Executors.newVirtualThreadPerTaskExecutor(),
        chores.thread(),
        Duration.ofSeconds(5),
        Duration.ofSeconds(5));
  }

  @Bean
  Exchanges exchanges(
      HubSettings settings,
      Catalogue catalogue,
      CamelContext context,
      GateComponent gate,
      RouteFolders routes,
      Journal journal,
      HeldMessages held,
      Deadlines deadlines,
      Alone alone,
      InstantSource clock,
      Chores chores) {
    return new Exchanges(
        settings,
        catalogue,
        context,
        gate,
        routes,
        journal,
        held,
        deadlines,
        alone,
        clock,
        chores.thread());
  }

  @Bean
  Callers callers(HubSettings settings, Secrets secrets, InstantSource clock) {
    HubSettings.Tokens tokens = settings.tokens();
    return new Callers(
        tokens(settings, clock),
        secrets.pseudonymizer(),
        settings.numbers(),
        tokens == null ? HubSettings.KEEPER_SCOPE : tokens.keeperScope());
  }

  @Bean
  Keepers keepers(Callers callers, InstantSource clock) {
    return new Keepers(callers, clock);
  }

  @Bean
  ConsentKeeping consentKeeping(
      ConsentRegistry consents,
      Journal journal,
      Keepers keepers,
      FactChanges changes,
      ConsentMessages messages) {
    return new ConsentKeeping(consents, journal, keepers, changes, messages);
  }

  @Bean
  AltinnConsents altinnConsents(
      Callers callers,
      ConsentKeeping keeping,
      ConsentRegistry consents,
      HubSettings settings,
      InstantSource clock) {
    return new AltinnConsents(callers, keeping, consents, settings.altinn(), clock);
  }

  @Bean
  Deliveries deliveries(DataSource database, Catalogue catalogue) {
    return new Deliveries(database, catalogue);
  }

  @Bean
  ConsentMessages consentMessages(
      DataSource database,
      ConsentRegistry consents,
      Deliveries deliveries,
      Journal journal,
      FactChanges changes,
      Gate gate,
      Secrets secrets,
      Alone alone,
      Chores chores) {
    ConsentMessages messages =
        new ConsentMessages(
            database,
            consents,
            deliveries,
            journal,
            changes,
            gate,
            secrets.vault(),
            alone,
            chores.thread());
    var unused = chores.thread().scheduleWithFixedDelay(messages::send, 5, 5, TimeUnit.SECONDS);
    return messages;
  }

  @Bean
  TurningPoints turningPoints(
      ConsentRegistry consents, HeldMessages held, InstantSource clock, Chores chores) {
    TurningPoints turning = new TurningPoints(consents, held, clock);
    var unused = chores.thread().scheduleWithFixedDelay(turning::pass, 1, 1, TimeUnit.SECONDS);
    return turning;
  }

  private static @Nullable MaskinportenTokens tokens(HubSettings settings, InstantSource clock) {
    HubSettings.Tokens tokens = settings.tokens();
    if (tokens == null) {
      return null;
    }
    MaskinportenTokens.Trust trust =
        tokens.metadata() == null
            ? MaskinportenTokens.Trust.of(tokens.issuer(), tokens.audience())
            : new MaskinportenTokens.Trust(
                tokens.issuer(), URI.create(tokens.metadata()), tokens.audience());
    return new MaskinportenTokens(
        trust, HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build(), clock);
  }
}
