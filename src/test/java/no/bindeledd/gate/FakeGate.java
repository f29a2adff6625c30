package no.bindeledd.gate;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.apache.camel.Consumer;
import org.apache.camel.Endpoint;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;
import org.apache.camel.Producer;
import org.apache.camel.support.DefaultComponent;
import org.apache.camel.support.DefaultConsumer;
import org.apache.camel.support.DefaultEndpoint;
import org.apache.camel.support.DefaultProducer;

/**
 * Stands for the component {@code gate:} in these tests: lets a test push an exchange into a
 * delivering route, counts starts, and fails the start of the parties it is told to.
 */
final class FakeGate extends DefaultComponent {
  /** Every start and stop, such as {@code start ot}. */
  final List<String> log = new CopyOnWriteArrayList<>();

  /** Parties whose start hangs until the latch opens. */
  final Map<String, CountDownLatch> hanging = new ConcurrentHashMap<>();

  final Set<String> failing = ConcurrentHashMap.newKeySet();
  private final Set<String> failingOnce = ConcurrentHashMap.newKeySet();
  private final Map<String, Processor> running = new ConcurrentHashMap<>();

  void failOnce(String party) {
    failingOnce.add(party);
  }

  Exchange push(String recipient, String body) throws Exception {
    Exchange exchange = new org.apache.camel.support.DefaultExchange(getCamelContext());
    exchange.getMessage().setBody(body);
    java.util.Objects.requireNonNull(running.get(recipient), "no route from the gate")
        .process(exchange);
    return exchange;
  }

  @Override
  protected Endpoint createEndpoint(String uri, String remaining, Map<String, Object> parameters) {
    String party =
        String.valueOf(parameters.getOrDefault("to", parameters.getOrDefault("from", "")));
    parameters.clear();
    return new GateEndpoint(uri, party);
  }

  private final class GateEndpoint extends DefaultEndpoint {
    private final String party;

    GateEndpoint(String uri, String party) {
      super(uri, FakeGate.this);
      this.party = party;
    }

    @Override
    public Producer createProducer() {
      return new DefaultProducer(this) {
        @Override
        public void process(Exchange exchange) {}
      };
    }

    @Override
    public Consumer createConsumer(Processor processor) {
      return new DefaultConsumer(this, processor) {
        @Override
        protected void doStart() throws Exception {
          super.doStart();
          CountDownLatch latch = hanging.get(party);
          if (latch != null) {
            latch.await();
          }
          if (failing.contains(party) || failingOnce.remove(party)) {
            log.add("fail " + party);
            throw new java.net.ConnectException("the peer is down");
          }
          log.add("start " + party);
          running.put(party, getProcessor());
        }

        @Override
        protected void doStop() throws Exception {
          if (running.remove(party, getProcessor())) {
            log.add("stop " + party);
          }
          super.doStop();
        }
      };
    }
  }
}
