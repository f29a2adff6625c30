package no.bindeledd.person;

/**
 * What came of reading an identity number: the number, or why it was not taken. Neither shows the
 * digits in its text. Immutable.
 */
public sealed interface Identification permits NationalId, Identification.Rejection {

  /** Why a text was not taken as an identity number. */
  enum Rejection implements Identification {
    /** Not eleven digits, no such day, or wrong control digits. */
    INVALID,
    /**
     * A stand-in that a school system made for somebody without a number: a date, {@code 99}, and
     * no valid control digits. The layout is not public (contracts.md § 2): this is what is known.
     */
    FICTITIOUS,
    /** A well-formed synthetic number where only real people are taken. */
    SYNTHETIC_NOT_ACCEPTED,
    /** A well-formed number of a possibly real person where only synthetic people are taken. */
    REAL_NOT_ACCEPTED
  }
}
