package no.bindeledd.channel;

import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.model.Group;
import ca.uhn.hl7v2.model.Segment;
import ca.uhn.hl7v2.model.Structure;
import ca.uhn.hl7v2.model.Type;
import ca.uhn.hl7v2.model.v25.datatype.CX;
import ca.uhn.hl7v2.model.v25.datatype.PLN;
import ca.uhn.hl7v2.model.v25.message.REF_I12;
import ca.uhn.hl7v2.model.v25.segment.DG1;
import ca.uhn.hl7v2.model.v25.segment.MSH;
import ca.uhn.hl7v2.model.v25.segment.NTE;
import ca.uhn.hl7v2.model.v25.segment.OBX;
import ca.uhn.hl7v2.model.v25.segment.PID;
import ca.uhn.hl7v2.model.v25.segment.PRD;
import ca.uhn.hl7v2.model.v25.segment.RF1;
import ca.uhn.hl7v2.parser.CanonicalModelClassFactory;
import ca.uhn.hl7v2.parser.PipeParser;
import ca.uhn.hl7v2.util.Terser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.StringJoiner;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.exchange.YamlSource;
import org.jspecify.annotations.Nullable;

/**
 * The format {@code hl7v2}: one HL7 v2.5 referral, {@code REF^I12}, as one record. The profile may
 * say {@code messageType: REF_I12} (the only one there is) and {@code charset: UTF-8} or {@code
 * ISO-8859-1} for messages whose MSH-18 is empty.
 *
 * <p>The record, member by member; what the message does not have is not there:
 *
 * <pre>{@code
 * messageId                       MSH-10
 * sentAt                          MSH-7, ISO 8601; without an offset it is Oslo time
 * sendingApplication              MSH-3.1
 * sendingFacility                 MSH-4.1
 * sendingFacilityId               MSH-4.2, such as an organisation number
 * referral.id                     RF1-6.1
 * referral.status                 RF1-1.1
 * referral.priority               RF1-2.1
 * referral.type                   RF1-3.1
 * referral.category               RF1-5.1
 * referral.reasonCode             RF1-10.1 (the first)
 * referral.effectiveDate          RF1-7, YYYY-MM-DD
 * referral.expirationDate         RF1-8
 * patient.identityNumber          PID-3.1 of the repetition whose PID-3.4.2 is the OID of fødselsnummer or D-number
 * patient.name.family             PID-5.1
 * patient.name.given              PID-5.2
 * patient.name.middle             PID-5.3
 * patient.birthDate               PID-7, YYYY-MM-DD
 * providers[].role                PRD-1.1 (RP referring, RT referred to)
 * providers[].name.family, given  PRD-2.1, PRD-2.2
 * providers[].unit                PRD-4.1
 * providers[].organisationNumber  PRD-7.1 whose PRD-7.2 is ENH or the OID of organisation numbers
 * diagnoses[].code                DG1-3.1: in the record so that a rule can see it; in no view
 * diagnoses[].text                DG1-3.2
 * diagnoses[].system              DG1-3.3
 * observations[].code             OBX-3.1
 * observations[].text             OBX-3.2
 * observations[].system           OBX-3.3
 * observations[].value            OBX-5.1; repetitions divided by line feeds
 * observations[].unit             OBX-6.1
 * notes[]                         NTE-3, wherever it stands; repetitions divided by line feeds
 * }</pre>
 *
 * <p>Segments may end with CR, LF or both; the MLLP frame may be there or not. Data types are not
 * judged beyond what the record needs, unknown segments are passed over. What cannot be read is
 * {@link Bad} with the segment's number as line and its field, such as {@code PID-3}, as column.
 * The message id is MSH-10. Sources: HL7 v2.5 chapter 11, contracts.md § 4.
 *
 * <p>Stateless, safe on any thread.
 */
public final class Hl7v2Format implements InputFormat {
  /** The default for the longest message: 1 MiB. */
  public static final int MAX_BYTES = 1024 * 1024;

  private static final String MESSAGE_TYPE = "REF_I12";
  private static final String OIDS = "2.16.578.1.12.4.1.4.";
  private static final String FNR = OIDS + "1";
  private static final String DNR = OIDS + "2";
  private static final String ORGANISATION = OIDS + "101";
  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");
  private static final Pattern SEGMENT = Pattern.compile("[A-Z][A-Z0-9]{2}");
  private static final Pattern TIME =
      Pattern.compile(
          "(\\d{4})(\\d{2})(\\d{2})(?:(\\d{2})(\\d{2})(?:(\\d{2})(?:\\.\\d{1,4})?)?)?([+-]\\d{4})?");

