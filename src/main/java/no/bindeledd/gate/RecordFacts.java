package no.bindeledd.gate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The facts of a record that a later decision may ask for, as bytes for the table (to be encrypted:
 * they are personal data). Immutable.
 */
public record RecordFacts(@Nullable LocalDate birthDate, Map<String, Object> attributes) {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String BIRTH_DATE = "birthDate";
  private static final String ATTRIBUTES = "attributes";

  /** Empty when there is nothing to remember. */
  static Optional<byte[]> of(Outgoing message) {
    if (message.birthDate() == null && message.attributes().isEmpty()) {
      return Optional.empty();
    }
    if (message.attributes().isEmpty()) {
      // What nearly every message has; a date needs no escaping.
      String text =
          "{\"" + BIRTH_DATE + "\":\"" + message.birthDate() + "\",\"" + ATTRIBUTES + "\":{}}";
      return Optional.of(text.getBytes(StandardCharsets.US_ASCII));
    }
    Map<String, Object> facts = new HashMap<>();
    if (message.birthDate() != null) {
      facts.put(BIRTH_DATE, message.birthDate().toString());
    }
    facts.put(ATTRIBUTES, message.attributes());
    try {
      return Optional.of(JSON.writeValueAsBytes(facts));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Scalars cannot be written as JSON", e);
    }
  }

  /** Reads what {@link #of} wrote; null gives no facts. */
  static RecordFacts parse(byte @Nullable [] bytes) {
    if (bytes == null) {
      return new RecordFacts(null, Map.of());
    }
    try {
      var tree = JSON.readTree(bytes);
      var date = tree.get(BIRTH_DATE);
      Map<String, Object> attributes =
          JSON.convertValue(tree.get(ATTRIBUTES), new TypeReference<Map<String, Object>>() {});
      attributes.replaceAll((name, value) -> value instanceof Integer i ? Long.valueOf(i) : value);
      return new RecordFacts(date == null ? null : LocalDate.parse(date.asText()), attributes);
    } catch (IOException e) {
      throw new IllegalStateException("The facts of an outbox row cannot be read", e);
    }
  }
}
