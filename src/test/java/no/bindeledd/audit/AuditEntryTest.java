package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Arrays;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

@SuppressWarnings("NullAway") // it does not read a nullable array, nor injectNull, from class files
class AuditEntryTest {
  private static final Pseudonym SUBJECT = new Pseudonym("0123456789abcdef0123456789abcdef");

  @Example
  void theCanonicalBytesAreSortedAndWithoutAbsentMembers() {
    byte[] salt = new byte[16];
    AuditEntry entry =
        new AuditEntry(
            Instant.parse("2026-09-01T10:00:00.1234567Z"),
            Station.DECIDE,
            "dropout-notice",
            "311000004",
            "311013572",
            SUBJECT,
            "a\"b\\c\u0001\n€😀",
            null,
            "REDUCED",
            "REDUCED",
            List.of("opplaeringslova-25-8@1"),
            null,
            List.of(),
            null,
            "",
            List.of("/navn", "/skole"),
            List.of(),
            AuditEntry.payloadHash(salt, new byte[] {1, 2, 3}),
            salt,
            null);
    assertThat(new String(entry.canonical(), StandardCharsets.UTF_8))
        .isEqualTo(
            "{\"at\":\"2026-09-01T10:00:00.123456Z\",\"exchange\":\"dropout-notice\","
                + "\"message\":\"a\\\"b\\\\c\\u0001\\n€😀\",\"outcome\":\"REDUCED\","
                + "\"payload\":\""
                + sha256Hex(salt, new byte[] {0}, new byte[] {1, 2, 3})
                + "\",\"reason\":\"REDUCED\",\"receiver\":\"311013572\","
                + "\"released\":[\"/navn\",\"/skole\"],\"rules\":[\"opplaeringslova-25-8@1\"],"
                + "\"sender\":\"311000004\",\"station\":\"DECIDE\",\"subject\":\""
                + sha256Hex(salt, new byte[] {1}, HexFormat.of().parseHex(SUBJECT.value()))
                + "\",\"v\":1}");
  }

  @Property(tries = 2000)
  void theCanonicalBytesAreThoseOfAnIndependentCanonicalisation(@ForAll("entries") AuditEntry e) {
    assertThat(new String(e.canonical(), StandardCharsets.UTF_8)).isEqualTo(independently(e));
  }

  @Property(tries = 1000)
  void theTimeOfAnEntryIsReadAsJavaReadsIt(
      @ForAll @LongRange(min = -62_167_219_200L, max = 253_402_300_799L) long second,
      @ForAll @IntRange(max = 999_999) int micros) {
    Instant at = Instant.ofEpochSecond(second, micros * 1_000L);
    String text =
        DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'")
            .withZone(ZoneOffset.UTC)
            .format(at);
    assertThat(StoredEntry.time(text)).isEqualTo(at).isEqualTo(Instant.parse(text));
  }

  @Example
  void whatIsNoTimeIsRefusedAndOtherFormsAreRead() {
    for (String text :
        List.of(
            "2026-02-30T10:00:00.000000Z",
            "2026-13-01T10:00:00.000000Z",
            "2026-01-01T25:00:00.000000Z",
            "2026-01-01T10:60:00.000000Z",
            "2026-01-01 10:00:00.000000Z",
            "2026-01-01T10:00:00.00000xZ")) {
      assertThatExceptionOfType(DateTimeException.class)
          .as(text)
          .isThrownBy(() -> StoredEntry.time(text));
    }
    assertThat(StoredEntry.time("2026-01-01T10:00:00Z"))
        .isEqualTo(StoredEntry.time("2026-01-01T10:00:00.000000Z"));
  }

  @Property(tries = 1000)
  void anEntryIsReadBackFromItsBytesAndColumns(@ForAll("entries") AuditEntry e) {
    byte[] canonical = e.canonical();
    Pseudonym subject = e.subject();
    StoredEntry stored =
        new StoredEntry(
            7,
            e.at(),
            e.station().name(),
            storable(e.exchange()),
            storable(e.outcome()),
            e.message() == null || e.message().isEmpty() ? null : storable(e.message()),
            subject == null ? null : HexFormat.of().parseHex(subject.value()),
            e.salt(),
            new byte[32],
            canonical);
    assertThat(stored.parse().canonical()).isEqualTo(canonical);
    assertThat(stored.disagreement()).isNull();
  }

  @Example
  void aSaltIsDrawnForASubjectWithoutOne() {
    AuditEntry one = entry(SUBJECT, null, "m");
    AuditEntry other = entry(SUBJECT, null, "m");
    assertThat(one.salt()).hasSize(16).isNotEqualTo(other.salt());
    assertThat(one.canonical()).isNotEqualTo(other.canonical());
    assertThat(entry(null, null, "m").salt()).isNull();
  }

