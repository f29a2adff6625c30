package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import no.bindeledd.exchange.Contract;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Reads {@code src/test/resources/decisions/*.csv}: facts on the left, the decision on the right.
 * The first line of a file names the pack; the columns are explained in {@code
 * decisions/README.md}.
 */
class DecisionTableTest {
  private static final Path TABLES = Path.of("src/test/resources/decisions");

  private record Row(Map<String, String> cells) {
    String cell(String column) {
      return Objects.requireNonNull(cells.get(column), column);
    }
  }

  @TestFactory
  Stream<DynamicTest> everyRowIsDecidedAsTheTableSays() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    for (Path table : tables()) {
      tests.addAll(rows(table));
    }
    return tests.stream();
  }

  @Test
  void theTablesHoldAtLeastOneHundredAndTwentyRows() throws IOException {
    int rows = 0;
    for (Path table : tables()) {
      rows += rows(table).size();
    }
    assertThat(rows).isGreaterThanOrEqualTo(120);
  }

  private static List<Path> tables() throws IOException {
    try (Stream<Path> files = Files.list(TABLES)) {
      return files.filter(f -> f.toString().endsWith(".csv")).sorted().toList();
    }
  }

  private static List<DynamicTest> rows(Path table) throws IOException {
    List<String> lines = Files.readAllLines(table);
    PolicyPack pack =
        PolicyPack.read(Path.of(lines.getFirst().substring("# pack: ".length()).strip()));
    List<DynamicTest> tests = new ArrayList<>();
    List<String> columns = List.of();
    for (int i = 1; i < lines.size(); i++) {
      String line = lines.get(i);
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      List<String> cells = Arrays.stream(line.split(";", -1)).map(String::strip).toList();
      if (columns.isEmpty()) {
        columns = cells;
        continue;
      }
      assertThat(cells).as(table + ":" + (i + 1)).hasSameSizeAs(columns);
      Map<String, String> byColumn = new HashMap<>();
      for (int c = 0; c < columns.size(); c++) {
        byColumn.put(columns.get(c), cells.get(c));
      }
      Row row = new Row(byColumn);
      String name = table.getFileName() + ":" + (i + 1) + " " + row.cell("why");
      tests.add(DynamicTest.dynamicTest(name, () -> check(pack, row)));
    }
    return tests;
  }

  private static void check(PolicyPack pack, Row row) {
    Contract contract = Exchanges.named(row.cell("exchange"));
    Facts facts =
        Exchanges.facts(
            contract,
            row.cell("from"),
            row.cell("to"),
            protection(row.cell("protection")),
            consents(row.cell("consents")),
            row.cell("born").isEmpty() ? null : LocalDate.parse(row.cell("born")),
            attributes(row.cell("record")),
            instant(row.cell("at")));

    Decision decision = pack.decide(contract, Exchanges.view(contract, row.cell("to")), facts);

    Decision.Grounds grounds = decision.grounds();
    String found =
        String.join(
            "; ",
            decision.outcome().name(),
            grounds.reason().name(),
            sorted(decision.withheldFields()),
            sorted(grounds.rules()),
            grounds.agreement() == null ? "" : grounds.agreement(),
            sorted(grounds.consents()));
    String expected =
        String.join(
            "; ",
            row.cell("outcome"),
            row.cell("reason"),
            sorted(words(row.cell("withheld"))),
            sorted(words(row.cell("rules"))),
            row.cell("agreement"),
            sorted(words(row.cell("grounds"))));
    assertThat(found).isEqualTo(expected);
  }

  private static String sorted(Iterable<String> words) {
    Set<String> sorted = new TreeSet<>();
    words.forEach(sorted::add);
    return String.join(" ", sorted);
  }

  private static List<String> words(String cell) {
    return cell.isEmpty() ? List.of() : List.of(cell.split("\\s+"));
  }

  private static Protection protection(String cell) {
    List<String> words = words(cell);
    return new Protection(
        words.stream()
            .filter(w -> !w.equals("shielded"))
            .findFirst()
            .map(AddressGrade::valueOf)
            .orElse(AddressGrade.UGRADERT),
        words.contains("shielded"));
  }

  /** {@code id@version STATE PURPOSE to=… cat=A+B from=… until=…}, several parted by a bar. */
  private static List<ConsentFact> consents(String cell) {
    List<ConsentFact> consents = new ArrayList<>();
    for (String one : cell.isEmpty() ? new String[0] : cell.split("\\|")) {
      List<String> words = words(one.strip());
      String[] reference = words.get(0).split("@");
      Map<String, String> options = new HashMap<>();
      words.stream()
          .skip(3)
          .forEach(
              w -> options.put(w.substring(0, w.indexOf('=')), w.substring(w.indexOf('=') + 1)));
      consents.add(
          new ConsentFact(
              reference[0],
              Integer.parseInt(reference[1]),
              ConsentFact.State.valueOf(words.get(1)),
              words.get(2),
              organisations(options.get("to")),
              options.containsKey("cat") ? Set.of(options.get("cat").split("\\+")) : Set.of(),
              options.containsKey("from") ? instant(options.get("from")) : Instant.EPOCH,
              options.containsKey("until") ? instant(options.get("until")) : null));
    }
    return consents;
  }

  private static Set<String> organisations(@Nullable String names) {
    Set<String> numbers = new TreeSet<>();
    for (String name : names == null ? new String[0] : names.split("\\+")) {
      numbers.add(Exchanges.party(name).organisation().value());
    }
    return numbers;
  }

  private static Map<String, Object> attributes(String cell) {
    Map<String, Object> attributes = new HashMap<>();
    for (String word : words(cell)) {
      String value = word.substring(word.indexOf('=') + 1);
      attributes.put(
          word.substring(0, word.indexOf('=')),
          value.matches("[0-9]+") ? (Object) Integer.valueOf(value) : value);
    }
    return attributes;
  }

  /** With a Z: UTC. Without: Oslo. */
  private static Instant instant(String text) {
    return text.endsWith("Z")
        ? Instant.parse(text)
        : LocalDateTime.parse(text.contains("T") ? text : text + "T12:00")
            .atZone(Days.OSLO)
            .toInstant();
  }
}
