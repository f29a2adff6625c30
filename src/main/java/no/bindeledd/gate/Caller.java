package no.bindeledd.gate;

import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * Who hands records in, as its credentials say; never as the payload says. Immutable.
 *
 * @param party the contract's sender
 * @param organisation the one of its organisations that acts
 * @param onlyAbout the person a token was issued for: records about anybody else are refused; null
 *     when the credentials name no person
 */
public record Caller(
    Contract.Sender party, OrganisationNumber organisation, @Nullable Pseudonym onlyAbout) {
  public static Caller of(Contract.Sender party, OrganisationNumber organisation) {
    return new Caller(party, organisation, null);
  }
}
