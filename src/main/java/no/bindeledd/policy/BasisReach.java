package no.bindeledd.policy;

import java.time.LocalDate;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import no.bindeledd.exchange.Text;
import no.bindeledd.policy.HumanAct.Kind;
import no.bindeledd.policy.LegalBasis.Consent;

/**
 * How far a legal basis reaches for one message, in words: the first thing that it lacks, or why it
 * carries. Immutable.
 */
final class BasisReach {
  private final PolicyPack pack;
  private final Facts facts;
  private final long second;
  private final LocalDate today;

  BasisReach(PolicyPack pack, Facts facts) {
    this.pack = pack;
    this.facts = facts;
    this.second = facts.at().getEpochSecond();
    this.today = Days.day(facts.at());
  }

  Text of(Candidate candidate) {
    LegalBasis basis = candidate.basis();
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
    if (facts.protection().any() && !basis.protectedPersons()) {
      return new Text(
          "gjelder, men når ikke den som har gradert adresse eller er skjermet.",
          "in force, but does not reach whoever has a graded address or is shielded.");
    }
    Condition.Verdict verdict = candidate.judge(facts, false);
    boolean isSettled = verdict == Condition.Verdict.IN_DOUBT && done(Kind.OVERRIDE);
    if (verdict != Condition.Verdict.TRUE && !isSettled) {
      return condition(basis, verdict);
    }
    Kind asked =
        switch (basis.human()) {
          case NONE -> null;
          case SIGNATURE -> Kind.SIGNATURE;
          case BREAK_GLASS -> Kind.BREAK_GLASS;
        };
    if (asked != null && !done(asked)) {
      boolean signature = asked == Kind.SIGNATURE;
      return new Text(
          "gjelder, men en navngitt person må først "
              + (signature ? "signere." : "begrunne nødrett."),
          "in force, but first a named person must "
              + (signature ? "sign." : "break the glass, with a reason."));
    }
    Text consent = consent(basis);
    return isSettled
        ? new Text(
            consent.nb() + " To personer har avgjort det som er åpent.",
            consent.en() + " Two people have settled what is open.")
        : consent;
  }

  private Text condition(LegalBasis basis, Condition.Verdict verdict) {
    String group = basis.targetGroup();
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

  private boolean done(Kind kind) {
    return facts.acts().stream().anyMatch(act -> act.holds(kind, facts.at()));
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
    List<ConsentFact> found =
        facts.consents().stream()
            .filter(c -> c.kind() == basis.consentKind())
            .filter(c -> c.state() != ConsentFact.State.BLOCKED)
            .filter(c -> c.purpose().equals(facts.purpose()))
            .filter(c -> c.concerns(facts.sender().value(), facts.receiver().value()))
            .toList();
    boolean guardians = basis.consent() == Consent.GUARDIANS;
    return new Text(
        "gjelder med samtykke ("
            + basis.consentKind()
            + ") fra "
            + (guardians ? "begge foresatte" : "personen")
            + (basis.itemised() ? ", som nevner opplysningen" : "")
            + ". Funnet: "
            + (found.isEmpty()
                ? "ingen"
                : told(found, "personen", "en foresatt", "begge foresatte"))
            + ".",
        "in force with a consent ("
            + basis.consentKind()
            + ") of "
            + (guardians ? "both guardians" : "the person")
            + (basis.itemised() ? " that names the information" : "")
            + ". Found: "
            + (found.isEmpty() ? "none" : told(found, "the person", "a guardian", "both guardians"))
            + ".");
  }

  /** Each with its state and who gave it. */
  private String told(List<ConsentFact> found, String person, String one, String both) {
    return found.stream()
        .map(
            c ->
                c.reference()
                    + " "
                    + (c.ended(facts.at()) ? "EXPIRED" : c.state())
                    + " ("
                    + Stream.of(
                            c.grantors().person() ? person : "",
                            c.grantors().guardians() == 1 ? one : "",
                            c.grantors().guardians() > 1 ? both : "")
                        .filter(who -> !who.isEmpty())
                        .collect(Collectors.joining(", "))
                    + ")")
        .collect(Collectors.joining("; "));
  }
}
