package no.bindeledd.mapping;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The regular expressions that contracts are full of, such as {@code ^[0-9]{4}-[A-Z]{2,8}$},
 * without the machinery for the others: a beginning, characters or classes of ASCII characters,
 * each with a number of times, and an end or none. A yes means that the expression is found in the
 * text; a no may be wrong about a text that ends in a line break. Immutable.
 */
final class PlainPattern implements Predicate<String> {
  /** How often a character of a class, which is a set of bits by character, may come. */
  private record Part(long low, long high, int least, int most) {
    boolean has(char c) {
      return c < 64 ? (low >>> c & 1) != 0 : c < 128 && (high >>> (c - 64) & 1) != 0;
    }

    boolean meets(Part other) {
      return (low & other.low) != 0 || (high & other.high) != 0;
    }
  }

  private final Part[] parts;
  private final boolean toEnd;

  private PlainPattern(List<Part> parts, boolean toEnd) {
    this.parts = parts.toArray(Part[]::new);
    this.toEnd = toEnd;
  }

  /** Null when the expression is of another kind. */
  static @Nullable PlainPattern compile(String regex) {
    if (!regex.startsWith("^")) {
      return null;
    }
    Reader reader = new Reader(regex);
    List<Part> parts = new ArrayList<>();
    while (!reader.atEnd()) {
      Part part = reader.part();
      if (part == null) {
        return null;
      }
      parts.add(part);
    }
    // Taking as many as there are must never take what the next part needs.
    for (int i = 0; i + 1 < parts.size(); i++) {
      boolean varies = parts.get(i).least() != parts.get(i).most();
      if (varies && (parts.get(i).meets(parts.get(i + 1)) || parts.get(i + 1).least() == 0)) {
        return null;
      }
    }
    return new PlainPattern(parts, reader.anchored);
  }

  @Override
  public boolean test(String text) {
    int at = 0;
    for (Part part : parts) {
      int end = part.most() > text.length() - at ? text.length() : at + part.most();
      int from = at;
      while (at < end && part.has(text.charAt(at))) {
        at++;
      }
      if (at - from < part.least()) {
        return false;
      }
    }
    return !toEnd || at == text.length();
  }

  /** Reads an expression from behind its {@code ^}. */
  private static final class Reader {
    private static final String SPECIAL = "^$.|?*+()[]{}\\";
    private static final int MOST_TIMES = 1_000_000;

    private final String regex;
    private int at = 1;
    private boolean anchored;

    Reader(String regex) {
      this.regex = regex;
    }

    boolean atEnd() {
      if (at == regex.length() - 1 && regex.charAt(at) == '$') {
        anchored = true;
        return true;
      }
      return at >= regex.length();
    }

    @Nullable Part part() {
      long[] set = new long[2];
      char c = regex.charAt(at++);
      boolean read = c == '[' ? set(set) : SPECIAL.indexOf(c) < 0 && add(set, c, c);
      return read ? times(set) : null;
    }

    /** The inside of brackets: plain characters and ranges of them, no more. */
    private boolean set(long[] set) {
      boolean any = false;
      while (at < regex.length() && regex.charAt(at) != ']') {
        char from = regex.charAt(at++);
        char to = from;
        boolean last = at + 1 < regex.length() && regex.charAt(at + 1) == ']';
        if (at + 1 < regex.length() && regex.charAt(at) == '-' && !last) {
          to = regex.charAt(at + 1);
          at += 2;
        }
        if ("^[\\&".indexOf(from) >= 0 || "^[\\&".indexOf(to) >= 0 || !add(set, from, to)) {
          return false;
        }
        any = true;
      }
      return any && at++ < regex.length();
    }

    private static boolean add(long[] set, char from, char to) {
      if (to >= 128 || from > to) {
        return false;
      }
      for (char c = from; c <= to; c++) {
        set[c >> 6] |= 1L << (c & 63);
      }
      return true;
    }

    private @Nullable Part times(long[] set) {
      char next = at < regex.length() ? regex.charAt(at) : 0;
      int least = 1;
      int most = 1;
      switch (next) {
        case '?' -> least = 0;
        case '*' -> {
          least = 0;
          most = Integer.MAX_VALUE;
        }
        case '+' -> most = Integer.MAX_VALUE;
        case '{' -> {
          int end = regex.indexOf('}', at);
          String[] limits = end < 0 ? new String[0] : regex.substring(at + 1, end).split(",", -1);
          if (limits.length < 1 || limits.length > 2) {
            return null;
          }
          least = limit(limits[0]);
          most = limits.length == 1 ? least : limit(limits[1]);
          if (limits.length == 2 && limits[1].isEmpty()) {
            most = Integer.MAX_VALUE;
          }
          if (least < 0 || most < least) {
            return null;
          }
          at = end;
        }
        default -> {
          return new Part(set[0], set[1], 1, 1);
        }
      }
      at++;
      // A second sign changes how the first is meant.
      boolean more = at < regex.length() && "?+*{".indexOf(regex.charAt(at)) >= 0;
      return more ? null : new Part(set[0], set[1], least, most);
    }

    private static int limit(String digits) {
      try {
        int limit = digits.matches("[0-9]{1,7}") ? Integer.parseInt(digits) : -1;
        return limit > MOST_TIMES ? -1 : limit;
      } catch (NumberFormatException e) {
        return -1;
      }
    }
  }
}
