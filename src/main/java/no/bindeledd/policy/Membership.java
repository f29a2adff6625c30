package no.bindeledd.policy;

import java.time.LocalDate;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Whether somebody belongs to a target group on a day, by the version then in force. Immutable. */
final class Membership {
  private record Version(TargetGroup group, long[] windows) {}

  private final Version[] versions;

  private Membership(Version[] versions) {
    this.versions = versions;
  }

  static Membership of(String id, List<TargetGroup> groups) {
    return new Membership(
        groups.stream()
            .filter(group -> group.id().equals(id))
            .map(group -> new Version(group, Days.windows(Days.inForce(group.status()))))
            .toArray(Version[]::new));
  }

  Optional<TargetGroup> inForce(long second) {
    for (Version version : versions) {
      if (Days.contains(version.windows(), second)) {
        return Optional.of(version.group());
      }
    }
    return Optional.empty();
  }

  /** False on a day on which no version is in force: there is no such scheme. */
  Condition.Verdict judge(@Nullable LocalDate birthDate, long second, LocalDate today) {
    for (Version version : versions) {
      if (Days.contains(version.windows(), second)) {
        return version.group().ages().judge(birthDate, today);
      }
    }
    return Condition.Verdict.FALSE;
  }
}
