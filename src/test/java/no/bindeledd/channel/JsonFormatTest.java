package no.bindeledd.channel;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.InputFormat.Raw;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class JsonFormatTest {
  private static final Contract ONE = Contracts.of("json", null, "/messageId", Contracts.none());
  private static final Contract LIST = Contracts.of("json", "/rows", null, Contracts.none());

  private final JsonFormat format = new JsonFormat(4096);

  private List<InputFormat.Item> read(Contract contract, String text) {
    return format.read(
        contract, new Raw(text.replace('\'', '"').getBytes(StandardCharsets.UTF_8), null, "key-1"));
  }

  static Stream<Arguments> documents() {
    return Stream.of(
        Arguments.of("{'a': 1.50, 'b': 'blåbær'}", "{'a':1.50,'b':'blåbær'}"),
        Arguments.of("\uFEFF{}", "{}"),
        Arguments.of(
            "{'a': 1, 'a': 2}", "message:1 column 15 MALFORMED a member name stands twice"),
        Arguments.of("{'a':\n 1", "message:2 column 3 MALFORMED the document ends too early"),
        Arguments.of("{'a':\n Kari}", "message:2 column 7 MALFORMED the text is not JSON"),
        Arguments.of("{'a': NaN}", "MALFORMED the text is not JSON"),
        Arguments.of("{} {}", "MALFORMED there is text after the end of the document"),
        Arguments.of("", "message MALFORMED the document is not one JSON object"),
        Arguments.of("[1]", "message MALFORMED the document is not one JSON object"),
        Arguments.of("null", "message MALFORMED the document is not one JSON object"),
        Arguments.of("[".repeat(100), "MALFORMED nested deeper than 64 levels"),
        Arguments.of("{'a': " + "9".repeat(70) + "}", "TOO_LARGE a text is longer than"),
        Arguments.of(" ".repeat(5000), "message TOO_LARGE the body is longer than 4096 bytes"));
  }

  @ParameterizedTest
  @MethodSource("documents")
  void aDocumentIsTheRecordOrIsRefusedWithItsPlace(String text, String expected) {
    assertThat(Contracts.told(read(ONE, text))).singleElement().asString().contains(expected);
  }

  static Stream<Arguments> encodings() {
    return Stream.of(
        Arguments.of(
            "{\"a\":\n\"blåbær\"}", StandardCharsets.ISO_8859_1, "message:2 WRONG_CHARSET"),
        Arguments.of("{\"a\": 1}", StandardCharsets.UTF_16LE, "message:1 WRONG_CHARSET"),
        Arguments.of("{\"a\": 1}", StandardCharsets.UTF_16BE, "message:1 WRONG_CHARSET"),
        Arguments.of("{\"a\": 1}", StandardCharsets.UTF_16, "message:1 WRONG_CHARSET"),
        Arguments.of("{\"a\": 1}", Charset.forName("UTF-32"), "message:1 WRONG_CHARSET"));
  }

  @ParameterizedTest
  @MethodSource("encodings")
  void onlyUtf8IsRead(String text, Charset charset, String expected) {
    assertThat(Contracts.told(format.read(ONE, new Raw(text.getBytes(charset), null, null))))
        .singleElement()
        .asString()
        .startsWith(expected);
  }

  @Test
  void eachRowOfAListGetsWhatTheEnvelopeSaysOnce() {
    assertThat(
            Contracts.told(
                read(
                    LIST,
                    """
                    {'listId': 'L1', 'code': 'X', 'header': {'secret': 1}, 'note': null,
                     'rows': [{'reference': 'r1', 'code': 'A'}, 7, {'reference': 'r2'}]}""")))
        .containsExactly(
            "{'reference':'r1','code':'A','listId':'L1','note':null}",
            "message /rows/1 MALFORMED the record is not a JSON object",
            "{'reference':'r2','listId':'L1','code':'X','note':null}");
  }

  @Test
  void rowsOfAListAreToldApartByTheirNumberWhenTheContractPointsAtNoId() {
    assertThat(read(LIST, "{'rows': [{}, 1, {}]}"))
        .extracting(InputFormat.Item::messageId)
        .containsExactly("key-1#1", "key-1#2", "key-1#3");
    assertThat(read(ONE, "{}")).extracting(InputFormat.Item::messageId).containsOnlyNulls();
  }

  @Test
  void aListThatIsNotThereIsRefusedAndAnEmptyOneHoldsNothing() {
    assertThat(Contracts.told(read(LIST, "{'rows': {}}")))
        .containsExactly("message MALFORMED there is no list at /rows");
    assertThat(read(LIST, "{'rows': []}")).isEmpty();
  }

  @Property(tries = 500)
  void anyBytesGiveRecordsOrRefusals(@ForAll byte[] body, @ForAll boolean list) {
    assertThat(new JsonFormat().read(list ? LIST : ONE, new Raw(body, "f", null))).isNotNull();
  }

  @Property(tries = 1000)
  void bytesAreUtf8ExactlyWhenTheJdkSaysSo(@ForAll byte[] bytes) {
    boolean strict = Hl7Header.decode(bytes, 0, bytes.length, StandardCharsets.UTF_8) != null;

    assertThat(Utf8.firstInvalid(bytes) < 0).isEqualTo(strict);
  }

  @Property(tries = 1000)
  void textIsUtf8ExactlyWhenTheJdkSaysSo(@ForAll String text, @ForAll byte stray) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    assertThat(Utf8.firstInvalid(bytes)).isEqualTo(-1);
    if (bytes.length > 0) {
      bytes[bytes.length / 2] = stray;
      boolean strict = Hl7Header.decode(bytes, 0, bytes.length, StandardCharsets.UTF_8) != null;
      assertThat(Utf8.firstInvalid(bytes) < 0).isEqualTo(strict);
    }
  }
}