  @Example
  void aPayloadHashNeedsItsSalt() {
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new AuditEntry(
                    Instant.EPOCH,
                    Station.SHAPE,
                    "x",
                    null,
                    null,
                    null,
                    null,
                    null,
                    "RELEASED",
                    "RELEASED",
                    List.of(),
                    null,
                    List.of(),
                    null,
                    null,
                    List.of(),
                    List.of(),
                    new byte[32],
                    null,
                    null));
  }

  @Example
  void aTextFromOutsideIsCutInsteadOfBurstingTheLedger() {
    AuditEntry entry = entry(null, null, "😀".repeat(5000));
    assertThat(entry.message()).hasSizeLessThanOrEqualTo(AuditEntry.MAX_TEXT).endsWith("😀…");
  }

  @Example
  void anEntryThatNoTileCouldHoldIsRefused() {
    List<String> many = Collections.nCopies(7000, "/feltnavn");
    AuditEntry entry =
        new AuditEntry(
            Instant.EPOCH,
            Station.SHAPE,
            "x",
            null,
            null,
            null,
            null,
            null,
            "RELEASED",
            "RELEASED",
            List.of(),
            null,
            List.of(),
            null,
            null,
            many,
            List.of(),
            null,
            null,
            null);
    assertThatIllegalArgumentException()
        .isThrownBy(entry::canonical)
        .withMessageContaining("65535");
  }

  @Example
  void theShortFormHidesSubjectAndMessage() {
    assertThat(entry(SUBJECT, null, "secret-id").toString())
        .doesNotContain(SUBJECT.value(), "secret-id");
  }

  private static AuditEntry entry(
      @Nullable Pseudonym subject, byte @Nullable [] salt, String message) {
    return Entries.of("x", "RELEASED", subject, salt, message, Instant.EPOCH);
  }

  /** The same JSON by another way: a sorted map, Jackson's writer, java.time's formatter. */
  private static String independently(AuditEntry e) {
    Map<String, Object> members = new TreeMap<>();
    members.put(
        "at",
        DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'")
            .format(e.at().atOffset(ZoneOffset.UTC)));
    members.put("v", 1);
    members.put("station", e.station().name());
    put(members, "exchange", e.exchange());
    put(members, "sender", e.sender());
    put(members, "receiver", e.receiver());
    put(members, "message", e.message());
    put(members, "trace", e.trace());
    put(members, "outcome", e.outcome());
    put(members, "reason", e.reason());
    put(members, "agreement", e.agreement());
    put(members, "mapping", e.mapping());
    put(members, "policies", e.policies());
    put(members, "detail", e.detail());
    put(members, "rules", e.rules());
    put(members, "consents", e.consents());
    put(members, "released", e.released());
    put(members, "withheld", e.withheld());
    if (e.payloadHash() != null) {
      members.put("payload", HexFormat.of().formatHex(e.payloadHash()));
    }
    if (e.subject() != null && e.salt() != null) {
      members.put(
          "subject",
          sha256Hex(e.salt(), new byte[] {1}, HexFormat.of().parseHex(e.subject().value())));
    }
    try {
      // Jackson writes \\u00XX in upper case, RFC 8785 wants lower case.
      String json =
          new ObjectMapper()
              .enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS)
              .writeValueAsString(members);
      return java.util.regex.Pattern.compile("(?<!\\\\)((?:\\\\\\\\)*)\\\\u00([0-9A-F]{2})")
          .matcher(json)
          .replaceAll(
              m ->
                  java.util.regex.Matcher.quoteReplacement(m.group(1) + "\\u00")
                      + m.group(2).toLowerCase(java.util.Locale.ROOT));
    } catch (JsonProcessingException ex) {
      throw new AssertionError(ex);
    }
  }

  private static void put(Map<String, Object> members, String name, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      members.put(name, storable(value));
    }
  }

  private static void put(Map<String, Object> members, String name, List<String> values) {
    if (!values.isEmpty()) {
      members.put(name, values.stream().map(AuditEntryTest::storable).toList());
    }
  }

  private static String storable(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .map(c -> c == 0 || (c >= 0xd800 && c <= 0xdfff) ? 0xfffd : c)
        .forEach(out::appendCodePoint);
    return out.toString();
  }

  private static String sha256Hex(byte[]... parts) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      Arrays.stream(parts).forEach(digest::update);
      return HexFormat.of().formatHex(digest.digest());
    } catch (java.security.NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }

  @Provide
  Arbitrary<AuditEntry> entries() {
    Arbitrary<String> text =
        Arbitraries.oneOf(
            Arbitraries.strings().ofMaxLength(20),
            Arbitraries.strings().ascii().ofMaxLength(20),
            Arbitraries.strings()
                .withChars("\b\t\n\f\r\"\\/\u0000\u001f\u007fæ€\ud83d\ude00")
                .ofMaxLength(12));
    Arbitrary<@Nullable String> maybe = text.injectNull(0.3);
    Arbitrary<List<String>> list = text.list().ofMaxSize(3);
    Arbitrary<Instant> at =
        Arbitraries.longs()
            .between(-62_167_219_200L, 253_402_300_799L)
            .flatMap(
                s ->
                    Arbitraries.integers()
                        .between(0, 999_999_999)
                        .map(n -> Instant.ofEpochSecond(s, n)));
    Arbitrary<byte[]> salt = Arbitraries.bytes().array(byte[].class).ofMinSize(16).ofMaxSize(20);
    Arbitrary<@Nullable Pseudonym> subject =
        Arbitraries.strings()
            .withChars("0123456789abcdef")
            .ofLength(32)
            .map(Pseudonym::new)
            .injectNull(0.3);
    return Combinators.combine(
            at,
            Arbitraries.of(Station.class),
            text.list().ofSize(3),
            maybe.list().ofSize(8),
            list.list().ofSize(4),
            subject,
            salt,
            Arbitraries.of(true, false))
        .as(
            (time, station, must, may, lists, who, s, payload) ->
                new AuditEntry(
                    time,
                    station,
                    must.get(0),
                    may.get(0),
                    may.get(1),
                    who,
                    may.get(2),
                    may.get(3),
                    must.get(1),
                    must.get(2),
                    lists.get(0),
                    may.get(4),
                    lists.get(1),
                    may.get(5),
                    may.get(6),
                    lists.get(2),
                    lists.get(3),
                    payload ? AuditEntry.payloadHash(s, s) : null,
                    s,
                    may.get(7)));
  }
}
