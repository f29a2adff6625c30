/**
 * What people may read of the audit trail: queries, the report to the person concerned, exports to
 * those who supervise, and the copies that go to other systems. It puts the words of contracts and
 * rules on entries; it writes nothing to the ledger but that it was read.
 */
@org.jspecify.annotations.NullMarked
package no.bindeledd.reading;
