package no.bindeledd.reading;

import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Where the index says that a query's entries may stand. Subject, message and trace go before the
 * members that few values fill. Immutable.
 *
 * @param terms the exact values that are asked for, all of which must hold
 * @param flows those that have what is asked for; null when nothing that makes a flow is
 */
record IndexLookup(List<Terms.Term> terms, @Nullable List<Integer> flows) {
  /** Blocks whose terms are read at a time: a trace that a sender uses again and again is long. */
  private static final int TERM_BLOCKS = 128;

  private static final int LEAST_BLOCKS = 2;
  private static final int MOST_BLOCKS = 128;

  /** How many look-ups by flow and block at a time, about. */
  private static final int PROBES = 1024;

  /**
   * @param left the blocks, rising, that have not been asked yet
   */
  record Hits(Collection<Long> places, List<Blocks.Block> left) {}

  static IndexLookup of(Connection connection, EntryQuery query) throws SQLException {
    List<Terms.Term> terms = new ArrayList<>();
    if (query.subject() != null) {
      terms.add(Terms.term(Terms.Kind.SUBJECT, query.subject().value()));
    }
    if (query.message() != null) {
      terms.add(Terms.term(Terms.Kind.MESSAGE, query.message()));
    }
    if (query.trace() != null) {
      terms.add(Terms.term(Terms.Kind.TRACE, query.trace()));
    }
    return new IndexLookup(terms, terms.isEmpty() ? flows(connection, query) : null);
  }

  /** Nothing is asked for but, perhaps, a time. */
  boolean everything() {
    return terms.isEmpty() && flows == null;
  }

  /** Places in some of the newest of the blocks. */
  Hits newest(Connection connection, List<Blocks.Block> blocks) throws SQLException {
    if (flows != null) {
      return flows.isEmpty() ? new Hits(List.of(), List.of()) : postings(connection, flows, blocks);
    }
    int from = Math.max(0, blocks.size() - TERM_BLOCKS);
    List<Blocks.Block> some = blocks.subList(from, blocks.size());
    Set<Long> shared = places(connection, Set.of(terms.getFirst()), some);
    for (Terms.Term term : terms.subList(1, terms.size())) {
      if (!shared.isEmpty()) {
        shared.retainAll(places(connection, Set.of(term), some));
      }
    }
    return new Hits(shared, blocks.subList(0, from));
  }

  /** The places of any of the terms in a run of blocks. */
  static Set<Long> places(
      Connection connection, Collection<Terms.Term> terms, List<Blocks.Block> blocks)
      throws SQLException {
    Map<Integer, Set<Integer>> hashes =
        terms.stream()
            .collect(
                Collectors.groupingBy(
                    Terms.Term::bucket,
                    HashMap::new,
                    Collectors.mapping(Terms.Term::hash, Collectors.toSet())));
    Set<Long> places = new HashSet<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT block, bucket, terms FROM audit_term"
                + " WHERE bucket = ANY (?) AND block BETWEEN ? AND ?")) {
      select.setFetchSize(1000);
      select.setArray(1, connection.createArrayOf("smallint", hashes.keySet().toArray()));
      select.setLong(2, blocks.getFirst().number());
      select.setLong(3, blocks.getLast().number());
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          long start = rs.getLong(1) * Blocks.SIZE;
          Set<Integer> wanted = hashes.get(rs.getInt(2));
          ByteBuffer stored = ByteBuffer.wrap(rs.getBytes(3));
          while (stored.remaining() >= Terms.BYTES) {
            int hash = stored.getInt();
            int place = Short.toUnsignedInt(stored.getShort());
            if (wanted != null && wanted.contains(hash)) {
              places.add(start + place);
            }
          }
        }
      }
    }
    return places;
  }

  /** The flows that have what is asked for; null when nothing that makes a flow is asked for. */
  private static @Nullable List<Integer> flows(Connection connection, EntryQuery query)
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
    return flows;
  }

  /** The flows' places in the newest of the blocks. */
  private static Hits postings(
      Connection connection, List<Integer> flows, List<Blocks.Block> blocks) throws SQLException {
    int most = Math.clamp(PROBES / flows.size(), LEAST_BLOCKS, MOST_BLOCKS);
    int from = Math.max(0, blocks.size() - most);
    List<Blocks.Block> some = blocks.subList(from, blocks.size());
    List<Long> places = new ArrayList<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT block, places FROM audit_posting WHERE block = ANY (?) AND flow = ANY (?)")) {
      Object[] numbers = some.stream().map(Blocks.Block::number).toArray();
      select.setArray(1, connection.createArrayOf("bigint", numbers));
      select.setArray(2, connection.createArrayOf("integer", flows.toArray()));
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          long start = rs.getLong(1) * Blocks.SIZE;
          ByteBuffer stored = ByteBuffer.wrap(rs.getBytes(2));
          while (stored.remaining() >= 2) {
            places.add(start + Short.toUnsignedInt(stored.getShort()));
          }
        }
      }
    }
    return new Hits(places, blocks.subList(0, from));
  }
}
