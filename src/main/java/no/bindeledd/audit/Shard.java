package no.bindeledd.audit;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * One of the logs that make up the ledger. Each hub instance writes one, so that none waits for
 * another. The number of an entry is {@code shard * 2^40 + index}, with the index that it has in
 * the shard's own log: unique in the house, rising and without gap in a shard, and without meaning
 * between shards. It has at most 44 bits, so that JSON carries it. Immutable.
 *
 * @param number 0 to {@value #MOST} - 1
 */
public record Shard(int number) implements Comparable<Shard> {
  /** The search index has room for so many. */
  public static final int MOST = 16;

  /** The only one of a house with one hub. Its log has the house's own name. */
  public static final Shard FIRST = new Shard(0);

  private static final int BITS = 40;
  private static final String SUFFIX = "shard-";

  public Shard {
    if (number < 0 || number >= MOST) {
      throw new IllegalArgumentException(
          "A shard has a number from 0 to " + (MOST - 1) + ", not " + number);
    }
  }

  /** The shard that an entry is in. */
  public static Shard of(long entry) {
    return new Shard((int) (entry >>> BITS));
  }

  /** An entry's index in the log of its shard, from 0. */
  public static long index(long entry) {
    return entry & (1L << BITS) - 1;
  }

  /** The number of the entry with this index. */
  public long entry(long index) {
    return first() + index;
  }

  /** The number of the first entry. */
  public long first() {
    return (long) number << BITS;
  }

  /** The number behind the last entry that there can be. */
  public long end() {
    return (number + 1L) << BITS;
  }

  /**
   * The name of this shard's log.
   *
   * @param house the name of the first one
   */
  public String origin(String house) {
    return number == 0 ? house : house + "/" + SUFFIX + number;
  }

  /** Whether a log is not the house's first. */
  static boolean isBelow(String origin) {
    return origin.matches(".*/" + SUFFIX + "[0-9]{1,2}");
  }

  /** Where its published log lies below that of the first one, with the last slash. */
  public String below() {
    return number == 0 ? "" : SUFFIX + number + "/";
  }

  /** The name of the file with the signing key, beside the other secrets. */
  public String keyFile() {
    return number == 0 ? "log.key" : "log-" + number + ".key";
  }

  /** Those that the database has, in order. */
  public static List<Shard> all(Connection connection) throws SQLException {
    List<Shard> shards = new ArrayList<>();
    try (PreparedStatement select =
            connection.prepareStatement("SELECT shard FROM audit_head ORDER BY shard");
        ResultSet row = select.executeQuery()) {
      while (row.next()) {
        shards.add(new Shard(row.getInt(1)));
      }
    }
    return shards;
  }

  @Override
  public int compareTo(Shard other) {
    return Integer.compare(number, other.number);
  }

  @Override
  public String toString() {
    return "shard " + number;
  }
}
