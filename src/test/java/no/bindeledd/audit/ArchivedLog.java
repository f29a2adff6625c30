package no.bindeledd.audit;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.zip.Deflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * A log of one full segment and three entries more, and the file with the full one: made once, by
 * the definitions and not by what is tried with it.
 */
final class ArchivedLog {
  static final int SIZE = Segments.SIZE + 3;

  private static final Instant START = Instant.parse("2026-09-01T08:00:00Z");

  private static final String INSERT =
      "INSERT INTO audit_entry (idx, at, station, exchange, outcome, message, subject, salt, leaf,"
          + " entry) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

  private static @Nullable ArchivedLog shared;

  final LogKey key;
  final List<AuditEntry> entries = IntStream.range(0, SIZE).mapToObj(ArchivedLog::entry).toList();
  final MemoryLog log;
  final Path file;
  final byte[] frontier;

  private ArchivedLog() throws IOException {
    Path folder = Files.createTempDirectory("archived-log");
    key = LogKey.open(folder.resolve("log.key"), LogDatabase.ORIGIN);
    log = new MemoryLog(entries.stream().map(AuditEntry::canonical).toList(), key);
    MerkleFrontier tree = new MerkleFrontier();
    TreeHash hash = new TreeHash();
    log.entries.forEach(entry -> tree.append(hash.leaf(entry)));
    frontier = tree.serialise();
    file = folder.resolve("segment.zip");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(file))) {
      zip.setLevel(Deflater.BEST_SPEED);
      put(zip, "segment", "0\n".getBytes(StandardCharsets.UTF_8));
      for (String piece : pieces()) {
        put(zip, piece, log.piece(piece));
      }
    }
    for (Path each : List.of(folder, file, folder.resolve("log.key"))) {
      each.toFile().deleteOnExit();
    }
  }

  private static void put(ZipOutputStream zip, String path, byte[] bytes) throws IOException {
    zip.putNextEntry(new ZipEntry(path));
    zip.write(bytes);
    zip.closeEntry();
  }

  /** The segment's own, what leads from it to the root, and the checkpoint. */
  static List<String> pieces() {
    List<String> pieces = new ArrayList<>(List.of("checkpoint", "tile/1/000", "tile/0/256.p/3"));
    for (int i = 0; i < 256; i++) {
      pieces.add("tile/0/%03d".formatted(i));
      pieces.add("tile/entries/%03d".formatted(i));
    }
    return pieces;
  }

  static synchronized ArchivedLog shared() throws IOException {
    ArchivedLog made = shared;
    if (made == null) {
      made = new ArchivedLog();
      shared = made;
    }
    return made;
  }

  /** The person that an entry is about: every ten-thousandth, from the seventh, is about one. */
  static @Nullable Pseudonym subject(int index) {
    return index % 10_000 == 7 ? Entries.subject(index) : null;
  }

  private static AuditEntry entry(int index) {
    return AuditEntry.plain(
        START.plusMillis(index),
        Station.DECIDE,
        index % 2 == 0 ? "measure-event" : "dropout-notice",
        null,
        null,
        subject(index),
        "message-" + index,
        null,
        "RELEASED",
        "RELEASED",
        null);
  }

  /** In place of whatever the database held: the file, what is kept beside it, and the rest. */
  void store(LogDatabase database) throws SQLException {
    database.clear();
    archived(database, 0);
    try (Connection c = database.source.getConnection()) {
      Segments.extend(c, Shard.FIRST, SIZE);
      for (int i = 0; i < Segments.SIZE; i++) {
        if (entries.get(i).salt() != null) {
          link(c, i, entries.get(i));
        }
      }
      for (int i = Segments.SIZE; i < SIZE; i++) {
        insert(c, i);
      }
      try (PreparedStatement head =
          c.prepareStatement(
              "INSERT INTO audit_head (shard, origin, size, frontier, checkpoint)"
                  + " VALUES (0, ?, ?, ?, ?)")) {
        head.setString(1, LogDatabase.ORIGIN);
        head.setLong(2, SIZE);
        head.setBytes(3, frontier);
        head.setString(4, new String(log.piece("checkpoint"), StandardCharsets.UTF_8));
        head.executeUpdate();
      }
    }
  }

  void archived(LogDatabase database, long segment) throws SQLException {
    try (Connection c = database.source.getConnection();
        PreparedStatement insert =
            c.prepareStatement("INSERT INTO audit_archive VALUES (?, ?, '')")) {
      insert.setLong(1, segment);
      insert.setString(2, file.toString());
      insert.executeUpdate();
    }
  }

  /** Stores an entry where it belongs. */
  void insert(Connection c, int index) throws SQLException {
    insertAs(c, index, index);
  }

  /** Stores an entry under another number. */
  void insertAs(Connection c, long number, int index) throws SQLException {
    try (PreparedStatement insert = c.prepareStatement(INSERT)) {
      set(insert, number, index);
      insert.executeUpdate();
    }
  }

  /** Stores the first entries. */
  void insertAll(Connection c, int count) throws SQLException {
    try (PreparedStatement insert = c.prepareStatement(INSERT)) {
      for (int index = 0; index < count; index++) {
        set(insert, index, index);
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }

  private void set(PreparedStatement insert, long number, int index) throws SQLException {
    AuditEntry entry = entries.get(index);
    Pseudonym subject = entry.subject();
    byte[] bytes = log.entries.get(index);
    insert.setLong(1, number);
    insert.setObject(2, entry.at().atOffset(ZoneOffset.UTC));
    insert.setString(3, entry.station().name());
    insert.setString(4, entry.exchange());
    insert.setString(5, entry.outcome());
    insert.setString(6, entry.message());
    insert.setBytes(7, subject == null ? null : subject.bytes());
    insert.setBytes(8, entry.salt());
    insert.setBytes(9, new TreeHash().leaf(bytes));
    insert.setBytes(10, bytes);
  }

  private static void link(Connection c, long number, AuditEntry entry) throws SQLException {
    try (PreparedStatement insert = c.prepareStatement("INSERT INTO audit_link VALUES (?, ?, ?)")) {
      Pseudonym subject = entry.subject();
      insert.setLong(1, number);
      insert.setBytes(2, subject == null ? null : subject.bytes());
      insert.setBytes(3, entry.salt());
      insert.executeUpdate();
    }
  }
}
