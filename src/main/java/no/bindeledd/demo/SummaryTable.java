package no.bindeledd.demo;

import java.util.ArrayList;
import java.util.List;

/**
 * The books of the exchanges as an aligned table. Counts are of messages, where a message is one
 * copy for one recipient. They obey, in every row:
 *
 * <pre>
 * received                        = released + reduced + deidentified + held + refused
 * released + reduced + deidentified = delivered + pending + deadLettered
 * </pre>
 */
public record SummaryTable(List<Row> rows) {
  private static final List<String> HEADER =
      List.of(
          "exchange",
          "received",
          "released",
          "reduced",
          "de-identified",
          "held",
          "refused",
          "delivered",
          "pending",
          "dead-lettered");

  public SummaryTable {
    rows = List.copyOf(rows);
  }

  /** One exchange. */
  public record Row(
      String exchange,
      long received,
      long released,
      long reduced,
      long deidentified,
      long held,
      long refused,
      long delivered,
      long pending,
      long deadLettered) {

    /** Both laws hold. */
    public boolean balances() {
      return received == released + reduced + deidentified + held + refused
          && released + reduced + deidentified == delivered + pending + deadLettered;
    }

    private Row plus(Row other) {
      return new Row(
          exchange,
          received + other.received,
          released + other.released,
          reduced + other.reduced,
          deidentified + other.deidentified,
          held + other.held,
          refused + other.refused,
          delivered + other.delivered,
          pending + other.pending,
          deadLettered + other.deadLettered);
    }

    private List<String> cells() {
      List<String> cells = new ArrayList<>(List.of(exchange));
      for (long count :
          new long[] {
            received,
            released,
            reduced,
            deidentified,
            held,
            refused,
            delivered,
            pending,
            deadLettered
          }) {
        cells.add(Long.toString(count));
      }
      return cells;
    }
  }

  /** The sum of all rows. */
  public Row total() {
    return rows.stream().reduce(new Row("total", 0, 0, 0, 0, 0, 0, 0, 0, 0), Row::plus);
  }

  /** Every row balances. */
  public boolean balances() {
    return rows.stream().allMatch(Row::balances);
  }

  /** The lines, the header first and the total last, each with a line break. */
  public String print() {
    List<List<String>> lines = new ArrayList<>(List.of(HEADER));
    rows.forEach(r -> lines.add(r.cells()));
    lines.add(total().cells());
    int[] widths = new int[HEADER.size()];
    for (List<String> line : lines) {
      for (int i = 0; i < widths.length; i++) {
        widths[i] = Math.max(widths[i], line.get(i).length());
      }
    }
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < lines.size(); i++) {
      if (i == 1 || i == lines.size() - 1) {
        rule(text, widths);
      }
      write(text, lines.get(i), widths);
    }
    return text.toString();
  }

  private static void rule(StringBuilder text, int[] widths) {
    for (int i = 0; i < widths.length; i++) {
      text.repeat(' ', i == 0 ? 0 : 2).repeat('-', widths[i]);
    }
    text.append('\n');
  }

  private static void write(StringBuilder text, List<String> cells, int[] widths) {
    StringBuilder line = new StringBuilder(cells.getFirst());
    line.repeat(' ', widths[0] - cells.getFirst().length());
    for (int i = 1; i < widths.length; i++) {
      line.repeat(' ', 2 + widths[i] - cells.get(i).length()).append(cells.get(i));
    }
    text.append(line).append('\n');
  }
}
