package no.bindeledd.policy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import no.bindeledd.exchange.ProblemsException;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** Each pack is whole but for one change; the finding names its file, line and remedy, exactly. */
class BrokenPackTest {
  private static final String BASIS =
      """
      - id: rule
        version: 1
        statute: Act § 1
        text: {nb: Regel., en: Rule.}
        status:
          - {state: IN_FORCE, from: 2024-01-01, to: 2026-12-31}
        senders: [SCHOOL]
        receivers: [OT]
        purposes: [FOLLOW_UP]
        categories: [IDENTITY, ABSENCE]
        confidentialityRelease: {nb: Regel., en: Rule.}
        gdprBasis: {article6: 6(1)(e)}
        consent: NONE
        necessity: {nb: Nødvendig., en: Necessary.}
        source: test
      """;

  private static final String AGREEMENT =
      """
      - id: pact
        version: 1
        title: {nb: Avtale, en: Agreement}
        status:
          - {state: DRAFT, from: 2025-06-01}
          - {state: SIGNED, from: 2026-01-01}
        valid: {from: 2026-01-01, to: 2026-12-31}
        parties:
          - {organisation: "311000004", level: COUNTY}
          - {organisation: "311013572", level: COUNTY}
        clauses:
          - number: "1"
            exchange: dropout-notice
            from: "311000004"
            to: "311013572"
            categories: [IDENTITY]
            bindingness: SKAL
            text: {nb: Skal., en: Shall.}
        source: test
      """;

  private record Break(String name, String old, String replacement, String finding) {}

