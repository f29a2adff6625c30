package no.bindeledd.cli;

import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneId;

/** Points in time as people write them on a command line. */
final class Moments {
  private static final ZoneId OSLO = ZoneId.of("Europe/Oslo");

  private Moments() {}

  /** An instant such as 2024-08-01T10:00:00Z, or a day, which is that time of day in Oslo. */
  static Instant parse(String option, String text, LocalTime ofDay) {
    try {
      return text.contains("T")
          ? Instant.parse(text)
          : LocalDate.parse(text).atTime(ofDay).atZone(OSLO).toInstant();
    } catch (DateTimeException e) {
      throw new IllegalArgumentException(
          option
              + " is neither a day nor an instant; write it as 2024-08-01 or"
              + " 2024-08-01T10:00:00Z");
    }
  }
}
