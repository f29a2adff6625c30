package no.bindeledd.reading;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.time.YearMonth;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * How many messages were shared, reduced, held or refused in a month, by exchange and by sender, so
 * that nobody can be found in it (E26). Immutable.
 *
 * <p>There is one such statistic for a month and no other choice: two that overlap could be
 * subtracted from each other. The last decision about a message in the month counts. A cell is
 * small when fewer than {@link #LEAST} people stand behind it; outcomes whose whole column is small
 * are counted together with another.
 *
 * @param tables by what the rows are: {@code exchange} and {@code sender}
 */
public record Statistics(YearMonth month, List<Table> tables) {
  /** A cell with fewer people is hidden. */
  public static final int LEAST = 5;

  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");

  public Statistics {
    tables = List.copyOf(tables);
  }

  /**
   * One table.
   *
   * @param columns outcomes; joined ones have both names with a plus between
   * @param totals of the columns, in order
   */
  public record Table(String by, List<String> columns, List<Row> rows, List<Long> totals) {}

  /**
   * One row.
   *
   * @param cells in the order of the columns; null where hidden
   * @param total null when hidden
   */
  public record Row(String name, List<@Nullable Long> cells, @Nullable Long total) {}

  /** One message's last decision. */
  private record Counted(String exchange, String sender, String outcome, @Nullable Pseudonym who) {}

  /**
   * Counts.
   *
   * @param now the month must be over by then, in Oslo: an unfinished one could be subtracted from
   *     the finished
   */
  public static Statistics of(Connection connection, YearMonth month, Instant now)
      throws SQLException {
    Instant from = month.atDay(1).atStartOfDay(OSLO).toInstant();
    Instant to = month.plusMonths(1).atDay(1).atStartOfDay(OSLO).toInstant();
    if (now.isBefore(to)) {
      throw new IllegalArgumentException("A month can be counted when it is over");
    }
    Map<String, Counted> last = new HashMap<>();
    EntryQuery query = new EntryQuery(null, null, null, null, null, null, null, from, to);
    EntrySearch.all(
        connection,
        query,
        (index, entry) -> {
          if (entry.station() == Station.DECIDE) {
            String message = entry.message() == null ? "#" + index : entry.message();
            last.put(message, counted(entry));
          }
        });
    return of(month, last.values());
  }

  private static Counted counted(AuditEntry entry) {
    String sender = entry.sender() == null ? "unknown" : entry.sender();
    return new Counted(entry.exchange(), sender, entry.outcome(), entry.subject());
  }

  private static Statistics of(YearMonth month, Iterable<Counted> counted) {
    Map<String, String> columns = columns(counted);
    return new Statistics(
        month,
        List.of(
            table("exchange", counted, columns, Counted::exchange),
            table("sender", counted, columns, Counted::sender)));
  }

  /** How many messages, and whose; messages about nobody count as if each had a person. */
  private static final class Cell {
    private long messages;
    private long aboutNobody;
    private final Set<Pseudonym> people = new HashSet<>();

    void add(Counted counted) {
      messages++;
      if (counted.who() == null) {
        aboutNobody++;
      } else {
        people.add(counted.who());
      }
    }

    void add(Cell other) {
      messages += other.messages;
      aboutNobody += other.aboutNobody;
      people.addAll(other.people);
    }

    boolean small() {
      return messages > aboutNobody && people.size() < LEAST;
    }
  }

  /**
   * The column that each outcome is counted in; a small column is joined with the next smallest.
   */
  private static Map<String, String> columns(Iterable<Counted> counted) {
    TreeMap<String, Cell> cells = new TreeMap<>();
    Map<String, String> columns = new HashMap<>();
    for (Counted each : counted) {
      cells.computeIfAbsent(each.outcome(), any -> new Cell()).add(each);
      columns.put(each.outcome(), each.outcome());
    }
    while (cells.size() > 1 && cells.values().stream().anyMatch(Cell::small)) {
      String smallest = smallest(cells, "");
      String partner = smallest(cells, smallest);
      Cell joined = new Cell();
      joined.add(cells.remove(smallest));
      joined.add(cells.remove(partner));
      String name = String.join("+", new TreeSet<>(Set.of(smallest, partner)));
      cells.put(name, joined);
      columns.replaceAll(
          (outcome, column) -> column.equals(smallest) || column.equals(partner) ? name : column);
    }
    // What is left alone and small is about too few to be told at all.
    if (cells.values().stream().anyMatch(Cell::small)) {
      return Map.of();
    }
    return columns;
  }

  private static String smallest(TreeMap<String, Cell> cells, String but) {
    return cells.entrySet().stream()
        .filter(cell -> !cell.getKey().equals(but))
        .min(
            (one, other) -> {
              int people =
                  Integer.compare(one.getValue().people.size(), other.getValue().people.size());
              return people != 0 ? people : one.getKey().compareTo(other.getKey());
            })
        .orElseThrow()
        .getKey();
  }

  private static Table table(
      String by,
      Iterable<Counted> counted,
      Map<String, String> columnOf,
      Function<Counted, String> rowOf) {
    List<String> columns = new ArrayList<>(new TreeSet<>(columnOf.values()));
    TreeMap<String, Cell[]> rows = new TreeMap<>();
    for (Counted each : counted) {
      String column = columnOf.get(each.outcome());
      if (column != null) {
        Cell[] row = rows.computeIfAbsent(rowOf.apply(each), any -> cells(columns.size() + 1));
        row[columns.indexOf(column)].add(each);
        row[columns.size()].add(each);
      }
    }
    return table(by, columns, rows);
  }

  private static Cell[] cells(int count) {
    Cell[] cells = new Cell[count];
    for (int i = 0; i < count; i++) {
      cells[i] = new Cell();
    }
    return cells;
  }

  private static Table table(String by, List<String> columns, TreeMap<String, Cell[]> rows) {
    List<String> names = List.copyOf(rows.keySet());
    long[][] counts = new long[names.size()][columns.size()];
    boolean[][] small = new boolean[names.size()][columns.size() + 1];
    Long[] totals = new Long[columns.size()];
    java.util.Arrays.fill(totals, 0L);
    for (int row = 0; row < names.size(); row++) {
      Cell[] cells = java.util.Objects.requireNonNull(rows.get(names.get(row)));
      for (int column = 0; column <= columns.size(); column++) {
        small[row][column] = cells[column].small();
        if (column < columns.size()) {
          counts[row][column] = cells[column].messages;
          totals[column] += cells[column].messages;
        }
      }
    }
    SmallCells shown = SmallCells.of(counts, small, LEAST);
    List<Row> told = new ArrayList<>();
    for (int row = 0; row < names.size(); row++) {
      List<@Nullable Long> cells = new ArrayList<>();
      for (int column = 0; column < columns.size(); column++) {
        cells.add(shown.shown(row, column));
      }
      told.add(new Row(names.get(row), cells, shown.shown(row, columns.size())));
    }
    return new Table(by, columns, told, List.of(totals));
  }

  /** Comma-separated: the table's name, a row's name, a column's name, the count; empty: hidden. */
  public String csv() {
    StringBuilder csv = new StringBuilder("month,by,row,column,count\r\n");
    for (Table table : tables) {
      for (Row row : table.rows()) {
        for (int i = 0; i < table.columns().size(); i++) {
          line(csv, table.by(), row.name(), table.columns().get(i), row.cells().get(i));
        }
        line(csv, table.by(), row.name(), "total", row.total());
      }
      for (int i = 0; i < table.columns().size(); i++) {
        line(csv, table.by(), "total", table.columns().get(i), table.totals().get(i));
      }
    }
    return csv.toString();
  }

  private void line(StringBuilder csv, String by, String row, String column, @Nullable Long count) {
    csv.append(month).append(',').append(by).append(',').append(SupervisionExport.cell(row));
    csv.append(',').append(column).append(',').append(count == null ? "" : count).append("\r\n");
  }

  /** Cells shown and hidden, in all tables. */
  public long cells() {
    return tables.stream().mapToLong(t -> (long) t.rows().size() * (t.columns().size() + 1)).sum();
  }
}
