package no.bindeledd.reading;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditReader;
import org.jspecify.annotations.Nullable;

/**
 * How far one exporter has come in the ledger, durably. The ledger is its buffer: while the other
 * side is down the place stands still, and nothing waits for it. Of several hub instances one at a
 * time has the cursor; one that is gone loses it after a minute. Not thread-safe.
 */
public final class LedgerCursor {
  private static final String HELD = "now() + interval '60 seconds'";

  private final DataSource source;
  private final String reader;
  private final String holder = UUID.randomUUID().toString();

  /**
   * @param reader the exporter's name; its place is kept under it
   */
  public LedgerCursor(DataSource source, String reader) {
    this.source = source;
    this.reader = reader;
  }

  /** A stretch of the ledger; {@code to} is excluded, {@code size} is the whole ledger's. */
  public record Stretch(long from, long to, long size) {}

  /**
   * What comes next.
   *
   * @return null when nothing does, or another instance has the cursor
   */
  public @Nullable Stretch next(int most) throws SQLException {
    try (Connection connection = source.getConnection()) {
      try (PreparedStatement insert =
          connection.prepareStatement(
              "INSERT INTO audit_position (reader) VALUES (?) ON CONFLICT DO NOTHING")) {
        insert.setString(1, reader);
        insert.executeUpdate();
      }
      try (PreparedStatement claim =
          connection.prepareStatement(
              "UPDATE audit_position SET holder = ?, held_until = "
                  + HELD
                  + " WHERE reader = ?"
                  + " AND (holder IS NULL OR holder = ? OR held_until < now()) RETURNING next")) {
        claim.setString(1, holder);
        claim.setString(2, reader);
        claim.setString(3, holder);
        try (ResultSet rs = claim.executeQuery()) {
          if (!rs.next()) {
            return null;
          }
          long from = rs.getLong(1);
          long size = AuditReader.size(connection);
          return size <= from ? null : new Stretch(from, Math.min(size, from + most), size);
        }
      }
    }
  }

  /**
   * The other side has taken everything before an index.
   *
   * @throws IllegalStateException when another instance took the cursor meanwhile
   */
  public void taken(long next) throws SQLException {
    update("next = " + next + ", held_until = " + HELD);
  }

  /** Lets another instance have the cursor at once. */
  public void release() throws SQLException {
    update("holder = NULL, held_until = NULL");
  }

  private void update(String change) throws SQLException {
    try (Connection connection = source.getConnection();
        PreparedStatement update =
            connection.prepareStatement(
                "UPDATE audit_position SET " + change + " WHERE reader = ? AND holder = ?")) {
      update.setString(1, reader);
      update.setString(2, holder);
      if (update.executeUpdate() != 1) {
        throw new IllegalStateException("Another instance has the cursor " + reader);
      }
    }
  }
}
