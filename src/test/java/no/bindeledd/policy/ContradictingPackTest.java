package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ContractReader;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * Entries that fit their schema and not each other; the whole pack is refused, with exact words.
 */
class ContradictingPackTest {
  private static final Map<String, String> WHOLE = new TreeMap<>();

  static {
    WHOLE.put(
        "vocabulary",
        """
        - {purpose: FOLLOW_UP, text: {nb: f, en: f}}
        - {category: IDENTITY, text: {nb: i, en: i}}
        - {category: ABSENCE, text: {nb: f, en: a}}
        - {category: LIST_CODE, text: {nb: l, en: l}}
        - {category: LIST_PRESENCE, text: {nb: l, en: l}}
        - {category: ILLNESS, special: true, text: {nb: s, en: i}}
        """);
    WHOLE.put(
        "target-groups",
        """
        - id: young
          version: 1
          title: {nb: Unge, en: Young}
          status: [{state: IN_FORCE, from: 2020-01-01}]
          ages: {counted: BIRTHDAY, from: 16, through: 24, doubtFrom: 15, doubtThrough: 25}
          durations: [{id: course, of: {nb: k, en: c}, longest: P1Y}]
          deadlines: [{id: offer, what: {nb: t, en: o}, days: 56, warning: 49}]
          source: test
        """);
    WHOLE.put(
        "legal-bases",
        """
        - id: rule
          version: 1
          statute: Act § 1
          text: {nb: Regel., en: Rule.}
          status: [{state: IN_FORCE, from: 2024-01-01}]
          senders: [SCHOOL]
          receivers: [OT]
          purposes: [FOLLOW_UP]
          categories: [IDENTITY, ABSENCE]
          confidentialityRelease: {nb: Regel., en: Rule.}
          gdprBasis: {article6: 6(1)(e)}
          consent: NONE
          necessity: {nb: N., en: N.}
          targetGroup: young
          source: test
        """);
    WHOLE.put(
        "denials",
        """
        - id: never
          version: 1
          statute: Act § 9
          text: {nb: Aldri., en: Never.}
          status: [{state: IN_FORCE, from: 2020-01-01}]
          senders: [SCHOOL]
          categories: [ILLNESS]
          source: test
        """);
    WHOLE.put(
        "agreements",
        """
        - id: frame
          version: 1
          title: {nb: Ramme, en: Frame}
          level: CENTRAL
          status: [{state: SIGNED, from: 2024-01-01}]
          valid: {from: 2024-01-01, to: 2026-12-31}
          parties: [{organisation: "311000004", level: CENTRAL}, {organisation: "311013572", level: CENTRAL}]
          clauses: []
          source: test
        - id: local
          version: 1
          title: {nb: Lokal, en: Local}
          level: LOCAL_OFFICE
          parent: frame
          targetGroups: [young]
          statusReply: CODE
          status: [{state: SIGNED, from: 2025-01-01}]
          valid: {from: 2025-01-01, to: 2026-12-31}
          parties: [{organisation: "311000004", level: COUNTY}, {organisation: "311013572", level: COUNTY}]
          clauses:
            - {number: "1", exchange: dropout-notice, to: "311013572", categories: [IDENTITY, LIST_CODE], bindingness: KAN, text: {nb: K., en: M.}}
          retention: P1Y
          source: test
        """);
  }

  private static String part(String name) {
    return java.util.Objects.requireNonNull(WHOLE.get(name));
  }

  private record Break(String name, String part, String old, String replacement, String finding) {}

