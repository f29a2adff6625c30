package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.policy.ConsentFact.State;
import no.bindeledd.policy.DecisionTable.Row;
import org.junit.jupiter.api.Test;

/** The decision tables leave nothing out: a rule that is added without a case fails here. */
class EveryRuleHasACaseTest {
  private static final Pattern AGE = Pattern.compile("\\bage (>=|<) (\\d+)");

  private final PolicyPack shipped = PolicyPack.read(Path.of("policies"));
  private final List<Row> rows = new ArrayList<>();
  private final List<Row> shippedRows = new ArrayList<>();

  EveryRuleHasACaseTest() throws IOException {
    for (DecisionTable table : DecisionTable.all()) {
      rows.addAll(table.rows());
      if (table.pack().startsWith("policies")) {
        shippedRows.addAll(table.rows());
      }
    }
  }

  @Test
  void everyShippedBasisCarriesInOneRowAndIsMissedInAnotherOfItsFlow() {
    Set<String> missing = new TreeSet<>();
    for (LegalBasis basis : shipped.legalBases()) {
      List<Row> flow = shippedRows.stream().filter(row -> isFor(basis, row.facts())).toList();
      boolean comesIntoForce = !Days.inForce(basis.status()).isEmpty();
      if (comesIntoForce && flow.stream().noneMatch(row -> names(row, basis) && leaves(row))) {
        missing.add(basis.reference() + " carries in no row");
      }
      boolean always = basis.consent() == LegalBasis.Consent.NONE;
      if (!always && flow.stream().allMatch(row -> names(row, basis) && goesByName(row))) {
        missing.add(basis.reference() + " is missed in no row");
      }
    }
    assertThat(missing).isEmpty();
  }

  private static boolean isFor(LegalBasis basis, Facts facts) {
    return basis.purposes().contains(facts.purpose())
        && basis.senders().contains(facts.senderKind())
        && basis.receivers().contains(facts.receiverKind());
  }

  private static boolean names(Row row, LegalBasis basis) {
    return words(row, "rules").contains(basis.reference());
  }

