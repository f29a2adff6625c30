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
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Each age boundary of each scheme: the day before, the day and the day after, at both ends. */
class TargetGroupTest {
  private static final PolicyPack SHIPPED = PolicyPack.read(Path.of("policies"));

  @TestFactory
  List<DynamicTest> everyBoundaryIsWhereTheTableSays() throws IOException {
    List<DynamicTest> tests = new ArrayList<>();
    List<String> lines = Files.readAllLines(Path.of("src/test/resources/decisions/ages/ages.csv"));
    for (String line : lines.subList(1, lines.size())) {
      String[] cells = line.split(";");
      tests.add(
          DynamicTest.dynamicTest(
              line,
              () ->
                  assertThat(judge(cells[0], LocalDate.parse(cells[1]), cells[2]))
                      .hasToString(cells[3])));
    }
    assertThat(tests.size()).isGreaterThan(300);
    return tests;
  }

  @Test
  void whoseAgeIsUnknownIsInDoubtUnlessTheGroupTakesThem() {
    Instant at = instant("2026-09-01T12:00:00");
    assertThat(SHIPPED.membership("ips-ung").judge(null, at.getEpochSecond(), Days.day(at)))
        .isEqualTo(Condition.Verdict.IN_DOUBT);
    assertThat(SHIPPED.membership("ot").judge(null, at.getEpochSecond(), Days.day(at)))
        .isEqualTo(Condition.Verdict.TRUE);
  }

  @Test
  void theFirstOfferIsDueOnTheFiftySixthDayAndWarnedOfAWeekBefore() {
    TargetGroup.Deadline offer =
        SHIPPED
            .targetGroup("youth-effort", instant("2026-09-01T12:00:00"))
            .orElseThrow()
            .deadlines()
            .getFirst();
    LocalDate referral = LocalDate.of(2026, 9, 1);
    assertThat(offer.lastDay(referral)).isEqualTo(LocalDate.of(2026, 10, 27));
    assertThat(offer.warningDay(referral)).isEqualTo(LocalDate.of(2026, 10, 20));
    TargetGroup.Deadline inclusive =
        new TargetGroup.Deadline(offer.id(), offer.what(), 56, 49, true, null);
    assertThat(inclusive.lastDay(referral)).isEqualTo(LocalDate.of(2026, 10, 26));
  }

  @Test
  void theVersionInForceIsTheOneOfTheDay() {
    assertThat(SHIPPED.targetGroup("ot", instant("2024-07-31T23:59:59")).orElseThrow().version())
        .isEqualTo(1);
    assertThat(SHIPPED.targetGroup("ot", instant("2024-08-01T00:00:00")).orElseThrow().version())
        .isEqualTo(2);
    assertThat(SHIPPED.targetGroup("ny-giv", instant("2026-01-01T00:00:00"))).isEmpty();
    assertThat(SHIPPED.targetGroup("no-such", instant("2026-01-01T00:00:00"))).isEmpty();
  }

  @Test
  void everySchemeNamesItsSourceAndWhatIsOpenHasANote() {
    assertThat(SHIPPED.targetGroups()).hasSizeGreaterThan(14);
    assertThat(SHIPPED.targetGroups())
        .filteredOn(g -> g.ages().doubtFrom() != null || g.ages().doubtThrough() != null)
        .isNotEmpty()
        .allMatch(g -> g.note() != null && g.note().contains("[open]"));
  }

  private static Condition.Verdict judge(String group, LocalDate born, String at) {
    Instant instant = instant(at);
    return SHIPPED.membership(group).judge(born, instant.getEpochSecond(), Days.day(instant));
  }

  private static Instant instant(String oslo) {
    return LocalDateTime.parse(oslo).atZone(Days.OSLO).toInstant();
  }
}
