package no.bindeledd.gate;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.DecidedFacts.Decided;
import no.bindeledd.policy.Decision;
import no.bindeledd.policy.Outcome;
import no.bindeledd.policy.PolicyPack;

/**
 * Decides recorded facts once more under another rule pack and counts what would have come out
 * otherwise. Releases nothing and sees no payload. One use, one thread.
 */
public final class DecisionReplay {
  /** An outcome with its reason. */
  public record Result(Outcome outcome, ReasonCode reason) implements Comparable<Result> {
    @Override
    public int compareTo(Result other) {
      return Comparator.comparing(Result::outcome)
          .thenComparing(Result::reason)
          .compare(this, other);
    }
  }

  /**
   * What changed.
   *
   * @param recipient empty for the answer of a synchronous exchange
   * @param fields true when the outcome is the same and only the fields that stay differ
   */
  public record Change(
      String exchange, String recipient, Result was, Result wouldBe, boolean fields)
      implements Comparable<Change> {
    @Override
    public int compareTo(Change other) {
      return Comparator.comparing(Change::exchange)
          .thenComparing(Change::recipient)
          .thenComparing(Change::was)
          .thenComparing(Change::wouldBe)
          .thenComparing(Change::fields)
          .compare(this, other);
    }
  }

  private final Map<String, Contract> contracts;
  private final PolicyPack pack;
  private final Map<Change, Long> changes = new TreeMap<>();
  private long replayed;
  private long unknown;

  /**
   * @param contracts by id, as they are now: views are not recorded
   * @param pack the other rules
   */
  public DecisionReplay(Map<String, Contract> contracts, PolicyPack pack) {
    this.contracts = contracts;
    this.pack = pack;
  }

  public void take(Decided decided) {
    Contract contract = contracts.get(decided.facts().exchange());
    Optional<Contract.View> view = Optional.empty();
    if (contract != null) {
      view =
          decided.view() == null
              ? Optional.ofNullable(contract.answer())
              : contract.recipient(decided.view()).map(Contract.Recipient::view);
    }
    if (contract == null || view.isEmpty()) {
      unknown++;
      return;
    }
    replayed++;
    Decision now = pack.decide(contract, view.get(), decided.facts());
    Result was = new Result(decided.outcome(), decided.reason());
    Result wouldBe = new Result(now.outcome(), now.grounds().reason());
    boolean fields = !decided.withheld().equals(now.withheldFields());
    if (!was.equals(wouldBe) || fields) {
      changes.merge(
          new Change(
              contract.id(),
              decided.view() == null ? "" : decided.view(),
              was,
              wouldBe,
              was.equals(wouldBe)),
          1L,
          Long::sum);
    }
  }

  /** How many decisions were made again. */
  public long replayed() {
    return replayed;
  }

  /** How many could not be: their exchange or view is no more. */
  public long unknown() {
    return unknown;
  }

  /** What would have come out otherwise, and how often. */
  public Map<Change, Long> changes() {
    return Map.copyOf(changes);
  }

  /** The changes in order. */
  public List<Map.Entry<Change, Long>> inOrder() {
    return List.copyOf(changes.entrySet());
  }
}
