package no.bindeledd.policy;

import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import no.bindeledd.exchange.Text;
import org.jspecify.annotations.Nullable;

/**
 * The words that contracts, bases, agreements and consents share: purposes and data categories. A
 * word that is not here is misspelt. Immutable; read from {@code policies/vocabulary/*.yaml}.
 */
public final class Vocabulary {
  /** What a word is. */
  public enum Sort {
    PURPOSE,
    CATEGORY
  }

  /**
   * A word.
   *
   * @param special a special category of personal data (GDPR article 9): it needs an article 9
   */
  public record Word(Sort sort, String code, boolean special, Text text) {}

  private final Map<String, Word> purposes = new TreeMap<>();
  private final Map<String, Word> categories = new TreeMap<>();

  Vocabulary(Collection<Word> words) {
    words.forEach(word -> of(word.sort()).put(word.code(), word));
  }

  private Map<String, Word> of(Sort sort) {
    return sort == Sort.PURPOSE ? purposes : categories;
  }

  boolean has(Sort sort, String code) {
    return of(sort).containsKey(code) || (sort == Sort.CATEGORY && code.equals(Plan.REFERENCE));
  }

  boolean isSpecial(String category) {
    Word word = categories.get(category);
    return word != null && word.special();
  }

  /** All words of a sort. */
  public Set<String> codes(Sort sort) {
    return Set.copyOf(of(sort).keySet());
  }

  /** What a category is, in both languages; the code itself when it is unknown. */
  public Text category(String code) {
    Word word = categories.get(code);
    return word == null ? new Text(code, code) : word.text();
  }

  /** What a purpose is, in both languages; the code itself when it is unknown. */
  public Text purpose(String code) {
    Word word = purposes.get(code);
    return word == null ? new Text(code, code) : word.text();
  }

  /** What to do about a word that is not here. */
  String remedy(Sort sort, String code) {
    String nearest = nearest(of(sort).keySet(), code);
    return (nearest == null ? "" : "write " + nearest + ", or ")
        + "add "
        + code
        + " to vocabulary/ with a sentence about it";
  }

  /** The known word that is at most a third of its letters away; null when none is. */
  private static @Nullable String nearest(Collection<String> known, String code) {
    String best = null;
    int least = Integer.MAX_VALUE;
    for (String word : known) {
      int distance = distance(code, word);
      if (distance < least && distance <= Math.max(1, word.length() / 3)) {
        best = word;
        least = distance;
      }
    }
    return best;
  }

  /** Levenshtein's. */
  private static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int cost =
            Math.min(
                Math.min(row[j], row[j - 1]) + 1,
                diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1));
        diagonal = row[j];
        row[j] = cost;
      }
    }
    return row[b.length()];
  }
}
