package no.bindeledd.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;

/** JSON trees as bytes. */
final class Json {
  private Json() {}

  static byte[] bytes(JsonNode tree) {
    try {
      return AgencyServer.JSON.writeValueAsBytes(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A JSON tree can always be written", e);
    }
  }
}
