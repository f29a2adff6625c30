package no.bindeledd.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import javax.sql.DataSource;
import no.bindeledd.audit.Appended;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.Station;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.reading.EntryIndex;
import no.bindeledd.reading.EntryQuery;
import no.bindeledd.reading.EntrySearch;

/**
 * How long queries on a long ledger take, and what the index costs. The ledger is like a year of a
 * busy house: decisions and their receipts, in many thousand combinations of sender, receiver,
 * exchange, outcome and rules, 200,000 people, a trace for each message; 50 messages a second.
 */
public final class LedgerSearch {
  private static final String ORIGIN = "bench.example/search";
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
  private static final int PEOPLE = 200_000;
  private static final int SENDERS = 60;
  private static final int RECEIVERS = 300;
  private static final int BATCH = 4_000;
  private static final int SPACING = 20; // milliseconds between entries
  private static final List<String> EXCHANGES =
      List.of(
          "dropout-notice", "measure-event", "follow-up-plan", "youth-referral", "rights-query");
  private static final HexFormat HEX = HexFormat.of();

  private final DataSource source;
  private final Consumer<String> saying;

  public LedgerSearch(DataSource source, Consumer<String> saying) {
    this.source = source;
    this.saying = saying;
  }

  /** Milliseconds that one query took, the first time and then the median. */
  public record Took(String what, int found, double first, double median, double slowest) {}

  /** Writes a ledger of so many entries, as the hub does, and says how fast. */
  public void fill(Path folder, long entries) throws SQLException, IOException {
    LogKey key = LogKey.open(folder.resolve("log.key"), ORIGIN);
    long started = System.nanoTime();
    try (Ledger ledger = Ledger.open(source, key, ORIGIN, InstantSource.system());
        Connection connection = source.getConnection()) {
      connection.setAutoCommit(false);
      while (ledger.size() < entries) {
        long from = ledger.size();
        List<AuditEntry> batch = new ArrayList<>(BATCH);
        for (long i = from; i < Math.min(entries, from + BATCH); i++) {
          batch.add(entry(i));
        }
        Appended appended = ledger.append(connection, batch);
        connection.commit();
        ledger.confirm(appended);
        if (from % 1_000_000 < BATCH) {
          saying.accept("%,d entries after %.0f s".formatted(from, seconds(started)));
        }
      }
    }
    saying.accept("%,d entries written in %.0f s".formatted(entries, seconds(started)));
  }

