package no.bindeledd.mapping;

import static no.bindeledd.mapping.MappingFolder.json;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.ReasonCode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class ShaperTest {
  private static final String INPUT =
      """
      {'$schema': 'https://json-schema.org/draft/2020-12/schema',
       'type': 'object',
       'required': ['person'],
       'properties': {
         'person': {'type': 'string'},
         'school': {'$ref': '#/$defs/school'},
         'absence': {'type': 'number'},
         'status': {'type': 'string'},
         'courses': {'type': 'array', 'items': {
            'type': 'object',
            'properties': {'name': {'type': 'string'}, 'grade': {'type': 'integer'}}}},
         'free': {'type': 'object', 'additionalProperties': true}},
       '$defs': {'school': {
         'type': 'object',
         'properties': {'name': {'type': 'string'}, 'county': {'type': 'string'}}}}}
      """;

  private static final String OUTPUT =
      """
      {'type': 'object',
       'required': ['person', 'school'],
       'properties': {
         'person': {'type': 'string', 'pattern': '^[0-9]{11}$'},
         'school': {
           'type': 'object',
           'required': ['name'],
           'properties': {'name': {'type': 'string'}, 'county': {'type': 'string'}}},
         'absence': {'type': 'number', 'maximum': 100},
         'status': {'type': 'string'},
         'courses': {'type': 'array', 'minItems': 1, 'items': {
           'type': 'object',
           'required': ['name'],
           'properties': {'name': {'type': 'string'}, 'grade': {'type': 'integer'}}}}}}
      """;

  private static final String MAPPING =
      """
      {
        'person': .person,
        'school': .school,
        'absence': .absence,
        'status': code('status', .status, 'group'),
        'courses': [for (.courses) {'name': .name, 'grade': .grade}],
        'extra': 'not in the contract'
      }
      """;

  private static final String[] FIELDS = {
    "/person",
    "/school/name",
    "/school/county",
    "/absence",
    "/status",
    "/courses/*/name",
    "/courses/*/grade"
  };

  private static final String RECORD =
      """
      {'person': '17912099997', 'school': {'name': 'Nord', 'county': '03', 'note': 'x'},
       'absence': 12.5, 'status': 'OTSY',
       'courses': [{'name': 'Norsk', 'grade': 4}, {'name': 'Kunst'}]}
      """;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path temp;

  private MappingFolder folder() {
    return new MappingFolder(temp)
        .put("codes/status.csv", "code,nb,group\nOTSY,Syk,4\nOTOV,Oppfølging,2\nOTUK,Ukjent,\n")
        .exchange(INPUT, MAPPING, OUTPUT);
  }

  private static String text(Shaped shaped) {
    return shaped instanceof Shaped.Ok ok
        ? new String(ok.json(), StandardCharsets.UTF_8)
        : shaped.toString();
  }

  static Stream<Arguments> withheldFields() {
    return Stream.of(
        Arguments.of(
            Set.of(),
            """
            {'person':'17912099997','school':{'name':'Nord','county':'03'},'absence':12.5,\
            'status':'4','courses':[{'name':'Norsk','grade':4},{'name':'Kunst'}]}"""),
        Arguments.of(
            Set.of("/absence", "/courses/*/grade"),
            """
            {'person':'17912099997','school':{'name':'Nord','county':'03'},\
            'status':'4','courses':[{'name':'Norsk'},{'name':'Kunst'}]}"""),
        Arguments.of(Set.of("/person", "/school", "/courses", "/absence"), "{'status':'4'}"),
        Arguments.of(
            Set.of("/school/name", "/school/county", "/courses/*/name"),
            """
            {'person':'17912099997','absence':12.5,'status':'4','courses':[{'grade':4}]}"""));
  }

  @ParameterizedTest
  @MethodSource("withheldFields")
  void onlyListedFieldsThatAreNotWithheldLeave(Set<String> withheld, String expected) {
    assertThat(text(folder().shaper(FIELDS).shape(json(RECORD), withheld)))
        .isEqualTo(expected.replace('\'', '"'));
  }

  @Test
  void whateverIsWithheldTheRestOfAValidRecordLeaves() {
    Shaper shaper = folder().shaper(FIELDS);
    JsonNode record = json(RECORD);
    for (int bits = 0; bits < 1 << FIELDS.length; bits++) {
      Set<String> withheld = new HashSet<>();
      List<String> rest = new ArrayList<>();
      for (int i = 0; i < FIELDS.length; i++) {
        if ((bits >> i & 1) == 1) {
          withheld.add(FIELDS[i]);
        } else {
          rest.add(FIELDS[i]);
        }
      }

      Shaped shaped = shaper.shape(record, withheld);

      switch (shaped) {
        case Shaped.Ok ok -> assertThat(ok.released()).isEqualTo(rest);
        case Shaped.Failed failed -> {
          assertThat(failed.reason()).isEqualTo(ReasonCode.NOTHING_ALLOWED);
          assertThat(rest).isEmpty();
        }
      }
    }
  }

  @Test
  void theFieldsThatAreThereAreNamedInTheOrderOfTheContract() {
    Shaped shaped =
        folder().shaper(FIELDS).shape(json(RECORD.replace("'absence': 12.5,", "")), Set.of());

    assertThat(shaped).isInstanceOf(Shaped.Ok.class);
    assertThat(((Shaped.Ok) shaped).released())
        .containsExactly(
            "/person",
            "/school/name",
            "/school/county",
            "/status",
            "/courses/*/name",
            "/courses/*/grade");
    assertThat(shaped.toString()).doesNotContain("17912099997", "Nord");
  }

  @Test
  void theInputIsNotChangedThoughTheMappingSharesItsParts() {
    JsonNode record = json(RECORD);

    folder().shaper(FIELDS).shape(record, Set.of("/school/name"));

    assertThat(record).isEqualTo(json(RECORD));
  }

  static Stream<Arguments> failures() {
    return Stream.of(
        Arguments.of(
            "{'person': '17912099997', 'school': {'county': '03'}}",
            Set.of(),
            ReasonCode.SCHEMA_VIOLATION,
            "output /school breaks 'required': expected member 'name'"),
        Arguments.of(
            "{'person': '17912099997'}",
            Set.of("/school/county"),
            ReasonCode.SCHEMA_VIOLATION,
            "output the record breaks 'required': expected member 'school'"),
        Arguments.of(
            "{'person': '1791209999X', 'school': {'name': 'Nord'}}",
            Set.of(),
            ReasonCode.SCHEMA_VIOLATION,
            "output /person breaks 'pattern': expected \"^[0-9]{11}$\""),
        Arguments.of(
            "{'person': '17912099997', 'school': {'name': 'Nord'}, 'absence': 'Kari'}",
            Set.of(),
            ReasonCode.SCHEMA_VIOLATION,
            "output /absence breaks 'type': expected \"number\""),
        Arguments.of(
            "{'person': '17912099997', 'school': {'name': 'Nord'}, 'status': 'Kari'}",
            Set.of(),
            ReasonCode.UNKNOWN_CODE,
            "/status is not in the code list status"),
        Arguments.of(
            "{'person': '17912099997', 'school': {'name': 'Nord'}, 'status': {'Kari': 1}}",
            Set.of(),
            ReasonCode.UNKNOWN_CODE,
            "/status is not in the code list status"),
        Arguments.of(
            "{'person': '17912099997', 'school': {'name': 'Nord'}}",
            Set.of("/person", "/school"),
            ReasonCode.NOTHING_ALLOWED,
            "the mapping gives none of the fields that may leave"));
  }

  @ParameterizedTest
  @MethodSource("failures")
  void whatMayNotLeaveSaysWhyWithoutAValue(
      String record, Set<String> withheld, ReasonCode reason, String detail) {
    assertThat(folder().shaper(FIELDS).shape(json(record), withheld))
        .isEqualTo(new Shaped.Failed(reason, detail));
  }

  @Test
  void aFailingMappingNamesItsLineAndNotTheValue() {
    Shaper shaper =
        folder()
            .exchange(INPUT, "{\n 'person': .person,\n 'absence': number(.person)}", OUTPUT)
            .shaper(FIELDS);

    Shaped shaped = shaper.shape(json("{'person': 'Kari Nordmann'}"), Set.of("/school/name"));

    assertThat(shaped).isInstanceOf(Shaped.Failed.class);
    assertThat(shaped.toString()).contains("out.jslt").doesNotContain("Kari");
  }

  @Test
  void aMappingThatNeverEndsIsStopped() {
    Shaper shaper =
        folder()
            .exchange(INPUT, "def f(x) f($x) + 1\n{'absence': f(.absence)}", OUTPUT)
            .shaper(FIELDS);

    assertThat(shaper.shape(json(RECORD), Set.of())).isInstanceOf(Shaped.Failed.class);
  }

  @Test
  void anEmptyCellOfACodeListGivesNothing() {
    assertThat(
            text(
                folder()
                    .shaper(FIELDS)
                    .shape(json(RECORD.replace("OTSY", "OTUK")), Set.of("/courses"))))
        .doesNotContain("status");
  }

  static Stream<Arguments> brokenFolders() {
    String one = "{'type': 'object', 'properties': {'person': {'type': 'string'}}}";
    return Stream.of(
        Arguments.of("{'a': .person,,}", one, "out.jslt:1: the mapping is not JSLT"),
        Arguments.of("{\n\n'a' .person}", one, "out.jslt:3: the mapping is not JSLT"),
        Arguments.of("{\n'a': ^}", one, "out.jslt:2: the mapping is not JSLT"),
        Arguments.of("{\n'a': nothing(.person)}", one, "out.jslt:2: the mapping is not JSLT"),
        Arguments.of("{'a': $nothing}", one, "out.jslt:1: the variable $nothing is not declared"),
        Arguments.of("{\n'person': .persn}", one, "out.jslt:2: the mapping reads /persn"),
        Arguments.of(
            "{\n'person': .school.\"nme\"}", one, "out.jslt:2: the mapping reads /school/nme"),
        Arguments.of(
            "let s = .school\n{'person': $s.nme}",
            one,
            "out.jslt:2: the mapping reads /school/nme"),
        Arguments.of(
            "{'person': [for (.courses) .nme]}", one, "1: the mapping reads /courses/*/nme"),
        Arguments.of("{'person': .courses[0].nme}", one, "1: the mapping reads /courses/*/nme"),
        Arguments.of("{'person': .school | .nme}", one, "1: the mapping reads /school/nme"),
        Arguments.of(
            "{'person': if (.persn) .person else null}", one, "1: the mapping reads /persn"),
        Arguments.of("{'person': .person.name}", one, "1: the mapping reads /person/name"),
        Arguments.of("{'person': string(now())}", one, "1: now() gives another answer each time"),
        Arguments.of("{'person': code('x', .person)}", one, "1: there is no code list 'x'"),
        Arguments.of(
            "{'person': code('status', .person, 'x')}",
            one,
            "code list 'status' has no column 'x'"),
        Arguments.of(
            "{'person': code(.person, .person)}", one, "the name of the code list is computed"),
        Arguments.of(
            "import '../../x.jslt' as x\n.", one, "out.jslt:1: '../../x.jslt' lies outside"),
        Arguments.of("import 'none.jslt' as x\n.", one, "out.jslt:1: there is no mapping file"),
        Arguments.of(
            ".", "{'type': 'object',\n 'properties': {}}", "'/person' is not known to the output"),
        Arguments.of(".", "{'type': 'objekt'}", "out.schema.json:1: the schema is not valid"),
        Arguments.of(".", "{\n'type': 'object'", "the schema is not JSON"),
        Arguments.of(".", "{\n'requried': ['person']}", "2: unknown keyword 'requried'"),
        Arguments.of(
            ".",
            "{'properties': {\n 'person': {'$ref': 'http://x'}}}",
            "2: 'http://x' does not lead"),
        Arguments.of(
            ".", "{'properties': {'person': {'$ref': '#/$defs/x'}}}", "'#/$defs/x' does not lead"),
        Arguments.of(
            ".", "{'properties': {'person': {'$ref': '#'}}}", "the schema refers to itself"),
        Arguments.of(
            ".",
            "{'required': ['name'],\n'properties': {'person': {},\n 'name': {}}}",
            "3: '/name' is required but is no field"));
  }

  @ParameterizedTest
  @MethodSource("brokenFolders")
  void aBrokenFolderIsRefusedWithFileAndLine(String mapping, String schema, String expected) {
    MappingFolder folder = folder().exchange(INPUT, mapping, schema);

    assertThatThrownBy(() -> folder.shaper("/person"))
        .isInstanceOf(ProblemsException.class)
        .hasMessageContaining(expected);
  }

  @Test
  void aMissingFileIsNamed() {
    assertThatThrownBy(() -> new MappingFolder(temp).shaper("/person"))
        .isInstanceOf(ProblemsException.class)
        .hasMessageContaining("out.jslt:0: there is no mapping file")
        .hasMessageContaining("out.schema.json:0: the schema file does not exist");
  }

  @Test
  void importsFromTheFolderOfMappingsWork() {
    Shaper shaper =
        folder()
            .put("notice/names.jslt", "import \"../common.jslt\" as c\ndef short(x) c:cut($x)")
            .put("common.jslt", "def cut(x) $x[0 : 2]")
            .exchange(INPUT, "import 'names.jslt' as n\n{'status': n:short(.school.name)}", OUTPUT)
            .shaper(FIELDS);

    assertThat(text(shaper.shape(json(RECORD), Set.of("/person", "/school"))))
        .isEqualTo("{\"status\":\"No\"}");
  }

  @Test
  void whatTheInputSchemaLeavesOpenMayBeRead() {
    Shaper shaper =
        folder()
            .exchange(INPUT, "{'person': .person, 'school': .school, 'status': .free.any}", OUTPUT)
            .shaper(FIELDS);

    assertThat(shaper.shape(json(RECORD), Set.of())).isInstanceOf(Shaped.Ok.class);
  }

  @Test
  void inAMatchingExchangeTheGatesAnswerMayBeRead() {
    MappingFolder folder = folder().exchange(INPUT, "{'person': ._match.code}", OUTPUT);
    Contract contract = folder.contract(Contract.Mode.MATCHING, FIELDS);
    Shaper shaper = Shaper.compile(contract, contract.to().getFirst().view(), temp, folder.codes());

    assertThat(text(shaper.shape(json("{'_match': {'code': '17912099997'}}"), Set.of("/school"))))
        .isEqualTo("{\"person\":\"17912099997\"}");
    assertThatThrownBy(() -> folder.shaper(FIELDS)).hasMessageContaining("/_match");
  }

  @Test
  void whatWasShapedCanBeReducedLater() {
    Shaper shaper = folder().shaper(FIELDS);
    byte[] whole = ((Shaped.Ok) shaper.shape(json(RECORD), Set.of())).json();
    Set<String> withheld = Set.of("/absence", "/courses/*/grade");
    byte[] reduced = ((Shaped.Ok) shaper.shape(json(RECORD), withheld)).json();

    assertThat(shaper.reduce(whole, withheld).json()).isEqualTo(reduced);
    assertThat(shaper.reduce(whole, withheld).released()).doesNotContainAnyElementsOf(withheld);
    assertThat(shaper.reduce(whole, Set.of()).json()).isEqualTo(whole);
    assertThat(shaper.reduce(whole, Set.of(FIELDS)).json()).asString().isEqualTo("{}");
    assertThat(shaper.reduce(whole, Set.of(FIELDS)).released()).isEmpty();
  }

  @Test
  void theVersionFollowsEverythingThatShapes() {
    List<String> versions = new ArrayList<>();
    versions.add(folder().shaper(FIELDS).version());
    versions.add(folder().shaper("/person", "/school").version());
    versions.add(folder().exchange(INPUT, MAPPING + " ", OUTPUT).shaper(FIELDS).version());
    versions.add(folder().exchange(INPUT, MAPPING, OUTPUT + " ").shaper(FIELDS).version());
    versions.add(folder().put("codes/status.csv", "code,group\nOTSY,4\n").shaper(FIELDS).version());

    assertThat(versions).doesNotHaveDuplicates().allMatch(v -> v.matches("[0-9a-f]{12}"));
    assertThat(folder().put("codes/other.csv", "code\nX\n").shaper(FIELDS).version())
        .isEqualTo(versions.getFirst());
  }

  @Test
  void theLineOfAFieldThatTheSchemaDoesNotKnowIsTheContracts() {
    MappingFolder folder =
        folder()
            .put(
                "routes/notice/exchange.yaml",
                "id: notice\nto:\n  - name: ot\n    view:\n      fields:\n        - path: /x\n");

    assertThatThrownBy(() -> folder.shaper("/x"))
        .isInstanceOfSatisfying(
            ProblemsException.class,
            e ->
                assertThat(e.problems())
                    .extracting(Problem::line, p -> p.file().getFileName().toString())
                    .contains(org.assertj.core.groups.Tuple.tuple(6, "exchange.yaml")));
  }
}
