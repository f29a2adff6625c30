package no.bindeledd.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.Map;

/** A run's figures as a table for people and as one line of JSON. */
public final class Report {
  private Report() {}

  /** The table, with what each line means. */
  public static String table(Figures f) {
    StringBuilder text = new StringBuilder(2000);
    line(text, "%nAsynchronous: Kafka to Kafka, %d-byte messages", f.messageBytes());
    line(text, "  %-42s %12s %12s", "", "bare Camel", "hub");
    row(text, "messages per second", f.bare().messagesPerSecond(), f.hub().messagesPerSecond());
    line(text, "  %-42s %12s %12.2f", "hub / bare (median of the rounds)", "", f.ratio());
    row(text, "processor µs per message, this JVM", f.bare().jvmMicros(), f.hub().jvmMicros());
    row(text, "processor µs per message, broker", f.bare().brokerMicros(), f.hub().brokerMicros());
    row(
        text,
        "processor µs per message, database",
        f.bare().databaseMicros(),
        f.hub().databaseMicros());
    row(text, "processors in use, per cent", f.bare().busy() * 100, f.hub().busy() * 100);
    row(
        text,
        "heap allocated per message, bytes",
        f.bare().allocatedBytes(),
        f.hub().allocatedBytes());
    line(text, "  Latency at %,d messages per second, ms", f.pacedPerSecond());
    latency(text, "p50", f.bareLatency().p50Millis(), f.hubLatency().p50Millis());
    latency(text, "p99", f.bareLatency().p99Millis(), f.hubLatency().p99Millis());
    latency(text, "p99.9", f.bareLatency().p999Millis(), f.hubLatency().p999Millis());
    stations(text, "  Where a message's time goes in the hub, µs (elapsed)", f.stations());

    line(text, "%nSynchronous: HTTP in, source asked, answer back");
    line(text, "  %-42s %12s %12s", "", "bare Camel", "hub");
    row(
        text,
        "requests per second",
        f.syncBare().requestsPerSecond(),
        f.sync().requestsPerSecond());
    latency(text, "p50, ms", f.syncBare().p50Millis(), f.sync().p50Millis());
    latency(text, "p99, ms", f.syncBare().p99Millis(), f.sync().p99Millis());
    latency(text, "p99.9, ms", f.syncBare().p999Millis(), f.sync().p999Millis());
    row(text, "processor µs per request, this JVM", f.syncBare().jvmMicros(), f.sync().jvmMicros());
    row(
        text,
        "processor µs per request, database",
        f.syncBare().databaseMicros(),
        f.sync().databaseMicros());
    row(
        text,
        "heap allocated per request, bytes",
        f.syncBare().allocatedBytes(),
        f.sync().allocatedBytes());
    stations(text, "  Where a request's time goes in the hub, µs (elapsed)", f.syncStations());

    line(text, "%nLedger");
    line(
        text,
        "  %-42s %25.0f",
        "entries per second, durable and in the tree",
        f.ledger().appendsPerSecond());
    line(text, "  %-42s %25.0f", "COPY alone, rows per second", f.ledger().copyRowsPerSecond());
    line(
        text,
        "  %-42s %25.0f",
        "writes of 8 KB forced to the disk, per second",
        f.ledger().syncsPerSecond());
    line(text, "  Until an entry is durable, at %,d a second, ms", LedgerRate.PACED);
    line(text, "    %-40s %25.1f", "p50", f.ledger().append().p50Millis());
    line(text, "    %-40s %25.1f", "p99", f.ledger().append().p99Millis());
    line(text, "    %-40s %25.1f", "p99.9", f.ledger().append().p999Millis());
    line(
        text,
        "%nHeap after collection %d MB. Books %s, ledger of %,d entries %s. %.0f s in all.",
        f.heapBytes() >> 20,
        f.balanced() ? "balance" : "DO NOT BALANCE",
        f.ledgerEntries(),
        f.verified() ? "verified" : "NOT VERIFIED",
        f.seconds());
    return text.toString();
  }

  private static void stations(StringBuilder text, String title, Map<String, Double> micros) {
    line(text, title);
    micros.entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(e -> line(text, "    %-40s %12s %12.1f", e.getKey(), "", e.getValue()));
  }

  private static void row(StringBuilder text, String name, double bare, double hub) {
    line(text, "  %-42s %,12.0f %,12.0f", name, bare, hub);
  }

  private static void latency(StringBuilder text, String name, double bare, double hub) {
    line(text, "    %-40s %12.1f %12.1f", name, bare, hub);
  }

  private static void line(StringBuilder text, String format, Object... values) {
    text.append(String.format(Locale.ROOT, format, values)).append('\n');
  }

  /** One line. */
  public static String json(Figures f) {
    ObjectNode json = new ObjectMapper().createObjectNode();
    flow(json.putObject("bare"), f.bare(), f.bareLatency());
    flow(json.putObject("hub"), f.hub(), f.hubLatency());
    json.put("ratio", rounded(f.ratio()));
    calls(json.putObject("syncBare"), f.syncBare());
    calls(json.putObject("sync"), f.sync());
    json.putObject("audit")
        .put("appendsPerSecond", Math.round(f.ledger().appendsPerSecond()))
        .put("copyRowsPerSecond", Math.round(f.ledger().copyRowsPerSecond()))
        .put("syncsPerSecond", Math.round(f.ledger().syncsPerSecond()))
        .put("p50Millis", rounded(f.ledger().append().p50Millis()))
        .put("p99Millis", rounded(f.ledger().append().p99Millis()));
    return json.toString();
  }

  private static void flow(ObjectNode json, Figures.Flow flow, Latencies.Percentiles latency) {
    json.put("messagesPerSecond", Math.round(flow.messagesPerSecond()))
        .put("p50Millis", rounded(latency.p50Millis()))
        .put("p99Millis", rounded(latency.p99Millis()))
        .put("p999Millis", rounded(latency.p999Millis()))
        .put("cpuMicrosPerMessage", rounded(flow.jvmMicros()))
        .put("brokerMicrosPerMessage", rounded(flow.brokerMicros()))
        .put("databaseMicrosPerMessage", rounded(flow.databaseMicros()))
        .put("allocatedBytesPerMessage", Math.round(flow.allocatedBytes()))
        .put("processorsInUse", rounded(flow.busy()));
  }

  private static void calls(ObjectNode json, Figures.Calls calls) {
    json.put("requestsPerSecond", Math.round(calls.requestsPerSecond()))
        .put("p50Millis", rounded(calls.p50Millis()))
        .put("p99Millis", rounded(calls.p99Millis()))
        .put("p999Millis", rounded(calls.p999Millis()))
        .put("cpuMicrosPerRequest", rounded(calls.jvmMicros()))
        .put("databaseMicrosPerRequest", rounded(calls.databaseMicros()));
  }

  private static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }
}
