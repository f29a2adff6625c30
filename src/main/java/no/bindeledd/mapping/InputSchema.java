package no.bindeledd.mapping;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.ReasonCode;

/**
 * The schema that an input record must follow before anything else looks into it: JSON Schema draft
 * 2020-12, formats such as {@code date} asserted. Immutable, safe on any thread.
 */
public final class InputSchema {
  private final Validator validator;

  private InputSchema(Validator validator) {
    this.validator = validator;
  }

  /**
   * Compiles {@code mappings/<exchange>/<contract.input.schema>}.
   *
   * @param mappings the folder {@code mappings}
   * @throws ProblemsException when the file is missing or not such a schema
   */
  public static InputSchema compile(Contract contract, Path mappings) {
    List<Problem> problems = new ArrayList<>();
    SchemaFile file =
        SchemaFile.read(
            mappings.resolve(contract.id()).resolve(contract.input().schema()), problems);
    if (file == null) {
      throw new ProblemsException(problems);
    }
    return new InputSchema(Validator.of(file.tree()));
  }

  /** The first rule that the record breaks; empty when it follows the schema. */
  public Optional<Invalid> check(JsonNode record) {
    Validator.Finding finding = validator.check(record);
    return finding == null
        ? Optional.empty()
        : Optional.of(new Invalid(ReasonCode.SCHEMA_VIOLATION, finding.toString()));
  }
}
