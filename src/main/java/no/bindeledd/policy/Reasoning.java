package no.bindeledd.policy;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.exchange.Text;
import no.bindeledd.policy.Agreement.Stage;
import no.bindeledd.policy.Decision.ProtectionClass;
import no.bindeledd.policy.Explanation.Finding;
import no.bindeledd.policy.Explanation.Step;
import no.bindeledd.policy.Explanation.Topic;
import no.bindeledd.policy.LegalBasis.Consent;
import no.bindeledd.policy.LegalBasis.Human;
import org.jspecify.annotations.Nullable;

/** Writes an {@link Explanation}: looks again at what a decision looked at. One use. */
final class Reasoning {
  private final PolicyPack pack;
  private final Plan plan;
  private final Facts facts;
  private final Decision decision;
  private final long second;
  private final LocalDate today;
  private final List<Step> steps = new ArrayList<>();

  Reasoning(PolicyPack pack, Plan plan, Facts facts, Decision decision) {
    this.pack = pack;
    this.plan = plan;
    this.facts = facts;
    this.decision = decision;
    this.second = facts.at().getEpochSecond();
    this.today = Days.day(facts.at());
  }

  List<Step> steps() {
    protection();
    blocks();
    agreements();
    pack.legalBases().stream().filter(this::speaksOfFlow).forEach(this::basis);
    denials();
    facts.acts().forEach(this::act);
    outcome();
    return List.copyOf(steps);
  }

  private void step(Topic topic, Finding finding, String subject, String nb, String en) {
    steps.add(new Step(topic, finding, subject, new Text(nb, en)));
  }

  private void protection() {
    switch (ProtectionClass.of(facts.protection())) {
      case NONE ->
          step(
              Topic.PROTECTION,
              Finding.PASSED,
              "",
              "Verken adresse eller skjerming verner personen.",
              "Neither address nor shielding protects the person.");
      case ADDRESS_GRADING ->
          step(
              Topic.PROTECTION,
              isStoppedByProtection() ? Finding.STOPS : Finding.PASSED,
              "",
              "Adressen er gradert. Det går foran ethvert samtykke.",
              "The address is graded. That goes before any consent.");
      case SHIELDING ->
          step(
              Topic.PROTECTION,
              isStoppedByProtection() ? Finding.STOPS : Finding.PASSED,
              "",
              "Personen er skjermet. Det går foran ethvert samtykke.",
              "The person is shielded. That goes before any consent.");
    }
  }

  private boolean isStoppedByProtection() {
    return decision.grounds().reason() == ReasonCode.PROTECTED;
  }

  private void blocks() {
    List<String> blocks =
        facts.consents().stream()
            .filter(c -> c.state() == ConsentFact.State.BLOCKED)
            .filter(c -> c.concerns(facts.sender().value(), facts.receiver().value()))
            .filter(
                c ->
                    c.purpose().equals(facts.purpose())
                        || c.purpose().equals(ConsentFact.ANY_PURPOSE))
            .filter(c -> c.started(facts.at()) && !c.ended(facts.at()))
            .map(ConsentFact::reference)
            .toList();
    if (blocks.isEmpty()) {
      step(
          Topic.BLOCK,
          Finding.PASSED,
          "",
          "Personen har ikke sperret for denne mottakeren og dette formålet.",
          "The person has set no block for this recipient and purpose.");
    }
    for (String block : blocks) {
      step(
          Topic.BLOCK,
          decision.grounds().consents().contains(block) ? Finding.STOPS : Finding.PASSED,
          block,
          "Personen har sperret. En sperre går foran enhver tillatelse, men ikke foran en plikt.",
          "The person has set a block. It goes before every permission, but not before a duty.");
    }
  }

  private void agreements() {
    List<Agreement> between =
        pack.agreements().stream()
            .filter(
                a ->
                    a.clauses().stream()
                        .anyMatch(
                            c ->
                                c.exchange().equals(facts.exchange())
                                    && c.to().equals(facts.receiver())
                                    && (c.from() == null || c.from().equals(facts.sender()))))
            .filter(
                a -> a.parties().stream().anyMatch(p -> p.organisation().equals(facts.sender())))
            .toList();
    if (between.isEmpty()) {
      step(
          Topic.AGREEMENT,
          Finding.STOPS,
          "",
          "Ingen avtale mellom de to nevner denne utvekslingen.",
          "No agreement between the two names this exchange.");
    }
    for (Agreement agreement : between) {
      Days days = agreement.inEffect();
      boolean now = days != null && Days.contains(Days.windows(List.of(days)), second);
      String clauses =
          agreement.reference().equals(decision.grounds().agreement())
              ? String.join(", ", decision.grounds().clauses())
              : "";
      step(
          Topic.AGREEMENT,
          now ? Finding.CARRIES : Finding.SILENT,
          agreement.reference(),
          agreement.title().nb()
              + ": "
              + (now ? "gjelder" : "gjelder ikke")
              + " "
              + today
              + " ("
              + stage(agreement)
              + ")"
              + (clauses.isEmpty() ? "" : ", punkt " + clauses)
              + ".",
          agreement.title().en()
              + ": "
              + (now ? "in effect" : "not in effect")
              + " on "
              + today
              + " ("
              + stage(agreement)
              + ")"
              + (clauses.isEmpty() ? "" : ", clause " + clauses)
              + ".");
    }
  }

