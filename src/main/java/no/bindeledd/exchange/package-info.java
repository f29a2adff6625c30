/**
 * The contracts read from {@code routes/<exchange>/exchange.yaml}: parties, purpose, fields,
 * formats; knows people only as numbers.
 */
@NullMarked
package no.bindeledd.exchange;

import org.jspecify.annotations.NullMarked;
