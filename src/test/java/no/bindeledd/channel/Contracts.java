package no.bindeledd.channel;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Period;
import java.util.List;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.Text;
import org.jspecify.annotations.Nullable;

/** Contracts of which only the input matters. */
final class Contracts {
  private Contracts() {}

  static Contract of(
      String format, @Nullable String records, @Nullable String messageId, JsonNode profile) {
    return of(format, records, messageId, profile, Path.of("routes/test"));
  }

  static Contract of(
      String format,
      @Nullable String records,
      @Nullable String messageId,
      JsonNode profile,
      Path folder) {
    return new Contract(
        "test",
        "E02",
        new Text("Prøve", "Test"),
        Contract.Mode.ASYNCHRONOUS,
        "FOLLOW_UP",
        new Contract.Input(
            format,
            "input.schema.json",
            records == null ? null : JsonPointer.compile(records),
            profile),
        null,
        messageId == null ? null : JsonPointer.compile(messageId),
        null,
        null,
        null,
        List.of(),
        List.of(),
        null,
        Period.ofYears(10),
        folder);
  }

  static JsonNode none() {
    return JsonNodeFactory.instance.objectNode();
  }

  static JsonNode json(String text) {
    try {
      return new ObjectMapper().readTree(text.replace('\'', '"'));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** One line per record: its body, or its place and reason. */
  static List<String> told(List<InputFormat.Item> items) {
    return items.stream().map(Contracts::told).toList();
  }

  private static String told(InputFormat.Item item) {
    return switch (item) {
      case InputFormat.Good good -> good.body().toString().replace('"', '\'');
      case InputFormat.Bad bad -> bad.place() + " " + bad.reason() + " " + bad.detail();
    };
  }
}
