package no.bindeledd.gate;

import java.util.Map;
import java.util.function.BiFunction;
import no.bindeledd.exchange.Contract;
import org.apache.camel.CamelContext;
import org.apache.camel.Endpoint;
import org.apache.camel.support.DefaultComponent;

/**
 * The Camel component {@code gate:}. A route from outside ends in {@code
 * gate:<exchange>?from=<sender in the contract>}; a route to outside starts with {@code
 * gate:<exchange>?to=<recipient in the contract>}.
 */
public final class GateComponent extends DefaultComponent {
  private final Gate gate;
  private final Deliverers deliverers;
  private final BiFunction<Contract.Recipient, byte[], byte[]> sealer;
  private final Acknowledgements acknowledgements;
  private final long largestMessage;

  /**
   * @param sealer makes a payload readable for the recipient alone
   * @param largestMessage bytes; a larger body is refused unread
   */
  public GateComponent(
      CamelContext context,
      Gate gate,
      Deliverers deliverers,
      BiFunction<Contract.Recipient, byte[], byte[]> sealer,
      Acknowledgements acknowledgements,
      long largestMessage) {
    super(context);
    this.gate = gate;
    this.deliverers = deliverers;
    this.sealer = sealer;
    this.acknowledgements = acknowledgements;
    this.largestMessage = largestMessage;
  }

  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) {
    String from = getAndRemoveParameter(parameters, "from", String.class);
    String to = getAndRemoveParameter(parameters, "to", String.class);
    return new GateEndpoint(uri, this, remaining, from, to);
  }

  Gate gate() {
    return gate;
  }

  Deliverers deliverers() {
    return deliverers;
  }

  BiFunction<Contract.Recipient, byte[], byte[]> sealer() {
    return sealer;
  }

  Acknowledgements acknowledgements() {
    return acknowledgements;
  }

  long largestMessage() {
    return largestMessage;
  }
}
