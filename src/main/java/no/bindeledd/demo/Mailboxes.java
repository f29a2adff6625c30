package no.bindeledd.demo;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
      return recipient + "." + exchange + ".v1";
    }
  }

  /** No agency sends these, as the hub writes them; nor those that follow from a consent. */
  private static final String DEADLINE_NOTICE = "deadline-notice";

  private static final List<Box> BOXES =
      List.of(
          new Box("consent-withdrawal", "school", Agencies.SCHOOL),
          new Box("collection-request", "school", Agencies.SCHOOL),
          new Box("collection-request", "ot", Agencies.OT),
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
          new Box(Casework.COORDINATION, "nav", Agencies.NAV_STATE),
          new Box(Casework.COORDINATION, "health", Agencies.TREATMENT_TEAM),
          new Box(Casework.COORDINATION, "school", Agencies.SCHOOL),
          new Box(Casework.COORDINATION_ANSWER, "municipality", Agencies.MUNICIPALITY),
          new Box(Casework.COORDINATION_ANSWER, "youth-services", Agencies.YOUTH_SERVICES));

  private final TopicReader inbox;

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
    inbox = new TopicReader(bootstrap, topics, listener);
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
