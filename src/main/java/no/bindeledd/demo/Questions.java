package no.bindeledd.demo;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/**
 * What came of a number of questions to the hub. Immutable.
 *
 * @param answered replies with status 200
 * @param refused replies with status 4xx: the gate said no
 * @param failed all others
 * @param sortedNanos the times of those that were answered, shortest first
 */
public record Questions(int answered, int refused, int failed, List<Long> sortedNanos) {
  static Questions of(List<Hub.Reply> replies) {
    int answered = (int) replies.stream().filter(r -> r.status() == 200).count();
    int refused = (int) replies.stream().filter(r -> r.status() / 100 == 4).count();
    return new Questions(
        answered,
        refused,
        replies.size() - answered - refused,
        // A refusal waits so that its time tells nothing; it says nothing of how fast the hub is.
        replies.stream().filter(r -> r.status() == 200).map(Hub.Reply::nanos).sorted().toList());
  }

  /** The questions of several offices together. */
  public Questions and(Questions other) {
    return new Questions(
        answered + other.answered,
        refused + other.refused,
        failed + other.failed,
        Stream.concat(sortedNanos.stream(), other.sortedNanos.stream()).sorted().toList());
  }

  /**
   * The time within which the share of the replies came, in milliseconds; 0 when there are none.
   *
   * @param share such as 0.99
   */
  public double millis(double share) {
    if (sortedNanos.isEmpty()) {
      return 0;
    }
    int rank = (int) Math.ceil(share * sortedNanos.size());
    return sortedNanos.get(Math.max(rank, 1) - 1) / 1e6;
  }

  @Override
  public String toString() {
    return "Questions" + Arrays.asList(answered, refused, failed);
  }
}
