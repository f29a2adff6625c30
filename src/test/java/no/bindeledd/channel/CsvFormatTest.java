package no.bindeledd.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.NotEmpty;
import net.jqwik.api.constraints.Size;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Csv;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.InputFormat.Raw;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.YamlSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class CsvFormatTest {
  private static final String PROFILE =
      """
      {'delimiter': ';', 'charsets': ['UTF-8', 'ISO-8859-1'], 'columns': [
        {'name': 'Nummer', 'path': '/person/nummer', 'type': 'identity', 'required': true},
        {'name': 'Navn', 'path': '/person/navn', 'maxLength': 10},
        {'name': 'Dato', 'path': '/dato', 'type': 'date', 'format': 'DD.MM.ÅÅÅÅ', 'required': true},
        {'name': 'Fravær', 'path': '/fravaer', 'type': 'decimal'},
        {'name': 'Trinn', 'path': '/trinn', 'type': 'integer'},
        {'name': 'Årsak', 'path': '/aarsak', 'type': 'code', 'codes': 'aarsak'}]}
      """;
  private static final Contract CONTRACT = Contracts.of("csv", null, null, Contracts.json(PROFILE));
  private static final String HEADER = "Nummer;Navn;Dato;Fravær;Trinn;Årsak\n";

  private static final CsvFormat.Codes CODES =
      new CsvFormat.Codes() {
        @Override
        public boolean has(String list) {
          return list.equals("aarsak");
        }

        @Override
        public boolean has(String list, String code) {
          return has(list) && List.of("FV", "FL").contains(code);
        }
      };

  private final CsvFormat format = new CsvFormat(CODES, 10_000);

  private List<InputFormat.Item> read(String text, Charset charset) {
    return format.read(CONTRACT, new Raw(text.getBytes(charset), "a.csv", null));
  }

  private List<String> told(String text) {
    return Contracts.told(read(text, StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @CsvSource({"UTF-8,''", "UTF-8,\uFEFF", "ISO-8859-1,''"})
  void rowsBecomeRecordsInEitherCharset(String charset, String mark) {
    String text =
        mark + HEADER + "17912099997; Kåre ;03.09.2026;12,5;2;FV\r\n57912075186;;29.02.2028;;;\r\n";

    assertThat(Contracts.told(read(text, Charset.forName(charset))))
        .containsExactly(
            "{'person':{'nummer':'17912099997','navn':'Kåre'},'dato':'2026-09-03',"
                + "'fravaer':12.5,'trinn':2,'aarsak':'FV'}",
            "{'person':{'nummer':'57912075186'},'dato':'2028-02-29'}");
  }

  @Test
  void columnsMayStandInAnyOrderAndOptionalOnesMayBeMissing() {
    assertThat(told("Dato;Nummer\n03.09.2026;17912099997\n"))
        .containsExactly("{'dato':'2026-09-03','person':{'nummer':'17912099997'}}");
  }

  static Stream<Arguments> badRows() {
    return Stream.of(
        Arguments.of(
            "1791209999;Kåre;03.09.2026;;;",
            "a.csv:2 Nummer INVALID_IDENTITY_NUMBER the value is not eleven digits"),
        Arguments.of(";Kåre;03.09.2026;;;", "a.csv:2 Nummer SCHEMA_VIOLATION the value is missing"),
        Arguments.of(
            "17912099997;Kåre den lange;03.09.2026;;;",
            "a.csv:2 Navn SCHEMA_VIOLATION the value is longer than 10"),
        Arguments.of(
            "17912099997;;31.09.2026;;;",
            "a.csv:2 Dato SCHEMA_VIOLATION the value is not a date written DD.MM.ÅÅÅÅ"),
        Arguments.of("17912099997;;2026-09-01;;;", "a.csv:2 Dato SCHEMA_VIOLATION"),
        Arguments.of("17912099997;;3.9.2026;;;", "a.csv:2 Dato SCHEMA_VIOLATION"),
        Arguments.of("17912099997;;03.09.2026;12,,5;;", "a.csv:2 Fravær SCHEMA_VIOLATION"),
        Arguments.of("17912099997;;03.09.2026;1e9;;", "a.csv:2 Fravær SCHEMA_VIOLATION"),
        Arguments.of("17912099997;;03.09.2026;;2,5;", "a.csv:2 Trinn SCHEMA_VIOLATION"),
        Arguments.of("17912099997;;03.09.2026;;-;", "a.csv:2 Trinn SCHEMA_VIOLATION"),
        Arguments.of(
            "17912099997;;03.09.2026;;;Kåre",
            "a.csv:2 Årsak UNKNOWN_CODE the value is not in the code list aarsak"),
        Arguments.of("17912099997;K\u0001re;03.09.2026;;;", "a.csv:2 Navn WRONG_CHARSET"),
        Arguments.of(
            "17912099997;Kåre;03.09.2026", "a.csv:2 MALFORMED the row has 3 values, not 6"),
        Arguments.of(
            "17912099997;K\"re;03.09.2026;;;", "a.csv:2 MALFORMED there is a quote inside"),
        Arguments.of(
            "17912099997;\"K\"re;03.09.2026;;;", "a.csv:2 MALFORMED there is text between"),
        Arguments.of(
            "17912099997;\"Kåre;03.09.2026;;;", "a.csv:2 MALFORMED a quoted value is not"));
  }

  @ParameterizedTest
  @MethodSource("badRows")
  void aBadRowIsRefusedWithItsPlaceAndTheGoodOnesGoOn(String row, String expected) {
    List<String> told = told(HEADER + row + "\n\n57912075186;;01.01.2026;;;\n");

    assertThat(told).hasSize(2);
    assertThat(told.get(0)).startsWith(expected).doesNotContain("Kåre", "17912099997", "K\"re");
    assertThat(told.get(1)).isEqualTo("{'person':{'nummer':'57912075186'},'dato':'2026-01-01'}");
  }

  static Stream<Arguments> badFiles() {
    return Stream.of(
        Arguments.of("", "a.csv:1 MALFORMED the file has no header"),
        Arguments.of("Nummer;Navn\n1;2\n", "a.csv:1 MALFORMED the header lacks the columns [Dato]"),
        Arguments.of("Nummer;Dato;Alder\n1;2;3\n", "a.csv:1 MALFORMED column 3 of the header"),
        Arguments.of("Nummer;Dato;Dato\n1;2;3\n", "a.csv:1 MALFORMED column 3 of the header"),
        Arguments.of(
            "17912099997;Kåre;03.09.2026;;;\n", "a.csv:1 MALFORMED column 1 of the header"),
        Arguments.of("\"Nummer;Dato\n", "a.csv:1 MALFORMED the header cannot be read"),
        Arguments.of("x".repeat(20_000), "a.csv TOO_LARGE the file is longer than 10000 bytes"));
  }

  @ParameterizedTest
  @MethodSource("badFiles")
  void aFileThatIsNotTheDeclaredOneIsRefusedWhole(String text, String expected) {
    assertThat(told(text)).singleElement().asString().startsWith(expected);
  }

  @Test
  void aFileInAnotherCharsetIsRefusedWhenOnlyUtf8IsDeclared() {
    Contract strict =
        Contracts.of(
            "csv", null, null, Contracts.json(PROFILE.replace("'UTF-8', 'ISO-8859-1'", "'UTF-8'")));
    byte[] body = ("\n" + HEADER).getBytes(StandardCharsets.ISO_8859_1);

    assertThat(Contracts.told(format.read(strict, new Raw(body, "a.csv", null))))
        .containsExactly("a.csv:2 WRONG_CHARSET the file is not in [UTF-8]; save it as that");
  }

  @Test
  void windowsCharactersInAnIsoFileRefuseTheirRowOnly() {
    byte[] body =
        (HEADER + "17912099997;A\u0096B;03.09.2026;;;\n57912075186;;03.09.2026;;;\n")
            .getBytes(StandardCharsets.ISO_8859_1);

    assertThat(Contracts.told(format.read(CONTRACT, new Raw(body, "a.csv", null))))
        .hasSize(2)
        .first()
        .asString()
        .startsWith("a.csv:2 Navn WRONG_CHARSET");
  }

  @Test
  void theSameFileHasTheSameIdsAndAnotherRowAnotherOne() {
    String text = HEADER + "17912099997;;03.09.2026;;;\n17912099997;;03.09.2026;;;\nx\n";
    List<String> ids =
        read(text, StandardCharsets.UTF_8).stream().map(i -> "" + i.messageId()).toList();

    assertThat(ids).hasSize(3).doesNotHaveDuplicates();
    assertThat(ids)
        .allMatch(id -> id.matches("a\\.csv:[234]:[0-9a-f]{64}"))
        .isEqualTo(
            read(text, StandardCharsets.UTF_8).stream().map(i -> "" + i.messageId()).toList());
    assertThat(ids.get(0).substring(8)).isEqualTo(ids.get(1).substring(8));
  }

  @Test
  void withoutAHeaderTheDeclaredOrderHolds() {
    Contract contract =
        Contracts.of(
            "csv",
            null,
            null,
            Contracts.json(
                """
                {'header': false, 'delimiter': ',', 'columns': [
                  {'name': 'a', 'path': '/a'}, {'name': 'b', 'path': '/b~1c', 'type': 'integer'}]}"""));
    byte[] body = "\"x,\"\"y\nz\",-7\nx\n".getBytes(StandardCharsets.UTF_8);

    assertThat(Contracts.told(format.read(contract, new Raw(body, null, null))))
        .containsExactly(
            "{'a':'x,\\'y\\nz','b/c':-7}", "message:3 MALFORMED the row has 1 values, not 2");
  }

  static Stream<Arguments> badProfiles() {
    String column = "columns: [{name: a, path: /a}]";
    return Stream.of(
        Arguments.of("columns: []", "no columns are declared"),
        Arguments.of("delimiter: ';;'\n    " + column, "4: delimiter is not one ASCII character"),
        Arguments.of("delimiter: '\"'\n    " + column, "delimiter and quote are the same"),
        Arguments.of("charsets: [EBCDIC]\n    " + column, "4: unknown charset 'EBCDIC'"),
        Arguments.of("header: maybe\n    " + column, "4: header is neither true nor false"),
        Arguments.of("heder: true\n    " + column, "4: unknown setting 'heder'"),
        Arguments.of("columns: [{name: a, path: a}]", "4: column 'a' has no path"),
        Arguments.of("columns: [{name: a, path: /a, type: dat}]", "column 'a' has an unknown type"),
        Arguments.of("columns: [{name: a, path: /a, format: DD}]", "format that is not a date's"),
        Arguments.of("columns: [{name: a, path: /a, codes: x}]", "has codes but not type code"),
        Arguments.of("columns: [{name: a, path: /a, maxLength: 0}]", "maxLength that is not"),
        Arguments.of(
            "columns: [{name: a, path: /a, type: code, codes: x}]", "4: there is no code list 'x'"),
        Arguments.of(
            "columns: [{name: a, path: /a}, {name: a, path: /b}]", "column 'a' is declared twice"),
        Arguments.of(
            "columns: [{name: a, path: /a}, {name: b, path: /a/b}]", "have paths that meet"));
  }

  @ParameterizedTest
  @MethodSource("badProfiles")
  void aBadProfileIsRefusedWithTheContractsLine(
      String profile, String expected, @TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(
            folder.resolve("exchange.yaml"), "id: test\ninput:\n  profile:\n    " + profile);
    Contract contract =
        Contracts.of("csv", null, null, YamlSource.read(file).tree().at("/input/profile"), folder);

    assertThatThrownBy(() -> format.checkProfile(contract))
        .isInstanceOf(ProblemsException.class)
        .hasMessageContaining("exchange.yaml:")
        .hasMessageContaining(expected);
  }

  @Test
  void aGoodProfileIsAccepted() {
    assertThatCode(() -> format.checkProfile(CONTRACT)).doesNotThrowAnyException();
  }

  @Property(tries = 500)
  void whatIsWrittenAsRfc4180IsReadAsItWas(
      @ForAll @Size(max = 5) List<@NotEmpty @Size(max = 4) List<String>> rows,
      @ForAll boolean crlf) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (List<String> row : rows) {
      List<String> cells =
          row.stream().map(cell -> "\"" + cell.replace("\"", "\"\"") + "\"").toList();
      out.writeBytes(
          (String.join(",", cells) + (crlf ? "\r\n" : "\n")).getBytes(StandardCharsets.UTF_8));
    }
    List<List<String>> expected =
        rows.stream()
            .map(
                row ->
                    row.stream()
                        .map(
                            cell ->
                                new String(
                                    cell.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8))
                        .toList())
            .toList();
    List<List<String>> found = new ArrayList<>();
    byte[] body = out.toByteArray();
    Csv csv = new Csv(body, 0, ',', '"', StandardCharsets.UTF_8, 1_000_000);
    for (Csv.Row row = csv.next(); row != null; row = csv.next()) {
      assertThat(row.fault()).isNull();
      found.add(row.cells());
    }

    assertThat(found).isEqualTo(expected);
  }

  @Property(tries = 500)
  void anyBytesGiveRowsOrRefusalsWithTheirLines(@ForAll byte[] body, @ForAll boolean headed) {
    byte[] header = headed ? HEADER.getBytes(StandardCharsets.ISO_8859_1) : new byte[0];
    byte[] all = new byte[header.length + body.length];
    System.arraycopy(header, 0, all, 0, header.length);
    System.arraycopy(body, 0, all, header.length, body.length);

    List<InputFormat.Item> items = format.read(CONTRACT, new Raw(all, "a.csv", null));

    assertThat(items)
        .extracting(item -> item.place().line())
        .isSorted()
        .allMatch(line -> line >= 1 && line <= Utf8.line(all, all.length) + all.length);
  }
}
