package no.bindeledd.mapping;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.exchange.YamlSource;
import no.bindeledd.person.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * The station <em>shape</em> for one view of a contract: JSLT mapping, then only the fields that
 * the contract lists and the decision does not withhold, then the output schema. Compiled once;
 * immutable, safe on any thread.
 *
 * <p>Field paths are RFC 6901 pointers where {@code *} stands for every element of a list; a path
 * covers everything below it. A withheld path wins over a listed one, whichever is longer.
 */
public final class Shaper {
  private static final JsonMapper JSON = new JsonMapper();

  /** Distinct sets of withheld fields come from the rules, so they are few; this is a guard. */
  private static final int MAX_PLANS = 1024;

  private static final int VERSION_BYTES = 6;

  private final Mapping mapping;
  private final OutputSchema schema;
  private final CodeLists codes;
  private final List<String> fields;
  private final String version;
  private final Plan whole;
  private final Map<Set<String>, Plan> plans = new ConcurrentHashMap<>();
  private final Map<BitSet, List<String>> releases = new ConcurrentHashMap<>();

  /** What to do under one set of withheld fields. */
  private record Plan(FieldTree tree, Validator validator) {}

  private Shaper(
      Mapping mapping, OutputSchema schema, CodeLists codes, List<String> fields, String version) {
    this.mapping = mapping;
    this.schema = schema;
    this.codes = codes;
    this.fields = fields;
    this.version = version;
    this.whole = plan(Set.of());
  }

  /**
   * Compiles the shaper of a view: {@code <mappings>/<exchange>/<view.mapping>} and {@code
   * <view.schema>}.
   *
   * @param view one of the contract's: a recipient's, or the answer's (whose input is the source's
   *     answer, so that input paths are not checked)
   * @param mappings the folder {@code mappings}
   * @throws ProblemsException with file and line: a file is missing; the JSLT does not compile,
   *     reads input paths that the input schema does not know, or calls what is not repeatable; the
   *     schema is not valid, does not know a listed field, or requires a member that is not listed
   */
  public static Shaper compile(
      Contract contract, Contract.View view, Path mappings, CodeLists codes) {
    List<Problem> problems = new ArrayList<>();
    Path folder = mappings.resolve(contract.id());
    SchemaShape input = null;
    if (view != contract.answer()) {
      SchemaFile inputFile = SchemaFile.read(folder.resolve(contract.input().schema()), problems);
      input = inputFile == null ? null : SchemaShape.of(input(contract, inputFile.tree()));
    }
    Mapping mapping = Mapping.compile(mappings, folder, view.mapping(), codes, input, problems);
    List<String> fields = view.fields().stream().map(Contract.Field::path).toList();
    SchemaFile file = SchemaFile.read(folder.resolve(view.schema()), problems);
    OutputSchema schema = null;
    if (file != null) {
      ObjectNode inlined = file.inlined(problems);
      schema = inlined == null ? null : new OutputSchema(file, inlined);
    }
    if (schema != null) {
      checkFields(contract, view, schema, problems);
      schema.checkRequired(fields, problems);
    }
    if (mapping == null || file == null || schema == null || !problems.isEmpty()) {
      throw new ProblemsException(problems);
    }
    String version = version(mapping, file, codes, fields);
    return new Shaper(mapping, schema, codes, fields, version);
  }

  /** For matching, the gate adds what it found of the counterpart to each record. */
  private static JsonNode input(Contract contract, JsonNode schema) {
    if (contract.mode() != Contract.Mode.MATCHING || !schema.isObject()) {
      return schema;
    }
    ObjectNode copy = schema.deepCopy();
    ObjectNode match = copy.withObject("/properties").putObject("_match");
    match.put("type", "object");
    match.putObject("properties").putObject("present");
    match.withObject("/properties").putObject("code");
    return copy;
  }

  private static void checkFields(
      Contract contract, Contract.View view, OutputSchema schema, List<Problem> problems) {
    for (int i = 0; i < view.fields().size(); i++) {
      String path = view.fields().get(i).path();
      String remedy = null;
      if (!path.startsWith("/")) {
        remedy = "write a JSON pointer such as /skole/navn";
      } else if (!schema.knows(path)) {
        remedy = "correct the path, or add the field to " + view.schema();
      }
      if (remedy != null) {
        problems.add(
            fieldProblem(
                contract,
                view,
                i,
                "field '" + path + "' is not known to the output schema " + view.schema(),
                remedy));
      }
    }
  }

