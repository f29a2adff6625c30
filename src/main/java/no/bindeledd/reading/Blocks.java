package no.bindeledd.reading;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import no.bindeledd.audit.Shard;

/**
 * Which parts of the ledger are in the index, as read at one moment: what is indexed later is then
 * looked through. Immutable.
 */
record Blocks(List<Block> indexed) {
  /** Entries in a block: their numbers divided by this are the block's number. */
  static final int SIZE = 32_768;

  /** The times of a block's entries; both ends included. */
  record Block(long number, Instant earliest, Instant latest) {
    long from() {
      return number * SIZE;
    }

    long to() {
      return from() + SIZE;
    }
  }

  /**
   * A part of the ledger, from an entry's number up to another.
   *
   * @param blocks those that it is made of, rising; empty when it is not in the index
   */
  record Stretch(long from, long to, List<Block> blocks) {}

  static Blocks read(Connection connection) throws SQLException {
    List<Block> blocks = new ArrayList<>();
    try (PreparedStatement select =
            connection.prepareStatement(
                "SELECT block, earliest, latest FROM audit_block ORDER BY block");
        ResultSet rs = select.executeQuery()) {
      while (rs.next()) {
        blocks.add(
            new Block(
                rs.getLong(1),
                rs.getObject(2, OffsetDateTime.class).toInstant(),
                rs.getObject(3, OffsetDateTime.class).toInstant()));
      }
    }
    return new Blocks(blocks);
  }

  /** A part of the ledger in stretches, rising: indexed and not indexed in turn. */
  List<Stretch> stretches(long from, long to) {
    List<Stretch> stretches = new ArrayList<>();
    List<Block> within =
        indexed.stream().filter(block -> block.to() > from && block.from() < to).toList();
    long end = from;
    int i = 0;
    while (i < within.size()) {
      int first = i;
      long start = within.get(i).from();
      if (start > end) {
        stretches.add(new Stretch(end, start, List.of()));
      }
      end = within.get(i++).to();
      while (i < within.size() && within.get(i).from() == end) {
        end = within.get(i++).to();
      }
      stretches.add(new Stretch(start, end, within.subList(first, i)));
    }
    if (end < to) {
      stretches.add(new Stretch(end, to, List.of()));
    }
    return stretches;
  }

  /** The number behind the newest indexed entry of a shard. */
  long end(Shard shard) {
    return indexed.stream()
        .filter(block -> block.from() >= shard.first() && block.to() <= shard.end())
        .mapToLong(Block::to)
        .max()
        .orElse(shard.first());
  }
}
