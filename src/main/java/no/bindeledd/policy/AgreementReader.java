package no.bindeledd.policy;

import java.time.LocalDate;
import java.time.Period;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.YamlSchema;
import no.bindeledd.policy.Agreement.Clause;
import no.bindeledd.policy.Agreement.Lifecycle;
import no.bindeledd.policy.Agreement.StatusReply;
import org.jspecify.annotations.Nullable;

/** Reads agreements, and checks each against itself. Used once, by one thread. */
final class AgreementReader {
  static final YamlSchema SCHEMA = YamlSchema.ofResource("/schema/agreement.schema.json");

  private static final String LIST_PRESENCE = "LIST_PRESENCE";
  private static final String LIST_CODE = "LIST_CODE";

  private final Vocabulary vocabulary;
  final List<Placed<Agreement>> agreements = new ArrayList<>();

  AgreementReader(Vocabulary vocabulary) {
    this.vocabulary = vocabulary;
  }

  void agreement(Entry entry) {
    int before = entry.problems().size();
    List<Agreement.Stage> status = new ArrayList<>();
    entry.list("status").forEach(stage -> status.add(stage(stage, status)));
    Entry valid = entry.child("valid");
    LocalDate from = valid.day("from");
    LocalDate to = valid.optionalDay("to");
    entry.checkOrder("/valid/to", from, to);

    List<Agreement.Party> parties = new ArrayList<>();
    entry.list("parties").forEach(party -> party(party, parties));
    if (entry.list("parties").size() == 1) {
      entry.problem("/parties", "The agreement has a single party", "name everyone who signed");
    }
    StatusReply reply = entry.choice("statusReply", StatusReply.class, StatusReply.CODE);
    List<Clause> clauses = new ArrayList<>();
    entry.list("clauses").forEach(clause -> clause(clause, parties, reply, clauses));
    if (entry.problems().size() > before) {
      return;
    }
    String retention = entry.optional("retention");
    Agreement.Level lowest =
        parties.stream()
            .map(Agreement.Party::level)
            .max(Comparator.naturalOrder())
            .orElse(Agreement.Level.LOCAL_OFFICE);
    Agreement agreement =
        new Agreement(
            entry.line("id"),
            entry.number("version"),
            entry.text("title"),
            entry.choice("level", Agreement.Level.class, lowest),
            entry.optional("parent"),
            List.copyOf(status),
            from,
            to,
            List.copyOf(parties),
            entry.strings("targetGroups"),
            reply,
            List.copyOf(clauses),
            retention == null ? null : Period.parse(retention),
            entry.optional("escalation"),
            entry.line("source"));
    boolean signed = status.stream().anyMatch(s -> s.state().inEffect());
    if (signed && agreement.inEffect() == null) {
      entry.problem(
          "/valid",
          "The agreement is signed but never in effect: it ends before it begins",
          "correct the days of status and valid");
      return;
    }
    agreements.add(new Placed<>(agreement, entry));
  }

  private static Agreement.Stage stage(Entry entry, List<Agreement.Stage> earlier) {
    LocalDate from = entry.day("from");
    Lifecycle state = entry.choice("state", Lifecycle.class);
    Agreement.Stage previous = earlier.isEmpty() ? null : earlier.getLast();
    if (previous != null && previous.state().compareTo(state) >= 0) {
      entry.problem(
          "/state",
          state + " cannot follow " + previous.state(),
          "keep the order DRAFT, HEARING, SIGNED, PUBLISHED, REVISED");
    }
    if (previous != null && from.isBefore(previous.from())) {
      entry.problem(
          "/from",
          "The state begins before the previous one",
          "write a day from " + previous.from() + " on");
    }
    return new Agreement.Stage(state, from);
  }

  private static void party(Entry entry, List<Agreement.Party> parties) {
    OrganisationNumber organisation = entry.organisation("organisation");
    if (organisation == null) {
      return;
    }
    if (isParty(parties, organisation)) {
      entry.problem(
          "/organisation", "The party " + organisation + " stands twice", "keep one of them");
      return;
    }
    parties.add(new Agreement.Party(organisation, entry.choice("level", Agreement.Level.class)));
  }

  private void clause(
      Entry entry, List<Agreement.Party> parties, StatusReply reply, List<Clause> clauses) {
    OrganisationNumber from = entry.has("from") ? partyOfClause(entry, "from", parties) : null;
    OrganisationNumber to = partyOfClause(entry, "to", parties);
    Set<String> categories = entry.words("categories", Vocabulary.Sort.CATEGORY, vocabulary);
    String number = entry.line("number");
    if (from != null && from.equals(to)) {
      entry.problem("/to", "The clause goes from a party to itself", "name the other party");
    }
    if (clauses.stream().anyMatch(c -> c.number().equals(number))) {
      entry.problem("/number", "Clause " + number + " stands twice", "give each its own number");
    }
    boolean tellsMore =
        (reply != StatusReply.CODE && categories.contains(LIST_CODE))
            || (reply == StatusReply.NOTHING && categories.contains(LIST_PRESENCE));
    if (tellsMore) {
      entry.problem(
          "/categories",
          "The clause tells more about a list than the agreement's statusReply " + reply,
          "remove the category, or correct statusReply");
    }
    if (to == null) {
      return;
    }
    clauses.add(
        new Clause(
            number,
            entry.line("exchange"),
            from,
            to,
            categories,
            entry.has("fields") ? entry.strings("fields") : null,
            entry.choice("bindingness", Agreement.Bindingness.class),
            entry.text("text")));
  }

  private static @Nullable OrganisationNumber partyOfClause(
      Entry entry, String key, List<Agreement.Party> parties) {
    OrganisationNumber organisation = entry.organisation(key);
    if (organisation != null && !isParty(parties, organisation)) {
      entry.problem(
          "/" + key,
          organisation + " is not a party to the agreement",
          "add it to parties, or correct the number");
    }
    return organisation;
  }

  private static boolean isParty(List<Agreement.Party> parties, OrganisationNumber organisation) {
    return parties.stream().anyMatch(p -> p.organisation().equals(organisation));
  }
}
