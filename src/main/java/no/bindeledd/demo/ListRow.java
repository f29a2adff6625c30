package no.bindeledd.demo;

import com.fasterxml.jackson.databind.node.ArrayNode;

/** One row of a list in list-reconciliation. */
final class ListRow {
  private ListRow() {}

  /** The reference is the sender's own; the same at every start of the same population. */
  static void add(ArrayNode rows, String prefix, int number, String identityNumber, String code) {
    rows.addObject()
        .put("reference", "%s%06d".formatted(prefix, number))
        .put("foedselsnummer", identityNumber)
        .put("code", code);
  }
}
