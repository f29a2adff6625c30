package no.bindeledd.demo;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import no.bindeledd.person.Sha256;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * Reads an agency's topics from their beginning, so that the counts span earlier starts as the
 * hub's books do. Opens each value with the agency's own key. The topics must exist. Thread-safe.
 */
public final class TopicReader implements AutoCloseable {
  private final KafkaConsumer<byte[], byte[]> consumer;
  private final Map<String, Function<byte[], byte[]>> topics;
  private final Listener listener;
  private final ConcurrentMap<String, Count> counts = new ConcurrentHashMap<>();
  private final AtomicLong unreadable = new AtomicLong();
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Thread thread;

  /** Hears of each record, on the reader's thread. */
  public interface Listener {
    /** Called with the opened value. */
    void received(String topic, byte @Nullable [] key, byte[] plain);
  }

  private static final class Count {
    private final AtomicLong records = new AtomicLong();
    private final Set<String> different = new HashSet<>();
  }

  /**
   * Starts reading.
   *
   * @param topics by name, what turns a record's value into the JSON it holds; may throw, which
   *     counts the record as unreadable
   */
  public TopicReader(
      String bootstrap, Map<String, Function<byte[], byte[]>> topics, Listener listener) {
    this.topics = Map.copyOf(topics);
    this.listener = listener;
    this.consumer =
        new KafkaConsumer<>(
            Map.of(
                ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG,
                bootstrap,
                ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG,
                false,
                ConsumerConfig.MAX_POLL_RECORDS_CONFIG,
                5_000),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    topics.keySet().forEach(t -> counts.put(t, new Count()));
    this.thread = Thread.ofPlatform().daemon().name("agency-topics").start(this::read);
  }

  /** Records in the topic, repeated ones included. */
  public long records(String topic) {
    Count count = counts.get(topic);
    return count == null ? 0 : count.records.get();
  }

  /** Records of the topic with different content. */
  public long different(String topic) {
    Count count = counts.get(topic);
    if (count == null) {
      return 0;
    }
    synchronized (count) {
      return count.different.size();
    }
  }

  /** Records that the agency's key did not open. */
  public long unreadable() {
    return unreadable.get();
  }

  private void read() {
    try {
      List<TopicPartition> partitions =
          topics.keySet().stream()
              .flatMap(t -> consumer.partitionsFor(t).stream())
              .map(p -> new TopicPartition(p.topic(), p.partition()))
              .toList();
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (!closed.get()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
          take(record);
        }
      }
    } catch (WakeupException e) {
      // The way out of a poll.
    } finally {
      consumer.close();
    }
  }

  private void take(ConsumerRecord<byte[], byte[]> record) {
    byte[] plain;
    try {
      plain = requireNonNull(topics.get(record.topic())).apply(record.value());
    } catch (RuntimeException e) {
      unreadable.incrementAndGet();
      return;
    }
    listener.received(record.topic(), record.key(), plain);
    Count count = counts.computeIfAbsent(record.topic(), t -> new Count());
    synchronized (count) {
      count.different.add(digest(plain));
    }
    count.records.incrementAndGet();
  }

  static String digest(byte[] content) {
    return HexFormat.of().formatHex(Sha256.of(content), 0, 16);
  }

  @Override
  public void close() {
    closed.set(true);
    consumer.wakeup();
    try {
      thread.join(Duration.ofSeconds(10));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
