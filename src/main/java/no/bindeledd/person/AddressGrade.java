package no.bindeledd.person;

/** PDL {@code adressebeskyttelse.gradering}, strictest last. Source: contracts.md § 3. */
public enum AddressGrade {
  UGRADERT,
  FORTROLIG,
  STRENGT_FORTROLIG,
  STRENGT_FORTROLIG_UTLAND
}
