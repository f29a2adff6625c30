package no.bindeledd.channel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.model.v25.message.ACK;
import ca.uhn.hl7v2.parser.CanonicalModelClassFactory;
import ca.uhn.hl7v2.parser.PipeParser;
import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SpecVersion;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.InputFormat.Raw;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.exchange.Text;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class Hl7v2FormatTest {
  private static final Contract CONTRACT = Contracts.of("hl7v2", null, null, Contracts.none());

  private static final String REFERRAL =
      """
      MSH|^~\\&|DIPS|Ung psykiatri^311094998^ENH|BINDELEDD|NAV|20260901101500+0200||REF^I12^REF_I12|M-1001|P|2.5||||||UNICODE UTF-8
      RF1|A^Accepted|R^Routine|IPSUNG^IPS ung|||REF-77^DIPS|20260901|20270301||WORK^Ønsker arbeid
      PRD|RP^Referring|Lege^Lise||Poliklinikk Øst|||311094998^ENH
      PRD|RT^Referred to||||||311040715^2.16.578.1.12.4.1.4.101
      PID|1||LOKAL-9^^^DIPS~17912099997^^^FNR&2.16.578.1.12.4.1.4.1&ISO||Nordmann^Kari^Åse||20041209|F
      DG1|1||F32.1^Depresjon^ICD-10
      OBX|1|ST|CAP^Kapasitet||3 dager\\T\\kvelder|d
      NTE|1||Foretrekker lager~Helst formiddag
      """;

  private final Hl7v2Format format = new Hl7v2Format(8192);
  private final Hl7Acknowledgement acknowledgement =
      new Hl7Acknowledgement(InstantSource.fixed(Instant.parse("2026-09-01T08:15:01Z")));

  private List<InputFormat.Item> read(byte[] body) {
    return format.read(CONTRACT, new Raw(body, null, null));
  }

  private List<InputFormat.Item> read(String text) {
    return read(text.getBytes(StandardCharsets.UTF_8));
  }

  private static JsonNode body(List<InputFormat.Item> items) {
    return ((InputFormat.Good) items.getFirst()).body();
  }

  @Test
  void aReferralBecomesTheDocumentedRecord() throws IOException {
    List<InputFormat.Item> items = read(REFERRAL);

    assertThat(items).extracting(InputFormat.Item::messageId).containsExactly("M-1001");
    assertThat(body(items))
        .isEqualTo(
            Contracts.json(
                """
                {'messageId': 'M-1001', 'sentAt': '2026-09-01T08:15:00Z',
                 'sendingApplication': 'DIPS', 'sendingFacility': 'Ung psykiatri',
                 'sendingFacilityId': '311094998',
                 'referral': {'id': 'REF-77', 'status': 'A', 'priority': 'R', 'type': 'IPSUNG',
                   'reasonCode': 'WORK', 'effectiveDate': '2026-09-01',
                   'expirationDate': '2027-03-01'},
                 'patient': {'identityNumber': '17912099997',
                   'name': {'family': 'Nordmann', 'given': 'Kari', 'middle': 'Åse'},
                   'birthDate': '2004-12-09'},
                 'providers': [
                   {'role': 'RP', 'name': {'family': 'Lege', 'given': 'Lise'},
                    'unit': 'Poliklinikk Øst', 'organisationNumber': '311094998'},
                   {'role': 'RT', 'organisationNumber': '311040715'}],
                 'diagnoses': [{'code': 'F32.1', 'text': 'Depresjon', 'system': 'ICD-10'}],
                 'observations': [{'code': 'CAP', 'text': 'Kapasitet', 'value': '3 dager&kvelder',
                   'unit': 'd'}],
                 'notes': ['Foretrekker lager\\nHelst formiddag']}"""));
    try (InputStream schema =
        Objects.requireNonNull(getClass().getResourceAsStream("/channel/ref-i12.schema.json"))) {
      assertThat(
              JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012)
                  .getSchema(schema)
                  .validate(body(items)))
          .isEmpty();
    }
  }

  @ParameterizedTest
  @CsvSource({"'\n'", "'\r'", "'\r\n'"})
  void lineEndingsAndTheFrameMakeNoDifference(String ending) {
    String framed = "\u000B" + REFERRAL.replace("\n", ending) + "\u001C\r";

    assertThat(body(read(framed))).isEqualTo(body(read(REFERRAL)));
  }

  @ParameterizedTest
  @CsvSource({"8859/1,ISO-8859-1", "UNICODE UTF-8,UTF-8", "'',UTF-8"})
  void theCharsetIsTheOneTheHeaderNames(String named, String charset) {
    String text = REFERRAL.replace("UNICODE UTF-8", named);

    assertThat(body(read(text.getBytes(Charset.forName(charset)))).at("/patient/name/middle"))
        .hasToString("\"Åse\"");
  }

  @Test
  void theSecondOfTwoKindsOfNumberIsFoundToo() {
    assertThat(body(read(REFERRAL.replace("4.1&ISO", "4.2&ISO"))).at("/patient/identityNumber"))
        .hasToString("\"17912099997\"");
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        Arguments.of("MSH|", "MSX|", "message MSH MALFORMED the message does not begin"),
        Arguments.of("REF^I12^REF_I12", "ADT^A01", "message:1 MSH-9 MALFORMED the message is not"),
        Arguments.of("M-1001", "", "message:1 MSH-10 MALFORMED the message has no control id"),
        Arguments.of("UNICODE UTF-8", "BIG-5", "message MSH-18 WRONG_CHARSET"),
        Arguments.of("UNICODE UTF-8", "ASCII", "message MSH-18 WRONG_CHARSET"),
        Arguments.of("20260901101500+0200", "i dag", "message:1 MSH-7 MALFORMED the time is not"),
        Arguments.of("20260901101500+0200", "20261301101500", "message:1 MSH-7 MALFORMED there is"),
        Arguments.of("REF-77^DIPS", "", "message:2 RF1-6 MALFORMED the referral has no identifier"),
        Arguments.of("20041209", "9. des", "message:5 PID-7 MALFORMED the date is not written"),
        Arguments.of("20041209", "20040230", "message:5 PID-7 MALFORMED there is no such day"),
        Arguments.of("4.1&ISO", "4.3&ISO", "message:5 PID-3 MALFORMED the patient has no identity"),
        Arguments.of("PID|1", "ZID|1", "message PID-3 MALFORMED the patient has no identity"),
        Arguments.of("DG1|1", "Kari!", "message:6 segment 6 MALFORMED the line does not begin"),
        Arguments.of("NTE|1", "MSH|1", "message:8 segment 8 MALFORMED there is a second message"),
        Arguments.of("lager", "x".repeat(9000), "message TOO_LARGE the message is longer"));
  }

  @ParameterizedTest
  @MethodSource("broken")
  void whatCannotBeReadIsRefusedWithItsFieldAndNoValue(String from, String to, String expected) {
    assertThat(Contracts.told(read(REFERRAL.replace(from, to))))
        .singleElement()
        .asString()
        .startsWith(expected)
        .doesNotContain("Kari", "17912099997", "9. des");
  }

  @Test
  void aProfileForAnotherMessageIsRefused() {
    Contract contract =
        Contracts.of("hl7v2", null, null, Contracts.json("{'messageType': 'ADT_A01'}"));

    assertThatThrownBy(() -> format.checkProfile(contract))
        .isInstanceOf(ProblemsException.class)
        .hasMessageContaining("REF_I12");
  }

  private static ACK parsed(byte[] bytes, Charset charset) throws HL7Exception {
    DefaultHapiContext context = new DefaultHapiContext();
    context.setModelClassFactory(new CanonicalModelClassFactory("2.5"));
    return (ACK) new PipeParser(context).parse(new String(bytes, charset));
  }

  @Test
  void anAcceptedMessageIsAcknowledgedWithItsId() throws HL7Exception {
    byte[] original = REFERRAL.getBytes(StandardCharsets.UTF_8);
    ACK ack =
        parsed(
            acknowledgement.write(original, Hl7Acknowledgement.Code.AA, ReasonCode.RELEASED),
            StandardCharsets.UTF_8);

    assertThat(ack.getMSA().encode()).isEqualTo("MSA|AA|M-1001");
    assertThat(ack.getMSH().encode())
        .startsWith(
            "MSH|^~\\&|BINDELEDD|NAV|DIPS|Ung psykiatri^311094998^ENH|20260901101501+0200||ACK^I12^ACK|")
        .endsWith("|P|2.5||||||UNICODE UTF-8");
    assertThat(ack.getERRAll()).allMatch(err -> "ERR".equals(encoded(err)));
  }

  private static String encoded(ca.uhn.hl7v2.model.v25.segment.ERR err) {
    try {
      return err.encode();
    } catch (HL7Exception e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Test
  void aRefusalSaysWhereAndWhyInBothLanguages() throws HL7Exception {
    byte[] original =
        REFERRAL.replace("UNICODE UTF-8", "8859/1").getBytes(StandardCharsets.ISO_8859_1);
    ACK ack =
        parsed(
            acknowledgement.write(
                original,
                Hl7Acknowledgement.Code.AE,
                ReasonCode.INVALID_IDENTITY_NUMBER,
                new Text("Fødselsnummeret | er ugyldig", "Invalid & so on"),
                "PID-3"),
            StandardCharsets.ISO_8859_1);

    assertThat(ack.getMSA().encode()).isEqualTo("MSA|AE|M-1001");
    assertThat(ack.getERR().getErr2_ErrorLocation(0).encode()).isEqualTo("PID^1^3");
    assertThat(ack.getERR().getErr4_Severity().getValue()).isEqualTo("E");
    assertThat(ack.getERR().getErr5_ApplicationErrorCode().encode())
        .isEqualTo("INVALID_IDENTITY_NUMBER");
    assertThat(ack.getERR().getErr7_DiagnosticInformation().getValue())
        .isEqualTo("Invalid & so on");
    assertThat(ack.getERR().getErr8_UserMessage().getValue())
        .isEqualTo("Fødselsnummeret | er ugyldig");
  }

  @Test
  void aHeldMessageIsAcceptedWithAnInformation() throws HL7Exception {
    ACK ack =
        parsed(
            acknowledgement.write(
                REFERRAL.getBytes(StandardCharsets.UTF_8),
                Hl7Acknowledgement.Code.AA,
                ReasonCode.AWAITING_CONSENT),
            StandardCharsets.UTF_8);

    assertThat(ack.getMSA().getMsa1_AcknowledgmentCode().getValue()).isEqualTo("AA");
    assertThat(ack.getERR().getErr4_Severity().getValue()).isEqualTo("I");
  }

  @Property(tries = 300)
  void anyBytesAreReadOrRefusedAndAnswered(@ForAll byte[] junk, @ForAll boolean headed)
      throws HL7Exception {
    byte[] header =
        headed ? REFERRAL.substring(0, 200).getBytes(StandardCharsets.UTF_8) : new byte[0];
    byte[] all = new byte[header.length + junk.length];
    System.arraycopy(header, 0, all, 0, header.length);
    System.arraycopy(junk, 0, all, header.length, junk.length);

    assertThat(read(all)).hasSize(1);
    byte[] answer = acknowledgement.write(all, Hl7Acknowledgement.Code.AR, ReasonCode.MALFORMED);
    assertThat(new String(answer, StandardCharsets.ISO_8859_1)).startsWith("MSH").contains("\rMSA");
  }

  @Test
  void whatIsNotHl7AtAllStillGetsAnAnswer() throws HL7Exception {
    ACK ack =
        parsed(
            acknowledgement.write(
                "GET / HTTP/1.1".getBytes(StandardCharsets.UTF_8),
                Hl7Acknowledgement.Code.AR,
                ReasonCode.MALFORMED),
            StandardCharsets.UTF_8);

    assertThat(ack.getMSA().encode()).isEqualTo("MSA|AR");
    assertThat(ack.getMSH().getMsh3_SendingApplication().encode()).isEqualTo("BINDELEDD");
  }
}
