package no.bindeledd.policy;

import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import org.jspecify.annotations.Nullable;

/**
 * The one answer to "may this flow, and on which basis". Immutable, safe on any thread, and only
 * {@link PolicyPack} makes one. The paths in it are the contract's field paths.
 */
public sealed interface Decision {
  Grounds grounds();

  /** All fields of the view may leave. */
  record Release(Grounds grounds) implements Decision {}

  /** Some fields stay. */
  record ReleaseReduced(Grounds grounds, Set<String> withheld) implements Decision {}

  /** Identifiers and free text stay, and so do {@code withheld} (which includes them). */
  record ReleaseDeidentified(Grounds grounds, Set<String> withheld) implements Decision {}

  /** Nothing leaves until a fact changes. */
  record Hold(Grounds grounds) implements Decision {}

  /** Nothing leaves. */
  record Refuse(Grounds grounds) implements Decision {}

  /**
   * Why.
   *
   * @param rules the legal bases that carried or stopped it, as {@code id@version}
   * @param agreement {@code id@version}, or null when none applied
   * @param clauses the agreement's clauses that speak of what leaves, or would, by number
   * @param consents the consent versions relied on or missing their mark, as {@code id@version}
   * @param acts what named people did that it rests on, as {@code id@KIND}
   * @param protection the class of person protection that was met, never its value; only for those
   *     who may see it
   */
  record Grounds(
      ReasonCode reason,
      List<String> rules,
      @Nullable String agreement,
      List<String> clauses,
      List<String> consents,
      List<String> acts,
      ProtectionClass protection) {

    /** Where neither clause, act nor protection bears on it. */
    public Grounds(
        ReasonCode reason, List<String> rules, @Nullable String agreement, List<String> consents) {
      this(reason, rules, agreement, List.of(), consents, List.of(), ProtectionClass.NONE);
    }
  }

  /** What kind of fact protects the person. */
  enum ProtectionClass {
    NONE,
    /** The address is graded. */
    ADDRESS_GRADING,
    /** Shielding of agency employees and their families. */
    SHIELDING;

    static ProtectionClass of(Protection protection) {
      return protection.grade() != AddressGrade.UGRADERT
          ? ADDRESS_GRADING
          : protection.shielded() ? SHIELDING : NONE;
    }
  }

  /** The short name that audit entries, metrics and the demo's table use. */
  default Outcome outcome() {
    return switch (this) {
      case Release r -> Outcome.RELEASED;
      case ReleaseReduced r -> Outcome.REDUCED;
      case ReleaseDeidentified r -> Outcome.DEIDENTIFIED;
      case Hold h -> Outcome.HELD;
      case Refuse r -> Outcome.REFUSED;
    };
  }

  /** The fields that stay; empty for a full release, and not meaningful when nothing leaves. */
  default Set<String> withheldFields() {
    return switch (this) {
      case ReleaseReduced r -> r.withheld();
      case ReleaseDeidentified r -> r.withheld();
      case Release r -> Set.of();
      case Hold h -> Set.of();
      case Refuse r -> Set.of();
    };
  }
}
