package no.bindeledd.policy;

import java.time.Instant;

/**
 * What named people have done so that a message may go, as a decision sees it: who they are and why
 * they did it is kept with the act and never in the facts. Immutable.
 *
 * @param people how many different named people stand behind it
 * @param to exclusive; an act has a short life
 */
public record HumanAct(String id, Kind kind, int people, Instant from, Instant to) {

  /** What was done. None of them goes past person protection or a block. */
  public enum Kind {
    /** One person has decided that this message is to go, and signed. */
    SIGNATURE,
    /**
     * Two people have settled, with reasons, what the rules leave open: a family with one guardian,
     * health information about somebody below 16.
     */
    OVERRIDE,
    /**
     * One person has broken the glass to avert danger to life or health (forvaltningsloven § 13 b
     * nr. 7); it is reviewed afterwards.
     */
    BREAK_GLASS
  }

  /** {@code id@KIND}, as grounds name it. */
  public String reference() {
    return id + "@" + kind;
  }

  boolean holds(Kind wanted, Instant at) {
    return kind == wanted
        && !at.isBefore(from)
        && at.isBefore(to)
        && people >= (wanted == Kind.OVERRIDE ? 2 : 1);
  }
}
