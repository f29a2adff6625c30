package no.bindeledd.hub;

import com.fasterxml.jackson.databind.JsonNode;
import jakarta.servlet.http.HttpServletRequest;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.DecisionQuestion;
import no.bindeledd.gate.FactSource;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.person.Pseudonym;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code POST /api/decisions/explain}: what would be decided about a message, and why, without
 * sending anything. Needs a token with the scope {@code bindeledd:explain}. With {@code facts} they
 * are what the caller states; with {@code subject} they are what the registries know about that
 * person: that needs {@code bindeledd:explain.subjects} too, since it tells of blocks and of
 * protection, and the look-up is in the ledger before it is answered.
 */
@RestController
final class ExplainEndpoint {
  private static final String SCOPE = "bindeledd:explain";
  private static final String SUBJECTS = "bindeledd:explain.subjects";

  private final Callers callers;
  private final Catalogue catalogue;
  private final FactSource facts;
  private final Journal journal;
  private final InstantSource clock;

  ExplainEndpoint(
      Callers callers,
      Catalogue catalogue,
      FactSource facts,
      Journal journal,
      InstantSource clock) {
    this.callers = callers;
    this.catalogue = catalogue;
    this.facts = facts;
    this.journal = journal;
    this.clock = clock;
  }

  @PostMapping("/api/decisions/explain")
  ResponseEntity<Object> explain(@RequestBody JsonNode request, HttpServletRequest http) {
    return switch (callers.check(http, SCOPE)) {
      case TokenCheck.Rejected rejected -> Problems.rejected(rejected);
      case TokenCheck.Accepted token ->
          request.has("subject") && !token.scopes().contains(SUBJECTS)
              ? Problems.rejected(
                  new TokenCheck.Rejected(
                      TokenCheck.Cause.MISSING_SCOPE, "the token lacks the scope " + SUBJECTS))
              : answer(request, token.consumer());
    };
  }

  private ResponseEntity<Object> answer(JsonNode request, OrganisationNumber caller) {
    Catalogue.Edition edition = catalogue.current();
    Optional<Contract> contract =
        edition
            .exchange(request.path("exchange").asText())
            .map(LiveExchange::contract)
            .filter(c -> isParty(c, caller));
    if (contract.isEmpty()) {
      // As for a sender: who is no party does not learn which exchanges there are.
      return Problems.of(
          HttpStatus.NOT_FOUND,
          ReasonCode.UNKNOWN_EXCHANGE,
          "There is no such exchange for this organisation. Check the name and the agreement");
    }
    try {
      DecisionQuestion question = question(request, contract.get(), caller);
      return ResponseEntity.ok()
          .contentType(MediaType.APPLICATION_JSON)
          .body(DecisionQuestion.json(question.explain(contract.get(), edition.pack())));
    } catch (IllegalArgumentException e) {
      return Problems.of(
          HttpStatus.UNPROCESSABLE_ENTITY,
          ReasonCode.SCHEMA_VIOLATION,
          String.valueOf(e.getMessage()));
    } catch (GateShutException e) {
      return Problems.of(HttpStatus.SERVICE_UNAVAILABLE, ReasonCode.GATE_SHUT, "Ask again later");
    }
  }

  private static boolean isParty(Contract contract, OrganisationNumber organisation) {
    return contract.from().stream().anyMatch(s -> s.organisations().contains(organisation))
        || contract.to().stream().anyMatch(r -> r.organisation().equals(organisation));
  }

  private DecisionQuestion question(
      JsonNode request, Contract contract, OrganisationNumber caller) {
    Instant at = at(request);
    DecisionQuestion.Stated stated = DecisionQuestion.Stated.parse(request.path("facts"));
    String from = text(request, "from");
    String to = text(request, "to");
    if (!request.has("subject")) {
      return new DecisionQuestion(
          contract.id(),
          from,
          to,
          null,
          stated.protection(),
          stated.consents(),
          stated.acts(),
          stated.birthDate(),
          stated.attributes(),
          at);
    }
    Pseudonym subject =
        callers
            .person(request.path("subject").asText())
            .orElseThrow(
                () -> new IllegalArgumentException("subject is not a number accepted here"));
    enter(contract.id(), caller, subject);
    return new DecisionQuestion(
        contract.id(),
        from,
        to,
        subject,
        facts.protection(subject),
        facts.consents(List.of(subject)).getOrDefault(subject, List.of()),
        stated.acts(),
        stated.birthDate(),
        stated.attributes(),
        at);
  }

  private Instant at(JsonNode request) {
    if (!request.has("at")) {
      return clock.instant();
    }
    try {
      return Instant.parse(request.path("at").asText());
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("at is no instant, such as 2024-08-01T10:00:00Z");
    }
  }

  private static @org.jspecify.annotations.Nullable String text(JsonNode node, String key) {
    return node.has(key) ? node.path(key).asText() : null;
  }

  /** Somebody looked at what is known about a person. */
  private void enter(String exchange, OrganisationNumber caller, Pseudonym subject) {
    journal
        .enter(
            List.of(
                AuditEntry.plain(
                        clock.instant(),
                        Station.ADMIN,
                        exchange,
                        caller.value(),
                        null,
                        subject,
                        null,
                        null,
                        "EXPLAINED",
                        "EXPLAINED",
                        null)
                    .withPolicies(catalogue.current().pack().hash())))
        .join();
  }
}
