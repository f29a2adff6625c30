package no.bindeledd.gate;

import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Decision;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * What was decided and shaped for one recipient. Immutable.
 *
 * @param detail what is wrong and where, without values; null when there is nothing to mend
 * @param grounds null when it was stopped before anything was decided
 * @param payload what leaves; null when nothing does
 */
record Verdict(
    Outcome outcome,
    ReasonCode reason,
    @Nullable String detail,
    Decision.@Nullable Grounds grounds,
    List<String> released,
    Set<String> withheld,
    byte @Nullable [] payload) {
  /** Nothing leaves. */
  static Verdict of(Decision decision) {
    return new Verdict(
        decision.outcome(),
        decision.grounds().reason(),
        null,
        decision.grounds(),
        List.of(),
        Set.of(),
        null);
  }

  static Verdict refused(ReasonCode reason, @Nullable String detail) {
    return new Verdict(Outcome.REFUSED, reason, detail, null, List.of(), Set.of(), null);
  }

  /** Somebody who waits for an answer cannot be held: refused, with the same reason. */
  Verdict notKept() {
    return new Verdict(Outcome.REFUSED, reason, detail, grounds, List.of(), Set.of(), null);
  }

  /** The ledger entry of this verdict. */
  AuditEntry entry(
      Instant at,
      String exchange,
      OrganisationNumber sender,
      @Nullable OrganisationNumber receiver,
      @Nullable Pseudonym subject,
      byte[] key,
      String trace,
      @Nullable String mapping,
      String policies,
      byte @Nullable [] salt) {
    byte[] hash = payload == null || salt == null ? null : AuditEntry.payloadHash(salt, payload);
    return new AuditEntry(
        at,
        Station.DECIDE,
        exchange,
        sender.value(),
        receiver == null ? null : receiver.value(),
        subject,
        HexFormat.of().formatHex(key),
        trace,
        outcome.name(),
        reason.name(),
        grounds == null ? List.of() : grounds.rules(),
        grounds == null ? null : grounds.agreement(),
        grounds == null ? List.of() : grounds.consents(),
        mapping,
        policies,
        released,
        withheld.isEmpty() ? List.of() : withheld.stream().sorted().toList(),
        hash,
        salt,
        detail);
  }
}
