package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import no.bindeledd.exchange.Problem;

/** Laws for any content of a route file at all. */
class RouteLinterLawsTest {
  private static final Path GOOD = Path.of("src/test/resources/lint/good");
  private static final RouteLinter LINTER = new RouteLinter();
  private static Path file = Path.of("");

  @BeforeContainer
  static void makeFile() throws IOException {
    file = Files.createTempFile("garbage", ".camel.yaml");
  }

  @AfterContainer
  static void removeFile() throws IOException {
    Files.deleteIfExists(file);
  }

  @Property(tries = 300)
  void bytesOfAnyKindAreRefusedAndNeverThrow(@ForAll @Size(max = 300) byte[] bytes)
      throws IOException {
    Files.write(file, bytes);
    assertThat(lint()).isNotEmpty();
  }

  @Property(tries = 300)
  void yamlLookingTextIsRefusedAndNeverThrows(@ForAll("scraps") List<String> scraps)
      throws IOException {
    Files.writeString(file, String.join("", scraps));
    assertThat(lint()).isNotEmpty();
  }

  /** One changed sign gives a refusal, or a route that still ends where the contract says. */
  @Property(tries = 400)
  void aSlipInAGoodFileNeverThrowsAndNeverChangesTheAddress(@ForAll("slips") String text)
      throws IOException {
    Files.writeString(file, text);
    if (lint().isEmpty()) {
      assertThat(text)
          .containsPattern(
              "gate:(//)?toy\"?\\?from=school|from: *[\"']?school"
                  + "|ot\\.toy\\.v1|(?i)nav.example/api/toys|peers.nav.url}}/toys"
                  + "|/utdanning/ot/otungdom|archive.example(:22)?/toys|hospital.example:2575");
    }
  }

  @Provide
  Arbitrary<List<String>> scraps() {
    return Arbitraries.of(
            "- route:\n",
            "    id: toy.x\n",
            "    from:\n",
            "      uri: ",
            "\"gate:toy?to=ot\"",
            "      steps:\n",
            "        - to: ",
            "\"kafka:ot.toy.v1\"",
            "{{",
            "}}",
            "[",
            "]",
            "{",
            "}",
            ": ",
            "- ",
            "\n",
            "\t",
            "&a ",
            "*a",
            "!!x ",
            "|\n",
            ">-\n",
            "? ",
            "# ",
            "'",
            "\"",
            "%YAML",
            "---\n",
            "...\n",
            "${body}",
            "\u0000",
            "\uFEFF",
            "wireTap: x\n")
        .list()
        .ofMaxSize(40);
  }

  @Provide
  Arbitrary<String> slips() throws IOException {
    List<String> texts;
    try (Stream<Path> files = Files.list(GOOD)) {
      texts = files.sorted().map(RouteLinterLawsTest::read).toList();
    }
    Arbitrary<String> sign =
        Arbitraries.of(
            "", " ", "x", "1", ".", "/", ":", "?", "&", "%", "{", "}", "$", "\n", "-", "\"");
    return Combinators.combine(Arbitraries.of(texts), Arbitraries.doubles().between(0, 1), sign)
        .as(
            (text, place, with) -> {
              int at = (int) (place * (text.length() - 1));
              return text.substring(0, at) + with + text.substring(at + 1);
            });
  }

  private static String read(Path path) {
    try {
      return Files.readString(path);
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static List<Problem> lint() {
    return LINTER.lint(file, ToyContract.toy(Path.of("routes/toy")), ToyContract.PLACEHOLDERS);
  }
}
