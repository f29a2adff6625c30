package no.bindeledd.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;

/** JSON trees as bytes. */
final class Json {
  private Json() {}

  /** The tree; an empty one when the bytes are not JSON. */
  static JsonNode tree(byte[] bytes) {
    try {
      return AgencyServer.JSON.readTree(bytes);
    } catch (IOException e) {
      return AgencyServer.JSON.createObjectNode();
    }
  }

  static byte[] bytes(JsonNode tree) {
    try {
      return AgencyServer.JSON.writeValueAsBytes(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A JSON tree can always be written", e);
    }
  }
}