  private static final List<Break> BASES =
      List.of(
          new Break(
              "a missing statute",
              "  statute: Act § 1\n",
              "",
              "1: [0].statute is missing; add it: act, section and number, as a lawyer cites it,"
                  + " such as Forvaltningsloven § 13 b første ledd nr. 5"),
          new Break(
              "a misspelt key",
              "receivers:",
              "recievers:",
              "1: [0].receivers is missing; add it: the kinds of agency that may receive on it\n"
                  + "8: The key [0].recievers is unknown; remove it, or correct it to one of:"
                  + " receivers, consentKind, itemised, deidentifiedWithoutConsent, protectedPersons,"
                  + " duty, human, targetGroup, condition, whenFalse, note"),
          new Break(
              "an unknown status",
              "IN_FORCE",
              "ACTIVE",
              "6: [0].status[0].state is 'ACTIVE', which is no choice; write PROPOSED or IN_FORCE"
                  + " or LAPSED"),
          new Break(
              "an unknown kind of agency",
              "[SCHOOL]",
              "[SKOLE]",
              "7: [0].senders[0] is 'SKOLE', which is no choice; write SCHOOL or OT or NAV or"
                  + " NAV_MUNICIPAL or HEALTH or MUNICIPALITY or MEASURE_PROVIDER or EMPLOYER or"
                  + " UDIR"),
          new Break(
              "a category in small letters",
              "ABSENCE",
              "absence",
              "10: [0].categories[1] does not have the right form; it is a code: capital letters,"
                  + " digits and underscores"),
          new Break(
              "no category at all",
              "[IDENTITY, ABSENCE]",
              "[]",
              "10: [0].categories is empty; it is the data categories that may leave on it;"
                  + " REFERENCE needs no basis and is not listed"),
          new Break(
              "a version that is text",
              "version: 1",
              "version: \"1\"",
              "2: [0].version must be a number, not text; it is from 1; a changed rule is a new"
                  + " entry with the next version, such as 1"),
          new Break(
              "one language only",
              "text: {nb: Regel., en: Rule.}",
              "text: {nb: Regel.}",
              "4: [0].text.en is missing; add it: the sentence in English"),
          new Break(
              "no necessity though no consent is asked",
              "  necessity: {nb: Nødvendig., en: Necessary.}\n",
              "",
              "1: The basis needs no consent and states no necessity; write necessity, nb and en:"
                  + " why the release is necessary"),
          new Break(
              "a day that does not exist",
              "from: 2024-01-01",
              "from: 2024-02-30",
              "6: '2024-02-30' is not a day of the calendar; correct the date"),
          new Break(
              "a last day before the first",
              "to: 2026-12-31",
              "to: 2023-12-31",
              "6: The last day 2023-12-31 is before the first day 2024-01-01; write a day from"
                  + " 2024-01-01 on"),
          new Break(
              "overlapping periods",
              "  senders:",
              "    - {state: LAPSED, from: 2026-12-31}\n  senders:",
              "7: The period begins before the previous one has ended; give the previous period a"
                  + " last day before 2026-12-31"),
          new Break(
              "a period after an open-ended one",
              ", to: 2026-12-31}",
              "}\n    - {state: LAPSED, from: 2027-01-01}",
              "7: The period begins before the previous one has ended; give the previous period a"
                  + " last day before 2027-01-01"),
          new Break(
              "REFERENCE in the list",
              "ABSENCE",
              "REFERENCE",
              "10: REFERENCE is listed, but technical fields go along without a permission; remove"
                  + " REFERENCE from the list"),
          new Break(
              "health without article 9",
              "ABSENCE",
              "HEALTH_REFERRAL",
              "12: Information about health (HEALTH_REFERRAL) without an article 9; write"
                  + " gdprBasis.article9, or remove the category"),
          new Break(
              "anonymous without a consent to be missing",
              "  source: test",
              "  deidentifiedWithoutConsent: true\n  source: test",
              "15: deidentifiedWithoutConsent stands on a basis that needs no consent; remove it, or"
                  + " set consent to PERSON"),
          new Break(
              "whenFalse without a condition",
              "  source: test",
              "  whenFalse: HOLD\n  source: test",
              "15: whenFalse stands without a condition or a target group; remove it, or add one"),
          condition("age >", "column 6: mismatched input '<EOF>' expecting"),
          condition("aeg > 15", "column 1: undeclared reference to 'aeg' (in container '')"),
          condition("age > \"15\"", "column 5: found no matching overload for '_>_' applied to"),
          condition("age + 1", "it gives int, but a condition is true or false"),
          condition("record == record", "'record' is used without a name after it"),
          condition("[1].exists(x, x == 1)", "column 11: undeclared reference to 'exists'"),
          new Break(
              "the same version twice",
              "  source: test\n",
              "  source: test\n" + BASIS,
              "17: Legal basis rule@1 already stands in FILE:1; give it the next version, or remove"
                  + " one"),
          new Break(
              "two versions in force",
              "  source: test\n",
              "  source: test\n"
                  + BASIS
                      .replace("version: 1", "version: 2")
                      .replace("2024-01-01, to: 2026-12-31", "2026-12-31"),
              "20: Two versions are in force on 2026-12-31: rule@2 and rule@1; end one the day"
                  + " before the other begins"));

