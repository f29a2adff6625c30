package no.bindeledd.bench;

import java.util.List;
import java.util.Map;

/**
 * What one run measured. Throughputs and their parts are medians over the rounds; {@code ratio} is
 * the median of the rounds' own ratios.
 *
 * @param balanced every message of every exchange is counted once by its final state
 * @param verified the whole ledger verifies
 */
public record Figures(
    Flow bare,
    Flow hub,
    double ratio,
    Latencies.Percentiles bareLatency,
    Latencies.Percentiles hubLatency,
    int pacedPerSecond,
    Calls syncBare,
    Calls sync,
    Ledger ledger,
    Map<String, Double> stations,
    Map<String, Double> syncStations,
    long heapBytes,
    long messageBytes,
    boolean balanced,
    boolean verified,
    long ledgerEntries,
    double seconds) {

  /**
   * The ledger alone, and what limits it on the same disk.
   *
   * @param append from when entries were due, at {@link LedgerRate#PACED} a second, until they were
   *     durable
   * @param copyRowsPerSecond rows of an entry's size that the database takes when nothing else is
   *     done with them
   * @param syncsPerSecond how often 8 KB at the end of a file can be forced to the disk
   */
  public record Ledger(
      double appendsPerSecond,
      Latencies.Percentiles append,
      double copyRowsPerSecond,
      double syncsPerSecond) {}

  /**
   * A throughput, and what a message cost: microseconds of processor time, bytes of heap.
   *
   * @param busy how much of the machine's processors the three processes used, 0 to 1; what is
   *     missing to 1 was waiting, or somebody else's
   */
  public record Flow(
      double messagesPerSecond,
      double jvmMicros,
      double brokerMicros,
      double databaseMicros,
      double allocatedBytes,
      double busy) {
    static Flow of(double messages, Meter.Usage used) {
      return new Flow(
          messages * 1e9 / used.nanos(),
          used.jvm() / 1e3 / messages,
          used.broker() / 1e3 / messages,
          used.database() / 1e3 / messages,
          used.allocated() / messages,
          used.busy());
    }

    static Flow median(List<Flow> rounds) {
      return new Flow(
          median(rounds.stream().mapToDouble(Flow::messagesPerSecond).toArray()),
          median(rounds.stream().mapToDouble(Flow::jvmMicros).toArray()),
          median(rounds.stream().mapToDouble(Flow::brokerMicros).toArray()),
          median(rounds.stream().mapToDouble(Flow::databaseMicros).toArray()),
          median(rounds.stream().mapToDouble(Flow::allocatedBytes).toArray()),
          median(rounds.stream().mapToDouble(Flow::busy).toArray()));
    }

    static double median(double... values) {
      double[] sorted = values.clone();
      java.util.Arrays.sort(sorted);
      int middle = sorted.length / 2;
      return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
  }

  /** The synchronous path, likewise. */
  public record Calls(
      double requestsPerSecond,
      double p50Millis,
      double p99Millis,
      double p999Millis,
      double jvmMicros,
      double databaseMicros,
      double allocatedBytes) {}

  /** True when the run can be believed. */
  public boolean sound() {
    return balanced && verified;
  }
}
