package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Decides every row of every {@link DecisionTable}. */
class DecisionTableTest {
  /** One test a table, and every row that is decided otherwise in its message. */
  @ParameterizedTest
  @MethodSource("tables")
  void everyRowIsDecidedAsTheTableSays(DecisionTable table) throws IOException {
    PolicyPack pack = table.readPack();
    List<String> wrong = new ArrayList<>();
    for (DecisionTable.Row row : table.rows()) {
      String found = row.told(row.decidedBy(pack));
      if (!found.equals(row.expected())) {
        wrong.add(row.name() + "\n  expected " + row.expected() + "\n  found    " + found);
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(table.rows()).isNotEmpty();
  }

  @Test
  void theTablesHoldAtLeastThreeHundredRows() throws IOException {
    assertThat(tables().stream().mapToInt(table -> table.rows().size()).sum())
        .isGreaterThanOrEqualTo(300);
  }

  private static List<DecisionTable> tables() throws IOException {
    return DecisionTable.all();
  }
}
