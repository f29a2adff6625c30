package no.bindeledd.reading;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.UUID;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Shard;
import org.jspecify.annotations.Nullable;

/**
 * How far one exporter has come in one shard of the ledger, durably. The ledger is its buffer:
 * while the other side is down the place stands still, and nothing waits for it. Of several hub
 * instances one at a time has the cursor; one that is gone loses it after a minute. Not
 * thread-safe.
 */
public final class LedgerCursor {
  private static final String HELD = "now() + interval '60 seconds'";

  private final DataSource source;
  private final String reader;
  private final Shard shard;
  private final String holder = UUID.randomUUID().toString();

  /**
   * @param reader the exporter's name; its place is kept under it
   */
  public LedgerCursor(DataSource source, String reader, Shard shard) {
    this.source = source;
    this.reader = reader;
    this.shard = shard;
  }

  /** A stretch of the shard; {@code to} is excluded, {@code next} is the shard's next entry. */
  public record Stretch(long from, long to, long next) {}

  /**
   * What comes next.
   *
   * @return null when nothing does, or another instance has the cursor
   */
  public @Nullable Stretch next(int most) throws SQLException {
    try (Connection connection = source.getConnection()) {
      try (PreparedStatement insert =
          connection.prepareStatement(
              "INSERT INTO audit_position (reader, shard, next) VALUES (?, ?, ?)"
                  + " ON CONFLICT DO NOTHING")) {
        insert.setString(1, reader);
        insert.setInt(2, shard.number());
        insert.setLong(3, shard.first());
        insert.executeUpdate();
      }
      try (PreparedStatement claim =
          connection.prepareStatement(
              "UPDATE audit_position SET holder = ?, held_until = "
                  + HELD
                  + " WHERE reader = ? AND shard = ?"
                  + " AND (holder IS NULL OR holder = ? OR held_until < now()) RETURNING next")) {
        claim.setString(1, holder);
        claim.setString(2, reader);
        claim.setInt(3, shard.number());
        claim.setString(4, holder);
        try (ResultSet rs = claim.executeQuery()) {
          if (!rs.next()) {
            return null;
          }
          long from = rs.getLong(1);
          long next = AuditReader.next(connection, shard);
          return next <= from ? null : new Stretch(from, Math.min(next, from + most), next);
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
                "UPDATE audit_position SET "
                    + change
                    + " WHERE reader = ? AND shard = ? AND holder = ?")) {
      update.setString(1, reader);
      update.setInt(2, shard.number());
      update.setString(3, holder);
      if (update.executeUpdate() != 1) {
        throw new IllegalStateException("Another instance has the cursor " + reader);
      }
    }
  }
}
