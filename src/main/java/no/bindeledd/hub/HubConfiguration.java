package no.bindeledd.hub;

import io.micrometer.core.instrument.MeterRegistry;
import java.net.URI;
import java.net.http.HttpClient;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import javax.sql.DataSource;
import no.bindeledd.channel.MaskinportenTokens;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.delivery.DeadLetters;
import no.bindeledd.delivery.Dispatcher;
import no.bindeledd.delivery.RetryPolicy;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.Deadlines;
import no.bindeledd.gate.Deliverers;
import no.bindeledd.gate.Door;
import no.bindeledd.gate.FactSource;
import no.bindeledd.gate.Gate;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.Judge;
import no.bindeledd.gate.OutboxRows;
import no.bindeledd.gate.StationTimes;
import no.bindeledd.person.ProtectionRegistry;
import no.bindeledd.person.Secrets;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.flyway.FlywayMigrationInitializer;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * The six stations and what they ask. With its two siblings the only place that knows every room.
 */
@Configuration(proxyBeanMethods = false)
class HubConfiguration {
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
  Alone alone(DataSource database) {
    return new Alone(database);
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
