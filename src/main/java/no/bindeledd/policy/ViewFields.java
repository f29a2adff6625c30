package no.bindeledd.policy;

import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import no.bindeledd.exchange.Contract.Field;
import org.jspecify.annotations.Nullable;

/**
 * The fields of a view, with each data category as one bit of a {@code long}. Immutable but for the
 * memo of withheld sets; safe on any thread.
 */
final class ViewFields {
  /** Say who, not what. Alone they would tell that a relation exists, and nothing else. */
  static final Set<String> WHO = Set.of("IDENTITY", "NAME", "CONTACT");

  /** A consent is given by name: what it itemises, it itemises about a named person. */
  private static final Set<String> NAMED = Set.of("IDENTITY", "NAME");

  private static final int MAX_CATEGORIES = 64;

  private record Shape(long allowed, boolean anonymous, boolean strip, @Nullable Accord accord) {}

  private final List<Field> fields;
  private final String[] categories;
  private final long all;
  private final long named;
  private final ConcurrentHashMap<Shape, Set<String>> withheld = new ConcurrentHashMap<>();

  ViewFields(List<Field> fields) {
    this.fields = fields;
    this.categories =
        fields.stream()
            .map(Field::category)
            .filter(c -> !c.equals(Plan.REFERENCE))
            .distinct()
            .sorted()
            .toArray(String[]::new);
    if (categories.length > MAX_CATEGORIES) {
      throw new IllegalArgumentException(
          "A view has more than " + MAX_CATEGORIES + " data categories");
    }
    this.all = maskOf(Set.of(categories));
    this.named = maskOf(NAMED);
  }

  List<Field> list() {
    return fields;
  }

  /** Every category of the view. */
  long all() {
    return all;
  }

  long bit(String category) {
    return 1L << Arrays.binarySearch(categories, category);
  }

  long maskOf(Set<String> set) {
    long mask = 0;
    for (int i = 0; i < categories.length; i++) {
      if (set.contains(categories[i])) {
        mask |= 1L << i;
      }
    }
    return mask;
  }

  /** What a consent covers. */
  long coveredBy(ConsentFact consent, boolean itemised) {
    if (consent.categories().isEmpty()) {
      return itemised ? 0 : -1L;
    }
    return maskOf(consent.categories()) | named;
  }

  /** What a block stops. */
  long stoppedBy(ConsentFact block) {
    return block.categories().isEmpty() ? -1L : maskOf(block.categories());
  }

  /**
   * Categories that a message is about; when it is only about who, then those.
   *
   * @param permitted the paths that count; null for all
   */
  long substance(boolean unlocated, @Nullable Set<String> permitted) {
    long what = 0;
    long anything = 0;
    for (Field f : fields) {
      boolean counts = permitted == null || permitted.contains(f.path());
      if (f.category().equals(Plan.REFERENCE) || !counts || (unlocated && f.locating())) {
        continue;
      }
      long bit = bit(f.category());
      anything |= bit;
      if (!f.identifier() && !WHO.contains(f.category())) {
        what |= bit;
      }
    }
    return what != 0 ? what : anything;
  }

  /** Categories that say something even without identifiers and free text. */
  long anonymous(boolean unlocated, @Nullable Set<String> permitted) {
    long mask = 0;
    for (Field f : fields) {
      boolean says = !f.category().equals(Plan.REFERENCE) && !WHO.contains(f.category());
      boolean counts = permitted == null || permitted.contains(f.path());
      if (says && counts && !f.identifier() && !f.freeText() && !(unlocated && f.locating())) {
        mask |= bit(f.category());
      }
    }
    return mask;
  }

  /**
   * The paths that stay.
   *
   * @param accord whose allow-list of fields counts; null when no agreement is asked
   */
  Set<String> withheld(long allowed, boolean anonymous, boolean strip, @Nullable Accord accord) {
    Shape shape = new Shape(allowed & all, anonymous, strip, accord);
    Set<String> known = withheld.get(shape);
    return known != null ? known : withheld.computeIfAbsent(shape, this::computeWithheld);
  }

  private Set<String> computeWithheld(Shape shape) {
    Set<String> permitted = shape.accord() == null ? null : shape.accord().fields();
    Set<String> stay = new LinkedHashSet<>();
    for (Field f : fields) {
      boolean reference = f.category().equals(Plan.REFERENCE);
      boolean covered = reference || (shape.allowed() & bit(f.category())) != 0;
      boolean listed = reference || permitted == null || permitted.contains(f.path());
      boolean revealing =
          shape.anonymous() && (f.identifier() || f.freeText() || WHO.contains(f.category()));
      if (!covered || !listed || revealing || (shape.strip() && f.locating())) {
        stay.add(f.path());
      }
    }
    return Set.copyOf(stay);
  }
}
