package no.bindeledd.reading;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Hides the cells of a table that are about few people, and so many others that none of the hidden
 * can be computed from what is shown (domain.md § 3, E26). Immutable.
 *
 * <p>A table has rows, columns and a total for each; the columns' totals are always shown, since
 * other tables of the same facts show them too. A hidden cell always lies in a <em>rectangle</em>
 * of hidden cells (two rows, and two columns or a column and the rows' totals) in which adding one
 * at two corners and taking one away at the others changes nothing that is shown. So what is shown
 * fits at least two tables, and these differ in every cell of the rectangle. Two tables that share
 * nothing but the columns' totals tell no more together than each alone: any two tables with the
 * same column totals are tables of some common facts.
 */
public final class SmallCells {
  private final long[][] values;
  private final BitSet[] hidden;
  private final int columns;

  private SmallCells(long[][] values, int columns) {
    this.values = values;
    this.columns = columns;
    this.hidden = new BitSet[values.length];
    for (int row = 0; row < values.length; row++) {
      hidden[row] = new BitSet();
    }
  }

  /**
   * Decides what is hidden.
   *
   * @param counts by row and column, none negative; every column's sum is at least the least
   * @param small the cells, and in the last place of each row its total, that are about few people
   * @param least a cell of this size may be shown, and is a good cover for a hidden one
   */
  public static SmallCells of(long[][] counts, boolean[][] small, long least) {
    int columns = counts.length == 0 ? 0 : counts[0].length;
    long[][] values = new long[counts.length][columns + 1];
    for (int row = 0; row < counts.length; row++) {
      for (int column = 0; column < columns; column++) {
        values[row][column] = counts[row][column];
        values[row][columns] += counts[row][column];
      }
    }
    SmallCells table = new SmallCells(values, columns);
    for (int row = 0; row < values.length; row++) {
      for (int column = 0; column <= columns; column++) {
        if (small[row][column] && values[row][column] > 0 && !table.isHidden(row, column)) {
          table.hide(row, column, least);
        }
      }
    }
    return table;
  }

  /**
   * @param column the number of columns for the row's total
   */
  public boolean isHidden(int row, int column) {
    return hidden[row].get(column);
  }

  /** Two rows and two columns, of which the last may stand for the rows' totals. */
  private record Rectangle(int row, int other, int column, int cover) {}

  private void hide(int row, int column, long least) {
    Rectangle best = null;
    long leastCost = Long.MAX_VALUE;
    for (Rectangle candidate : rectangles(row, column)) {
      long cost = cost(candidate, least);
      if (cost < leastCost) {
        best = candidate;
        leastCost = cost;
      }
    }
    if (best == null) {
      throw new IllegalArgumentException(
          "A cell about few people stands alone in its column: join the column with another");
    }
    for (int r : new int[] {best.row(), best.other()}) {
      hidden[r].set(best.column());
      hidden[r].set(best.cover());
    }
  }

  /** Those in which the cell may grow while the others stay at zero or above. */
  private List<Rectangle> rectangles(int row, int column) {
    List<Rectangle> found = new ArrayList<>();
    for (int other = 0; other < values.length; other++) {
      for (int cover = 0; cover <= columns; cover++) {
        if (other != row && cover != column) {
          Rectangle candidate = new Rectangle(row, other, column, cover);
          if (slack(candidate) > 0) {
            found.add(candidate);
          }
        }
      }
    }
    return found;
  }

  /**
   * By how much the first cell may grow: what must shrink with it bounds it. Beside a total, the
   * total grows too; beside another column, that column's cell shrinks.
   */
  private long slack(Rectangle of) {
    long opposite = values[of.other()][of.column()];
    boolean total = of.column() == columns || of.cover() == columns;
    long second = total ? values[of.other()][of.cover()] : values[of.row()][of.cover()];
    return Math.min(opposite, second);
  }

  /** What it takes away from the reader; a cover that leaves the hidden cell narrow costs more. */
  private long cost(Rectangle of, long least) {
    long lost = 0;
    for (int r : new int[] {of.row(), of.other()}) {
      for (int c : new int[] {of.column(), of.cover()}) {
        lost += hidden[r].get(c) ? 0 : 1 + values[r][c];
      }
    }
    return lost + (slack(of) < least ? Integer.MAX_VALUE : 0);
  }

  /** What is shown of a cell, or null when it is hidden. */
  public @Nullable Long shown(int row, int column) {
    return isHidden(row, column) ? null : Long.valueOf(values[row][column]);
  }
}