  private final HapiContext context;
  private final int maxBytes;

  public Hl7v2Format() {
    this(MAX_BYTES);
  }

  /**
   * @param maxBytes the longest message that is read
   */
  public Hl7v2Format(int maxBytes) {
    this.maxBytes = maxBytes;
    DefaultHapiContext made = new DefaultHapiContext();
    made.setValidationContext(ValidationContextFactory.noValidation());
    made.setModelClassFactory(new CanonicalModelClassFactory("2.5"));
    this.context = made;
  }

  @Override
  public String name() {
    return "hl7v2";
  }

  /**
   * Checks the profile of a contract when it is loaded.
   *
   * @throws ProblemsException when it names something that is not read here
   */
  public void checkProfile(Contract contract) throws ProblemsException {
    String type = contract.input().profile().path("messageType").asText(MESSAGE_TYPE);
    String charset = contract.input().profile().path("charset").asText("UTF-8");
    String wrong = null;
    if (!type.equals(MESSAGE_TYPE)) {
      wrong = "/messageType";
    } else if (!charset.equals("UTF-8") && !charset.equals("ISO-8859-1")) {
      wrong = "/charset";
    }
    if (wrong == null) {
      return;
    }
    Path file = contract.folder().resolve("exchange.yaml");
    int line = 0;
    try {
      line = YamlSource.read(file).line("/input/profile" + wrong);
    } catch (ProblemsException unreadable) {
      // the contract's own reader reports that
    }
    throw new ProblemsException(
        List.of(
            new Problem(
                file,
                line,
                "the HL7 profile asks for what is not read here",
                "use messageType: REF_I12 and charset: UTF-8 or ISO-8859-1")));
  }

  /** Something wrong at a place of the message. */
  private static final class Malformed extends Exception {
    private static final long serialVersionUID = 1L;

    private final ReasonCode reason;
    private final String position;

    Malformed(ReasonCode reason, String position, String detail) {
      super(detail, null, false, false);
      this.reason = reason;
      this.position = position;
    }

    Malformed(String position, String detail) {
      this(ReasonCode.MALFORMED, position, detail);
    }
  }

  @Override
  public List<Item> read(Contract contract, Raw raw) {
    Hl7Header header = Hl7Header.of(raw.body());
    String id = header == null || header.first(10).isEmpty() ? raw.messageId() : header.first(10);
    List<String> segments = List.of();
    try {
      if (raw.body().length > maxBytes) {
        throw new Malformed(
            ReasonCode.TOO_LARGE, "", "the message is longer than " + maxBytes + " bytes");
      }
      if (header == null) {
        throw new Malformed("MSH", "the message does not begin with a header segment");
      }
      String text = text(contract, raw.body(), header);
      segments = text.lines().toList();
      checkSegments(segments, header);
      ObjectNode record = record(parse(String.join("\r", segments)));
      String given = contract.messageId() == null ? record.path("messageId").asText() : null;
      return List.of(new Good(new Place(raw.name(), 0, null), given, record));
    } catch (Malformed e) {
      int line = line(segments, e.position);
      Place place = new Place(raw.name(), line, e.position.isEmpty() ? null : e.position);
      return List.of(new Bad(place, id, e.reason, String.valueOf(e.getMessage())));
    }
  }

  private static String text(Contract contract, byte[] body, Hl7Header header) throws Malformed {
    Charset otherwise =
        contract.input().profile().path("charset").asText("UTF-8").equals("ISO-8859-1")
            ? StandardCharsets.ISO_8859_1
            : StandardCharsets.UTF_8;
    Charset charset = header.charset(otherwise);
    int start = Hl7Header.start(body);
    String text =
        charset == null
            ? null
            : Hl7Header.decode(body, start, Math.max(start, Hl7Header.end(body)), charset);
    if (text == null) {
      throw new Malformed(
          ReasonCode.WRONG_CHARSET,
          "MSH-18",
          "the message is not in the character set it names; use UNICODE UTF-8 or 8859/1");
    }
    return text;
  }

  private static void checkSegments(List<String> segments, Hl7Header header) throws Malformed {
    for (int i = 0; i < segments.size(); i++) {
      String segment = segments.get(i);
      if (segment.isEmpty()) {
        continue;
      }
      boolean named =
          segment.length() >= 3
              && SEGMENT.matcher(segment).region(0, 3).matches()
              && (segment.length() == 3 || segment.charAt(3) == header.separator());
      if (!named) {
        throw new Malformed(
            "segment " + (i + 1), "the line does not begin with the name of a segment");
      }
      if (i > 0 && segment.startsWith("MSH")) {
        throw new Malformed("segment " + (i + 1), "there is a second message; send one at a time");
      }
    }
    String type = header.field(9).replace(header.encoding().charAt(0), '_');
    if (!type.equals(MESSAGE_TYPE) && !type.startsWith(MESSAGE_TYPE + "_")) {
      throw new Malformed("MSH-9", "the message is not of the type REF^I12");
    }
    if (header.first(10).isBlank()) {
      throw new Malformed("MSH-10", "the message has no control id");
    }
  }

