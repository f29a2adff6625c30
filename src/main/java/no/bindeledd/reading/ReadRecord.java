package no.bindeledd.reading;

import java.time.Instant;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * The entry that says that the audit trail was read: by whom, what was asked for, how much was
 * given. It is in the ledger before the answer leaves. When one person was asked about it carries
 * the pseudonym, so that the person's own report tells who looked.
 */
public final class ReadRecord {
  /** The exchange id under which readings stand. */
  public static final String EXCHANGE = "audit";

  private ReadRecord() {}

  /** What kind of reading: the entry's outcome. */
  public enum Kind {
    /** Single entries, without persons. */
    METADATA_READ,
    /** Single entries, with pseudonyms. */
    SUBJECTS_READ,
    /** The report to the person concerned (GDPR art. 15). */
    SUBJECT_REPORT,
    /** An export to those who supervise. */
    SUPERVISION_EXPORT,
    /** Counts, small cells suppressed. */
    STATISTICS
  }

  /**
   * @param reader the organisation that reads
   * @param asked what was asked for, without personal data
   * @param rows how many entries, or cells, were given
   */
  public static AuditEntry of(
      Instant at,
      Kind kind,
      @Nullable String reader,
      @Nullable Pseudonym subject,
      @Nullable String trace,
      String asked,
      long rows) {
    return AuditEntry.plain(
        at,
        Station.READ,
        EXCHANGE,
        reader,
        null,
        subject,
        null,
        trace,
        kind.name(),
        kind.name(),
        "asked for " + asked + "; rows: " + rows);
  }
}
