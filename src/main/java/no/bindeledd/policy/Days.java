package no.bindeledd.policy;

import java.time.LocalDate;
import java.time.ZoneId;
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