  private REF_I12 parse(String text) throws Malformed {
    try {
      if (new PipeParser(context).parse(text) instanceof REF_I12 referral) {
        return referral;
      }
    } catch (HL7Exception | RuntimeException e) {
      throw new Malformed("", "the message cannot be parsed as HL7 v2.5");
    }
    throw new Malformed("MSH-9", "the message is not of the type REF^I12");
  }

  /** The number of the first such segment; 0 when there is none. */
  private static int line(List<String> segments, String position) {
    if (position.startsWith("segment ")) {
      return Integer.parseInt(position, "segment ".length(), position.length(), 10);
    }
    String name = position.length() < 3 ? "none" : position.substring(0, 3);
    for (int i = 0; i < segments.size(); i++) {
      if (segments.get(i).startsWith(name)) {
        return i + 1;
      }
    }
    return 0;
  }

  private static ObjectNode record(REF_I12 message) throws Malformed {
    ObjectNode record = JsonNodeFactory.instance.objectNode();
    try {
      header(record, message.getMSH());
      referral(record.putObject("referral"), message.getRF1());
      patient(record.putObject("patient"), message.getPID());
      ArrayNode providers = record.putArray("providers");
      ArrayNode diagnoses = record.putArray("diagnoses");
      ArrayNode observations = record.putArray("observations");
      ArrayNode notes = record.putArray("notes");
      for (Segment segment : segments(message)) {
        switch (segment) {
          case PRD prd -> provider(providers.addObject(), prd);
          case DG1 dg1 -> coded(diagnoses.addObject(), dg1.getDiagnosisCodeDG1());
          case OBX obx -> observation(observations.addObject(), obx);
          case NTE nte -> note(notes, nte);
          default -> {
            // passed over
          }
        }
      }
      for (String list : List.of("providers", "diagnoses", "observations", "notes")) {
        if (record.path(list).isEmpty()) {
          record.remove(list);
        }
      }
      return record;
    } catch (HL7Exception | RuntimeException e) {
      throw new Malformed("", "the message cannot be read as REF^I12");
    }
  }

  /** All segments, also those that stand where the standard has no place for them. */
  private static List<Segment> segments(Group group) throws HL7Exception {
    List<Segment> segments = new ArrayList<>();
    for (String name : group.getNames()) {
      for (Structure structure : group.getAll(name)) {
        switch (structure) {
          case Group below -> segments.addAll(segments(below));
          case Segment segment -> segments.add(segment);
          default -> throw new HL7Exception("neither a group nor a segment");
        }
      }
    }
    return segments;
  }

  private static void header(ObjectNode record, MSH msh) throws Malformed {
    put(record, "messageId", msh.getMessageControlID(), 1);
    String sent = part(msh.getDateTimeOfMessage(), 1);
    if (sent != null) {
      record.put("sentAt", time(sent));
    }
    put(record, "sendingApplication", msh.getSendingApplication(), 1);
    put(record, "sendingFacility", msh.getSendingFacility(), 1);
    put(record, "sendingFacilityId", msh.getSendingFacility(), 2);
  }

  private static void referral(ObjectNode referral, RF1 rf1) throws Malformed {
    put(referral, "id", rf1.getOriginatingReferralIdentifier(), 1);
    put(referral, "status", rf1.getReferralStatus(), 1);
    put(referral, "priority", rf1.getReferralPriority(), 1);
    put(referral, "type", rf1.getReferralType(), 1);
    put(referral, "category", rf1.getReferralCategory(), 1);
    if (rf1.getReferralReason().length > 0) {
      put(referral, "reasonCode", rf1.getReferralReason(0), 1);
    }
    date(referral, "effectiveDate", rf1.getEffectiveDate(), "RF1-7");
    date(referral, "expirationDate", rf1.getExpirationDate(), "RF1-8");
    if (!referral.has("id")) {
      throw new Malformed("RF1-6", "the referral has no identifier");
    }
  }

