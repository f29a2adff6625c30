package no.bindeledd.demo;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.IntConsumer;
import no.bindeledd.exchange.OrganisationNumber;

/**
 * One NAV office: hands in its list, asks the county about rights, tells which measures have
 * places, and reads the answers to its list. Thread-safe.
 */
public final class NavOffice implements AutoCloseable {
  private static final List<String> MEASURES =
      List.of(
          "ARBEIDSTRENING",
          "INDIVIDUELL_JOBBSTOTTE_UNG",
          "OPPFOLGING",
          "AVKLARING",
          "ARBEIDSFORBEREDENDE_TRENING",
          "ARBEIDSMARKEDSOPPLAERING",
          "FAG_OG_YRKESOPPLAERING",
          "JOBBKLUBB",
          "MENTOR");

  /** Questions that are under way at the same time. */
  private static final int CONCURRENT_QUESTIONS = 16;

  private final Population population;
  private final OrganisationNumber office;
  private final String name;
  private final TopicReader inbox;

  /**
   * Starts reading the answers.
   *
   * @param name {@code nav-a}, {@code nav-b} or {@code nav-c}
   * @param open turns a sealed answer into JSON
   */
  public NavOffice(
      Population population,
      OrganisationNumber office,
      String name,
      String bootstrap,
      Function<byte[], byte[]> open,
      TopicReader.Listener listener) {
    this.population = population;
    this.office = office;
    this.name = name;
    this.inbox = new TopicReader(bootstrap, Map.of(topic(name), open), listener);
  }

  static String topic(String name) {
    return name + ".list-reconciliation.v1";
  }

  public OrganisationNumber organisation() {
    return office;
  }

  /** The recipient's name in the exchange list-reconciliation. */
  public String name() {
    return name;
  }

  /** Answers to the office's list. */
  public long answers() {
    return inbox.records(topic(name));
  }

  public TopicReader inbox() {
    return inbox;
  }

  /** Rows in the office's list. */
  public int listSize() {
    return (int) population.knownTo(office).count();
  }

  /** Hands in the list of all youth that the office knows, to be compared with OT's. */
  public Hub.Reply sendList(Hub hub, String listId) throws InterruptedException {
    ObjectNode list = AgencyServer.JSON.createObjectNode();
    list.put("listId", listId);
    list.put("counterpart", Agencies.OT.value());
    ArrayNode persons = list.putArray("persons");
    String prefix = "NAV-" + listId + "-" + office + "-";
    population
        .knownTo(office)
        .forEach(p -> ListRow.add(persons, prefix, p.number(), p.identityNumber(), p.listCode()));
    return hub.post("list-reconciliation", office, Json.bytes(list));
  }

  /**
   * Tells the capacity of each measure; every fourth is stopped.
   *
   * @return the notices the hub took
   */
  public int sendCapacities(Hub hub) throws InterruptedException {
    int taken = 0;
    for (int i = 0; i < MEASURES.size(); i++) {
      boolean open = (i + office.value().charAt(5)) % 4 != 0;
      ObjectNode notice = AgencyServer.JSON.createObjectNode();
      notice.put(
          "messageId", "CAP-%d-%s-%02d".formatted(population.reference().getYear(), office, i));
      notice.put("office", office.value());
      notice.put("measure", MEASURES.get(i));
      notice.put("open", open);
      notice.put("places", open ? 2 + 3 * i : 0);
      notice.put("targetGroup", "Ungdom 16-24 utenfor skole og arbeid");
      notice.put("validFrom", population.reference().plusDays(6).toString());
      Hub.Reply reply = hub.post("measure-capacity", Agencies.NAV_STATE, Json.bytes(notice));
      taken += reply.status() / 100 == 2 ? 1 : 0;
    }
    return taken;
  }

  /** How many notices {@link #sendCapacities} sends. */
  public int capacities() {
    return MEASURES.size();
  }

  /**
   * How many questions {@link #askRights} asks: one for each person on the office's list, and one
   * about somebody whom the county does not know.
   */
  public int questions() {
    return listSize() + 1;
  }

  /**
   * Asks the county about the right of everyone on the list, and of somebody from elsewhere.
   *
   * @param progress hears the number of answers so far
   */
  public Questions askRights(Hub hub, IntConsumer progress) throws InterruptedException {
    ConcurrentLinkedQueue<Hub.Reply> replies = new ConcurrentLinkedQueue<>();
    ConcurrentLinkedQueue<RuntimeException> failures = new ConcurrentLinkedQueue<>();
    AtomicInteger asked = new AtomicInteger();
    Semaphore room = new Semaphore(CONCURRENT_QUESTIONS);
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      SequencedMap<Integer, String> numbers = new LinkedHashMap<>();
      numbers.put(0, fromElsewhere());
      population.knownTo(office).forEach(p -> numbers.put(p.number(), p.identityNumber()));
      for (Map.Entry<Integer, String> person : numbers.entrySet()) {
        room.acquire();
        threads.execute(
            () -> {
              try {
                replies.add(ask(hub, person.getKey(), person.getValue()));
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              } catch (RuntimeException e) {
                failures.add(e);
              } finally {
                progress.accept(asked.incrementAndGet());
                room.release();
              }
            });
      }
    }
    if (!failures.isEmpty()) {
      throw failures.peek();
    }
    return Questions.of(List.copyOf(replies));
  }

  /** Younger than anybody in the population. */
  private String fromElsewhere() {
    return SyntheticNumber.of(
        population.reference().minusYears(15), new Random(Integer.parseInt(office.value())));
  }

  private Hub.Reply ask(Hub hub, int person, String number) throws InterruptedException {
    ObjectNode question = AgencyServer.JSON.createObjectNode();
    question.put(
        "messageId", "RQ-%d-%s-%06d".formatted(population.reference().getYear(), office, person));
    question.put("foedselsnummer", number);
    question.put("question", "RETT_TIL_VIDEREGAAENDE");
    return hub.post("rights-query", Agencies.NAV_STATE, Json.bytes(question));
  }

  @Override
  public void close() {
    inbox.close();
  }
}
