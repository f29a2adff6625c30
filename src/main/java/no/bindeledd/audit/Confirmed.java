package no.bindeledd.audit;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Entries whose transaction was committed, as they are in the database: for {@link
 * Ledger.Follower}s, who need not read them back. The arrays are shared; do not change them.
 *
 * @param first number of the first entry; the others follow without gap
 * @param bundle the canonical bytes of all, each behind its length in two bytes (C2SP tlog-tiles)
 * @param leaves their leaf hashes, of 32 bytes each
 */
public record Confirmed(long first, List<AuditEntry> entries, byte[] bundle, byte[] leaves) {
  int size() {
    return leaves.length / TreeHash.LENGTH;
  }

  /**
   * @param rows rows of binary COPY, whose last two columns are an entry's bytes and its leaf hash
   * @param columns where the entries' columns begin, each with its length in four bytes
   */
  static Confirmed of(long first, List<AuditEntry> entries, byte[] rows, int[] columns) {
    ByteBuffer from = ByteBuffer.wrap(rows);
    int size = 0;
    for (int column : columns) {
      size += Short.BYTES + from.getInt(column);
    }
    ByteBuffer bundle = ByteBuffer.allocate(size);
    ByteBuffer leaves = ByteBuffer.allocate(columns.length * TreeHash.LENGTH);
    for (int column : columns) {
      int length = from.getInt(column);
      int start = column + Integer.BYTES;
      bundle.putShort((short) length).put(rows, start, length);
      leaves.put(rows, start + length + Integer.BYTES, TreeHash.LENGTH);
    }
    return new Confirmed(first, entries, bundle.array(), leaves.array());
  }
}