  private String stage(Agreement agreement) {
    Stage current = null;
    for (Stage stage : agreement.status()) {
      current = stage.from().isAfter(today) ? current : stage;
    }
    String state =
        current == null
            ? agreement.status().getFirst().state() + " " + agreement.status().getFirst().from()
            : current.state() + " " + current.from();
    return state
        + "; "
        + agreement.validFrom()
        + " – "
        + (agreement.validTo() == null ? "" : agreement.validTo());
  }

  private boolean speaksOfFlow(LegalBasis basis) {
    return !Candidate.of(basis, plan.view(), pack).isAboutNothingOf(plan.view().all())
        && basis.purposes().contains(facts.purpose())
        && basis.senders().contains(facts.senderKind())
        && basis.receivers().contains(facts.receiverKind());
  }

  private void basis(LegalBasis basis) {
    Candidate candidate = Candidate.of(basis, plan.view(), pack);
    boolean carries = decision.grounds().rules().contains(basis.reference());
    Text standing = standing(basis, candidate);
    step(
        basis.duty() ? Topic.DUTY : Topic.LEGAL_BASIS,
        carries ? (decision.outcome().leaves() ? Finding.CARRIES : Finding.STOPS) : Finding.SILENT,
        basis.reference(),
        basis.statute() + ": " + standing.nb(),
        basis.statute() + ": " + standing.en());
  }

  /** How far one basis reaches for this message: the first thing that it lacks. */
  private Text standing(LegalBasis basis, Candidate candidate) {
    if (!candidate.inForce(second)) {
      String state =
          basis.status().stream()
              .filter(p -> !p.from().isAfter(today) && (p.to() == null || !p.to().isBefore(today)))
              .map(p -> p.state().name())
              .findFirst()
              .orElse("–");
      return new Text(
          "gjelder ikke " + today + " (" + state + ").",
          "not in force on " + today + " (" + state + ").");
    }
    String group = basis.targetGroup();
    Condition.Verdict verdict = candidate.judge(facts, false);
    if (verdict != Condition.Verdict.TRUE) {
      String about = group == null ? "" : " (" + group + versionOf(group) + ")";
      return verdict == Condition.Verdict.FALSE
          ? new Text(
              "gjelder, men vilkåret er ikke oppfylt" + about + ".",
              "in force, but its condition is not met" + about + ".")
          : new Text(
              "gjelder, men det er åpent om vilkåret er oppfylt" + about + "; et menneske avgjør.",
              "in force, but it is open whether its condition is met"
                  + about
                  + "; a person decides.");
    }
    if (basis.human() != Human.NONE
        && facts.acts().stream()
            .noneMatch(
                act ->
                    act.holds(
                        basis.human() == Human.SIGNATURE
                            ? HumanAct.Kind.SIGNATURE
                            : HumanAct.Kind.BREAK_GLASS,
                        facts.at()))) {
      return new Text(
          "gjelder, men en navngitt person må først "
              + (basis.human() == Human.SIGNATURE ? "signere." : "begrunne nødrett."),
          "in force, but first a named person must "
              + (basis.human() == Human.SIGNATURE ? "sign." : "break the glass, with a reason."));
    }
    return consent(basis);
  }

  private String versionOf(String group) {
    return pack.targetGroup(group, facts.at()).map(g -> "@" + g.version()).orElse("");
  }

  private Text consent(LegalBasis basis) {
    if (basis.consent() == Consent.NONE) {
      return new Text(
          "gjelder og trenger ikke samtykke. " + basis.confidentialityRelease().nb(),
          "in force and needs no consent. " + basis.confidentialityRelease().en());
    }
    String found =
        facts.consents().stream()
            .filter(c -> c.kind() == basis.consentKind())
            .filter(c -> c.state() != ConsentFact.State.BLOCKED)
            .filter(c -> c.purpose().equals(facts.purpose()))
            .filter(c -> c.concerns(facts.sender().value(), facts.receiver().value()))
            .map(
                c ->
                    c.reference()
                        + " "
                        + (c.ended(facts.at()) ? "EXPIRED" : c.state())
                        + " ("
                        + c.grantors().guardians()
                        + (c.grantors().person() ? "+1" : "")
                        + ")")
            .collect(Collectors.joining(", "));
    boolean guardians = basis.consent() == Consent.GUARDIANS;
    return new Text(
        "gjelder med samtykke ("
            + basis.consentKind()
            + ") fra "
            + (guardians ? "begge foresatte" : "personen")
            + (basis.itemised() ? ", som nevner opplysningen" : "")
            + ". Funnet: "
            + (found.isEmpty() ? "ingen" : found)
            + ".",
        "in force with a consent ("
            + basis.consentKind()
            + ") of "
            + (guardians ? "both guardians" : "the person")
            + (basis.itemised() ? " that names the information" : "")
            + ". Found: "
            + (found.isEmpty() ? "none" : found)
            + ".");
  }

