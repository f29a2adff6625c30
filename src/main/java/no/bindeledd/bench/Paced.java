package no.bindeledd.bench;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongFunction;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Latency at a steady rate: a message counts from the instant it was due to be sent (not when it
 * was, so that a stall is not left out) to the instant its result was read from the output topic.
 * The two are matched by the trace id, which the hub hands on; bare Camel in its fastest form hands
 * on no headers, but its output can be read.
 */
final class Paced {
  private static final String TRACE = "00-0000000062656e63%016x-00f067aa0ba902b7-01";
  private static final int SERIAL_AT = 19;

  private final Topics topics;
  private final String bootstrap;

  Paced(Topics topics, String bootstrap) {
    this.topics = topics;
    this.bootstrap = bootstrap;
  }

  /** How many messages a run sends in all. */
  static int messages(int perSecond, Duration measured) {
    return (int) (perSecond * (measured.toNanos() + warm(measured)) / 1_000_000_000L)
        + Topics.PARTITIONS;
  }

  /** Not measured: a third as long as what is. */
  private static long warm(Duration measured) {
    return measured.toNanos() / 3;
  }

  /**
   * Sends at the rate for the measured time and a warm-up before it, and waits for all results.
   *
   * @param notice makes the message with a serial number
   * @throws IllegalStateException when results are missing half a minute after the last was sent
   */
  Latencies.Percentiles run(
      String output,
      int perSecond,
      Duration measured,
      long firstSerial,
      LongFunction<byte[]> notice)
      throws InterruptedException {
    int total = messages(perSecond, measured) - Topics.PARTITIONS;
    double interval = 1e9 / perSecond;
    Latencies latencies = new Latencies();
    try (KafkaConsumer<byte[], byte[]> consumer = consumer(output);
        KafkaProducer<byte[], byte[]> producer = topics.producer(0)) {
      // The route may still be taking its place in its consumer group: wait until something flows.
      prime(consumer, producer, firstSerial + total, notice);
      long start = System.nanoTime() + 100_000_000;
      AtomicBoolean failed = new AtomicBoolean();
      Thread sender =
          Thread.ofPlatform()
              .name("bench-pace")
              .start(() -> send(producer, start, interval, total, firstSerial, notice, failed));
      int received = 0;
      long deadline = start + (long) (total * interval) + 30_000_000_000L;
      while (received < total && !failed.get()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          long serial = serial(record) - firstSerial;
          if (serial < 0 || serial >= total) {
            continue;
          }
          received++;
          long due = start + (long) (serial * interval);
          if (due - start >= warm(measured)) {
            latencies.add(System.nanoTime() - due);
          }
        }
        if (System.nanoTime() > deadline) {
          throw new IllegalStateException(
              "Of " + total + " paced messages " + received + " came out at " + output);
        }
      }
      sender.join();
    }
    return latencies.percentiles();
  }

  /** Lets one message through each partition, with the serial numbers after the measured ones. */
  private static void prime(
      KafkaConsumer<byte[], byte[]> consumer,
      KafkaProducer<byte[], byte[]> producer,
      long firstSerial,
      LongFunction<byte[]> notice) {
    for (int i = 0; i < Topics.PARTITIONS; i++) {
      var unused =
          producer.send(
              new ProducerRecord<>(Topics.IN, i, null, null, notice.apply(firstSerial + i)));
    }
    producer.flush();
    int received = 0;
    long deadline = System.nanoTime() + 30_000_000_000L;
    while (received < Topics.PARTITIONS) {
      received += consumer.poll(Duration.ofMillis(100)).count();
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException("The route let nothing through within half a minute");
      }
    }
  }

  private KafkaConsumer<byte[], byte[]> consumer(String output) {
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            java.util.Map.of("bootstrap.servers", bootstrap, "enable.auto.commit", false),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    List<TopicPartition> partitions = Topics.partitions(output);
    consumer.assign(partitions);
    consumer.seekToEnd(partitions);
    partitions.forEach(consumer::position);
    return consumer;
  }

  private static void send(
      KafkaProducer<byte[], byte[]> producer,
      long start,
      double interval,
      int total,
      long firstSerial,
      LongFunction<byte[]> notice,
      AtomicBoolean failed) {
    try {
      for (int i = 0; i < total; i++) {
        long wait = start + (long) (i * interval) - System.nanoTime();
        if (wait > 0) {
          // A millisecond's messages go at once; each still counts from its own instant.
          Thread.sleep(Math.max(1, wait / 1_000_000));
        }
        long serial = firstSerial + i;
        Header trace =
            new RecordHeader(
                "traceparent", TRACE.formatted(serial).getBytes(StandardCharsets.US_ASCII));
        var unused =
            producer.send(
                new ProducerRecord<>(
                    Topics.IN,
                    (int) (serial % Topics.PARTITIONS),
                    null,
                    null,
                    notice.apply(serial),
                    List.of(trace)));
      }
      producer.flush();
    } catch (InterruptedException | RuntimeException e) {
      failed.set(true);
    }
  }

  private static long serial(ConsumerRecord<byte[], byte[]> record) {
    Header trace = record.headers().lastHeader("traceparent");
    if (trace == null) {
      return Notices.serial(record.value());
    }
    String text = new String(trace.value(), StandardCharsets.US_ASCII);
    return Long.parseUnsignedLong(text, SERIAL_AT, SERIAL_AT + 16, 16);
  }
}
