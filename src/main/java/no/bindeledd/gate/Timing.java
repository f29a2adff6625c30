package no.bindeledd.gate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.PolicyPack;
import no.bindeledd.policy.TargetGroup;
import org.jspecify.annotations.Nullable;

/**
 * What a message that leaves does to a time limit: it starts one, or ends the one that it answers
 * (E06). Written in the transaction that lets the message out. Immutable.
 */
sealed interface Timing {
  ObjectMapper JSON = new ObjectMapper();

  /** Deadlines are counted in days of this calendar. */
  ZoneId OSLO = ZoneId.of("Europe/Oslo");

  /** Hash of the exchange that is answered, both sides, the person and the reference. */
  byte[] id();

  /**
   * An answer is owed from now on.
   *
   * @param facts encrypted: what a warning must tell
   */
  record Starts(
      byte[] id,
      String exchange,
      OrganisationNumber waiting,
      OrganisationNumber owing,
      @Nullable String agreement,
      LocalDate warnOn,
      LocalDate lastDay,
      Pseudonym subject,
      byte[] facts)
      implements Timing {}

  /** The answer. */
  record Ends(byte[] id) implements Timing {}

  /** What this message does, or null when no deadline is in force for it. */
  static @Nullable Timing of(
      Contract contract,
      PolicyPack pack,
      OrganisationNumber sender,
      OrganisationNumber receiver,
      @Nullable Pseudonym subject,
      JsonNode body,
      @Nullable String agreement,
      Instant at,
      KeyedHash hash,
      Vault vault) {
    Contract.Deadline deadline = contract.deadline();
    Contract.Answers answers = contract.answers();
    if (subject == null) {
      return null;
    }
    if (answers != null) {
      String reference = body.at(answers.reference()).asText("");
      return new Ends(id(answers.exchange(), receiver, sender, subject, reference, hash));
    }
    TargetGroup.Deadline rule = deadline == null ? null : pack.deadline(deadline, at).orElse(null);
    if (deadline == null || rule == null || contract.subject() == null) {
      return null;
    }
    String reference = body.at(deadline.reference()).asText("");
    byte[] id = id(contract.id(), sender, receiver, subject, reference, hash);
    LocalDate start = start(deadline, body, at);
    LocalDate lastDay = rule.lastDay(start);
    ObjectNode facts = JSON.createObjectNode();
    facts.put("reference", reference);
    facts.put("foedselsnummer", body.at(contract.subject()).asText());
    return new Starts(
        id,
        contract.id(),
        sender,
        receiver,
        agreement,
        rule.warningDay(start),
        lastDay,
        subject,
        vault.seal(bytes(facts), id));
  }

  /** No answer is owed before the question has been let out, so a later date does not count. */
  private static LocalDate start(Contract.Deadline deadline, JsonNode body, Instant at) {
    LocalDate today = LocalDate.ofInstant(at, OSLO);
    String given = deadline.starts() == null ? "" : body.at(deadline.starts()).asText("");
    if (given.isEmpty()) {
      return today;
    }
    LocalDate start = LocalDate.parse(given);
    return start.isAfter(today) ? today : start;
  }

  private static byte[] id(
      String exchange,
      OrganisationNumber waiting,
      OrganisationNumber owing,
      Pseudonym subject,
      String reference,
      KeyedHash hash) {
    return hash.ofParts(
        "deadline", exchange, waiting.value(), owing.value(), subject.value(), reference);
  }

  private static byte[] bytes(ObjectNode facts) {
    try {
      return JSON.writeValueAsBytes(facts);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree of texts cannot be written as JSON", e);
    }
  }
}
