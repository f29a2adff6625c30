package no.bindeledd.bench;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.gate.Journal;
import no.bindeledd.person.Pseudonym;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * How fast the ledger takes entries, durable and in the tree, and how long an entry takes at a
 * steady pace, beside what limits it: how fast the same server takes rows of that size by COPY
 * alone (one connection, 1,000 rows a transaction, fsync on), and how often its disk can be made to
 * keep what was written.
 */
final class LedgerRate {
  private static final int BATCH = 1_000;
  private static final int UNDER_WAY = 4;

  /**
   * Entries per second at which their time is taken: half of what the ledger must be able to do.
   */
  static final int PACED = 10_000;

  private static final int PACED_BATCH = 100;
  private static final int SYNCED_BYTES = 8_192;

  private LedgerRate() {}

  /**
   * @param disk a folder on the database's disk
   */
  static Figures.Ledger measure(Journal journal, DataSource database, Path disk, long millis)
      throws SQLException, IOException {
    List<AuditEntry> batch = new ArrayList<>(BATCH);
    for (int i = 0; i < BATCH; i++) {
      batch.add(entry(i));
    }
    appends(journal, batch, millis / 4);
    double appends = appends(journal, batch, millis);
    return new Figures.Ledger(
        appends,
        paced(journal, batch.subList(0, PACED_BATCH), millis),
        copyRowsPerSecond(database, millis),
        syncsPerSecond(disk, millis / 4));
  }

  /** A stall is not left out: the time counts from when a batch was due. */
  private static Latencies.Percentiles paced(Journal journal, List<AuditEntry> batch, long millis) {
    Latencies latencies = new Latencies();
    List<CompletableFuture<?>> waiting = new ArrayList<>();
    long apart = 1_000_000_000L * batch.size() / PACED;
    long started = System.nanoTime();
    for (long at = apart; at < millis * 1_000_000; at += apart) {
      long due = started + at;
      for (long left = due - System.nanoTime(); left > 0; left = due - System.nanoTime()) {
        LockSupport.parkNanos(left);
      }
      waiting.add(journal.enter(batch).thenRun(() -> latencies.add(System.nanoTime() - due)));
    }
    waiting.forEach(CompletableFuture::join);
    return latencies.percentiles();
  }

  private static double syncsPerSecond(Path disk, long millis) throws IOException {
    Path file = Files.createTempFile(disk, "sync", ".bin");
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(SYNCED_BYTES);
      long started = System.nanoTime();
      long until = started + millis * 1_000_000;
      long syncs = 0;
      while (System.nanoTime() < until) {
        channel.write(bytes.rewind());
        channel.force(false);
        syncs++;
      }
      return syncs * 1e9 / (System.nanoTime() - started);
    } finally {
      Files.delete(file);
    }
  }

  /** Entries per second through the journal, with a few batches waiting as in service. */
  private static double appends(Journal journal, List<AuditEntry> batch, long millis) {
    long started = System.nanoTime();
    long until = started + millis * 1_000_000;
    long entries = 0;
    List<CompletableFuture<?>> waiting = new ArrayList<>();
    while (System.nanoTime() < until) {
      while (waiting.size() < UNDER_WAY) {
        waiting.add(journal.enter(batch));
      }
      waiting.removeFirst().join();
      entries += batch.size();
    }
    double rate = entries * 1e9 / (System.nanoTime() - started);
    waiting.forEach(CompletableFuture::join);
    return rate;
  }

  /** The entry of a decision as the asynchronous exchange makes it. */
  private static AuditEntry entry(int serial) {
    byte[] salt = AuditEntry.newSalt();
    byte[] payload = ("{\"serial\":" + serial + "}").getBytes(StandardCharsets.US_ASCII);
    return new AuditEntry(
        Instant.parse("2026-09-01T10:00:00Z"),
        Station.ADMIN,
        "bench-ledger",
        "311000004",
        "311013572",
        Pseudonym.of(AuditEntry.newSalt()),
        HexFormat.of().formatHex(AuditEntry.newSalt()),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "RELEASED",
        "RELEASED",
        List.of("bench-duty@1", "bench-absence-consent@1"),
        "bench-agreement@1",
        List.of("00000000-7ab1-3f5c-0000-00000000002a@1"),
        "0123456789ab",
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        List.of(
            "/referanse", "/foedselsnummer", "/navn/fornavn", "/navn/etternavn", "/avbrudd/dato"),
        Collections.emptyList(),
        AuditEntry.payloadHash(salt, payload),
        salt,
        null);
  }

  /** Rows per second by COPY alone into a table without indexes. */
  private static double copyRowsPerSecond(DataSource database, long millis)
      throws SQLException, IOException {
    byte[] rows = rows();
    try (Connection connection = database.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "CREATE TABLE bench_copy (idx bigint, at timestamptz, station text, exchange text, outcome"
              + " text, message text, subject bytea, salt bytea, leaf bytea, entry bytea)");
      try {
        copies(connection, rows, millis / 4);
        return copies(connection, rows, millis);
      } finally {
        statement.execute("DROP TABLE bench_copy");
      }
    }
  }

  private static double copies(Connection connection, byte[] rows, long millis)
      throws SQLException {
    long started = System.nanoTime();
    long until = started + millis * 1_000_000;
    long written = 0;
    while (System.nanoTime() < until) {
      CopyIn copy =
          connection.unwrap(PGConnection.class).getCopyAPI().copyIn("COPY bench_copy FROM STDIN");
      copy.writeToCopy(rows, 0, rows.length);
      written += copy.endCopy();
    }
    return written * 1e9 / (System.nanoTime() - started);
  }

  private static byte[] rows() {
    StringBuilder rows = new StringBuilder();
    HexFormat hex = HexFormat.of();
    for (int i = 0; i < BATCH; i++) {
      AuditEntry entry = entry(i);
      rows.append(i).append("\t2026-09-01T10:00:00Z\tADMIN\tbench-ledger\tRELEASED\t");
      rows.append(entry.message());
      for (byte[] column : List.of(AuditEntry.newSalt(), AuditEntry.newSalt(), new byte[32])) {
        rows.append("\t\\\\x").append(hex.formatHex(column));
      }
      rows.append("\t\\\\x").append(hex.formatHex(entry.canonical())).append('\n');
    }
    return rows.toString().getBytes(StandardCharsets.US_ASCII);
  }
}
