package no.bindeledd.gate;

import no.bindeledd.exchange.InputFormat.Item;
import org.jspecify.annotations.Nullable;

/**
 * One item as it came.
 *
 * @param trace W3C {@code traceparent}
 * @param digest keyed hash of the body it stood in, when the record is all of it or unreadable;
 *     else null: the record itself is hashed
 * @param again set when a held record is judged again
 */
record Incoming(Item item, String trace, byte @Nullable [] digest, @Nullable Again again) {
  /** Which envelope a held record belongs to. */
  record Again(byte[] key, String recipient) {}
}
