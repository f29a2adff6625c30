package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.time.LocalDate;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.Facts;
import no.bindeledd.policy.HumanAct;
import org.jspecify.annotations.Nullable;

/**
 * Where the facts about people come from that a decision needs. Thread-safe. Implemented by the
 * registries of the running hub, and by a sample's {@code case.yaml}.
 */
public interface FactSource {
  /**
   * What anybody, at any hub instance, recorded before this call is in every answer after it. Asked
   * before a decision on which something leaves at once.
   *
   * @throws GateShutException when that cannot be made sure
   */
  default void refresh() {}

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

  /**
   * What named people have done that concerns this message.
   *
   * @param message the key of the one message; null while it has none
   */
  default List<HumanAct> acts(
      Pseudonym subject, String exchange, OrganisationNumber receiver, byte @Nullable [] message) {
    return List.of();
  }

  /**
   * Everything a decision needs to know, together.
   *
   * @param message the key of the message; null for one that has just come
   */
  static Facts gather(
      Contract contract,
      Caller source,
      OrganisationNumber receiver,
      AgencyKind receiverKind,
      @Nullable Pseudonym subject,
      @Nullable LocalDate birthDate,
      Map<String, Object> attributes,
      Map<Pseudonym, List<ConsentFact>> consents,
      byte @Nullable [] message,
      FactSource facts,
      Instant at) {
    return new Facts(
        contract.id(),
        contract.purpose(),
        source.organisation(),
        source.party().kind(),
        receiver,
        receiverKind,
        subject,
        subject == null ? Protection.NONE : facts.protection(subject),
        subject == null ? List.of() : consents.getOrDefault(subject, List.of()),
        birthDate,
        attributes,
        subject == null ? List.of() : facts.acts(subject, contract.id(), receiver, message),
        at);
  }

  /**
   * Of an input record, the scalars that conditions ask for: {@code a/b} is the one at the JSON
   * pointer {@code /a/b}.
   */
  static Map<String, Object> attributes(JsonNode body, Set<String> names) {
    if (names.isEmpty()) {
      return Map.of();
    }
    Map<String, Object> attributes = HashMap.newHashMap(names.size());
    for (String name : names) {
      JsonNode value = body.at("/" + name);
      if (value.isNull() || !value.isValueNode()) {
        continue;
      }
      attributes.put(
          name,
          value.isIntegralNumber()
              ? value.longValue()
              : value.isNumber()
                  ? value.doubleValue()
                  : value.isBoolean() ? value.booleanValue() : value.asText());
    }
    return attributes;
  }
}
