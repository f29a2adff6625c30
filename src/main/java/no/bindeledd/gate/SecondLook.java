package no.bindeledd.gate;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.mapping.Shaped;
import no.bindeledd.mapping.Shaper;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.Decision;
import no.bindeledd.policy.Outcome;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;

/**
 * Decides what was recorded for release once more, just before it leaves. Touches no database.
 * Thread-safe.
 */
final class SecondLook {
  /** Decides recorded releases once more. Never releases more than was recorded. */
  List<Recheck> recheck(
      LiveExchange exchange,
      PolicyPack pack,
      Contract.Recipient recipient,
      List<Outgoing> batch,
      FactSource facts,
      Instant at) {
    Contract contract = exchange.contract();
    Set<Pseudonym> subjects = HashSet.newHashSet(batch.size());
    for (Outgoing message : batch) {
      if (message.subject() != null) {
        subjects.add(message.subject());
      }
    }
    Map<Pseudonym, List<ConsentFact>> consents = facts.consents(subjects);
    List<Recheck> looks = new ArrayList<>(batch.size());
    for (Outgoing message : batch) {
      Optional<Caller> source = Identifier.party(contract, message.counterparty().value());
      Decision decision =
          source.isEmpty()
              ? new Decision.Refuse(
                  new Decision.Grounds(ReasonCode.UNKNOWN_SENDER, List.of(), null, List.of()))
              : pack.decide(
                  contract,
                  recipient.view(),
                  FactSource.gather(
                      contract,
                      source.get(),
                      recipient.organisation(),
                      recipient.kind(),
                      message.subject(),
                      message.birthDate(),
                      message.attributes(),
                      consents,
                      message.key(),
                      facts,
                      at));
      looks.add(compare(exchange, pack, recipient, message, decision, at));
    }
    return looks;
  }

  private Recheck compare(
      LiveExchange exchange,
      PolicyPack pack,
      Contract.Recipient recipient,
      Outgoing message,
      Decision decision,
      Instant at) {
    if (!decision.outcome().leaves()) {
      Verdict verdict = Verdict.of(decision);
      return new Recheck.Stopped(
          message,
          verdict.outcome(),
          verdict.reason(),
          doorEntry(exchange, pack, recipient, message, verdict, at, null));
    }
    if (message.withheld().containsAll(decision.withheldFields())) {
      return new Recheck.AsBefore(message);
    }
    Set<String> withheld = new HashSet<>(message.withheld());
    withheld.addAll(decision.withheldFields());
    Shaper shaper = exchange.shaper(recipient);
    Shaped.Ok reduced = shaper.reduce(message.payload(), withheld);
    Outcome outcome =
        decision.outcome() == Outcome.RELEASED ? message.outcome() : decision.outcome();
    Verdict verdict =
        new Verdict(
            outcome,
            decision.grounds().reason(),
            null,
            decision,
            reduced.released(),
            withheld,
            reduced.json());
    return new Recheck.Narrower(
        message.narrowed(outcome, withheld, reduced.json()),
        doorEntry(exchange, pack, recipient, message, verdict, at, AuditEntry.newSalt()));
  }

  private static AuditEntry doorEntry(
      LiveExchange exchange,
      PolicyPack pack,
      Contract.Recipient recipient,
      Outgoing message,
      Verdict verdict,
      Instant at,
      byte @Nullable [] salt) {
    return verdict.entry(
        at,
        message.exchange(),
        message.counterparty(),
        recipient.organisation(),
        message.subject(),
        message.key(),
        message.trace() == null ? "" : message.trace(),
        exchange.shaper(recipient).version(),
        pack.hash(),
        salt);
  }
}