  private static final List<Break> AGREEMENTS =
      List.of(
          new Break(
              "an organisation number without quotes",
              "\"311000004\", level",
              "311000004, level",
              "9: [0].parties[0].organisation must be text, not a number; it is the party's"
                  + " organisation number: nine digits in quotes, such as \"311013572\""),
          new Break(
              "a wrong control digit",
              "{organisation: \"311000004\"",
              "{organisation: \"311000005\"",
              "9: '311000005' is not an organisation number: its control digit is wrong; correct the"
                  + " digits\n"
                  + "14: 311000004 is not a party to the agreement; add it to parties, or correct"
                  + " the number"),
          new Break(
              "a single party",
              "    - {organisation: \"311013572\", level: COUNTY}\n",
              "",
              "8: The agreement has a single party; name everyone who signed\n"
                  + "14: 311013572 is not a party to the agreement; add it to parties, or correct"
                  + " the number"),
          new Break(
              "a party twice",
              "{organisation: \"311013572\"",
              "{organisation: \"311000004\"",
              "10: The party 311000004 stands twice; keep one of them\n"
                  + "15: 311013572 is not a party to the agreement; add it to parties, or correct"
                  + " the number"),
          new Break(
              "a receiver who did not sign",
              "to: \"311013572\"",
              "to: \"311040715\"",
              "15: 311040715 is not a party to the agreement; add it to parties, or correct the"
                  + " number"),
          new Break(
              "a clause to oneself",
              "to: \"311013572\"",
              "to: \"311000004\"",
              "15: The clause goes from a party to itself; name the other party"),
          new Break(
              "an unknown bindingness",
              "SKAL",
              "BØR",
              "17: [0].clauses[0].bindingness is 'BØR', which is no choice; write SKAL or KAN or"
                  + " SAERSKILTE_TILFELLER"),
          new Break(
              "a lifecycle that goes back",
              "state: DRAFT",
              "state: PUBLISHED",
              "6: SIGNED cannot follow PUBLISHED; keep the order DRAFT, HEARING, SIGNED, PUBLISHED,"
                  + " REVISED"),
          new Break(
              "signed before it was drafted",
              "state: SIGNED, from: 2026-01-01",
              "state: SIGNED, from: 2025-05-31",
              "6: The state begins before the previous one; write a day from 2025-06-01 on"),
          new Break(
              "signed after it has ended",
              "state: SIGNED, from: 2026-01-01",
              "state: SIGNED, from: 2027-01-01",
              "7: The agreement is signed but never in effect: it ends before it begins; correct the"
                  + " days of status and valid"),
          new Break(
              "a validity that ends before it begins",
              "to: 2026-12-31",
              "to: 2025-12-31",
              "7: The last day 2025-12-31 is before the first day 2026-01-01; write a day from"
                  + " 2026-01-01 on"),
          new Break(
              "a clause number twice",
              "  source: test\n",
              "    - {number: \"1\", exchange: x, to: \"311013572\", categories: [],"
                  + " bindingness: KAN, text: {nb: N., en: E.}}\n  source: test\n",
              "19: Clause 1 stands twice; give each its own number"),
          new Break(
              "the same version twice",
              "  source: test\n",
              "  source: test\n" + AGREEMENT,
              "21: Agreement pact@1 already stands in FILE:1; give it the next version, or remove"
                  + " one"),
          new Break(
              "two versions in effect",
              "  source: test\n",
              "  source: test\n" + AGREEMENT.replace("version: 1", "version: 2"),
              "23: Two versions are in effect on 2026-01-01: pact@2 and pact@1; let the older one be"
                  + " REVISED from the day the newer is SIGNED"),
          new Break(
              "two agreements on one flow",
              "  source: test\n",
              "  source: test\n"
                  + AGREEMENT
                      .replace("id: pact", "id: other")
                      .replace("      from: \"311000004\"\n", ""),
              "31: On 2026-01-01 agreement pact@1 in FILE:1 rules the same flow: dropout-notice from"
                  + " 311000004 to 311013572; let one agreement rule it: remove the clause from the"
                  + " other, or part their days"),
          new Break(
              "not YAML",
              "parties:",
              "parties: [",
              "9: Not valid YAML: expected the node content, but found '-'; check indentation,"
                  + " quotes and colons on this line and the one before"));

  private static Break condition(String expression, String why) {
    return new Break(
        "the condition " + expression,
        "  source: test",
        "  condition: '" + expression + "'\n  source: test",
        "15: The condition is not valid: " + why);
  }

  @TestFactory
  List<DynamicTest> aBrokenLegalBasisIsRefusedWithItsLineAndRemedy(@TempDir Path folder) {
    return BASES.stream().map(b -> test(folder, "legal-bases", BASIS, b)).toList();
  }

  @TestFactory
  List<DynamicTest> aBrokenAgreementIsRefusedWithItsLineAndRemedy(@TempDir Path folder) {
    return AGREEMENTS.stream().map(b -> test(folder, "agreements", AGREEMENT, b)).toList();
  }

