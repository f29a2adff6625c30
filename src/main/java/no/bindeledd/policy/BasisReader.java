package no.bindeledd.policy;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import no.bindeledd.exchange.YamlSchema;
import no.bindeledd.policy.LegalBasis.Consent;
import no.bindeledd.policy.LegalBasis.Human;
import no.bindeledd.policy.LegalBasis.WhenFalse;
import org.jspecify.annotations.Nullable;

/** Reads legal bases and denials, and checks each against itself. Used once, by one thread. */
final class BasisReader {
  static final YamlSchema BASIS = YamlSchema.ofResource("/schema/legal-basis.schema.json");
  static final YamlSchema DENIAL = YamlSchema.ofResource("/schema/denial.schema.json");

  private final Vocabulary vocabulary;
  final List<Placed<LegalBasis>> bases = new ArrayList<>();
  final List<Placed<Denial>> denials = new ArrayList<>();

  BasisReader(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  void denial(Entry entry) {
    int before = entry.problems().size();
    Denial denial =
        new Denial(
            entry.line("id"),
            entry.number("version"),
            entry.line("statute"),
            entry.text("text"),
            entry.periods(),
            entry.kinds("senders"),
            entry.kinds("receivers"),
            entry.words("categories", Vocabulary.Sort.CATEGORY, vocabulary),
            entry.flag("unlessItemised"),
            entry.line("source"),
            entry.optional("note"));
    if (entry.problems().size() == before) {
      denials.add(new Placed<>(denial, entry));
    }
  }

  void basis(Entry entry) {
    int before = entry.problems().size();
    Consent consent = entry.choice("consent", Consent.class);
    Set<String> categories = entry.words("categories", Vocabulary.Sort.CATEGORY, vocabulary);
    checkSpecialCategories(entry, categories);
    if (consent == Consent.NONE) {
      checkWithoutConsent(entry);
    }
    checkHuman(entry);
    if (entry.has("whenFalse") && !entry.has("condition") && !entry.has("targetGroup")) {
      entry.problem(
          "/whenFalse",
          "whenFalse stands without a condition or a target group",
          "remove it, or add one");
    }
    LegalBasis basis =
        new LegalBasis(
            entry.line("id"),
            entry.number("version"),
            entry.line("statute"),
            entry.text("text"),
            entry.periods(),
            entry.kinds("senders"),
            entry.kinds("receivers"),
            entry.words("purposes", Vocabulary.Sort.PURPOSE, vocabulary),
            categories,
            entry.text("confidentialityRelease"),
            new LegalBasis.GdprBasis(
                entry.child("gdprBasis").line("article6"),
                entry.child("gdprBasis").optional("article9")),
            consent,
            entry.choice(
                "consentKind", ConsentFact.Kind.class, ConsentFact.Kind.INFORMATION_SHARING),
            entry.flag("itemised"),
            entry.optionalText("necessity"),
            entry.flag("deidentifiedWithoutConsent"),
            entry.flag("protectedPersons"),
            entry.flag("duty"),
            entry.choice("human", Human.class, Human.NONE),
            entry.optional("targetGroup"),
            condition(entry),
            entry.choice("whenFalse", WhenFalse.class, WhenFalse.DOES_NOT_APPLY),
            entry.line("source"),
            entry.optional("note"));
    if (entry.problems().size() == before) {
      bases.add(new Placed<>(basis, entry));
    }
  }

  private static void checkWithoutConsent(Entry entry) {
    if (!entry.has("necessity")) {
      entry.problem(
          "",
          "The basis needs no consent and states no necessity",
          "write necessity, nb and en: why the release is necessary");
    }
    for (String key : List.of("deidentifiedWithoutConsent", "itemised", "consentKind")) {
      if (entry.has(key)) {
        entry.problem(
            "/" + key,
            key + " stands on a basis that needs no consent",
            "remove it, or set consent to PERSON");
      }
    }
  }

  private static void checkHuman(Entry entry) {
    boolean consent = entry.choice("consent", Consent.class) != Consent.NONE;
    Human human = entry.choice("human", Human.class, Human.NONE);
    if (entry.flag("duty") && consent) {
      entry.problem(
          "/duty",
          "A duty to report that needs a consent is none",
          "set consent to NONE, or remove duty");
    }
    if (entry.flag("duty") && human != Human.SIGNATURE) {
      entry.problem(
          "/duty",
          "A duty to report needs a named person who signs",
          "write human: SIGNATURE, or remove duty");
    }
    if (human == Human.BREAK_GLASS && consent) {
      entry.problem(
          "/human",
          "BREAK_GLASS is for when there is no time for a consent, but the basis needs one",
          "set consent to NONE, or remove human");
    }
    if (human == Human.BREAK_GLASS && entry.flag("protectedPersons")) {
      entry.problem(
          "/protectedPersons",
          "Breaking the glass does not go past person protection",
          "remove protectedPersons, or human");
    }
  }

  private void checkSpecialCategories(Entry entry, Set<String> categories) {
    Set<String> special = new TreeSet<>();
    categories.stream().filter(vocabulary::isSpecial).forEach(special::add);
    if (!special.isEmpty() && !entry.child("gdprBasis").has("article9")) {
      entry.problem(
          "/gdprBasis",
          "Information about health (" + String.join(", ", special) + ") without an article 9",
          "write gdprBasis.article9, or remove the category");
    }
  }

  private static @Nullable Condition condition(Entry entry) {
    String expression = entry.optional("condition");
    if (expression == null) {
      return null;
    }
    try {
      return Condition.compile(expression);
    } catch (Condition.Invalid e) {
      entry.problem(
          "/condition",
          "The condition is not valid: " + e.getMessage(),
          "use birthDateKnown, age, ageAtYearEnd, at and record.name, and compare to true or"
              + " false");
      return null;
    }
  }
}
