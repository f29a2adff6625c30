package no.bindeledd.demo;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import java.util.stream.Stream;
import no.bindeledd.exchange.OrganisationNumber;

/**
 * What caseworkers write to each other about single people, as their systems send it to the hub: a
 * JSON document over REST, with the sender's own token. The same messages at each start. Immutable;
 * thread-safe.
 */
public final class Casework {
  static final String FOLLOW_UP_PLAN = "follow-up-plan";
  static final String FOLLOW_UP_DECISION = "follow-up-decision";

  static final String YOUTH_REFERRAL = "youth-referral";
  static final String FOLLOW_UP_OFFER = "follow-up-offer";
  static final String CONCURRENT_SERVICE = "concurrent-service-notice";
  static final String JOINT_PLAN = "joint-plan-update";
  static final String CASE_DISCUSSION = "case-discussion";
  static final String IPS_ACCEPTED = "ips-accepted";
  static final String CHILD_WELFARE_REPORT = "child-welfare-report";
  static final String CHILD_WELFARE_RECEIPT = "child-welfare-receipt";
  static final String COLLECTION_ANSWER = "collection-answer";
  static final String COORDINATION = "coordinating-service";
  static final String COORDINATION_ANSWER = "coordination-answer";

  /** Everything that is sent. What stands together is sent one after the other: an answer last. */
  public static final List<List<String>> EXCHANGES =
      List.of(
          List.of(FOLLOW_UP_PLAN),
          List.of(FOLLOW_UP_DECISION),
          List.of(YOUTH_REFERRAL, FOLLOW_UP_OFFER),
          List.of(CONCURRENT_SERVICE, JOINT_PLAN, CASE_DISCUSSION, IPS_ACCEPTED),
          List.of(COORDINATION, COORDINATION_ANSWER, CHILD_WELFARE_REPORT));

  /** OT has reached these and follows them up. */
  private static final Set<String> FOLLOWED = Set.of("OTOV", "OTOA", "OTAP", "OTSY");

  /** 90 % of those under 30 are followed up within eight weeks (SVAR 54–56): one in ten is late. */
  private static final int LATE_EVERY = 10;

  private static final int AT_ONCE = 8;

  private final Population population;
  private final LocalDate today;
  private final HealthLetters health;
  private final MunicipalLetters municipal;

  /**
   * What came of the messages.
   *
   * @param taken those that the hub recorded for at least one recipient
   */
  public record Sent(int taken, int refused) {
    @Override
    public String toString() {
      return taken + " taken, " + refused + " refused";
    }
  }

  /** A message and who sends it. */
  record Letter(OrganisationNumber sender, ObjectNode body) {}

  /**
   * @param today the day on which the agencies first wrote: referrals lie some weeks before it
   */
  public Casework(Population population, LocalDate today) {
    this.population = population;
    this.today = today;
    this.health = new HealthLetters(population);
    this.municipal = new MunicipalLetters(population);
  }

  /** Sends everything of one exchange and waits for the answers. */
  public Sent send(Hub hub, String exchange, IntConsumer progress) throws InterruptedException {
    return send(hub, exchange, letters(exchange), progress);
  }

