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
import no.bindeledd.audit.Archiving;
import no.bindeledd.audit.LogSource;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.gate.Journal;

/**
 * Moves segments of the instance's own shard, all of whose entries are older than the house keeps
 * in the database, to archive files. Not thread-safe.
 */
final class ArchiveChore {
  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");

  private final DataSource database;
  private final Journal journal;
  private final Shard shard;
  private final LogSource log;
  private final List<VerifierKey> keys;
  private final Path folder;
  private final Period after;
  private final InstantSource clock;

  ArchiveChore(
      DataSource database,
      Journal journal,
      Shard shard,
      LogSource log,
      List<VerifierKey> keys,
      Path folder,
      Period after,
      InstantSource clock) {
    this.database = database;
    this.journal = journal;
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
   * @return false when it is too young
   */
  boolean next() throws SQLException, IOException {
    Instant now = clock.instant();
    Instant before = now.atZone(OSLO).minus(after).toInstant();
    Archiving.Ready ready;
    try (Connection connection = database.getConnection()) {
      ready = Archiving.prepare(connection, shard, log, keys, folder, before);
    }
    if (ready == null) {
      return false;
    }
    journal
        .write((connection, next) -> Journal.Written.of(Archiving.move(connection, ready, now)))
        .join();
    return true;
  }
}
