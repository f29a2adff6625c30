package no.bindeledd.fault;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LedgerVerifier;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.Verification;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.delivery.Dispatcher;
import no.bindeledd.delivery.RetryPolicy;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.Books;
import no.bindeledd.gate.Caller;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.DecisionArchive;
import no.bindeledd.gate.Deliverers;
import no.bindeledd.gate.Door;
import no.bindeledd.gate.FactSource;
import no.bindeledd.gate.Gate;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.Judge;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.gate.OutboxRows;
import no.bindeledd.gate.StationTimes;
import no.bindeledd.hub.ExchangeFolders;
import no.bindeledd.hub.RegistryFacts;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Protection;
import no.bindeledd.person.ProtectionRegistry;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Secrets;
import no.bindeledd.policy.ConsentFact;

/**
 * The hub's own parts, put together as the hub does it but without Spring, Camel and channels: real
 * exchanges and rules from the project, a real journal on a real database. A second one on the same
 * folder and database is a restart, or another instance.
 */
public final class Parts implements AutoCloseable {
  public static final Instant NOW = Instant.parse("2026-09-01T10:00:00Z");
  private static final String ORIGIN = "fault.example.no/bindeledd";

  public final AtomicReference<Instant> now = new AtomicReference<>(NOW);
  public final InstantSource clock = now::get;
  public final SimpleMeterRegistry meters = new SimpleMeterRegistry();
  public final Secrets secrets;
  public final LogKey logKey;
  public final Catalogue catalogue;
  public final Judge judge;
  public final Ledger ledger;
  public final DecisionArchive archive;
  public final Journal journal;
  public final ConsentRegistry consents;
  public final FactSource facts;
  public final HeldMessages held;
  public final Deliverers deliverers = new Deliverers();
  public final Door door;
  public final Gate gate;
  private final DataSource database;
  private final StationTimes times;
  private final List<AutoCloseable> open = new ArrayList<>();

  /** Runs after the facts about people have been read, and before anything is done with them. */
  public volatile Runnable afterFacts = () -> {};

  public Parts(Path folder, DataSource database, String... exchanges) throws Exception {
    this.database = database;
    times = new StationTimes(meters);
    secrets = Secrets.openOrCreate(folder);
    logKey = LogKey.open(folder.resolve("log.key"), ORIGIN);
    catalogue = catalogue(Path.of("."), exchanges);
    judge =
        new Judge(
            secrets.pseudonymizer(),
            Numbers.SYNTHETIC_ONLY,
            secrets.vault(),
            secrets.secret("message-hash"),
            times);
    ledger = Ledger.open(database, logKey, ORIGIN, clock);
    archive = new DecisionArchive(secrets.vault());
    journal = new Journal(database, ledger, secrets.vault(), archive);
    consents = new ConsentRegistry(database, clock);
    facts = new Facts();
    held =
        new HeldMessages(database, catalogue, judge, journal, facts, secrets.vault(), clock, times);
    consents.onChange(held::reconsider);
    door = new Door(catalogue, journal, facts, secrets.vault(), clock, times, held);
    gate = new Gate(catalogue, judge, journal, facts, held, deliverers, clock, times);
  }

  private static Catalogue catalogue(Path home, String... ids) {
    ExchangeFolders folders = new ExchangeFolders(home);
    Map<String, LiveExchange> exchanges = new HashMap<>();
    for (String id : ids) {
      exchanges.put(id, folders.exchange(id, folders.codeLists()));
    }
    return new Catalogue(new Catalogue.Edition(exchanges, folders.pack()));
  }

  /** Starts delivering; without it, what is released waits in the table. */
  public Dispatcher deliver(int attempts) {
    Dispatcher dispatcher =
        new Dispatcher(
            database,
            new OutboxRows(secrets.vault()),
            deliverers,
            door,
            journal,
            new RetryPolicy(attempts, Duration.ofMillis(1), Duration.ofMillis(4)),
            clock,
            times);
    open.add(dispatcher);
    return dispatcher;
  }

  public LiveExchange exchange(String id) {
    return catalogue.current().exchange(id).orElseThrow();
  }

  public Caller caller(String exchange) {
    var sender = exchange(exchange).contract().from().getFirst();
    return Caller.of(sender, sender.organisations().getFirst());
  }

  public Pseudonym pseudonym(int person) {
    return secrets
        .pseudonymizer()
        .pseudonym((NationalId) NationalId.parse(Letters.number(person), Numbers.SYNTHETIC_ONLY));
  }

  /** Read from the database itself, also while the hub cannot reach it. */
  public Books books(DataSource source, String exchange) throws SQLException {
    try (Connection connection = source.getConnection()) {
      return Books.read(connection, catalogue.current()).get(exchange);
    }
  }

  public Verification verify() throws SQLException {
    return LedgerVerifier.verify(
        database, logKey.verifiers(), List.of(ledger.checkpoint()), (done, of) -> {});
  }

  public static long count(DataSource database, String query) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery(query)) {
      row.next();
      return row.getLong(1);
    }
  }

  /** Leaves the database as Flyway made it. */
  public static void empty(DataSource database) throws SQLException {
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "TRUNCATE held, envelope, outbox, parcel, roster, consent, consent_notice, protection,"
              + " audit_entry, audit_head, audit_checkpoint, deadline, single_holder, decision_facts");
    }
  }

  @Override
  public void close() throws Exception {
    for (AutoCloseable part : open.reversed()) {
      part.close();
    }
    held.close();
    journal.close();
    ledger.close();
  }

  private final class Facts implements FactSource {
    private final FactSource registries;

    private Facts() throws SQLException {
      registries = new RegistryFacts(database, consents, new ProtectionRegistry(database));
    }

    @Override
    public Map<Pseudonym, List<ConsentFact>> consents(Collection<Pseudonym> subjects) {
      Map<Pseudonym, List<ConsentFact>> found = registries.consents(subjects);
      afterFacts.run();
      return found;
    }

    @Override
    public Protection protection(Pseudonym subject) {
      return registries.protection(subject);
    }

    @Override
    public Map<Pseudonym, String> roster(
        String exchange,
        OrganisationNumber holder,
        OrganisationNumber counterpart,
        String list,
        Collection<Pseudonym> subjects) {
      return registries.roster(exchange, holder, counterpart, list, subjects);
    }
  }
}
