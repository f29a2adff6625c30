/** From the outbox to the recipient: order, retry, dead letters. */
@NullMarked
package no.bindeledd.delivery;

import org.jspecify.annotations.NullMarked;
