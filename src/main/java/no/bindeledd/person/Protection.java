package no.bindeledd.person;

/**
 * What protects a person's information before any consent is asked: the grading of the address, and
 * shielding (<em>skjerming</em>) of agency employees and their families. Immutable.
 */
public record Protection(AddressGrade grade, boolean shielded) {
  public static final Protection NONE = new Protection(AddressGrade.UGRADERT, false);

  public boolean any() {
    return shielded || grade != AddressGrade.UGRADERT;
  }
}
