package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Each age boundary of each scheme: the day before, the day and the day after, at both ends. */
class TargetGroupTest {
  private static final Path AGES = Path.of("src/test/resources/decisions/ages/ages.csv");

  private final PolicyPack shipped = PolicyPack.read(Path.of("policies"));

  @Test
  void everyBoundaryIsWhereTheTableSays() throws IOException {
    List<String> wrong = new ArrayList<>();
    List<String> lines = Files.readAllLines(AGES);
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(";");
      String found = judge(cells[0], LocalDate.parse(cells[1]), cells[2]).toString();
      if (!found.equals(cells[3])) {
        wrong.add(line + " but was " + found);
      }
    }
    assertThat(wrong).isEmpty();
  }

  @Test
  void whoseAgeIsUnknownIsInDoubtUnlessTheGroupTakesThem() {
    Instant at = instant("2026-09-01T12:00:00");
    assertThat(shipped.membership("ips-ung").judge(null, at.getEpochSecond(), Days.day(at)))
        .isEqualTo(Condition.Verdict.IN_DOUBT);
    assertThat(shipped.membership("ot").judge(null, at.getEpochSecond(), Days.day(at)))
        .isEqualTo(Condition.Verdict.TRUE);
  }

  @Test
  void theFirstOfferIsDueOnTheFiftySixthDayAndWarnedOfAWeekBefore() {
    TargetGroup.Deadline offer =
        shipped
            .targetGroup("youth-effort", instant("2026-09-01T12:00:00"))
            .orElseThrow()
            .deadlines()
            .getFirst();
    LocalDate referral = LocalDate.of(2026, 9, 1);
    assertThat(offer.lastDay(referral)).isEqualTo(LocalDate.of(2026, 10, 27));
    assertThat(offer.warningDay(referral)).isEqualTo(LocalDate.of(2026, 10, 20));
    TargetGroup.Deadline inclusive =
        new TargetGroup.Deadline(offer.id(), offer.what(), 56, 49, true, true, null);
    assertThat(inclusive.lastDay(referral)).isEqualTo(LocalDate.of(2026, 10, 26));
    assertThat(inclusive.warningDay(referral)).isEqualTo(LocalDate.of(2026, 10, 19));
    TargetGroup.Deadline before =
        new TargetGroup.Deadline(offer.id(), offer.what(), 56, 49, false, false, null);
    assertThat(before.lastDay(referral)).isEqualTo(LocalDate.of(2026, 10, 26));
    assertThat(before.warningDay(referral)).isEqualTo(LocalDate.of(2026, 10, 20));
  }

  @Test
  void theVersionInForceIsTheOneOfTheDay() {
    assertThat(shipped.targetGroup("ot", instant("2024-07-31T23:59:59")).orElseThrow().version())
        .isEqualTo(1);
    assertThat(shipped.targetGroup("ot", instant("2024-08-01T00:00:00")).orElseThrow().version())
        .isEqualTo(2);
    assertThat(shipped.targetGroup("ny-giv", instant("2026-01-01T00:00:00"))).isEmpty();
    assertThat(shipped.targetGroup("no-such", instant("2026-01-01T00:00:00"))).isEmpty();
  }

  @Test
  void everySchemeNamesItsSourceAndWhatIsOpenHasANote() {
    assertThat(shipped.targetGroups()).hasSizeGreaterThan(14);
    assertThat(shipped.targetGroups())
        .filteredOn(g -> g.ages().doubtFrom() != null || g.ages().doubtThrough() != null)
        .isNotEmpty()
        .allMatch(g -> g.note() != null && g.note().contains("[open]"));
  }

  private Condition.Verdict judge(String group, LocalDate born, String at) {
    Instant instant = instant(at);
    return shipped.membership(group).judge(born, instant.getEpochSecond(), Days.day(instant));
  }

  private static Instant instant(String oslo) {
    return LocalDateTime.parse(oslo).atZone(Days.OSLO).toInstant();
  }
}