  /** Sends these letters of one exchange and waits for the answers. */
  Sent send(Hub hub, String exchange, List<Letter> letters, IntConsumer progress)
      throws InterruptedException {
    ConcurrentLinkedQueue<RuntimeException> failures = new ConcurrentLinkedQueue<>();
    AtomicInteger answered = new AtomicInteger();
    AtomicInteger taken = new AtomicInteger();
    Semaphore room = new Semaphore(AT_ONCE);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Letter letter : letters) {
        room.acquire();
        threads.execute(
            () -> {
              try {
                Hub.Reply reply = hub.post(exchange, letter.sender(), Json.bytes(letter.body()));
                taken.addAndGet(reply.status() / 100 == 2 ? 1 : 0);
                if (exchange.equals(CHILD_WELFARE_REPORT)) {
                  municipal.sign(hub, letter, reply);
                }
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              } catch (RuntimeException e) {
                failures.add(e);
              } finally {
                progress.accept(answered.incrementAndGet());
                room.release();
              }
            });
      }
    }
    if (!failures.isEmpty()) {
      throw failures.peek();
    }
    return new Sent(taken.get(), letters.size() - taken.get());
  }

  /** How many messages {@link #send} sends. */
  int messages(String exchange) {
    return letters(exchange).size();
  }

  private List<Letter> letters(String exchange) {
    return switch (exchange) {
      case FOLLOW_UP_PLAN -> plans();
      case FOLLOW_UP_DECISION -> decisions();
      case YOUTH_REFERRAL -> referred().map(p -> new Letter(Agencies.OT, referral(p))).toList();
      case FOLLOW_UP_OFFER ->
          referred()
              .filter(p -> !p.protection().any() && p.number() % LATE_EVERY != 0)
              .map(p -> new Letter(Objects.requireNonNull(p.navOffice()), offer(p)))
              .toList();
      case CONCURRENT_SERVICE -> health.concurrentServices();
      case JOINT_PLAN -> health.jointPlans();
      case CASE_DISCUSSION -> health.cases();
      case IPS_ACCEPTED -> health.accepted();
      case CHILD_WELFARE_REPORT -> municipal.reports();
      case COORDINATION -> municipal.invitations();
      case COORDINATION_ANSWER -> municipal.answers();
      default -> throw new IllegalArgumentException("Nobody writes to " + exchange);
    };
  }

  /** E05: a plan for each youth that OT follows; who is named in it depends on who has a task. */
  private List<Letter> plans() {
    List<Letter> letters = new ArrayList<>();
    population
        .dropouts()
        .filter(p -> p.otStatus() != null && FOLLOWED.contains(p.otStatus()))
        .forEach(p -> letters.add(new Letter(Agencies.OT, plan(p))));
    // One adviser names a school that has no part in the exchange.
    letters.stream()
        .findFirst()
        .ifPresent(
            first -> {
              ObjectNode wrong = first.body().deepCopy();
              wrong.put("messageId", "PLAN-%d-000000".formatted(year()));
              wrong.withArray("mottakere").add(Agencies.SECOND_SCHOOL.value());
              letters.add(new Letter(Agencies.OT, wrong));
            });
    return letters;
  }

  private ObjectNode plan(Person person) {
    String id = "PLAN-%d-%06d".formatted(year(), person.number());
    ObjectNode plan = person(id, person);
    named(plan, person);
    plan.put("planId", id);
    plan.put("otStatus", person.otStatus());
    contact(plan);
    ObjectNode meeting = plan.putObject("moete");
    meeting.put("tidspunkt", population.reference().plusDays(7 + person.number() % 20) + "T09:00");
    meeting.put("sted", "Eksempelvik rådhus");
    plan.put("maal", person.number() % 3 == 0 ? "KOMBINASJON" : "OPPLARING");
    ArrayNode receivers = plan.putArray("mottakere");
    ArrayNode tasks = plan.putArray("oppgaver");
    receivers.add(Agencies.SCHOOL.value());
    task(tasks, "SKOLE", "TILRETTELEGGING", person);
    if (person.navOffice() != null) {
      receivers.add(Agencies.NAV_STATE.value());
      task(tasks, "NAV", "ARBEIDSPRAKSIS", person);
    }
    if (person.referral() != null) {
      receivers.add(Agencies.TREATMENT_TEAM.value());
      task(tasks, "HELSE", "SAMORDNING", person);
    }
    plan.putObject("underskrevet").put("ot", population.reference().toString());
    plan.put("merknad", "Internt: ting er vanskelig hjemme.");
    return plan;
  }

  private void task(ArrayNode tasks, String owner, String task, Person person) {
    tasks
        .addObject()
        .put("ansvarlig", owner)
        .put("oppgave", task)
        .put("frist", population.reference().plusDays(30 + person.number() % 7).toString());
  }

  /** E07: a decision for everyone in a measure, with the effort group that is to stay at NAV. */
  private List<Letter> decisions() {
    List<Letter> letters = new ArrayList<>();
    for (Person person : population.people()) {
      if (person.participations().isEmpty()) {
        continue;
      }
      ObjectNode decision = AgencyServer.JSON.createObjectNode();
      decision.put("messageId", "14A-%d-%06d".formatted(year(), person.number()));
      decision.put("personIdent", person.identityNumber());
      decision.put("vedtakId", "VEDTAK-%d-%06d".formatted(year(), person.number()));
      decision.put(
          "fattetDato", person.participations().getFirst().start().minusDays(14).toString());
      decision.put(
          "innsatsgruppe",
          person.number() % 10 == 3
              ? "UKJENT_GRUPPE"
              : person.number() % 2 == 0 ? "TRENGER_VEILEDNING" : "JOBBE_DELVIS");
      decision.putObject("vurdering").put("d", "Nedsatt etter sykdom.");
      letters.add(new Letter(Agencies.NAV_STATE, decision));
    }
    return letters;
  }

  /** E06: those whom OT follows and a NAV office knows. */
  private Stream<Person> referred() {
    return population.dropouts().filter(p -> p.navOffice() != null);
  }

  /** Most were referred lately; of those without an offer every second one eight weeks ago. */
  private ObjectNode referral(Person person) {
    boolean late = person.number() % LATE_EVERY == 0;
    int ago = !late ? person.number() % 40 : person.number() % (2 * LATE_EVERY) == 0 ? 60 : 52;
    ObjectNode referral = person("HENV-%06d-1".formatted(person.number()), person);
    named(referral, person);
    referral.put("henvisningId", "HENV-%06d".formatted(person.number()));
    referral.put("telefon", person.phone());
    referral.put("mottaker", String.valueOf(person.navOffice()));
    referral.put("henvistDato", today.minusDays(ago).toString());
    referral.put("otStatus", person.otStatus());
    referral.put("oensket", "ARBEID");
    contact(referral);
    referral.put("bakgrunn", "Internt: vanskelige forhold hjemme.");
    return referral;
  }

  private ObjectNode offer(Person person) {
    ObjectNode offer = AgencyServer.JSON.createObjectNode();
    offer.put("messageId", "TILBUD-%06d".formatted(person.number()));
    offer.put("henvisningId", "HENV-%06d".formatted(person.number()));
    offer.put("foedselsnummer", person.identityNumber());
    offer.put("tilbudsdato", today.toString());
    offer.put("tiltak", person.number() % 3 == 0 ? "AVKLARING" : "ARBEIDSTRENING");
    return offer;
  }

  static void named(ObjectNode body, Person person) {
    ObjectNode name = body.putObject("navn");
    name.put("fornavn", person.givenName());
    name.put("etternavn", person.familyName());
  }

  private static void contact(ObjectNode body) {
    ObjectNode contact = body.putObject("kontakt");
    contact.put("navn", "Rådgiver Eksempel");
    contact.put("enhet", "Oppfølgingstjenesten Eksempelvik");
    contact.put("telefon", "+4799990200");
  }

  static ObjectNode person(String messageId, Person person) {
    ObjectNode body = AgencyServer.JSON.createObjectNode();
    body.put("messageId", messageId);
    body.put("foedselsnummer", person.identityNumber());
    body.put("foedselsdato", person.birthDate().toString());
    return body;
  }

  private int year() {
    return population.reference().getYear();
  }
}
