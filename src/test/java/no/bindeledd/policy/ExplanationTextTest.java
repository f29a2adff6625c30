package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import no.bindeledd.exchange.Text;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Whole explanations, word for word, as a compliance officer reads them: {@code
 * src/test/resources/explanations/*.txt}. The first line names a row of a {@link DecisionTable}.
 */
class ExplanationTextTest {
  private static final Path FOLDER = Path.of("src/test/resources/explanations");

  @ParameterizedTest
  @MethodSource("texts")
  void theWholeReasoningReadsAsTheTextSays(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    String[] row = lines.getFirst().split(": ", 2);
    DecisionTable table =
        DecisionTable.all().stream()
            .filter(t -> t.toString().equals(row[0]))
            .findFirst()
            .orElseThrow();
    DecisionTable.Row found =
        table.rows().stream()
            .filter(r -> r.cell("why").equals(row[1]))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException(file + " names no row of " + table));

    String told = told(found.explainedBy(table.readPack()));

    assertThat(told.lines()).containsExactlyElementsOf(lines.subList(2, lines.size()));
  }

  private static String told(Explanation explanation) {
    StringBuilder told = new StringBuilder();
    for (Explanation.Step step : explanation.steps()) {
      told.append(step.topic()).append(' ').append(step.finding());
      told.append(step.subject().isEmpty() ? "" : " " + step.subject());
      both(told, step.text());
    }
    for (Explanation.Field field : explanation.fields()) {
      told.append(field.path()).append(field.leaves() ? " LEAVES" : " STAYS");
      both(told, field.why());
    }
    return told.toString();
  }

  private static void both(StringBuilder told, Text text) {
    told.append("\n  ").append(text.nb()).append("\n  ").append(text.en()).append('\n');
  }

  private static List<Path> texts() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER)) {
      return files.sorted().toList();
    }
  }
}
