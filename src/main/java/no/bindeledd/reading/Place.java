package no.bindeledd.reading;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import no.bindeledd.audit.Shard;

/**
 * Where the next, older page of a search begins: in each shard before an entry. Entries neither
 * move nor change, and a shard that is not named has nothing for this search: so pages stay whole
 * while the ledger grows. Immutable.
 *
 * @param before the number of an entry of each shard; those below are not given out yet
 */
public record Place(SortedMap<Shard, Long> before) {
  public Place {
    before = new TreeMap<>(before);
  }

  /**
   * Reads what {@link #toString} wrote.
   *
   * @throws IllegalArgumentException when it is something else
   */
  public static Place parse(String text) {
    SortedMap<Shard, Long> before = new TreeMap<>();
    for (String each : text.split("\\.", -1)) {
      if (!each.matches("[0-9]{1,18}")) {
        throw new IllegalArgumentException("A place is as the page before this one gave it");
      }
      // A shard's end has the number of the next shard's first entry: the last one below says
      // which.
      long number = Long.parseLong(each);
      if (before.put(Shard.of(Math.max(0, number - 1)), number) != null) {
        throw new IllegalArgumentException("A place names each shard once");
      }
    }
    return new Place(before);
  }

  /** The place behind an entry that was given out. */
  Place behind(long entry) {
    SortedMap<Shard, Long> behind = new TreeMap<>(before);
    behind.put(Shard.of(entry), entry);
    return new Place(behind);
  }

  /** Numbers with dots between; where there is one shard, its number alone. */
  @Override
  public String toString() {
    return before.entrySet().stream()
        .filter(place -> place.getValue() > place.getKey().first() || place.getKey().number() == 0)
        .map(Map.Entry::getValue)
        .map(String::valueOf)
        .collect(Collectors.joining("."));
  }
}
