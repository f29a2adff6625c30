package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.mapping.Shaped;
import no.bindeledd.mapping.Shaper;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Decision;
import no.bindeledd.policy.Facts;
import no.bindeledd.policy.Outcome;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;

/**
 * What was decided and shaped for one recipient. Immutable.
 *
 * @param detail what is wrong and where, without values; null when there is nothing to mend
 * @param decision what was decided of it, which the verdict may fall short of; null when it was
 *     stopped before anything was decided
 * @param payload what leaves; null when nothing does
 */
record Verdict(
    Outcome outcome,
    ReasonCode reason,
    @Nullable String detail,
    @Nullable Decision decision,
    List<String> released,
    Set<String> withheld,
    byte @Nullable [] payload) {
  private static final int MOST_SORTED = 1024;
  private static final Map<Set<String>, List<String>> SORTED = new ConcurrentHashMap<>();

  /** Nothing leaves. */
  static Verdict of(Decision decision) {
    return new Verdict(
        decision.outcome(), decision.grounds().reason(), null, decision, List.of(), Set.of(), null);
  }

  /**
   * Decides and shapes. What is held is shaped too: its sender learns of a fault now, not when the
   * consent comes.
   */
  static Verdict decided(
      PolicyPack pack,
      Contract contract,
      Contract.View view,
      Shaper shaper,
      Facts known,
      JsonNode input) {
    Decision decision = pack.decide(contract, view, known);
    if (decision.outcome() == Outcome.REFUSED) {
      return of(decision);
    }
    Set<String> withheld = decision.withheldFields();
    Shaped shaped = shaper.shape(input, withheld);
    if (shaped instanceof Shaped.Ok && decision.outcome() == Outcome.HELD) {
      return of(decision);
    }
    return switch (shaped) {
      case Shaped.Ok ok ->
          new Verdict(
              decision.outcome(),
              decision.grounds().reason(),
              null,
              decision,
              ok.released(),
              withheld,
              ok.json());
      case Shaped.Failed failed ->
          new Verdict(
              Outcome.REFUSED,
              failed.reason(),
              failed.detail(),
              decision,
              List.of(),
              Set.of(),
              null);
    };
  }

  static Verdict refused(ReasonCode reason, @Nullable String detail) {
    return new Verdict(Outcome.REFUSED, reason, detail, null, List.of(), Set.of(), null);
  }

  /** Somebody who waits for an answer cannot be held: refused, with the same reason. */
  Verdict notKept() {
    return new Verdict(Outcome.REFUSED, reason, detail, decision, List.of(), Set.of(), null);
  }

  Decision.@Nullable Grounds grounds() {
    return decision == null ? null : decision.grounds();
  }

  /** The ledger entry of this verdict. */
  AuditEntry entry(
      Instant at,
      String exchange,
      OrganisationNumber sender,
      @Nullable OrganisationNumber receiver,
      @Nullable Pseudonym subject,
      byte[] key,
      String trace,
      @Nullable String mapping,
      String policies,
      byte @Nullable [] salt) {
    Decision.Grounds grounds = grounds();
    byte[] hash = payload == null || salt == null ? null : AuditEntry.payloadHash(salt, payload);
    return new AuditEntry(
        at,
        Station.DECIDE,
        exchange,
        sender.value(),
        receiver == null ? null : receiver.value(),
        subject,
        HexFormat.of().formatHex(key),
        trace,
        outcome.name(),
        reason.name(),
        grounds == null ? List.of() : grounds.rules(),
        agreement(),
        consents(),
        mapping,
        policies,
        released,
        sorted(withheld),
        hash,
        salt,
        detail);
  }

  /** Few sets of fields are withheld, each of them from many: they share one list. */
  private static List<String> sorted(Set<String> withheld) {
    if (withheld.isEmpty()) {
      return List.of();
    }
    List<String> known = SORTED.get(withheld);
    if (known != null) {
      return known;
    }
    List<String> made = List.copyOf(withheld.stream().sorted().toList());
    if (SORTED.size() < MOST_SORTED) {
      SORTED.putIfAbsent(Set.copyOf(withheld), made);
    }
    return made;
  }

  /** With its clauses: {@code nav-ot@1#4.1,4.2}. */
  private @Nullable String agreement() {
    Decision.Grounds grounds = grounds();
    if (grounds == null || grounds.agreement() == null || grounds.clauses().isEmpty()) {
      return grounds == null ? null : grounds.agreement();
    }
    return grounds.agreement() + "#" + String.join(",", grounds.clauses());
  }

  /** And the acts of named people, which stand where a consent would. */
  private List<String> consents() {
    Decision.Grounds grounds = grounds();
    if (grounds == null || grounds.acts().isEmpty()) {
      return grounds == null ? List.of() : grounds.consents();
    }
    List<String> all = new ArrayList<>(grounds.consents());
    all.addAll(grounds.acts());
    return List.copyOf(all);
  }
}
