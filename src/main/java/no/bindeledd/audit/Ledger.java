package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.InstantSource;
import java.util.List;
import javax.sql.DataSource;

/** The append side of the log. Skeleton. */
public final class Ledger implements AutoCloseable {
  private Ledger() {}

  public static Ledger open(DataSource source, LogKey key, String origin, InstantSource clock)
      throws SQLException {
    throw new UnsupportedOperationException();
  }

  /** Writes a batch in the caller's transaction; at most one batch may be outstanding. */
  public Appended append(Connection connection, List<AuditEntry> entries) throws SQLException {
    throw new UnsupportedOperationException();
  }

  /** The transaction of the outstanding batch was committed. */
  public void confirm(Appended appended) {
    throw new UnsupportedOperationException();
  }

  /** The transaction of the outstanding batch was rolled back. */
  public void discard(Appended appended) {
    throw new UnsupportedOperationException();
  }

  /**
   * Re-reads the head when the outcome of a commit is unknown, or another instance wrote.
   *
   * @return true when the outstanding batch turned out to be committed
   */
  public boolean resync(Connection connection) throws SQLException {
    throw new UnsupportedOperationException();
  }

  /** Entries confirmed. Any thread. */
  public long size() {
    throw new UnsupportedOperationException();
  }

  /** The newest confirmed signed checkpoint. Any thread. */
  public SignedNote checkpoint() {
    throw new UnsupportedOperationException();
  }

  @Override
  public void close() {}
}
