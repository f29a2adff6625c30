package no.bindeledd.reading;

import static org.assertj.core.api.Assertions.assertThat;

import com.fluenda.parcefone.event.CommonEvent;
import com.fluenda.parcefone.parser.CEFParser;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import no.bindeledd.audit.AuditEntry;

/** A CEF parser that was not written here reads back what was written, whatever it holds. */
class CefLineTest {
  private static final Instant AT = Instant.parse("2026-09-01T08:00:00.123456Z");
  private static final CEFParser PARSER = new CEFParser();
  private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

  @Example
  void aReleaseReadsAsNavReadsIt() throws Exception {
    CommonEvent event = parse(CefLine.of(4711, entry("dropout-notice", "RELEASED", "SCHOOL")));
    assertThat(event.getHeader())
        .containsEntry("deviceVendor", "bindeledd")
        .containsEntry("deviceProduct", "AuditLogger")
        .containsEntry("deviceVersion", "1.0")
        .containsEntry("deviceEventClassId", "audit:access")
        .containsEntry("name", "Bindeledd DECIDE dropout-notice RELEASED")
        .containsEntry("severity", "INFO");
    assertThat(fields(event))
        .containsEntry("suid", "311013572")
        .containsEntry("duid", TestLedger.person(7).value())
        .containsEntry("end", new Date(AT.toEpochMilli()))
        .containsEntry("request", "/dropout-notice")
        .containsEntry("requestMethod", "POST")
        .containsEntry("flexString1Label", "Decision")
        .containsEntry("flexString1", "Permit")
        .containsEntry("cn1Label", "LedgerIndex")
        .containsEntry("cn1", 4711L)
        .containsEntry("cs1", "311000004")
        .containsEntry("cs4", "opplaeringslova-25-8@1 forvaltningsloven-13b@2")
        .containsEntry("cs5", "school-ot@1#2.1")
        .containsEntry("externalId", "00ff");
    assertThat(CefLine.of(4711, entry("dropout-notice", "RELEASED", "SCHOOL")))
        .contains(" sproc=" + TRACE + " ");
  }

  @Example
  void aRefusalIsAWarningThatDenies() throws Exception {
    for (String outcome : List.of("REFUSED", "HELD", "DEAD")) {
      CommonEvent event = parse(CefLine.of(1, entry("dropout-notice", outcome, "NO_BASIS")));
      assertThat(event.getHeader()).containsEntry("severity", "WARN");
      assertThat(fields(event))
          .containsEntry("flexString1", "Deny")
          .containsEntry("cs3", "NO_BASIS");
    }
  }

  @Example
  void aChangeOfConsentIsNoDecision() throws Exception {
    AuditEntry read =
        ReadRecord.of(
            AT, ReadRecord.Kind.SUBJECTS_READ, "311108565", TestLedger.person(1), null, "x", 3);
    CommonEvent event = parse(CefLine.of(2, read));
    assertThat(fields(event))
        .containsEntry("suid", "311108565")
        .containsEntry("requestMethod", "GET")
        .containsEntry("msg", "asked for x; rows: 3");
  }

  @Property(tries = 2000)
  void whateverStandsInAnEntryIsReadBack(
      @ForAll("texts") String exchange,
      @ForAll("texts") String sender,
      @ForAll("texts") String reason,
      @ForAll("texts") String detail)
      throws Exception {
    requireReadBack(exchange, sender, reason, detail);
  }

  static void requireReadBack(String exchange, String sender, String reason, String detail)
      throws Exception {
    AuditEntry entry = TestLedger.noted(AT, exchange, sender, "REFUSED", reason, detail);
    String line = CefLine.of(9, entry);
    assertThat(line.lines()).hasSize(1);
    CommonEvent event = parse(line);
    assertThat(unescaped(String.valueOf(event.getHeader().get("name"))))
        .isEqualTo(
            "Bindeledd IDENTIFY " + entry.exchange().replaceAll("[\\r\\n]+", " ") + " REFUSED");
    Map<String, Object> fields = fields(event);
    assertThat(unescaped(String.valueOf(fields.get("request")))).isEqualTo("/" + entry.exchange());
    assertThat(read(fields, "suid")).isEqualTo(entry.sender() == null ? "" : entry.sender());
    assertThat(read(fields, "cs3")).isEqualTo(entry.reason());
    assertThat(read(fields, "msg")).isEqualTo(entry.detail() == null ? "" : entry.detail());
    assertThat(fields).containsEntry("cn1", 9L);
  }

  /** Much of what has a meaning in CEF, and anything else a text may hold. */
  @Provide
  Arbitrary<String> texts() {
    Arbitrary<String> nasty =
        Arbitraries.of(
            "\\", "|", "=", "\n", "\r", "\r\n", "\\n", "\\=", " ", "a=b", " suid=1", "CEF:0|", "x",
            "æ", "😀", "\t");
    return Arbitraries.oneOf(
        nasty.list().ofMaxSize(12).map(parts -> String.join("", parts)),
        Arbitraries.strings().ofMaxLength(40).filter(CefLineTest::isText));
  }

  /** The parser's regular expressions stop at line ends of their own; the ledger has no NUL. */
  static boolean isText(String text) {
    return text.chars()
        .noneMatch(
            c ->
                c == 0
                    || c == 0x85
                    || c == 0x2028
                    || c == 0x2029
                    || Character.isSurrogate((char) c));
  }

  private static AuditEntry entry(String exchange, String outcome, String reason) {
    return TestLedger.decision(
        AT,
        exchange,
        "311000004",
        "311013572",
        TestLedger.person(7),
        "00ff",
        "00-" + TRACE + "-00f067aa0ba902b7-01",
        outcome,
        reason,
        List.of("opplaeringslova-25-8@1", "forvaltningsloven-13b@2"),
        List.of(),
        List.of(),
        List.of());
  }

  private static CommonEvent parse(String line) {
    CommonEvent event = PARSER.parse(line, false);
    assertThat(event).as(line).isNotNull();
    return event;
  }

  private static Map<String, Object> fields(CommonEvent event) throws Exception {
    return event.getExtension(true);
  }

  private static String read(Map<String, Object> fields, String key) {
    Object value = fields.get(key);
    return value == null ? "" : unescaped(value.toString());
  }

  /** The parser splits and leaves the escapes as they are. */
  private static String unescaped(String value) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c != '\\') {
        text.append(c);
        continue;
      }
      char next = value.charAt(++i);
      text.append(next == 'n' ? '\n' : next == 'r' ? '\r' : next);
    }
    return text.toString();
  }
}