  @Test
  void everyDenialStandsBeforeARowWithAndOneWithoutConsent() {
    Set<String> missing = new TreeSet<>();
    for (Denial denial : shipped.denials()) {
      for (boolean consented : List.of(false, true)) {
        boolean found =
            shippedRows.stream()
                .filter(row -> given(row) == consented)
                .filter(
                    row -> denial.concerns(row.facts().senderKind(), row.facts().receiverKind()))
                .anyMatch(
                    row ->
                        Exchanges.view(row.contract(), row.cell("to")).fields().stream()
                            .anyMatch(f -> denial.categories().contains(f.category())));
        if (!found) {
          missing.add(denial.reference() + (consented ? " with consent" : " without consent"));
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  /** contracts.md § 6, the default matrix. */
  @Test
  void everyFlowOfTheMatrixHasARowWithoutAndOneWithConsent() {
    Set<String> missing = new TreeSet<>();
    List<AgencyKind> receivers =
        List.of(AgencyKind.OT, AgencyKind.NAV, AgencyKind.NAV, AgencyKind.HEALTH, AgencyKind.UDIR);
    List<AgencyKind> senders =
        List.of(AgencyKind.SCHOOL, AgencyKind.OT, AgencyKind.HEALTH, AgencyKind.NAV, AgencyKind.OT);
    for (int i = 0; i < senders.size(); i++) {
      flow(senders.get(i), receivers.get(i), missing);
    }
    flow(AgencyKind.NAV, AgencyKind.OT, missing);
    flow(AgencyKind.OT, AgencyKind.HEALTH, missing);
    assertThat(missing).isEmpty();
  }

  private void flow(AgencyKind from, AgencyKind to, Set<String> missing) {
    for (boolean consented : List.of(false, true)) {
      boolean found =
          shippedRows.stream()
              .anyMatch(
                  row ->
                      given(row) == consented
                          && row.facts().senderKind() == from
                          && row.facts().receiverKind() == to);
      if (!found) {
        missing.add(from + " → " + to + (consented ? " with consent" : " without consent"));
      }
    }
  }

  @Test
  void everyAgeInAConditionIsTriedTheDayBeforeTheDayAndTheDayAfterInWinterAndInSummer() {
    Set<String> missing = new TreeSet<>();
    for (LegalBasis basis : shipped.legalBases()) {
      Condition condition = basis.condition();
      if (condition == null) {
        continue;
      }
      Matcher age = AGE.matcher(condition.expression());
      while (age.find()) {
        for (boolean summer : List.of(false, true)) {
          for (int day = -1; day <= 1; day++) {
            if (!isTried(basis, Integer.parseInt(age.group(2)), day, summer)) {
              missing.add(basis.reference() + " " + age.group() + where(day, summer));
            }
          }
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  private boolean isTried(LegalBasis basis, int age, int day, boolean summer) {
    return shippedRows.stream()
        .map(Row::facts)
        .filter(f -> isFor(basis, f))
        .filter(f -> isSummer(f.at().atZone(Days.OSLO).toLocalDateTime()) == summer)
        .anyMatch(
            f -> {
              LocalDate born = f.birthDate();
              return born != null
                  && ChronoUnit.DAYS.between(born.plusYears(age), Days.day(f.at())) == day;
            });
  }

  @Test
  void everyAgeOfATargetGroupIsTriedTheDayBeforeTheDayAndTheDayAfterInWinterAndInSummer()
      throws IOException {
    List<String[]> tried = new ArrayList<>();
    List<String> lines = Files.readAllLines(Path.of("src/test/resources/decisions/ages/ages.csv"));
    lines.subList(1, lines.size()).forEach(line -> tried.add(line.split(";")));
    Set<String> missing = new TreeSet<>();
    for (TargetGroup group : shipped.targetGroups()) {
      if (Days.inForce(group.status()).isEmpty()) {
        continue;
      }
      TargetGroup.Ages ages = group.ages();
      List<Integer> turning = new ArrayList<>();
      for (Integer from : new Integer[] {ages.from(), ages.doubtFrom()}) {
        turning.addAll(from == null ? List.of() : List.of(from));
      }
      for (Integer through : new Integer[] {ages.through(), ages.doubtThrough()}) {
        turning.addAll(through == null ? List.of() : List.of(through + 1));
      }
      for (int age : turning) {
        boolean yearly = ages.counted() == TargetGroup.Counted.CALENDAR_YEAR;
        for (boolean summer : yearly ? List.of(false) : List.of(false, true)) {
          for (int day = -1; day <= 1; day++) {
            if (!isTried(tried, group, age, day, summer)) {
              missing.add(group.reference() + " turning " + age + where(day, summer));
            }
          }
        }
      }
    }
    assertThat(missing).isEmpty();
  }

  private static boolean isTried(
      List<String[]> tried, TargetGroup group, int age, int day, boolean summer) {
    return tried.stream()
        .filter(cells -> cells[0].equals(group.id()))
        .anyMatch(
            cells -> {
              LocalDate born = LocalDate.parse(cells[1]);
              LocalDateTime at = LocalDateTime.parse(cells[2]);
              LocalDate turns = born.plusYears(age);
              if (group.ages().counted() == TargetGroup.Counted.CALENDAR_YEAR) {
                turns = turns.withDayOfYear(1);
              }
              return ChronoUnit.DAYS.between(turns, at.toLocalDate()) == day
                  && isSummer(at) == summer
                  && Days.contains(
                      Days.windows(Days.inForce(group.status())),
                      at.atZone(Days.OSLO).toEpochSecond());
            });
  }

  /** What an act meets, in the order of a decision; each act meets each of them. */
  private enum Meets {
    STRICTLY_CONFIDENTIAL,
    CONFIDENTIAL,
    SHIELDED,
    BLOCK,
    WITHDRAWN,
    MISSING,
    GIVEN
  }

  @Test
  void everyActMeetsEverythingThatGoesBeforeItAndEveryOtherAct() {
    Set<String> missing = new TreeSet<>();
    for (HumanAct.Kind kind : HumanAct.Kind.values()) {
      EnumSet<Meets> met = EnumSet.noneOf(Meets.class);
      EnumSet<HumanAct.Kind> beside = EnumSet.noneOf(HumanAct.Kind.class);
      for (Row row : rows) {
        Facts facts = row.facts();
        if (facts.acts().stream().anyMatch(act -> act.holds(kind, facts.at()))) {
          met.addAll(meets(facts));
          facts.acts().forEach(act -> beside.add(act.kind()));
        }
      }
      EnumSet.complementOf(met).forEach(what -> missing.add(kind + " meets no " + what));
      EnumSet.complementOf(beside).forEach(act -> missing.add(kind + " stands beside no " + act));
      if (rows.stream()
          .noneMatch(
              row ->
                  row.facts().acts().stream()
                      .anyMatch(a -> a.kind() == kind && !a.holds(kind, row.facts().at())))) {
        missing.add(kind + " has run out, or is one person's too few, in no row");
      }
    }
    assertThat(missing).isEmpty();
  }

  private static EnumSet<Meets> meets(Facts facts) {
    EnumSet<Meets> met = EnumSet.noneOf(Meets.class);
    AddressGrade grade = facts.protection().grade();
    if (Plan.isStrict(facts)) {
      met.add(Meets.STRICTLY_CONFIDENTIAL);
    } else if (grade == AddressGrade.FORTROLIG) {
      met.add(Meets.CONFIDENTIAL);
    }
    if (facts.protection().shielded()) {
      met.add(Meets.SHIELDED);
    }
    for (ConsentFact consent : facts.consents()) {
      met.add(
          switch (consent.state()) {
            case GIVEN -> Meets.GIVEN;
            case WITHDRAWN -> Meets.WITHDRAWN;
            case BLOCKED -> Meets.BLOCK;
          });
    }
    if (facts.consents().isEmpty()) {
      met.add(Meets.MISSING);
    }
    return met;
  }

  private static boolean given(Row row) {
    return row.facts().consents().stream().anyMatch(c -> c.state() == State.GIVEN);
  }

  private static boolean leaves(Row row) {
    return Outcome.valueOf(row.cell("outcome")).leaves();
  }

  private static boolean goesByName(Row row) {
    return leaves(row) && !row.cell("outcome").equals(Outcome.DEIDENTIFIED.name());
  }

  private static List<String> words(Row row, String column) {
    return List.of(row.cell(column).split("\\s+"));
  }

  private static boolean isSummer(LocalDateTime at) {
    return Days.OSLO.getRules().isDaylightSavings(at.atZone(Days.OSLO).toInstant());
  }

  private static String where(int day, boolean summer) {
    return (day < 0 ? ", the day before" : day == 0 ? ", the day" : ", the day after")
        + (summer ? ", in summer" : ", in winter");
  }
}
