package no.bindeledd.audit;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * An entry by which one shard's log holds the newest published checkpoint of another: origin, size,
 * root and signature. Whoever cuts off, rewrites or forks one log, even with its signing key,
 * contradicts what stands in the others. No state, safe on any thread.
 */
final class CrossLink {
  static final String OUTCOME = "CROSS_LINK";

  private static final byte[] DETAIL = "\",\"detail\":\"".getBytes(StandardCharsets.US_ASCII);
  private static final int TIME_ENDS = "{\"at\":\"2026-09-01T10:00:00.000000Z".length();

  private CrossLink() {}

  /**
   * @param note signed by the other log; of its signatures as many as there is room for
   */
  static AuditEntry entry(SignedNote note, Instant at) {
    String text = note.encoded();
    while (text.length() > AuditEntry.MAX_TEXT && note.signatures().size() > 1) {
      note =
          new SignedNote(note.text(), note.signatures().subList(0, note.signatures().size() - 1));
      text = note.encoded();
    }
    return AuditEntry.plain(
        at, Station.ADMIN, "audit", null, null, null, null, null, OUTCOME, OUTCOME, text);
  }

  /**
   * False for nearly every entry that is no cross-link, by a look at a few of its bytes; true for
   * each that is one.
   */
  static boolean maybe(byte[] bytes, int offset, int length) {
    if (length < TIME_ENDS + DETAIL.length) {
      return false;
    }
    for (int i = 0; i < DETAIL.length; i++) {
      if (bytes[offset + TIME_ENDS + i] != DETAIL[i]) {
        return false;
      }
    }
    return true;
  }

  /**
   * What the entry says of another log; nothing is verified yet.
   *
   * @return null when it is no cross-link
   * @throws IllegalArgumentException when it is one and holds no checkpoint
   */
  static @Nullable SignedNote read(AuditEntry entry) {
    if (entry.station() != Station.ADMIN || !entry.outcome().equals(OUTCOME)) {
      return null;
    }
    SignedNote note = SignedNote.parse(entry.detail() == null ? "" : entry.detail());
    Checkpoint.parse(note.text());
    return note;
  }

  /**
   * What is wrong with one whose checkpoint its log has not signed, and what to do about it.
   *
   * @param number of the entry that holds it
   */
  static String unsigned(String origin, long number) {
    return "a checkpoint of the log %s that no known key of that log has signed. Give all its keys,"
            .formatted(origin)
        + " earlier ones too; if they are all there, somebody planted it in audit_published: find"
        + " out who, then verify with --disregard "
        + number;
  }
}
