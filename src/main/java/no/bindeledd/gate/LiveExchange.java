package no.bindeledd.gate;

import java.util.Map;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.mapping.InputSchema;
import no.bindeledd.mapping.Shaper;
import org.jspecify.annotations.Nullable;

/**
 * An exchange ready to run: its contract with everything compiled. Immutable, safe on any thread; a
 * changed folder gives a new one.
 *
 * @param shapers by recipient name
 * @param answer the shaper of a synchronous exchange's answer
 */
public record LiveExchange(
    Contract contract,
    InputFormat format,
    InputSchema inputSchema,
    Map<String, Shaper> shapers,
    @Nullable Shaper answer) {

  Shaper shaper(Contract.Recipient recipient) {
    Shaper shaper = shapers.get(recipient.name());
    if (shaper == null) {
      throw new IllegalStateException(
          "Exchange " + contract.id() + " has no mapping for recipient " + recipient.name());
    }
    return shaper;
  }
}
