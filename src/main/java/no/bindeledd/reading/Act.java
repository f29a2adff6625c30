package no.bindeledd.reading;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import org.jspecify.annotations.Nullable;

/**
 * One thing that happened about the person, as the report tells it: a decision with what became of
 * the delivery, a change of consent or protection, or a reading of the trail. Immutable.
 *
 * @param index the entry's number in the ledger
 * @param entry the decision or change itself
 * @param deliveries what became of what it released, oldest first
 */
record Act(long index, Sort sort, AuditEntry entry, List<Delivery> deliveries) {
  /** Under which heading it stands. */
  enum Sort {
    SHARED,
    WITHHELD,
    CONSENT,
    OTHER,
    READ
  }

  /** A receipt, or that none came. */
  record Delivery(long index, Instant at, String outcome) {}

  /** The acts of a trail, oldest first; receipts go with the newest decision before them. */
  static List<Act> of(SubjectTrail trail) {
    List<Act> acts = new ArrayList<>();
    Map<String, List<Delivery>> latest = new HashMap<>();
    for (SubjectTrail.Proven proven : trail.entries()) {
      AuditEntry entry = proven.entry();
      if (entry.station() == Station.DELIVER && entry.subject() == null) {
        List<Delivery> deliveries = latest.get(message(entry));
        if (deliveries != null) {
          deliveries.add(new Delivery(proven.index(), entry.at(), entry.outcome()));
        }
        continue;
      }
      List<Delivery> deliveries = new ArrayList<>();
      acts.add(new Act(proven.index(), sort(entry), entry, deliveries));
      latest.put(message(entry), deliveries);
    }
    return acts;
  }

  private static String message(AuditEntry entry) {
    @Nullable String message = entry.message();
    return message == null ? "" : message;
  }

  private static Sort sort(AuditEntry entry) {
    return switch (entry.station()) {
      case CONSENT -> Sort.CONSENT;
      case READ -> Sort.READ;
      case ADMIN, POLICY, ROUTE -> Sort.OTHER;
      case RECEIVE, IDENTIFY, DECIDE, SHAPE, RECORD, DELIVER ->
          CefLine.denies(entry) ? Sort.WITHHELD : Sort.SHARED;
    };
  }
}
