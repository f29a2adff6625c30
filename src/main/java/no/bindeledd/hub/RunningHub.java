package no.bindeledd.hub;

import java.util.Map;
import javax.sql.DataSource;
import no.bindeledd.audit.LogKey;
import no.bindeledd.gate.Catalogue;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * A started hub. Close it to stop it in order: sources first, then deliveries, then the journal.
 */
public final class RunningHub implements AutoCloseable {
  private final ConfigurableApplicationContext context;

  private RunningHub(ConfigurableApplicationContext context) {
    this.context = context;
  }

  /**
   * Starts the hub; returns when it takes messages.
   *
   * @param properties settings that go before files and the environment
   * @param arguments more settings, as {@code --name=value}
   */
  public static RunningHub start(Map<String, Object> properties, String... arguments) {
    SpringApplication application = new SpringApplication(HubApplication.class);
    application.setDefaultProperties(Map.of());
    application.addInitializers(
        starting ->
            starting
                .getEnvironment()
                .getPropertySources()
                .addFirst(new org.springframework.core.env.MapPropertySource("start", properties)));
    return new RunningHub(application.run(arguments));
  }

  /** The port of the HTTP edge. */
  public int port() {
    return ((ServletWebServerApplicationContext) context).getWebServer().getPort();
  }

  public Catalogue catalogue() {
    return context.getBean(Catalogue.class);
  }

  public DataSource database() {
    return context.getBean(DataSource.class);
  }

  public LogKey logKey() {
    return context.getBean(LogKey.class);
  }

  /** A setting as the hub sees it. */
  public String setting(String name) {
    return context.getEnvironment().getRequiredProperty(name);
  }

  /** Any part of the hub, for commands and tests. */
  public <T> T part(Class<T> type) {
    return context.getBean(type);
  }

  @Override
  public void close() {
    context.close();
  }
}
