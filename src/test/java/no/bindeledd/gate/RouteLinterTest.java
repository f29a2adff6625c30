package no.bindeledd.gate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.gate.RouteFile.Direction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouteLinterTest {
  private static final Path CASES = Path.of("src/test/resources/lint");
  private static final Path FOLDER = Path.of("routes/toy");
  private static final RouteLinter LINTER = new RouteLinter();

  static List<Path> bad() throws IOException {
    return files("bad");
  }

  static List<Path> good() throws IOException {
    return files("good");
  }

  private static List<Path> files(String folder) throws IOException {
    try (Stream<Path> files = Files.list(CASES.resolve(folder))) {
      return files.sorted().toList();
    }
  }

  /** The first line of each case is {@code # line: what; remedy}. */
  @ParameterizedTest
  @MethodSource("bad")
  void everyWayRoundTheGateIsRefusedWithItsPlaceAndRemedy(Path file) throws IOException {
    String expected = Files.readAllLines(file).getFirst().substring(2);

    List<Problem> problems = lint(file);

    assertThat(problems)
        .extracting(p -> p.line() + ": " + p.what() + "; " + p.remedy())
        .containsExactly(expected);
    assertThat(problems).allSatisfy(p -> assertThat(p.file()).isEqualTo(file));
  }

  @ParameterizedTest
  @MethodSource("good")
  void aRouteThatOnlyJoinsAChannelAndTheGateIsTaken(Path file) {
    assertThat(lint(file)).isEmpty();
  }

  @Test
  void theTableIsLong() throws IOException {
    assertThat(bad()).hasSizeGreaterThan(200);
    assertThat(good()).hasSizeGreaterThan(10);
  }

  @Test
  void aProvedFileSaysWhichWayItGoesAndForWhom() {
    RouteFile route =
        LINTER
            .check(
                CASES.resolve("good/deliver-fint.yaml"),
                ToyContract.toy(FOLDER),
                ToyContract.PLACEHOLDERS)
            .route()
            .orElseThrow();

    assertThat(route.exchange()).isEqualTo("toy");
    assertThat(route.direction()).isEqualTo(Direction.DELIVERING);
    assertThat(route.party()).isEqualTo("fint");
    assertThat(route.routeId()).isEqualTo("toy.deliver-fint");
  }

  @Test
  void everyFaultOfAFileIsFoundInOneGoInTheOrderOfItsLines(@TempDir Path folder)
      throws IOException {
    Path file =
        write(
            folder,
            "a.camel.yaml",
            """
            - route:
                id: toy.deliver
                trace: true
                from:
                  uri: "gate:toy?to=ot"
                  steps:
                    - wireTap: {uri: "kafka:evil"}
                    - log: hello
                    - bean: {ref: evil}
                    - to: "kafka:evil"
            """);

    assertThat(lint(file)).extracting(Problem::line).containsExactly(3, 7, 9);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kafka:ot.toy.v1?brokers=evil",
        "kafka:ot%2Etoy.v1",
        "{{peers.nobody.url}}/x",
        "direct:out",
        "https://user@nav.example/x",
        "https://nav.example/a/../b",
        ""
      })
  void anAddressInTheContractThatCannotBeComparedIsTheContractsProblem(
      String address, @TempDir Path folder) throws IOException {
    Contract contract = ToyContract.contract("toy", folder, ToyContract.recipient("ot", address));
    Path file = write(folder, "a.camel.yaml", deliver("toy", "ot", "kafka:ot.toy.v1"));

    List<Problem> problems = LINTER.lint(file, contract, ToyContract.PLACEHOLDERS);

    assertThat(problems)
        .singleElement()
        .satisfies(
            p -> {
              assertThat(p.file()).isEqualTo(folder.resolve("exchange.yaml"));
              assertThat(p.what()).startsWith("the address of 'ot'");
            });
  }

  @Test
  void noMessageRepeatsTheValueOfAPlaceholder(@TempDir Path folder) throws IOException {
    Contract contract =
        ToyContract.contract("toy", folder, ToyContract.recipient("ot", "{{a.url}}/x"));
    Placeholders secret =
        Placeholders.of(Map.of("a.url", "https://user:hush@evil.example", "b", "hush)&x=y"));
    Path file =
        write(
            folder, "a.camel.yaml", deliver("toy", "ot", "{{a.url}}/x?sslContextParameters={{b}}"));
    Path sftp = write(folder, "b.camel.yaml", deliver("toy", "ot", "sftp:h/x?password=RAW({{b}})"));

    assertThat(LINTER.lint(file, contract, secret))
        .isNotEmpty()
        .noneMatch(p -> p.toString().contains("hush"));
    assertThat(LINTER.lint(sftp, contract, secret))
        .isNotEmpty()
        .noneMatch(p -> p.toString().contains("hush"));
  }

  @Test
  void aFileThatIsMissingOrTooLargeOrNotTextIsAProblem(@TempDir Path folder) throws IOException {
    Path large = write(folder, "large.camel.yaml", "#".repeat(RouteYaml.MAX_BYTES + 1));
    Path latin = Files.write(folder.resolve("latin.camel.yaml"), new byte[] {'#', (byte) 0xE6});

    assertThat(lint(folder.resolve("none.camel.yaml")))
        .extracting(Problem::what)
        .containsExactly("the file cannot be read");
    assertThat(lint(folder)).hasSize(1);
    assertThat(lint(large))
        .extracting(Problem::what)
        .containsExactly("the file is larger than 64 KiB");
    assertThat(lint(latin)).extracting(Problem::what).containsExactly("the file is not UTF-8 text");
  }

  @Test
  void aFolderHasOneDeliveringRouteForEachRecipientAndNoIdTwice(@TempDir Path folder)
      throws IOException {
    Contract contract =
        ToyContract.contract(
            "toy",
            folder,
            ToyContract.recipient("ot", "kafka:ot.toy.v1"),
            ToyContract.recipient("nav", "kafka:nav.toy.v1"));
    Path one = write(folder, "one.camel.yaml", deliver("toy", "ot", "kafka:ot.toy.v1"));
    Path two = write(folder, "two.camel.yaml", deliver("toy", "ot", "kafka:ot.toy.v1"));

    assertThat(checkFolder(contract, List.of(one)))
        .extracting(Problem::toString)
        .containsExactly(
            folder.resolve("exchange.yaml")
                + ":0: no route delivers to the recipient 'nav'; add deliver-nav.camel.yaml with a"
                + " route from gate:toy?to=nav");
    assertThat(checkFolder(contract, List.of(one, two)))
        .extracting(Problem::what)
        .containsExactly(
            "the route id 'toy.deliver-ot' is also used in one.camel.yaml",
            "the recipient 'ot' is also delivered to in one.camel.yaml");
  }

  private static List<Problem> checkFolder(Contract contract, List<Path> files) {
    RouteLinter.FolderResult result = LINTER.checkFolder(contract, files, ToyContract.PLACEHOLDERS);
    assertThat(result.files()).isEmpty();
    return result.problems();
  }

  static String deliver(String exchange, String recipient, String to) {
    return """
        - route:
            id: %s.deliver-%s
            from:
              uri: "gate:%s?to=%s"
              steps:
                - to: "%s"
        """
        .formatted(exchange, recipient, exchange, recipient, to);
  }

  private static Path write(Path folder, String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private List<Problem> lint(Path file) {
    return LINTER.lint(file, ToyContract.toy(FOLDER), ToyContract.PLACEHOLDERS);
  }
}
