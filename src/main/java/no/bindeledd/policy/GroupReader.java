package no.bindeledd.policy;

import java.time.Period;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.YamlSchema;
import no.bindeledd.policy.TargetGroup.Ages;
import no.bindeledd.policy.TargetGroup.Counted;
import org.jspecify.annotations.Nullable;

/** Reads target groups, and checks each against itself. Used once, by one thread. */
final class GroupReader {
  static final YamlSchema SCHEMA = YamlSchema.ofResource("/schema/target-group.schema.json");

  final List<Placed<TargetGroup>> groups = new ArrayList<>();

  void group(Entry entry) {
    int before = entry.problems().size();
    List<TargetGroup.Duration> durations = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Entry duration : entry.list("durations")) {
      once(duration, names);
      String extension = duration.optional("extension");
      durations.add(
          new TargetGroup.Duration(
              duration.line("id"),
              duration.text("of"),
              Period.parse(duration.line("longest")),
              extension == null ? null : Period.parse(extension)));
    }
    List<TargetGroup.Deadline> deadlines = new ArrayList<>();
    for (Entry deadline : entry.list("deadlines")) {
      once(deadline, names);
      deadlines.add(deadline(deadline));
    }
    TargetGroup group =
        new TargetGroup(
            entry.line("id"),
            entry.number("version"),
            entry.text("title"),
            entry.periods(),
            ages(entry.child("ages")),
            List.copyOf(durations),
            List.copyOf(deadlines),
            entry.line("source"),
            entry.optional("note"));
    if (entry.problems().size() == before) {
      groups.add(new Placed<>(group, entry));
    }
  }

  private static void once(Entry entry, Set<String> names) {
    if (!names.add(entry.line("id"))) {
      entry.problem(
          "/id", "The id '" + entry.line("id") + "' stands twice", "give each its own name");
    }
  }

  private static TargetGroup.Deadline deadline(Entry entry) {
    int days = entry.number("days");
    int warning = entry.number("warning");
    if (warning >= days) {
      entry.problem(
          "/warning",
          "The warning on day " + warning + " does not come before day " + days,
          "write a day from 1 to " + (days - 1));
    }
    return new TargetGroup.Deadline(
        entry.line("id"),
        entry.text("what"),
        days,
        warning,
        entry.flag("startCounts"),
        !entry.has("lastDayCounts") || entry.flag("lastDayCounts"),
        entry.optional("note"));
  }

  private static Ages ages(Entry entry) {
    Integer from = entry.optionalNumber("from");
    Integer through = entry.optionalNumber("through");
    Integer doubtFrom = entry.optionalNumber("doubtFrom");
    Integer doubtThrough = entry.optionalNumber("doubtThrough");
    if (from != null && through != null && through < from) {
      entry.problem(
          "/through",
          "The oldest age " + through + " is below the youngest " + from,
          "write an age from " + from + " on");
    }
    checkDoubt(entry, "doubtFrom", from, doubtFrom, -1);
    checkDoubt(entry, "doubtThrough", through, doubtThrough, 1);
    return new Ages(
        entry.choice("counted", Counted.class),
        from,
        through,
        doubtFrom,
        doubtThrough,
        entry.flag("unknownBelongs"));
  }

  /** Doubt lies outside the bound it is about: below the youngest age, above the oldest. */
  private static void checkDoubt(
      Entry entry, String key, @Nullable Integer bound, @Nullable Integer doubt, int outwards) {
    if (doubt != null && (bound == null || (doubt - bound) * outwards <= 0)) {
      entry.problem(
          "/" + key,
          key + " is " + doubt + ", which is not outside the bound that it doubts",
          outwards < 0
              ? "write an age below from, or remove it"
              : "write an age above through, or remove it");
    }
  }
}
