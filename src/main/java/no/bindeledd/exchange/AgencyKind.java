package no.bindeledd.exchange;

/** The kinds of party that legal bases speak of. Source: domain.md § 2. */
public enum AgencyKind {
  /** Upper secondary school and the county's school administration. */
  SCHOOL,
  /** Oppfølgingstjenesten, the county follow-up service (COUNTY_FOLLOW_UP_SERVICE). */
  OT,
  /** NAV, the state side. */
  NAV,
  /** NAV, the municipal side (social services). */
  NAV_MUNICIPAL,
  /** Specialist and primary health care. */
  HEALTH,
  MUNICIPALITY,
  MEASURE_PROVIDER,
  EMPLOYER,
  /** The directorate of education: statutory statistics only. */
  UDIR
}