  private static Problem fieldProblem(
      Contract contract, Contract.View view, int field, String what, String remedy) {
    Path file = contract.folder().resolve("exchange.yaml");
    String pointer = "/answer";
    for (int i = 0; i < contract.to().size(); i++) {
      if (contract.to().get(i).view() == view) {
        pointer = "/to/" + i + "/view";
      }
    }
    int line = 0;
    try {
      line = YamlSource.read(file).line(pointer + "/fields/" + field + "/path");
    } catch (ProblemsException unreadable) {
      // the contract's own reader reports that; here the field's name must do
    }
    return new Problem(file, line, what, remedy);
  }

  private static String version(
      Mapping mapping, SchemaFile schema, CodeLists codes, List<String> fields) {
    MessageDigest digest = Sha256.digest();
    for (Map.Entry<String, String> source : mapping.sources().entrySet()) {
      part(digest, source.getKey().getBytes(StandardCharsets.UTF_8));
      part(digest, source.getValue().getBytes(StandardCharsets.UTF_8));
    }
    part(digest, schema.bytes());
    for (String list : mapping.codeLists()) {
      part(digest, list.getBytes(StandardCharsets.UTF_8));
      part(digest, codes.bytes(list));
    }
    for (String field : fields) {
      part(digest, field.getBytes(StandardCharsets.UTF_8));
    }
    return HexFormat.of().formatHex(digest.digest(), 0, VERSION_BYTES);
  }

  private static void part(MessageDigest digest, byte[] bytes) {
    digest.update(ByteBuffer.allocate(Integer.BYTES).putInt(bytes.length).flip());
    digest.update(bytes);
  }

  /**
   * A short hash of everything that shapes: the mapping and its imports, the output schema, the
   * code lists that the mapping uses, and the contract's field list. Twelve hexadecimal digits.
   */
  public String version() {
    return version;
  }

  /**
   * Shapes one record.
   *
   * @param input the record, which is not changed
   * @param withheld contract paths that stay
   */
  public Shaped shape(JsonNode input, Set<String> withheld) {
    JsonNode mapped;
    try {
      mapped = mapping.apply(input, codes);
    } catch (Mapping.Refused e) {
      return new Shaped.Failed(e.reason(), String.valueOf(e.getMessage()));
    }
    Plan plan = planFor(withheld);
    boolean[] seen = new boolean[fields.size()];
    JsonNode kept = mapped.isContainerNode() ? plan.tree().keep(mapped, seen) : null;
    if (kept == null) {
      return new Shaped.Failed(
          ReasonCode.NOTHING_ALLOWED, "the mapping gives none of the fields that may leave");
    }
    Validator.Finding finding = plan.validator().check(kept);
    if (finding != null) {
      return new Shaped.Failed(ReasonCode.SCHEMA_VIOLATION, "output " + finding);
    }
    return new Shaped.Ok(bytes(kept), kept, released(seen));
  }

  /**
   * Takes more away from what was shaped before: for a decision that has become narrower since.
   * When nothing is left the result is <code>{}</code> and releases no field.
   *
   * @throws UncheckedIOException when the bytes are not JSON, which means that they did not come
   *     from {@link #shape}
   */
  public Shaped.Ok reduce(byte[] shaped, Set<String> withheld) {
    boolean[] seen = new boolean[fields.size()];
    try {
      JsonNode kept = planFor(withheld).tree().keep(JSON.readTree(shaped), seen);
      JsonNode left = kept == null ? JSON.createObjectNode() : kept;
      return new Shaped.Ok(bytes(left), left, released(seen));
    } catch (JsonProcessingException e) {
      e.clearLocation();
      throw new UncheckedIOException(new IOException("The shaped payload is not JSON"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Most records release the same fields: they share one list. */
  private List<String> released(boolean[] seen) {
    BitSet key = new BitSet(seen.length);
    for (int i = 0; i < seen.length; i++) {
      key.set(i, seen[i]);
    }
    List<String> known = releases.get(key);
    if (known != null) {
      return known;
    }
    List<String> made = List.copyOf(key.stream().mapToObj(fields::get).toList());
    if (releases.size() < MAX_PLANS) {
      releases.putIfAbsent(key, made);
    }
    return made;
  }

  private Plan planFor(Set<String> withheld) {
    if (withheld.isEmpty()) {
      return whole;
    }
    @Nullable Plan known = plans.get(withheld);
    if (known != null) {
      return known;
    }
    Set<String> key = Set.copyOf(withheld);
    Plan made = plan(key);
    if (plans.size() < MAX_PLANS) {
      plans.putIfAbsent(key, made);
    }
    return made;
  }

  private Plan plan(Set<String> withheld) {
    return new Plan(FieldTree.of(fields, withheld), schema.validator(withheld));
  }

  private static byte[] bytes(JsonNode node) {
    try {
      return JSON.writeValueAsBytes(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A JSON tree can always be written");
    }
  }
}
