package no.bindeledd.bench;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

/**
 * Reads HTTP/1.1 messages off one connection, cheaply: just enough for a peer on the same machine
 * (a length or chunks, no trailers). Not thread-safe.
 */
final class Wire {
  private final InputStream in;
  private byte[] buffer = new byte[16 * 1024];
  private int start;
  private int end;

  Wire(InputStream in) {
    this.in = in;
  }

  /**
   * Reads one message and drops its body.
   *
   * @return the first line, or null when the peer has closed the connection
   */
  @org.jspecify.annotations.Nullable
  String next() throws IOException {
    int head = endOfHead();
    if (head < 0) {
      return null;
    }
    int line = indexOf((byte) '\r', start);
    String first =
        new String(buffer, start, line - start, java.nio.charset.StandardCharsets.US_ASCII);
    int length = contentLength(head);
    boolean chunked = length < 0 && header(head, "transfer-encoding:") >= 0;
    start = head;
    if (chunked) {
      skipChunks();
    } else {
      skip(Math.max(0, length));
    }
    return first;
  }

  private void skipChunks() throws IOException {
    while (true) {
      int size = 0;
      for (int c = take(); c != '\r'; c = take()) {
        size = size * 16 + Character.digit(c, 16);
      }
      take();
      skip(size);
      take();
      take();
      if (size == 0) {
        return;
      }
    }
  }

  private void skip(int bytes) throws IOException {
    int left = bytes;
    while (left > 0) {
      if (start == end) {
        fill();
      }
      int now = Math.min(left, end - start);
      start += now;
      left -= now;
    }
  }

  private int take() throws IOException {
    if (start == end) {
      fill();
    }
    return buffer[start++];
  }

  /** Index after the empty line; -1 when nothing more comes. */
  private int endOfHead() throws IOException {
    int at = start;
    while (true) {
      for (; at + 3 < end; at++) {
        if (buffer[at] == '\r' && buffer[at + 2] == '\r' && buffer[at + 3] == '\n') {
          return at + 4;
        }
      }
      int offset = at - start;
      try {
        fill();
      } catch (EOFException e) {
        if (start == end) {
          return -1;
        }
        throw e;
      }
      at = start + offset;
    }
  }

  private void fill() throws IOException {
    if (start > 0) {
      System.arraycopy(buffer, start, buffer, 0, end - start);
      end -= start;
      start = 0;
    }
    if (end == buffer.length) {
      buffer = Arrays.copyOf(buffer, end * 2);
    }
    int read = in.read(buffer, end, buffer.length - end);
    if (read < 0) {
      throw new EOFException("The peer closed the connection");
    }
    end += read;
  }

  private int contentLength(int head) {
    int at = header(head, "content-length:");
    if (at < 0) {
      return -1;
    }
    int length = 0;
    for (; buffer[at] != '\r'; at++) {
      if (buffer[at] != ' ') {
        length = length * 10 + buffer[at] - '0';
      }
    }
    return length;
  }

  /** Index after the name of a header (lower case, with its colon); -1 when it is not there. */
  private int header(int head, String name) {
    int last = head - name.length();
    for (int line = start; line < last; line++) {
      if (buffer[line] == '\n' && matches(line + 1, name)) {
        return line + 1 + name.length();
      }
    }
    return -1;
  }

  private boolean matches(int at, String name) {
    for (int i = 0; i < name.length(); i++) {
      if (Character.toLowerCase(buffer[at + i]) != name.charAt(i)) {
        return false;
      }
    }
    return true;
  }

  private int indexOf(byte value, int from) {
    int at = from;
    while (buffer[at] != value) {
      at++;
    }
    return at;
  }
}
