package no.bindeledd.channel;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.List;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.exchange.Text;
import no.bindeledd.person.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * Writes the answer to an HL7 v2 message: {@code ACK^I12} with MSA, and ERR when there is more to
 * say than "accepted". It goes to the sender only, and repeats from the message nothing but header
 * fields, so that it can also answer what could not be parsed.
 *
 * <p>MSA-1 is the code, MSA-2 the message's MSH-10 (empty when there was none). ERR-2 is the place,
 * ERR-3 the HL7 error (table 0357), ERR-4 the severity, ERR-5 the {@link ReasonCode}, ERR-7 the
 * English and ERR-8 the Norwegian text. The charset is the message's when it is one that is read
 * here, else UTF-8. No MLLP frame.
 *
 * <p>Stateless, safe on any thread. Source: HL7 v2.5 chapter 2.
 */
public final class Hl7Acknowledgement {
  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMddHHmmssxx");
  private static final Hl7Header UNKNOWN = new Hl7Header('|', "^~\\&", List.of());
  private static final int CONTROL_ID_BYTES = 10;
  private static final int MAX_ECHO = 200;

  /** MSA-1, the acknowledgement code. */
  public enum Code {
    /** Application accept: it is durable; a held message is one of these. */
    AA,
    /** Application error: the content is wrong; sending it again unchanged does not help. */
    AE,
    /** Application reject: not now, or not by this sender. */
    AR
  }

  private final InstantSource clock;

  public Hl7Acknowledgement(InstantSource clock) {
    this.clock = clock;
  }

  /** The same with the reason's own words. */
  public byte[] write(byte[] original, Code code, ReasonCode reason) {
    return write(original, code, reason, reason.text(), null);
  }

  /**
   * Writes an acknowledgement.
   *
   * @param original the message as it came
   * @param text what a person should read; no values from the message
   * @param position where the error is, such as {@code PID-3}, or null
   */
  public byte[] write(
      byte[] original, Code code, ReasonCode reason, Text text, @Nullable String position) {
    Hl7Header found = Hl7Header.of(original);
    Hl7Header header = found == null ? UNKNOWN : found;
    boolean latin = StandardCharsets.ISO_8859_1.equals(header.charset(StandardCharsets.UTF_8));
    Charset charset = latin ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8;
    String encoding = header.encoding();
    String component = encoding.substring(0, 1);
    String field = String.valueOf(header.separator());
    String us = "BINDELEDD";
    StringBuilder out = new StringBuilder(512);
    out.append("MSH").append(field).append(encoding);
    for (String value :
        List.of(
            found == null ? us : echo(header, 5, charset),
            echo(header, 6, charset),
            echo(header, 3, charset),
            echo(header, 4, charset),
            TIME.format(clock.instant().atZone(OSLO)),
            "",
            String.join(component, "ACK", "I12", "ACK"),
            controlId(original, code),
            header.field(11).isEmpty() ? "P" : echo(header, 11, charset),
            "2.5",
            "",
            "",
            "",
            "",
            "",
            latin ? "8859/1" : "UNICODE UTF-8")) {
      out.append(field).append(value);
    }
    out.append("\rMSA").append(field).append(code).append(field).append(echo(header, 10, charset));
    out.append('\r');
    if (code != Code.AA || reason != ReasonCode.RELEASED) {
      error(out, header, code, reason, text, position);
    }
    return out.toString().getBytes(charset);
  }

  private static void error(
      StringBuilder out,
      Hl7Header header,
      Code code,
      ReasonCode reason,
      Text text,
      @Nullable String position) {
    String field = String.valueOf(header.separator());
    String component = header.encoding().substring(0, 1);
    out.append("ERR").append(field).append(field);
    out.append(location(position, component));
    out.append(field).append(hl7Error(code, reason, component));
    out.append(field).append(code == Code.AA ? "I" : "E");
    out.append(field).append(reason.name());
    out.append(field);
    out.append(field).append(escape(text.en(), header));
    out.append(field).append(escape(text.nb(), header));
    out.append('\r');
  }

  /** {@code PID-3} as an ERL: segment, sequence, field. */
  private static String location(@Nullable String position, String component) {
    if (position == null || !position.matches("[A-Z][A-Z0-9]{2}(-[0-9]{1,2})?")) {
      return "";
    }
    String segment = position.substring(0, 3);
    return position.length() == 3
        ? segment
        : String.join(component, segment, "1", position.substring(4));
  }

  private static String hl7Error(Code code, ReasonCode reason, String component) {
    String error = code == Code.AA ? "0 Message accepted" : hl7Error(reason);
    int space = error.indexOf(' ');
    return String.join(component, error.substring(0, space), error.substring(space + 1), "HL70357");
  }

  private static String hl7Error(ReasonCode reason) {
    return switch (reason) {
      case SCHEMA_VIOLATION, MALFORMED, WRONG_CHARSET, TOO_LARGE -> "102 Data type error";
      case UNKNOWN_CODE -> "103 Table value not found";
      case MESSAGE_ID_REUSED -> "205 Duplicate key identifier";
      case NOT_FOUND,
          INVALID_IDENTITY_NUMBER,
          SYNTHETIC_IDENTITY_NUMBER,
          FICTITIOUS_IDENTITY_NUMBER ->
          "204 Unknown key identifier";
      default -> "207 Application internal error";
    };
  }

  /** A header field as the sender wrote it, which is encoded already; shortened when absurd. */
  private static String echo(Hl7Header header, int number, Charset charset) {
    String value = header.field(number);
    return value.length() > MAX_ECHO
        ? ""
        : new String(value.getBytes(StandardCharsets.ISO_8859_1), charset);
  }

  private static String escape(String text, Hl7Header header) {
    String encoding = header.encoding();
    char escape = encoding.charAt(2);
    StringBuilder out = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      char letter = 0;
      if (c == header.separator()) {
        letter = 'F';
      } else if (c == encoding.charAt(0)) {
        letter = 'S';
      } else if (c == encoding.charAt(1)) {
        letter = 'R';
      } else if (c == escape) {
        letter = 'E';
      } else if (c == encoding.charAt(3)) {
        letter = 'T';
      }
      if (letter != 0) {
        out.append(escape).append(letter).append(escape);
      } else {
        out.append(c < ' ' ? ' ' : c);
      }
    }
    return out.toString();
  }

  /** The same message answered in the same way has the same answer. */
  private static String controlId(byte[] original, Code code) {
    byte[] hash = Sha256.of(new byte[] {(byte) code.ordinal()}, original);
    return HexFormat.of().formatHex(hash, 0, CONTROL_ID_BYTES);
  }
}
