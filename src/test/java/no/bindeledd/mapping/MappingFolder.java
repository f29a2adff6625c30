package no.bindeledd.mapping;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Period;
import java.util.Arrays;
import java.util.List;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.Text;

/** A folder {@code mappings/} of one exchange, written by a test. */
final class MappingFolder {
  static final String EXCHANGE = "notice";

  private static final ObjectMapper JSON = new ObjectMapper();

  final Path root;

  MappingFolder(Path root) {
    this.root = root;
  }

  MappingFolder put(String name, String text) {
    try {
      Path file = root.resolve(name);
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Files named as the contract below expects them. */
  MappingFolder exchange(String input, String mapping, String output) {
    put(EXCHANGE + "/input.schema.json", input.replace('\'', '"'));
    put(EXCHANGE + "/out.jslt", mapping.replace('\'', '"'));
    return put(EXCHANGE + "/out.schema.json", output.replace('\'', '"'));
  }

  CodeLists codes() {
    return CodeLists.read(root.resolve("codes"));
  }

  Shaper shaper(String... fields) {
    Contract contract = contract(Contract.Mode.ASYNCHRONOUS, fields);
    return Shaper.compile(contract, contract.to().getFirst().view(), root, codes());
  }

  Contract contract(Contract.Mode mode, String... fields) {
    Contract.View view =
        new Contract.View(
            "out.jslt",
            "out.schema.json",
            Arrays.stream(fields).map(MappingFolder::field).toList());
    return new Contract(
        EXCHANGE,
        "E02",
        new Text("Melding", "Notice"),
        mode,
        "FOLLOW_UP",
        new Contract.Input(
            "json", "input.schema.json", null, JsonNodeFactory.instance.objectNode()),
        JsonPointer.compile("/person"),
        null,
        null,
        null,
        null,
        List.of(),
        List.of(
            new Contract.Recipient(
                "ot",
                AgencyKind.OT,
                new OrganisationNumber("311013572"),
                "kafka:ot.notice.v1",
                true,
                view)),
        null,
        Period.ofYears(10),
        root.resolve("routes").resolve(EXCHANGE));
  }

  static JsonNode json(String text) {
    try {
      return JSON.readTree(text.replace('\'', '"'));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Contract.Field field(String path) {
    return new Contract.Field(path, "REFERENCE", "meaning", "example", false, false, false);
  }
}
