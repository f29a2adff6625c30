package no.bindeledd.audit;

/** Where in the house the audited act happened: the six stations, and the acts around them. */
public enum Station {
  RECEIVE,
  IDENTIFY,
  DECIDE,
  SHAPE,
  RECORD,
  DELIVER,
  CONSENT,
  POLICY,
  ROUTE,
  ADMIN,
  /** Somebody read the audit trail itself. */
  READ
}
