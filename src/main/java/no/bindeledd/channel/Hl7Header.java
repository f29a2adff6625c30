package no.bindeledd.channel;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The header of an HL7 v2 message, read without a parser: what decoding needs before parsing is
 * possible, and what an acknowledgement needs when parsing failed. Immutable.
 *
 * @param separator MSH-1
 * @param encoding MSH-2, such as {@code ^~\&}
 * @param fields MSH-3 and on, each byte as one character
 */
record Hl7Header(char separator, String encoding, List<String> fields) {
  private static final byte START_BLOCK = 0x0B;
  private static final byte END_BLOCK = 0x1C;
  private static final int FIRST_FIELD = 3;
  private static final int MAX_HEADER = 4096;

  /** The header of a body, or null when it does not begin with one. */
  static @Nullable Hl7Header of(byte[] body) {
    int start = start(body);
    int end = start;
    while (end < body.length && body[end] != '\r' && body[end] != '\n' && body[end] != END_BLOCK) {
      end++;
    }
    if (end - start < 8 || end - start > MAX_HEADER) {
      return null;
    }
    String line = new String(body, start, end - start, StandardCharsets.ISO_8859_1);
    char separator = line.charAt(3);
    if (!line.startsWith("MSH") || Character.isLetterOrDigit(separator) || separator < ' ') {
      return null;
    }
    String[] parts = line.split(Pattern.quote(String.valueOf(separator)), -1);
    String encoding = parts[1];
    boolean strange =
        encoding.length() < 4
            || encoding.length() > 5
            || encoding.chars().anyMatch(c -> Character.isLetterOrDigit(c) || c <= ' ' || c > 126)
            || encoding.chars().distinct().count() != encoding.length();
    return strange
        ? null
        : new Hl7Header(separator, encoding, Arrays.asList(parts).subList(2, parts.length));
  }

  /** Where the message begins, behind the MLLP start block and a byte order mark. */
  static int start(byte[] body) {
    int start = body.length > 0 && body[0] == START_BLOCK ? 1 : 0;
    boolean mark =
        body.length >= start + 3
            && body[start] == (byte) 0xEF
            && body[start + 1] == (byte) 0xBB
            && body[start + 2] == (byte) 0xBF;
    return mark ? start + 3 : start;
  }

  /** Where it ends, before the MLLP end block and line endings. */
  static int end(byte[] body) {
    int end = body.length;
    while (end > 0
        && (body[end - 1] == END_BLOCK || body[end - 1] == '\r' || body[end - 1] == '\n')) {
      end--;
    }
    return end;
  }

  /** A field as written, such as {@code field(10)} for MSH-10; empty when it is not there. */
  String field(int number) {
    int index = number - FIRST_FIELD;
    return index < fields.size() ? fields.get(index) : "";
  }

  /** The first component of a field. */
  String first(int number) {
    String field = field(number);
    int end = 0;
    while (end < field.length()
        && field.charAt(end) != encoding.charAt(0)
        && field.charAt(end) != encoding.charAt(1)) {
      end++;
    }
    return field.substring(0, end);
  }

  /**
   * The charset that MSH-18 names (HL7 table 0211).
   *
   * @param otherwise for an empty MSH-18
   * @return null when it names one that is not read here
   */
  @Nullable Charset charset(Charset otherwise) {
    return switch (first(18).strip()) {
      case "" -> otherwise;
      case "UNICODE UTF-8", "UTF-8", "UNICODE" -> StandardCharsets.UTF_8;
      case "8859/1", "ISO-8859-1" -> StandardCharsets.ISO_8859_1;
      case "ASCII", "ISO IR6" -> StandardCharsets.US_ASCII;
      default -> null;
    };
  }

  /** The text of a body in that charset, or null when it is not in it. */
  static @Nullable String decode(byte[] body, int start, int end, Charset charset) {
    try {
      return charset.newDecoder().decode(ByteBuffer.wrap(body, start, end - start)).toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }
}
