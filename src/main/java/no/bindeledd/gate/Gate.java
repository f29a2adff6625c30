package no.bindeledd.gate;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.InputFormat.Item;
import no.bindeledd.exchange.InputFormat.Place;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * The one door: takes what was received through the six stations. Every channel, Camel route and
 * HTTP endpoint alike, ends here. Thread-safe; methods block until the answer is durable, so call
 * them from a thread that may wait.
 */
public final class Gate {
  private static final Pattern TRACEPARENT =
      Pattern.compile("00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}");
  private static final String UNKNOWN = "unknown";

  /**
   * One received body.
   *
   * @param traceparent as the sender gave it, or null; anything that is not a W3C trace context is
   *     replaced
   */
  public record Arrival(InputFormat.Raw raw, @Nullable String traceparent) {}

  /**
   * The reply of a synchronous exchange: the answer with what may be seen, or why there is none.
   */
  public record Reply(Answer answer, byte @Nullable [] body) {}

  private final Catalogue catalogue;
  private final Judge judge;
  private final Journal journal;
  private final FactSource facts;
  private final HeldMessages held;
  private final Deliverers deliverers;
  private final InstantSource clock;
  private final StationTimes times;

  public Gate(
      Catalogue catalogue,
      Judge judge,
      Journal journal,
      FactSource facts,
      HeldMessages held,
      Deliverers deliverers,
      InstantSource clock,
      StationTimes times) {
    this.catalogue = catalogue;
    this.judge = judge;
    this.journal = journal;
    this.facts = facts;
    this.held = held;
    this.deliverers = deliverers;
    this.clock = clock;
    this.times = times;
  }

  public Catalogue catalogue() {
    return catalogue;
  }

  /**
   * Takes a batch from one sender.
   *
   * @return an answer for each record and recipient, in order
   * @throws GateShutException when nothing can be recorded; send again later
   */
  public List<Answer> receive(LiveExchange exchange, Caller caller, List<Arrival> arrivals) {
    String id = exchange.contract().id();
    long started = System.nanoTime();
    List<Incoming> incoming = read(exchange, arrivals);
    times.read(id, started);
    long factsAsOf = held.changes();
    List<Envelope> envelopes =
        judge.judge(exchange, catalogue.current().pack(), caller, incoming, facts, clock.instant());
    return record(id, envelopes, factsAsOf);
  }

  private List<Incoming> read(LiveExchange exchange, List<Arrival> arrivals) {
    KeyedHash hash = judge.hashes();
    List<Incoming> incoming = new ArrayList<>(arrivals.size());
    for (Arrival arrival : arrivals) {
      List<Item> items = exchange.format().read(exchange.contract(), arrival.raw());
      String trace = trace(arrival.traceparent());
      boolean whole = items.size() == 1 && isWhole(exchange);
      byte[] digest = null;
      for (Item item : items) {
        boolean byBody = whole || item instanceof InputFormat.Bad;
        if (byBody && digest == null) {
          digest = hash.ofBytes(arrival.raw().body());
        }
        incoming.add(new Incoming(item, trace, byBody ? digest : null, null));
      }
    }
    return incoming;
  }

  /** A JSON body without a list in it is the record, so its own bytes tell a repeat. */
  private static boolean isWhole(LiveExchange exchange) {
    return exchange.contract().input().records() == null && exchange.format().name().equals("json");
  }

  private List<Answer> record(String exchange, List<Envelope> envelopes, long factsAsOf) {
    times.received(exchange, envelopes.size());
    long started = System.nanoTime();
    List<Journal.Recorded> recorded;
    try {
      recorded = await(journal.record(envelopes));
    } catch (GateShutException e) {
      times.failed(exchange, envelopes.size());
      throw e;
    }
    times.journalled(exchange, started);
    List<Answer> answers = new ArrayList<>(envelopes.size());
    int[] outcomes = new int[Outcome.values().length];
    Set<Pseudonym> waiting = new LinkedHashSet<>();
    boolean listed = false;
    for (int i = 0; i < envelopes.size(); i++) {
      Envelope envelope = envelopes.get(i);
      Journal.Recorded now = recorded.get(i);
      answers.add(answer(envelope, now));
      // A repeated list too: what its first sending set off may not have happened.
      listed |= envelope.listed() != null;
      if (now.repeated()) {
        times.repeated(exchange, 1);
        if (now.outcome() == Outcome.HELD
            && envelope.outcome() != Outcome.HELD
            && envelope.entry().subject() != null) {
          held.reconsider(envelope.entry().subject());
        }
        continue;
      }
      outcomes[now.outcome().ordinal()]++;
      if (envelope.held() != null && envelope.held().subject() != null) {
        waiting.add(envelope.held().subject());
      }
    }
    for (Outcome outcome : Outcome.values()) {
      times.recorded(exchange, outcome, outcomes[outcome.ordinal()]);
    }
    if (!waiting.isEmpty() && held.changes() != factsAsOf) {
      // A consent came while this was being recorded: whoever was held meanwhile looks again.
      waiting.forEach(held::reconsider);
    }
    if (listed) {
      held.listArrived(exchange);
    }
    return answers;
  }

