package no.bindeledd.policy;

import java.util.List;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.exchange.Text;

/**
 * A decision with its whole reasoning, in words that a caseworker understands, in both languages.
 * Names rules, agreements, consents and field paths; never a value from a record, nor the grade of
 * a protected address. Immutable.
 *
 * @param summary the reason
 * @param steps in the order of {@link PolicyPack#decide}
 * @param fields every field of the view, in the contract's order
 * @param told the reason that the sender is told, which may be a less telling one
 */
public record Explanation(
    Decision decision, Text summary, List<Step> steps, List<Field> fields, ReasonCode told) {

  /** What is looked at, in this order. */
  public enum Topic {
    DUTY,
    PROTECTION,
    BLOCK,
    AGREEMENT,
    LEGAL_BASIS,
    DENIAL,
    HUMAN,
    OUTCOME
  }

  /** What one look gave. */
  public enum Finding {
    /** Nothing here stands in the way. */
    PASSED,
    /** It carries what leaves, or would. */
    CARRIES,
    /** It stands in the way. */
    STOPS,
    /** It says nothing about this message. */
    SILENT
  }

  /**
   * A look at one thing.
   *
   * @param subject what was looked at, {@code id@version}; empty when there was nothing to look at
   */
  public record Step(Topic topic, Finding finding, String subject, Text text) {}

  /** What becomes of a field, and why. */
  public record Field(String path, String category, boolean leaves, Text why) {}

  static Explanation of(
      PolicyPack pack, Contract contract, Contract.View view, Facts facts, Decision decision) {
    Plan plan = new Plan(contract, view, facts, pack);
    ReasonCode reason = decision.grounds().reason();
    // Nobody waits for what is asked synchronously: it is not held.
    boolean waits =
        decision.outcome() == Outcome.HELD && contract.mode() == Contract.Mode.ASYNCHRONOUS;
    return new Explanation(
        decision,
        reason.text(),
        new Reasoning(pack, plan, facts, decision).steps(),
        new FieldReasons(pack, plan, facts, decision).all(),
        reason.told(waits));
  }
}