  private static final List<Break> BREAKS =
      List.of(
          new Break(
              "a misspelt category in a basis",
              "legal-bases",
              "ABSENCE",
              "ABSENSE",
              "legal-bases:9: There is no data category 'ABSENSE'; write ABSENCE, or add ABSENSE to"
                  + " vocabulary/ with a sentence about it"),
          new Break(
              "a misspelt purpose",
              "legal-bases",
              "FOLLOW_UP",
              "FOLOW_UP",
              "legal-bases:8: There is no purpose 'FOLOW_UP'; write FOLLOW_UP, or add FOLOW_UP to"
                  + " vocabulary/ with a sentence about it"),
          new Break(
              "a category that is like no other",
              "agreements",
              "LIST_CODE]",
              "WEATHER]",
              "agreements:21: There is no data category 'WEATHER'; add WEATHER to vocabulary/ with a"
                  + " sentence about it"),
          new Break(
              "a misspelt category in a denial",
              "denials",
              "ILLNESS",
              "ILNESS",
              "denials:7: There is no data category 'ILNESS'; write ILLNESS, or add ILNESS to"
                  + " vocabulary/ with a sentence about it"),
          new Break(
              "a word twice",
              "vocabulary",
              "category: ABSENCE",
              "category: IDENTITY",
              "vocabulary:3: The category IDENTITY stands twice; keep one of them"),
          new Break(
              "a word that is neither",
              "vocabulary",
              "purpose: FOLLOW_UP, ",
              "purpose: FOLLOW_UP, category: LIST_X, ",
              "vocabulary:1: The word is not either a purpose or a category; write one of the two"),
          new Break(
              "an unknown target group in a basis",
              "legal-bases",
              "targetGroup: young",
              "targetGroup: old",
              "legal-bases:14: There is no target group 'old'; write one of young, or add it to"
                  + " target-groups/"),
          new Break(
              "an unknown target group in an agreement",
              "agreements",
              "[young]",
              "[yuong]",
              "agreements:15: There is no target group 'yuong'; write one of young, or add it to"
                  + " target-groups/"),
          new Break(
              "ages that end before they begin",
              "target-groups",
              "through: 24",
              "through: 14",
              "target-groups:5: The oldest age 14 is below the youngest 16; write an age from 16"
                  + " on"),
          new Break(
              "doubt inside the youngest age",
              "target-groups",
              "doubtFrom: 15",
              "doubtFrom: 16",
              "target-groups:5: doubtFrom is 16, which is not outside the bound that it doubts;"
                  + " write an age below from, or remove it"),
          new Break(
              "doubt inside the oldest age",
              "target-groups",
              "doubtThrough: 25",
              "doubtThrough: 24",
              "target-groups:5: doubtThrough is 24, which is not outside the bound that it doubts;"
                  + " write an age above through, or remove it"),
          new Break(
              "a warning after the deadline",
              "target-groups",
              "warning: 49",
              "warning: 56",
              "target-groups:7: The warning on day 56 does not come before day 56; write a day from"
                  + " 1 to 55"),
          new Break(
              "a name twice in a group",
              "target-groups",
              "id: offer",
              "id: course",
              "target-groups:7: The id 'course' stands twice; give each its own name"),
          new Break(
              "a duration that is no period",
              "target-groups",
              "P1Y",
              "1 year",
              "target-groups:6: [0].durations[0].longest does not have the right form; it is an ISO"
                  + " 8601 period, such as P3Y"),
          new Break(
              "a duty that needs a consent",
              "legal-bases",
              "consent: NONE",
              "consent: PERSON\n  human: SIGNATURE\n  duty: true",
              "legal-bases:14: A duty to report that needs a consent is none; set consent to NONE,"
                  + " or remove duty"),
          new Break(
              "a duty that nobody signs",
              "legal-bases",
              "consent: NONE",
              "consent: NONE\n  duty: true",
              "legal-bases:13: A duty to report needs a named person who signs; write human:"
                  + " SIGNATURE, or remove duty"),
          new Break(
              "a glass to break with a consent",
              "legal-bases",
              "consent: NONE",
              "consent: PERSON\n  human: BREAK_GLASS",
              "legal-bases:13: BREAK_GLASS is for when there is no time for a consent, but the basis"
                  + " needs one; set consent to NONE, or remove human"),
          new Break(
              "a glass to break past protection",
              "legal-bases",
              "consent: NONE",
              "consent: NONE\n  human: BREAK_GLASS\n  protectedPersons: true",
              "legal-bases:14: Breaking the glass does not go past person protection; remove"
                  + " protectedPersons, or human"),
          new Break(
              "an itemised consent that is not asked for",
              "legal-bases",
              "consent: NONE",
              "consent: NONE\n  itemised: true",
              "legal-bases:13: itemised stands on a basis that needs no consent; remove it, or set"
                  + " consent to PERSON"),
          new Break(
              "a special category of the vocabulary without article 9",
              "legal-bases",
              "ABSENCE]",
              "ILLNESS]",
              "legal-bases:11: Information about health (ILLNESS) without an article 9; write"
                  + " gdprBasis.article9, or remove the category"),
          new Break(
              "a basis that permits what is denied",
              "denials",
              "[ILLNESS]",
              "[ILLNESS, ABSENCE]",
              "legal-bases:9: On 2024-01-01 rule@1 permits ABSENCE, which never@1 in FILE denials:1"
                  + " denies; remove the category, or end the denial the day before"),
          new Break(
              "a basis that permits without itemising what is denied unless itemised",
              "denials",
              "[ILLNESS]",
              "[ABSENCE]\n  unlessItemised: true",
              "legal-bases:9: On 2024-01-01 rule@1 permits ABSENCE, which never@1 in FILE denials:1"
                  + " denies; remove the category, or let it need a consent that is itemised"),
          new Break(
              "one provision that needs a consent and none",
              "legal-bases",
              "  source: test\n",
              "  source: test\n"
                  + part("legal-bases")
                      .replace("id: rule", "id: other")
                      .replace("consent: NONE", "consent: PERSON"),
              "legal-bases:27: On 2024-01-01 other@1 needs a consent for ABSENCE, but rule@1 in FILE"
                  + " legal-bases:1, of the same provision, needs none; keep the one that the"
                  + " provision says, or part their days or categories"),
          new Break(
              "a parent that does not exist",
              "agreements",
              "parent: frame",
              "parent: framework",
              "agreements:14: There is no agreement 'framework'; correct the id, or remove parent"
                  + " from an agreement that stands alone"),
          new Break(
              "a parent that is not above",
              "agreements",
              "level: CENTRAL\n",
              "level: LOCAL_OFFICE\n",
              "agreements:14: The parent frame is at level LOCAL_OFFICE, not above LOCAL_OFFICE of"
                  + " local@1; keep the order CENTRAL, COUNTY, SUB_AGREEMENT, LOCAL_OFFICE"),
          new Break(
              "an agreement that outlives its parent",
              "agreements",
              "valid: {from: 2024-01-01, to: 2026-12-31}",
              "valid: {from: 2024-01-01, to: 2026-06-30}",
              "agreements:18: On 2026-07-01 local@1 is in effect, but its parent frame is not; end"
                  + " it the day before, or renew the parent"),
          new Break(
              "an agreement that begins before its parent",
              "agreements",
              "status: [{state: SIGNED, from: 2024-01-01}]",
              "status: [{state: SIGNED, from: 2025-06-01}]",
              "agreements:18: On 2025-01-01 local@1 is in effect, but its parent frame is not; end"
                  + " it the day before, or renew the parent"),
          new Break(
              "a clause that tells more than the status reply",
              "agreements",
              "statusReply: CODE",
              "statusReply: PRESENCE",
              "agreements:21: The clause tells more about a list than the agreement's statusReply"
                  + " PRESENCE; remove the category, or correct statusReply"),
          new Break(
              "a retention that is no period",
              "agreements",
              "retention: P1Y",
              "retention: a year",
              "agreements:22: [1].retention does not have the right form; it is how long the facts"
                  + " of a decision under it are kept, an ISO 8601 period; left out, as the"
                  + " contract says, such as P5Y"),
          new Break(
              "two versions of a target group in force",
              "target-groups",
              "  source: test\n",
              "  source: test\n" + part("target-groups").replace("version: 1", "version: 2"),
              "target-groups:12: Two versions are in force on 2020-01-01: young@2 and young@1; end"
                  + " one the day before the other begins"));

