package no.bindeledd.gate;

import java.util.Collection;
import org.jspecify.annotations.Nullable;

/** Words of a file in a message: short, printable, and the nearest known one for a misspelling. */
final class Words {
  private static final int SHOWN = 60;

  private Words() {}

  /** The text with anything unprintable replaced, cut to a readable length. */
  static String quotable(String text) {
    StringBuilder shown = new StringBuilder();
    text.codePoints()
        .limit(SHOWN)
        .map(c -> c >= ' ' && c < 127 || Character.isLetterOrDigit(c) ? c : '?')
        .forEach(shown::appendCodePoint);
    return text.codePointCount(0, text.length()) > SHOWN ? shown + "..." : shown.toString();
  }

  /** The known word that is at most a third of its letters away; null when none is. */
  static @Nullable String nearest(String word, Collection<String> known) {
    String best = null;
    int least = Integer.MAX_VALUE;
    for (String candidate : known) {
      int distance = distance(word, candidate);
      if (distance < least && distance <= Math.max(1, candidate.length() / 3)) {
        least = distance;
        best = candidate;
      }
    }
    return best;
  }

  /** Levenshtein distance, ignoring case; long words count as far away. */
  private static int distance(String a, String b) {
    if (a.length() > SHOWN) {
      return Integer.MAX_VALUE;
    }
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        boolean same =
            Character.toLowerCase(a.charAt(i - 1)) == Character.toLowerCase(b.charAt(j - 1));
        int cost = Math.min(Math.min(row[j], row[j - 1]) + 1, diagonal + (same ? 0 : 1));
        diagonal = row[j];
        row[j] = cost;
      }
    }
    return row[b.length()];
  }
}
