package no.bindeledd.audit;

import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A growing buffer of bytes that writes UTF-8, RFC 8785 string literals and the big-endian numbers
 * of PostgreSQL's binary COPY. Reused from batch to batch; not thread-safe.
 *
 * <p>What neither JSON text nor a PostgreSQL text can hold (a lone surrogate, NUL) becomes U+FFFD,
 * in both the same: an odd message id must not stop the ledger.
 */
final class CanonicalWriter {
  private static final byte[] HEX = {
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'
  };

  /**
   * 0: as it is; 'u': six characters; else the letter after the backslash. Source: RFC 8785 §
   * 3.2.2.2.
   */
  private static final byte[] ESCAPES = escapes();

  private static final byte[] LIST = {'['};
  private static final byte[] NEXT = {','};
  private static final byte[] LIST_END = {']'};

  /** Most entries of a flow share their list of fields: longer ones are written once. */
  private static final int REMEMBERED = 4;

  private final @Nullable List<?>[] lists = new List<?>[8];
  private final byte[][] written = new byte[8][];
  private int next;
  private byte[] buffer;
  private int position;

  CanonicalWriter(int capacity) {
    buffer = new byte[capacity];
  }

  byte[] buffer() {
    return buffer;
  }

  int position() {
    return position;
  }

  void reset() {
    position = 0;
  }

  byte[] toByteArray() {
    return Arrays.copyOf(buffer, position);
  }

  /** Writes bytes as they are. */
  void raw(byte[] bytes) {
    ensure(bytes.length);
    System.arraycopy(bytes, 0, buffer, position, bytes.length);
    position += bytes.length;
  }

  void int16(int value) {
    ensure(2);
    buffer[position++] = (byte) (value >>> 8);
    buffer[position++] = (byte) value;
  }

  void int32(int value) {
    ensure(4);
    position = int32At(position, value);
  }

  int int32At(int at, int value) {
    buffer[at] = (byte) (value >>> 24);
    buffer[at + 1] = (byte) (value >>> 16);
    buffer[at + 2] = (byte) (value >>> 8);
    buffer[at + 3] = (byte) value;
    return at + 4;
  }

  void int64(long value) {
    int32((int) (value >>> 32));
    int32((int) value);
  }

  /** Writes a JSON string with its quotation marks. */
  void quoted(String text) {
    ensure(text.length() * 6 + 2);
    buffer[position++] = '"';
    utf8(text, true);
    buffer[position++] = '"';
  }

  /** Writes a JSON array of strings; {@code values} is not changed any more. */
  void quoted(List<String> values) {
    for (int i = 0; i < lists.length; i++) {
      if (lists[i] == values) {
        raw(written[i]);
        return;
      }
    }
    int start = position;
    for (int i = 0; i < values.size(); i++) {
      raw(i == 0 ? LIST : NEXT);
      quoted(values.get(i));
    }
    raw(LIST_END);
    if (values.size() >= REMEMBERED) {
      int slot = next++ & (lists.length - 1);
      lists[slot] = values;
      written[slot] = Arrays.copyOfRange(buffer, start, position);
    }
  }

  /** Writes plain UTF-8. */
  void text(String text) {
    ensure(text.length() * 3);
    utf8(text, false);
  }

  /** Writes a JSON string of lower-case hexadecimal digits. */
  void quotedHex(byte[] bytes) {
    ensure(bytes.length * 2 + 2);
    buffer[position++] = '"';
    for (byte b : bytes) {
      buffer[position++] = HEX[(b >> 4) & 0xf];
      buffer[position++] = HEX[b & 0xf];
    }
    buffer[position++] = '"';
  }

  /**
   * Writes {@code "2026-09-01T10:00:00.000000Z"}: UTC, always six decimals, years 0000 to 9999. The
   * calendar arithmetic is that of Howard Hinnant's {@code civil_from_days}.
   */
  void quotedTime(long epochSecond, int micros) {
    ensure(29);
    long days = Math.floorDiv(epochSecond, 86_400L);
    int second = (int) (epochSecond - days * 86_400L);
    long z = days + 719_468;
    long era = Math.floorDiv(z, 146_097L);
    int dayOfEra = (int) (z - era * 146_097L);
    int yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
    int dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
    int shifted = (5 * dayOfYear + 2) / 153;
    int day = dayOfYear - (153 * shifted + 2) / 5 + 1;
    int month = shifted < 10 ? shifted + 3 : shifted - 9;
    int year = (int) (yearOfEra + era * 400) + (month <= 2 ? 1 : 0);
    buffer[position++] = '"';
    digits(year, 4, '-');
    digits(month, 2, '-');
    digits(day, 2, 'T');
    digits(second / 3600, 2, ':');
    digits(second / 60 % 60, 2, ':');
    digits(second % 60, 2, '.');
    digits(micros, 6, 'Z');
    buffer[position++] = '"';
  }

  private void digits(int value, int width, char after) {
    for (int i = width - 1; i >= 0; i--) {
      buffer[position + i] = (byte) ('0' + value % 10);
      value /= 10;
    }
    position += width;
    buffer[position++] = (byte) after;
  }

  /** Needs room for six bytes a character when escaping, else three. */
  private void utf8(String text, boolean escape) {
    byte[] to = buffer;
    int at = position;
    int length = text.length();
    for (int i = 0; i < length; i++) {
      char c = text.charAt(i);
      if (c < 0x80 && (ESCAPES[c] == 0 || (!escape && c != 0))) {
        to[at++] = (byte) c;
      } else if (c < 0x80 && c != 0) {
        at = escaped(to, at, c);
      } else if (c < 0x800 && c != 0) {
        to[at++] = (byte) (0xc0 | (c >> 6));
        to[at++] = (byte) (0x80 | (c & 0x3f));
      } else if (Character.isHighSurrogate(c)
          && i + 1 < length
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        int code = Character.toCodePoint(c, text.charAt(++i));
        to[at++] = (byte) (0xf0 | (code >> 18));
        to[at++] = (byte) (0x80 | ((code >> 12) & 0x3f));
        to[at++] = (byte) (0x80 | ((code >> 6) & 0x3f));
        to[at++] = (byte) (0x80 | (code & 0x3f));
      } else {
        int code = c == 0 || Character.isSurrogate(c) ? 0xfffd : c;
        to[at++] = (byte) (0xe0 | (code >> 12));
        to[at++] = (byte) (0x80 | ((code >> 6) & 0x3f));
        to[at++] = (byte) (0x80 | (code & 0x3f));
      }
    }
    position = at;
  }

  private static int escaped(byte[] to, int at, char c) {
    byte letter = ESCAPES[c];
    to[at++] = '\\';
    to[at++] = letter;
    if (letter == 'u') {
      to[at++] = '0';
      to[at++] = '0';
      to[at++] = HEX[c >> 4];
      to[at++] = HEX[c & 0xf];
    }
    return at;
  }

  private void ensure(int more) {
    if (buffer.length - position < more) {
      buffer = Arrays.copyOf(buffer, Math.max(buffer.length * 2, position + more));
    }
  }

  private static byte[] escapes() {
    byte[] escapes = new byte[0x80];
    Arrays.fill(escapes, 0, 0x20, (byte) 'u');
    escapes['\b'] = 'b';
    escapes['\t'] = 't';
    escapes['\n'] = 'n';
    escapes['\f'] = 'f';
    escapes['\r'] = 'r';
    escapes['"'] = '"';
    escapes['\\'] = '\\';
    return escapes;
  }
}
