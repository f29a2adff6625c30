package no.bindeledd.gate;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Sha256;
import no.bindeledd.policy.Outcome;
import org.apache.camel.Exchange;
import org.apache.camel.Message;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.component.kafka.consumer.KafkaManualCommit;
import org.apache.camel.component.mllp.MllpConstants;
import org.apache.camel.support.DefaultProducer;
import org.jspecify.annotations.Nullable;

/**
 * The end of a receiving route. Speaks to each channel in its own way: a Kafka batch is taken as
 * one and its offsets are committed when it is recorded; a file gets a report; an HL7 message gets
 * its acknowledgement.
 *
 * <p>When the gate is shut, a Kafka batch waits here (the broker keeps the rest), a file stays
 * where it is, and an HL7 sender gets AR: send it again.
 */
final class GateProducer extends DefaultProducer {
  /** Exchange property: the report about a file, JSON bytes. */
  static final String REPORT = "BindeleddReport";

  /** Exchange property: true when at least one record of the file was taken. */
  static final String ACCEPTED = "BindeleddAccepted";

  private static final long SHUT_PAUSE_MILLIS = 500;

  private final GateComponent component;
  private final String exchangeId;
  private final String from;

  GateProducer(GateEndpoint endpoint, GateComponent component, String exchangeId, String from) {
    super(endpoint);
    this.component = component;
    this.exchangeId = exchangeId;
    this.from = from;
  }

  @Override
  public void process(Exchange camel) throws Exception {
    LiveExchange exchange =
        component
            .gate()
            .catalogue()
            .current()
            .exchange(exchangeId)
            .orElseThrow(
                () -> new IllegalStateException("No exchange " + exchangeId + " is loaded"));
    Contract.Sender sender =
        exchange
            .contract()
            .sender(from)
            .orElseThrow(
                () ->
                    new IllegalStateException(
                        "Exchange " + exchangeId + " has no sender " + from + " in its contract"));
    Caller caller = Caller.of(sender, sender.organisations().getFirst());
    Message message = camel.getMessage();
    Object body = message.getBody();
    if (body instanceof List<?> batch) {
      takeBatch(exchange, caller, batch);
    } else if (message.getHeader(KafkaConstants.TOPIC) != null) {
      takeBatch(exchange, caller, List.of(camel));
    } else if ("hl7v2".equals(exchange.format().name())) {
      takeHl7(exchange, caller, camel);
    } else {
      takeFile(exchange, caller, camel);
    }
  }

  private void takeBatch(LiveExchange exchange, Caller caller, List<?> batch)
      throws InterruptedException {
    List<Gate.Arrival> arrivals = new ArrayList<>(batch.size());
    Map<String, KafkaManualCommit> commits = new HashMap<>();
    for (Object element : batch) {
      Message message = element instanceof Exchange one ? one.getMessage() : (Message) element;
      byte[] body = bytes(message.getBody());
      arrivals.add(
          new Gate.Arrival(
              new InputFormat.Raw(body, null, messageId(exchange.contract(), message, body)),
              text(message.getHeader("traceparent"))));
      if (message.getHeader(KafkaConstants.MANUAL_COMMIT) instanceof KafkaManualCommit commit) {
        commits.put(
            message.getHeader(KafkaConstants.TOPIC)
                + "-"
                + message.getHeader(KafkaConstants.PARTITION),
            commit);
      }
    }
    while (true) {
      try {
        component.gate().receive(exchange, caller, arrivals);
        break;
      } catch (GateShutException e) {
        if (isStoppingOrStopped() || getEndpoint().getCamelContext().isStopping()) {
          throw e;
        }
        Thread.sleep(SHUT_PAUSE_MILLIS);
      }
    }
    commits.values().forEach(KafkaManualCommit::commit);
  }

  /**
   * A topic whose records hold no id of their own: the key says what the record is about and comes
   * again with each change of it, so the content is part of the id.
   */
  private static @Nullable String messageId(Contract contract, Message message, byte[] body) {
    if (contract.messageId() != null) {
      return null;
    }
    String hash = HexFormat.of().formatHex(Sha256.of(body));
    return text(message.getHeader(KafkaConstants.KEY)) + "/" + hash;
  }

  private void takeHl7(LiveExchange exchange, Caller caller, Exchange camel) {
    byte[] body = bytes(camel.getMessage().getBody());
    Acknowledgements.Code code;
    ReasonCode reason;
    try {
      Answer answer =
          body.length > component.largestMessage()
              ? component
                  .gate()
                  .turnAway(
                      exchange,
                      caller.organisation(),
                      ReasonCode.TOO_LARGE,
                      tooLarge(),
                      traceparent(camel))
              : component
                  .gate()
                  .receive(
                      exchange,
                      caller,
                      List.of(
                          new Gate.Arrival(
                              new InputFormat.Raw(body, null, null), traceparent(camel))))
                  .getFirst();
      code =
          answer.outcome() == Outcome.REFUSED ? Acknowledgements.Code.AE : Acknowledgements.Code.AA;
      reason = answer.reason();
    } catch (GateShutException e) {
      code = Acknowledgements.Code.AR;
      reason = ReasonCode.GATE_SHUT;
    }
    camel.setProperty(
        MllpConstants.MLLP_ACKNOWLEDGEMENT, component.acknowledgements().write(body, code, reason));
    camel.setProperty(MllpConstants.MLLP_ACKNOWLEDGEMENT_TYPE, code.name());
  }

  private void takeFile(LiveExchange exchange, Caller caller, Exchange camel) {
    Message message = camel.getMessage();
    String name = message.getHeader(Exchange.FILE_NAME_ONLY, String.class);
    Long length = message.getHeader(Exchange.FILE_LENGTH, Long.class);
    List<Answer> answers =
        length != null && length > component.largestMessage()
            ? List.of(
                component
                    .gate()
                    .turnAway(
                        exchange, caller.organisation(), ReasonCode.TOO_LARGE, tooLarge(), null))
            : component
                .gate()
                .receive(
                    exchange,
                    caller,
                    List.of(
                        new Gate.Arrival(
                            new InputFormat.Raw(message.getBody(byte[].class), name, name),
                            traceparent(camel))));
    camel.setProperty(REPORT, FileReports.of(name, answers));
    // A file without a row says that there is nothing to tell, and nothing is wrong with it.
    camel.setProperty(
        ACCEPTED,
        answers.isEmpty()
            || answers.stream().anyMatch(answer -> answer.outcome() != Outcome.REFUSED));
  }

  private String tooLarge() {
    return "Larger than " + component.largestMessage() + " bytes; split it";
  }

  private static @Nullable String traceparent(Exchange camel) {
    return text(camel.getMessage().getHeader("traceparent"));
  }

  private static byte[] bytes(@Nullable Object body) {
    return switch (body) {
      case null -> new byte[0];
      case byte[] bytes -> bytes;
      case String text -> text.getBytes(StandardCharsets.UTF_8);
      default ->
          throw new IllegalStateException(
              "A body of type "
                  + body.getClass().getName()
                  + " cannot be taken; configure the endpoint to give bytes");
    };
  }

  private static @Nullable String text(@Nullable Object header) {
    return switch (header) {
      case null -> null;
      case byte[] bytes -> new String(bytes, StandardCharsets.UTF_8);
      default -> header.toString();
    };
  }
}
