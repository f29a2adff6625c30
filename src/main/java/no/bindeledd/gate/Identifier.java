package no.bindeledd.gate;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.DateTimeException;
import java.time.LocalDate;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat.Bad;
import no.bindeledd.exchange.InputFormat.Good;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.mapping.Invalid;
import no.bindeledd.person.Identification.Rejection;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Pseudonymizer;
import org.jspecify.annotations.Nullable;

/**
 * The station <em>identify</em>: checks a record against its schema, finds out whom it is about,
 * for whom it is, and what makes a resend of it recognisable. Thread-safe.
 */
final class Identifier {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Pseudonymizer pseudonymizer;
  private final Numbers accept;

  Identifier(Pseudonymizer pseudonymizer, Numbers accept) {
    this.pseudonymizer = pseudonymizer;
    this.accept = accept;
  }

  Identified identify(LiveExchange exchange, Caller origin, Incoming incoming, KeyedHash hash) {
    Contract contract = exchange.contract();
    return switch (incoming.item()) {
      case Bad bad ->
          new Identified(
              incoming,
              bad.place(),
              null,
              null,
              null,
              List.of(),
              origin,
              bad.messageId(),
              digest(bad, Objects.requireNonNull(incoming.digest()), hash),
              bad.reason(),
              bad.detail());
      case Good good -> {
        JsonNode body = good.body();
        byte[] given = incoming.digest();
        byte[] digest = given == null ? digest(body, hash) : given;
        Incoming.Again again = incoming.again();
        String messageId = again == null ? messageId(contract, good) : again.recipient();
        Finding finding = examine(exchange, origin, body, messageId);
        yield new Identified(
            incoming,
            good.place(),
            body,
            finding.subject(),
            finding.birthDate(),
            again == null
                ? finding.recipients()
                : finding.recipients().stream()
                    .filter(recipient -> recipient.name().equals(again.recipient()))
                    .toList(),
            finding.source() == null ? origin : finding.source(),
            messageId,
            digest,
            finding.stopped(),
            finding.detail());
      }
    };
  }

  private record Finding(
      @Nullable Pseudonym subject,
      @Nullable LocalDate birthDate,
      List<Contract.Recipient> recipients,
      @Nullable Caller source,
      @Nullable ReasonCode stopped,
      @Nullable String detail) {
    static Finding stop(ReasonCode reason, String detail) {
      return new Finding(null, null, List.of(), null, reason, detail);
    }

    /** The same addressees, stopped for this reason unless it is stopped already. */
    Finding because(Finding stop) {
      return stopped != null
          ? this
          : new Finding(subject, birthDate, recipients, source, stop.stopped, stop.detail);
    }
  }

  private Finding examine(
      LiveExchange exchange, Caller origin, JsonNode body, @Nullable String messageId) {
    Contract contract = exchange.contract();
    Optional<Invalid> invalid = exchange.inputSchema().check(body);
    if (invalid.isPresent()) {
      return Finding.stop(invalid.get().reason(), invalid.get().detail());
    }
    if (messageId == null) {
      return Finding.stop(
          ReasonCode.SCHEMA_VIOLATION,
          "The message has no id: set "
              + (contract.messageId() == null ? "the channel's message id" : contract.messageId()));
    }
    Pseudonym subject = null;
    if (contract.subject() != null) {
      switch (NationalId.parse(body.at(contract.subject()).asText(), accept)) {
        case NationalId number -> subject = pseudonymizer.pseudonym(number);
        case Rejection rejection -> {
          ReasonCode reason =
              switch (rejection) {
                case INVALID, REAL_NOT_ACCEPTED -> ReasonCode.INVALID_IDENTITY_NUMBER;
                case FICTITIOUS -> ReasonCode.FICTITIOUS_IDENTITY_NUMBER;
                case SYNTHETIC_NOT_ACCEPTED -> ReasonCode.SYNTHETIC_IDENTITY_NUMBER;
              };
          Finding stop =
              Finding.stop(reason, contract.subject() + " is not a number that is accepted here");
          // Never rejected and never sent on as a real one (contracts.md § 2): it is held.
          return rejection == Rejection.FICTITIOUS
              ? addressed(contract, origin, body, null, null).because(stop)
              : stop;
        }
      }
    }
    if (origin.onlyAbout() != null && !origin.onlyAbout().equals(subject)) {
      return Finding.stop(
          ReasonCode.UNKNOWN_SENDER, "The token (pid) was issued for another person");
    }
    LocalDate birthDate = null;
    if (contract.birthDate() != null) {
      try {
        String text = body.at(contract.birthDate()).asText("");
        birthDate = text.isEmpty() ? null : LocalDate.parse(text);
      } catch (DateTimeException e) {
        return Finding.stop(
            ReasonCode.SCHEMA_VIOLATION, contract.birthDate() + " is not a date (yyyy-mm-dd)");
      }
    }
    Contract.Deadline deadline = contract.deadline();
    if (deadline != null && deadline.starts() != null) {
      try {
        String text = body.at(deadline.starts()).asText("");
        LocalDate unused = text.isEmpty() ? null : LocalDate.parse(text);
      } catch (DateTimeException e) {
        return Finding.stop(
            ReasonCode.SCHEMA_VIOLATION, deadline.starts() + " is not a date (yyyy-mm-dd)");
      }
    }
    return addressed(contract, origin, body, subject, birthDate);
  }

