package no.bindeledd.channel;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.ReasonCode;
import org.jspecify.annotations.Nullable;

/**
 * The format {@code json}: one document that is the record, or, when the contract's {@code
 * input.records} points at a list, one that holds a list of records. UTF-8 only (a byte order mark
 * is passed over). Repeated member names, trailing text and non-finite numbers are refused.
 *
 * <p>With a list, what the records have in common often stands once in the envelope around it, such
 * as {@code listId} and {@code counterpart}. So each record is given the document's top-level
 * members that are text, numbers, booleans or null, under their own names, unless the record has a
 * member of that name itself. Top-level objects and lists are not passed on.
 *
 * <p>The message id: null when the contract's {@code messageId} points at it; else the channel's id
 * and, in a list, {@code #} with the record's number from 1.
 *
 * <p>Stateless, safe on any thread.
 */
public final class JsonFormat implements InputFormat {
  /** The default for the longest body: 16 MiB, about 100,000 list rows. */
  public static final int MAX_BYTES = 16 * 1024 * 1024;

  private static final int MAX_DEPTH = 64;
  private static final int MAX_STRING = 1024 * 1024;
  private static final int MAX_NAME = 256;
  private static final int MAX_NUMBER = 64;

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxStringLength(MAX_STRING)
                          .maxNameLength(MAX_NAME)
                          .maxNumberLength(MAX_NUMBER)
                          .build())
                  .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                  .build())
          .build();

  private static final ObjectReader READER =
      JSON.readerFor(JsonNode.class)
          .with(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .with(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .without(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES);

  private final int maxBytes;

  public JsonFormat() {
    this(MAX_BYTES);
  }

  /**
   * @param maxBytes the longest body that is read
   */
  public JsonFormat(int maxBytes) {
    this.maxBytes = maxBytes;
  }

  @Override
  public String name() {
    return "json";
  }

  @Override
  public List<Item> read(Contract contract, Raw raw) {
    byte[] body = raw.body();
    if (body.length > maxBytes) {
      return bad(raw, 0, ReasonCode.TOO_LARGE, "the body is longer than " + maxBytes + " bytes");
    }
    int invalid = Utf8.firstInvalid(body);
    if (invalid >= 0 || hasZero(body)) {
      int line = Utf8.line(body, Math.max(0, invalid));
      return bad(raw, line, ReasonCode.WRONG_CHARSET, "JSON is UTF-8; save it as that");
    }
    JsonNode document = null;
    try (JsonParser parser = JSON.createParser(body)) {
      document = parse(parser);
    } catch (IOException e) {
      return List.of(failed(raw, e));
    }
    return records(contract, raw, document);
  }

  /** A zero among the first bytes: UTF-16 or UTF-32, which the parser would otherwise accept. */
  private static boolean hasZero(byte[] body) {
    for (int i = 0; i < Math.min(4, body.length); i++) {
      if (body[i] == 0) {
        return true;
      }
    }
    return false;
  }

  private static @Nullable JsonNode parse(JsonParser parser) throws IOException {
    if (parser.nextToken() == null) {
      return null;
    }
    JsonNode document = READER.readValue(parser);
    if (parser.nextToken() != null) {
      throw new TrailingText(parser.currentTokenLocation());
    }
    return document;
  }

  private static final class TrailingText extends JsonProcessingException {
    private static final long serialVersionUID = 1L;

    TrailingText(JsonLocation location) {
      super("text after the end of the document", location);
    }
  }

  private List<Item> records(Contract contract, Raw raw, @Nullable JsonNode document) {
    if (document == null || !document.isObject()) {
      return bad(raw, 0, ReasonCode.MALFORMED, "the document is not one JSON object");
    }
    JsonPointer at = contract.input().records();
    boolean pointed = contract.messageId() != null;
    if (at == null) {
      String id = pointed ? null : raw.messageId();
      return List.of(new Good(new Place(raw.name(), 0, null), id, document));
    }
    JsonNode list = document.at(at);
    if (!list.isArray()) {
      return bad(raw, 0, ReasonCode.MALFORMED, "there is no list at " + at);
    }
    List<Item> items = new ArrayList<>(list.size());
    for (int i = 0; i < list.size(); i++) {
      Place place = new Place(raw.name(), 0, at + "/" + i);
      String id = raw.messageId() == null ? null : raw.messageId() + "#" + (i + 1);
      if (list.get(i) instanceof ObjectNode object) {
        items.add(new Good(place, pointed ? null : id, withCommon(object, document)));
      } else {
        items.add(new Bad(place, id, ReasonCode.MALFORMED, "the record is not a JSON object"));
      }
    }
    return items;
  }

  private static JsonNode withCommon(ObjectNode object, JsonNode document) {
    for (Map.Entry<String, JsonNode> common : document.properties()) {
      if (common.getValue().isValueNode() && !object.has(common.getKey())) {
        object.set(common.getKey(), common.getValue());
      }
    }
    return object;
  }

  private static Item failed(Raw raw, IOException e) {
    JsonLocation at = e instanceof JsonProcessingException json ? json.getLocation() : null;
    Place place =
        at == null
            ? new Place(raw.name(), 0, null)
            : new Place(raw.name(), at.getLineNr(), "column " + at.getColumnNr());
    if (e instanceof StreamConstraintsException) {
      String message = String.valueOf(e.getMessage());
      boolean deep = message.contains("nesting depth");
      return deep
          ? new Bad(
              place,
              raw.messageId(),
              ReasonCode.MALFORMED,
              "nested deeper than " + MAX_DEPTH + " levels")
          : new Bad(
              place,
              raw.messageId(),
              ReasonCode.TOO_LARGE,
              "a text is longer than "
                  + MAX_STRING
                  + " characters, a name than "
                  + MAX_NAME
                  + " or a number than "
                  + MAX_NUMBER);
    }
    return new Bad(place, raw.messageId(), ReasonCode.MALFORMED, what(e));
  }

  /** The parser's own words may quote the input, so ours stand instead. */
  private static String what(IOException e) {
    if (e instanceof TrailingText) {
      return "there is text after the end of the document";
    }
    String message = String.valueOf(e.getMessage());
    if (message.startsWith("Duplicate field")) {
      return "a member name stands twice in one object";
    }
    if (message.startsWith("Unexpected end-of-input")) {
      return "the document ends too early";
    }
    return "the text is not JSON";
  }

  private static List<Item> bad(Raw raw, int line, ReasonCode reason, String detail) {
    return List.of(new Bad(new Place(raw.name(), line, null), raw.messageId(), reason, detail));
  }
}
