package no.bindeledd.mapping;

import static no.bindeledd.mapping.MappingFolder.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.Optional;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InputSchemaTest {
  private static final String SCHEMA =
      """
      {'$schema': 'https://json-schema.org/draft/2020-12/schema',
       'type': 'object', 'required': ['id'], 'additionalProperties': false,
       'properties': {
         'id': {'type': 'string', 'minLength': 3},
         'born': {'type': 'string', 'format': 'date'},
         'kind': {'enum': ['A', 'B']},
         'rows': {'type': 'array', 'items': {'$ref': '#/$defs/row'}},
         'byPerson': {'type': 'object', 'additionalProperties': {'type': 'integer'}}},
       '$defs': {'row': {'type': 'object', 'properties': {'n': {'type': 'integer'}}}}}
      """;

  private static InputSchema schema(Path temp, String text) {
    MappingFolder folder = new MappingFolder(temp).exchange(text, ".", "{}");
    return InputSchema.compile(folder.contract(Contract.Mode.ASYNCHRONOUS), temp);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '#',
      quoteCharacter = '`',
      textBlock =
          """
          {'id': 'abc'} #
          {'id': 'abc', 'born': '2004-12-09', 'kind': 'A', 'rows': [{'n': 1}]} #
          {} # the record breaks 'required': expected member 'id'
          {'id': 'ka'} # /id breaks 'minLength': expected 3
          {'id': 7} # /id breaks 'type': expected "string"
          {'id': 'abc', 'born': '2004-02-30'} # /born breaks 'format': expected "date"
          {'id': 'abc', 'kind': 'Kari'} # /kind breaks 'enum': expected ["A","B"]
          {'id': 'abc', 'rows': [{}, {'n': 'x'}]} # /rows/1/n breaks 'type': expected "integer"
          {'id': 'abc', '17912099997': 1} # the record breaks 'additionalProperties': expected no members but the schema's
          {'id': 'abc', 'byPerson': {'17912099997': 'x'}} # /byPerson/* breaks 'type': expected "integer"
          [] # the record breaks 'type': expected "object"
          """)
  void theFirstBrokenRuleIsToldInTheSchemasWords(
      String record, String expected, @TempDir Path temp) {
    assertThat(schema(temp, SCHEMA).check(json(record)))
        .isEqualTo(
            Optional.ofNullable(expected).map(e -> new Invalid(ReasonCode.SCHEMA_VIOLATION, e)));
  }

  @Test
  void aSchemaOfAnotherDraftIsRefused(@TempDir Path temp) {
    assertThatThrownBy(() -> schema(temp, "{'$schema': 'http://json-schema.org/draft-07/schema#'}"))
        .isInstanceOf(ProblemsException.class)
        .hasMessageContaining("draft 2020-12");
  }
}
