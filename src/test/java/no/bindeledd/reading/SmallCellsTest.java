package no.bindeledd.reading;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;

/**
 * A reader who tries every table that fits what is shown never finds a hidden cell to have one
 * value only, not even with a second table of the same facts.
 */
class SmallCellsTest {
  private static final int LEAST = 3;

  @Example
  void aSmallCellIsHiddenTogetherWithWhatWouldGiveItAway() {
    SmallCells table = table(new long[][] {{2, 40, 30}, {25, 60, 50}, {35, 20, 90}});
    assertThat(table.shown(0, 0)).isNull();
    assertThat(hidden(table, 3, 3)).isEqualTo(4);
    assertThat(table.shown(2, 2)).isEqualTo(90);
  }

  @Example
  void aTableWithoutSmallCellsIsShownWhole() {
    SmallCells table = table(new long[][] {{3, 40}, {25, 0}});
    assertThat(hidden(table, 2, 2)).isZero();
    assertThat(table.shown(0, 2)).isEqualTo(43);
  }

  @Property(tries = 400)
  void noHiddenCellCanBeComputed(@ForAll("tables") long[][] counts) {
    Assume.that(columnsAreLarge(counts));
    SmallCells table = table(counts);
    int columns = counts[0].length;
    Set<Long>[][] possible = possible(counts, table);
    for (int row = 0; row < counts.length; row++) {
      for (int column = 0; column <= columns; column++) {
        if (isSmall(value(counts, row, column))) {
          assertThat(table.isHidden(row, column)).isTrue();
        }
        if (table.isHidden(row, column)) {
          assertThat(possible[row][column])
              .as("row %d column %d", row, column)
              .hasSizeGreaterThanOrEqualTo(2);
        } else {
          assertThat(possible[row][column]).containsExactly(value(counts, row, column));
        }
      }
    }
  }

  /**
   * Each table that fits what the first shows, together with the second table as it really is, is
   * the pair of tables of some common facts: so the second says nothing more about the first.
   */
  @Property(tries = 200)
  void aSecondTableOfTheSameFactsHelpsNobody(@ForAll("cubes") long[][][] facts) {
    long[][] first = margin(facts, true);
    long[][] second = margin(facts, false);
    Assume.that(columnsAreLarge(first));
    for (long[][] other : fitting(first, table(first))) {
      long[][][] made = joined(other, second);
      assertThat(margin(made, true)).isDeepEqualTo(other);
      assertThat(margin(made, false)).isDeepEqualTo(second);
    }
  }

  @Provide
  Arbitrary<long[][]> tables() {
    Arbitrary<Long> cell = Arbitraries.longs().between(0, 5);
    return Arbitraries.integers()
        .between(2, 3)
        .flatMap(
            rows ->
                Arbitraries.integers()
                    .between(1, 3)
                    .flatMap(
                        columns ->
                            cell.list()
                                .ofSize(rows * columns)
                                .map(cells -> shaped(cells, rows, columns))));
  }

  @Provide
  Arbitrary<long[][][]> cubes() {
    return Arbitraries.longs()
        .between(0, 3)
        .list()
        .ofSize(12)
        .map(
            cells -> {
              long[][][] cube = new long[2][3][2];
              for (int i = 0; i < 12; i++) {
                cube[i / 6][i / 2 % 3][i % 2] = cells.get(i);
              }
              return cube;
            });
  }

  private static long[][] shaped(List<Long> cells, int rows, int columns) {
    long[][] table = new long[rows][columns];
    for (int i = 0; i < cells.size(); i++) {
      table[i / columns][i % columns] = cells.get(i);
    }
    return table;
  }

  private static boolean isSmall(long value) {
    return value > 0 && value < LEAST;
  }

  private static SmallCells table(long[][] counts) {
    boolean[][] small = new boolean[counts.length][counts[0].length + 1];
    for (int row = 0; row < counts.length; row++) {
      for (int column = 0; column <= counts[0].length; column++) {
        small[row][column] = isSmall(value(counts, row, column));
      }
    }
    return SmallCells.of(counts, small, LEAST);
  }