  @TestFactory
  List<DynamicTest> whatDoesNotFitIsRefusedWithItsLineAndRemedy(@TempDir Path folder) {
    List<DynamicTest> tests = new ArrayList<>();
    for (Break b : BREAKS) {
      tests.add(
          DynamicTest.dynamicTest(
              b.name(),
              () -> {
                String part = part(b.part());
                assertThat(part).contains(b.old());
                int at = part.indexOf(b.old());
                Map<String, String> parts = new TreeMap<>(WHOLE);
                parts.put(
                    b.part(),
                    part.substring(0, at)
                        + b.replacement()
                        + part.substring(at + b.old().length()));
                Path home = write(Files.createTempDirectory(folder, "pack"), parts);
                ProblemsException e =
                    catchThrowableOfType(ProblemsException.class, () -> PolicyPack.read(home));
                assertThat(e).isNotNull();
                String found =
                    String.join("\n", e.problems().stream().map(Problem::toString).toList())
                        .replaceAll("(?m)^" + home + "/([a-z-]+)/file.yaml", "$1")
                        .replaceAll(home + "/([a-z-]+)/file.yaml", "FILE $1");
                assertThat(found).isEqualTo(b.finding());
              }));
    }
    return tests;
  }

  @Test
  void theWholePackIsRead(@TempDir Path folder) throws IOException {
    PolicyPack pack = PolicyPack.read(write(folder, WHOLE));
    assertThat(pack.denials()).hasSize(1);
    assertThat(pack.targetGroups()).hasSize(1);
    assertThat(pack.retention("local@1")).contains(java.time.Period.ofYears(1));
    assertThat(pack.retention("frame@1")).isEmpty();
    assertThat(pack.retention(null)).isEmpty();
    assertThat(pack.vocabulary().codes(Vocabulary.Sort.PURPOSE)).containsExactly("FOLLOW_UP");
  }

