package no.bindeledd.reading;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.Shredder;
import org.jspecify.annotations.Nullable;

/**
 * Makes the index of the query interface behind the writer, a block at a time, so that it costs the
 * gate nothing but the machine's time. A block is indexed once, by whichever instance comes first.
 * Not thread-safe: one for each thread.
 */
public final class EntryIndex {
  /** Entries in a block. What is not yet a whole block is searched without an index. */
  static final int BLOCK = 8192;

  static final String READER = "index";
  private static final int MOST_REMEMBERED = 100_000;

  private final DataSource source;
  private final Terms terms = new Terms();
  private final MessageDigest sha256 = Terms.newSha256();
  private final Map<String, Integer> flows = new HashMap<>();

  public EntryIndex(DataSource source) {
    this.source = source;
  }

  /**
   * Indexes the next whole block of each shard, whichever instance wrote it.
   *
   * @return false when there is none, or another instance is at it
   */
  public boolean indexNextBlock() throws SQLException {
    try (Connection connection = source.getConnection()) {
      connection.setAutoCommit(false);
      try {
        boolean more = false;
        for (Shard shard : Shard.all(connection)) {
          Long next = claim(connection, shard);
          if (next != null && AuditReader.next(connection, shard) >= next + BLOCK) {
            index(connection, next);
            more = true;
          }
          connection.commit();
        }
        return more;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        flows.clear(); // some may have been rolled back
        throw e;
      } finally {
        connection.setAutoCommit(true);
      }
    }
  }

