package no.bindeledd.channel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.DecimalNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.LongNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.math.BigDecimal;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Csv;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * The format {@code csv}: a file whose columns the contract declares, one record per row.
 *
 * <pre>{@code
 * profile:
 *   delimiter: ";"                      # one ASCII character; default ;
 *   quote: '"'                          # default "
 *   charsets: [UTF-8, ISO-8859-1]       # default [UTF-8]; strict UTF-8 is tried first
 *   header: true                        # default true
 *   columns:
 *     - {name: Fodselsnummer, path: /foedselsnummer, type: identity, required: true}
 *     - {name: Sluttdato, path: /sluttdato, type: date, format: DD.MM.ÅÅÅÅ, required: true}
 *     - {name: Arsak, path: /aarsak, type: code, codes: avbruddsarsak}
 *     - {name: Skole, path: /skole/navn, type: text, maxLength: 80}
 * }</pre>
 *
 * <p>Types: {@code text}; {@code date}, which becomes {@code YYYY-MM-DD} and must be a real day;
 * {@code integer}; {@code decimal} with a point or a comma; {@code code}, in the list {@code codes}
 * when it is named; {@code identity}, eleven digits (whether they are a valid number, the gate
 * judges). Spaces around a value are not part of it. An empty value is no member at all.
 *
 * <p>A header must name declared columns only, in any order, each once, and every required one;
 * otherwise the file is refused whole at line 1. Without a header each row has all declared columns
 * in order. What is wrong with a row makes that row {@link Bad} with its line and column; the other
 * rows go on.
 *
 * <p>The message id is file name, line and SHA-256 of the row's bytes, {@code name:line:hex}, so
 * that the same file sent again is recognised.
 *
 * <p>Stateless, safe on any thread.
 */
public final class CsvFormat implements InputFormat {
  private static final int MAX_ROW = 64 * 1024;
  private static final int MAX_WHOLE_DIGITS = 18;
  private static final int IDENTITY_DIGITS = 11;
  private static final Pattern DECIMAL = Pattern.compile("-?[0-9]{1,15}([.,][0-9]{1,6})?");

  /** The code lists that columns of type {@code code} are looked up in. */
  public interface Codes {
    boolean has(String list);

    boolean has(String list, String code);
  }

  private final Codes codes;
  private final int maxBytes;

  public CsvFormat(Codes codes) {
    this(codes, JsonFormat.MAX_BYTES);
  }

  /**
   * @param maxBytes the longest file that is read
   */
  public CsvFormat(Codes codes, int maxBytes) {
    this.codes = codes;
    this.maxBytes = maxBytes;
  }

  @Override
  public String name() {
    return "csv";
  }

  /**
   * Checks the profile of a contract when it is loaded.
   *
   * @throws ProblemsException with the line of everything that is wrong in it
   */
  public void checkProfile(Contract contract) throws ProblemsException {
    CsvProfile.check(contract, codes);
  }

  @Override
  public List<Item> read(Contract contract, Raw raw) {
    byte[] body = raw.body();
    if (body.length > maxBytes) {
      return whole(raw, 0, ReasonCode.TOO_LARGE, "the file is longer than " + maxBytes + " bytes");
    }
    CsvProfile profile;
    try {
      profile = CsvProfile.of(contract.input().profile());
    } catch (IllegalArgumentException e) {
      return whole(raw, 0, ReasonCode.MALFORMED, "the contract's CSV profile is not valid");
    }
    if (beginsAsNoText(body)) {
      return whole(
          raw,
          1,
          ReasonCode.WRONG_CHARSET,
          "the file is not text in " + profile.charsets() + "; UTF-16 and spreadsheets are not");
    }
    int invalid = Utf8.firstInvalid(body);
    Charset charset = StandardCharsets.UTF_8;
    if (invalid >= 0 || !profile.charsets().contains(charset)) {
      charset = StandardCharsets.ISO_8859_1;
      if (Utf8.hasMark(body) || !profile.charsets().contains(charset)) {
        return whole(
            raw,
            Utf8.line(body, Math.max(0, invalid)),
            ReasonCode.WRONG_CHARSET,
            "the file is not in " + profile.charsets() + "; save it as that");
      }
    }
    int from = Utf8.hasMark(body) ? 3 : 0;
    Csv csv = new Csv(body, from, profile.delimiter(), profile.quote(), charset, MAX_ROW);
    return new Reading(contract, raw, profile, csv).items();
  }

