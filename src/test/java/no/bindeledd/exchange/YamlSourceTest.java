package no.bindeledd.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class YamlSourceTest {
  private static final Path FILE = Path.of("policies/x.yaml");

  private static YamlSource yaml(String text) {
    return YamlSource.of(FILE, text);
  }

  private static String firstProblem(String text) {
    ProblemsException refused = catchThrowableOfType(ProblemsException.class, () -> yaml(text));
    assertThat(refused).as("must be refused").isNotNull();
    return refused.problems().get(0).toString();
  }

  @Test
  void everyNodeKnowsItsLine() {
    YamlSource source =
        yaml(
            """
            # a comment
            id: x

            to:
              - name: ot
                view:
                  fields:
                    - {path: /a, category: NAME}
                    - path: /b
                      category: >
                        NAME
              - name: nav
            a/b~c: 1
            """);
    assertThat(source.line("")).isEqualTo(2);
    assertThat(source.line("/id")).isEqualTo(2);
    assertThat(source.line("/to")).isEqualTo(4);
    assertThat(source.line("/to/0")).isEqualTo(5);
    assertThat(source.line("/to/0/view")).isEqualTo(6);
    assertThat(source.line("/to/0/view/fields/0/category")).isEqualTo(8);
    assertThat(source.line("/to/0/view/fields/1/category")).isEqualTo(10);
    assertThat(source.line("/to/1/name")).isEqualTo(12);
    assertThat(source.line("/a~1b~0c")).isEqualTo(13);
    assertThat(source.tree().at("/to/0/view/fields/1/path").asText()).isEqualTo("/b");
  }

  @Test
  void aMissingNodeHasTheLineOfItsNearestAncestor() {
    YamlSource source = yaml("id: x\nto:\n  - name: ot\n");
    assertThat(source.line("/to/0/view/schema")).isEqualTo(3);
    assertThat(source.line("/to/7/name")).isEqualTo(2);
    assertThat(source.line("/nowhere")).isEqualTo(1);
    assertThat(source.line("not a pointer")).isEqualTo(1);
    assertThat(source.problem("/to/0/x", "What", "do")).hasToString("policies/x.yaml:3: What; do");
  }

  @ParameterizedTest
  @CsvSource({
    "no, STRING",
    "yes, STRING",
    "on, STRING",
    "true, BOOLEAN",
    "FALSE, BOOLEAN",
    "~, NULL",
    "null, NULL",
    "42, NUMBER",
    "-7, NUMBER",
    "+7, NUMBER",
    "0, NUMBER",
    "0.5, NUMBER",
    "1e3, NUMBER",
    "99999999999999999999, NUMBER",
    "03, STRING",
    "007, STRING",
    "0x1F, STRING",
    "1_000, STRING",
    "10:30, STRING",
    "2026-09-01, STRING",
    "2026-09-01T10:00:00Z, STRING",
    ".inf, STRING",
    "P10Y, STRING"
  })
  void aPlainScalarIsWhatItLooksLikeInJson(String text, String type) {
    assertThat(yaml("value: " + text).tree().get("value").getNodeType()).hasToString(type);
  }

  @Test
  void quotedAndTaggedTextStaysText() {
    YamlSource source = yaml("a: \"42\"\nb: 'true'\nc: !!str 42\nd: |\n  null\n");
    assertThat(source.tree().get("a").isTextual()).isTrue();
    assertThat(source.tree().get("b").isTextual()).isTrue();
    assertThat(source.tree().get("c").isTextual()).isTrue();
    assertThat(source.tree().get("d").asText()).isEqualTo("null\n");
  }

  @Test
  void anAliasRepeatsWhatItsAnchorHolds() {
    YamlSource source = yaml("a: &v {x: 1}\nb:\n  c: *v\n");
    assertThat(source.tree().at("/b/c/x").asInt()).isEqualTo(1);
    assertThat(source.line("/b/c")).isEqualTo(3);
    assertThat(source.line("/b/c/x")).isEqualTo(1);
  }

  @Test
  void aSyntaxErrorNamesItsLine() {
    assertThat(firstProblem("id: x\nto: [a, b\nfrom: y\n"))
        .startsWith("policies/x.yaml:3: Not valid YAML: expected ',' or ']'");
    assertThat(firstProblem("id: x\n\tto: y\n")).startsWith("policies/x.yaml:2: Not valid YAML: ");
    assertThat(firstProblem("id: 'x\n")).startsWith("policies/x.yaml:2: Not valid YAML: ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "'a: 1\nb: 2\na: 3'|policies/x.yaml:3: The key 'a' stands twice; keep one of them",
        "'a: &x {p: 1}\nb: {<<: *x}'|policies/x.yaml:2: Merge keys (<<) are not supported; write"
            + " the keys out, or use an alias",
        "'a: !!javax.Evil [x]'|policies/x.yaml:1: YAML tags (!) are not supported; remove the tag",
        "'a: !secret x'|policies/x.yaml:1: YAML tags (!) are not supported; remove the tag",
        "'? [a, b]\n: c'|policies/x.yaml:1: A key is a list or a mapping; use a plain word as the"
            + " key",
        "'# only a comment'|policies/x.yaml:1: The file is empty; write the document or remove the"
            + " file",
        "'a: &x [*x]'|policies/x.yaml:1: The document grows too large or too deep through its"
            + " aliases; write the repeated part out instead of using an alias"
      })
  void whatTheHubDoesNotReadIsRefusedWithALineAndARemedy(String text, String problem) {
    assertThat(firstProblem(text)).isEqualTo(problem);
  }

  @Test
  void aSecondDocumentIsRefused() {
    assertThat(firstProblem("a: 1\n---\nb: 2\n")).startsWith("policies/x.yaml:2: Not valid YAML: ");
  }

  @Test
  void aliasesCannotBlowUpTheDocument() {
    StringBuilder bomb = new StringBuilder("a0: &a0 [x, x]\n");
    for (int i = 1; i < 40; i++) {
      bomb.append("a%d: &a%d [*a%d, *a%d]%n".formatted(i, i, i - 1, i - 1));
    }
    assertThat(firstProblem(bomb.toString())).contains("grows too large");
  }

  @ParameterizedTest
  @ValueSource(strings = {"missing.yaml", "."})
  void aFileThatCannotBeReadIsAProblemWithoutALine(String name, @TempDir Path folder) {
    ProblemsException refused =
        catchThrowableOfType(ProblemsException.class, () -> YamlSource.read(folder.resolve(name)));
    assertThat(refused.problems().get(0).line()).isZero();
  }

  @Test
  void textThatIsNotUtf8IsRefusedOnItsLine(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("latin1.yaml");
    Files.write(file, "a: 1\nb: opplæring\n".getBytes(StandardCharsets.ISO_8859_1));
    ProblemsException refused =
        catchThrowableOfType(ProblemsException.class, () -> YamlSource.read(file));
    assertThat(refused).hasMessage(file + ":2: The text is not UTF-8; save the file as UTF-8");
  }

  @Test
  void aByteOrderMarkIsNoContent(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("bom.yaml"), "\uFEFFid: æøå\n");
    assertThat(YamlSource.read(file).tree().get("id").asText()).isEqualTo("æøå");
    assertThat(YamlSource.read(file).file()).isEqualTo(file);
  }
}
