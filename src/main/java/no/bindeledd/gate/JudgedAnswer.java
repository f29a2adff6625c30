package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.mapping.Shaper;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Facts;
import no.bindeledd.policy.Outcome;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;

/**
 * The answer of a synchronous exchange as the asker may have it: its envelope, to be recorded
 * first, and what the asker gets when something may leave.
 */
record JudgedAnswer(Envelope envelope, byte @Nullable [] payload) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Decides on an answer of a synchronous exchange and shapes it. Nothing of it is kept. */
  static JudgedAnswer of(
      LiveExchange exchange,
      PolicyPack pack,
      Caller asker,
      Contract.Recipient source,
      Envelope request,
      @Nullable Pseudonym subject,
      String trace,
      byte[] answer,
      FactSource facts,
      Instant at) {
    Contract contract = exchange.contract();
    Contract.View view = Objects.requireNonNull(contract.answer());
    Shaper shaper = Objects.requireNonNull(exchange.answer());
    JsonNode tree;
    try {
      tree = JSON.readTree(answer);
    } catch (IOException e) {
      tree = null;
    }
    byte[] salt = AuditEntry.newSalt();
    Verdict verdict;
    Facts known = null;
    if (tree == null || !tree.isObject()) {
      verdict = Verdict.refused(ReasonCode.INVALID_ANSWER, "The answer is not a JSON object");
    } else {
      known =
          FactSource.gather(
              contract,
              Caller.of(
                  new Contract.Sender(
                      source.name(),
                      source.kind(),
                      List.of(source.organisation()),
                      Contract.Authentication.CHANNEL,
                      null),
                  source.organisation()),
              asker.organisation(),
              asker.party().kind(),
              subject,
              null,
              FactSource.attributes(tree, pack.attributesNeeded(contract)),
              facts.consents(subject == null ? Set.of() : Set.of(subject)),
              null,
              facts,
              at);
      verdict = Verdict.decided(pack, contract, view, shaper, known, tree);
      if (verdict.outcome() == Outcome.HELD) {
        verdict = verdict.notKept();
      }
      if (verdict.reason() == ReasonCode.SCHEMA_VIOLATION) {
        verdict = Verdict.refused(ReasonCode.INVALID_ANSWER, verdict.detail());
      }
    }
    AuditEntry entry =
        verdict.entry(
            at,
            contract.id(),
            source.organisation(),
            asker.organisation(),
            subject,
            request.key(),
            trace,
            shaper.version(),
            pack.hash(),
            salt);
    Envelope envelope =
        new Envelope(
            request.key(),
            request.digest(),
            request.place(),
            contract.id(),
            asker.organisation(),
            request.recipient(),
            verdict.outcome(),
            verdict.reason(),
            verdict.detail(),
            entry,
            null,
            null,
            null,
            tree == null || known == null
                ? null
                : DecisionArchive.Kept.of(pack, contract, known, null, verdict));
    return new JudgedAnswer(envelope, verdict.payload());
  }
}