  /** A control character in the first line: any bytes at all are some text in ISO-8859-1. */
  private static boolean beginsAsNoText(byte[] body) {
    for (int i = 0; i < Math.min(body.length, MAX_ROW) && body[i] != '\n'; i++) {
      if (body[i] >= 0 && isStray((char) body[i])) {
        return true;
      }
    }
    return false;
  }

  private static List<Item> whole(Raw raw, int line, ReasonCode reason, String detail) {
    String id = prefix(raw) + ":" + hash(raw.body(), 0, raw.body().length);
    return List.of(new Bad(new Place(raw.name(), line, null), id, reason, detail));
  }

  private static String prefix(Raw raw) {
    if (raw.name() != null) {
      return raw.name();
    }
    return raw.messageId() == null ? "" : raw.messageId();
  }

  private static String hash(byte[] bytes, int start, int end) {
    MessageDigest digest = Sha256.digest();
    digest.update(bytes, start, end - start);
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Reads one file. */
  private final class Reading {
    private final Contract contract;
    private final Raw raw;
    private final CsvProfile profile;
    private final Csv csv;
    private final List<Item> items = new ArrayList<>();

    Reading(Contract contract, Raw raw, CsvProfile profile, Csv csv) {
      this.contract = contract;
      this.raw = raw;
      this.profile = profile;
      this.csv = csv;
    }

    List<Item> items() {
      List<CsvProfile.Column> columns = profile.columns();
      if (profile.header()) {
        Csv.Row header = csv.next();
        List<CsvProfile.Column> named = new ArrayList<>();
        String fault = header(header, named);
        if (fault != null) {
          int line = header == null ? 1 : header.line();
          return whole(raw, line, ReasonCode.MALFORMED, fault);
        }
        columns = named;
      }
      for (Csv.Row row = csv.next(); row != null; row = csv.next()) {
        items.add(item(row, columns));
      }
      return items;
    }

    /** Fills in the columns in the file's order; tells what is wrong, or null. */
    private @Nullable String header(Csv.@Nullable Row header, List<CsvProfile.Column> named) {
      if (header == null) {
        return "the file has no header; its first row must name the columns";
      }
      if (header.fault() != null) {
        return "the header cannot be read: " + header.fault().text();
      }
      Map<String, CsvProfile.Column> missing = new HashMap<>();
      profile.columns().forEach(column -> missing.put(column.name(), column));
      for (int i = 0; i < header.cells().size(); i++) {
        CsvProfile.Column column = missing.remove(header.cells().get(i).strip());
        if (column == null) {
          // Not quoted: without a header row, this is a person's data.
          return "column " + (i + 1) + " of the header is not declared, or stands there twice";
        }
        named.add(column);
      }
      List<String> required =
          profile.columns().stream()
              .filter(column -> column.required() && missing.containsKey(column.name()))
              .map(CsvProfile.Column::name)
              .toList();
      return required.isEmpty() ? null : "the header lacks the columns " + required;
    }

    private Item item(Csv.Row row, List<CsvProfile.Column> columns) {
      String id = prefix(raw) + ":" + row.line() + ":" + hash(raw.body(), row.start(), row.end());
      Csv.Fault fault = row.fault();
      if (fault != null) {
        ReasonCode reason =
            fault == Csv.Fault.TOO_LONG ? ReasonCode.TOO_LARGE : ReasonCode.MALFORMED;
        return bad(row, id, null, reason, fault.text());
      }
      if (row.cells().size() != columns.size()) {
        return bad(
            row,
            id,
            null,
            ReasonCode.MALFORMED,
            "the row has " + row.cells().size() + " values, not " + columns.size());
      }
      ObjectNode record = JsonNodeFactory.instance.objectNode();
      for (int i = 0; i < columns.size(); i++) {
        CsvProfile.Column column = columns.get(i);
        String value = row.cells().get(i).strip();
        Wrong wrong = value.isEmpty() ? empty(column) : set(record, column, value);
        if (wrong != null) {
          return bad(row, id, column.name(), wrong.reason(), wrong.detail());
        }
      }
      return new Good(
          new Place(raw.name(), row.line(), null),
          contract.messageId() == null ? id : null,
          record);
    }

    private Bad bad(
        Csv.Row row, String id, @Nullable String column, ReasonCode reason, String detail) {
      return new Bad(new Place(raw.name(), row.line(), column), id, reason, detail);
    }
  }

  /** Why a value does not fit its column; never the value. */
  private record Wrong(ReasonCode reason, String detail) {
    static Wrong schema(String detail) {
      return new Wrong(ReasonCode.SCHEMA_VIOLATION, detail);
    }
  }

  private static @Nullable Wrong empty(CsvProfile.Column column) {
    return column.required() ? Wrong.schema("the value is missing and must be there") : null;
  }

  private @Nullable Wrong set(ObjectNode record, CsvProfile.Column column, String value) {
    if (value.codePointCount(0, value.length()) > column.maxLength()) {
      return Wrong.schema("the value is longer than " + column.maxLength() + " characters");
    }
    for (int i = 0; i < value.length(); i++) {
      if (isStray(value.charAt(i))) {
        return new Wrong(
            ReasonCode.WRONG_CHARSET,
            "there is a control character; check which character set the file is saved in");
      }
    }
    JsonNode node;
    switch (column.type()) {
      case TEXT -> node = TextNode.valueOf(value);
      case DATE -> {
        String date = column.date() == null ? null : column.date().iso(value);
        if (date == null) {
          return Wrong.schema("the value is not a date written " + column.format());
        }
        node = TextNode.valueOf(date);
      }
      case INTEGER -> {
        Long number = integer(value);
        if (number == null) {
          return Wrong.schema("the value is not a whole number");
        }
        node = LongNode.valueOf(number);
      }
      case DECIMAL -> {
        if (!DECIMAL.matcher(value).matches()) {
          return Wrong.schema("the value is not a number such as 12,5");
        }
        node = DecimalNode.valueOf(new BigDecimal(value.replace(',', '.')));
      }
      case CODE -> {
        String list = column.codes();
        if (list != null && !codes.has(list, value)) {
          return new Wrong(ReasonCode.UNKNOWN_CODE, "the value is not in the code list " + list);
        }
        node = TextNode.valueOf(value);
      }
      case IDENTITY -> {
        if (value.length() != IDENTITY_DIGITS || !digits(value, 0)) {
          return new Wrong(
              ReasonCode.INVALID_IDENTITY_NUMBER,
              "the value is not eleven digits; a spreadsheet may have taken a leading zero");
        }
        node = TextNode.valueOf(value);
      }
      default -> throw new IllegalStateException("Unknown column type");
    }
    ObjectNode at = record;
    for (int i = 0; i < column.path().size() - 1; i++) {
      String name = column.path().get(i);
      at = at.get(name) instanceof ObjectNode below ? below : at.putObject(name);
    }
    at.set(column.path().getLast(), node);
    return null;
  }

  /** C0 and C1 control characters; the latter betray Windows-1252 read as ISO-8859-1. */
  private static boolean isStray(char c) {
    boolean layout = c == '\t' || c == '\n' || c == '\r';
    return (c < 0x20 && !layout) || (c >= 0x7F && c < 0xA0);
  }

  private static @Nullable Long integer(String value) {
    int from = value.charAt(0) == '-' ? 1 : 0;
    int digits = value.length() - from;
    return digits >= 1 && digits <= MAX_WHOLE_DIGITS && digits(value, from)
        ? Long.valueOf(value)
        : null;
  }

  private static boolean digits(String value, int from) {
    for (int i = from; i < value.length(); i++) {
      if (value.charAt(i) < '0' || value.charAt(i) > '9') {
        return false;
      }
    }
    return true;
  }
}
