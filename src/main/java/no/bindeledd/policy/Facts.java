package no.bindeledd.policy;

import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * Everything a decision depends on besides the rule pack: a decision is a pure function of the two.
 * Immutable; holds a pseudonym, never an identity number.
 *
 * @param subject null when the exchange holds no personal data
 * @param birthDate from the record, never derived from the number; null when unknown
 * @param acts what named people have done about this very message; nothing that concerns another
 * @param attributes scalars of the input record that CEL conditions may name; never logged
 * @param at the instant that is judged
 */
public record Facts(
    String exchange,
    String purpose,
    OrganisationNumber sender,
    AgencyKind senderKind,
    OrganisationNumber receiver,
    AgencyKind receiverKind,
    @Nullable Pseudonym subject,
    Protection protection,
    List<ConsentFact> consents,
    @Nullable LocalDate birthDate,
    Map<String, Object> attributes,
    List<HumanAct> acts,
    Instant at) {

  /** Nobody has done anything by hand. */
  public Facts(
      String exchange,
      String purpose,
      OrganisationNumber sender,
      AgencyKind senderKind,
      OrganisationNumber receiver,
      AgencyKind receiverKind,
      @Nullable Pseudonym subject,
      Protection protection,
      List<ConsentFact> consents,
      @Nullable LocalDate birthDate,
      Map<String, Object> attributes,
      Instant at) {
    this(
        exchange,
        purpose,
        sender,
        senderKind,
        receiver,
        receiverKind,
        subject,
        protection,
        consents,
        birthDate,
        attributes,
        List.of(),
        at);
  }

  /** Without anything from the record: a stray log line must not tell. */
  @Override
  public String toString() {
    return "Facts[" + exchange + " " + sender + " → " + receiver + " at " + at + "]";
  }
}
