package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.LocalDate;
import java.util.List;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat.Place;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * What was found out about a record before anything is decided. Immutable.
 *
 * @param source whose information it is: the caller, or in a matching exchange the counterpart
 * @param digest keyed hash of the content
 * @param stopped why it goes no further, or null
 */
record Identified(
    Incoming incoming,
    Place place,
    @Nullable JsonNode body,
    @Nullable Pseudonym subject,
    @Nullable LocalDate birthDate,
    List<Contract.Recipient> recipients,
    Caller source,
    @Nullable String messageId,
    byte[] digest,
    @Nullable ReasonCode stopped,
    @Nullable String detail) {
  /** A stand-in number: held, and not refused like everything else that is stopped. */
  boolean standIn() {
    return stopped == ReasonCode.FICTITIOUS_IDENTITY_NUMBER;
  }
}