  private static Answer answer(Envelope envelope, Journal.Recorded now) {
    return new Answer(
        envelope.place(),
        envelope.recipient(),
        now.outcome(),
        now.reason(),
        // What was judged now does not explain what was recorded for another reason.
        now.reason() == envelope.reason() ? envelope.detail() : null,
        now.entry(),
        now.repeated());
  }

  /**
   * Asks on behalf of the sender and waits for the answer (a synchronous exchange). The request is
   * recorded before it is forwarded, the answer before it is given. Nothing of a reply is kept: the
   * same question again is a new question, decided on the facts of that moment.
   */
  public Reply ask(LiveExchange exchange, Caller caller, Arrival arrival) {
    Contract contract = exchange.contract();
    List<Incoming> incoming = read(exchange, List.of(arrival));
    facts.refresh();
    Envelope request =
        judge
            .judge(
                exchange,
                catalogue.current().pack(),
                caller,
                incoming.subList(0, 1),
                facts,
                clock.instant())
            .getFirst();
    Envelope.Release outgoing = request.outgoing();
    if (outgoing == null) {
      return new Reply(record(contract.id(), List.of(request), held.changes()).getFirst(), null);
    }
    await(journal.enterQuestion(request));
    return forward(exchange, caller, request, outgoing.message(), incoming.getFirst().trace());
  }

  private Reply forward(
      LiveExchange exchange, Caller asker, Envelope request, Outgoing message, String trace) {
    Contract contract = exchange.contract();
    Contract.Recipient source = contract.to().getFirst();
    byte[] answer;
    try {
      Deliverer way =
          deliverers
              .of(new Deliverers.Way(contract.id(), source.name()))
              .orElseThrow(() -> new Deliverer.NoAnswerException("No route to the source runs"));
      answer = way.ask(message);
    } catch (Deliverer.NoAnswerException e) {
      Envelope failed = request.refused(request.key(), e.reason(), e.getMessage());
      return new Reply(record(contract.id(), List.of(failed), held.changes()).getFirst(), null);
    }
    facts.refresh();
    JudgedAnswer judged =
        JudgedAnswer.of(
            exchange,
            catalogue.current().pack(),
            asker,
            source,
            request,
            message.subject(),
            trace,
            answer,
            facts,
            clock.instant());
    Answer recorded = record(contract.id(), List.of(judged.envelope()), held.changes()).getFirst();
    if (judged.payload() != null) {
      times.deliveries(contract.id(), "delivered", 1);
    }
    return new Reply(recorded, judged.payload());
  }

  /**
   * Records that somebody was turned away before an exchange and a sender were known, or that a
   * body was too large to be read.
   *
   * @param exchange the exchange's id when it exists, else null: what a caller types is not
   *     recorded
   * @param organisation the caller when it is authenticated
   */
  public Answer turnAway(
      @Nullable LiveExchange exchange,
      @Nullable OrganisationNumber organisation,
      ReasonCode reason,
      String detail,
      @Nullable String traceparent) {
    String id = exchange == null ? UNKNOWN : exchange.contract().id();
    byte[] key = new byte[KeyedHash.LENGTH];
    ThreadLocalRandom.current().nextBytes(key);
    AuditEntry entry =
        Entries.turnedAway(
            clock.instant(),
            id,
            organisation == null ? null : organisation.value(),
            HexFormat.of().formatHex(key),
            trace(traceparent),
            reason,
            detail);
    times.received(id, 1);
    List<Journal.Recorded> recorded;
    try {
      recorded = await(journal.recordTurnedAway(key, id, reason, entry));
    } catch (GateShutException e) {
      times.failed(id, 1);
      throw e;
    }
    times.recorded(id, Outcome.REFUSED, 1);
    return new Answer(
        Place.WHOLE, null, Outcome.REFUSED, reason, detail, recorded.getFirst().entry(), false);
  }

  static <T extends @Nullable Object> T await(CompletableFuture<T> future) {
    try {
      return future.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof GateShutException shut) {
        throw shut;
      }
      throw e;
    }
  }

  private static String trace(@Nullable String given) {
    if (given != null && TRACEPARENT.matcher(given).matches()) {
      return given;
    }
    byte[] ids = new byte[24];
    ThreadLocalRandom.current().nextBytes(ids);
    HexFormat hex = HexFormat.of();
    return "00-" + hex.formatHex(ids, 0, 16) + "-" + hex.formatHex(ids, 16, 24) + "-01";
  }
}
