package no.bindeledd.exchange;

import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Splits comma-separated values (RFC 4180) into rows and cells without losing where a row stands:
 * each row knows its line and its bytes. Works on the bytes, so the charset must keep ASCII in its
 * place, as UTF-8 and ISO-8859-1 do.
 *
 * <p>Exact rather than lenient: a quote opens a value only as its first character, only the
 * delimiter or the end of the line may follow a closing quote, and {@code ""} inside quotes is one
 * quote. What breaks this is a row with a {@link Fault}; reading goes on at the next line, so one
 * bad row does not take the good ones with it. Empty lines are skipped. A line ends with LF, CRLF
 * or CR.
 *
 * <p>Not thread-safe: one reader per body.
 */
public final class Csv {
  /** Why a row cannot be split. */
  public enum Fault {
    OPEN_QUOTE("a quoted value is not closed"),
    TEXT_AFTER_QUOTE("there is text between a closing quote and the delimiter"),
    QUOTE_IN_TEXT("there is a quote inside a value that is not quoted"),
    TOO_LONG("the row is too long");

    private final String text;

    Fault(String text) {
      this.text = text;
    }

    public String text() {
      return text;
    }
  }

  /**
   * One row.
   *
   * @param line where it begins, from 1
   * @param start its first byte
   * @param end the byte after its last, without the line ending
   * @param cells the values; those before the fault when there is one
   */
  public record Row(int line, int start, int end, List<String> cells, @Nullable Fault fault) {}

  private final byte[] body;
  private final byte delimiter;
  private final byte quote;
  private final Charset charset;
  private final int maxRow;

  private int position;
  private int line = 1;

  /**
   * @param from where to begin, behind a byte order mark
   * @param delimiter an ASCII character
   * @param quote another ASCII character
   * @param maxRow the longest row, in bytes
   */
  public Csv(byte[] body, int from, char delimiter, char quote, Charset charset, int maxRow) {
    this.body = body;
    this.position = from;
    this.delimiter = (byte) delimiter;
    this.quote = (byte) quote;
    this.charset = charset;
    this.maxRow = maxRow;
  }

  /** The next row, or null at the end. */
  public @Nullable Row next() {
    while (position < body.length && atLineEnd(position)) {
      passLineEnd();
    }
    if (position >= body.length) {
      return null;
    }
    int start = position;
    int startLine = line;
    List<String> cells = new ArrayList<>();
    Fault fault = cells(cells, start);
    if (fault != null) {
      position = start;
      line = startLine;
      while (position < body.length && !atLineEnd(position)) {
        position++;
      }
    }
    int end = position;
    passLineEnd();
    return new Row(startLine, start, end, cells, fault);
  }

  private @Nullable Fault cells(List<String> cells, int start) {
    while (true) {
      boolean quoted = position < body.length && body[position] == quote;
      Fault fault = quoted ? quoted(cells, start) : plain(cells, start);
      if (fault != null) {
        return fault;
      }
      if (position >= body.length || body[position] != delimiter) {
        return null;
      }
      position++;
    }
  }

  private @Nullable Fault plain(List<String> cells, int start) {
    int from = position;
    while (position < body.length && body[position] != delimiter && !atLineEnd(position)) {
      if (body[position] == quote) {
        return Fault.QUOTE_IN_TEXT;
      }
      position++;
    }
    if (position - start > maxRow) {
      return Fault.TOO_LONG;
    }
    cells.add(new String(body, from, position - from, charset));
    return null;
  }

  private @Nullable Fault quoted(List<String> cells, int start) {
    int from = ++position;
    boolean doubled = false;
    while (true) {
      if (position >= body.length) {
        return Fault.OPEN_QUOTE;
      }
      if (position - start > maxRow) {
        return Fault.TOO_LONG;
      }
      if (body[position] == quote) {
        if (position + 1 >= body.length || body[position + 1] != quote) {
          break;
        }
        doubled = true;
        position += 2;
      } else if (atLineEnd(position)) {
        passLineEnd();
      } else {
        position++;
      }
    }
    String value = new String(body, from, position - from, charset);
    position++;
    if (position < body.length && body[position] != delimiter && !atLineEnd(position)) {
      return Fault.TEXT_AFTER_QUOTE;
    }
    String one = Character.toString((char) quote);
    cells.add(doubled ? value.replace(one + one, one) : value);
    return null;
  }

  private boolean atLineEnd(int at) {
    return body[at] == '\n' || body[at] == '\r';
  }

  private void passLineEnd() {
    if (position >= body.length) {
      return;
    }
    boolean crlf =
        body[position] == '\r' && position + 1 < body.length && body[position + 1] == '\n';
    position += crlf ? 2 : 1;
    line++;
  }
}
