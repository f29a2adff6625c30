package no.bindeledd.channel;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.YamlSource;
import org.jspecify.annotations.Nullable;

/** The declared columns of a CSV file; see {@link CsvFormat}. Immutable. */
record CsvProfile(
    char delimiter, char quote, Set<Charset> charsets, boolean header, List<Column> columns) {
  private static final String DEFAULT_DATE = "DD.MM.YYYY";
  private static final int DEFAULT_LENGTH = 1000;

  private static final Set<String> PROFILE_KEYS =
      Set.of("delimiter", "quote", "charsets", "header", "columns");
  private static final Set<String> COLUMN_KEYS =
      Set.of("name", "path", "type", "format", "required", "maxLength", "codes");

  /** What a column may hold. */
  enum Type {
    TEXT,
    DATE,
    INTEGER,
    DECIMAL,
    CODE,
    IDENTITY;

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }

    static @Nullable Type of(String word) {
      return Stream.of(values()).filter(type -> type.word().equals(word)).findFirst().orElse(null);
    }
  }

  /**
   * One column.
   *
   * @param path the member names from the record down to the value
   * @param format of a date, as the contract writes it
   * @param codes the code list, or null
   */
  record Column(
      String name,
      List<String> path,
      Type type,
      String format,
      @Nullable DatePattern date,
      boolean required,
      int maxLength,
      @Nullable String codes) {}

  /** Where day, month and year stand in a date; everything else must be there as written. */
  record DatePattern(String pattern, int day, int month, int year) {
    /** The pattern of a format such as {@code DD.MM.ÅÅÅÅ} or {@code YYYYMMDD}; null when none. */
    static @Nullable DatePattern of(String format) {
      String pattern = format.replace('Å', 'Y').replace('å', 'Y');
      int day = pattern.indexOf("DD");
      int month = pattern.indexOf("MM");
      int year = pattern.indexOf("YYYY");
      String rest = pattern.replace("DD", "").replace("MM", "").replace("YYYY", "");
      boolean once = rest.chars().noneMatch(c -> Character.isLetterOrDigit(c));
      int letters = pattern.length() - rest.length();
      return day >= 0 && month >= 0 && year >= 0 && once && letters == 8
          ? new DatePattern(pattern, day, month, year)
          : null;
    }

    /** The day as {@code YYYY-MM-DD}, or null when the text is not one. */
    @Nullable String iso(String text) {
      if (text.length() != pattern.length()) {
        return null;
      }
      for (int i = 0; i < text.length(); i++) {
        char expected = pattern.charAt(i);
        char found = text.charAt(i);
        boolean number = expected == 'D' || expected == 'M' || expected == 'Y';
        if (number ? found < '0' || found > '9' : found != expected) {
          return null;
        }
      }
      try {
        return LocalDate.of(
                Integer.parseInt(text, year, year + 4, 10),
                Integer.parseInt(text, month, month + 2, 10),
                Integer.parseInt(text, day, day + 2, 10))
            .toString();
      } catch (DateTimeException e) {
        return null;
      }
    }
  }

  /**
   * The profile of a contract that was checked when it was loaded.
   *
   * @throws IllegalArgumentException when it is not valid
   */
  static CsvProfile of(JsonNode profile) {
    List<Finding> findings = new ArrayList<>();
    CsvProfile read = read(profile, findings);
    if (!findings.isEmpty()) {
      throw new IllegalArgumentException(findings.getFirst().what());
    }
    return read;
  }

  /** Reports everything that is wrong with a contract's profile. */
  static void check(Contract contract, CsvFormat.Codes codes) {
    List<Finding> findings = new ArrayList<>();
    CsvProfile read = read(contract.input().profile(), findings);
    for (int i = 0; i < read.columns().size(); i++) {
      String list = read.columns().get(i).codes();
      if (list != null && !codes.has(list)) {
        findings.add(
            new Finding(
                "/columns/" + i + "/codes",
                "there is no code list '" + list + "'",
                "name a file of mappings/codes"));
      }
    }
    if (!findings.isEmpty()) {
      Path file = contract.folder().resolve("exchange.yaml");
      throw new ProblemsException(findings.stream().map(f -> f.problem(file)).toList());
    }
  }

  /** Something wrong at a pointer below the profile. */
  private record Finding(String pointer, String what, String remedy) {
    Problem problem(Path file) {
      int line = 0;
      try {
        line = YamlSource.read(file).line("/input/profile" + pointer);
      } catch (ProblemsException unreadable) {
        // the contract's own reader reports that; here the words must do
      }
      return new Problem(file, line, what, remedy);
    }
  }

  private static CsvProfile read(JsonNode profile, List<Finding> findings) {
    unknownKeys(profile, PROFILE_KEYS, "", findings);
    char delimiter = character(profile, "delimiter", ';', findings);
    char quote = character(profile, "quote", '"', findings);
    if (delimiter == quote) {
      findings.add(
          new Finding("/quote", "delimiter and quote are the same", "choose two characters"));
    }
    Set<Charset> charsets = charsets(profile.path("charsets"), findings);
    boolean header = bool(profile, "header", true, "", findings);
    List<Column> columns = new ArrayList<>();
    JsonNode declared = profile.path("columns");
    for (int i = 0; i < declared.size(); i++) {
      columns.add(column(declared.get(i), "/columns/" + i, findings));
    }
    if (columns.isEmpty()) {
      findings.add(new Finding("", "no columns are declared", "list them under columns"));
    }
    uniqueness(columns, findings);
    return new CsvProfile(delimiter, quote, charsets, header, List.copyOf(columns));
  }

  private static Set<Charset> charsets(JsonNode declared, List<Finding> findings) {
    if (declared.isMissingNode()) {
      return Set.of(StandardCharsets.UTF_8);
    }
    Set<Charset> charsets = new TreeSet<>();
    for (JsonNode one : declared) {
      switch (one.asText()) {
        case "UTF-8" -> charsets.add(StandardCharsets.UTF_8);
        case "ISO-8859-1" -> charsets.add(StandardCharsets.ISO_8859_1);
        default ->
            findings.add(
                new Finding(
                    "/charsets",
                    "unknown charset '" + one.asText() + "'",
                    "use UTF-8 or ISO-8859-1"));
      }
    }
    if (charsets.isEmpty()) {
      findings.add(new Finding("/charsets", "no charset is named", "list UTF-8"));
    }
    return charsets;
  }

  private static Column column(JsonNode node, String at, List<Finding> findings) {
    unknownKeys(node, COLUMN_KEYS, at, findings);
    String name = node.path("name").asText().strip();
    if (name.isEmpty()) {
      findings.add(new Finding(at, "the column has no name", "add name"));
    }
    String pointer = node.path("path").asText();
    List<String> path = segments(pointer);
    if (!pointer.startsWith("/") || path.stream().anyMatch(String::isEmpty)) {
      findings.add(
          new Finding(
              at + "/path",
              "column '" + name + "' has no path into the record",
              "write a JSON pointer such as /skole/navn"));
    }
    Type type = Type.of(node.path("type").asText("text"));
    if (type == null) {
      findings.add(
          new Finding(
              at + "/type",
              "column '" + name + "' has an unknown type",
              "use one of " + Stream.of(Type.values()).map(Type::word).toList()));
      type = Type.TEXT;
    }
    String format = node.path("format").asText(DEFAULT_DATE);
    DatePattern date = DatePattern.of(format);
    if (date == null || (node.has("format") && type != Type.DATE)) {
      findings.add(
          new Finding(
              at + "/format",
              "column '" + name + "' has a format that is not a date's",
              "give a date column one such as DD.MM.ÅÅÅÅ or YYYY-MM-DD, and other columns none"));
    }
    JsonNode length = node.path("maxLength");
    if (!length.isMissingNode() && (!length.canConvertToInt() || length.asInt() < 1)) {
      findings.add(
          new Finding(
              at + "/maxLength",
              "column '" + name + "' has a maxLength that is not a number from 1",
              "write the number of characters"));
    }
    JsonNode codes = node.get("codes");
    if (codes != null && type != Type.CODE) {
      findings.add(
          new Finding(
              at + "/codes",
              "column '" + name + "' has codes but not type code",
              "set type: code"));
    }
    boolean required = bool(node, "required", false, at, findings);
    return new Column(
        name,
        path,
        type,
        format,
        date,
        required,
        length.asInt(DEFAULT_LENGTH),
        codes == null ? null : codes.asText());
  }

  private static List<String> segments(String pointer) {
    return Stream.of(pointer.split("/", -1))
        .skip(1)
        .map(token -> token.replace("~1", "/").replace("~0", "~"))
        .toList();
  }

  /** Names and paths stand once, and no path leads through another's value. */
  private static void uniqueness(List<Column> columns, List<Finding> findings) {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < columns.size(); i++) {
      Column column = columns.get(i);
      if (!names.add(column.name())) {
        findings.add(
            new Finding(
                "/columns/" + i,
                "column '" + column.name() + "' is declared twice",
                "keep one of them"));
      }
      for (int j = 0; j < i; j++) {
        if (overlap(column.path(), columns.get(j).path())) {
          findings.add(
              new Finding(
                  "/columns/" + i + "/path",
                  "columns '"
                      + columns.get(j).name()
                      + "' and '"
                      + column.name()
                      + "' have paths that meet",
                  "give each its own place in the record"));
        }
      }
    }
  }

  private static boolean overlap(List<String> one, List<String> other) {
    int common = Math.min(one.size(), other.size());
    return one.subList(0, common).equals(other.subList(0, common));
  }

  private static void unknownKeys(
      JsonNode node, Set<String> known, String at, List<Finding> findings) {
    for (Map.Entry<String, JsonNode> entry : node.properties()) {
      if (!known.contains(entry.getKey())) {
        findings.add(
            new Finding(
                at + "/" + YamlSource.token(entry.getKey()),
                "unknown setting '" + entry.getKey() + "'",
                "use one of " + new TreeSet<>(known)));
      }
    }
  }

  private static char character(JsonNode node, String key, char otherwise, List<Finding> findings) {
    JsonNode value = node.path(key);
    if (value.isMissingNode()) {
      return otherwise;
    }
    String text = value.asText();
    boolean one = text.length() == 1 && text.charAt(0) < 0x7F;
    if (!one || (text.charAt(0) < ' ' && text.charAt(0) != '\t')) {
      findings.add(
          new Finding("/" + key, key + " is not one ASCII character", "write one such as ';'"));
      return otherwise;
    }
    return text.charAt(0);
  }

  private static boolean bool(
      JsonNode node, String key, boolean otherwise, String at, List<Finding> findings) {
    JsonNode value = node.path(key);
    if (!value.isMissingNode() && !value.isBoolean()) {
      findings.add(new Finding(at + "/" + key, key + " is neither true nor false", "write one"));
    }
    return value.asBoolean(otherwise);
  }
}
