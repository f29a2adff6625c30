package no.bindeledd.demo;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.function.Function;
import java.util.stream.Stream;
import no.bindeledd.exchange.OrganisationNumber;

/**
 * Where the agencies read what caseworkers at other agencies sent ({@link Casework}): a topic for
 * each recipient of each exchange, whose values only the recipient's key opens. Thread-safe.
 */
public final class Mailboxes implements AutoCloseable {
  /** The recipient's name is the one in the exchange's contract. */
  private record Box(String exchange, String recipient, OrganisationNumber organisation) {
    String topic() {
      return Mailboxes.topic(exchange, recipient);
    }
  }

  /** No agency sends these, as the hub writes them; nor those that follow from a consent. */
  static final String DEADLINE_NOTICE = "deadline-notice";

  static final String CONSENT_WITHDRAWAL = "consent-withdrawal";
  static final String COLLECTION_REQUEST = "collection-request";

  private static final List<Box> BOXES =
      List.of(
          new Box(CONSENT_WITHDRAWAL, "school", Agencies.SCHOOL),
          new Box(CONSENT_WITHDRAWAL, "health", Agencies.TREATMENT_TEAM),
          new Box(CONSENT_WITHDRAWAL, "addiction", Agencies.ADDICTION_SERVICE),
          new Box(CONSENT_WITHDRAWAL, "nav-a", Agencies.NAV_A),
          new Box(CONSENT_WITHDRAWAL, "nav-b", Agencies.NAV_B),
          new Box(CONSENT_WITHDRAWAL, "nav-c", Agencies.NAV_C),
          new Box(CONSENT_WITHDRAWAL, "municipality", Agencies.MUNICIPALITY),
          new Box(CONSENT_WITHDRAWAL, "youth-services", Agencies.YOUTH_SERVICES),
          new Box(COLLECTION_REQUEST, "school", Agencies.SCHOOL),
          new Box(COLLECTION_REQUEST, "ot", Agencies.OT),
          new Box(Casework.FOLLOW_UP_PLAN, "nav", Agencies.NAV_STATE),
          new Box(Casework.FOLLOW_UP_PLAN, "school", Agencies.SCHOOL),
          new Box(Casework.FOLLOW_UP_PLAN, "health", Agencies.TREATMENT_TEAM),
          new Box(Casework.FOLLOW_UP_DECISION, "ot", Agencies.OT),
          new Box(Casework.YOUTH_REFERRAL, "nav-a", Agencies.NAV_A),
          new Box(Casework.YOUTH_REFERRAL, "nav-b", Agencies.NAV_B),
          new Box(Casework.YOUTH_REFERRAL, "nav-c", Agencies.NAV_C),
          new Box(Casework.FOLLOW_UP_OFFER, "ot", Agencies.OT),
          new Box(Casework.CONCURRENT_SERVICE, "nav", Agencies.NAV_STATE),
          new Box(Casework.CONCURRENT_SERVICE, "health", Agencies.TREATMENT_TEAM),
          new Box(Casework.JOINT_PLAN, "nav", Agencies.NAV_STATE),
          new Box(Casework.JOINT_PLAN, "health", Agencies.TREATMENT_TEAM),
          new Box(Casework.CASE_DISCUSSION, "dps", Agencies.TREATMENT_TEAM),
          new Box(Casework.CASE_DISCUSSION, "nav", Agencies.NAV_STATE),
          new Box(Casework.CASE_DISCUSSION, "addiction", Agencies.ADDICTION_SERVICE),
          new Box(DEADLINE_NOTICE, "nav-a", Agencies.NAV_A),
          new Box(DEADLINE_NOTICE, "nav-b", Agencies.NAV_B),
          new Box(DEADLINE_NOTICE, "nav-c", Agencies.NAV_C),
          new Box(DEADLINE_NOTICE, "nav", Agencies.NAV_STATE),
          new Box(DEADLINE_NOTICE, "health", Agencies.TREATMENT_TEAM),
          new Box(DEADLINE_NOTICE, "school", Agencies.SCHOOL),
          new Box(DEADLINE_NOTICE, "governor", Agencies.COORDINATION_BOARD),
          new Box(DEADLINE_NOTICE, "child-welfare", Agencies.CHILD_WELFARE),
          new Box(Casework.IPS_ACCEPTED, "health", Agencies.TREATMENT_TEAM),
          new Box(Casework.CHILD_WELFARE_REPORT, "child-welfare", Agencies.CHILD_WELFARE),
          new Box(Casework.CHILD_WELFARE_RECEIPT, "nav", Agencies.NAV_STATE),
          new Box(Casework.CHILD_WELFARE_RECEIPT, "school", Agencies.SCHOOL),
          new Box(Casework.CHILD_WELFARE_RECEIPT, "ot", Agencies.OT),
          new Box(Casework.COORDINATION, "nav", Agencies.NAV_STATE),
          new Box(Casework.COORDINATION, "health", Agencies.TREATMENT_TEAM),
          new Box(Casework.COORDINATION, "school", Agencies.SCHOOL),
          new Box(Casework.COORDINATION_ANSWER, "municipality", Agencies.MUNICIPALITY),
          new Box(Casework.COORDINATION_ANSWER, "youth-services", Agencies.YOUTH_SERVICES));

  private final TopicReader inbox;
  private final Map<String, Map<String, byte[]>> letters = new ConcurrentHashMap<>();

  /**
   * Starts reading.
   *
   * @param keys for a recipient's organisation, what opens a value that was sealed for it
   */
  public Mailboxes(
      String bootstrap,
      Function<OrganisationNumber, Function<byte[], byte[]>> keys,
      TopicReader.Listener listener) {
    Map<String, Function<byte[], byte[]>> topics = new LinkedHashMap<>();
    BOXES.forEach(box -> topics.put(box.topic(), keys.apply(box.organisation())));
    inbox =
        new TopicReader(
            bootstrap,
            topics,
            (topic, key, plain) -> {
              letters
                  .computeIfAbsent(topic, t -> new ConcurrentSkipListMap<>())
                  .put(TopicReader.digest(plain), plain);
              listener.received(topic, key, plain);
            });
  }

  /** The different messages of an exchange that a recipient has read, always in the same order. */
  List<JsonNode> letters(String exchange, String recipient) {
    return letters.getOrDefault(topic(exchange, recipient), Map.of()).values().stream()
        .map(Json::tree)
        .toList();
  }

  /** The same for all recipients together. */
  List<JsonNode> letters(String exchange) {
    return BOXES.stream()
        .filter(box -> box.exchange().equals(exchange))
        .flatMap(box -> letters(exchange, box.recipient()).stream())
        .toList();
  }

  private static String topic(String exchange, String recipient) {
    return recipient + "." + exchange + ".v1";
  }

  static Stream<String> topics() {
    return BOXES.stream().map(Box::topic);
  }

  /** What every recipient got. */
  Stream<World.Received> received() {
    return BOXES.stream()
        .map(
            box ->
                new World.Received(
                    box.exchange(),
                    box.recipient(),
                    inbox.records(box.topic()),
                    inbox.different(box.topic())));
  }

  /** Records that the recipient's key did not open. */
  long unreadable() {
    return inbox.unreadable();
  }

  @Override
  public void close() {
    inbox.close();
  }
}
