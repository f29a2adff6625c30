package no.bindeledd.gate;

import java.time.LocalDate;
import java.util.Map;
import java.util.Set;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * A recorded release on its way to the recipient: one row of the table {@code outbox}. It keeps the
 * facts of the record that the rules may ask for again, because it is decided once more just before
 * it leaves. Immutable; the payload is in clear text and stays in memory.
 *
 * @param id the index in the ledger of the decision that released it; the order of delivery
 * @param key the envelope's key, which is also what lets a recipient recognise a repeat
 * @param counterparty whom the information comes from, as the decision saw it
 * @param birthDate from the record, or null
 * @param attributes what CEL conditions may ask for
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
    byte[] payload) {

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
        newPayload);
  }

  Outgoing withId(long newId) {
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
        payload);
  }
}
