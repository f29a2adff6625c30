package no.bindeledd.policy;

import java.time.LocalDate;
import java.time.Period;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;
import no.bindeledd.exchange.Text;
import org.jspecify.annotations.Nullable;

/**
 * Whom a scheme is for, one dated version of it: ages, longest durations and deadlines (domain.md §
 * 4). Ages are counted from the birth date in the record, in Oslo calendar days, and never from the
 * identity number. Immutable; read from {@code policies/target-groups/*.yaml}.
 *
 * @param version from 1; at most one version of an id is in force on a day
 * @param status its history, oldest first
 * @param durations how long the scheme lasts at most
 * @param deadlines what must be done within how many days
 * @param note what the sources leave open; null when nothing
 */
public record TargetGroup(
    String id,
    int version,
    Text title,
    List<LegalBasis.Period> status,
    Ages ages,
    List<Duration> durations,
    List<Deadline> deadlines,
    String source,
    @Nullable String note) {

  /** How an age bound is counted. */
  public enum Counted {
    /** From one birthday to the day before another. */
    BIRTHDAY,
    /** From 1 January of the year of one birthday to 31 December of the year of another. */
    CALENDAR_YEAR
  }

  /**
   * The ages.
   *
   * @param from the youngest age; null for none
   * @param through the oldest age, included; null for none
   * @param doubtFrom where the sources disagree about the youngest age, the lowest they name; from
   *     it to {@code from} a person decides. Null when they agree
   * @param doubtThrough the same about the oldest age
   * @param unknownBelongs somebody without a birth date in the record belongs; else it is in doubt
   */
  public record Ages(
      Counted counted,
      @Nullable Integer from,
      @Nullable Integer through,
      @Nullable Integer doubtFrom,
      @Nullable Integer doubtThrough,
      boolean unknownBelongs) {

    Condition.Verdict judge(@Nullable LocalDate birthDate, LocalDate today) {
      if (birthDate == null) {
        return unknownBelongs ? Condition.Verdict.TRUE : Condition.Verdict.IN_DOUBT;
      }
      long age =
          counted == Counted.BIRTHDAY
              ? ChronoUnit.YEARS.between(birthDate, today)
              : today.getYear() - birthDate.getYear();
      if ((from == null || age >= from) && (through == null || age <= through)) {
        return Condition.Verdict.TRUE;
      }
      boolean tooYoungForAnyone = from != null && age < (doubtFrom == null ? from : doubtFrom);
      boolean tooOldForAnyone =
          through != null && age > (doubtThrough == null ? through : doubtThrough);
      return tooYoungForAnyone || tooOldForAnyone
          ? Condition.Verdict.FALSE
          : Condition.Verdict.IN_DOUBT;
    }
  }

  /**
   * A longest duration.
   *
   * @param of what lasts so long
   * @param extension how much may be added; null for nothing
   */
  public record Duration(String id, Text of, Period longest, @Nullable Period extension) {}

  /**
   * A deadline in Oslo calendar days.
   *
   * @param days how many
   * @param warning the day of the count on which somebody is warned, before {@code days}
   * @param startCounts whether the day it starts is day 1; else the day after is
   * @param lastDayCounts whether the last day of the count is in time; else the day before is the
   *     last
   * @param note what the sources leave open; null when nothing
   */
  public record Deadline(
      String id,
      Text what,
      int days,
      int warning,
      boolean startCounts,
      boolean lastDayCounts,
      @Nullable String note) {

    /** The last day on which it is kept. */
    public LocalDate lastDay(LocalDate start) {
      return day(start, lastDayCounts ? days : days - 1);
    }

    /** The day of the warning. */
    public LocalDate warningDay(LocalDate start) {
      return day(start, warning);
    }

    private LocalDate day(LocalDate start, int number) {
      return start.plusDays(startCounts ? number - 1 : number);
    }
  }

  /** The deadline with this id. */
  Optional<Deadline> deadline(String rule) {
    return deadlines.stream().filter(deadline -> deadline.id().equals(rule)).findFirst();
  }

  /** {@code id@version}. */
  public String reference() {
    return id + "@" + version;
  }
}
