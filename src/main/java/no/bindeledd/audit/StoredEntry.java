package no.bindeledd.audit;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGStatement;

/** One row of audit_entry as it is stored, trusted in nothing. */
record StoredEntry(
    long index,
    Instant at,
    String station,
    String exchange,
    String outcome,
    @Nullable String message,
    byte @Nullable [] subject,
    byte @Nullable [] salt,
    byte[] leaf,
    byte[] entry) {
  static final String COLUMNS =
      "idx, at, station, exchange, outcome, message, subject, salt, leaf, entry";

  private static final int PORTION = 2000;
  private static final String TIME = "0000-00-00T00:00:00.000000Z";
  private static final JsonFactory JSON = new JsonFactory();
  private static final HexFormat HEX = HexFormat.of();

  /** A null where the schema allows none (it may have been altered) reads as nothing. */
  static StoredEntry read(ResultSet rs) throws SQLException {
    OffsetDateTime at = rs.getObject(2, OffsetDateTime.class);
    byte[] leaf = rs.getBytes(9);
    byte[] entry = rs.getBytes(10);
    return new StoredEntry(
        rs.getLong(1),
        at == null ? Instant.MIN : at.toInstant(),
        Objects.requireNonNullElse(rs.getString(3), ""),
        Objects.requireNonNullElse(rs.getString(4), ""),
        Objects.requireNonNullElse(rs.getString(5), ""),
        rs.getString(6),
        rs.getBytes(7),
        rs.getBytes(8),
        leaf == null ? new byte[0] : leaf,
        entry == null ? new byte[0] : entry);
  }

  /** Sees stored entries, rising by number. */
  interface Taker {
    /**
     * @return false to see no more
     */
    boolean take(StoredEntry entry) throws SQLException;
  }

  /**
   * An entry whose other columns are no longer there: they are what the bytes say.
   *
   * @throws IllegalArgumentException when the bytes are not an entry
   */
  static StoredEntry archived(
      long index, byte[] entry, byte[] leaf, byte @Nullable [] subject, byte @Nullable [] salt) {
    AuditEntry parsed =
        new StoredEntry(index, Instant.MIN, "", "", "", null, null, null, leaf, entry).parse();
    return new StoredEntry(
        index,
        parsed.at(),
        parsed.station().name(),
        parsed.exchange(),
        parsed.outcome(),
        parsed.message(),
        subject,
        salt,
        leaf,
        entry);
  }

  /**
   * Reads the entries from a number up to another, archived or not, a portion at a time. First the
   * table, then what is archived by then: so a segment that moves meanwhile is not overlooked.
   */
  static void each(Connection connection, long from, long to, Taker taker) throws SQLException {
    long next = from;
    while (next < to) {
      List<StoredEntry> rows = portion(connection, next, to);
      long end = rows.size() < PORTION ? to : rows.getLast().index() + 1;
      for (ArchivedSegment segment : ArchivedSegment.within(connection, next, end)) {
        if (!give(rows, next, segment.from(), taker)
            || !segment.eachOf(connection, next, to, taker)) {
          return;
        }
        next = segment.to();
      }
      if (!give(rows, next, end, taker)) {
        return;
      }
      next = Math.max(next, end);
    }
  }

  private static boolean give(List<StoredEntry> rows, long from, long to, Taker taker)
      throws SQLException {
    for (StoredEntry row : rows) {
      if (row.index() >= from && row.index() < to && !taker.take(row)) {
        return false;
      }
    }
    return true;
  }

  private static List<StoredEntry> portion(Connection connection, long from, long to)
      throws SQLException {
    List<StoredEntry> rows = new ArrayList<>(PORTION);
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT "
                + COLUMNS
                + " FROM audit_entry WHERE idx >= ? AND idx < ? ORDER BY idx LIMIT ?")) {
      select.unwrap(PGStatement.class).setPrepareThreshold(-1); // binary from the first
      select.setLong(1, from);
      select.setLong(2, to);
      select.setInt(3, PORTION);
      try (ResultSet rs = select.executeQuery()) {
        while (rs.next()) {
          rows.add(read(rs));
        }
      }
    }
    return rows;
  }

  /**
   * What the bytes alone say, without subject and salt.
   *
   * @throws IllegalArgumentException when the bytes are not an entry
   */
  static AuditEntry published(long index, byte[] entry) {
    return new StoredEntry(index, Instant.MIN, "", "", "", null, null, null, new byte[0], entry)
        .parse();
  }

  byte[] leafHash(TreeHash hash) {
    return hash.leaf(entry);
  }

  /** What the columns say otherwise than the entry, or null: an altered column would hide it. */
  @Nullable String disagreement() {
    AuditEntry parsed;
    try {
      Map<String, Object> members = members();
      parsed = parse(members);
      if (!Arrays.equals(canonical(parsed, members), entry)) {
        return "its bytes are not a canonical entry, or its subject or salt was changed";
      }
    } catch (IllegalArgumentException e) {
      return "its bytes are not a canonical entry, or its subject or salt was changed";
    }
    if (!at.equals(parsed.at())) {
      return "the column at differs from it";
    }
    if (!station.equals(parsed.station().name())) {
      return "the column station differs from it";
    }
    if (!exchange.equals(parsed.exchange())) {
      return "the column exchange differs from it";
    }
    if (!outcome.equals(parsed.outcome())) {
      return "the column outcome differs from it";
    }
    return Objects.equals(message, parsed.message()) ? null : "the column message differs from it";
  }

  /**
   * The entry, with subject and salt from their columns.
   *
   * @throws IllegalArgumentException when the bytes are not an entry
   */
  AuditEntry parse() {
    return parse(members());
  }

  /**
   * True when the entry has hashes that need a salt, and neither salt nor subject is here any more:
   * shredded, or stolen; {@link LedgerVerifier} tells which.
   */
  boolean shredded() {
    return salt == null && subject == null && shredded(members());
  }

  private boolean shredded(Map<String, Object> members) {
    return salt == null
        && subject == null
        && (members.containsKey("subject") || members.containsKey("payload"));
  }

  private byte[] canonical(AuditEntry parsed, Map<String, Object> members) {
    if (!shredded(members)) {
      return parsed.canonical();
    }
    CanonicalWriter writer = new CanonicalWriter(1024);
    parsed.writeTo(writer, hash(members, "payload"), hash(members, "subject"));
    return writer.toByteArray();
  }

  private static byte @Nullable [] hash(Map<String, Object> members, String name) {
    Object hash = members.get(name);
    return hash instanceof String hex ? HEX.parseHex(hex) : null;
  }

  private AuditEntry parse(Map<String, Object> members) {
    try {
      return new AuditEntry(
          time(required(members, "at")),
          Station.valueOf(required(members, "station")),
          orEmpty(members, "exchange"),
          text(members, "sender"),
          text(members, "receiver"),
          subject == null ? null : new Pseudonym(HEX.formatHex(subject)),
          text(members, "message"),
          text(members, "trace"),
          orEmpty(members, "outcome"),
          orEmpty(members, "reason"),
          list(members, "rules"),
          text(members, "agreement"),
          list(members, "consents"),
          text(members, "mapping"),
          text(members, "policies"),
          list(members, "released"),
          list(members, "withheld"),
          shredded(members) ? null : hash(members, "payload"),
          salt,
          text(members, "detail"));
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("Not an entry's time", e);
    }
  }

  private Map<String, Object> members() {
    Map<String, Object> members = new HashMap<>();
    try (JsonParser json = JSON.createParser(entry)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new IllegalArgumentException("Not a JSON object");
      }
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        JsonToken value = json.nextToken();
        members.put(name, value == JsonToken.START_ARRAY ? list(json) : json.getText());
      }
      return members;
    } catch (IOException e) {
      throw new IllegalArgumentException("Not JSON", e);
    }
  }

  private static List<String> list(JsonParser json) throws IOException {
    List<String> values = new ArrayList<>();
    while (json.nextToken() == JsonToken.VALUE_STRING) {
      values.add(json.getText());
    }
    return values;
  }

  /** As {@link Instant#parse}, for the one form that entries have ten times as fast. */
  static Instant time(String text) {
    if (text.length() != TIME.length()) {
      return Instant.parse(text);
    }
    for (int i = 0; i < TIME.length(); i++) {
      char c = text.charAt(i);
      boolean fits = TIME.charAt(i) == '0' ? c >= '0' && c <= '9' : c == TIME.charAt(i);
      if (!fits) {
        return Instant.parse(text);
      }
    }
    int hour = number(text, 11, 13);
    int minute = number(text, 14, 16);
    int second = number(text, 17, 19);
    if (hour > 23 || minute > 59 || second > 59) {
      return Instant.parse(text);
    }
    long day =
        LocalDate.of(number(text, 0, 4), number(text, 5, 7), number(text, 8, 10)).toEpochDay();
    return Instant.ofEpochSecond(
        day * 86_400 + hour * 3_600 + minute * 60 + second, number(text, 20, 26) * 1_000L);
  }

  private static int number(String text, int from, int to) {
    int number = 0;
    for (int i = from; i < to; i++) {
      number = number * 10 + text.charAt(i) - '0';
    }
    return number;
  }

  private static String required(Map<String, Object> members, String name) {
    if (members.get(name) instanceof String value) {
      return value;
    }
    throw new IllegalArgumentException("The member " + name + " is missing");
  }

  private static String orEmpty(Map<String, Object> members, String name) {
    return members.get(name) instanceof String value ? value : "";
  }

  private static @Nullable String text(Map<String, Object> members, String name) {
    return members.get(name) instanceof String value ? value : null;
  }

  private static List<String> list(Map<String, Object> members, String name) {
    List<String> values = new ArrayList<>();
    if (members.get(name) instanceof List<?> list) {
      list.forEach(value -> values.add((String) value));
    }
    return values;
  }
}
