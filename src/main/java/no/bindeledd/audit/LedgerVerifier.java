package no.bindeledd.audit;

import java.sql.SQLException;
import java.util.List;
import javax.sql.DataSource;

/** Checks a whole ledger in the database. Skeleton. */
public final class LedgerVerifier {
  private LedgerVerifier() {}

  public static Verification verify(
      DataSource source, List<VerifierKey> keys, ProgressListener progress) throws SQLException {
    return verify(source, keys, List.of(), progress);
  }

  /**
   * @param known checkpoints remembered outside the database, which the ledger must extend
   */
  public static Verification verify(
      DataSource source, List<VerifierKey> keys, List<SignedNote> known, ProgressListener progress)
      throws SQLException {
    throw new UnsupportedOperationException();
  }
}