  private Finding addressed(
      Contract contract,
      Caller origin,
      JsonNode body,
      @Nullable Pseudonym subject,
      @Nullable LocalDate birthDate) {
    Contract.Match match = contract.match();
    if (contract.mode() == Contract.Mode.MATCHING && match != null) {
      String counterpart = body.at(match.counterpart()).asText("");
      Optional<Caller> source = party(contract, counterpart);
      List<Contract.Recipient> asker = recipients(contract, origin.organisation().value());
      if (source.isEmpty()
          || asker.isEmpty()
          || counterpart.equals(origin.organisation().value())) {
        return Finding.stop(
            ReasonCode.UNKNOWN_RECIPIENT, match.counterpart() + " is not a party of the exchange");
      }
      return new Finding(subject, birthDate, asker, source.get(), null, null);
    }
    JsonPointer receiver = contract.receiver();
    List<Contract.Recipient> recipients =
        receiver == null ? contract.to() : addressed(contract, body.at(receiver));
    if (recipients.isEmpty()) {
      return Finding.stop(
          ReasonCode.UNKNOWN_RECIPIENT, receiver + " is not a recipient of the exchange");
    }
    return new Finding(subject, birthDate, recipients, origin, null, null);
  }

  /** One organisation number or a list of them; a single unknown one stops the message. */
  private static List<Contract.Recipient> addressed(Contract contract, JsonNode receiver) {
    if (!receiver.isArray()) {
      return recipients(contract, receiver.asText(""));
    }
    Set<Contract.Recipient> found = new LinkedHashSet<>();
    for (JsonNode one : receiver) {
      List<Contract.Recipient> recipients = recipients(contract, one.asText(""));
      if (recipients.isEmpty()) {
        return List.of();
      }
      found.addAll(recipients);
    }
    return List.copyOf(found);
  }

  private static List<Contract.Recipient> recipients(Contract contract, String organisation) {
    return contract.to().stream()
        .filter(recipient -> recipient.organisation().value().equals(organisation))
        .toList();
  }

  static Optional<Caller> party(Contract contract, String organisation) {
    for (Contract.Sender sender : contract.from()) {
      for (OrganisationNumber number : sender.organisations()) {
        if (number.value().equals(organisation)) {
          return Optional.of(Caller.of(sender, number));
        }
      }
    }
    return Optional.empty();
  }

  private static @Nullable String messageId(Contract contract, Good good) {
    if (contract.messageId() == null) {
      return good.messageId();
    }
    JsonNode id = good.body().at(contract.messageId());
    if (id.isMissingNode() || id.isNull() || id.asText().isEmpty()) {
      return null;
    }
    Contract.Match match = contract.match();
    return match == null ? id.asText() : good.body().at(match.list()).asText() + "/" + id.asText();
  }

  /**
   * A row of a file is the same row when the rest of the file is mended: its id holds a hash of it.
   * Any other bad record is known by the whole body.
   */
  private static byte[] digest(Bad bad, byte[] bodyDigest, KeyedHash hash) {
    return bad.place().file() == null || bad.messageId() == null
        ? bodyDigest
        : hash.ofParts(bad.messageId());
  }

  private static byte[] digest(JsonNode body, KeyedHash hash) {
    try {
      return hash.ofBytes(JSON.writeValueAsBytes(body));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A JSON tree that was just read cannot be written", e);
    }
  }
}