  /** A cell, or in the last place the row's total. */
  private static long value(long[][] counts, int row, int column) {
    if (column < counts[row].length) {
      return counts[row][column];
    }
    long total = 0;
    for (long each : counts[row]) {
      total += each;
    }
    return total;
  }

  private static long total(long[][] counts, int column) {
    long total = 0;
    for (long[] row : counts) {
      total += row[column];
    }
    return total;
  }

  private static boolean columnsAreLarge(long[][] counts) {
    for (int column = 0; column < counts[0].length; column++) {
      if (isSmall(total(counts, column))) {
        return false;
      }
    }
    return true;
  }

  private static int hidden(SmallCells table, int rows, int columns) {
    int hidden = 0;
    for (int row = 0; row < rows; row++) {
      for (int column = 0; column <= columns; column++) {
        hidden += table.isHidden(row, column) ? 1 : 0;
      }
    }
    return hidden;
  }

  @SuppressWarnings("unchecked")
  private static Set<Long>[][] possible(long[][] counts, SmallCells table) {
    Set<Long>[][] possible = new Set[counts.length][counts[0].length + 1];
    for (long[][] other : fitting(counts, table)) {
      for (int row = 0; row < counts.length; row++) {
        for (int column = 0; column <= counts[0].length; column++) {
          if (possible[row][column] == null) {
            possible[row][column] = new HashSet<>();
          }
          possible[row][column].add(value(other, row, column));
        }
      }
    }
    return possible;
  }

  /** Every table of whole numbers from zero that fits the shown cells and totals. */
  private static List<long[][]> fitting(long[][] counts, SmallCells table) {
    List<long[][]> found = new ArrayList<>();
    search(counts, table, new long[counts.length][counts[0].length], 0, found);
    return found;
  }

  private static void search(
      long[][] counts, SmallCells table, long[][] tried, int place, List<long[][]> found) {
    int columns = counts[0].length;
    if (found.size() > 20_000) {
      return; // more than enough to show two values, if there are
    }
    if (place == counts.length * columns) {
      found.add(copy(tried));
      return;
    }
    int row = place / columns;
    int column = place % columns;
    long left = total(counts, column);
    for (int above = 0; above < row; above++) {
      left -= tried[above][column];
    }
    boolean last = row == counts.length - 1;
    @Nullable Long shown = table.shown(row, column);
    for (long value = last ? left : 0; value <= left; value++) {
      boolean fits = value >= 0 && (shown == null || shown == value);
      tried[row][column] = value;
      if (fits && column == columns - 1) {
        @Nullable Long total = table.shown(row, columns);
        fits = total == null || total == value(tried, row, columns);
      }
      if (fits) {
        search(counts, table, tried, place + 1, found);
      }
    }
    tried[row][column] = 0;
  }

  private static long[][] copy(long[][] table) {
    long[][] copy = new long[table.length][];
    for (int i = 0; i < table.length; i++) {
      copy[i] = table[i].clone();
    }
    return copy;
  }

  /** Rows of the cube's first or second measure, by its third. */
  private static long[][] margin(long[][][] cube, boolean first) {
    long[][] table = new long[first ? cube.length : cube[0].length][cube[0][0].length];
    for (int i = 0; i < cube.length; i++) {
      for (int j = 0; j < cube[i].length; j++) {
        for (int k = 0; k < cube[i][j].length; k++) {
          table[first ? i : j][k] += cube[i][j][k];
        }
      }
    }
    return table;
  }

  /** Facts with these two margins, by the north-west corner rule, column by column. */
  private static long[][][] joined(long[][] first, long[][] second) {
    long[][][] cube = new long[first.length][second.length][first[0].length];
    for (int k = 0; k < first[0].length; k++) {
      int i = 0;
      int j = 0;
      long a = first[0][k];
      long b = second[0][k];
      while (i < first.length && j < second.length) {
        long moved = Math.min(a, b);
        cube[i][j][k] += moved;
        a -= moved;
        b -= moved;
        if (a == 0 && ++i < first.length) {
          a = first[i][k];
        } else if (b == 0 && ++j < second.length) {
          b = second[j][k];
        }
      }
    }
    return cube;
  }
}
