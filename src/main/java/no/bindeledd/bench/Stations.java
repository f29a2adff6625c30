package no.bindeledd.bench;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.search.Search;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Where an exchange's time goes: a reading of the hub's own timers. Immutable. */
record Stations(long received, Map<String, Double> micros) {

  /** The timers as they stand. */
  static Stations read(MeterRegistry registry, String exchange) {
    Map<String, Double> micros = new LinkedHashMap<>();
    for (Timer timer :
        Search.in(registry)
            .name(name -> name.startsWith("bindeledd."))
            .tag("exchange", exchange)
            .timers()) {
      micros.merge(timer.getId().getName(), timer.totalTime(TimeUnit.MICROSECONDS), Double::sum);
    }
    long received = 0;
    for (Counter counter :
        registry.find("bindeledd.receive").tag("exchange", exchange).counters()) {
      received += Math.round(counter.count());
    }
    return new Stations(received, micros);
  }

  /** Microseconds per message since an earlier reading, by timer. */
  Map<String, Double> microsPerMessageSince(Stations before) {
    Map<String, Double> each = new LinkedHashMap<>();
    long messages = Math.max(1, received - before.received);
    micros.forEach(
        (name, now) -> each.put(name, (now - before.micros.getOrDefault(name, 0.0)) / messages));
    return each;
  }
}
