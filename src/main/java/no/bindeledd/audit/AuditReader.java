package no.bindeledd.audit;

import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import javax.sql.DataSource;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/** Asks the ledger, newest first, paged by index. Skeleton. */
public final class AuditReader {
  public AuditReader(DataSource source) {}

  /** What to look for; null means any. {@code from} is inclusive, {@code to} exclusive. */
  public record Query(
      @Nullable Pseudonym subject,
      @Nullable String message,
      @Nullable String exchange,
      @Nullable String outcome,
      @Nullable Instant from,
      @Nullable Instant to) {
    public static final Query ALL = new Query(null, null, null, null, null, null);
  }

  /**
   * @param intact false when the stored bytes, leaf hash and columns do not agree
   */
  public record Found(long index, AuditEntry entry, boolean intact) {}

  /**
   * @param before give this to {@link #read} for the next, older page; null on the last
   */
  public record Page(List<Found> entries, @Nullable Long before) {}

  /**
   * @param before only entries with a lower index; null for the newest
   * @param limit 1 to 1,000
   */
  public Page read(Query query, @Nullable Long before, int limit) throws SQLException {
    throw new UnsupportedOperationException();
  }
}
