package no.bindeledd.channel;

import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.HapiContext;
import ca.uhn.hl7v2.model.v25.message.REF_I12;
import ca.uhn.hl7v2.parser.CanonicalModelClassFactory;
import ca.uhn.hl7v2.parser.PipeParser;
import ca.uhn.hl7v2.validation.impl.ValidationContextFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.exchange.YamlSource;

/**
 * The format {@code hl7v2}: one HL7 v2.5 referral, {@code REF^I12}, as one record. The profile may
 * say {@code messageType: REF_I12} (the only one there is) and {@code charset: UTF-8} or {@code
 * ISO-8859-1} for messages whose MSH-18 is empty.
 *
 * <p>The record is told at {@link Hl7Referral}. Segments may end with CR, LF or both; the MLLP
 * frame may be there or not. Data types are not judged beyond what the record needs, unknown
 * segments are passed over. What cannot be read is {@link Bad} with the segment's number as line
 * and its field, such as {@code PID-3}, as column. The message id is MSH-10. Sources: HL7 v2.5
 * chapter 11, contracts.md § 4.
 *
 * <p>Stateless, safe on any thread.
 */
public final class Hl7v2Format implements InputFormat {
  /** The default for the longest message: 1 MiB. */
  public static final int MAX_BYTES = 1024 * 1024;

  private static final String MESSAGE_TYPE = "REF_I12";
  private static final Pattern SEGMENT = Pattern.compile("[A-Z][A-Z0-9]{2}");

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
  static final class Malformed extends Exception {
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
      ObjectNode record = Hl7Referral.record(parse(String.join("\r", segments)));
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
}