  /**
   * Takes the subjects of shredded entries out, in the transaction that shreds them. Waits for a
   * block that is being indexed, which may hold one of them.
   */
  public static void forget(Connection connection, List<Shredder.Link> links) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT FROM audit_position WHERE reader = '" + READER + "' FOR UPDATE");
    }
    Terms terms = new Terms();
    for (Shredder.Link link : links) {
      Terms.Term term = terms.term(Terms.Kind.SUBJECT, link.subject().value());
      byte[] gone =
          ByteBuffer.allocate(Terms.BYTES)
              .putInt(term.hash())
              .putShort((short) (link.index() % BLOCK))
              .array();
      forget(connection, term.bucket(), (int) (link.index() / BLOCK), gone);
    }
  }

  private static void forget(Connection connection, int bucket, int block, byte[] gone)
      throws SQLException {
    byte[] stored;
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT terms FROM audit_term WHERE bucket = ? AND block = ?")) {
      select.setInt(1, bucket);
      select.setInt(2, block);
      try (ResultSet rs = select.executeQuery()) {
        if (!rs.next()) {
          return; // not indexed yet
        }
        stored = rs.getBytes(1);
      }
    }
    ByteArrayOutputStream left = new ByteArrayOutputStream(stored.length);
    for (int at = 0; at < stored.length; at += Terms.BYTES) {
      if (!Arrays.equals(stored, at, at + Terms.BYTES, gone, 0, Terms.BYTES)) {
        left.write(stored, at, Terms.BYTES);
      }
    }
    try (PreparedStatement update =
        connection.prepareStatement(
            "UPDATE audit_term SET terms = ? WHERE bucket = ? AND block = ?")) {
      update.setBytes(1, left.toByteArray());
      update.setInt(2, bucket);
      update.setInt(3, block);
      update.executeUpdate();
    }
  }

  private static @Nullable Long claim(Connection connection, Shard shard) throws SQLException {
    try (PreparedStatement insert =
            connection.prepareStatement(
                "INSERT INTO audit_position (reader, shard, next) VALUES (?, ?, ?)"
                    + " ON CONFLICT DO NOTHING");
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT next FROM audit_position WHERE reader = ? AND shard = ?"
                    + " FOR UPDATE SKIP LOCKED")) {
      insert.setString(1, READER);
      insert.setInt(2, shard.number());
      insert.setLong(3, shard.first());
      insert.executeUpdate();
      select.setString(1, READER);
      select.setInt(2, shard.number());
      try (ResultSet rs = select.executeQuery()) {
        return rs.next() ? rs.getLong(1) : null;
      }
    }
  }

  private void index(Connection connection, long start) throws SQLException {
    Map<Integer, ByteArrayOutputStream> postings = new TreeMap<>();
    Map<Integer, ByteArrayOutputStream> hashes = new TreeMap<>();
    Instant[] span = {Instant.MAX, Instant.MIN};
    AuditReader.scan(
        connection,
        start,
        start + BLOCK,
        (index, entry) -> {
          if (entry == null) {
            return; // the verification names it; it cannot be found by what it no longer says
          }
          int place = (int) (index - start);
          span[0] = entry.at().isBefore(span[0]) ? entry.at() : span[0];
          span[1] = entry.at().isAfter(span[1]) ? entry.at() : span[1];
          put(postings, flow(connection, entry), ByteBuffer.allocate(2).putShort((short) place));
          if (entry.subject() != null) {
            put(hashes, Terms.Kind.SUBJECT, entry.subject().value(), place);
          }
          if (entry.message() != null) {
            put(hashes, Terms.Kind.MESSAGE, entry.message(), place);
          }
          String trace = EntryQuery.traceId(entry.trace());
          if (trace != null) {
            put(hashes, Terms.Kind.TRACE, trace, place);
          }
        });
    int block = Math.toIntExact(start / BLOCK);
    write(
        connection,
        "INSERT INTO audit_posting (flow, block, places)"
            + " SELECT key, ?, value FROM unnest(?::integer[], ?::bytea[]) AS t (key, value)",
        block,
        postings);
    write(
        connection,
        "INSERT INTO audit_term (bucket, block, terms)"
            + " SELECT key, ?, value FROM unnest(?::integer[], ?::bytea[]) AS t (key, value)",
        block,
        hashes);
    move(connection, block, span, start + BLOCK);
  }

  private void put(
      Map<Integer, ByteArrayOutputStream> hashes, Terms.Kind kind, String value, int place) {
    Terms.Term term = terms.term(kind, value);
    put(
        hashes,
        term.bucket(),
        ByteBuffer.allocate(Terms.BYTES).putInt(term.hash()).putShort((short) place));
  }

  private static void put(Map<Integer, ByteArrayOutputStream> lists, int key, ByteBuffer value) {
    lists.computeIfAbsent(key, k -> new ByteArrayOutputStream()).writeBytes(value.array());
  }

  private static void write(
      Connection connection, String insert, int block, Map<Integer, ByteArrayOutputStream> lists)
      throws SQLException {
    List<byte[]> values = new ArrayList<>(lists.size());
    lists.values().forEach(list -> values.add(list.toByteArray()));
    try (PreparedStatement statement = connection.prepareStatement(insert)) {
      statement.setInt(1, block);
      statement.setArray(2, connection.createArrayOf("integer", lists.keySet().toArray()));
      statement.setArray(3, connection.createArrayOf("bytea", values.toArray(byte[][]::new)));
      statement.executeUpdate();
    }
  }

  private static void move(Connection connection, int block, Instant[] span, long next)
      throws SQLException {
    Instant earliest = span[0].isAfter(span[1]) ? Instant.EPOCH : span[0];
    Instant latest = span[0].isAfter(span[1]) ? Instant.EPOCH : span[1];
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO audit_block (block, earliest, latest) VALUES (?, ?, ?)")) {
      insert.setInt(1, block);
      insert.setObject(2, earliest.atOffset(ZoneOffset.UTC));
      insert.setObject(3, latest.atOffset(ZoneOffset.UTC));
      insert.executeUpdate();
    }
    try (PreparedStatement update =
        connection.prepareStatement(
            "UPDATE audit_position SET next = ? WHERE reader = ? AND shard = ?")) {
      update.setLong(1, next);
      update.setString(2, READER);
      update.setInt(3, Shard.of(next - 1).number());
      update.executeUpdate();
    }
  }

  private int flow(Connection connection, AuditEntry entry) throws SQLException {
    List<String> rules = EntryQuery.rules(entry).distinct().sorted().toList();
    byte[] digest =
        sha256.digest(
            String.join(
                    "\0",
                    entry.station().name(),
                    entry.exchange(),
                    String.valueOf(entry.sender()),
                    String.valueOf(entry.receiver()),
                    entry.outcome(),
                    String.join("\1", rules))
                .getBytes(StandardCharsets.UTF_8));
    String key = HexFormat.of().formatHex(digest);
    Integer known = flows.get(key);
    if (known != null) {
      return known;
    }
    int id = stored(connection, entry, rules, digest);
    if (flows.size() >= MOST_REMEMBERED) {
      flows.clear();
    }
    flows.put(key, id);
    return id;
  }

  private static int stored(
      Connection connection, AuditEntry entry, List<String> rules, byte[] digest)
      throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO audit_flow"
                + " (digest, station, exchange, sender, receiver, outcome, rules, rule_ids)"
                + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                + " ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest RETURNING id")) {
      insert.setBytes(1, digest);
      insert.setString(2, entry.station().name());
      insert.setString(3, entry.exchange());
      insert.setString(4, entry.sender());
      insert.setString(5, entry.receiver());
      insert.setString(6, entry.outcome());
      insert.setArray(7, connection.createArrayOf("text", rules.toArray()));
      insert.setArray(
          8,
          connection.createArrayOf(
              "text", rules.stream().map(EntryQuery::withoutVersion).distinct().toArray()));
      try (ResultSet rs = insert.executeQuery()) {
        rs.next();
        return rs.getInt(1);
      }
    }
  }
}
