package no.bindeledd.policy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Something read, and where it stands. */
record Placed<T>(T value, Entry entry) {

  /** Reports each entry whose {@code id@version} stands before; returns the others. */
  static <T> List<Placed<T>> withoutTwins(
      String what, List<Placed<T>> all, Function<T, String> reference) {
    Map<String, Placed<T>> seen = new HashMap<>();
    List<Placed<T>> once = new ArrayList<>();
    for (Placed<T> placed : all) {
      String name = reference.apply(placed.value());
      Placed<T> twin = seen.putIfAbsent(name, placed);
      if (twin == null) {
        once.add(placed);
      } else {
        placed
            .entry()
            .problem(
                "/version",
                what + " " + name + " already stands in " + twin.entry().place(),
                "give it the next version, or remove one");
      }
    }
    return once;
  }

  /** Reports each pair of versions of one id that are in force on the same day. */
  static <T> void checkOneInForce(
      List<Placed<T>> all,
      Function<T, String> id,
      Function<T, String> reference,
      Function<T, List<LegalBasis.Period>> status) {
    for (int i = 0; i < all.size(); i++) {
      for (int j = 0; j < i; j++) {
        T mine = all.get(i).value();
        T theirs = all.get(j).value();
        if (!id.apply(mine).equals(id.apply(theirs))) {
          continue;
        }
        Days both =
            Days.common(Days.inForce(status.apply(mine)), Days.inForce(status.apply(theirs)));
        if (both != null) {
          all.get(i)
              .entry()
              .problem(
                  "/status",
                  "Two versions are in force on "
                      + both.from()
                      + ": "
                      + reference.apply(mine)
                      + " and "
                      + reference.apply(theirs),
                  "end one the day before the other begins");
        }
      }
    }
  }
}
