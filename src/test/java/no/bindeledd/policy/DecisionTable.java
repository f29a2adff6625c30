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

/**
 * A table of {@code src/test/resources/decisions/*.csv}: facts on the left, the decision on the
 * right. The first line of a file names the pack; the columns are explained in {@code
 * decisions/README.md}.
 */
record DecisionTable(Path file, String pack, List<Row> rows) {
  private static final Path TABLES = Path.of("src/test/resources/decisions");

  /**
   * One decision.
   *
   * @param name file, line and what the row is about
   */
  record Row(String name, Map<String, String> cells) {
    String cell(String column) {
      return Objects.requireNonNull(cells.get(column), column);
    }

    Contract contract() {
      return Exchanges.named(cell("exchange"));
    }

    Facts facts() {
      return Exchanges.facts(
          contract(),
          cell("from"),
          cell("to"),
          protection(cell("protection")),
          consents(cell("consents")),
          cell("born").isEmpty() ? null : LocalDate.parse(cell("born")),
          attributes(cell("record")),
          acts(cells.getOrDefault("acts", "")),
          instant(cell("at")));
    }

    Decision decidedBy(PolicyPack pack) {
      return pack.decide(contract(), Exchanges.view(contract(), cell("to")), facts());
    }

    Explanation explainedBy(PolicyPack pack) {
      return pack.explain(contract(), Exchanges.view(contract(), cell("to")), facts());
    }

    String expected() {
      return String.join(
          "; ",
          cell("outcome"),
          cell("reason"),
          sorted(words(cell("withheld"))),
          sorted(words(cell("rules"))),
          cell("agreement"),
          sorted(words(cell("grounds")))
              + (cells.containsKey("acts")
                  ? "; " + cell("clauses") + "; " + sorted(words(cell("by-hand")))
                  : ""));
    }

    /** A decision in the words of {@link #expected}. */
    String told(Decision decision) {
      Decision.Grounds grounds = decision.grounds();
      return String.join(
          "; ",
          decision.outcome().name(),
          grounds.reason().name(),
          sorted(decision.withheldFields()),
          sorted(grounds.rules()),
          grounds.agreement() == null ? "" : grounds.agreement(),
          sorted(grounds.consents())
              + (cells.containsKey("acts")
                  ? "; " + String.join(",", grounds.clauses()) + "; " + sorted(grounds.acts())
                  : ""));
    }
  }

  static List<DecisionTable> all() throws IOException {
    List<DecisionTable> tables = new ArrayList<>();
    try (Stream<Path> files = Files.list(TABLES)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".csv")).sorted().toList()) {
        tables.add(read(file));
      }
    }
    return tables;
  }

  private static DecisionTable read(Path file) throws IOException {
    List<String> lines = Files.readAllLines(file);
    List<Row> rows = new ArrayList<>();
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
      assertThat(cells).as(file + ":" + (i + 1)).hasSameSizeAs(columns);
      Map<String, String> byColumn = new HashMap<>();
      for (int c = 0; c < columns.size(); c++) {
        byColumn.put(columns.get(c), cells.get(c));
      }
      String name = file.getFileName() + ":" + (i + 1) + " " + byColumn.get("why");
      rows.add(new Row(name, byColumn));
    }
    return new DecisionTable(
        file, lines.getFirst().substring("# pack: ".length()).strip(), List.copyOf(rows));
  }

  PolicyPack readPack() throws IOException {
    return readPack(pack);
  }

  /** A folder, or {@code a + b}: everything of a but its agreements, and the agreements of b. */
  static PolicyPack readPack(String words) throws IOException {
    String[] folders = words.split(" \\+ ");
    if (folders.length == 1) {
      return PolicyPack.read(Path.of(words));
    }
    Path home = Files.createTempDirectory("pack");
    for (String folder : folders) {
      try (Stream<Path> files = Files.walk(Path.of(folder))) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Path target = home.resolve(Path.of(folder).relativize(file).toString());
          if (folder.equals(folders[1]) || !target.toString().contains("/agreements/")) {
            Files.createDirectories(target.getParent());
            Files.copy(file, target);
          }
        }
      }
    }
    return PolicyPack.read(home);
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
              ConsentFact.Kind.valueOf(options.getOrDefault("kind", "INFORMATION_SHARING")),
              ConsentFact.State.valueOf(words.get(1)),
              grantors(options.getOrDefault("by", "person")),
              words.get(2),
              organisations(options.get("source")),
              organisations(options.get("to")),
              options.containsKey("cat") ? Set.of(options.get("cat").split("\\+")) : Set.of(),
              options.containsKey("from") ? instant(options.get("from")) : Instant.EPOCH,
              options.containsKey("until") ? instant(options.get("until")) : null));
    }
    return consents;
  }

  /** {@code person}, {@code guardian}, {@code guardians}, or {@code person+guardian}. */
  private static ConsentFact.Grantors grantors(String text) {
    List<String> who = List.of(text.split("\\+"));
    return new ConsentFact.Grantors(
        who.contains("person"), who.contains("guardians") ? 2 : who.contains("guardian") ? 1 : 0);
  }

  /** {@code SIGNATURE}, {@code OVERRIDE*2} (by two people), {@code BREAK_GLASS until=…}. */
  private static List<HumanAct> acts(String cell) {
    List<HumanAct> acts = new ArrayList<>();
    for (String one : cell.isEmpty() ? new String[0] : cell.split("\\|")) {
      List<String> words = words(one.strip());
      String[] kind = words.get(0).split("\\*");
      acts.add(
          new HumanAct(
              "a" + (acts.size() + 1),
              HumanAct.Kind.valueOf(kind[0]),
              kind.length == 1 ? 1 : Integer.parseInt(kind[1]),
              Instant.EPOCH,
              words.size() == 1
                  ? Instant.parse("2100-01-01T00:00:00Z")
                  : instant(words.get(1).substring("until=".length()))));
    }
    return acts;
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

  @Override
  public String toString() {
    return file.getFileName().toString();
  }
}
