package no.bindeledd.gate;

import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/** Ledger entries that are written in more than one place. */
public final class Entries {
  private Entries() {}

  /** The same act, refused for another reason. */
  static AuditEntry refused(AuditEntry of, ReasonCode reason) {
    return new AuditEntry(
        of.at(),
        of.station(),
        of.exchange(),
        of.sender(),
        of.receiver(),
        of.subject(),
        of.message(),
        of.trace(),
        Outcome.REFUSED.name(),
        reason.name(),
        of.rules(),
        of.agreement(),
        of.consents(),
        of.mapping(),
        of.policies(),
        List.of(),
        List.of(),
        null,
        null,
        null);
  }

  static AuditEntry turnedAway(
      Instant at,
      String exchange,
      @Nullable String sender,
      String message,
      String trace,
      ReasonCode reason,
      String detail) {
    return AuditEntry.plain(
        at,
        Station.IDENTIFY,
        exchange,
        sender,
        null,
        null,
        message,
        trace,
        Outcome.REFUSED.name(),
        reason.name(),
        detail);
  }

  /**
   * What became of a delivery. It names the message; the decision about that message names the
   * person, so that a receipt costs no second place in the person's index.
   */
  public static AuditEntry delivery(
      Instant at, Outgoing message, String receiver, String outcome, @Nullable String detail) {
    return AuditEntry.plain(
        at,
        Station.DELIVER,
        message.exchange(),
        message.counterparty().value(),
        receiver,
        null,
        HexFormat.of().formatHex(message.key()),
        message.trace(),
        outcome,
        outcome,
        detail);
  }

  /** An act of the hub itself or its keepers: a route or rule change, a consent. */
  public static AuditEntry act(
      Instant at, Station station, String exchange, String outcome, @Nullable String detail) {
    return AuditEntry.plain(
        at, station, exchange, null, null, null, null, null, outcome, outcome, detail);
  }
}
