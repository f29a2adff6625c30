package no.bindeledd.reading;

import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Shard;

/**
 * Copies the ledger to another system, each shard in order, from where it stood: a stretch is read,
 * handed over, and only then left behind. After a crash or an error the other side gets the same
 * stretch again, and knows it by the indexes. {@link #step} and {@link #close} belong to one
 * thread, {@link #behind} to any.
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
  private final String name;
  private final Map<Shard, LedgerCursor> cursors = new TreeMap<>();
  private final Sink sink;
  private final AtomicLong behind = new AtomicLong();

  public Exporter(DataSource source, String name, Sink sink) {
    this.source = source;
    this.name = name;
    this.sink = sink;
  }

  /** Entries that the other side lacks, when this instance last looked. */
  public long behind() {
    return behind.get();
  }

  /**
   * Hands over the next stretch of each shard, whichever instance wrote it.
   *
   * @return false when there is none now
   */
  public boolean step() throws SQLException, IOException {
    List<Shard> shards;
    try (Connection connection = source.getConnection()) {
      shards = Shard.all(connection);
    }
    boolean more = false;
    long left = 0;
    for (Shard shard : shards) {
      LedgerCursor cursor = cursors.computeIfAbsent(shard, s -> new LedgerCursor(source, name, s));
      LedgerCursor.Stretch stretch = cursor.next(MOST);
      if (stretch != null) {
        behind.set(left + stretch.next() - stretch.from());
        hand(stretch);
        cursor.taken(stretch.to());
        left += stretch.next() - stretch.to();
        more = true;
      }
    }
    behind.set(left);
    return more;
  }

  private void hand(LedgerCursor.Stretch stretch) throws SQLException, IOException {
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
  }

  @Override
  public void close() throws SQLException {
    try (sink) {
      for (LedgerCursor cursor : cursors.values()) {
        release(cursor);
      }
    }
  }

  private static void release(LedgerCursor cursor) throws SQLException {
    try {
      cursor.release();
    } catch (IllegalStateException e) {
      // It is another instance's.
    }
  }
}
