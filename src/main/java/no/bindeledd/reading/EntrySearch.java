package no.bindeledd.reading;

import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.Shard;
import org.jspecify.annotations.Nullable;

/**
 * Answers queries on the ledger, newest first, a page at a time. In a shard that is the order of
 * the log; between shards the time decides, then the number. Does not itself record the reading.
 * Thread-safe.
 *
 * <p>The newest entries, not yet a whole block, are looked through; behind them {@link EntryIndex}
 * says where to look. Every entry is compared with the query before it is given out.
 */
public final class EntrySearch {
  public static final int MAX_LIMIT = 1000;

  /** Blocks whose postings are read at a time. */
  private static final int BLOCKS = 32;

  private static final int LEAST_READ = 256;

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

  /** The blocks that may hold what is asked for; both ends included. */
  private record Range(int first, int last) {}

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
      for (Shard shard : Shard.all(connection)) {
        Long place = before == null ? Long.valueOf(Long.MAX_VALUE) : before.before().get(shard);
        if (place != null) {
          long end = Math.min(place, AuditReader.next(connection, shard));
          ends.put(shard, end);
          Deque<AuditReader.Found> found = in(connection, shard, query, end, limit + 1);
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
      Connection connection, Shard shard, EntryQuery query, long end, int wanted)
      throws SQLException {
    long indexed = Math.min(indexed(connection, shard), end);
    List<AuditReader.Found> found = new ArrayList<>();
    newest(connection, query, indexed, end, wanted, found);
    if (found.size() < wanted) {
      behind(connection, shard, query, indexed, wanted, found);
    }
    return new ArrayDeque<>(found);
  }

  /** Takes every entry that is asked for, shard by shard, oldest first. */
  public interface Taker {
    void take(long index, AuditEntry entry) throws SQLException;
  }

  /**
   * Every entry that is asked for, shard by shard, oldest first, in constant memory; the index is
   * used for the time alone.
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
    for (Shard shard : Shard.all(connection)) {
      long indexed = indexed(connection, shard);
      Range range = range(connection, shard, query, indexed);
      if (range != null) {
        AuditReader.scan(
            connection,
            (long) range.first() * EntryIndex.BLOCK,
            (range.last() + 1L) * EntryIndex.BLOCK,
            visitor);
      }
      AuditReader.scan(connection, indexed, AuditReader.next(connection, shard), visitor);
    }
  }

  /** Looks through a stretch without an index, from its end. */
  private static void newest(
      Connection connection,
      EntryQuery query,
      long from,
      long to,
      int wanted,
      List<AuditReader.Found> found)
      throws SQLException {
    long end = to;
    while (end > from && found.size() < wanted) {
      long start = Math.max(from, end - 1024);
      List<Long> hits = new ArrayList<>();
      AuditReader.scan(
          connection,
          start,
          end,
          (index, entry) -> {
            if (entry == null || query.matches(entry)) {
              hits.add(index); // a damaged one too: reading it says so
            }
          });
      take(connection, query, hits, wanted, found);
      end = start;
    }
  }

  private static void behind(
      Connection connection,
      Shard shard,
      EntryQuery query,
      long end,
      int wanted,
      List<AuditReader.Found> found)
      throws SQLException {
    Range range = range(connection, shard, query, end);
    if (range == null) {
      return;
    }
    Set<Long> exact = exact(connection, query, range, end);
    if (exact != null) {
      List<Long> places = new ArrayList<>(exact);
      places.sort(Collections.reverseOrder());
      places(connection, query, places, wanted, found);
      return;
    }
    Integer[] flows = flows(connection, query);
    if (flows == null) {
      long first = (long) range.first() * EntryIndex.BLOCK;
      long behind = Math.min(end, (range.last() + 1L) * EntryIndex.BLOCK);
      newest(connection, query, first, behind, wanted, found);
      return;
    }
    long last = flows.length == 0 ? -1 : range.last();
    while (found.size() < wanted && last >= range.first()) {
      TreeMap<Integer, List<Long>> blocks = postings(connection, flows, range.first(), last);
      if (blocks.isEmpty()) {
        return;
      }
      for (List<Long> places : blocks.descendingMap().values()) {
        places.removeIf(place -> place >= end);
        places.sort(Collections.reverseOrder());
        places(connection, query, places, wanted, found);
      }
      last = blocks.firstKey() - 1;
    }
  }

  private static void places(
      Connection connection,
      EntryQuery query,
      List<Long> places,
      int wanted,
      List<AuditReader.Found> found)
      throws SQLException {
    int portion = Math.max(wanted, LEAST_READ);
    for (int i = 0; i < places.size() && found.size() < wanted; i += portion) {
      List<Long> some = places.subList(i, Math.min(places.size(), i + portion));
      take(connection, query, some, wanted, found);
    }
  }

  /** Reads these entries, and keeps those that are what is asked for. */
  private static void take(
      Connection connection,
      EntryQuery query,
      List<Long> places,
      int wanted,
      List<AuditReader.Found> found)
      throws SQLException {
    if (places.isEmpty()) {
      return;
    }
    for (AuditReader.Found entry : AuditReader.at(connection, places)) {
      if (found.size() < wanted && query.matches(entry.entry())) {
        found.add(entry);
      }
    }
  }

  private static long indexed(Connection connection, Shard shard) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT next FROM audit_position WHERE reader = ? AND shard = ?")) {
      select.setString(1, EntryIndex.READER);
      select.setInt(2, shard.number());
      try (ResultSet rs = select.executeQuery()) {
        return rs.next() ? rs.getLong(1) : shard.first();
      }
    }
  }

  /** A shard's blocks before an entry whose time is asked for, or null when there are none. */
  private static @Nullable Range range(
      Connection connection, Shard shard, EntryQuery query, long end) throws SQLException {
    String where = query.from() == null ? "" : " AND latest >= ?";
    String until = query.to() == null ? "" : " AND earliest < ?";
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT min(block), max(block) FROM audit_block WHERE block >= ? AND block < ?"
                + where
                + until)) {
      int at = 1;
      select.setLong(at++, shard.first() / EntryIndex.BLOCK);
      select.setLong(at++, (end + EntryIndex.BLOCK - 1) / EntryIndex.BLOCK);
      if (query.from() != null) {
        select.setObject(at++, query.from().atOffset(ZoneOffset.UTC));
      }
      if (query.to() != null) {
        select.setObject(at, query.to().atOffset(ZoneOffset.UTC));
      }
      try (ResultSet rs = select.executeQuery()) {
        rs.next();
        int first = rs.getInt(1);
        return rs.wasNull() ? null : new Range(first, rs.getInt(2));
      }
    }
  }

  /** The places that the exact values asked for share; null when none is asked for. */
  private static @Nullable Set<Long> exact(
      Connection connection, EntryQuery query, Range range, long end) throws SQLException {
    Map<Terms.Kind, String> asked = new HashMap<>();
    if (query.subject() != null) {
      asked.put(Terms.Kind.SUBJECT, query.subject().value());
    }
    if (query.message() != null) {
      asked.put(Terms.Kind.MESSAGE, query.message());
    }
    if (query.trace() != null) {
      asked.put(Terms.Kind.TRACE, query.trace());
    }
    Set<Long> shared = null;
    Terms terms = new Terms();
    for (Map.Entry<Terms.Kind, String> each : asked.entrySet()) {
      Set<Long> places = places(connection, terms.term(each.getKey(), each.getValue()), range, end);
      if (shared == null) {
        shared = places;
      } else {
        shared.retainAll(places);
      }
    }
    return shared;
  }

  private static Set<Long> places(Connection connection, Terms.Term term, Range range, long end)
      throws SQLException {
    Set<Long> places = new HashSet<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT block, terms FROM audit_term WHERE bucket = ? AND block BETWEEN ? AND ?")) {
      select.setInt(1, term.bucket());
      select.setInt(2, range.first());
      select.setInt(3, range.last());
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          long start = rs.getLong(1) * EntryIndex.BLOCK;
          ByteBuffer terms = ByteBuffer.wrap(rs.getBytes(2));
          while (terms.remaining() >= Terms.BYTES) {
            int hash = terms.getInt();
            long place = start + Short.toUnsignedInt(terms.getShort());
            if (hash == term.hash() && place < end) {
              places.add(place);
            }
          }
        }
      }
    }
    return places;
  }

  /** The flows that have what is asked for; null when nothing that makes a flow is asked for. */
  private static Integer @Nullable [] flows(Connection connection, EntryQuery query)
      throws SQLException {
    List<String> conditions = new ArrayList<>();
    List<String> values = new ArrayList<>();
    if (query.exchange() != null) {
      conditions.add("exchange = ?");
      values.add(query.exchange());
    }
    if (query.outcome() != null) {
      conditions.add("outcome = ?");
      values.add(query.outcome());
    }
    if (query.organisation() != null) {
      conditions.add("? IN (sender, receiver)");
      values.add(query.organisation());
    }
    String rule = query.rule();
    if (rule != null) {
      conditions.add("? = ANY (" + (rule.indexOf('@') < 0 ? "rule_ids" : "rules") + ")");
      values.add(rule);
    }
    if (conditions.isEmpty()) {
      return null;
    }
    List<Integer> flows = new ArrayList<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT id FROM audit_flow WHERE " + String.join(" AND ", conditions))) {
      for (int i = 0; i < values.size(); i++) {
        select.setString(i + 1, values.get(i));
      }
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          flows.add(rs.getInt(1));
        }
      }
    }
    return flows.toArray(Integer[]::new);
  }

  /** The places of the flows in the newest blocks that have any, by block. */
  private static TreeMap<Integer, List<Long>> postings(
      Connection connection, Integer[] flows, long first, long last) throws SQLException {
    TreeMap<Integer, List<Long>> places = new TreeMap<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT block, places FROM audit_posting WHERE flow = ANY (?) AND block = ANY (ARRAY("
                + "SELECT DISTINCT block FROM audit_posting"
                + " WHERE flow = ANY (?) AND block BETWEEN ? AND ?"
                + " ORDER BY block DESC LIMIT "
                + BLOCKS
                + "))")) {
      select.setArray(1, connection.createArrayOf("integer", flows));
      select.setArray(2, connection.createArrayOf("integer", flows));
      select.setLong(3, first);
      select.setLong(4, last);
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          int block = rs.getInt(1);
          List<Long> list = places.computeIfAbsent(block, b -> new ArrayList<>());
          ByteBuffer bytes = ByteBuffer.wrap(rs.getBytes(2));
          while (bytes.remaining() >= 2) {
            list.add((long) block * EntryIndex.BLOCK + Short.toUnsignedInt(bytes.getShort()));
          }
        }
      }
    }
    return places;
  }
}
