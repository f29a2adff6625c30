package no.bindeledd.reading;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.Shard;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * Answers queries on the ledger, newest first, a page at a time. In a shard that is the order of
 * the log; between shards the time decides, then the number. Does not itself record the reading.
 * Thread-safe.
 *
 * <p>What is not in the index yet, above all the newest entries, is looked through by the database;
 * elsewhere {@link EntryIndex} says where to look. Every entry is compared with the query before it
 * is given out.
 */
public final class EntrySearch {
  public static final int MAX_LIMIT = 1000;

  /** By what each shard has next. */
  private static final Comparator<Deque<AuditReader.Found>> NEWEST_FIRST =
      Comparator.<Deque<AuditReader.Found>, Instant>comparing(shard -> shard.element().entry().at())
          .thenComparing(shard -> shard.element().index())
          .reversed();

  private final DataSource source;

  public EntrySearch(DataSource source) {
    this.source = source;
  }

  /**
   * One page.
   *
   * @param begin where it began
   * @param more false on the last
   */
  public record Page(List<AuditReader.Found> entries, Place begin, boolean more) {
    /** Give this to {@link #search} for the next, older page; null on the last. */
    public @Nullable Place before() {
      return more ? behind(entries.size()) : null;
    }

    /** The place behind the first entries of the page. */
    public Place behind(int first) {
      Place place = begin;
      for (AuditReader.Found found : entries.subList(0, first)) {
        place = place.behind(found.index());
      }
      return place;
    }
  }

  /**
   * @param before where the page before this one ended; null for the newest
   * @param limit 1 to {@link #MAX_LIMIT}
   * @throws LedgerException when an entry is damaged so that it cannot be read
   */
  public Page search(EntryQuery query, @Nullable Place before, int limit) throws SQLException {
    if (limit < 1 || limit > MAX_LIMIT) {
      throw new IllegalArgumentException("limit is 1 to " + MAX_LIMIT);
    }
    try (Connection connection = source.getConnection()) {
      SortedMap<Shard, Long> ends = new TreeMap<>();
      Queue<Deque<AuditReader.Found>> shards = new PriorityQueue<>(NEWEST_FIRST);
      Blocks blocks = Blocks.read(connection);
      for (Shard shard : Shard.all(connection)) {
        Long place = before == null ? Long.valueOf(Long.MAX_VALUE) : before.before().get(shard);
        if (place != null) {
          long end = Math.min(place, AuditReader.next(connection, shard, blocks.end(shard)));
          ends.put(shard, end);
          Deque<AuditReader.Found> found =
              in(connection, blocks.stretches(shard.first(), end), query, end, limit + 1);
          if (!found.isEmpty()) {
            shards.add(found);
          }
        }
      }
      List<AuditReader.Found> page = new ArrayList<>();
      while (!shards.isEmpty() && page.size() < limit) {
        Deque<AuditReader.Found> newest = shards.remove();
        page.add(newest.removeFirst());
        if (!newest.isEmpty()) {
          shards.add(newest);
        }
      }
      return new Page(List.copyOf(page), new Place(ends), !shards.isEmpty());
    }
  }

  /** The newest of one shard that are asked for. */
  private static Deque<AuditReader.Found> in(
      Connection connection, List<Blocks.Stretch> stretches, EntryQuery query, long end, int wanted)
      throws SQLException {
    List<AuditReader.Found> found = new ArrayList<>();
    IndexLookup index = null;
    for (Blocks.Stretch stretch : stretches.reversed()) {
      if (found.size() >= wanted) {
        break;
      }
      long to = Math.min(stretch.to(), end);
      List<Blocks.Block> blocks = within(stretch.blocks(), query, to);
      if (blocks.isEmpty() && !stretch.blocks().isEmpty()) {
        continue; // at another time
      }
      index = index == null ? IndexLookup.of(connection, query) : index;
      if (blocks.isEmpty()) {
        lookThrough(connection, query, stretch.from(), to, wanted, found);
      } else if (index.everything()) {
        long first = Steps.from(connection, blocks.getFirst(), query.from());
        long last = Math.min(Steps.to(connection, blocks.getLast(), query.to()), to);
        lookThrough(connection, query, first, last, wanted, found);
      } else {
        behind(connection, index, query, blocks, to, wanted, found);
      }
    }
    return new ArrayDeque<>(found);
  }

  /** Takes every entry that is asked for, oldest first. */
  public interface Taker {
    void take(long index, AuditEntry entry) throws SQLException;
  }

