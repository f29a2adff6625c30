package no.bindeledd.reading;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Confirmed;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.Shredder;
import no.bindeledd.person.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * Makes the index of the ledger behind the writer, a block at a time, so that it costs the gate
 * nothing but the machine's time. A block is indexed once, by whichever instance comes first.
 *
 * <p>As a follower of the ledger it gathers what is confirmed, and reads from the database only the
 * blocks that it did not see from their first entry to their last: those of other instances, and
 * what was written before the start or by a commit that was not heard of.
 *
 * <p>{@link #indexNextBlock} is called by one thread at a time, {@link #confirmed} by one, which
 * may be another.
 */
public final class EntryIndex implements Ledger.Follower {
  /** The transaction that has this advisory lock makes a block; nobody waits for it. */
  private static final long MAKING = 0x62696e64656c0001L;

  /** Who puts subjects into the index or takes them out has this one until it commits. */
  private static final long CHANGING = 0x62696e64656c0002L;

  private static final int MOST_REMEMBERED = 100_000;

  /** Whole blocks that wait in memory, of about a megabyte each. */
  private static final int MOST_WAITING = 4;

  private final DataSource source;
  private final Map<BlockContents.Flow, Integer> flows = new HashMap<>();
  private final ConcurrentSkipListMap<Long, BlockContents> waiting = new ConcurrentSkipListMap<>();
  // Of the thread that tells what is confirmed: the block that is not whole yet, and what comes.
  private @Nullable BlockContents gathered;
  private long expected = -1;

  public EntryIndex(DataSource source) {
    this.source = source;
  }

  @Override
  public void confirmed(Confirmed batch) {
    if (batch.first() != expected) {
      gathered = null;
    }
    long number = batch.first();
    for (AuditEntry entry : batch.entries()) {
      int place = (int) (number % Blocks.SIZE);
      if (place == 0) {
        gathered = new BlockContents();
      }
      if (gathered != null) {
        gathered.add(place, entry);
        if (place == Blocks.SIZE - 1) {
          waiting.put(number / Blocks.SIZE, gathered);
          gathered = null;
        }
      }
      number++;
    }
    expected = number;
    while (waiting.size() > MOST_WAITING) {
      waiting.pollFirstEntry();
    }
  }

  /**
   * Indexes the next whole block.
   *
   * @return false when there is none, or another instance is at it
   */
  public boolean indexNextBlock() throws SQLException {
    try (Connection connection = source.getConnection()) {
      connection.setAutoCommit(false);
      try {
        Long block = tryLock(connection) ? next(connection) : null;
        if (block == null) {
          connection.rollback();
          return false;
        }
        BlockContents told = waiting.get(block);
        write(connection, block, told == null ? read(connection, block) : told);
        connection.commit();
        waiting.headMap(block, true).clear(); // what comes before was indexed by others
        return true;
      } catch (SQLException | RuntimeException e) {
        connection.rollback();
        flows.clear(); // some may have been rolled back
        waiting.clear(); // and a block may be half made
        throw e;
      } finally {
        connection.setAutoCommit(true);
      }
    }
  }

  /** Takes the subjects of shredded entries out, in the transaction that shreds them. */
  public static void forget(Connection connection, List<Shredder.Link> links) throws SQLException {
    lock(connection, CHANGING);
    Map<List<Long>, Set<Long>> gone = new HashMap<>(); // bucket and block → terms
    for (Shredder.Link link : links) {
      Terms.Term term = Terms.term(Terms.Kind.SUBJECT, link.subject().value());
      gone.computeIfAbsent(
              List.of((long) term.bucket(), link.index() / Blocks.SIZE), key -> new HashSet<>())
          .add(bits(term.hash(), (int) (link.index() % Blocks.SIZE)));
    }
    for (Map.Entry<List<Long>, Set<Long>> each : gone.entrySet()) {
      forget(connection, each.getKey().get(0), each.getKey().get(1), each.getValue());
    }
  }

  private static void forget(Connection connection, long bucket, long block, Set<Long> gone)
      throws SQLException {
    byte[] stored;
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT terms FROM audit_term WHERE bucket = ? AND block = ?")) {
      select.setLong(1, bucket);
      select.setLong(2, block);
      try (ResultSet rs = select.executeQuery()) {
        if (!rs.next()) {
          return; // not indexed yet
        }
        stored = rs.getBytes(1);
      }
    }
    ByteArrayOutputStream left = new ByteArrayOutputStream(stored.length);
    for (int at = 0; at < stored.length; at += Terms.BYTES) {
      ByteBuffer term = ByteBuffer.wrap(stored, at, Terms.BYTES);
      if (!gone.contains(bits(term.getInt(), term.getShort()))) {
        left.write(stored, at, Terms.BYTES);
      }
    }
    try (PreparedStatement update =
        connection.prepareStatement(
            "UPDATE audit_term SET terms = ? WHERE bucket = ? AND block = ?")) {
      update.setBytes(1, left.toByteArray());
      update.setLong(2, bucket);
      update.setLong(3, block);
      update.executeUpdate();
    }
  }

  private static long bits(int hash, int place) {
    return (long) hash << 16 | (place & 0xffff);
  }

  private static boolean tryLock(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet rs = statement.executeQuery("SELECT pg_try_advisory_xact_lock(" + MAKING + ")")) {
      return rs.next() && rs.getBoolean(1);
    }
  }

  private static void lock(Connection connection, long key) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SELECT pg_advisory_xact_lock(" + key + ")");
    }
  }

  /** The first block that is not indexed and takes no more entries, or null. */
  private static @Nullable Long next(Connection connection) throws SQLException {
    Blocks blocks = Blocks.read(connection);
    for (Shard shard : Shard.all(connection)) {
      for (Blocks.Stretch stretch : blocks.stretches(shard.first(), shard.end())) {
        Long from =
            stretch.blocks().isEmpty() ? first(connection, stretch.from(), stretch.to()) : null;
        if (from != null) {
          long end = (from / Blocks.SIZE + 1) * Blocks.SIZE;
          // Whatever stands behind it tells that it is full, also when its last entry was removed.
          if (end == stretch.to() || first(connection, end - 1, stretch.to()) != null) {
            return from / Blocks.SIZE;
          }
        }
      }
    }
    return null;
  }

  private static @Nullable Long first(Connection connection, long from, long to)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT least((SELECT idx FROM audit_entry WHERE idx >= ? AND idx < ?"
                + " ORDER BY idx LIMIT 1), (SELECT greatest(segment * 65536, ?)"
                + " FROM audit_archive WHERE segment * 65536 < ? AND (segment + 1) * 65536 > ?"
                + " ORDER BY segment LIMIT 1))")) {
      select.setLong(1, from);
      select.setLong(2, to);
      select.setLong(3, from);
      select.setLong(4, to);
      select.setLong(5, from);
      try (ResultSet rs = select.executeQuery()) {
        rs.next();
        long first = rs.getLong(1);
        return rs.wasNull() ? null : first;
      }
    }
  }

  private static BlockContents read(Connection connection, long block) throws SQLException {
    BlockContents contents = new BlockContents();
    long start = block * Blocks.SIZE;
    AuditReader.scan(
        connection,
        start,
        start + Blocks.SIZE,
        (index, entry) -> {
          // One that is damaged the verification names; it cannot be found by what it said.
          if (entry != null) {
            contents.add((int) (index - start), entry);
          }
        });
    return contents;
  }

  private void write(Connection connection, long block, BlockContents contents)
      throws SQLException {
    lock(connection, CHANGING);
    // What was shredded since it was read was not here to be forgotten.
    shredded(connection, block * Blocks.SIZE).forEach(contents::forgetSubject);
    contents.close();
    Map<Integer, byte[]> postings = new HashMap<>();
    for (Map.Entry<BlockContents.Flow, ByteArrayOutputStream> each :
        contents.postings().entrySet()) {
      postings.put(flow(connection, each.getKey()), each.getValue().toByteArray());
    }
    insert(connection, "audit_posting (flow, block, places)", block, postings);
    insert(connection, "audit_term (bucket, block, terms)", block, contents.terms());
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO audit_block (block, earliest, latest, steps) VALUES (?, ?, ?, ?)")) {
      insert.setLong(1, block);
      insert.setObject(2, contents.earliest().atOffset(ZoneOffset.UTC));
      insert.setObject(3, contents.latest().atOffset(ZoneOffset.UTC));
      insert.setBytes(4, contents.steps().serialise());
      insert.executeUpdate();
    }
  }

  private static List<Integer> shredded(Connection connection, long from) throws SQLException {
    List<Integer> places = new ArrayList<>();
    try (PreparedStatement select =
        connection.prepareStatement("SELECT idx FROM audit_shredded WHERE idx >= ? AND idx < ?")) {
      select.setLong(1, from);
      select.setLong(2, from + Blocks.SIZE);
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          places.add((int) (rs.getLong(1) - from));
        }
      }
    }
    return places;
  }

  private static void insert(
      Connection connection, String into, long block, Map<Integer, byte[]> lists)
      throws SQLException {
    TreeMap<Integer, byte[]> rising = new TreeMap<>(lists);
    try (PreparedStatement statement =
        connection.prepareStatement(
            "INSERT INTO "
                + into
                + " SELECT key, ?, value FROM unnest(?::integer[], ?::bytea[]) AS t (key, value)")) {
      statement.setLong(1, block);
      statement.setArray(2, connection.createArrayOf("integer", rising.keySet().toArray()));
      statement.setArray(
          3, connection.createArrayOf("bytea", rising.values().toArray(byte[][]::new)));
      statement.executeUpdate();
    }
  }

  private int flow(Connection connection, BlockContents.Flow flow) throws SQLException {
    Integer known = flows.get(flow);
    if (known != null) {
      return known;
    }
    int id = stored(connection, flow);
    if (flows.size() >= MOST_REMEMBERED) {
      flows.clear();
    }
    flows.put(flow, id);
    return id;
  }

  private static int stored(Connection connection, BlockContents.Flow flow) throws SQLException {
    String key =
        String.join(
            "\0",
            flow.station().name(),
            flow.exchange(),
            String.valueOf(flow.sender()),
            String.valueOf(flow.receiver()),
            flow.outcome(),
            String.join("\1", flow.rules()));
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO audit_flow"
                + " (digest, station, exchange, sender, receiver, outcome, rules, rule_ids)"
                + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
                + " ON CONFLICT (digest) DO UPDATE SET digest = excluded.digest RETURNING id")) {
      insert.setBytes(1, Sha256.of(key.getBytes(StandardCharsets.UTF_8)));
      insert.setString(2, flow.station().name());
      insert.setString(3, flow.exchange());
      insert.setString(4, flow.sender());
      insert.setString(5, flow.receiver());
      insert.setString(6, flow.outcome());
      insert.setArray(7, connection.createArrayOf("text", flow.rules().toArray()));
      insert.setArray(
          8,
          connection.createArrayOf(
              "text", flow.rules().stream().map(EntryQuery::withoutVersion).distinct().toArray()));
      try (ResultSet rs = insert.executeQuery()) {
        rs.next();
        return rs.getInt(1);
      }
    }
  }
}
