package no.bindeledd.channel;

import ca.uhn.hl7v2.HL7Exception;
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
import ca.uhn.hl7v2.util.Terser;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import no.bindeledd.channel.Hl7v2Format.Malformed;
import no.bindeledd.exchange.OrganisationNumber;
import org.jspecify.annotations.Nullable;

/**
 * A referral, {@code REF^I12}, as a record.
 *
 * <p>Member by member; what the message does not have is not there:
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
 * <p>Data types are not judged beyond what the record needs. Sources: HL7 v2.5 chapter 11,
 * contracts.md § 4.
 */
final class Hl7Referral {
  private static final String OIDS = "2.16.578.1.12.4.1.4.";
  private static final String FNR = OIDS + "1";
  private static final String DNR = OIDS + "2";
  private static final String ORGANISATION = OIDS + "101";
  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");
  private static final Pattern TIME =
      Pattern.compile(
          "(\\d{4})(\\d{2})(\\d{2})(?:(\\d{2})(\\d{2})(?:(\\d{2})(?:\\.\\d{1,4})?)?)?([+-]\\d{4})?");

  private Hl7Referral() {}

  /**
   * @throws Malformed with the field when something in it cannot be read
   */
  static ObjectNode record(REF_I12 message) throws Malformed {
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
