package no.bindeledd.gate;

import java.util.Objects;
import org.apache.camel.Consumer;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.support.DefaultEndpoint;
import org.jspecify.annotations.Nullable;

/** One side of the gate for one exchange: {@code from} a sender or {@code to} a recipient. */
public final class GateEndpoint extends DefaultEndpoint {
  private final GateComponent gate;
  private final String exchange;
  private final @Nullable String from;
  private final @Nullable String to;

  GateEndpoint(
      String uri, GateComponent gate, String exchange, @Nullable String from, @Nullable String to) {
    super(uri, gate);
    this.gate = gate;
    this.exchange = exchange;
    this.from = from;
    this.to = to;
  }

  @Override
  public Producer createProducer() {
    return new GateProducer(
        this, gate, exchange, Objects.requireNonNull(from, "gate: needs from=<sender> here"));
  }

  @Override
  public Consumer createConsumer(Processor processor) throws Exception {
    Consumer consumer =
        new GateConsumer(
            this,
            processor,
            gate,
            new Deliverers.Way(
                exchange, Objects.requireNonNull(to, "gate: needs to=<recipient> here")));
    configureConsumer(consumer);
    return consumer;
  }

  @Override
  public boolean isSingleton() {
    return true;
  }
}
