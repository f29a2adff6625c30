package no.bindeledd.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.UnaryOperator;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Every record of every topic the hub writes, raw and opened with its recipient's key. */
final class Inbox implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A record as it lies on the broker, and what its recipient reads. */
  record Letter(String topic, byte[] key, Map<String, String> headers, byte[] value, byte[] plain) {
    JsonNode json() {
      try {
        return JSON.readTree(plain);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    String keyText() {
      return new String(key, StandardCharsets.UTF_8);
    }
  }

  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Map<String, UnaryOperator<byte[]>> topics;
  private final Queue<Letter> letters = new ConcurrentLinkedQueue<>();
  private final Thread thread;
  private volatile boolean closed;

  /**
   * @param topics what opens a value, by topic
   */
  Inbox(String bootstrap, Map<String, UnaryOperator<byte[]>> topics) {
    this.topics = Map.copyOf(topics);
    this.consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                false),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    this.thread = Thread.ofPlatform().daemon().name("e2e-inbox").start(this::read);
  }

  /** What came on the topic so far, each partition in order. */
  List<Letter> on(String topic) {
    return letters.stream().filter(letter -> letter.topic().equals(topic)).toList();
  }

  /** What came on the topic about the person so far, in order. */
  List<Letter> on(String topic, Youth about) {
    return on(topic).stream()
        .filter(
            letter -> new String(letter.plain(), StandardCharsets.UTF_8).contains(about.number()))
        .toList();
  }

  List<Letter> all() {
    return List.copyOf(letters);
  }

  private void read() {
    try {
      List<TopicPartition> partitions =
          topics.keySet().stream()
              .flatMap(topic -> consumer.partitionsFor(topic).stream())
              .map(p -> new TopicPartition(p.topic(), p.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (!closed) {
        consumer.poll(Duration.ofMillis(200)).forEach(this::take);
      }
    } catch (WakeupException e) {
      // The way out of a poll.
    } finally {
      consumer.close();
    }
  }

  private void take(ConsumerRecord<byte[], byte[]> record) {
    Map<String, String> headers = new TreeMap<>();
    record
        .headers()
        .forEach(h -> headers.put(h.key(), new String(h.value(), StandardCharsets.UTF_8)));
    UnaryOperator<byte[]> opener = topics.get(record.topic());
    letters.add(
        new Letter(
            record.topic(), record.key(), headers, record.value(), opener.apply(record.value())));
  }

  @Override
  public void close() {
    closed = true;
    consumer.wakeup();
    try {
      thread.join(Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
