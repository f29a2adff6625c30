package no.bindeledd.hub;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.Witnesses;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.RouteFile;
import no.bindeledd.gate.RouteFolders;
import org.apache.camel.CamelContext;
import org.apache.camel.Route;
import org.apache.kafka.clients.admin.AdminClient;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.actuate.health.Health;
import org.springframework.boot.actuate.health.HealthIndicator;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * How the hub is: the audit trail (the gate is open or shut), the broker, and each channel with its
 * routes. One indicator each, and one health group of the same name.
 */
@Configuration(proxyBeanMethods = false)
class HubHealth {
  private static final int BROKER_SECONDS = 3;

  @Bean
  HealthIndicator audit(Journal journal, Ledger ledger) {
    return () -> {
      Throwable trouble = journal.trouble();
      return trouble == null
          ? Health.up().withDetail("entries", ledger.size()).build()
          : Health.down()
              .withDetail("gate", "shut")
              .withDetail("cause", trouble.getClass().getSimpleName())
              .build();
    };
  }

  /** A log that is not published, or not cosigned, harms nobody who sends or receives: not DOWN. */
  @Bean
  HealthIndicator log(Publication publication, Witnesses witnesses) {
    return () -> {
      String trouble = publication.trouble();
      Health.Builder health =
          trouble == null && witnesses.away().isEmpty()
              ? Health.up()
              : Health.status("OUT_OF_DATE");
      if (trouble != null) {
        health.withDetail("cause", trouble);
      }
      return health.withDetail("witnessesAway", witnesses.away()).build();
    };
  }

  /** Keeps one client: a new one for each question would cost more than the answer. */
  static final class Broker implements HealthIndicator, AutoCloseable {
    private final AdminClient client;

    Broker(String brokers) {
      client =
          AdminClient.create(
              Map.of(
                  "bootstrap.servers",
                  brokers,
                  "default.api.timeout.ms",
                  "3000",
                  "request.timeout.ms",
                  "2500",
                  "client.id",
                  "bindeledd-health"));
    }

    @Override
    public Health health() {
      try {
        int nodes = client.describeCluster().nodes().get(BROKER_SECONDS, TimeUnit.SECONDS).size();
        return Health.up().withDetail("nodes", nodes).build();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return Health.unknown().build();
      } catch (ExecutionException | TimeoutException e) {
        return Health.down().withDetail("cause", e.getClass().getSimpleName()).build();
      }
    }

    @Override
    public void close() {
      client.close();
    }
  }

  @Bean
  Broker broker(@Value("${kafka.brokers:localhost:9092}") String brokers) {
    return new Broker(brokers);
  }

  /** Exchanges that were refused at the last look. The old version keeps running: not DOWN. */
  @Bean
  HealthIndicator folders(Exchanges exchanges) {
    return () -> {
      Map<String, List<Problem>> refused = exchanges.refused();
      Health.Builder health = refused.isEmpty() ? Health.up() : Health.status("OUT_OF_DATE");
      refused.forEach(
          (id, problems) ->
              health.withDetail(id, problems.stream().map(Problem::toString).toList()));
      return health.build();
    };
  }

  @Bean
  HealthIndicator kafka(CamelContext context, RouteFolders routes, Catalogue catalogue) {
    return new Channel(List.of("kafka"), context, routes, catalogue);
  }

  @Bean
  HealthIndicator sftp(CamelContext context, RouteFolders routes, Catalogue catalogue) {
    return new Channel(List.of("sftp"), context, routes, catalogue);
  }

  @Bean
  HealthIndicator mllp(CamelContext context, RouteFolders routes, Catalogue catalogue) {
    return new Channel(List.of("mllp"), context, routes, catalogue);
  }

  @Bean
  HealthIndicator rest(CamelContext context, RouteFolders routes, Catalogue catalogue) {
    return new Channel(List.of("http", "https"), context, routes, catalogue);
  }

  @Bean
  HealthIndicator fint(CamelContext context, RouteFolders routes, Catalogue catalogue) {
    return new Channel(List.of("fint"), context, routes, catalogue);
  }

  /** The routes that speak one kind of channel. DOWN when one of them waits for its peer. */
  private record Channel(
      List<String> schemes, CamelContext context, RouteFolders routes, Catalogue catalogue)
      implements HealthIndicator {
    @Override
    public Health health() {
      Map<String, String> states = new TreeMap<>();
      Map<String, String> waiting = routes.waiting();
      for (List<RouteFile> files : routes.routes().values()) {
        for (RouteFile file : files) {
          if (schemes.contains(scheme(file))) {
            states.put(
                file.routeId(),
                waiting.containsKey(file.routeId())
                    ? "waiting: " + waiting.get(file.routeId())
                    : String.valueOf(context.getRouteController().getRouteStatus(file.routeId())));
          }
        }
      }
      List<String> down = new ArrayList<>();
      states.forEach(
          (route, state) -> {
            if (!state.equals("Started")) {
              down.add(route);
            }
          });
      return (down.isEmpty() ? Health.up() : Health.down()).withDetails(states).build();
    }

    private String scheme(RouteFile file) {
      String address =
          switch (file.direction()) {
            case RECEIVING -> {
              Route route = context.getRoute(file.routeId());
              yield route == null ? "" : route.getEndpoint().getEndpointUri();
            }
            case DELIVERING ->
                catalogue
                    .current()
                    .exchange(file.exchange())
                    .flatMap(exchange -> exchange.contract().recipient(file.party()))
                    .map(Contract.Recipient::address)
                    .map(context::resolvePropertyPlaceholders)
                    .orElse("");
          };
      int colon = address.indexOf(':');
      return colon < 0 ? "" : address.substring(0, colon);
    }
  }
}
