package no.bindeledd.consent;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Consumer;
import javax.sql.DataSource;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.ConsentFact.State;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every version of every consent and block, with the table {@code consent} as the truth and a
 * bounded cache before it, also of the people who have none. Safe on any thread.
 *
 * <p>A withdrawal bites at once: when a write has returned, no later {@link #findAll} of this
 * instance answers from before it. A look-up that was under way during the write may answer with
 * either, but what it read is not kept. Other instances are told through {@link #invalidate}.
 *
 * <p>Every {@link SQLException} means that the answer is unknown, which is never the same as "no
 * consent" and never the same as "no block": nothing may be decided on it.
 */
public final class ConsentRegistry {
  private static final Logger LOG = LoggerFactory.getLogger(ConsentRegistry.class);

  /** About 64 MB: some 200,000 people with a consent each, or half a million without. */
  private static final long DEFAULT_CACHE_BYTES = 64L << 20;

  private static final int STRIPES = 1024;
  private static final int MAX_INTERNED = 10_000;

  private static final String COLUMNS =
      "id, version, state, purpose, recipients, categories, valid_from, valid_to";

  /** 128 bits, a third of the memory of the hexadecimal form. */
  private record Key(long high, long low) {
    static Key of(Pseudonym subject) {
      String hex = subject.value();
      return new Key(
          Long.parseUnsignedLong(hex, 0, 16, 16), Long.parseUnsignedLong(hex, 16, 32, 16));
    }

    int stripe() {
      return (int) (high ^ low) & (STRIPES - 1);
    }
  }

  /**
   * A write inside somebody else's transaction. Its cache entry goes, and listeners hear of it,
   * when {@link #committed} is called.
   *
   * @param changed false when the same content was recorded before
   */
  public record Change(ConsentFact fact, Pseudonym subject, boolean changed) {}

  private record Stored(ConsentFact fact, Pseudonym subject, String captured) {
    boolean says(NewConsent consent) {
      return subject.equals(consent.subject())
          && fact.equals(factOf(consent))
          && captured.equals(consent.captured());
    }
  }

  private final DataSource database;
  private final InstantSource clock;
  private final Cache<Key, List<ConsentFact>> cache;
  private final AtomicLongArray generations = new AtomicLongArray(STRIPES);
  private final Map<Set<String>, Set<String>> interned = new ConcurrentHashMap<>();
  private final List<Consumer<Pseudonym>> listeners = new CopyOnWriteArrayList<>();

  public ConsentRegistry(DataSource database, InstantSource clock) {
    this(database, clock, DEFAULT_CACHE_BYTES);
  }

  /**
   * @param cacheBytes roughly how much memory the cache may take
   */
  public ConsentRegistry(DataSource database, InstantSource clock, long cacheBytes) {
    this.database = database;
    this.clock = clock;
    this.cache =
        Caffeine.newBuilder()
            .maximumWeight(cacheBytes)
            .weigher((Key key, List<ConsentFact> facts) -> 130 + 220 * facts.size())
            .build();
  }

  // ---- reading

  /**
   * The newest version of each consent and block of each person, ordered by id; an empty list for a
   * person who has none. One query for all that are not in the cache, none when all are.
   */
  public Map<Pseudonym, List<ConsentFact>> findAll(Collection<Pseudonym> subjects)
      throws SQLException {
    Map<Pseudonym, List<ConsentFact>> found = HashMap.newHashMap(subjects.size());
    List<Pseudonym> missing = new ArrayList<>();
    for (Pseudonym subject : subjects) {
      if (found.containsKey(subject)) {
        continue;
      }
      List<ConsentFact> cached = cache.getIfPresent(Key.of(subject));
      found.put(subject, cached == null ? List.of() : cached);
      if (cached == null) {
        missing.add(subject);
      }
    }
    if (!missing.isEmpty()) {
      found.putAll(load(missing));
    }
    return found;
  }

  /** {@link #findAll} for one person. */
  public List<ConsentFact> find(Pseudonym subject) throws SQLException {
    List<ConsentFact> cached = cache.getIfPresent(Key.of(subject));
    return cached != null ? cached : load(List.of(subject)).getOrDefault(subject, List.of());
  }

  private Map<Pseudonym, List<ConsentFact>> load(List<Pseudonym> subjects) throws SQLException {
    Key[] keys = new Key[subjects.size()];
    long[] before = new long[keys.length];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = Key.of(subjects.get(i));
      // Read before the query: a write that commits after this is seen by the query, or moves it.
      before[i] = generations.get(keys[i].stripe());
    }
    Map<Pseudonym, List<ConsentFact>> loaded = query(subjects);
    for (int i = 0; i < keys.length; i++) {
      List<ConsentFact> facts = List.copyOf(loaded.getOrDefault(subjects.get(i), List.of()));
      loaded.put(subjects.get(i), facts);
      keep(keys[i], before[i], facts);
    }
    return loaded;
  }

  /** Atomic with {@link #invalidate} of the same key: what is stale stays out, or is removed. */
  private void keep(Key key, long before, List<ConsentFact> facts) {
    cache.asMap().compute(key, (k, old) -> generations.get(k.stripe()) == before ? facts : old);
  }

  private Map<Pseudonym, List<ConsentFact>> query(List<Pseudonym> subjects) throws SQLException {
    byte[][] bytes = new byte[subjects.size()][];
    for (int i = 0; i < bytes.length; i++) {
      bytes[i] = subjects.get(i).bytes();
    }
    Map<Pseudonym, List<ConsentFact>> found = HashMap.newHashMap(bytes.length);
    try (Connection connection = database.getConnection();
        PreparedStatement statement =
            connection.prepareStatement(
                "SELECT DISTINCT ON (id) "
                    + COLUMNS
                    + ", subject, captured FROM consent WHERE subject = ANY (?)"
                    + " ORDER BY id, version DESC")) {
      Array array = connection.createArrayOf("bytea", bytes);
      statement.setArray(1, array);
      try (ResultSet rows = statement.executeQuery()) {
        while (rows.next()) {
          Stored stored = stored(rows);
          found.computeIfAbsent(stored.subject(), s -> new ArrayList<>()).add(stored.fact());
        }
      }
      if (!connection.getAutoCommit()) {
        connection.commit();
      }
    }
    return found;
  }

  private Stored stored(ResultSet row) throws SQLException {
    Timestamp validTo = row.getTimestamp(8);
    ConsentFact fact =
        new ConsentFact(
            row.getString(1),
            row.getInt(2),
            State.valueOf(row.getString(3)),
            row.getString(4).intern(),
            intern(row.getArray(5)),
            intern(row.getArray(6)),
            row.getTimestamp(7).toInstant(),
            validTo == null ? null : validTo.toInstant());
    return new Stored(fact, Pseudonym.of(row.getBytes(9)), row.getString(10));
  }

  /** The same few sets stand in millions of rows. */
  private Set<String> intern(Array array) throws SQLException {
    Set<String> set = Set.of((String[]) array.getArray());
    if (set.isEmpty()) {
      return Set.of();
    }
    Set<String> known = interned.get(set);
    if (known != null) {
      return known;
    }
    if (interned.size() < MAX_INTERNED) {
      interned.put(set, set);
    }
    return set;
  }

  // ---- writing

  /**
   * Records a version in a transaction of its own.
   *
   * @return the version; of a repeated request, the one it made the first time
   * @throws ConsentConflictException when the consent is at another version than expected
   */
  public ConsentFact write(NewConsent consent) throws SQLException {
    return transact(consent.subject(), connection -> consent);
  }

  /**
   * Records a version inside the caller's transaction, so that it stands or falls with what else is
   * written there. The caller calls {@link #committed} right after the commit, before telling
   * anyone; if the outcome of the commit is unknown, {@link #invalidate}.
   *
   * @throws ConsentConflictException when the consent is at another version than expected; the
   *     transaction can go on
   */
  public Change write(Connection connection, NewConsent consent) throws SQLException {
    int version = consent.expectedVersion() + 1;
    Stored same = at(connection, consent.id(), version);
    if (same == null) {
      checkNext(connection, consent);
      if (insert(connection, consent)) {
        return new Change(factOf(consent), consent.subject(), true);
      }
      same = at(connection, consent.id(), version);
    }
    if (same == null || !same.says(consent)) {
      int newest = newest(connection, consent.id());
      throw new ConsentConflictException(
          "The consent is at version "
              + newest
              + ", not "
              + consent.expectedVersion()
              + "; read it again and repeat the change on it",
          newest);
    }
    return new Change(same.fact(), same.subject(), false);
  }

  /** After the commit of a transaction with {@link #write(Connection, NewConsent)} in it. */
  public void committed(Change change) {
    invalidate(change.subject());
    // A repeated request too: its first answer may have been lost between commit and telling.
    tell(change.subject());
  }

  /**
   * Withdraws a consent. Repeating it gives the same answer.
   *
   * @param captured how it was withdrawn; no personal values
   * @throws ConsentConflictException when the id is unknown, at another version, or a block
   */
  public ConsentFact withdraw(UUID id, int expectedVersion, String captured) throws SQLException {
    return transact(null, c -> withdrawal(c, id, expectedVersion, captured));
  }

  /** The withdrawal to be written inside the caller's transaction; see {@link #withdraw}. */
  public NewConsent withdrawal(Connection connection, UUID id, int expectedVersion, String captured)
      throws SQLException {
    Stored current = existing(connection, id, expectedVersion);
    if (current.fact().state() == State.BLOCKED) {
      throw new ConsentConflictException(
          "This is a block, which is lifted and not withdrawn; lift it", expectedVersion);
    }
    return next(current, State.WITHDRAWN, current.fact().validTo(), captured);
  }

  /**
   * Lifts a block from an instant on. Repeating it with the same instant gives the same answer.
   *
   * @throws ConsentConflictException when the id is unknown, at another version, or a consent
   */
  public ConsentFact lift(UUID id, int expectedVersion, Instant endsAt, String captured)
      throws SQLException {
    return transact(null, c -> lifting(c, id, expectedVersion, endsAt, captured));
  }

  /** The lifting to be written inside the caller's transaction; see {@link #lift}. */
  public NewConsent lifting(
      Connection connection, UUID id, int expectedVersion, Instant endsAt, String captured)
      throws SQLException {
    Stored current = existing(connection, id, expectedVersion);
    if (current.fact().state() != State.BLOCKED) {
      throw new ConsentConflictException(
          "This is a consent, which is withdrawn and not lifted; withdraw it", expectedVersion);
    }
    Instant begun = current.fact().validFrom();
    return next(current, State.BLOCKED, endsAt.isBefore(begun) ? begun : endsAt, captured);
  }

  /** Forgets what is cached about a person: another instance has written. */
  public void invalidate(Pseudonym subject) {
    Key key = Key.of(subject);
    generations.incrementAndGet(key.stripe());
    cache.invalidate(key);
  }

  /**
   * Calls the listener after each write has been committed and can be seen, on the writer's thread.
   * A listener is quick; its failure is logged and undoes nothing.
   */
  public void onChange(Consumer<Pseudonym> listener) {
    listeners.add(listener);
  }

  private void tell(Pseudonym subject) {
    for (Consumer<Pseudonym> listener : listeners) {
      try {
        listener.accept(subject);
      } catch (RuntimeException e) {
        LOG.error("A listener failed after a consent was recorded", e);
      }
    }
  }

  /** What to write, once the transaction is open. */
  private interface Preparation {
    NewConsent in(Connection connection) throws SQLException;
  }

  private ConsentFact transact(@Nullable Pseudonym known, Preparation preparation)
      throws SQLException {
    Pseudonym subject = known;
    Change change;
    try (Connection connection = database.getConnection()) {
      boolean autoCommit = connection.getAutoCommit();
      connection.setAutoCommit(false);
      try {
        NewConsent consent = preparation.in(connection);
        subject = consent.subject();
        change = write(connection, consent);
        connection.commit();
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        throw e;
      } finally {
        connection.setAutoCommit(autoCommit);
      }
    } catch (SQLException e) {
      // The commit may have happened all the same.
      if (subject != null) {
        invalidate(subject);
      }
      throw e;
    }
    committed(change);
    return change.fact();
  }

  /** The rules between a version and the one before it. */
  private void checkNext(Connection connection, NewConsent consent) throws SQLException {
    int newest = newest(connection, consent.id());
    if (newest != consent.expectedVersion()) {
      throw new ConsentConflictException(
          newest == 0
              ? "There is no consent with this id; correct the id, or record it as version 0"
              : "The consent is at version "
                  + newest
                  + ", not "
                  + consent.expectedVersion()
                  + "; read it again and repeat the change on it",
          newest);
    }
    Stored current = newest == 0 ? null : at(connection, consent.id(), newest);
    if (current == null) {
      return;
    }
    boolean block = current.fact().state() == State.BLOCKED;
    boolean sameKind = block == (consent.state() == State.BLOCKED);
    if (!sameKind || !current.subject().equals(consent.subject())) {
      throw new ConsentConflictException(
          "The id is in use for something else; choose a new id", newest);
    }
  }

  private Stored existing(Connection connection, UUID id, int version) throws SQLException {
    Stored stored = at(connection, id, version);
    if (stored == null) {
      int newest = newest(connection, id);
      throw new ConsentConflictException(
          newest == 0
              ? "There is no consent with this id; correct the id"
              : "The consent is at version " + newest + ", not " + version + "; read it again",
          newest);
    }
    return stored;
  }

  private static NewConsent next(
      Stored current, State state, @Nullable Instant validTo, String captured) {
    ConsentFact fact = current.fact();
    return new NewConsent(
        UUID.fromString(fact.id()),
        fact.version(),
        current.subject(),
        state,
        fact.purpose(),
        fact.recipients(),
        fact.categories(),
        fact.validFrom(),
        validTo,
        captured);
  }

  private @Nullable Stored at(Connection connection, UUID id, int version) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "SELECT "
                + COLUMNS
                + ", subject, captured FROM consent WHERE id = ? AND version = ?")) {
      statement.setObject(1, id);
      statement.setInt(2, version);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? stored(rows) : null;
      }
    }
  }

  private static int newest(Connection connection, UUID id) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement("SELECT max(version) FROM consent WHERE id = ?")) {
      statement.setObject(1, id);
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? rows.getInt(1) : 0;
      }
    }
  }

  /** False when another transaction has taken the version: it waits for that one to end. */
  private boolean insert(Connection connection, NewConsent consent) throws SQLException {
    try (PreparedStatement statement =
        connection.prepareStatement(
            "INSERT INTO consent ("
                + COLUMNS
                + ", subject, captured, recorded_at)"
                + " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")) {
      statement.setObject(1, consent.id());
      statement.setInt(2, consent.expectedVersion() + 1);
      statement.setString(3, consent.state().name());
      statement.setString(4, consent.purpose());
      statement.setArray(5, texts(connection, consent.recipients()));
      statement.setArray(6, texts(connection, consent.categories()));
      statement.setTimestamp(7, Timestamp.from(consent.validFrom()));
      Instant validTo = consent.validTo();
      statement.setTimestamp(8, validTo == null ? null : Timestamp.from(validTo));
      statement.setBytes(9, consent.subject().bytes());
      statement.setString(10, consent.captured());
      statement.setTimestamp(11, Timestamp.from(clock.instant()));
      return statement.executeUpdate() == 1;
    }
  }

  private static Array texts(Connection connection, Set<String> texts) throws SQLException {
    return connection.createArrayOf("text", new TreeSet<>(texts).toArray());
  }

  private static ConsentFact factOf(NewConsent consent) {
    return new ConsentFact(
        consent.id().toString(),
        consent.expectedVersion() + 1,
        consent.state(),
        consent.purpose(),
        consent.recipients(),
        consent.categories(),
        consent.validFrom(),
        consent.validTo());
  }
}
