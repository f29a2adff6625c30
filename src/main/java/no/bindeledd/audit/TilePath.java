package no.bindeledd.audit;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Where a piece of a published log lies below the log's prefix. Immutable, safe on any thread.
 * Source: C2SP tlog-tiles.
 *
 * @param level 0 for the leaf hashes, one more for each 256 times as many entries; {@link #ENTRIES}
 *     for the entries themselves
 * @param index from 0
 * @param width hashes or entries in it: {@value #FULL}, or fewer in a partial one
 */
public record TilePath(int level, long index, int width) {
  public static final int ENTRIES = -1;
  public static final int FULL = 256;

  private static final int MAX_LEVEL = 63;
  private static final Pattern PATH =
      Pattern.compile(
          "tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/){0,5}[0-9]{3})(?:\\.p/([1-9][0-9]{0,2}))?");

  public TilePath {
    if (level < ENTRIES || level > MAX_LEVEL || index < 0 || width < 1 || width > FULL) {
      throw new IllegalArgumentException("A tile has a level to 63, an index and 1 to 256 hashes");
    }
  }

  /**
   * The tile with this index at this level in a tree of this size.
   *
   * @throws IllegalArgumentException when the tree has none
   */
  static TilePath in(long size, int level, long index) {
    long hashes = (size >>> 8 * Math.max(level, 0)) - index * FULL;
    return new TilePath(level, index, (int) Math.clamp(hashes, 0, FULL));
  }

  boolean full() {
    return width == FULL;
  }

  /** Relative, with slashes: {@code tile/0/x001/x234/067.p/8}. */
  public String path() {
    String digits = three(index);
    for (long rest = index / 1000; rest > 0; rest /= 1000) {
      digits = "x" + three(rest) + "/" + digits;
    }
    return "tile/"
        + (level == ENTRIES ? "entries" : level)
        + "/"
        + digits
        + (full() ? "" : ".p/" + width);
  }

  /** The last three digits. */
  private static String three(long number) {
    return Long.toString(1000 + number % 1000).substring(1);
  }

  /** Reads a path; null when it is not exactly in the form that {@link #path} writes. */
  public static @Nullable TilePath parse(String path) {
    Matcher matcher = PATH.matcher(path);
    if (!matcher.matches()) {
      return null;
    }
    String level = matcher.group(1);
    String width = matcher.group(3);
    long index = Long.parseLong(matcher.group(2).replaceAll("[x/]", ""));
    int hashes = width == null ? FULL : Integer.parseInt(width);
    int number = level.equals("entries") ? ENTRIES : Integer.parseInt(level);
    if (number > MAX_LEVEL || hashes > FULL || (width != null && hashes == FULL)) {
      return null;
    }
    TilePath tile = new TilePath(number, index, hashes);
    return tile.path().equals(path) ? tile : null; // no leading x000
  }
}
