package no.bindeledd.gate;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/** The other side's lists for one batch; each is looked up once. One use, one thread. */
final class Rosters {
  private record Which(OrganisationNumber holder, String list) {}

  private final Contract contract;
  private final FactSource facts;
  private final Set<Pseudonym> subjects;
  private final Map<Which, Optional<Map<Pseudonym, String>>> found = new HashMap<>();

  Rosters(Contract contract, FactSource facts, Set<Pseudonym> subjects) {
    this.contract = contract;
    this.facts = facts;
    this.subjects = subjects;
  }

  @Nullable Map<Pseudonym, String> of(
      OrganisationNumber holder, OrganisationNumber counterpart, String list) {
    return found
        .computeIfAbsent(
            new Which(holder, list),
            which ->
                Optional.ofNullable(
                    facts.roster(contract.id(), holder, counterpart, list, subjects)))
        .orElse(null);
  }
}
