package no.bindeledd.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.schibsted.spt.data.jslt.Expression;
import com.schibsted.spt.data.jslt.Parser;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.camel.Exchange;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.kafka.KafkaComponent;
import org.apache.camel.component.kafka.KafkaConfiguration;
import org.apache.camel.impl.DefaultCamelContext;

/**
 * What the hub is compared with: Kafka → JSLT → Kafka in plain Camel, in its fastest form (batching
 * consumer, list to the producer, mapping compiled once), in a context of its own. No controls: no
 * schema, no decision, no record, no encryption, no recognition of repeats.
 */
final class BareKafka implements AutoCloseable {
  private static final String ROUTE = "bare";
  private static final ObjectMapper JSON = new ObjectMapper();

  private final DefaultCamelContext context = new DefaultCamelContext();

  BareKafka(String bootstrap, Path mapping) throws Exception {
    KafkaConfiguration settings = new KafkaConfiguration();
    settings.setBrokers(bootstrap);
    settings.setValueDeserializer("org.apache.kafka.common.serialization.ByteArrayDeserializer");
    settings.setValueSerializer("org.apache.kafka.common.serialization.ByteArraySerializer");
    settings.setRequestRequiredAcks("all");
    settings.setLingerMs(0);
    settings.setRecordMetadata(false);
    settings.setProducerBatchSize(256 * 1024);
    KafkaComponent kafka = new KafkaComponent();
    kafka.setConfiguration(settings);
    context.addComponent("kafka", kafka);
    Expression expression = Parser.compile(mapping.toFile());
    context.addRoutes(
        new RouteBuilder() {
          @Override
          public void configure() {
            from("kafka:"
                    + Topics.IN
                    + "?groupId=bench-bare&autoOffsetReset=earliest&consumersCount=4&batching=true"
                    + "&maxPollRecords=1000&maxPartitionFetchBytes=2097152&pollTimeoutMs=10"
                    + "&batchingIntervalMs=10")
                .routeId(ROUTE)
                .autoStartup(false)
                .process(batch -> map(expression, batch))
                .to("kafka:" + Topics.BARE_OUT);
          }
        });
    context.start();
  }

  private static void map(Expression expression, Exchange batch) throws Exception {
    List<?> records = batch.getMessage().getBody(List.class);
    for (Object element : records) {
      Exchange one = (Exchange) element;
      JsonNode input = JSON.readTree((byte[]) one.getMessage().getBody());
      one.getMessage().setBody(JSON.writeValueAsBytes(expression.apply(input)));
    }
  }

  void startRoute() throws Exception {
    context.getRouteController().startRoute(ROUTE);
  }

  void stopRoute() throws Exception {
    context.getRouteController().stopRoute(ROUTE);
  }

  @Override
  public void close() throws IOException {
    context.close();
  }
}
