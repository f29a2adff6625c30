package no.bindeledd.policy;

import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A stretch of Oslo calendar days.
 *
 * @param from the first day
 * @param end the day after the last; null while open-ended
 */
record Days(LocalDate from, @Nullable LocalDate end) {
  /** Law and agreements begin and end at midnight here. */
  static final ZoneId OSLO = ZoneId.of("Europe/Oslo");

  /** From the first to the last day, both included. */
  static Days inclusive(LocalDate from, @Nullable LocalDate to) {
    return new Days(from, to == null ? null : to.plusDays(1));
  }

  /** The Oslo day of an instant. */
  static LocalDate day(Instant at) {
    return LocalDate.ofInstant(at, OSLO);
  }

  /** The days on which a rule with this history is in force. */
  static List<Days> inForce(List<LegalBasis.Period> status) {
    return status.stream()
        .filter(p -> p.state() == LegalBasis.Status.IN_FORCE)
        .map(p -> inclusive(p.from(), p.to()))
        .toList();
  }

  /** The first stretch that the two have in common; null when there is none. */
  static @Nullable Days common(List<Days> some, List<Days> others) {
    for (Days mine : some) {
      for (Days theirs : others) {
        if (mine.overlaps(theirs)) {
          LocalDate end =
              mine.end == null || (theirs.end != null && theirs.end.isBefore(mine.end))
                  ? theirs.end
                  : mine.end;
          return new Days(mine.firstCommonDay(theirs), end);
        }
      }
    }
    return null;
  }

  /** First and end second of each stretch in turn, to be asked with {@link #contains}. */
  static long[] windows(List<Days> days) {
    long[] windows = new long[days.size() * 2];
    for (int i = 0; i < days.size(); i++) {
      windows[2 * i] = days.get(i).firstSecond();
      windows[2 * i + 1] = days.get(i).endSecond();
    }
    return windows;
  }

  /** Whether the second lies in one of the windows. */
  static boolean contains(long[] windows, long second) {
    for (int i = 0; i < windows.length; i += 2) {
      if (second >= windows[i] && second < windows[i + 1]) {
        return true;
      }
    }
    return false;
  }

  boolean overlaps(Days other) {
    return (end == null || other.from.isBefore(end))
        && (other.end == null || from.isBefore(other.end));
  }

  /** The first second that belongs to the stretch. */
  long firstSecond() {
    return from.atStartOfDay(OSLO).toEpochSecond();
  }

  /** The first second that no longer belongs to it. */
  long endSecond() {
    return end == null ? Long.MAX_VALUE : end.atStartOfDay(OSLO).toEpochSecond();
  }

  /** The later of the two first days, for messages. */
  LocalDate firstCommonDay(Days other) {
    return from.isAfter(other.from) ? from : other.from;
  }
}
