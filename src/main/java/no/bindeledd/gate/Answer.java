package no.bindeledd.gate;

import no.bindeledd.exchange.InputFormat.Place;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * What the sender is told about one record and one recipient. Given only when it is durable. Holds
 * nothing from the record, and of the reason only what a sender may know: {@link ReasonCode#told}.
 *
 * @param recipient null when the record was stopped before a recipient was known
 * @param detail what is wrong and where, without values; null when there is nothing to mend
 * @param entry index in the ledger of the decision
 * @param repeated the message was received before; this is the answer it got then
 */
public record Answer(
    Place place,
    @Nullable String recipient,
    Outcome outcome,
    ReasonCode reason,
    @Nullable String detail,
    long entry,
    boolean repeated) {
  public Answer {
    ReasonCode told = reason.told(outcome == Outcome.HELD);
    // What is said beside a reason must not tell it from the others that are told alike.
    detail = told == reason && told != ReasonCode.NOT_FOUND ? detail : null;
    reason = told;
  }
}
