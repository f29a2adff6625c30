package no.bindeledd.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.schibsted.spt.data.jslt.Expression;
import com.schibsted.spt.data.jslt.Parser;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.apache.camel.Exchange;
import org.apache.camel.RoutesBuilder;
import org.apache.camel.builder.RouteBuilder;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.web.servlet.context.ServletWebServerApplicationContext;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.env.MapPropertySource;

/**
 * What the hub's synchronous path is compared with: a Camel platform-http route that maps the
 * question, forwards it to the same source and maps the answer, in an application of its own with
 * the hub's own web server settings (virtual threads). No controls.
 */
final class BareHttp implements AutoCloseable {
  static final String PATH = "/bare";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Everything of the hub's class path that a bare route would not have. */
  private static final List<String> LEFT_OUT =
      List.of(
          "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration",
          "org.springframework.boot.autoconfigure.flyway.FlywayAutoConfiguration",
          "org.springframework.boot.actuate.autoconfigure.observation.ObservationAutoConfiguration",
          "org.springframework.boot.actuate.autoconfigure.observation.web.servlet"
              + ".WebMvcObservationAutoConfiguration",
          "org.apache.camel.component.micrometer.springboot.metrics.CamelMetricsAutoConfiguration",
          "org.apache.camel.opentelemetry2.starter.OpenTelemetry2AutoConfiguration");

  /** The application: nothing but one route. */
  @SpringBootConfiguration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Application {}

  private final ConfigurableApplicationContext context;

  BareHttp(String source, Path questionMapping, Path answerMapping) {
    Expression question = Parser.compile(questionMapping.toFile());
    Expression answer = Parser.compile(answerMapping.toFile());
    SpringApplication application = new SpringApplication(Application.class);
    application.addInitializers(
        starting -> {
          starting
              .getEnvironment()
              .getPropertySources()
              .addFirst(new MapPropertySource("bare", settings()));
          ((org.springframework.context.support.GenericApplicationContext) starting)
              .registerBean("route", RoutesBuilder.class, () -> route(source, question, answer));
        });
    context = application.run("--logging.level.root=WARN");
  }

  private static Map<String, Object> settings() {
    return Map.of(
        "server.port",
        0,
        "management.endpoint.health.validate-group-membership",
        false,
        "camel.main.name",
        "bare-http",
        "camel.component.kafka.kafka-manual-commit-factory",
        "",
        "spring.autoconfigure.exclude",
        String.join(",", LEFT_OUT));
  }

  private static RouteBuilder route(String source, Expression question, Expression answer) {
    return new RouteBuilder() {
      @Override
      public void configure() {
        from("platform-http:" + PATH + "?httpMethodRestrict=POST")
            .process(exchange -> map(question, exchange))
            .removeHeaders("*")
            .to(source + "/rettigheter?httpMethod=POST")
            .process(exchange -> map(answer, exchange))
            .removeHeaders("*");
      }
    };
  }

  private static void map(Expression expression, Exchange exchange) throws Exception {
    byte[] body = exchange.getMessage().getBody(byte[].class);
    exchange.getMessage().setBody(JSON.writeValueAsBytes(expression.apply(JSON.readTree(body))));
  }

  int port() {
    return ((ServletWebServerApplicationContext) context).getWebServer().getPort();
  }

  @Override
  public void close() {
    context.close();
  }
}
