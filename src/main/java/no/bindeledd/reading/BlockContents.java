package no.bindeledd.reading;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import org.jspecify.annotations.Nullable;

/**
 * What one block of the ledger has for its index, gathered entry by entry: which flows, and at
 * which places which terms; about 40 bytes an entry. Not thread-safe.
 */
final class BlockContents {
  private final Map<Flow, ByteArrayOutputStream> postings = new HashMap<>();
  private final Map<Grounds, ByteArrayOutputStream> byGrounds = new HashMap<>();
  private final @Nullable ByteArrayOutputStream[] terms = new ByteArrayOutputStream[Terms.BUCKETS];
  // By place: a person's are left out until the block is written, for they may be shredded before.
  private final Terms.@Nullable Term[] subjects = new Terms.Term[Blocks.SIZE];
  private final byte[] term = new byte[Terms.BYTES];
  private final byte[] posting = new byte[Short.BYTES];
  private Instant earliest = Instant.MAX;
  private Instant latest = Instant.MIN;
  private final Steps steps = Steps.empty();

  /**
   * What many entries have in common.
   *
   * @param rules legal bases and agreement, {@code id@version}, sorted, each once
   */
  record Flow(
      Station station,
      String exchange,
      @Nullable String sender,
      @Nullable String receiver,
      String outcome,
      List<String> rules) {
    static Flow of(AuditEntry entry) {
      return new Flow(
          entry.station(),
          entry.exchange(),
          entry.sender(),
          entry.receiver(),
          entry.outcome(),
          List.copyOf(new TreeSet<>(EntryQuery.rules(entry))));
    }
  }

  /** As a flow, with rules and agreement as they stand in the entry: asked of every entry. */
  private record Grounds(
      Station station,
      String exchange,
      @Nullable String sender,
      @Nullable String receiver,
      String outcome,
      List<String> rules,
      @Nullable String agreement) {
    static Grounds of(AuditEntry entry) {
      return new Grounds(
          entry.station(),
          entry.exchange(),
          entry.sender(),
          entry.receiver(),
          entry.outcome(),
          entry.rules(),
          entry.agreement());
    }
  }

  /**
   * @param place in the block; rising from call to call
   */
  void add(int place, AuditEntry entry) {
    Instant at = entry.at();
    earliest = at.isBefore(earliest) ? at : earliest;
    latest = at.isAfter(latest) ? at : latest;
    steps.add(place, at);
    ByteBuffer.wrap(posting).putShort((short) place);
    byGrounds
        .computeIfAbsent(
            Grounds.of(entry),
            grounds ->
                postings.computeIfAbsent(Flow.of(entry), flow -> new ByteArrayOutputStream()))
        .writeBytes(posting);
    if (entry.subject() != null) {
      subjects[place] = Terms.term(Terms.Kind.SUBJECT, entry.subject().value());
    }
    if (entry.message() != null) {
      put(Terms.term(Terms.Kind.MESSAGE, entry.message()), place);
    }
    String trace = EntryQuery.traceId(entry.trace());
    if (trace != null) {
      put(Terms.term(Terms.Kind.TRACE, trace), place);
    }
  }

  private void put(Terms.Term value, int place) {
    ByteArrayOutputStream bucket = terms[value.bucket()];
    if (bucket == null) {
      bucket = new ByteArrayOutputStream();
      terms[value.bucket()] = bucket;
    }
    ByteBuffer.wrap(term).putInt(value.hash()).putShort((short) place);
    bucket.writeBytes(term);
  }

  /** The subject at a place is not known any more. */
  void forgetSubject(int place) {
    subjects[place] = null;
  }

  /** Nothing more is added or forgotten: the subjects become terms like the others. */
  void close() {
    for (int place = 0; place < subjects.length; place++) {
      if (subjects[place] != null) {
        put(subjects[place], place);
      }
    }
  }

  /** The places of each flow, two bytes each, rising. */
  Map<Flow, ByteArrayOutputStream> postings() {
    return postings;
  }

  /** The terms of each bucket, of those that have any. */
  Map<Integer, byte[]> terms() {
    Map<Integer, byte[]> all = new HashMap<>();
    for (int bucket = 0; bucket < terms.length; bucket++) {
      if (terms[bucket] != null) {
        all.put(bucket, terms[bucket].toByteArray());
      }
    }
    return all;
  }

  /** The epoch when there are no entries. */
  Instant earliest() {
    return isEmpty() ? Instant.EPOCH : earliest;
  }

  /** The epoch when there are no entries. */
  Instant latest() {
    return isEmpty() ? Instant.EPOCH : latest;
  }

  Steps steps() {
    return steps;
  }

  private boolean isEmpty() {
    return earliest.isAfter(latest);
  }
}
