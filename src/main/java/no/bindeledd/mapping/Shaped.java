package no.bindeledd.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import no.bindeledd.exchange.ReasonCode;

/** What became of a record on the station <em>shape</em>. */
public sealed interface Shaped {
  /**
   * It may leave, as these bytes and nothing else.
   *
   * @param json UTF-8, no white space, members in the order of the mapping; callers do not change
   *     it
   * @param tree the same as a tree; may share nodes with the input, so nobody changes it
   * @param released the contract's field paths that hold something, in the contract's order
   */
  record Ok(byte[] json, JsonNode tree, List<String> released) implements Shaped {
    /** Names the fields only: this is a person's data. */
    @Override
    public String toString() {
      return "Ok[released=" + released + ", bytes=" + json.length + "]";
    }
  }

  /**
   * It may not leave.
   *
   * @param detail names fields, keywords and code lists, never values
   */
  record Failed(ReasonCode reason, String detail) implements Shaped {}
}
