package no.bindeledd.hub;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Executors;
import no.bindeledd.channel.FileTroubles;
import no.bindeledd.channel.FintComponent;
import no.bindeledd.channel.FintCredentials;
import no.bindeledd.channel.Hl7Acknowledgement;
import no.bindeledd.channel.RecipientKeys;
import no.bindeledd.channel.SftpFileStrategy;
import no.bindeledd.delivery.Dispatcher;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.Deadlines;
import no.bindeledd.gate.Deliverers;
import no.bindeledd.gate.Gate;
import no.bindeledd.gate.GateComponent;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.Placeholders;
import no.bindeledd.gate.RouteFolders;
import no.bindeledd.gate.RouteLinter;
import org.apache.camel.CamelContext;
import org.apache.camel.component.http.HttpComponent;
import org.apache.camel.component.kafka.consumer.KafkaManualCommitFactory;
import org.apache.camel.spi.CamelContextCustomizer;
import org.apache.camel.spi.ComponentCustomizer;
import org.jspecify.annotations.Nullable;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What Camel needs: the gate as a component, the channels, and the folders with routes. */
@Configuration(proxyBeanMethods = false)
class CamelConfiguration {
  private static final long CONNECT_WITHIN_MILLIS = 5_000;

  @Bean
  Deliverers deliverers() {
    return new Deliverers();
  }

  @Bean
  RecipientKeys recipientKeys(HubSettings settings) {
    Path directory = settings.secrets().resolve("recipients");
    return settings.createSecrets()
        ? RecipientKeys.openOrCreate(directory)
        : RecipientKeys.open(directory);
  }

  @Bean("gate-component")
  GateComponent gateComponent(
      CamelContext context,
      Gate gate,
      Deliverers deliverers,
      RecipientKeys keys,
      HubSettings settings,
      InstantSource clock,
      Dispatcher dispatcher) {
    Hl7Acknowledgement acknowledgement = new Hl7Acknowledgement(clock);
    return new GateComponent(
        context,
        gate,
        deliverers,
        (recipient, payload) -> keys.of(recipient.organisation()).seal(payload),
        (original, code, reason) ->
            acknowledgement.write(original, Hl7Acknowledgement.Code.valueOf(code.name()), reason),
        settings.largestMessage().toBytes());
  }

  /** Named {@code gateFiles} in routes: moves a received file and writes its report. */
  @Bean
  SftpFileStrategy gateFiles(InstantSource clock, Alone alone) {
    return new SftpFileStrategy(clock, Duration.ZERO, alone);
  }

  @Bean
  KafkaManualCommitFactory offsetCommits() {
    return new OffsetCommits();
  }

  /** Not as Spring's own hook for it, which comes when the context has started. */
  @Bean
  CamelContextCustomizer camelSettings(HubSettings settings, InstantSource clock) {
    return context -> {
      context.setLogMask(true);
      context.setMessageHistory(false);
      context.setLogExhaustedMessageBody(false);
      context.addLifecycleStrategy(new FileTroubles());
      context.addComponent("fint", fint(settings.fint(), clock));
    };
  }

  private static FintComponent fint(HubSettings.@Nullable Fint login, InstantSource clock) {
    FintComponent fint = new FintComponent();
    fint.setClock(clock);
    if (login != null) {
      fint.setCredentials(
          new FintCredentials(
              URI.create(login.tokenEndpoint()),
              login.username(),
              login.password(),
              login.clientId(),
              login.clientSecret(),
              login.scope()));
      fint.setOrgId(login.orgId());
      fint.setClient(login.client());
    }
    return fint;
  }

  /**
   * A call over HTTP is one try, to the recipient's own address, that ends in time. Whether and
   * when it is made again is for the outlet to say, which asks the door first; the HTTP client
   * would do it by itself, wait as long as the recipient's Retry-After asks, and follow it
   * elsewhere.
   */
  @Bean
  ComponentCustomizer oneTry(HubSettings settings) {
    long within = settings.delivery().answerWithin().toMillis();
    return ComponentCustomizer.builder(HttpComponent.class)
        .build(
            http -> {
              http.setHttpClientConfigurer(
                  client -> client.disableAutomaticRetries().disableRedirectHandling());
              http.setConnectTimeout(Math.min(CONNECT_WITHIN_MILLIS, within));
              http.setResponseTimeout(within);
            });
  }

  @Bean(destroyMethod = "close")
  RouteFolders routeFolders(CamelContext context, HubConfiguration.Chores chores) {
    return new RouteFolders(
        context,
        new RouteLinter(),
        Placeholders.of(context),
        Executors.newVirtualThreadPerTaskExecutor(),
        chores.thread(),
        Duration.ofSeconds(5),
        Duration.ofSeconds(5));
  }

  @Bean
  Exchanges exchanges(
      HubSettings settings,
      Catalogue catalogue,
      CamelContext context,
      GateComponent gate,
      RouteFolders routes,
      Journal journal,
      HeldMessages held,
      Deadlines deadlines,
      Alone alone,
      InstantSource clock,
      HubConfiguration.Chores chores) {
    return new Exchanges(
        settings,
        catalogue,
        context,
        gate,
        routes,
        journal,
        held,
        deadlines,
        alone,
        clock,
        chores.thread());
  }
}
