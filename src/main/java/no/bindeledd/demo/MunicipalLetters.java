package no.bindeledd.demo;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;
import no.bindeledd.demo.Casework.Letter;
import no.bindeledd.exchange.OrganisationNumber;

/**
 * What a municipality and the services that it wants to coordinate write to each other (E18), and
 * what is reported to child welfare (E19): {@link Casework} sends it.
 */
final class MunicipalLetters {
  /** Own choice: one in four whom both OT and NAV follow needs a coordinating service. */
  private static final int EVERY = 4;

  /** Own choice: of those one in ten is claimed by a second service as well, which is refused. */
  private static final int CLAIMED_TWICE = 10;

  private final Population population;

  MunicipalLetters(Population population) {
    this.population = population;
  }

  private Stream<Person> coordinated() {
    return population
        .dropouts()
        .filter(p -> p.navOffice() != null && p.number() % EVERY == 0 && !p.protection().any());
  }

  /** NAV and the school are invited, and the treatment team where there is one. */
  List<Letter> invitations() {
    List<Letter> letters = new ArrayList<>();
    coordinated()
        .forEach(
            p -> {
              letters.add(invitation(p, Agencies.MUNICIPALITY));
              if (p.number() % CLAIMED_TWICE == 0) {
                letters.add(invitation(p, Agencies.YOUTH_SERVICES));
              }
            });
    return letters;
  }

  private static Letter invitation(Person person, OrganisationNumber by) {
    String id = id(person, by);
    ObjectNode body = Casework.person(id, person);
    Casework.named(body, person);
    body.put("invitasjonId", id);
    body.put("koordinerendeTjeneste", by.value());
    body.put("koordinerendeNavn", "Eksempelvik kommune");
    body.put("avsluttet", false);
    ArrayNode invited = body.putArray("inviterte");
    invited.add(Agencies.NAV_STATE.value());
    invited.add(Agencies.SCHOOL.value());
    if (person.referral() != null) {
      invited.add(Agencies.TREATMENT_TEAM.value());
    }
    body.put("individuellPlan", person.referral() != null);
    body.put("bakgrunn", "Internt: sammensatte vansker.");
    return new Letter(by, body);
  }

  /** NAV takes part; every third school declines with a reason, and one forgets it. */
  List<Letter> answers() {
    List<Letter> letters = new ArrayList<>();
    coordinated()
        .forEach(
            p -> {
              letters.add(answer(p, Agencies.NAV_STATE, "DELTAR"));
              letters.add(answer(p, Agencies.SCHOOL, p.number() % 3 == 0 ? "AVSLAR" : "DELTAR"));
            });
    letters.stream()
        .filter(letter -> letter.body().has("grunn"))
        .findFirst()
        .ifPresent(
            letter -> {
              ObjectNode without = letter.body().deepCopy();
              without.remove("grunn");
              without.put("messageId", "SVAR-UTEN-GRUNN");
              letters.add(new Letter(letter.sender(), without));
            });
    return letters;
  }

  private static Letter answer(Person person, OrganisationNumber from, String answer) {
    String id = id(person, Agencies.MUNICIPALITY);
    ObjectNode body = AgencyServer.JSON.createObjectNode();
    body.put("messageId", "SVAR-" + from + "-" + id);
    body.put("invitasjonId", id);
    body.put("foedselsnummer", person.identityNumber());
    body.put("mottaker", Agencies.MUNICIPALITY.value());
    body.put("svar", answer);
    if (answer.equals("AVSLAR")) {
      body.put("grunn", "KAPASITET");
    }
    body.putObject("kontakt").put("navn", "Fagperson Eksempel").put("enhet", "Enhet " + from);
    return new Letter(from, body);
  }

  /** E19: NAV worries about every fourth child whom OT follows. */
  List<Letter> reports() {
    return population
        .dropouts()
        .filter(p -> p.number() % 4 == 1)
        .filter(p -> p.birthDate().plusYears(18).isAfter(population.reference()))
        .map(
            p -> {
              String id = "MELD-%06d".formatted(p.number());
              ObjectNode body = Casework.person(id, p);
              Casework.named(body, p);
              body.put("meldingId", id);
              body.put("grunn", p.number() % 8 == 1 ? "VOLD" : "OMSORGSSVIKT");
              body.put("bekymring", "Alene hjemme i flere døgn.");
              body.putObject("melder")
                  .put("navn", "Veileder Eksempel")
                  .put("enhet", "NAV Eksempelvik");
              return new Letter(Agencies.NAV_STATE, body);
            })
        .toList();
  }

  /** The leader signs what the hub holds for it, except where she has not come to it yet. */
  void sign(Hub hub, Letter report, Hub.Reply reply) throws InterruptedException {
    String id = report.body().path("meldingId").asText();
    if (reply.status() / 100 != 2 || id.endsWith("5")) {
      return;
    }
    for (JsonNode answer : Json.tree(reply.body()).path("answers")) {
      if (!answer.path("reason").asText().equals("AWAITING_SIGNATURE")) {
        continue;
      }
      ObjectNode act = AgencyServer.JSON.createObjectNode();
      act.put("kind", "SIGNATURE");
      act.put("ledgerEntry", answer.path("ledgerEntry").asLong());
      act.putObject("person")
          .put("id", "leder-1")
          .put("name", "Leder Eksempel")
          .put("reason", "Vurdert sammen med veilederen; plikten gjelder.");
      UUID name = UUID.nameUUIDFromBytes(id.getBytes(StandardCharsets.US_ASCII));
      Hub.Reply signed = hub.sign(name, report.sender(), Json.bytes(act));
      if (signed.status() / 100 != 2) {
        throw new IllegalStateException("The hub took no signature: status " + signed.status());
      }
    }
  }

  private static String id(Person person, OrganisationNumber by) {
    return "KOORD-%s-%06d".formatted(by, person.number());
  }
}
