package no.bindeledd.gate;

import java.time.LocalDate;
import java.util.Map;
import java.util.Set;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * A recorded release on its way to the recipient: a row of the table {@code outbox}, or a part of
 * one of {@code parcel}. It keeps the facts of the record that the rules may ask for again, because
 * it is decided once more just before it leaves. Immutable; the payload is in clear text and stays
 * in memory.
 *
 * @param id the index in the ledger of the decision that released it; the order of delivery
 * @param key the envelope's key, which is also what lets a recipient recognise a repeat
 * @param counterparty whom the information comes from, as the decision saw it
 * @param birthDate from the record, or null
 * @param attributes what CEL conditions may ask for
 * @param parcel the id of the parcel that it was recorded in, or {@link #ALONE}
 */
public record Outgoing(
    long id,
    byte[] key,
    String exchange,
    String recipient,
    OrganisationNumber counterparty,
    @Nullable Pseudonym subject,
    Outcome outcome,
    Set<String> withheld,
    @Nullable LocalDate birthDate,
    Map<String, Object> attributes,
    @Nullable String trace,
    byte[] payload,
    long parcel) {
  /** In a row of its own. */
  public static final long ALONE = -1;

  Outgoing narrowed(Outcome newOutcome, Set<String> newWithheld, byte[] newPayload) {
    return new Outgoing(
        id,
        key,
        exchange,
        recipient,
        counterparty,
        subject,
        newOutcome,
        newWithheld,
        birthDate,
        attributes,
        trace,
        newPayload,
        parcel);
  }

  /** With a number in the ledger, in a row of its own. */
  Outgoing withId(long newId) {
    return placed(newId, ALONE);
  }

  Outgoing placed(long newId, long newParcel) {
    return new Outgoing(
        newId,
        key,
        exchange,
        recipient,
        counterparty,
        subject,
        outcome,
        withheld,
        birthDate,
        attributes,
        trace,
        payload,
        newParcel);
  }
}