  @Test
  void aMisspeltCategoryAndPurposeOfAContractAreFoundWithTheirLines(@TempDir Path folder)
      throws IOException {
    Path home = folder.resolve("dropout-notice");
    Files.createDirectories(home);
    Path file = home.resolve("exchange.yaml");
    String text =
        Files.readString(Path.of("routes/dropout-notice/exchange.yaml"))
            .replace("purpose: FOLLOW_UP", "purpose: FOLLOWUP")
            .replace("category: PROGRAMME", "category: PROGRAM");
    Files.writeString(file, text);
    Contract contract = new ContractReader().read(home);
    PolicyPack shipped = PolicyPack.read(Path.of("policies"));
    List<String> found =
        shipped.danglingReferences(List.of(contract)).stream()
            .map(Problem::toString)
            .filter(p -> p.startsWith(file.toString()))
            .toList();
    assertThat(found.getFirst())
        .isEqualTo(
            file
                + ":"
                + line(text, "purpose: FOLLOWUP")
                + ": There is no purpose 'FOLLOWUP'; write FOLLOW_UP, or add FOLLOWUP to"
                + " vocabulary/ with a sentence about it");
    assertThat(found.get(1))
        .isEqualTo(
            file
                + ":"
                + line(text, "category: PROGRAM")
                + ": There is no data category 'PROGRAM'; write PROGRAMME, or add PROGRAM to"
                + " vocabulary/ with a sentence about it");
  }

  @Test
  void aDeadlineThatNoTargetGroupSetsIsFoundWithItsLine(@TempDir Path folder) throws IOException {
    PolicyPack shipped = PolicyPack.read(Path.of("policies"));
    assertThat(dangling(shipped, folder, "group: youth-effort", "group: youth"))
        .isEqualTo(
            ":24: There is no target group 'youth'; correct the name to a group of"
                + " policies/target-groups, or add the group");
    assertThat(dangling(shipped, folder, "deadline: first-offer", "deadline: offer"))
        .isEqualTo(
            ":24: The target group 'youth-effort' sets no deadline 'offer'; correct the name to one"
                + " of its deadlines, or add it there");
  }

  private static String dangling(PolicyPack pack, Path folder, String old, String replacement)
      throws IOException {
    Path home = folder.resolve("youth-referral");
    Path file = home.resolve("exchange.yaml");
    String text = Files.readString(Path.of("routes/youth-referral/exchange.yaml"));
    assertThat(text).contains(old);
    Files.createDirectories(home);
    Files.writeString(file, text.replace(old, replacement));
    Contract contract = new ContractReader().read(home);
    return pack.danglingReferences(List.of(contract)).stream()
        .map(Problem::toString)
        .filter(found -> found.startsWith(file.toString()))
        .map(found -> found.substring(file.toString().length()))
        .collect(Collectors.joining("\n"));
  }

  @Test
  void aFieldThatNoViewHasIsFoundWithItsLine(@TempDir Path folder) throws IOException {
    Map<String, String> parts = new TreeMap<>(WHOLE);
    parts.put(
        "agreements",
        part("agreements").replace("bindingness: KAN", "fields: [/navn, /nvan], bindingness: KAN"));
    Path home = write(folder, parts);
    assertThat(PolicyPack.read(home).danglingReferences(List.of(Exchanges.DROPOUT_NOTICE)))
        .extracting(Problem::toString)
        .filteredOn(p -> p.startsWith(home.toString()))
        .containsExactly(
            home.resolve("agreements/file.yaml")
                + ":21: No view of dropout-notice to that receiver has the field /nvan; correct the"
                + " path to one of the contract's, or remove it");
  }

  private static int line(String text, String needle) {
    return 1 + (int) text.substring(0, text.indexOf(needle)).chars().filter(c -> c == '\n').count();
  }

  private static Path write(Path home, Map<String, String> parts) throws IOException {
    for (Map.Entry<String, String> part : parts.entrySet()) {
      Path file = home.resolve(part.getKey()).resolve("file.yaml");
      Files.createDirectories(file.getParent());
      Files.writeString(file, part.getValue());
    }
    return home;
  }
}
