package no.bindeledd.demo;

import java.util.List;
import no.bindeledd.exchange.OrganisationNumber;

/** The synthetic organisations of the demo; their numbers are valid and belong to nobody. */
public final class Agencies {
  public static final OrganisationNumber SCHOOL = new OrganisationNumber("311000004");
  public static final OrganisationNumber SECOND_SCHOOL = new OrganisationNumber("311122134");
  public static final OrganisationNumber OT = new OrganisationNumber("311013572");
  public static final OrganisationNumber NAV_A = new OrganisationNumber("311040715");
  public static final OrganisationNumber NAV_B = new OrganisationNumber("311054287");
  public static final OrganisationNumber NAV_C = new OrganisationNumber("311135708");
  public static final OrganisationNumber NAV_STATE = new OrganisationNumber("311067850");
  public static final OrganisationNumber TREATMENT_TEAM = new OrganisationNumber("311094998");
  public static final OrganisationNumber ADDICTION_SERVICE = new OrganisationNumber("311148001");
  public static final OrganisationNumber MUNICIPALITY = new OrganisationNumber("311156004");
  public static final OrganisationNumber YOUTH_SERVICES = new OrganisationNumber("311171003");
  public static final OrganisationNumber COORDINATION_BOARD = new OrganisationNumber("311182005");
  public static final OrganisationNumber CHILD_WELFARE = new OrganisationNumber("311163000");
  public static final OrganisationNumber COUNTY = new OrganisationNumber("311108565");

  /** The NAV offices, in the order A, B, C. */
  public static final List<OrganisationNumber> NAV_OFFICES = List.of(NAV_A, NAV_B, NAV_C);

  private Agencies() {}
}
