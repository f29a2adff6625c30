package no.bindeledd.demo;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import no.bindeledd.exchange.OrganisationNumber;

/**
 * The county follow-up service's own system: reads its topics, whose values only its key opens, and
 * hands in its list of the youth it follows. Thread-safe.
 */
public final class OtSystem implements AutoCloseable {
  public static final String DROPOUT_NOTICE = "ot.dropout-notice.v1";
  public static final String MEASURE_EVENT = "ot.measure-event.v1";
  public static final String LIST_ANSWER = "ot.list-reconciliation.v1";
  public static final String MEASURE_CAPACITY = "ot.measure-capacity.v1";
  public static final String CONSENT_WITHDRAWAL = "ot.consent-withdrawal.v1";
  public static final List<String> TOPICS =
      List.of(DROPOUT_NOTICE, MEASURE_EVENT, LIST_ANSWER, MEASURE_CAPACITY, CONSENT_WITHDRAWAL);

  private final Population population;
  private final TopicReader inbox;

  /**
   * Starts reading.
   *
   * @param open turns a sealed value into JSON; the notices of capacity are not sealed
   */
  public OtSystem(
      Population population,
      String bootstrap,
      Function<byte[], byte[]> open,
      TopicReader.Listener listener) {
    this.population = population;
    this.inbox =
        new TopicReader(
            bootstrap,
            Map.of(
                DROPOUT_NOTICE,
                open,
                MEASURE_EVENT,
                open,
                LIST_ANSWER,
                open,
                CONSENT_WITHDRAWAL,
                open,
                MEASURE_CAPACITY,
                Function.identity()),
            listener);
  }

  public TopicReader inbox() {
    return inbox;
  }

  /** The rows of OT's list for one NAV office: everyone OT follows, and one row that is wrong. */
  public int listSize() {
    return (int) population.dropouts().count() + 1;
  }

  /** Hands in the list to be compared with one NAV office's. */
  public Hub.Reply sendList(Hub hub, String listId, OrganisationNumber office)
      throws InterruptedException {
    ObjectNode list = AgencyServer.JSON.createObjectNode();
    list.put("listId", listId);
    list.put("counterpart", office.value());
    ArrayNode persons = list.putArray("persons");
    String prefix = "OT-" + listId + "-" + office + "-";
    population
        .dropouts()
        .forEach(
            p ->
                ListRow.add(
                    persons, prefix, p.number(), p.identityNumber(), code(p.otStatus() + "")));
    Person wrong = population.people().getFirst();
    ListRow.add(
        persons, prefix, 0, SyntheticNumber.broken(wrong.identityNumber()), "IKKE_IVARETATT");
    return hub.post("list-reconciliation", Agencies.OT, Json.bytes(list));
  }

  /** OTUK means that OT has not reached the person yet. */
  private static String code(String otStatus) {
    return otStatus.equals("OTUK") ? "IKKE_IVARETATT" : "IVARETATT";
  }

  @Override
  public void close() {
    inbox.close();
  }
}
