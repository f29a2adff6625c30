package no.bindeledd.hub;

import java.util.Map;
import org.apache.camel.component.kafka.consumer.CommitManager;
import org.apache.camel.component.kafka.consumer.KafkaManualCommit;
import org.apache.camel.component.kafka.consumer.KafkaManualCommitFactory;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;

/**
 * Kafka offsets are committed by the gate, after a batch is recorded, and by nothing else: Camel's
 * own factories also commit when a batch fails, and would lose it. A commit that gets lost only
 * means that messages come again, which the gate recognises, so it is not waited for.
 */
final class OffsetCommits implements KafkaManualCommitFactory {
  @Override
  public KafkaManualCommit newInstance(
      CamelExchangePayload camel, KafkaRecordPayload record, CommitManager unused) {
    return () ->
        camel.consumer.commitAsync(
            Map.of(record.partition, new OffsetAndMetadata(record.recordOffset + 1)), null);
  }
}
