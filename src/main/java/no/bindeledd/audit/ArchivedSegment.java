package no.bindeledd.audit;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A segment whose entries are no longer in the database but in a file, see {@link Archiving}. Only
 * the subjects and salts are still in the database. Immutable.
 *
 * @param number that of its first entry, divided by {@link Segments#SIZE}
 */
record ArchivedSegment(long number, Path file) {
  private record Link(byte @Nullable [] subject, byte[] salt) {}

  long from() {
    return number * Segments.SIZE;
  }

  long to() {
    return from() + Segments.SIZE;
  }

  /** Those that have entries from a number up to another, rising. */
  static List<ArchivedSegment> within(Connection connection, long from, long to)
      throws SQLException {
    List<ArchivedSegment> segments = new ArrayList<>();
    if (from >= to) {
      return segments;
    }
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT segment, file FROM audit_archive WHERE segment BETWEEN ? AND ?"
                + " ORDER BY segment")) {
      select.setLong(1, Math.floorDiv(from, Segments.SIZE));
      select.setLong(2, Math.floorDiv(to - 1, Segments.SIZE));
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          segments.add(new ArchivedSegment(rs.getLong(1), Path.of(rs.getString(2))));
        }
      }
    }
    return segments;
  }

  /** The archived ones of these entries, in no order. */
  static List<StoredEntry> at(Connection connection, Collection<Long> numbers) throws SQLException {
    TreeSet<Long> wanted = new TreeSet<>(numbers);
    List<StoredEntry> found = new ArrayList<>();
    if (wanted.isEmpty()) {
      return found;
    }
    for (ArchivedSegment segment : within(connection, wanted.first(), wanted.last() + 1)) {
      Collection<Long> here = wanted.subSet(segment.from(), segment.to());
      if (!here.isEmpty()) {
        Map<Long, Link> links = segment.links(connection);
        try (LogArchive archive = segment.open()) {
          for (long number : here) {
            List<StoredEntry> bundle = segment.bundle(archive, number / TilePath.FULL, links);
            found.add(bundle.get((int) (number % TilePath.FULL)));
          }
        } catch (IOException e) {
          throw segment.unreadable(e);
        }
      }
    }
    return found;
  }

  /**
   * Sees the archived entries from a number up to another, rising.
   *
   * @return false when the taker wanted no more
   */
  static boolean each(Connection connection, long from, long to, StoredEntry.Taker taker)
      throws SQLException {
    for (ArchivedSegment segment : within(connection, from, to)) {
      if (!segment.eachOf(connection, from, to, taker)) {
        return false;
      }
    }
    return true;
  }

  /** As {@link #each}, of this segment alone. */
  boolean eachOf(Connection connection, long from, long to, StoredEntry.Taker taker)
      throws SQLException {
    Map<Long, Link> links = links(connection);
    try (LogArchive archive = open()) {
      long first = Math.max(from, from());
      long last = Math.min(to, to()) - 1;
      for (long bundle = first / TilePath.FULL; bundle <= last / TilePath.FULL; bundle++) {
        for (StoredEntry entry : bundle(archive, bundle, links)) {
          if (entry.index() >= first && entry.index() <= last && !taker.take(entry)) {
            return false;
          }
        }
      }
      return true;
    } catch (IOException e) {
      throw unreadable(e);
    }
  }

  /**
   * The few of its entries that may be cross-links, rising; the others are not taken apart, and
   * nothing is asked of the database.
   */
  List<StoredEntry> crossLinks() {
    List<StoredEntry> found = new ArrayList<>();
    try (LogArchive archive = open()) {
      for (long first = from(); first < to(); first += TilePath.FULL) {
        long number = first;
        byte[] bytes = piece(archive, TilePath.ENTRIES, first);
        for (byte[] entry : EntryBundle.entries(bytes, TilePath.FULL)) {
          if (CrossLink.maybe(entry, 0, entry.length)) {
            found.add(StoredEntry.archived(number, entry, new byte[0], null, null));
          }
          number++;
        }
      }
      return found;
    } catch (IOException | IllegalArgumentException e) {
      throw unreadable(e);
    }
  }

  /**
   * @throws LedgerException when its file is not where it should be
   */
  void requireThere() {
    if (!Files.isReadable(file)) {
      throw unreadable(new NoSuchFileException(file.toString()));
    }
  }

  private LogArchive open() throws IOException {
    return LogArchive.open(file);
  }

  private LedgerException unreadable(Exception cause) {
    return new LedgerException(
        "The entries "
            + from()
            + " to "
            + (to() - 1)
            + " are archived in "
            + file
            + ", which is not there or cannot be read. Put it back, or enter in the table"
            + " audit_archive where it is",
        cause);
  }

  private Map<Long, Link> links(Connection connection) throws SQLException {
    Map<Long, Link> links = new HashMap<>();
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT idx, subject, salt FROM audit_link WHERE idx >= ? AND idx < ?")) {
      select.setLong(1, from());
      select.setLong(2, to());
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          links.put(rs.getLong(1), new Link(rs.getBytes(2), rs.getBytes(3)));
        }
      }
    }
    return links;
  }

  /**
   * 256 entries that lie together.
   *
   * @param bundle the number of the first of them, divided by 256
   */
  private List<StoredEntry> bundle(LogArchive archive, long bundle, Map<Long, Link> links)
      throws IOException {
    long first = bundle * TilePath.FULL;
    byte[] bytes = piece(archive, TilePath.ENTRIES, first);
    byte[] leaves = piece(archive, 0, first);
    if (leaves.length != TilePath.FULL * TreeHash.LENGTH) {
      throw lacking(first);
    }
    List<StoredEntry> entries = new ArrayList<>(TilePath.FULL);
    try {
      for (byte[] entry : EntryBundle.entries(bytes, TilePath.FULL)) {
        int at = entries.size();
        Link link = links.get(first + at);
        entries.add(
            StoredEntry.archived(
                first + at,
                entry,
                Arrays.copyOfRange(leaves, at * TreeHash.LENGTH, (at + 1) * TreeHash.LENGTH),
                link == null ? null : link.subject(),
                link == null ? null : link.salt()));
      }
    } catch (IllegalArgumentException e) {
      throw new IOException(e);
    }
    return entries;
  }

  /** The piece of 256 entries of which this is the first. */
  private static byte[] piece(LogArchive archive, int level, long first) throws IOException {
    long place = Shard.index(first) / TilePath.FULL;
    byte[] bytes = archive.read(new TilePath(level, place, TilePath.FULL).path());
    if (bytes == null) {
      throw lacking(first);
    }
    return bytes;
  }

  private static IOException lacking(long first) {
    return new IOException("It lacks the entries " + first + " and on");
  }
}
