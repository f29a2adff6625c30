package no.bindeledd.bench;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** Reads what this process, the broker and the database have used so far. For one thread. */
final class Meter {
  private final Supplier<Optional<ProcessHandle>> broker;
  private final Supplier<Optional<ProcessHandle>> database;

  /** The last reading of every process seen; one that has ended keeps counting. */
  private final Map<ProcessHandle, Long> brokerSeen = new HashMap<>();

  private final Map<ProcessHandle, Long> databaseSeen = new HashMap<>();

  Meter(Supplier<Optional<ProcessHandle>> broker, Supplier<Optional<ProcessHandle>> database) {
    this.broker = broker;
    this.database = database;
  }

  /**
   * A reading, or the difference of two.
   *
   * @param jvm processor time in ns of this process, which holds hub, bare routes and benchmark
   * @param broker processor time in ns
   * @param database processor time in ns of the server and its backends
   * @param allocated bytes on this process's heap
   */
  record Usage(long nanos, long jvm, long broker, long database, long allocated) {
    Usage since(Usage before) {
      return new Usage(
          nanos - before.nanos,
          jvm - before.jvm,
          broker - before.broker,
          database - before.database,
          allocated - before.allocated);
    }

    /** Of a difference: how much of all processors' time the three processes used, 0 to 1. */
    double busy() {
      return (double) (jvm + broker + database)
          / nanos
          / Runtime.getRuntime().availableProcessors();
    }
  }

  Usage read() {
    OperatingSystemMXBean system =
        (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    return new Usage(
        System.nanoTime(),
        system.getProcessCpuTime(),
        cpu(broker.get(), brokerSeen),
        cpu(database.get(), databaseSeen),
        threads.getTotalThreadAllocatedBytes());
  }

  /** Bytes in use on the heap after a collection. */
  static long heapAfterCollection() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static long cpu(Optional<ProcessHandle> process, Map<ProcessHandle, Long> seen) {
    process.stream()
        .flatMap(parent -> Stream.concat(Stream.of(parent), parent.descendants()))
        .forEach(
            member ->
                seen.merge(
                    member,
                    member.info().totalCpuDuration().orElse(Duration.ZERO).toNanos(),
                    Math::max));
    return seen.values().stream().mapToLong(Long::longValue).sum();
  }
}
