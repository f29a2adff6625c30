package no.bindeledd.gate;

import java.sql.PreparedStatement;
import java.time.Instant;
import java.util.List;
import no.bindeledd.policy.Outcome;

/**
 * Puts a message that stood still back in the queue, as the newest: one that was held at the door,
 * or a dead letter that somebody replays. The door decides once more what of it may leave.
 */
public final class Resumption {
  /** Why it stood still: the state of its outbox row. */
  public enum From {
    PARKED,
    DEAD
  }

  private Resumption() {}

  /**
   * The write for the journal. Does nothing when the message no longer stands in that state.
   *
   * @param receiver the recipient's organisation number
   */
  public static Journal.Work of(Outgoing message, String receiver, From from, Instant at) {
    return (connection, next) -> {
      try (PreparedStatement outbox =
              connection.prepareStatement(
                  "UPDATE outbox SET id = ?, state = 'PENDING' WHERE id = ? AND state = ?");
          PreparedStatement envelope =
              connection.prepareStatement(
                  "UPDATE envelope SET outcome = ?, reason = ?, entry = ? WHERE key = ?")) {
        outbox.setLong(1, next);
        outbox.setLong(2, message.id());
        outbox.setString(3, from.name());
        if (outbox.executeUpdate() == 0) {
          return new Journal.Written(List.of(), List.of());
        }
        envelope.setString(1, message.outcome().name());
        envelope.setString(2, reason(message.outcome()));
        envelope.setLong(3, next);
        envelope.setBytes(4, message.key());
        envelope.executeUpdate();
        return new Journal.Written(
            List.of(Entries.delivery(at, message, receiver, "RESUMED", null)),
            List.of(message.withId(next)));
      }
    };
  }

  /** The reason code of a release has the outcome's own name. */
  private static String reason(Outcome outcome) {
    return outcome.name();
  }
}
