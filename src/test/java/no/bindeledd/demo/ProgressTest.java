package no.bindeledd.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import no.bindeledd.demo.SummaryTable.Row;
import org.junit.jupiter.api.Test;

/** What the demo shows. */
class ProgressTest {
  private final ByteArrayOutputStream shown = new ByteArrayOutputStream();
  private final PrintStream out = new PrintStream(shown, true, StandardCharsets.UTF_8);

  @Test
  void away_from_a_terminal_each_task_gives_one_plain_line_when_it_ends() {
    Progress progress = new Progress(out, false);
    Progress.Task task = progress.task("dropout-notice", 200);
    task.at(100);
    task.ended("200 sent");
    assertThat(text()).isEqualTo("dropout-notice: 200 sent" + System.lineSeparator());
  }

  @Test
  void on_a_terminal_the_lines_are_redrawn_in_place() {
    Progress progress = new Progress(out, true);
    Progress.Task first = progress.task("a", 4);
    Progress.Task second = progress.task("longer", 0);
    shown.reset();
    first.at(2);
    assertThat(text())
        .isEqualTo(
            "\u001b[2A\r\u001b[2Ka       [############............] 2/4\n\r\u001b[2Klonger  0\n");
    shown.reset();
    second.at(7);
    assertThat(text()).as("not a visible step").isEmpty();
    second.ended("");
    assertThat(text()).endsWith("longer  7  done\n");
  }

  @Test
  void the_table_is_aligned_and_sums_up() {
    SummaryTable table =
        new SummaryTable(
            List.of(
                new Row("measure-event", 1200, 700, 400, 0, 50, 50, 1090, 4, 6),
                new Row("rights-query", 30, 30, 0, 0, 0, 0, 30, 0, 0)));
    assertThat(table.print())
        .isEqualTo(
            """
            exchange       received  released  reduced  de-identified  held  refused  delivered  pending  dead-lettered
            -------------  --------  --------  -------  -------------  ----  -------  ---------  -------  -------------
            measure-event      1200       700      400              0    50       50       1090        4              6
            rights-query         30        30        0              0     0        0         30        0              0
            -------------  --------  --------  -------  -------------  ----  -------  ---------  -------  -------------
            total              1230       730      400              0    50       50       1120        4              6
            """);
    assertThat(table.balances()).isTrue();
  }

  @Test
  void books_that_lost_a_message_do_not_balance() {
    assertThat(new Row("x", 3, 1, 0, 0, 1, 0, 1, 0, 0).balances()).isFalse();
    assertThat(new Row("x", 2, 1, 0, 0, 1, 0, 0, 0, 0).balances()).isFalse();
    assertThat(new Row("x", 2, 1, 0, 0, 1, 0, 0, 0, 1).balances()).isTrue();
  }

  private String text() {
    return shown.toString(StandardCharsets.UTF_8);
  }
}
