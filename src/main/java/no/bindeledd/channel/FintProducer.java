package no.bindeledd.channel;

import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.support.DefaultProducer;

/**
 * Writes the body, JSON bytes, and notes the receipt in headers. Fails with {@link
 * no.bindeledd.exchange.DeliveryRejected} when the resource will never be taken and with {@link
 * java.io.IOException} when it should be sent again.
 */
public final class FintProducer extends DefaultProducer {
  /** Header with the final status, an Integer: 201, 204, or 409 when it was there already. */
  public static final String STATUS = "FintStatus";

  /** Header with FINT's id of the write. */
  public static final String CORRELATION = "corrId";

  private final FintClient fint;
  private final FintClient.Target target;
  private final FintClient.Limits limits;

  FintProducer(
      FintEndpoint endpoint, FintClient fint, FintClient.Target target, FintClient.Limits limits) {
    super(endpoint);
    this.fint = fint;
    this.target = target;
    this.limits = limits;
  }

  @Override
  public void process(Exchange exchange) throws Exception {
    Message message = exchange.getMessage();
    FintClient.Receipt receipt = fint.write(target, limits, message.getMandatoryBody(byte[].class));
    message.setHeader(STATUS, receipt.status());
    message.setHeader(CORRELATION, receipt.correlation());
  }
}
