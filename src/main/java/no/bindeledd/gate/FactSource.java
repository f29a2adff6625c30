package no.bindeledd.gate;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;

/**
 * Where the facts about people come from that a decision needs. Thread-safe. Implemented by the
 * registries of the running hub, and by a sample's {@code case.yaml}.
 */
public interface FactSource {
  /** Consents by person, one look-up for the whole batch; people without any may be absent. */
  Map<Pseudonym, List<ConsentFact>> consents(Collection<Pseudonym> subjects);

  Protection protection(Pseudonym subject);

  /**
   * The other side's list in a matching exchange.
   *
   * @return code by person of those asked for; null when that list is not in yet
   */
  @org.jspecify.annotations.Nullable
  Map<Pseudonym, String> roster(
      String exchange,
      OrganisationNumber holder,
      OrganisationNumber counterpart,
      String list,
      Collection<Pseudonym> subjects);
}
