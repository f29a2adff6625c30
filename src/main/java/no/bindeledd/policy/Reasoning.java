package no.bindeledd.policy;

import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.exchange.Text;
import no.bindeledd.policy.Agreement.Stage;
import no.bindeledd.policy.Decision.ProtectionClass;
import no.bindeledd.policy.Explanation.Finding;
import no.bindeledd.policy.Explanation.Step;
import no.bindeledd.policy.Explanation.Topic;

/** Writes an {@link Explanation}: looks again at what a decision looked at. One use. */
final class Reasoning {
  private final PolicyPack pack;
  private final Plan plan;
  private final Facts facts;
  private final Decision decision;
  private final long second;
  private final LocalDate today;
  private final BasisReach reach;
  private final List<Step> steps = new ArrayList<>();

  Reasoning(PolicyPack pack, Plan plan, Facts facts, Decision decision) {
    this.pack = pack;
    this.plan = plan;
    this.facts = facts;
    this.decision = decision;
    this.second = facts.at().getEpochSecond();
    this.today = Days.day(facts.at());
    this.reach = new BasisReach(pack, facts);
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
    Text standing = reach.of(candidate);
    step(
        basis.duty() ? Topic.DUTY : Topic.LEGAL_BASIS,
        carries ? (decision.outcome().leaves() ? Finding.CARRIES : Finding.STOPS) : Finding.SILENT,
        basis.reference(),
        basis.statute() + ": " + standing.nb(),
        basis.statute() + ": " + standing.en());
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
}