  private void denials() {
    for (Denial denial : pack.denials()) {
      boolean bears =
          denial.concerns(facts.senderKind(), facts.receiverKind())
              && plan.view().maskOf(denial.categories()) != 0
              && Days.contains(Days.windows(Days.inForce(denial.status())), second);
      if (bears) {
        step(
            Topic.DENIAL,
            Finding.STOPS,
            denial.reference(),
            denial.statute() + ": " + denial.text().nb(),
            denial.statute() + ": " + denial.text().en());
      }
    }
  }

  private void act(HumanAct act) {
    boolean holds = act.holds(act.kind(), facts.at());
    step(
        Topic.HUMAN,
        decision.grounds().acts().contains(act.reference()) ? Finding.CARRIES : Finding.SILENT,
        act.reference(),
        act.people() + " navngitt(e) person(er)" + (holds ? "." : "; gjelder ikke nå."),
        act.people()
            + " named "
            + (act.people() == 1 ? "person" : "people")
            + (holds ? "." : "; does not hold now."));
  }

  private void outcome() {
    Text text = decision.grounds().reason().text();
    step(
        Topic.OUTCOME,
        decision.outcome().leaves() ? Finding.CARRIES : Finding.STOPS,
        decision.outcome() + " " + decision.grounds().reason(),
        text.nb(),
        text.en());
  }

  // ---- fields

  List<Explanation.Field> fields() {
    Set<String> withheld = decision.withheldFields();
    return plan.view().list().stream()
        .map(
            f -> {
              boolean leaves = decision.outcome().leaves() && !withheld.contains(f.path());
              return new Explanation.Field(
                  f.path(), f.category(), leaves, leaves ? carrier(f) : obstacle(f));
            })
        .toList();
  }

  private Text carrier(Contract.Field field) {
    if (field.category().equals(Plan.REFERENCE)) {
      return new Text("Teknisk; følger med.", "Technical; goes along.");
    }
    String rules =
        decision.grounds().rules().stream()
            .map(r -> pack.legalBasis(r).orElse(null))
            .filter(Objects::nonNull)
            .filter(b -> b.categories().contains(field.category()))
            .map(LegalBasis::reference)
            .collect(Collectors.joining(", "));
    return new Text("Deles etter " + rules + ".", "Shared on " + rules + ".");
  }

  private Text obstacle(Contract.Field field) {
    if (!decision.outcome().leaves()) {
      return decision.grounds().reason().text();
    }
    boolean strip = facts.protection().any() && field.locating();
    if (strip) {
      return new Text(
          "Kan røpe hvor en person med gradert adresse er.",
          "Could tell where a person with a graded address is.");
    }
    boolean anonymous = decision instanceof Decision.ReleaseDeidentified;
    if (anonymous
        && (field.identifier() || field.freeText() || ViewFields.WHO.contains(field.category()))) {
      return new Text(
          "Kjennetegn og fritekst deles ikke uten samtykke.",
          "Identifying details and free text are not shared without consent.");
    }
    Accord accord = plan.accord(second);
    if (accord != null && !permits(accord, field)) {
      return new Text(
          "Avtalen " + accord.reference() + " tillater ikke opplysningen.",
          "The agreement " + accord.reference() + " does not permit it.");
    }
    Candidate waiting = waiting(field);
    return waiting == null
        ? new Text(
            "Intet grunnlag som gjelder nå, dekker "
                + pack.vocabulary().category(field.category()).nb()
                + ".",
            "No basis in force now covers "
                + pack.vocabulary().category(field.category()).en()
                + ".")
        : new Text(
            "Trenger " + waiting.reference() + ": " + standing(waiting.basis(), waiting).nb(),
            "Needs " + waiting.reference() + ": " + standing(waiting.basis(), waiting).en());
  }

  private boolean permits(Accord accord, Contract.Field field) {
    boolean category =
        ((accord.allowed() | accord.special()) & plan.view().bit(field.category())) != 0;
    return category && (accord.fields() == null || accord.fields().contains(field.path()));
  }

  private @Nullable Candidate waiting(Contract.Field field) {
    return Arrays.stream(plan.candidates())
        .filter(c -> c.basis().categories().contains(field.category()))
        .filter(c -> c.inForce(second))
        .findFirst()
        .orElse(null);
  }
}
