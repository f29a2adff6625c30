package no.bindeledd.gate;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.Collection;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGConnection;
import org.postgresql.copy.CopyIn;

/**
 * Rows for PostgreSQL's {@code COPY … FROM STDIN (FORMAT binary)}, written into one reusable
 * buffer. Not thread-safe.
 */
final class CopyBuffer {
  private static final byte[] HEADER = {
    'P', 'G', 'C', 'O', 'P', 'Y', '\n', (byte) 0xff, '\r', '\n', 0, 0, 0, 0, 0, 0, 0, 0, 0
  };
  private static final int TEXT_OID = 25;

  private byte[] buffer = new byte[1 << 16];
  private int length;
  private int rows;

  void clear() {
    System.arraycopy(HEADER, 0, buffer, 0, HEADER.length);
    length = HEADER.length;
    rows = 0;
  }

  CopyBuffer row(int columns) {
    rows++;
    return int16(columns);
  }

  CopyBuffer bytes(byte @Nullable [] value) {
    if (value == null) {
      return int32(-1);
    }
    int32(value.length);
    ensure(value.length);
    System.arraycopy(value, 0, buffer, length, value.length);
    length += value.length;
    return this;
  }

  CopyBuffer text(@Nullable String value) {
    return bytes(value == null ? null : value.getBytes(StandardCharsets.UTF_8));
  }

  CopyBuffer int64(long value) {
    int32(8);
    int32((int) (value >>> 32));
    return int32((int) value);
  }

  CopyBuffer texts(Collection<String> values) {
    int start = length;
    int32(0);
    int32(values.isEmpty() ? 0 : 1).int32(0).int32(TEXT_OID);
    if (!values.isEmpty()) {
      int32(values.size()).int32(1);
      values.forEach(this::text);
    }
    int end = length;
    length = start;
    int32(end - start - 4);
    length = end;
    return this;
  }

  /** Sends what was written, if anything, into the given table and columns. */
  void copyInto(Connection connection, String target) throws SQLException {
    if (rows == 0) {
      return;
    }
    int16(-1);
    CopyIn copy =
        connection
            .unwrap(PGConnection.class)
            .getCopyAPI()
            .copyIn("COPY " + target + " FROM STDIN (FORMAT binary)");
    try {
      copy.writeToCopy(buffer, 0, length);
      copy.endCopy();
    } finally {
      if (copy.isActive()) {
        copy.cancelCopy();
      }
    }
  }

  private CopyBuffer int16(int value) {
    ensure(2);
    buffer[length++] = (byte) (value >>> 8);
    buffer[length++] = (byte) value;
    return this;
  }

  private CopyBuffer int32(int value) {
    ensure(4);
    buffer[length++] = (byte) (value >>> 24);
    buffer[length++] = (byte) (value >>> 16);
    buffer[length++] = (byte) (value >>> 8);
    buffer[length++] = (byte) value;
    return this;
  }

  private void ensure(int more) {
    if (length + more > buffer.length) {
      buffer = Arrays.copyOf(buffer, Math.max(buffer.length * 2, length + more));
    }
  }
}
