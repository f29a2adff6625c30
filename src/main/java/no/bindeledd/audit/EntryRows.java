package no.bindeledd.audit;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * The rows of one batch of the ledger in the form of PostgreSQL's binary COPY. Reused from batch to
 * batch; not thread-safe.
 */
final class EntryRows {
  private static final byte[] COPY_HEADER =
      "PGCOPY\n\u00ff\r\n\0\0\0\0\0\0\0\0\0".getBytes(StandardCharsets.ISO_8859_1);
  private static final int COLUMNS = 10;
  private static final String COPY =
      "COPY audit_entry (idx, at, station, exchange, outcome, message, subject, salt, entry, leaf)"
          + " FROM STDIN (FORMAT binary)";
  private static final long POSTGRES_EPOCH = Instant.parse("2000-01-01T00:00:00Z").getEpochSecond();
  private static final int BUFFER = 1 << 20;
  private static final HexFormat HEX = HexFormat.of();

  private final TreeHash hash = new TreeHash();
  private final MessageDigest sha256 = TreeHash.newSha256();
  private CanonicalWriter rows = new CanonicalWriter(BUFFER);
  private int[] columns = new int[1024]; // where each entry's bytes are, see Confirmed.of
  private int count;

  /** Begins a batch; the one before is gone. */
  void begin() {
    if (rows.buffer().length > 8 * BUFFER) {
      rows = new CanonicalWriter(BUFFER);
    }
    rows.reset();
    rows.raw(COPY_HEADER);
    count = 0;
  }

  /** Adds a row and returns the leaf hash of its entry. */
  byte[] add(long number, AuditEntry entry) {
    if (count == columns.length) {
      columns = Arrays.copyOf(columns, 2 * count);
    }
    rows.int16(COLUMNS);
    rows.int32(8);
    rows.int64(number);
    rows.int32(8);
    Instant at = entry.at();
    rows.int64((at.getEpochSecond() - POSTGRES_EPOCH) * 1_000_000 + at.getNano() / 1000);
    column(entry.station().name());
    column(entry.exchange());
    column(entry.outcome());
    column(entry.message());
    column(entry.subject() == null ? null : HEX.parseHex(entry.subject().value()));
    column(entry.salt());
    int start = rows.position();
    rows.int32(0);
    entry.writeTo(rows, sha256);
    int length = rows.position() - start - 4;
    rows.int32At(start, length);
    byte[] leaf = hash.leaf(rows.buffer(), start + 4, length);
    column(leaf);
    columns[count++] = start;
    return leaf;
  }

  private void column(@Nullable String text) {
    int start = rows.position();
    rows.int32(-1);
    if (text != null) {
      rows.text(text);
      rows.int32At(start, rows.position() - start - 4);
    }
  }

  private void column(byte @Nullable [] bytes) {
    rows.int32(bytes == null ? -1 : bytes.length);
    if (bytes != null) {
      rows.raw(bytes);
    }
  }

  /**
   * Ends the batch and sends it.
   *
   * @throws LedgerException when the database took another number of rows
   */
  void copyInto(Connection connection) throws SQLException {
    rows.int16(-1);
    CopyIn copy = connection.unwrap(PGConnection.class).getCopyAPI().copyIn(COPY);
    try {
      copy.writeToCopy(rows.buffer(), 0, rows.position());
      long written = copy.endCopy();
      if (written != count) {
        throw new LedgerException(
            "The database took " + written + " of " + count + " entries: roll back");
      }
    } finally {
      if (copy.isActive()) {
        copy.cancelCopy();
      }
    }
  }

  /** The batch, for those who follow the ledger. */
  Confirmed confirmed(long first, List<AuditEntry> entries) {
    return Confirmed.of(first, entries, rows.buffer(), Arrays.copyOf(columns, count));
  }
}
