package no.bindeledd.mapping;

import no.bindeledd.exchange.ReasonCode;

/**
 * A record that does not follow its schema.
 *
 * @param detail JSON pointer, keyword and what is expected; never a value from the record
 */
public record Invalid(ReasonCode reason, String detail) {}
