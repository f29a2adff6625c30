package no.bindeledd.exchange;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Period;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ContractReaderTest {
  private static final String DROPOUT =
      """
      id: dropout-notice
      code: E02
      title: {nb: Melding om avbrutt opplæring, en: Notice of ended enrolment}
      mode: ASYNCHRONOUS
      purpose: FOLLOW_UP
      subject: /foedselsnummer
      birthDate: /foedselsdato
      retention: P10Y
      input:
        format: csv
        schema: input.schema.json
        profile: {delimiter: ";"}
      from:
        - name: school
          kind: SCHOOL
          organisations: ["311000004", "311122134"]
          authentication: CHANNEL
      to:
        - name: ot
          kind: OT
          organisation: "311013572"
          address: "kafka:ot.dropout-notice.v1"
          sealed: true
          view:
            mapping: ot.jslt
            schema: ot.schema.json
            fields:
              - {path: /foedselsnummer, category: IDENTITY, meaning: Who, example: "17912099997", identifier: true}
              - {path: /skole/navn, category: SCHOOL_UNIT, meaning: The school, example: Fjord, locating: true}
              - {path: "/fravaer/*/prosent", category: ABSENCE, meaning: Absence, example: 12.5}
      """;

  private static final String MATCHING =
      """
      id: list-reconciliation
      code: E01
      title: {nb: Listevask, en: List reconciliation}
      mode: MATCHING
      purpose: LIST_RECONCILIATION
      subject: /foedselsnummer
      messageId: /reference
      retention: P5Y
      input: {format: json, schema: input.schema.json, records: /rows}
      match: {counterpart: /counterpart, list: /listId, code: /code}
      from:
        - {name: ot, kind: OT, organisations: ["311013572"], authentication: MASKINPORTEN, scope: "bindeledd:list"}
        - {name: nav-a, kind: NAV, organisations: ["311040715"], authentication: MASKINPORTEN, scope: "bindeledd:list"}
      to:
        - {name: ot, kind: OT, organisation: "311013572", address: "kafka:ot.list.v1", view: &answer {mapping: answer.jslt, schema: answer.schema.json, fields: [{path: /code, category: LIST_CODE, meaning: The code, example: IVARETATT}]}}
        - {name: nav-a, kind: NAV, organisation: "311040715", address: "kafka:nav-a.list.v1", view: *answer}
      """;

  private static final String SYNCHRONOUS =
      """
      id: rights-query
      code: E04
      title: {nb: Rettighetsspørsmål, en: Rights query}
      mode: SYNCHRONOUS
      purpose: RIGHTS_QUERY
      subject: /foedselsnummer
      receiver: /mottaker
      retention: P1Y6M
      input: {format: json, schema: input.schema.json}
      from:
        - {name: nav, kind: NAV, organisations: ["311067850"], authentication: MASKINPORTEN, scope: "bindeledd:rights.read"}
      to:
        - name: county
          kind: OT
          organisation: "311108565"
          address: "{{peers.county.url}}/utdanning/ot/rettigheter"
          view:
            mapping: query.jslt
            schema: query.schema.json
            fields:
              - {path: /foedselsnummer, category: IDENTITY, meaning: Who, example: "17912099997", identifier: true}
      answer:
        mapping: answer.jslt
        schema: answer.schema.json
        fields:
          - {path: /rett, category: RIGHTS_ANSWER, meaning: Has the right, example: true}
      """;

  private static final String CAPACITY =
      """
      id: measure-capacity
      code: E09
      title: {nb: Tiltaksplasser, en: Measure capacity}
      mode: ASYNCHRONOUS
      purpose: CAPACITY_NOTICE
      retention: P1Y
      input: {format: json, schema: input.schema.json}
      from:
        - {name: nav, kind: NAV, organisations: ["311067850"], authentication: CHANNEL}
      to:
        - name: ot
          kind: OT
          organisation: "311013572"
          address: kafka:ot.measure-capacity.v1
          view:
            mapping: ot.jslt
            schema: ot.schema.json
            fields:
              - {path: /plasser, category: CAPACITY, meaning: Places, example: 3}
      """;

  private final Path routes;
  private final ContractReader reader = new ContractReader();

  ContractReaderTest(@TempDir Path routes) {
    this.routes = routes;
  }

  @Test
  void aContractIsReadWhole() {
    Contract contract = reader.read(folder("dropout-notice", DROPOUT));
    assertThat(contract.id()).isEqualTo("dropout-notice");
    assertThat(contract.code()).isEqualTo("E02");
    assertThat(contract.title().nb()).isEqualTo("Melding om avbrutt opplæring");
    assertThat(contract.mode()).isEqualTo(Contract.Mode.ASYNCHRONOUS);
    assertThat(contract.subject()).isEqualTo(JsonPointer.compile("/foedselsnummer"));
    assertThat(contract.birthDate()).isEqualTo(JsonPointer.compile("/foedselsdato"));
    assertThat(contract.messageId()).isNull();
    assertThat(contract.receiver()).isNull();
    assertThat(contract.match()).isNull();
    assertThat(contract.answer()).isNull();
    assertThat(contract.retention()).isEqualTo(Period.ofYears(10));
    assertThat(contract.input().records()).isNull();
    assertThat(contract.input().profile().get("delimiter").asText()).isEqualTo(";");
    assertThat(contract.from())
        .containsExactly(
            new Contract.Sender(
                "school",
                AgencyKind.SCHOOL,
                List.of(new OrganisationNumber("311000004"), new OrganisationNumber("311122134")),
                Contract.Authentication.CHANNEL,
                null));
    Contract.Recipient ot = contract.to().get(0);
    assertThat(ot.sealed()).isTrue();
    assertThat(ot.address()).isEqualTo("kafka:ot.dropout-notice.v1");
    assertThat(ot.view().fields())
        .contains(
            new Contract.Field(
                "/skole/navn", "SCHOOL_UNIT", "The school", "Fjord", false, false, true),
            new Contract.Field(
                "/fravaer/*/prosent", "ABSENCE", "Absence", "12.5", false, false, false));
    assertThat(contract.folder()).isEqualTo(routes.resolve("dropout-notice"));
  }

  @Test
  void aMatchingContractSaysWhatIsCompared() {
    Contract contract = reader.read(folder("list-reconciliation", MATCHING));
    assertThat(contract.match())
        .isEqualTo(
            new Contract.Match(
                JsonPointer.compile("/counterpart"),
                JsonPointer.compile("/listId"),
                JsonPointer.compile("/code")));
    assertThat(contract.input().records()).isEqualTo(JsonPointer.compile("/rows"));
    assertThat(contract.from().get(0).scope()).isEqualTo("bindeledd:list");
    assertThat(contract.to().get(1).view()).isEqualTo(contract.to().get(0).view());
  }

  @Test
  void aSynchronousContractSaysWhatTheAskerSees() {
    Contract contract = reader.read(folder("rights-query", SYNCHRONOUS));
    assertThat(contract.answer()).isNotNull();
    assertThat(contract.receiver()).isEqualTo(JsonPointer.compile("/mottaker"));
    assertThat(contract.to().get(0).address())
        .isEqualTo("{{peers.county.url}}/utdanning/ot/rettigheter");
    assertThat(contract.to().get(0).sealed()).isFalse();
  }

  @Test
  void aContractWithoutPersonalDataHasNoSubject() {
    Contract contract = reader.read(folder("measure-capacity", CAPACITY));
    assertThat(contract.subject()).isNull();
    assertThat(contract.input().profile()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "kafka:ot.x.v1",
        "fint:{{peers.fint.url}}/utdanning/ot/otungdom",
        "{{peers.nav.url}}/ips-referrals",
        "https://nav.example/a/b",
        "mllp:host:2575"
      })
  void anAddressMayHoldPlaceholders(String address) {
    String text = CAPACITY.replace("kafka:ot.measure-capacity.v1", '"' + address + '"');
    Contract contract = reader.read(folder("measure-capacity", text));
    assertThat(contract.to().get(0).address()).isEqualTo(address);
  }

  static Stream<Arguments> brokenContracts() {
    return Stream.of(
        broken(
            DROPOUT,
            "id: dropout-notice",
            "id: dropout",
            "1: The id 'dropout' is not the folder's name 'dropout-notice'; give both the same"
                + " name"),
        broken(
            DROPOUT,
            "purpose: FOLLOW_UP\n",
            "",
            "1: purpose is missing; add it: the purpose code that legal bases and agreements name:"
                + " capital letters, digits and underscores, such as FOLLOW_UP"),
        broken(
            DROPOUT,
            "code: E02",
            "code: 2",
            "2: code must be text, not a number; it is the exchange's number in the catalogue of"
                + " exchanges: E and two digits, such as E02"),
        broken(
            DROPOUT,
            "code: E02",
            "code: E2",
            "2: code does not have the right form; it is the exchange's number in the catalogue of"
                + " exchanges: E and two digits, such as E02"),
        broken(
            DROPOUT,
            ", en: Notice of ended enrolment",
            "",
            "3: title.en is missing; add it: the title in English, such as Notice of ended"
                + " enrolment"),
        broken(
            DROPOUT,
            "mode: ASYNCHRONOUS",
            "mode: ASYNC",
            "4: mode is 'ASYNC', which is no choice; write ASYNCHRONOUS or SYNCHRONOUS or"
                + " MATCHING"),
        broken(
            DROPOUT,
            "subject: /foedselsnummer",
            "subjekt: /foedselsnummer",
            "6: The key subjekt is unknown; remove it, or correct it to one of: subject, messageId,"
                + " receiver, match, deadline, answers, single, answer",
            "7: There is a birth date but no subject; add subject, or remove birthDate when the"
                + " exchange holds no personal data",
            "28: There is an identifier but no subject; add subject, or remove the field when the"
                + " exchange holds no personal data"),
        broken(
            DROPOUT,
            "subject: /foedselsnummer",
            "subject: foedselsnummer",
            "6: subject does not have the right form; it is a JSON pointer to the identity number"
                + " in an input record; left out when the exchange holds no personal data, such as"
                + " /foedselsnummer"),
        broken(
            DROPOUT,
            "birthDate: /foedselsdato",
            "birthDate: /a~2b",
            "7: birthDate does not have the right form; it is a JSON pointer to the subject's birth"
                + " date (YYYY-MM-DD); it is never derived from the identity number, such as"
                + " /foedselsdato"),
        broken(
            DROPOUT,
            "birthDate: /foedselsdato",
            "birthDate: /personer/*/dato",
            "7: birthDate does not have the right form; it is a JSON pointer to the subject's birth"
                + " date (YYYY-MM-DD); it is never derived from the identity number, such as"
                + " /foedselsdato"),
        broken(
            DROPOUT,
            "retention: P10Y",
            "retention: 10 years",
            "8: retention does not have the right form; it is how long the facts of a decision are"
                + " kept: an ISO 8601 period of years, months, weeks or days, such as P10Y"),
        broken(
            DROPOUT,
            "retention: P10Y",
            "retention: P0D",
            "8: The retention is no time at all; write a longer period, such as P1Y"),
        broken(
            DROPOUT,
            "format: csv",
            "format: xml",
            "10: input.format is 'xml', which is no choice; write json or csv or hl7v2"),
        broken(
            DROPOUT,
            "  profile: {delimiter: \";\"}\n",
            "",
            "9: The format csv needs a profile; add input.profile with charsets, delimiter and"
                + " columns"),
        broken(
            DROPOUT,
            "  schema: input.schema.json\n",
            "  schema: ../secrets/input.json\n  records: /x\n",
            "11: input.schema does not have the right form; it is the JSON Schema of one input"
                + " record: a file in mappings/<exchange>/, such as input.schema.json",
            "12: Only the format json has records inside a document; remove records, or correct the"
                + " format"),
        broken(
            DROPOUT,
            "kind: SCHOOL",
            "kind: SKOLE",
            "15: from[0].kind is 'SKOLE', which is no choice; write SCHOOL or OT or NAV or"
                + " NAV_MUNICIPAL or HEALTH or MUNICIPALITY or MEASURE_PROVIDER or EMPLOYER or"
                + " UDIR"),
        broken(
            DROPOUT,
            "[\"311000004\", \"311122134\"]",
            "[]",
            "16: from[0].organisations is empty; it is the organisation numbers that send under"
                + " this name, each in quotes"),
        broken(
            DROPOUT,
            "[\"311000004\", \"311122134\"]",
            "[311000004]",
            "16: from[0].organisations[0] must be text, not a number; it is an organisation number:"
                + " nine digits in quotes, such as \"311000004\""),
        broken(
            DROPOUT,
            "[\"311000004\", \"311122134\"]",
            "[\"311000004\", \"311000004\", \"123456789\"]",
            "16: The organisation 311000004 stands twice; keep one of them",
            "16: 123456789 is not an organisation number: its control digit is wrong; correct the"
                + " digits"),
        broken(
            DROPOUT,
            "authentication: CHANNEL",
            "authentication: MASKINPORTEN",
            "14: A MASKINPORTEN sender needs scope; add the scope that its token must hold"),
        broken(
            DROPOUT,
            "authentication: CHANNEL",
            "authentication: CHANNEL\n    scope: bindeledd:x",
            "18: Only a MASKINPORTEN sender has scope; remove scope, or correct authentication"),
        broken(
            DROPOUT,
            "organisation: \"311013572\"",
            "organisation: \"31101357\"",
            "21: to[0].organisation does not have the right form; it is the recipient's"
                + " organisation number: nine digits in quotes, such as \"311013572\""),
        broken(
            DROPOUT,
            "kafka:ot.dropout-notice.v1",
            "kafka:ot.dropout-notice.v1?brokers=elsewhere:9092",
            "22: to[0].address does not have the right form; it is the one endpoint outside that"
                + " the deliver route may send to: a Camel URI without options (no ?), with"
                + " {{placeholders}} where hosts differ, such as kafka:ot.dropout-notice.v1"),
        broken(
            DROPOUT,
            "kafka:ot.dropout-notice.v1",
            "{{peers.nav.url/x",
            "22: to[0].address does not have the right form; it is the one endpoint outside that"
                + " the deliver route may send to: a Camel URI without options (no ?), with"
                + " {{placeholders}} where hosts differ, such as kafka:ot.dropout-notice.v1"),
        broken(
            DROPOUT,
            "sealed: true",
            "sealed: yes",
            "23: to[0].sealed must be true or false, not text; it is true when the payload leaves"
                + " as a JWE that only the recipient's key opens"),
        broken(
            DROPOUT,
            "mapping: ot.jslt",
            "mapping: ot.json",
            "25: to[0].view.mapping does not have the right form; it is the JSLT mapping: a file in"
                + " mappings/<exchange>/, such as ot.jslt"),
        broken(
            DROPOUT,
            ", meaning: Who",
            "",
            "28: to[0].view.fields[0].meaning is missing; add it: what the field means, in a few"
                + " words for the people of both agencies, such as The school's name"),
        broken(
            DROPOUT,
            "meaning: Who",
            "meaning: \" \"",
            "28: to[0].view.fields[0].meaning does not have the right form; it is what the field"
                + " means, in a few words for the people of both agencies, such as The school's"
                + " name"),
        broken(
            DROPOUT,
            "locating: true",
            "locating: true, secret: true",
            "29: The key to[0].view.fields[1].secret is unknown; remove it, or correct it to one"
                + " of: identifier, freeText"),
        broken(
            DROPOUT,
            ", identifier: true",
            "",
            "28: A field of category IDENTITY is not marked as an identifier; add identifier: true,"
                + " so that a de-identified release removes it"),
        broken(
            DROPOUT,
            ", locating: true",
            "",
            "29: A field of category SCHOOL_UNIT is not marked as locating; add locating: true, so"
                + " that it never tells where a protected person is"),
        broken(
            DROPOUT,
            "17912099997",
            "02013299997",
            "28: The example may be the identity number of a real person; use a synthetic number"
                + " (month + 80), and remove this one from the history too"),
        broken(
            DROPOUT,
            "path: \"/fravaer/*/prosent\"",
            "path: /skole/navn",
            "30: The path /skole/navn stands twice; keep one of them"),
        broken(
            DROPOUT,
            "path: \"/fravaer/*/prosent\"",
            "path: /skole",
            "30: The paths /skole/navn and /skole cover one another; list only the deeper ones, so"
                + " that each value has one category"),
        broken(
            DROPOUT,
            "path: /skole/navn",
            "path: /fravaer/0",
            "30: The paths /fravaer/0 and /fravaer/*/prosent cover one another; list only the deeper"
                + " ones, so that each value has one category"),
        broken(
            DROPOUT,
            "path: \"/fravaer/*/prosent\"",
            "path: fravaer",
            "30: to[0].view.fields[2].path does not have the right form; it is a JSON pointer into"
                + " the output; * stands for every element of a list, and a path covers everything"
                + " below it, such as /skole/navn"),
        broken(
            DROPOUT,
            "mode: ASYNCHRONOUS",
            "mode: MATCHING",
            "4: MATCHING needs match; add match with counterpart, list and code",
            "16: The organisation 311000004 asks in a MATCHING exchange but is no recipient; add it"
                + " under to, so that it gets its answers",
            "16: The organisation 311122134 asks in a MATCHING exchange but is no recipient; add it"
                + " under to, so that it gets its answers"),
        broken(
            DROPOUT,
            "id: dropout-notice\n",
            "id: dropout-notice\nid: dropout-notice\n",
            "2: The key 'id' stands twice; keep one of them"),
        broken(
            MATCHING,
            "mode: MATCHING",
            "mode: ASYNCHRONOUS",
            "10: Only a MATCHING exchange has match; remove match, or correct the mode"),
        broken(
            MATCHING,
            ", code: /code}",
            "}",
            "10: match.code is missing; add it: a JSON pointer to the sender's own code for the"
                + " person, such as /code"),
        broken(
            MATCHING,
            "subject: /foedselsnummer\n",
            "",
            "4: MATCHING needs subject; add the pointer to the identity number"),
        broken(
            MATCHING,
            "{name: nav-a, kind: NAV, organisations: [\"311040715\"]",
            "{name: ot, kind: NAV, organisations: [\"311013572\"]",
            "13: The name 'ot' stands twice under from; give each its own name",
            "13: The organisation 311013572 stands with two MASKINPORTEN senders; keep it with one,"
                + " as the token only tells the organisation"),
        broken(
            MATCHING,
            "{name: nav-a, kind: NAV, organisation: \"311040715\"",
            "{name: ot, kind: NAV, organisation: \"311013572\"",
            "13: The organisation 311040715 asks in a MATCHING exchange but is no recipient; add it"
                + " under to, so that it gets its answers",
            "16: The name 'ot' stands twice under to; give each its own name",
            "16: Two recipients of a MATCHING exchange are the organisation 311013572; keep one, so"
                + " that an answer has one way back to the asker"),
        broken(
            SYNCHRONOUS,
            "mode: SYNCHRONOUS",
            "mode: ASYNCHRONOUS",
            "22: Only a SYNCHRONOUS exchange has answer; remove answer, or correct the mode"),
        broken(
            SYNCHRONOUS,
            SYNCHRONOUS.substring(SYNCHRONOUS.indexOf("answer:")),
            "",
            "4: SYNCHRONOUS needs answer; add answer with mapping, schema and fields: what the"
                + " asker may see"),
        broken(
            SYNCHRONOUS,
            "to:\n",
            "to:\n  - {name: nav, kind: NAV, organisation: \"311067850\", address: \"kafka:x\","
                + " view: {mapping: x.jslt, schema: x.json, fields: [{path: /x, category: X,"
                + " meaning: x, example: x}]}}\n",
            "12: SYNCHRONOUS has one recipient, the source that is asked, not 2; keep one, and make"
                + " an exchange of its own for each other source"),
        broken(
            SYNCHRONOUS,
            "path: /rett,",
            "path: rett,",
            "26: answer.fields[0].path does not have the right form; it is a JSON pointer into the"
                + " output; * stands for every element of a list, and a path covers everything below"
                + " it, such as /skole/navn"),
        broken(
            CAPACITY,
            "meaning: Places",
            "meaning: Places, identifier: true",
            "19: There is an identifier but no subject; add subject, or remove the field when the"
                + " exchange holds no personal data"),
        broken(
            CAPACITY,
            CAPACITY,
            "- a\n- list\n",
            "1: The document must be a mapping, not a list; it is what one exchange is: who may"
                + " send, to whom, for which purpose, and field by field what may leave."),
        broken(
            CAPACITY,
            CAPACITY.substring(CAPACITY.indexOf("from:")),
            "from: nav\nto:\n",
            "8: from must be a list, not text; it is the senders: who may send this exchange",
            "9: to must be a list, not nothing; it is the recipients: who receives, where, and"
                + " what"));
  }

  @ParameterizedTest(name = "{index}: {2}")
  @MethodSource("brokenContracts")
  void aBrokenContractIsRefusedWithEveryProblem(String id, String text, List<String> problems) {
    Path folder = folder(id, text);
    ProblemsException refused =
        catchThrowableOfType(ProblemsException.class, () -> reader.read(folder));
    assertThat(refused).as("must be refused").isNotNull();
    String prefix = folder.resolve("exchange.yaml") + ":";
    assertThat(refused.problems().stream().map(Problem::toString))
        .containsExactlyElementsOf(problems.stream().map(prefix::concat).toList());
  }

  @Test
  void aFolderWithoutAContractIsRefused() {
    ProblemsException refused =
        catchThrowableOfType(
            ProblemsException.class, () -> reader.read(routes.resolve("nothing-here")));
    assertThat(refused)
        .hasMessage(
            routes.resolve("nothing-here/exchange.yaml")
                + ":0: The file does not exist; create it or correct the name");
  }

  @Test
  void theSchemaOffersWhatTheCodeKnows() throws IOException {
    JsonNode schema = schema();
    assertThat(values(schema.at("/properties/mode/enum"))).isEqualTo(names(Contract.Mode.values()));
    assertThat(values(schema.at("/$defs/kind/enum"))).isEqualTo(names(AgencyKind.values()));
    assertThat(values(schema.at("/$defs/sender/properties/authentication/enum")))
        .isEqualTo(names(Contract.Authentication.values()));
  }

  @Test
  void theSchemaDescribesEveryPropertyAndAllowsNoOther() throws IOException {
    List<String> lacking = new ArrayList<>();
    describe(schema(), "", lacking);
    assertThat(lacking).isEmpty();
  }

  private static void describe(JsonNode node, String at, List<String> lacking) {
    JsonNode properties = node.path("properties");
    if (properties.isObject()) {
      if (node.path("additionalProperties").asBoolean(true)) {
        lacking.add(at + " allows other keys");
      }
      properties
          .properties()
          .forEach(
              property -> {
                if (property.getValue().path("description").asText().isBlank()) {
                  lacking.add(at + "/" + property.getKey() + " has no description");
                }
                describe(property.getValue(), at + "/" + property.getKey(), lacking);
              });
    }
    node.path("$defs")
        .properties()
        .forEach(def -> describe(def.getValue(), at + "/$defs/" + def.getKey(), lacking));
  }

  private static JsonNode schema() throws IOException {
    return new ObjectMapper()
        .readTree(ContractReader.class.getResource("/schema/exchange.schema.json"));
  }

  private static List<String> values(JsonNode array) {
    List<String> values = new ArrayList<>();
    array.forEach(value -> values.add(value.asText()));
    return values;
  }

  private static List<String> names(Enum<?>[] values) {
    return Arrays.stream(values).map(Enum::name).toList();
  }

  private static Arguments broken(String whole, String old, String edited, String... problems) {
    assertThat(whole).contains(old);
    String id = whole.substring("id: ".length(), whole.indexOf('\n'));
    return arguments(id, whole.replace(old, edited), List.of(problems));
  }

  private Path folder(String id, String text) {
    try {
      Path folder = Files.createDirectories(routes.resolve(id));
      Files.writeString(folder.resolve("exchange.yaml"), text);
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
