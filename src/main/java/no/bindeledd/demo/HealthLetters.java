package no.bindeledd.demo;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import no.bindeledd.demo.Casework.Letter;
import no.bindeledd.exchange.OrganisationNumber;

/**
 * What the treatment team, NAV and the addiction service write to each other about patients who
 * want work: {@link Casework} sends it. Each letter holds a diagnosis, which must never leave.
 */
final class HealthLetters {
  private final Population population;

  HealthLetters(Population population) {
    this.population = population;
  }

  /** E14: treatment runs, and of every second one NAV tells that its follow-up does too. */
  List<Letter> concurrentServices() {
    List<Letter> letters = new ArrayList<>();
    population
        .referred()
        .forEach(
            p -> {
              letters.add(concurrent(p, Agencies.TREATMENT_TEAM, Agencies.NAV_STATE));
              if (p.number() % 2 == 0) {
                letters.add(concurrent(p, Agencies.NAV_STATE, Agencies.TREATMENT_TEAM));
              }
            });
    return letters;
  }

  private Letter concurrent(Person person, OrganisationNumber from, OrganisationNumber to) {
    String id = id("SAMTIDIG", from, person);
    ObjectNode body = about(id, person);
    body.put("mottaker", to.value());
    body.put("forloepId", id);
    body.put("hendelse", "STARTET");
    body.put("dato", day().toString());
    contact(body);
    return diagnosed(from, body);
  }

  /** E14: a version of the plan from the team, and one from NAV. */
  List<Letter> jointPlans() {
    List<Letter> letters = new ArrayList<>();
    population
        .referred()
        .forEach(
            p -> {
              letters.add(plan(p, Agencies.TREATMENT_TEAM, Agencies.NAV_STATE));
              letters.add(plan(p, Agencies.NAV_STATE, Agencies.TREATMENT_TEAM));
            });
    return letters;
  }

  private Letter plan(Person person, OrganisationNumber from, OrganisationNumber to) {
    ObjectNode body = about(id("FP", from, person), person);
    body.put("mottaker", to.value());
    body.put("planId", "FP-%06d".formatted(person.number()));
    body.put("maal", "ARBEID");
    body.putArray("oppgaver")
        .addObject()
        .put("ansvarlig", "NAV")
        .put("oppgave", "ARBEIDSPRAKSIS")
        .put("frist", day().plusDays(person.number() % 28).toString());
    body.put("timerPerUke", 8 + person.number() % 20);
    body.putArray("tilrettelegging").add("KORTE_DAGER").add("FAST_KONTAKT");
    body.put("notat", "Sover dårlig.");
    return diagnosed(from, body);
  }

  /** E17: the team asks NAV and the addiction service, and NAV asks the team back. */
  List<Letter> cases() {
    List<Letter> letters = new ArrayList<>();
    population
        .referred()
        .forEach(
            p -> {
              letters.add(
                  discussion(
                      p,
                      Agencies.TREATMENT_TEAM,
                      List.of(Agencies.NAV_STATE, Agencies.ADDICTION_SERVICE)));
              letters.add(discussion(p, Agencies.NAV_STATE, List.of(Agencies.TREATMENT_TEAM)));
            });
    return letters;
  }

  private Letter discussion(Person person, OrganisationNumber from, List<OrganisationNumber> to) {
    ObjectNode body = about(id("DROFT", from, person), person);
    ArrayNode receivers = body.putArray("mottakere");
    to.forEach(one -> receivers.add(one.value()));
    body.put("saksnummer", "SAK-%06d".formatted(person.number()));
    body.put("tema", "ARBEID_OG_BEHANDLING");
    body.putArray("tjenester").add("DPS").add("NAV");
    body.put("spoersmaal", "Kan " + person.givenName() + " starte før behandlingen er ferdig?");
    contact(body);
    return diagnosed(from, body);
  }

  /** E13: NAV's employment specialist takes in every patient that was referred. */
  List<Letter> accepted() {
    return population
        .referred()
        .map(
            p -> {
              ObjectNode body = Casework.person("IPSJA-%06d".formatted(p.number()), p);
              body.put("referanse", java.util.Objects.requireNonNull(p.referral()).messageId());
              body.put("mottaker", Agencies.TREATMENT_TEAM.value());
              body.put("oppstart", day().plusDays(20).toString());
              body.putObject("jobbspesialist")
                  .put("navn", "Jobbspesialist Eksempel")
                  .put("enhet", "NAV Eksempelvik");
              return new Letter(Agencies.NAV_STATE, body);
            })
        .toList();
  }

  private static Letter diagnosed(OrganisationNumber from, ObjectNode body) {
    body.put("diagnose", "F32.1");
    return new Letter(from, body);
  }

  private static ObjectNode about(String messageId, Person person) {
    ObjectNode body = Casework.person(messageId, person);
    Casework.named(body, person);
    return body;
  }

  private static void contact(ObjectNode body) {
    body.putObject("kontakt").put("navn", "Fagperson Eksempel").put("enhet", "Eksempelvik");
  }

  private static String id(String prefix, OrganisationNumber from, Person person) {
    return "%s-%s-%06d".formatted(prefix, from, person.number());
  }

  private LocalDate day() {
    return population.reference();
  }
}
