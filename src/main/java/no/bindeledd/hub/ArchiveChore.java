package no.bindeledd.hub;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.Period;
import java.time.ZoneId;
import java.util.List;
import javax.sql.DataSource;
import no.bindeledd.audit.Appended;
import no.bindeledd.audit.Archiving;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LedgerException;
import no.bindeledd.audit.LogSource;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.gate.Journal;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Moves segments of one shard, all of whose entries are older than the house keeps in the database,
 * to archive files. Not thread-safe.
 */
public final class ArchiveChore {
  private static final Logger LOG = LoggerFactory.getLogger(ArchiveChore.class);
  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");

  private final DataSource database;
  private final Writer writer;
  private final Shard shard;
  private final LogSource log;
  private final List<VerifierKey> keys;
  private final Path folder;
  private final Period after;
  private final InstantSource clock;

  /** What is done in a transaction, and the entry that records it there. */
  public interface Act {
    AuditEntry in(Connection connection) throws SQLException;
  }

  /** Enters an act in the shard's ledger. */
  public interface Writer {
    void write(Act act) throws SQLException;

    /** Through the journal of a hub that runs. */
    static Writer of(Journal journal) {
      return act ->
          journal.write((connection, next) -> Journal.Written.of(act.in(connection))).join();
    }

    /** Through the ledger alone, where no hub runs. */
    static Writer of(DataSource database, Ledger ledger) {
      return act -> {
        try (Connection connection = database.getConnection()) {
          connection.setAutoCommit(false);
          Appended appended = ledger.append(connection, List.of(act.in(connection)));
          connection.commit();
          ledger.confirm(appended);
        }
      };
    }
  }

  /**
   * @param writer writes that shard
   * @param log the shard's published log
   * @param keys whose signatures on it are believed
   * @param folder where the files go
   * @param after how old an entry is when it may leave the database (Oslo calendar)
   */
  public ArchiveChore(
      DataSource database,
      Writer writer,
      Shard shard,
      LogSource log,
      List<VerifierKey> keys,
      Path folder,
      Period after,
      InstantSource clock) {
    this.database = database;
    this.writer = writer;
    this.shard = shard;
    this.log = log;
    this.keys = keys;
    this.folder = folder;
    this.after = after;
    this.clock = clock;
  }

  /**
   * Moves the oldest segment.
   *
   * @return false when it is too young, not full, or not published yet
   * @throws LedgerException when it cannot be moved; names the entry or the file, and is logged
   */
  public boolean next() throws SQLException, IOException {
    Instant now = clock.instant();
    Instant before = now.atZone(OSLO).minus(after).toInstant();
    Archiving.Ready ready;
    try (Connection connection = database.getConnection()) {
      ready = Archiving.prepare(connection, shard, log, keys, folder, before);
    } catch (LedgerException e) {
      LOG.error("No segment of the ledger is archived: {}", e.getMessage());
      throw e;
    }
    if (ready == null) {
      return false;
    }
    writer.write(connection -> Archiving.move(connection, ready, now));
    return true;
  }
}
