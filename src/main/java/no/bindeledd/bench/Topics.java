package no.bindeledd.bench;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.function.LongFunction;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The benchmark's own look at the broker: fills the input and counts the output. */
final class Topics implements AutoCloseable {
  static final String IN = "bench.in";
  static final String OUT = "bench.out";
  static final String BARE_OUT = "bench.bare.out";
  static final int PARTITIONS = 4;

  private final String bootstrap;
  private final Admin admin;

  Topics(String bootstrap) {
    this.bootstrap = bootstrap;
    this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
  }

  /** Records ever written to a topic. */
  long count(String topic) throws InterruptedException {
    Map<TopicPartition, OffsetSpec> latest = new HashMap<>();
    partitions(topic).forEach(p -> latest.put(p, OffsetSpec.latest()));
    try {
      long count = 0;
      for (ListOffsetsResultInfo end : admin.listOffsets(latest).all().get().values()) {
        count += end.offset();
      }
      return count;
    } catch (ExecutionException e) {
      throw new IllegalStateException("The broker does not tell the size of " + topic, e);
    }
  }

  static List<TopicPartition> partitions(String topic) {
    return java.util.stream.IntStream.range(0, PARTITIONS)
        .mapToObj(p -> new TopicPartition(topic, p))
        .toList();
  }

  /**
   * Writes records to the input topic, as many to each partition; returns when the broker has all.
   */
  void fill(long from, int count, LongFunction<byte[]> record) {
    try (KafkaProducer<byte[], byte[]> producer = producer(50)) {
      for (long i = from; i < from + count; i++) {
        var unused =
            producer.send(new ProducerRecord<>(IN, (int) (i % PARTITIONS), null, record.apply(i)));
      }
      producer.flush();
    }
  }

  KafkaProducer<byte[], byte[]> producer(int lingerMillis) {
    return new KafkaProducer<>(
        Map.of(
            ProducerConfig.BOOTSTRAP_SERVERS_CONFIG,
            bootstrap,
            ProducerConfig.LINGER_MS_CONFIG,
            lingerMillis,
            ProducerConfig.BATCH_SIZE_CONFIG,
            256 * 1024),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  @Override
  public void close() {
    admin.close();
  }
}
