package no.bindeledd.audit;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;

/**
 * Something an entry can be searched by that has no column of its own. Immutable, safe on any
 * thread.
 *
 * <p>{@link #CONDITION} asks twice for the same: {@code audit_terms} is what the full segments are
 * indexed by, and the byte search is what makes the scan of the open segment quick. Both read the
 * proved bytes.
 *
 * @param kind what the value is
 * @param value as it stands in the entry; of a trace, the trace id's 32 hexadecimal digits
 */
public record EntryTerm(Kind kind, String value) {
  /** A condition on audit_entry with two parameters, {@link #parameters}. */
  public static final String CONDITION =
      "(audit_terms(entry) @> ARRAY[?]::text[] AND position(?::bytea IN entry) > 0)";

  /** The members that can be searched by. */
  public enum Kind {
    SENDER,
    RECEIVER,
    REASON,
    AGREEMENT,
    EXCHANGE,
    OUTCOME,
    TRACE,
    RULE,
    CONSENT;

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** The values of {@link #CONDITION}'s parameters, in order: a string and bytes. */
  public List<Object> parameters() {
    return List.of(kind.word() + "=" + value, pattern());
  }

  /** Bytes that stand in every entry with this term: a quotation mark in a value is escaped. */
  private byte[] pattern() {
    if (kind == Kind.TRACE) {
      return value.getBytes(StandardCharsets.UTF_8);
    }
    CanonicalWriter pattern = new CanonicalWriter(64);
    if (kind != Kind.RULE && kind != Kind.CONSENT) {
      pattern.raw(("\"" + kind.word() + "\":").getBytes(StandardCharsets.US_ASCII));
    }
    pattern.quoted(value);
    return pattern.toByteArray();
  }
}
