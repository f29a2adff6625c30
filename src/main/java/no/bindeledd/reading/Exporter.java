package no.bindeledd.reading;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;

/**
 * Copies the ledger to another system, in order, from where it stood: a stretch is read, handed
 * over, and only then left behind. After a crash or an error the other side gets the same stretch
 * again, and knows it by the indexes. {@link #step} and {@link #close} belong to one thread, {@link
 * #behind} to any.
 */
public final class Exporter implements AutoCloseable {
  private static final int MOST = 500;

  /** An entry and its place. */
  public record Numbered(long index, AuditEntry entry) {}

  /** The other side. */
  public interface Sink extends AutoCloseable {
    /** Returns when the other side has taken them all. */
    void send(List<Numbered> entries) throws IOException;

    @Override
    void close();
  }

  private final DataSource source;
  private final LedgerCursor cursor;
  private final Sink sink;
  private final AtomicLong behind = new AtomicLong();

  public Exporter(DataSource source, String name, Sink sink) {
    this.source = source;
    this.cursor = new LedgerCursor(source, name);
    this.sink = sink;
  }

  /** Entries that the other side lacks, when this instance last looked. */
  public long behind() {
    return behind.get();
  }

  /**
   * Hands over the next stretch.
   *
   * @return false when there is none now
   */
  public boolean step() throws SQLException, IOException {
    LedgerCursor.Stretch stretch = cursor.next(MOST);
    if (stretch == null) {
      behind.set(0);
      return false;
    }
    behind.set(stretch.size() - stretch.from());
    List<Numbered> entries = new ArrayList<>(MOST);
    try (Connection connection = source.getConnection()) {
      AuditReader.scan(
          connection,
          stretch.from(),
          stretch.to(),
          (index, entry) -> {
            if (entry != null) { // the verification names a damaged one; the receiver sees the gap
              entries.add(new Numbered(index, entry));
            }
          });
    }
    sink.send(entries);
    cursor.taken(stretch.to());
    behind.set(stretch.size() - stretch.to());
    return true;
  }

  @Override
  public void close() throws SQLException {
    try (sink) {
      cursor.release();
    } catch (IllegalStateException e) {
      // It was another instance's already.
    }
  }
}