  /**
   * Every entry that is asked for, oldest first, in constant memory; the index is used for the time
   * alone.
   *
   * @throws LedgerException when an entry is damaged so that it cannot be read
   */
  public static void all(Connection connection, EntryQuery query, Taker taker) throws SQLException {
    AuditReader.Visitor visitor =
        (index, entry) -> {
          if (entry == null) {
            throw new LedgerException(
                "Entry " + index + " is damaged and cannot be read: run the verification");
          }
          if (query.matches(entry)) {
            taker.take(index, entry);
          }
        };
    for (Blocks.Stretch stretch : stretches(connection)) {
      if (stretch.blocks().isEmpty()) {
        AuditReader.scan(connection, stretch.from(), stretch.to(), visitor);
      }
      for (Blocks.Block block : within(stretch.blocks(), query, stretch.to())) {
        AuditReader.scan(connection, block.from(), block.to(), visitor);
      }
    }
  }

  /**
   * What names a person, and every entry of the same messages, such as receipts; by number.
   *
   * @throws LedgerException when an entry is damaged so that it cannot be read
   */
  public static List<AuditReader.Found> about(Connection connection, Pseudonym person)
      throws SQLException {
    TreeMap<Long, AuditReader.Found> about = new TreeMap<>();
    EntryQuery query = EntryQuery.ALL.about(person);
    exact(
        connection,
        Terms.Kind.SUBJECT,
        List.of(person.value()),
        AuditReader.Narrowing.subject(person),
        found -> {
          if (query.matches(found.entry())) {
            about.put(found.index(), found);
          }
        });
    Set<String> messages = new HashSet<>();
    for (AuditReader.Found found : about.values()) {
      if (found.entry().message() != null) {
        messages.add(found.entry().message());
      }
    }
    if (!messages.isEmpty()) {
      exact(
          connection,
          Terms.Kind.MESSAGE,
          messages,
          AuditReader.Narrowing.messages(messages),
          found -> {
            String message = found.entry().message();
            if (message != null && messages.contains(message)) {
              about.putIfAbsent(found.index(), found);
            }
          });
    }
    return List.copyOf(about.values());
  }

  private static void exact(
      Connection connection,
      Terms.Kind kind,
      Collection<String> values,
      AuditReader.Narrowing narrowing,
      Consumer<AuditReader.Found> taker)
      throws SQLException {
    Set<Terms.Term> terms =
        values.stream().map(value -> Terms.term(kind, value)).collect(Collectors.toSet());
    for (Blocks.Stretch stretch : stretches(connection)) {
      if (stretch.blocks().isEmpty()) {
        AuditReader.newest(connection, stretch.from(), stretch.to(), narrowing, Integer.MAX_VALUE)
            .forEach(taker);
      } else {
        Set<Long> places = IndexLookup.places(connection, terms, stretch.blocks());
        AuditReader.at(connection, places).forEach(taker);
      }
    }
  }

  /** The whole ledger, shard by shard. */
  private static List<Blocks.Stretch> stretches(Connection connection) throws SQLException {
    List<Blocks.Stretch> stretches = new ArrayList<>();
    Blocks blocks = Blocks.read(connection);
    for (Shard shard : Shard.all(connection)) {
      stretches.addAll(blocks.stretches(shard.first(), shard.end()));
    }
    return stretches;
  }

  private static List<Blocks.Block> within(
      List<Blocks.Block> blocks, EntryQuery query, long before) {
    return blocks.stream()
        .filter(
            block ->
                block.from() < before
                    && (query.from() == null || !block.latest().isBefore(query.from()))
                    && (query.to() == null || block.earliest().isBefore(query.to())))
        .toList();
  }

  /** Has the database look at every entry of a part, from its end. */
  private static void lookThrough(
      Connection connection,
      EntryQuery query,
      long from,
      long to,
      int wanted,
      List<AuditReader.Found> found)
      throws SQLException {
    AuditReader.Narrowing narrowing = query.narrowing();
    long end = to;
    while (found.size() < wanted) {
      int missing = wanted - found.size();
      List<AuditReader.Found> some = AuditReader.newest(connection, from, end, narrowing, missing);
      for (AuditReader.Found each : some) {
        if (query.matches(each.entry())) {
          found.add(each);
        }
      }
      if (some.size() < missing) {
        return;
      }
      end = some.getLast().index();
    }
  }

  private static void behind(
      Connection connection,
      IndexLookup index,
      EntryQuery query,
      List<Blocks.Block> blocks,
      long end,
      int wanted,
      List<AuditReader.Found> found)
      throws SQLException {
    List<Blocks.Block> left = blocks;
    while (found.size() < wanted && !left.isEmpty()) {
      IndexLookup.Hits hits = index.newest(connection, left);
      List<Long> places = new ArrayList<>(hits.places());
      places.removeIf(place -> place >= end);
      places.sort(Comparator.reverseOrder());
      for (int i = 0; i < places.size() && found.size() < wanted; i += wanted) {
        List<Long> some = places.subList(i, Math.min(places.size(), i + wanted));
        for (AuditReader.Found each : AuditReader.at(connection, some)) {
          if (found.size() < wanted && query.matches(each.entry())) {
            found.add(each);
          }
        }
      }
      left = hits.left();
    }
  }
}
