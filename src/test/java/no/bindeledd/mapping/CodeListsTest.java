package no.bindeledd.mapping;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.stream.Stream;
import no.bindeledd.exchange.ProblemsException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class CodeListsTest {
  @Test
  void eachFileIsAListUnderItsName(@TempDir Path temp) {
    CodeLists lists =
        new MappingFolder(temp)
            .put("codes/a.csv", "\uFEFFcode,nb,en\r\nX,\"Sluttet, flyttet\",Left\r\nY,Å,\r\n")
            .put("codes/b.csv", "code\n1\n")
            .put("codes/README.md", "not a list")
            .codes();

    assertThat(lists.has("a", "X")).isTrue();
    assertThat(lists.has("a", "x")).isFalse();
    assertThat(lists.has("b", "1")).isTrue();
    assertThat(lists.has("README")).isFalse();
    assertThat(lists.look("a", "X", "nb").asText()).isEqualTo("Sluttet, flyttet");
    assertThat(lists.look("a", "Y", "en").isNull()).isTrue();
  }

  @Test
  void aFolderThatIsNotThereHoldsNoLists(@TempDir Path temp) {
    assertThat(CodeLists.read(temp.resolve("none")).has("a")).isFalse();
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        Arguments.of("", "a.csv:1: the first row does not name the columns"),
        Arguments.of("kode,nb\nX,Y\n", "a.csv:1: the first row does not name the columns"),
        Arguments.of("code,nb,nb\nX,Y,Z\n", "a.csv:1: column 3 has no name or the name of another"),
        Arguments.of("code,\nX,Y\n", "a.csv:1: column 2 has no name or the name of another"),
        Arguments.of("code,nb\nX,Y\n\nZ\n", "a.csv:4: the row has 1 values, the header 2"),
        Arguments.of("code,nb\nX,Y\nX,Z\n", "a.csv:3: code 'X' stands in the list twice"),
        Arguments.of("code,nb\n X,Y\n", "a.csv:2: the code is empty or padded with spaces"),
        Arguments.of("code,nb\nX,Y\"Z\n", "a.csv:2: there is a quote inside a value"));
  }

  @ParameterizedTest
  @MethodSource("broken")
  void aBrokenListIsRefusedWithItsLine(String text, String expected, @TempDir Path temp) {
    MappingFolder folder = new MappingFolder(temp).put("codes/a.csv", text);

    assertThatThrownBy(folder::codes)
        .isInstanceOf(ProblemsException.class)
        .hasMessageContaining(expected);
  }
}
