package no.bindeledd.audit;

import java.util.Arrays;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Whether the entries without subject and salt are those that the ledger says were shredded. The
 * newest record of a shredding commits to all of them, in every shard; the records before it have
 * lost their salt themselves. Takes the entries of each shard in order. Not thread-safe.
 */
final class ShreddingCheck {
  private final ShreddedSet shredded = new ShreddedSet();
  private @Nullable StoredEntry first;
  private @Nullable StoredEntry firstUnrecorded; // behind the newest record, in its shard
  private @Nullable AuditEntry record;
  private long recorded = -1;

  void take(StoredEntry row) {
    if (row.shredded()) {
      shredded.add(row.index());
      first = first == null ? row : first;
      boolean behind = recorded >= 0 && Shard.of(recorded).equals(Shard.of(row.index()));
      firstUnrecorded = firstUnrecorded == null && behind ? row : firstUnrecorded;
    } else if (row.station().equals(Station.ADMIN.name())
        && row.outcome().equals(Shredder.SHREDDED)) {
      record = row.parse();
      recorded = row.index();
      firstUnrecorded = null;
    }
  }

  /** When all were taken. */
  @Nullable String problem() {
    StoredEntry unrecorded = record == null ? first : firstUnrecorded;
    if (unrecorded != null) {
      return "Entry "
          + unrecorded.index()
          + " is broken: its subject and salt are gone, and nothing after it records that they were"
          + " destroyed";
    }
    AuditEntry newest = record;
    byte[] commitment = newest == null ? null : newest.payloadHash();
    byte[] salt = newest == null ? null : newest.salt();
    if (commitment == null || salt == null) {
      return null;
    }
    byte[] found = AuditEntry.payloadHash(salt, shredded.digest());
    return Arrays.equals(found, commitment)
        ? null
        : "Not the entries on record were shredded: "
            + shredded.count()
            + " entries have neither subject nor salt, their set hashes to "
            + HexFormat.of().formatHex(found)
            + ", recorded is "
            + HexFormat.of().formatHex(commitment);
  }
}
