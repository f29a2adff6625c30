package no.bindeledd.gate;

import no.bindeledd.audit.AuditEntry;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.policy.Outcome;

/** What the second look, just before delivery, says. */
sealed interface Recheck {
  Outgoing message();

  /** As it was decided. */
  record AsBefore(Outgoing message) implements Recheck {}

  /** More fields must stay: {@code message} is the smaller one. */
  record Narrower(Outgoing message, AuditEntry entry) implements Recheck {}

  /** It may not leave now. */
  record Stopped(Outgoing message, Outcome outcome, ReasonCode reason, AuditEntry entry)
      implements Recheck {}
}
