package no.bindeledd.gate;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.DeliveryRejected;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Outcome;
import org.apache.camel.Exchange;
import org.apache.camel.ExchangePattern;
import org.apache.camel.Message;
import org.apache.camel.Processor;
import org.apache.camel.component.kafka.KafkaConstants;
import org.apache.camel.http.base.HttpOperationFailedException;
import org.apache.camel.support.DefaultConsumer;
import org.apache.camel.support.DefaultMessage;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The start of a delivering route. Gives Kafka routes a list, other routes one message at a time.
 * Each message carries {@code Idempotency-Key} (the same for a repeat) and {@code traceparent}; the
 * Kafka key is the person's pseudonym, which keeps a person's messages in one partition; for what
 * goes de-identified, and where there is no person, it is the message's own.
 */
final class GateConsumer extends DefaultConsumer implements Deliverer {
  private static final Logger LOG = LoggerFactory.getLogger(GateConsumer.class);
  static final String IDEMPOTENCY_KEY = "Idempotency-Key";
  private static final int NOTHING_THERE = 404;

  private final GateComponent component;
  private final Deliverers.Way way;

  GateConsumer(
      GateEndpoint endpoint, Processor processor, GateComponent component, Deliverers.Way way) {
    super(endpoint, processor);
    this.component = component;
    this.way = way;
  }

  @Override
  protected void doStart() throws Exception {
    super.doStart();
    component.deliverers().attach(way, this);
  }

  @Override
  protected void doStop() throws Exception {
    component.deliverers().detach(way, this);
    super.doStop();
  }

  private Contract.Recipient recipient() {
    return component
        .gate()
        .catalogue()
        .current()
        .exchange(way.exchange())
        .flatMap(exchange -> exchange.contract().recipient(way.recipient()))
        .orElseThrow(
            () ->
                new IllegalStateException(
                    "Exchange " + way.exchange() + " has no recipient " + way.recipient()));
  }

  @Override
  public boolean batches() {
    return batches(recipient());
  }

  private static boolean batches(Contract.Recipient recipient) {
    return recipient.address().startsWith("kafka:");
  }

  @Override
  public Result deliver(List<Outgoing> messages) {
    Contract.Recipient recipient = recipient();
    boolean batches = batches(recipient);
    if (messages.size() > 1 && !batches) {
      throw new IllegalStateException(
          "Exchange " + way.exchange() + " to " + way.recipient() + " takes one at a time now");
    }
    List<byte[]> values = values(recipient, messages);
    Exchange camel = createExchange(false);
    try {
      if (batches) {
        List<Message> list = new ArrayList<>(messages.size());
        for (int i = 0; i < messages.size(); i++) {
          Message one = new DefaultMessage(getEndpoint().getCamelContext());
          list.add(fill(one, recipient, messages.get(i), values.get(i)));
        }
        camel.getMessage().setBody(list);
      } else {
        fill(camel.getMessage(), recipient, messages.getFirst(), values.getFirst());
      }
      getProcessor().process(camel);
      return result(camel.getException());
    } catch (Exception e) {
      return result(e);
    } finally {
      releaseExchange(camel, false);
    }
  }

  @Override
  public byte[] ask(Outgoing question) throws NoAnswerException {
    Contract.Recipient source = recipient();
    Exchange camel = createExchange(false);
    try {
      camel.setPattern(ExchangePattern.InOut);
      fill(camel.getMessage(), source, question, values(source, List.of(question)).getFirst());
      getProcessor().process(camel);
      Exception failure = camel.getException();
      if (failure != null) {
        throw noAnswer(failure);
      }
      byte[] answer = camel.getMessage().getBody(byte[].class);
      if (answer == null) {
        throw new NoAnswerException("The source gave an empty answer");
      }
      return answer;
    } catch (NoAnswerException e) {
      throw e;
    } catch (Exception e) {
      throw noAnswer(e);
    } finally {
      releaseExchange(camel, false);
    }
  }

  /** Says no more than the kind of failure: its message may hold the payload. */
  private static NoAnswerException noAnswer(Exception failure) {
    if (failure instanceof HttpOperationFailedException http
        && http.getStatusCode() == NOTHING_THERE) {
      return new NoAnswerException(
          ReasonCode.NOT_FOUND, "The source answered with HTTP status " + NOTHING_THERE);
    }
    return new NoAnswerException(
        failure instanceof HttpOperationFailedException http
            ? "The source answered with HTTP status " + http.getStatusCode()
            : "The source could not be asked (" + failure.getClass().getSimpleName() + ")");
  }

  /**
   * What the recipient gets, sealed where the contract says so.
   *
   * @throws IllegalStateException when its key cannot be had: the messages wait until it can
   */
  private List<byte[]> values(Contract.Recipient recipient, List<Outgoing> messages) {
    if (!recipient.sealed()) {
      return messages.stream().map(Outgoing::payload).toList();
    }
    try {
      return messages.stream()
          .map(message -> component.sealer().apply(recipient, message.payload()))
          .toList();
    } catch (IllegalStateException e) {
      LOG.warn("Exchange {} to {} waits: {}", way.exchange(), way.recipient(), e.getMessage());
      throw e;
    }
  }

  private static Message fill(
      Message camel, Contract.Recipient recipient, Outgoing message, byte[] value) {
    String key = HexFormat.of().formatHex(message.key());
    camel.setHeader(IDEMPOTENCY_KEY, key);
    if (message.trace() != null) {
      camel.setHeader("traceparent", message.trace());
    }
    if (batches(recipient)) {
      // A pseudonym is the same each time: beside anonymous content it would tell that two messages
      // are about one person, and beside named content about whom.
      Pseudonym subject = message.outcome() == Outcome.DEIDENTIFIED ? null : message.subject();
      camel.setHeader(KafkaConstants.KEY, subject == null ? key : subject.value());
    } else {
      camel.setHeader(Exchange.CONTENT_TYPE, "application/json");
      camel.setHeader(Exchange.HTTP_METHOD, "POST");
    }
    camel.setBody(value);
    return camel;
  }

  private static Result result(@Nullable Throwable failure) {
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      if (cause instanceof DeliveryRejected) {
        return Result.REJECTED;
      }
      if (cause instanceof HttpOperationFailedException http) {
        return of(http.getStatusCode());
      }
      if (cause instanceof IOException
          || cause instanceof org.apache.kafka.common.errors.RetriableException) {
        return Result.UNAVAILABLE;
      }
    }
    return failure == null ? Result.DELIVERED : Result.FAILED;
  }

  private static Result of(int status) {
    return switch (status) {
      case 408, 425, 429, 502, 503, 504 -> Result.UNAVAILABLE;
      default -> status >= 400 && status < 500 ? Result.REJECTED : Result.FAILED;
    };
  }
}