  @Test
  void theUnbrokenPackIsRead(@TempDir Path temporary) throws IOException {
    Path folder = pack(temporary);
    write(folder.resolve("legal-bases/file.yaml"), BASIS);
    write(folder.resolve("agreements/file.yaml"), AGREEMENT);
    PolicyPack pack = PolicyPack.read(folder);
    assertThat(pack.legalBasis("rule@1")).isPresent();
    assertThat(pack.agreement("pact@1")).isPresent();
  }

  @Test
  void everyProblemOfEveryFileIsReported(@TempDir Path temporary) throws IOException {
    Path folder = pack(temporary);
    write(folder.resolve("legal-bases/a.yaml"), BASIS.replace("2024-01-01", "2024-13-01"));
    write(folder.resolve("legal-bases/b.yaml"), BASIS.replace("OT", "PTO"));
    write(folder.resolve("agreements/c.yaml"), AGREEMENT.replace("SKAL", "BØR"));
    assertThat(findings(folder)).hasSize(3);
  }

  @Test
  void nothingInTheFolderIsIgnoredInSilence(@TempDir Path temporary) throws IOException {
    Path folder = pack(temporary);
    write(folder.resolve("legal-basis/rule.yaml"), BASIS);
    write(folder.resolve("agreements/pact.yml"), AGREEMENT);
    write(folder.resolve("rule.yaml"), BASIS);
    write(folder.resolve("README.md"), "notes are fine");
    write(folder.resolve("agreements/.pact.yaml.swp"), "so are an editor's files");
    assertThat(findings(folder))
        .containsExactly(
            folder.resolve("agreements/pact.yml")
                + ":0: The file would be ignored; rename it to end in .yaml, or move it away",
            folder.resolve("legal-basis")
                + ":0: The folder is not part of a rule pack; rename it to one of vocabulary,"
                + " target-groups, legal-bases, denials, agreements, or move it away",
            folder.resolve("rule.yaml")
                + ":0: The file would be ignored; put it into one of vocabulary, target-groups,"
                + " legal-bases, denials, agreements");
  }

  @Test
  void aMissingFolderIsNotAnEmptyPack(@TempDir Path folder) {
    Path missing = folder.resolve("policies");
    assertThat(findings(missing))
        .containsExactly(
            missing
                + ":0: The folder of the rule pack does not exist; create it with the subfolders"
                + " legal-bases and agreements");
  }

  private static DynamicTest test(Path folder, String subfolder, String whole, Break b) {
    return DynamicTest.dynamicTest(
        b.name(),
        () -> {
          assertThat(whole).contains(b.old());
          int at = whole.indexOf(b.old());
          Path home = pack(folder);
          Path file = home.resolve(subfolder).resolve("file.yaml");
          write(
              file,
              whole.substring(0, at) + b.replacement() + whole.substring(at + b.old().length()));
          String found = String.join("\n", findings(home)).replace(file.toString(), "FILE");
          String expected = ("FILE:" + b.finding().replace("\n", "\nFILE:"));
          if (b.name().startsWith("the condition")) {
            assertThat(found).startsWith(expected).contains("; use birthDateKnown, age,");
          } else {
            assertThat(found).isEqualTo(expected);
          }
        });
  }

  private static List<String> findings(Path folder) {
    ProblemsException e =
        catchThrowableOfType(ProblemsException.class, () -> PolicyPack.read(folder));
    assertThat(e).isNotNull();
    return e.problems().stream().map(Object::toString).toList();
  }

  /** A new folder with the shipped vocabulary, but for which every word is unknown. */
  private static Path pack(Path folder) throws IOException {
    Path home = Files.createTempDirectory(folder, "pack");
    write(
        home.resolve("vocabulary/words.yaml"),
        Files.readString(Path.of("policies/vocabulary/words.yaml")));
    return home;
  }

  private static void write(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
  }
}