  private static void patient(ObjectNode patient, PID pid) throws Malformed {
    for (CX identifier : pid.getPatientIdentifierList()) {
      String system = oid(Terser.getPrimitive(identifier, 4, 2).getValue());
      if (system.equals(FNR) || system.equals(DNR)) {
        put(patient, "identityNumber", identifier, 1);
        break;
      }
    }
    if (!patient.has("identityNumber")) {
      throw new Malformed(
          "PID-3", "the patient has no identity number with the OID " + FNR + " or " + DNR);
    }
    if (pid.getPatientName().length > 0) {
      ObjectNode name = patient.putObject("name");
      put(name, "family", pid.getPatientName(0), 1);
      put(name, "given", pid.getPatientName(0), 2);
      put(name, "middle", pid.getPatientName(0), 3);
    }
    date(patient, "birthDate", pid.getDateTimeOfBirth(), "PID-7");
  }

  private static void provider(ObjectNode provider, PRD prd) {
    if (prd.getProviderRole().length > 0) {
      put(provider, "role", prd.getProviderRole(0), 1);
    }
    if (prd.getProviderName().length > 0) {
      ObjectNode name = provider.putObject("name");
      put(name, "family", prd.getProviderName(0), 1);
      put(name, "given", prd.getProviderName(0), 2);
    }
    put(provider, "unit", prd.getProviderLocation(), 1);
    for (PLN identifier : prd.getProviderIdentifiers()) {
      String kind = part(identifier, 2);
      String number = part(identifier, 1);
      boolean organisation = "ENH".equals(kind) || oid(kind).equals(ORGANISATION);
      if (organisation && number != null && OrganisationNumber.isValid(number)) {
        provider.put("organisationNumber", number);
        break;
      }
    }
  }

  private static void note(ArrayNode notes, NTE segment) {
    String text = lines(segment.getComment());
    if (!text.isEmpty()) {
      notes.add(text);
    }
  }

  private static void observation(ObjectNode observation, OBX obx) {
    coded(observation, obx.getObservationIdentifier());
    String value = lines(obx.getObservationValue());
    if (!value.isEmpty()) {
      observation.put("value", value);
    }
    put(observation, "unit", obx.getUnits(), 1);
  }

  private static void coded(ObjectNode node, Type code) {
    put(node, "code", code, 1);
    put(node, "text", code, 2);
    put(node, "system", code, 3);
  }

  private static String lines(Type[] repetitions) {
    StringJoiner lines = new StringJoiner("\n");
    for (Type repetition : repetitions) {
      String text = part(repetition, 1);
      if (text != null) {
        lines.add(text);
      }
    }
    return lines.toString();
  }

  private static void put(ObjectNode node, String name, Type type, int component) {
    String text = part(type, component);
    if (text != null) {
      node.put(name, text);
    }
  }

  /** A component's text; null when it is empty or HL7's explicit null. */
  private static @Nullable String part(Type type, int component) {
    String text = Terser.getPrimitive(type, component, 1).getValue();
    return text == null || text.isBlank() || text.equals("\"\"") ? null : text.strip();
  }

  private static String oid(@Nullable String text) {
    String bare = text == null ? "" : text.strip();
    return bare.startsWith("urn:oid:") ? bare.substring("urn:oid:".length()) : bare;
  }

  private static void date(ObjectNode node, String name, Type type, String position)
      throws Malformed {
    String text = part(type, 1);
    if (text == null) {
      return;
    }
    Matcher parts = TIME.matcher(text);
    if (!parts.matches()) {
      throw new Malformed(position, "the date is not written YYYYMMDD");
    }
    try {
      node.put(name, day(parts).toString());
    } catch (DateTimeException e) {
      throw new Malformed(position, "there is no such day");
    }
  }

  private static String time(String text) throws Malformed {
    Matcher parts = TIME.matcher(text);
    if (!parts.matches() || parts.group(4) == null) {
      throw new Malformed("MSH-7", "the time is not written YYYYMMDDHHMMSS+ZZZZ");
    }
    try {
      int second = parts.group(6) == null ? 0 : Integer.parseInt(parts.group(6));
      LocalDateTime local =
          day(parts)
              .atTime(Integer.parseInt(parts.group(4)), Integer.parseInt(parts.group(5)), second);
      OffsetDateTime time =
          parts.group(7) == null
              ? local.atZone(OSLO).toOffsetDateTime()
              : local.atOffset(ZoneOffset.of(parts.group(7)));
      return time.toInstant().toString();
    } catch (DateTimeException e) {
      throw new Malformed("MSH-7", "there is no such time");
    }
  }

  private static LocalDate day(Matcher parts) {
    return LocalDate.of(
        Integer.parseInt(parts.group(1)),
        Integer.parseInt(parts.group(2)),
        Integer.parseInt(parts.group(3)));
  }
}
