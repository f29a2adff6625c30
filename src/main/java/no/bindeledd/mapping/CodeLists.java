package no.bindeledd.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import no.bindeledd.exchange.Csv;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import org.jspecify.annotations.Nullable;

/**
 * The code lists of {@code mappings/codes/*.csv}: UTF-8, comma, a header row whose first column is
 * {@code code}; the other columns ({@code nb}, {@code en}, a group, another system's code) may have
 * any name. The file's name without {@code .csv} is the list's name. Immutable, safe on any thread.
 *
 * <p>A mapping reads them with {@code code("list", value)}, which gives the value back when it is
 * in the list, and {@code code("list", value, "column")}, which gives that column's text (null when
 * the cell is empty). A null value gives null. A value that is not in the list ends the mapping
 * with {@link no.bindeledd.exchange.ReasonCode#UNKNOWN_CODE}.
 */
public final class CodeLists {
  private static final int MAX_ROW = 16 * 1024;

  private final Map<String, CodeList> lists;

  private CodeLists(Map<String, CodeList> lists) {
    this.lists = lists;
  }

  /** No lists at all. */
  public static CodeLists none() {
    return new CodeLists(Map.of());
  }

  /**
   * Reads every {@code .csv} file of a folder; a folder that does not exist holds no lists.
   *
   * @throws ProblemsException with file and line of everything that is wrong
   */
  public static CodeLists read(Path folder) {
    if (!Files.isDirectory(folder)) {
      return none();
    }
    List<Problem> problems = new ArrayList<>();
    Map<String, CodeList> lists = new TreeMap<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, "*.csv")) {
      for (Path file : files) {
        String name = String.valueOf(file.getFileName());
        CodeList list = list(file, problems);
        if (list != null) {
          lists.put(name.substring(0, name.length() - ".csv".length()), list);
        }
      }
    } catch (IOException e) {
      problems.add(
          new Problem(folder, 0, "the folder of code lists cannot be read", "check permissions"));
    }
    if (!problems.isEmpty()) {
      throw new ProblemsException(problems);
    }
    return new CodeLists(lists);
  }

  public boolean has(String list) {
    return lists.containsKey(list);
  }

  /** True when the code is in the list; false also when there is no such list. */
  public boolean has(String list, String code) {
    CodeList found = lists.get(list);
    return found != null && found.rows().containsKey(code);
  }

  /** A column's text for a code; null when the list, the code or the text is not there. */
  public @Nullable String text(String list, String code, String column) {
    if (!has(list, code) || !hasColumn(list, column)) {
      return null;
    }
    JsonNode text = look(list, code, column);
    return text.isTextual() ? text.textValue() : null;
  }

  boolean hasColumn(String list, String column) {
    CodeList found = lists.get(list);
    return found != null && found.columns().containsKey(column);
  }

  Set<String> names() {
    return lists.keySet();
  }

  /** What {@link Shaper#version()} hashes of a list. */
  byte[] bytes(String list) {
    CodeList found = lists.get(list);
    return found == null ? new byte[0] : found.bytes();
  }

  /** The function's work; {@code column} null asks for the code itself. */
  JsonNode look(String list, String code, @Nullable String column) {
    CodeList found = lists.get(list);
    JsonNode[] row = found == null ? null : found.rows().get(code);
    if (found == null || row == null) {
      throw new UnknownCode(list);
    }
    if (column == null) {
      return row[0];
    }
    Integer index = found.columns().get(column);
    if (index == null) {
      throw new UnknownCode(list);
    }
    return row[index];
  }

  private record CodeList(
      Map<String, Integer> columns, Map<String, JsonNode[]> rows, byte[] bytes) {}

  private static @Nullable CodeList list(Path file, List<Problem> problems) {
    int before = problems.size();
    byte[] bytes;
    try {
      bytes = Files.readString(file).getBytes(StandardCharsets.UTF_8);
    } catch (CharacterCodingException e) {
      problems.add(new Problem(file, 0, "the code list is not UTF-8", "save it as UTF-8"));
      return null;
    } catch (IOException e) {
      problems.add(new Problem(file, 0, "the code list cannot be read", "check permissions"));
      return null;
    }
    int from = bytes.length > 2 && bytes[0] == (byte) 0xEF && bytes[1] == (byte) 0xBB ? 3 : 0;
    Csv csv = new Csv(bytes, from, ',', '"', StandardCharsets.UTF_8, MAX_ROW);
    Csv.Row header = csv.next();
    if (header == null || header.fault() != null || !header.cells().getFirst().equals("code")) {
      problems.add(
          new Problem(
              file,
              header == null ? 1 : header.line(),
              "the first row does not name the columns",
              "begin with a header such as code,nb,en"));
      return null;
    }
    Map<String, Integer> columns = new LinkedHashMap<>();
    for (int i = 0; i < header.cells().size(); i++) {
      String column = header.cells().get(i);
      if (column.isBlank() || columns.put(column, i) != null) {
        problems.add(
            new Problem(
                file,
                header.line(),
                "column " + (i + 1) + " has no name or the name of another",
                "give every column its own name"));
      }
    }
    Map<String, JsonNode[]> rows = rows(file, csv, header.cells().size(), problems);
    return problems.size() > before ? null : new CodeList(columns, rows, bytes);
  }

  private static Map<String, JsonNode[]> rows(
      Path file, Csv csv, int width, List<Problem> problems) {
    Map<String, JsonNode[]> rows = new HashMap<>();
    Set<String> seen = new HashSet<>();
    for (Csv.Row row = csv.next(); row != null; row = csv.next()) {
      Csv.Fault fault = row.fault();
      if (fault != null) {
        problems.add(new Problem(file, row.line(), fault.text(), "quote the value as in RFC 4180"));
        continue;
      }
      if (row.cells().size() != width) {
        problems.add(
            new Problem(
                file,
                row.line(),
                "the row has " + row.cells().size() + " values, the header " + width,
                "give each row one value per column; quote a value that holds a comma"));
        continue;
      }
      String code = row.cells().getFirst();
      if (code.isEmpty() || !code.equals(code.strip())) {
        problems.add(
            new Problem(
                file,
                row.line(),
                "the code is empty or padded with spaces",
                "write the bare code"));
        continue;
      }
      if (!seen.add(code)) {
        problems.add(
            new Problem(
                file,
                row.line(),
                "code '" + code + "' stands in the list twice",
                "keep one of them"));
        continue;
      }
      rows.put(code, row.cells().stream().map(CodeLists::cell).toArray(JsonNode[]::new));
    }
    return rows;
  }

  private static JsonNode cell(String text) {
    return text.isEmpty() ? NullNode.instance : TextNode.valueOf(text);
  }
}
