package no.bindeledd.audit;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import no.bindeledd.person.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * Moves the oldest segment of a shard out of the database into a file that verifies alone. Written
 * and checked first; then, in one transaction with the entry that records it, the segment leaves
 * the database. Subjects and salts stay, where shredding reaches them, and how many entries of each
 * kind there were. Readers find archived entries through the file, or say where it should be. No
 * state, safe on any thread.
 */
public final class Archiving {
  public static final String ARCHIVED = "ARCHIVED";

  private Archiving() {}

  /**
   * A segment whose file is written, on the disk, and verified against the signed log.
   *
   * @param table the partition that it is in
   * @param rest nothing is left in the partition without it; else the first partition of an older
   *     database goes a segment at a time
   * @param digest SHA-256 of the file
   */
  public record Ready(long segment, String table, boolean rest, Path file, byte[] digest) {
    private long from() {
      return segment * Segments.SIZE;
    }

    private long to() {
      return from() + Segments.SIZE;
    }
  }

  /**
   * Writes the file of the oldest segment that is still in the database.
   *
   * @param log the shard's published log
   * @param before the segment's newest entry must be older
   * @return null when the oldest segment is too young, not full, or not published yet
   * @throws LedgerException when the file of an earlier segment is away, the log does not verify
   *     there, or the database says otherwise; names the file or the entry
   */
  public static @Nullable Ready prepare(
      Connection connection,
      Shard shard,
      LogSource log,
      List<VerifierKey> keys,
      Path folder,
      Instant before)
      throws SQLException, IOException {
    List<ArchivedSegment> earlier = ArchivedSegment.within(connection, shard.first(), shard.end());
    for (ArchivedSegment segment : earlier) {
      segment.requireThere(); // a volume that is not mounted gets nothing written in its place
    }
    long from = earlier.isEmpty() ? shard.first() : earlier.getLast().to();
    long to = from + Segments.SIZE;
    Segments.Segment partition = Segments.of(connection, shard, from, to);
    Instant newest = at(connection, to - 1);
    if (partition == null || newest == null || !newest.isBefore(before)) {
      return null;
    }
    Checkpoint published = log.checkpoint();
    if (published == null || published.size() < Shard.index(to - 1) + 1) {
      return null;
    }
    Files.createDirectories(folder);
    long segment = Shard.index(from) / Segments.SIZE;
    String origin = published.origin().replaceAll("[^A-Za-z0-9.-]", "_");
    String name = "%s-%05d.zip".formatted(origin, segment);
    Path file = folder.toAbsolutePath().normalize().resolve(name);
    LogArchive.write(log, keys, segment, file);
    try (LogArchive archive = LogArchive.open(file)) {
      Verification verification = archive.verify(keys, ProgressListener.NONE);
      if (!verification.verified()) {
        throw new LedgerException(file + " does not verify: " + verification.firstProblem());
      }
    }
    boolean rest = partition.to() == to;
    Ready ready = new Ready(from / Segments.SIZE, partition.table(), rest, file, digest(file));
    requireSame(connection, ready);
    return ready;
  }

  /**
   * Takes the segment out of the database, in the caller's transaction. Readers of the ledger and
   * writers wait for the end of the transaction; it gives up after two seconds of waiting for them.
   *
   * @return the entry to be entered in the same transaction
   */
  public static AuditEntry move(Connection connection, Ready ready, Instant at)
      throws SQLException {
    String here = " FROM %s WHERE idx >= %d AND idx < %d";
    here = here.formatted(ready.table(), ready.from(), ready.to());
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET LOCAL lock_timeout = '2s'");
      statement.execute( // first: nobody shreds now
          ready.rest()
              ? "ALTER TABLE audit_entry DETACH PARTITION " + ready.table()
              : "LOCK TABLE " + ready.table() + " IN SHARE ROW EXCLUSIVE MODE");
      statement.execute(
          "INSERT INTO audit_link SELECT idx, subject, salt" + here + " AND salt IS NOT NULL");
      statement.execute(
          "INSERT INTO audit_archived (segment, exchange, station, outcome, entries) SELECT "
              + ready.segment()
              + ", exchange, station, outcome, count(*)"
              + here
              + " GROUP BY exchange, station, outcome");
      statement.execute(ready.rest() ? "DROP TABLE " + ready.table() : "DELETE" + here);
    }
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO audit_archive (segment, file, digest) VALUES (?, ?, ?)")) {
      insert.setLong(1, ready.segment());
      insert.setString(2, ready.file().toString());
      insert.setBytes(3, ready.digest());
      insert.executeUpdate();
    }
    return AuditEntry.plain(
        at,
        Station.ADMIN,
        "audit",
        null,
        null,
        null,
        null,
        null,
        ARCHIVED,
        ARCHIVED,
        "entries "
            + ready.from()
            + " to "
            + (ready.to() - 1)
            + " in "
            + ready.file().getFileName()
            + ", SHA-256 "
            + HexFormat.of().formatHex(ready.digest()));
  }

  private static @Nullable Instant at(Connection connection, long entry) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("SELECT at FROM audit_entry WHERE idx = ?")) {
      select.setLong(1, entry);
      try (ResultSet rs = select.executeQuery()) {
        return rs.next() ? rs.getObject(1, OffsetDateTime.class).toInstant() : null;
      }
    }
  }

  /** What leaves must be what the file holds: else the only trace of a tampering would be gone. */
  private static void requireSame(Connection connection, Ready ready) throws SQLException {
    ArchivedSegment archived = new ArchivedSegment(ready.segment(), ready.file());
    long from = archived.from();
    TreeHash hash = new TreeHash();
    long[] next = {from};
    byte[][] leaves = new byte[Segments.SIZE][];
    archived.eachOf(
        connection,
        from,
        archived.to(),
        entry -> {
          leaves[(int) (entry.index() - from)] = entry.leaf();
          return true;
        });
    StoredEntry.each(
        connection,
        from,
        archived.to(),
        entry -> {
          long expected = next[0]++;
          if (entry.index() != expected
              || !Arrays.equals(entry.leafHash(hash), leaves[(int) (expected - from)])
              || entry.disagreement() != null) {
            throw new LedgerException(
                "Entry " + expected + " is not what was published: run the verification");
          }
          return true;
        });
    if (next[0] != archived.to()) {
      throw new LedgerException("Entry " + next[0] + " is missing: run the verification");
    }
    if (ready.rest()) {
      requireNothingElse(connection, ready);
    }
  }

  /** What was planted below the first entry must not vanish with the partition. */
  private static void requireNothingElse(Connection connection, Ready ready) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT min(idx) FROM " + ready.table() + " WHERE idx < ? OR idx >= ?")) {
      select.setLong(1, ready.from());
      select.setLong(2, ready.to());
      try (ResultSet rs = select.executeQuery()) {
        rs.next();
        long stranger = rs.getLong(1);
        if (!rs.wasNull()) {
          throw new LedgerException(
              "Entry " + stranger + " is not in the log: run the verification");
        }
      }
    }
  }

  private static byte[] digest(Path file) throws IOException {
    MessageDigest sha256 = Sha256.digest();
    try (InputStream in = new DigestInputStream(Files.newInputStream(file), sha256)) {
      in.transferTo(java.io.OutputStream.nullOutputStream());
    }
    return sha256.digest();
  }
}
