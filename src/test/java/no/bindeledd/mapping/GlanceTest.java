package no.bindeledd.mapping;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class GlanceTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
  private static final List<String> NAMES = List.of("a", "b", "c", "d~/", "æ");
  private static final List<String> TYPES =
      List.of("string", "integer", "number", "boolean", "null", "object", "array");
  private static final List<String> PATTERNS =
      List.of("^[ab]{1,2}$", "^a", "b$", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "a|é", "^\\+?[0-9 ]+$");
  private static final List<String> TEXTS =
      List.of(
          "",
          "a",
          "ab",
          "abc",
          "b",
          "é",
          "2026-02-28",
          "2026-02-30",
          "2026-2-1",
          "+47 1",
          "😀",
          "😀a",
          "a\n",
          "7");
  private static final List<String> NUMBERS =
      List.of("0", "1", "-1", "2", "1.0", "1.5", "2.000", "1e2", "123456789012345678901", "-0.1");

  /** The law: what passes at a glance passes the whole examination. */
  @Property(tries = 3_000)
  void aGlanceSaysYesWhereTheValidatorFindsNothing(@ForAll long seed) {
    Random random = new Random(seed);
    ObjectNode schema = schema(random, 3);
    Validator validator = Validator.of(schema);
    Glance glance = Objects.requireNonNull(Glance.compile(schema), schema.toString());
    for (int i = 0; i < 12; i++) {
      JsonNode value = random.nextInt(4) == 0 ? value(random, 3) : following(schema, random, 4);
      assertAgree(schema, validator, glance, value);
    }
  }

  @Property(tries = 300)
  void itAgreesAboutTheProjectsOwnSchemas(@ForAll("schemaFiles") Path file, @ForAll long seed)
      throws IOException {
    JsonNode schema = JSON.readTree(file.toFile());
    Glance glance = Glance.compile(schema);
    if (glance == null) {
      return;
    }
    Validator validator = Validator.of(schema);
    Random random = new Random(seed);
    for (int i = 0; i < 10; i++) {
      assertAgree(schema, validator, glance, following(schema, random, 6));
    }
  }

  private static void assertAgree(
      JsonNode schema, Validator validator, Glance glance, JsonNode value) {
    boolean yes = glance.follows(value);
    boolean valid = validator.find(value) == null;
    assertThat(!yes || valid).as("yes means valid: %s under %s", value, schema).isTrue();
    boolean listed = schema.findValue("enum") != null;
    if (!leftToTheValidator(value, listed)) {
      assertThat(yes).as("valid means yes: %s under %s", value, schema).isEqualTo(valid);
    }
    assertThat(validator.check(value)).isEqualTo(validator.find(value));
  }

  /**
   * Whole numbers written as decimals, line breaks at the end, and numbers where some are listed,
   * which may be equal and differently written.
   */
  private static boolean leftToTheValidator(JsonNode value, boolean listed) {
    if (value.isValueNode()) {
      return (value.isNumber() && (listed || !value.isIntegralNumber()))
          || value.asText().endsWith("\n");
    }
    for (JsonNode child : value) {
      if (leftToTheValidator(child, listed)) {
        return true;
      }
    }
    return false;
  }

  @Test
  void theBenchmarksSchemasAndMostOthersHaveAGlance() {
    List<Path> files = files();
    List<Path> without =
        files.stream()
            .filter(
                file -> {
                  try {
                    return Glance.compile(JSON.readTree(file.toFile())) == null;
                  } catch (IOException e) {
                    throw new IllegalStateException(e);
                  }
                })
            .toList();

    assertThat(files.stream().filter(file -> file.startsWith("bench"))).isNotEmpty();
    assertThat(without).noneMatch(file -> file.startsWith("bench"));
    assertThat(without.size()).isLessThan(files.size() / 2);
  }

  @Test
  void aSchemaWithOtherKeywordsHasNone() throws IOException {
    for (String schema :
        List.of(
            "{'not':{'type':'string'}}",
            "{'oneOf':[true]}",
            "{'anyOf':[true]}",
            "{'if':true,'then':false}",
            "{'patternProperties':{'a':true}}",
            "{'properties':{'a':{'items':{'uniqueItems':true}}}}",
            "{'multipleOf':2}",
            "{'format':'email'}",
            "{'$ref':'#/$defs/none'}",
            "{'minLength':1e30}",
            "{'pattern':'('}")) {
      assertThat(Glance.compile(JSON.readTree(schema.replace('\'', '"')))).as(schema).isNull();
    }
  }

  @Test
  void aSchemaMayReferToItself() throws IOException {
    JsonNode schema =
        JSON.readTree("{\"type\":\"object\",\"properties\":{\"a\":{\"$ref\":\"#\"}}}");
    Glance glance = Objects.requireNonNull(Glance.compile(schema));

    assertThat(glance.follows(JSON.readTree("{\"a\":{\"a\":{}}}"))).isTrue();
    assertThat(glance.follows(JSON.readTree("{\"a\":{\"a\":1}}"))).isFalse();
  }

  @Test
  void whatIsWrongIsToldAsByTheValidatorAlone() throws IOException {
    JsonNode schema =
        JSON.readTree("{\"properties\":{\"a\":{\"type\":\"string\",\"maxLength\":1}}}");
    Validator validator = Validator.of(schema);

    assertThat(validator.check(JSON.readTree("{\"a\":\"ab\"}")))
        .hasToString("/a breaks 'maxLength': expected 1");
    assertThat(validator.check(JSON.readTree("{\"a\":\"a\"}"))).isNull();
  }

  @Property(tries = 2_000)
  void aPlainPatternFindsWhatTheExpressionFinds(
      @ForAll("expressions") String regex, @ForAll long seed) {
    PlainPattern plain = PlainPattern.compile(regex);
    if (plain == null) {
      return;
    }
    Pattern full = Pattern.compile(regex);
    Random random = new Random(seed);
    for (int i = 0; i < 20; i++) {
      StringBuilder text = new StringBuilder();
      for (int n = random.nextInt(7); n > 0; n--) {
        text.append("abc019-_Aé".charAt(random.nextInt(10)));
      }
      assertThat(plain.test(text.toString()))
          .as("%s in %s", regex, text)
          .isEqualTo(full.matcher(text).find());
    }
  }

  @Test
  void thePatternsOfContractsArePlain() {
    for (String regex :
        List.of(
            "^[0-9]{9}$",
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
            "^[0-9]{4}-[0-9]{2}-[0-9]{2}T",
            "^[A-Za-z0-9._-]{1,64}$",
            "^[A-Z_]{2,40}$")) {
      assertThat(PlainPattern.compile(regex)).as(regex).isNotNull();
    }
    for (String regex : List.of("a", "^(a)$", "^\\d$", "^[^a]$", "^a+?$", "^.$", "^[æ]$", "^a*a")) {
      assertThat(PlainPattern.compile(regex)).as(regex).isNull();
    }
  }

  @Provide
  Arbitrary<String> expressions() {
    Arbitrary<String> atom = Arbitraries.of("a", "b", "-", "[ab]", "[0-9]", "[a-c_-]", "[A-Z]");
    Arbitrary<String> times =
        Arbitraries.of("", "", "?", "*", "+", "{2}", "{1,3}", "{0,2}", "{2,}");
    Arbitrary<String> part = atom.flatMap(a -> times.map(t -> a + t));
    return part.list()
        .ofMinSize(1)
        .ofMaxSize(4)
        .flatMap(parts -> Arbitraries.of("", "$").map(end -> "^" + String.join("", parts) + end));
  }

  @Provide
  Arbitrary<Path> schemaFiles() {
    return Arbitraries.of(files());
  }

  private static List<Path> files() {
    try (Stream<Path> shipped = Files.walk(Path.of("mappings"));
        Stream<Path> bench = Files.walk(Path.of("bench/mappings"))) {
      return Stream.concat(shipped, bench)
          .filter(file -> file.toString().endsWith(".schema.json"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static ObjectNode schema(Random random, int depth) {
    ObjectNode schema = NODES.objectNode();
    for (int n = random.nextInt(5); n > 0; n--) {
      keyword(schema, random, depth);
    }
    return schema;
  }

  private static void keyword(ObjectNode schema, Random random, int depth) {
    switch (random.nextInt(depth > 0 ? 17 : 12)) {
      case 0 -> schema.put("type", pick(TYPES, random));
      case 1 -> schema.putArray("type").add("string").add(pick(TYPES, random));
      case 2 -> schema.put("minLength", random.nextInt(3));
      case 3 -> schema.put("maxLength", random.nextInt(4));
      case 4 -> schema.put("pattern", pick(PATTERNS, random));
      case 5 -> schema.put("format", "date");
      case 6 -> schema.put("minimum", new BigDecimal(pick(NUMBERS, random)));
      case 7 -> schema.put("maximum", random.nextInt(3));
      case 8 -> schema.put("exclusiveMinimum", random.nextInt(3) - 1);
      case 9 -> schema.put("exclusiveMaximum", new BigDecimal("1.5"));
      case 10 -> {
        ArrayNode values = schema.putArray("enum");
        for (int n = 1 + random.nextInt(4); n > 0; n--) {
          values.add(value(random, 1));
        }
      }
      case 11 -> {
        ArrayNode names = schema.putArray("required");
        NAMES.stream().filter(name -> random.nextInt(3) == 0).forEach(names::add);
      }
      case 12 -> {
        ObjectNode members = schema.putObject("properties");
        for (String name : NAMES) {
          if (random.nextBoolean()) {
            members.set(name, schema(random, depth - 1));
          }
        }
      }
      case 13 -> schema.put("additionalProperties", random.nextBoolean());
      case 14 -> schema.set("additionalProperties", schema(random, depth - 1));
      case 15 -> {
        schema.set("items", schema(random, depth - 1));
        schema.put("minItems", random.nextInt(2)).put("maxItems", 1 + random.nextInt(3));
      }
      default -> schema.putArray("allOf").add(schema(random, depth - 1)).add(true);
    }
  }

  /** Anything. */
  private static JsonNode value(Random random, int depth) {
    return switch (random.nextInt(depth > 0 ? 7 : 5)) {
      case 0, 1 -> NODES.textNode(pick(TEXTS, random));
      case 2 -> number(random);
      case 3 -> NODES.booleanNode(random.nextBoolean());
      case 4 -> NODES.nullNode();
      case 5 -> {
        ArrayNode list = NODES.arrayNode();
        for (int n = random.nextInt(4); n > 0; n--) {
          list.add(value(random, depth - 1));
        }
        yield list;
      }
      default -> {
        ObjectNode object = NODES.objectNode();
        for (String name : NAMES) {
          if (random.nextBoolean()) {
            object.set(name, value(random, depth - 1));
          }
        }
        yield object;
      }
    };
  }

  private static JsonNode number(Random random) {
    String digits = pick(NUMBERS, random);
    if (!digits.matches("-?[0-9]+")) {
      return random.nextBoolean()
          ? NODES.numberNode(new BigDecimal(digits))
          : NODES.numberNode(Double.parseDouble(digits));
    }
    return digits.length() > 9
        ? NODES.numberNode(new java.math.BigInteger(digits))
        : NODES.numberNode(Integer.parseInt(digits));
  }

  /** Something that mostly follows the schema. */
  private static JsonNode following(JsonNode given, Random random, int depth) {
    JsonNode schema = given;
    if (schema.has("$ref")) {
      return NODES.textNode("2026-02-28");
    }
    if (depth == 0 || random.nextInt(25) == 0) {
      return value(random, 1);
    }
    if (schema.has("enum")) {
      return schema.get("enum").get(random.nextInt(schema.get("enum").size()));
    }
    JsonNode type =
        schema.path("type").isArray() ? schema.path("type").get(1) : schema.path("type");
    return switch (type.asText(schema.has("items") ? "array" : "object")) {
      case "string" -> text(schema.path("pattern").asText(""), random);
      case "integer", "number" ->
          NODES.numberNode(schema.path("minimum").asInt() + random.nextInt(3));
      case "boolean" -> NODES.booleanNode(random.nextBoolean());
      case "null" -> NODES.nullNode();
      case "array" -> {
        ArrayNode list = NODES.arrayNode();
        for (int n = random.nextInt(3); n > 0; n--) {
          list.add(following(schema.path("items"), random, depth - 1));
        }
        yield list;
      }
      default -> {
        ObjectNode object = NODES.objectNode();
        for (Map.Entry<String, JsonNode> member : schema.path("properties").properties()) {
          if (random.nextInt(12) > 0) {
            object.set(member.getKey(), following(member.getValue(), random, depth - 1));
          }
        }
        for (JsonNode name : schema.path("required")) {
          if (!object.has(name.asText()) && random.nextInt(12) > 0) {
            object.set(name.asText(), value(random, 1));
          }
        }
        yield object;
      }
    };
  }

  /** A text that fits the pattern when one of a few does. */
  private static JsonNode text(String regex, Random random) {
    return NODES.textNode(
        Stream.of(
                "311000004",
                "2026-02-28",
                "27860858520",
                "AB",
                "9901",
                "m-1",
                "ab",
                "A_B",
                "2026-08-31T12:00:00Z",
                "0123456789",
                "a")
            .filter(text -> !regex.isEmpty() && Pattern.compile(regex).matcher(text).find())
            .findFirst()
            .orElseGet(() -> pick(TEXTS, random)));
  }

  private static <T> T pick(List<T> list, Random random) {
    return list.get(random.nextInt(list.size()));
  }
}
