package no.bindeledd.hub;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Map;
import java.util.TreeMap;
import javax.sql.DataSource;
import no.bindeledd.gate.Catalogue;

/**
 * What waits, per exchange, as gauges read from the tables: {@code bindeledd.deliver.pending},
 * released and not yet delivered, and {@code bindeledd.hold.waiting}, held when it came or parked
 * at the door. Every instance shows the same numbers. While the database is away the last ones
 * stand.
 */
final class Backlog {
  private final DataSource database;
  private final Catalogue catalogue;
  private final MultiGauge pending;
  private final MultiGauge waiting;

  Backlog(DataSource database, Catalogue catalogue, MeterRegistry registry) {
    this.database = database;
    this.catalogue = catalogue;
    this.pending = MultiGauge.builder("bindeledd.deliver.pending").register(registry);
    this.waiting = MultiGauge.builder("bindeledd.hold.waiting").register(registry);
  }

  /** Reads the tables; called now and then. */
  void read() {
    Map<String, Long> released = new TreeMap<>();
    Map<String, Long> held = new TreeMap<>();
    for (String exchange : catalogue.current().exchanges().keySet()) {
      released.put(exchange, 0L);
      held.put(exchange, 0L);
    }
    try (Connection connection = database.getConnection()) {
      count(
          connection,
          "SELECT exchange, count(*) FROM outbox WHERE state = 'PENDING' GROUP BY 1"
              + " UNION ALL SELECT exchange, sum(waiting) FROM parcel WHERE state = 'PENDING'"
              + " GROUP BY 1",
          released);
      count(
          connection,
          "SELECT exchange, count(*) FROM outbox WHERE state = 'PARKED' GROUP BY 1",
          held);
      count(connection, "SELECT exchange, count(*) FROM held GROUP BY 1", held);
    } catch (SQLException e) {
      return;
    }
    show(pending, released);
    show(waiting, held);
  }

  private static void count(Connection connection, String query, Map<String, Long> counts)
      throws SQLException {
    try (PreparedStatement select = connection.prepareStatement(query);
        ResultSet row = select.executeQuery()) {
      while (row.next()) {
        counts.merge(row.getString(1), row.getLong(2), Long::sum);
      }
    }
  }

  private static void show(MultiGauge gauge, Map<String, Long> counts) {
    gauge.register(
        counts.entrySet().stream()
            .<MultiGauge.Row<?>>map(
                count -> MultiGauge.Row.of(Tags.of("exchange", count.getKey()), count.getValue()))
            .toList(),
        true);
  }
}