  /** Indexes what is not, and says what it cost. */
  public void index() throws SQLException {
    EntryIndex index = new EntryIndex(source);
    long started = System.nanoTime();
    int blocks = 0;
    while (index.indexNextBlock()) {
      blocks++;
    }
    saying.accept(
        "%,d blocks indexed in %.1f s, %.1f µs an entry"
            .formatted(blocks, seconds(started), seconds(started) * 1e6 / (blocks * 32_768.0)));
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("VACUUM ANALYZE audit_term");
      statement.execute("VACUUM ANALYZE audit_posting");
      statement.execute("VACUUM ANALYZE audit_flow");
    }
  }

  /** Asks each kind of query so many times, for something else each time, in pages of 100. */
  public List<Took> measure(long entries, int rounds) throws SQLException {
    EntrySearch search = new EntrySearch(source);
    List<Took> all = new ArrayList<>();
    for (Map.Entry<String, java.util.function.LongFunction<EntryQuery>> kind : kinds().entrySet()) {
      double[] millis = new double[rounds];
      int found = 0;
      for (int i = 0; i < rounds; i++) {
        long some = new SplittableRandom(i).nextLong(entries) & ~1L; // a decision
        EntryQuery query = kind.getValue().apply(some);
        long started = System.nanoTime();
        found = search.search(query, null, 100).entries().size();
        millis[i] = seconds(started) * 1e3;
      }
      double first = millis[0];
      Arrays.sort(millis);
      all.add(new Took(kind.getKey(), found, first, millis[rounds / 2], millis[rounds - 1]));
    }
    return all;
  }

  private static Map<String, java.util.function.LongFunction<EntryQuery>> kinds() {
    Map<String, java.util.function.LongFunction<EntryQuery>> kinds = new LinkedHashMap<>();
    kinds.put("the newest", i -> EntryQuery.ALL);
    kinds.put("person", i -> EntryQuery.ALL.about(person(i)));
    kinds.put("message", i -> query(message(i), null, null, null, null, null, null, null));
    kinds.put("trace", i -> query(null, trace(i), null, null, null, null, null, null));
    kinds.put("organisation", i -> query(null, null, receiver(i), null, null, null, null, null));
    kinds.put("exchange", i -> query(null, null, null, exchange(i), null, null, null, null));
    kinds.put("outcome", i -> query(null, null, null, null, outcome(i), null, null, null));
    kinds.put("rare outcome", i -> query(null, null, null, null, "DEIDENTIFIED", null, null, null));
    kinds.put("rule", i -> query(null, null, null, null, null, rule(i), null, null));
    kinds.put("rule, any version", i -> query(null, null, null, null, null, "basis-3", null, null));
    kinds.put(
        "an hour", i -> query(null, null, null, null, null, null, at(i), at(i).plusSeconds(3600)));
    kinds.put(
        "organisation, outcome, an hour",
        i -> query(null, null, receiver(i), null, "REFUSED", null, at(i), at(i).plusSeconds(3600)));
    kinds.put(
        "exchange, sender, rule, outcome",
        i -> query(null, null, sender(i), exchange(i), "REFUSED", rule(i), null, null));
    kinds.put(
        "person, exchange, outcome",
        i -> query(null, null, null, exchange(i), outcome(i), null, null, null).about(person(i)));
    kinds.put("nothing there", i -> query(null, null, null, "no-such", null, null, null, null));
    kinds.put("nobody there", i -> EntryQuery.ALL.about(person(PEOPLE * 2000L + i)));
    return kinds;
  }

  private static EntryQuery query(
      @org.jspecify.annotations.Nullable String message,
      @org.jspecify.annotations.Nullable String trace,
      @org.jspecify.annotations.Nullable String organisation,
      @org.jspecify.annotations.Nullable String exchange,
      @org.jspecify.annotations.Nullable String outcome,
      @org.jspecify.annotations.Nullable String rule,
      @org.jspecify.annotations.Nullable Instant from,
      @org.jspecify.annotations.Nullable Instant to) {
    return new EntryQuery(null, message, trace, organisation, exchange, outcome, rule, from, to);
  }

  /** Even ones are decisions, odd ones the receipts of those before them. */
  @SuppressWarnings("NullAway") // it does not read a nullable array from class files
  private static AuditEntry entry(long i) {
    if (i % 2 == 1) {
      return AuditEntry.plain(
          at(i),
          Station.DELIVER,
          exchange(i - 1),
          sender(i - 1),
          receiver(i - 1),
          null,
          message(i - 1),
          "00-" + trace(i - 1) + "-00f067aa0ba902b7-01",
          "DELIVERED",
          "DELIVERED",
          null);
    }
    byte[] salt = bytes(i, 7);
    return new AuditEntry(
        at(i),
        Station.DECIDE,
        exchange(i),
        sender(i),
        receiver(i),
        person(i),
        message(i),
        "00-" + trace(i) + "-00f067aa0ba902b7-01",
        outcome(i),
        outcome(i),
        List.of(rule(i), "forvaltningsloven-13b-5@2"),
        "agreement-" + spread(i, 1) % SENDERS % 40 + "@1",
        List.of("00000000-7ab1-3f5c-0000-00000000002a@1"),
        "sha256:0123456789abcdef",
        "sha256:0123456789abcdef",
        List.of("/referanse", "/foedselsnummer", "/navn/fornavn", "/avbrudd/dato"),
        List.of(),
        AuditEntry.payloadHash(salt, salt),
        salt,
        null);
  }

  private static long spread(long i, int what) {
    return new SplittableRandom(i * 16 + what).nextLong() >>> 1;
  }

  private static byte[] bytes(long i, int what) {
    byte[] bytes = new byte[16];
    new SplittableRandom(i * 16 + what).nextBytes(bytes);
    return bytes;
  }

  private static Instant at(long i) {
    return START.plusMillis(i * SPACING);
  }

  private static String exchange(long i) {
    return EXCHANGES.get((int) (spread(i, 0) % EXCHANGES.size()));
  }

  private static String sender(long i) {
    return String.valueOf(310_000_000L + spread(i, 1) % SENDERS);
  }

  /** A sender's messages go to a few of the receivers. */
  private static String receiver(long i) {
    long sender = spread(i, 1) % SENDERS;
    return String.valueOf(320_000_000L + (sender * 5 + spread(i, 2) % 10) % RECEIVERS);
  }

  private static Pseudonym person(long i) {
    long number = i > PEOPLE * 1000L ? i : spread(i, 3) % PEOPLE;
    return new Pseudonym(HEX.formatHex(bytes(number, 8)));
  }

  private static String message(long i) {
    return HEX.formatHex(bytes(i, 4));
  }

  private static String trace(long i) {
    return HEX.formatHex(bytes(i, 5));
  }

  private static String outcome(long i) {
    long one = spread(i, 9) % 1000;
    return one == 0 ? "DEIDENTIFIED" : one < 100 ? "REFUSED" : one < 200 ? "HELD" : "RELEASED";
  }

  private static String rule(long i) {
    return "basis-" + spread(i, 0) % EXCHANGES.size() + "@" + (1 + spread(i, 10) % 2);
  }

  private static double seconds(long started) {
    return (System.nanoTime() - started) / 1e9;
  }
}
