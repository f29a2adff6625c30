package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat.Place;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * One message to one recipient, judged and ready to be recorded. Immutable.
 *
 * @param key what makes a resend recognisable: keyed hash of exchange, sender, message id and
 *     recipient
 * @param digest keyed hash of the content, to tell a resend from a reused id
 * @param sender null when the caller is not authenticated
 * @param recipient null when it was stopped before a recipient was known
 * @param outgoing what leaves, when something does
 * @param held what waits, when it is held
 * @param decided what the decision was made on, to be kept; null when nothing was decided
 * @param listed the sender's own name on its own list, in a matching exchange
 */
record Envelope(
    byte[] key,
    byte[] digest,
    Place place,
    String exchange,
    @Nullable OrganisationNumber sender,
    @Nullable String recipient,
    Outcome outcome,
    ReasonCode reason,
    @Nullable String detail,
    AuditEntry entry,
    @Nullable Release outgoing,
    @Nullable Waiting held,
    @Nullable Listed listed,
    DecisionArchive.@Nullable Kept decided) {

  /** Refused before anything was decided: nothing leaves and nothing waits. */
  static Envelope stopped(
      byte[] key,
      byte[] digest,
      Place place,
      String exchange,
      @Nullable OrganisationNumber sender,
      @Nullable String recipient,
      ReasonCode reason,
      @Nullable String detail,
      AuditEntry entry) {
    return new Envelope(
        key,
        digest,
        place,
        exchange,
        sender,
        recipient,
        Outcome.REFUSED,
        reason,
        detail,
        entry,
        null,
        null,
        null,
        null);
  }

  /** The same message, refused after all. */
  Envelope refused(ReasonCode why) {
    return refused(key, why, null);
  }

  /**
   * The same message, refused after all.
   *
   * @param under the key that it is recorded with
   * @param wrong what is wrong and where, without values; null when there is nothing to mend
   */
  Envelope refused(byte[] under, ReasonCode why, @Nullable String wrong) {
    return stopped(
        under, digest, place, exchange, sender, recipient, why, wrong, Entries.refused(entry, why));
  }

  /**
   * What leaves.
   *
   * @param timing the time limit that it starts or ends, if any
   * @param claim what it says that an organisation is to the person, if anything
   */
  record Release(Outgoing message, @Nullable Timing timing, @Nullable Claim claim) {}

  /**
   * A row of the table {@code single_holder}, which has one for each person.
   *
   * @param ended it no longer is
   */
  record Claim(Pseudonym subject, String holder, boolean ended) {
    static @Nullable Claim of(Contract contract, @Nullable Pseudonym subject, JsonNode body) {
      Contract.Single single = contract.single();
      return single == null || subject == null
          ? null
          : new Claim(
              subject,
              body.at(single.holder()).asText(""),
              body.at(single.ended()).asBoolean(false));
    }
  }

  /** What waits: the input record, encrypted. */
  record Waiting(@Nullable Pseudonym subject, @Nullable String trace, byte[] payload) {}

  /** A row of the table {@code roster}. */
  record Listed(OrganisationNumber counterpart, String list, Pseudonym subject, String code) {}
}
