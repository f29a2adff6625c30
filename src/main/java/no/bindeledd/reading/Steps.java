package no.bindeledd.reading;

import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * The times within a block, a step of its entries at a time: where a query for a time begins and
 * ends, so that not the whole block is looked through. Entries stand in the order of their
 * recording, which is almost that of their times. Not thread-safe.
 */
final class Steps {
  private static final int SIZE = 1_024;

  private final LongBuffer times; // earliest and latest of each step in turn, microseconds

  private Steps(LongBuffer times) {
    this.times = times;
  }

  /** Without entries. */
  static Steps empty() {
    LongBuffer times = LongBuffer.allocate(2 * Blocks.SIZE / SIZE);
    for (int i = 0; i < times.limit(); i += 2) {
      times.put(i, Long.MAX_VALUE).put(i + 1, Long.MIN_VALUE);
    }
    return new Steps(times);
  }

  /**
   * @param place in the block
   */
  void add(int place, Instant at) {
    long micros = ChronoUnit.MICROS.between(Instant.EPOCH, at);
    int step = place / SIZE * 2;
    times.put(step, Math.min(times.get(step), micros));
    times.put(step + 1, Math.max(times.get(step + 1), micros));
  }

  byte[] serialise() {
    ByteBuffer bytes = ByteBuffer.allocate(times.limit() * Long.BYTES);
    bytes.asLongBuffer().put(times.duplicate().rewind());
    return bytes.array();
  }

  /** As stored, or null when the block has none. */
  private static @Nullable Steps read(Connection connection, long block) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement("SELECT steps FROM audit_block WHERE block = ?")) {
      select.setLong(1, block);
      try (ResultSet rs = select.executeQuery()) {
        byte[] stored = rs.next() ? rs.getBytes(1) : null;
        return stored == null ? null : new Steps(ByteBuffer.wrap(stored).asLongBuffer());
      }
    }
  }

  /** The number from which on a block may have entries at the time or later. */
  static long from(Connection connection, Blocks.Block block, @Nullable Instant time)
      throws SQLException {
    Steps steps =
        time == null || !block.earliest().isBefore(time) ? null : read(connection, block.number());
    int step = 0;
    if (steps != null && time != null) {
      while (step < Blocks.SIZE / SIZE && steps.time(2 * step + 1).isBefore(time)) {
        step++;
      }
    }
    return block.from() + (long) step * SIZE;
  }

  /** The number behind the last entry of a block that may be before the time. */
  static long to(Connection connection, Blocks.Block block, @Nullable Instant time)
      throws SQLException {
    Steps steps =
        time == null || block.latest().isBefore(time) ? null : read(connection, block.number());
    int step = Blocks.SIZE / SIZE;
    if (steps != null && time != null) {
      while (step > 0 && !steps.time(2 * step - 2).isBefore(time)) {
        step--;
      }
    }
    return block.from() + (long) step * SIZE;
  }

  private Instant time(int i) {
    return Instant.EPOCH.plus(times.get(i), ChronoUnit.MICROS);
  }
}
