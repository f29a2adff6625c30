package no.bindeledd.gate;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.security.SecureRandom;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat.Bad;
import no.bindeledd.exchange.InputFormat.Good;
import no.bindeledd.exchange.InputFormat.Item;
import no.bindeledd.exchange.InputFormat.Place;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.mapping.Invalid;
import no.bindeledd.mapping.Shaped;
import no.bindeledd.mapping.Shaper;
import no.bindeledd.person.Identification.Rejection;
import no.bindeledd.person.NationalId;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Pseudonymizer;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.Decision;
import no.bindeledd.policy.Facts;
import no.bindeledd.policy.Outcome;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;

/**
 * The stations <em>identify</em>, <em>decide</em> and <em>shape</em>: from records as they came to
 * envelopes ready to be recorded. Touches no database and releases nothing; samples run through it
 * just as live messages do. Thread-safe.
 */
public final class Judge {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int SALT = 16;

  private final Pseudonymizer pseudonymizer;
  private final Numbers accept;
  private final Vault vault;
  private final KeyedHash hashes;
  private final StationTimes times;
  private final SecureRandom random = new SecureRandom();

  /**
   * @param secret the hub's own, for hashes of message ids and contents
   */
  public Judge(
      Pseudonymizer pseudonymizer, Numbers accept, Vault vault, byte[] secret, StationTimes times) {
    this.pseudonymizer = pseudonymizer;
    this.accept = accept;
    this.vault = vault;
    this.hashes = KeyedHash.of(secret);
    this.times = times;
  }

  /**
   * One item as it came.
   *
   * @param trace W3C {@code traceparent}
   * @param bodyDigest keyed hash of the whole body it stood in
   * @param again set when a held record is judged again
   */
  record Incoming(Item item, String trace, byte[] bodyDigest, @Nullable Again again) {}

  /** Which envelope a held record belongs to. */
  record Again(byte[] key, String recipient) {}

  /** What was found out about a record before anything is decided. */
  private record Identified(
      Incoming incoming,
      Place place,
      @Nullable JsonNode body,
      @Nullable Pseudonym subject,
      @Nullable LocalDate birthDate,
      List<Contract.Recipient> recipients,
      Caller source,
      @Nullable String messageId,
      byte[] digest,
      @Nullable ReasonCode stopped,
      @Nullable String detail) {}

  /** What was decided and shaped for one recipient. */
  private record Verdict(
      Outcome outcome,
      ReasonCode reason,
      @Nullable String detail,
      Decision.@Nullable Grounds grounds,
      List<String> released,
      Set<String> withheld,
      byte @Nullable [] payload) {}

  KeyedHash hashes() {
    return hashes.fork();
  }

  /** Judges a batch. The result has one envelope for each record and recipient, in order. */
  List<Envelope> judge(
      LiveExchange exchange,
      PolicyPack pack,
      Caller origin,
      List<Incoming> batch,
      FactSource facts,
      Instant at) {
    KeyedHash hash = hashes.fork();
    long started = System.nanoTime();
    List<Identified> identified = new ArrayList<>(batch.size());
    Set<Pseudonym> subjects = HashSet.newHashSet(batch.size());
    for (Incoming incoming : batch) {
      Identified record = identify(exchange, origin, incoming, hash);
      identified.add(record);
      if (record.subject() != null) {
        subjects.add(record.subject());
      }
    }
    started = times.identified(exchange.contract().id(), started);
    Map<Pseudonym, List<ConsentFact>> consents = facts.consents(subjects);
    Rosters rosters = new Rosters(exchange.contract(), facts, subjects);
    byte[] salts = new byte[SALT * Math.max(1, identified.size())];
    random.nextBytes(salts);
    Set<String> attributes = pack.attributesNeeded(exchange.contract());

    List<Envelope> envelopes = new ArrayList<>(identified.size());
    for (int i = 0; i < identified.size(); i++) {
      Identified record = identified.get(i);
      byte[] salt = java.util.Arrays.copyOfRange(salts, i * SALT, (i + 1) * SALT);
      JsonNode body = record.body();
      if (record.stopped() != null || body == null) {
        envelopes.add(stopped(exchange, pack, origin, record, hash, at));
        continue;
      }
      for (Contract.Recipient recipient : record.recipients()) {
        Facts known =
            facts(
                exchange.contract(),
                record.source(),
                recipient.organisation(),
                recipient.kind(),
                record.subject(),
                record.birthDate(),
                attributes(body, attributes),
                consents,
                facts,
                at);
        envelopes.add(
            judgeFor(exchange, pack, origin, record, body, recipient, known, rosters, hash, salt));
      }
    }
    times.shaped(exchange.contract().id(), started);
    return envelopes;
  }

  /** The answer of a synchronous exchange, for the asker. Nothing of it is kept. */
  JudgedAnswer judgeAnswer(
      LiveExchange exchange,
      PolicyPack pack,
      Caller asker,
      Contract.Recipient source,
      Envelope request,
      @Nullable Pseudonym subject,
      String trace,
      byte[] answer,
      FactSource facts,
      Instant at) {
    Contract contract = exchange.contract();
    Contract.View view = java.util.Objects.requireNonNull(contract.answer());
    Shaper shaper = java.util.Objects.requireNonNull(exchange.answer());
    JsonNode tree;
    try {
      tree = JSON.readTree(answer);
    } catch (java.io.IOException e) {
      tree = null;
    }
    byte[] salt = new byte[SALT];
    random.nextBytes(salt);
    Verdict verdict;
    if (tree == null || !tree.isObject()) {
      verdict = refused(ReasonCode.INVALID_ANSWER, "The answer is not a JSON object");
    } else {
      Facts known =
          facts(
              contract,
              Caller.of(
                  new Contract.Sender(
                      source.name(),
                      source.kind(),
                      List.of(source.organisation()),
                      Contract.Authentication.CHANNEL,
                      null),
                  source.organisation()),
              asker.organisation(),
              asker.party().kind(),
              subject,
              null,
              attributes(tree, pack.attributesNeeded(contract)),
              facts.consents(subject == null ? Set.of() : Set.of(subject)),
              facts,
              at);
      verdict = decideAndShape(pack, contract, view, shaper, known, tree);
      if (verdict.outcome() == Outcome.HELD) {
        verdict = notKept(verdict);
      }
      if (verdict.reason() == ReasonCode.SCHEMA_VIOLATION) {
        verdict = refused(ReasonCode.INVALID_ANSWER, verdict.detail());
      }
    }
    AuditEntry entry =
        entry(
            at,
            contract.id(),
            source.organisation(),
            asker.organisation(),
            subject,
            request.key(),
            trace,
            verdict,
            shaper.version(),
            pack.hash(),
            salt);
    Envelope envelope =
        new Envelope(
            request.key(),
            request.digest(),
            request.place(),
            contract.id(),
            asker.organisation(),
            request.recipient(),
            verdict.outcome(),
            verdict.reason(),
            verdict.detail(),
            entry,
            null,
            null,
            null);
    return new JudgedAnswer(envelope, verdict.payload());
  }

  /** The answer's envelope, and what the asker gets when something may leave. */
  record JudgedAnswer(Envelope envelope, byte @Nullable [] payload) {}

  /** What the second look, just before delivery, says. */
  sealed interface Recheck {
    Outgoing message();

    /** As it was decided. */
    record AsBefore(Outgoing message) implements Recheck {}

    /** More fields must stay: {@code message} is the smaller one. */
    record Narrower(Outgoing message, AuditEntry entry) implements Recheck {}

    /** It may not leave now. */
    record Stopped(Outgoing message, Outcome outcome, ReasonCode reason, AuditEntry entry)
        implements Recheck {}
  }

  /** Decides recorded releases once more. Never releases more than was recorded. */
  List<Recheck> recheck(
      LiveExchange exchange,
      PolicyPack pack,
      Contract.Recipient recipient,
      List<Outgoing> batch,
      FactSource facts,
      Instant at) {
    Contract contract = exchange.contract();
    Set<Pseudonym> subjects = HashSet.newHashSet(batch.size());
    for (Outgoing message : batch) {
      if (message.subject() != null) {
        subjects.add(message.subject());
      }
    }
    Map<Pseudonym, List<ConsentFact>> consents = facts.consents(subjects);
    List<Recheck> looks = new ArrayList<>(batch.size());
    for (Outgoing message : batch) {
      Optional<Caller> source = party(contract, message.counterparty().value());
      Decision decision =
          source.isEmpty()
              ? new Decision.Refuse(
                  new Decision.Grounds(ReasonCode.UNKNOWN_SENDER, List.of(), null, List.of()))
              : pack.decide(
                  contract,
                  recipient.view(),
                  facts(
                      contract,
                      source.get(),
                      recipient.organisation(),
                      recipient.kind(),
                      message.subject(),
                      message.birthDate(),
                      message.attributes(),
                      consents,
                      facts,
                      at));
      looks.add(compare(exchange, pack, recipient, message, decision, at));
    }
    return looks;
  }

  private Recheck compare(
      LiveExchange exchange,
      PolicyPack pack,
      Contract.Recipient recipient,
      Outgoing message,
      Decision decision,
      Instant at) {
    if (!decision.outcome().leaves()) {
      Verdict verdict = stays(decision);
      return new Recheck.Stopped(
          message,
          verdict.outcome(),
          verdict.reason(),
          doorEntry(exchange, pack, recipient, message, verdict, at, null));
    }
    if (message.withheld().containsAll(decision.withheldFields())) {
      return new Recheck.AsBefore(message);
    }
    Set<String> withheld = new HashSet<>(message.withheld());
    withheld.addAll(decision.withheldFields());
    Shaper shaper = exchange.shaper(recipient);
    byte[] payload = shaper.reduce(message.payload(), withheld);
    Outcome outcome =
        decision.outcome() == Outcome.RELEASED ? message.outcome() : decision.outcome();
    byte[] salt = new byte[SALT];
    random.nextBytes(salt);
    Verdict verdict =
        new Verdict(
            outcome,
            decision.grounds().reason(),
            null,
            decision.grounds(),
            List.of(),
            withheld,
            payload);
    return new Recheck.Narrower(
        message.narrowed(outcome, withheld, payload),
        doorEntry(exchange, pack, recipient, message, verdict, at, salt));
  }

  private static AuditEntry doorEntry(
      LiveExchange exchange,
      PolicyPack pack,
      Contract.Recipient recipient,
      Outgoing message,
      Verdict verdict,
      Instant at,
      byte @Nullable [] salt) {
    return entry(
        at,
        message.exchange(),
        message.counterparty(),
        recipient.organisation(),
        message.subject(),
        message.key(),
        message.trace() == null ? "" : message.trace(),
        verdict,
        exchange.shaper(recipient).version(),
        pack.hash(),
        salt);
  }

  private Identified identify(
      LiveExchange exchange, Caller origin, Incoming incoming, KeyedHash hash) {
    Contract contract = exchange.contract();
    return switch (incoming.item()) {
      case Bad bad ->
          new Identified(
              incoming,
              bad.place(),
              null,
              null,
              null,
              List.of(),
              origin,
              bad.messageId(),
              incoming.bodyDigest(),
              bad.reason(),
              bad.detail());
      case Good good -> {
        JsonNode body = good.body();
        byte[] digest = digest(body, hash);
        Again again = incoming.again();
        String messageId = again == null ? messageId(contract, good) : again.recipient();
        Finding finding = examine(exchange, origin, body, messageId);
        yield new Identified(
            incoming,
            good.place(),
            body,
            finding.subject(),
            finding.birthDate(),
            again == null
                ? finding.recipients()
                : finding.recipients().stream()
                    .filter(recipient -> recipient.name().equals(again.recipient()))
                    .toList(),
            finding.source() == null ? origin : finding.source(),
            messageId,
            digest,
            finding.stopped(),
            finding.detail());
      }
    };
  }

  private record Finding(
      @Nullable Pseudonym subject,
      @Nullable LocalDate birthDate,
      List<Contract.Recipient> recipients,
      @Nullable Caller source,
      @Nullable ReasonCode stopped,
      @Nullable String detail) {
    static Finding stop(ReasonCode reason, String detail) {
      return new Finding(null, null, List.of(), null, reason, detail);
    }
  }

  private Finding examine(
      LiveExchange exchange, Caller origin, JsonNode body, @Nullable String messageId) {
    Contract contract = exchange.contract();
    Optional<Invalid> invalid = exchange.inputSchema().check(body);
    if (invalid.isPresent()) {
      return Finding.stop(invalid.get().reason(), invalid.get().detail());
    }
    if (messageId == null) {
      return Finding.stop(
          ReasonCode.SCHEMA_VIOLATION,
          "The message has no id: set "
              + (contract.messageId() == null ? "the channel's message id" : contract.messageId()));
    }
    Pseudonym subject = null;
    if (contract.subject() != null) {
      switch (NationalId.parse(body.at(contract.subject()).asText(), accept)) {
        case NationalId number -> subject = pseudonymizer.pseudonym(number);
        case Rejection rejection -> {
          return Finding.stop(
              switch (rejection) {
                case INVALID, REAL_NOT_ACCEPTED -> ReasonCode.INVALID_IDENTITY_NUMBER;
                case SYNTHETIC_NOT_ACCEPTED -> ReasonCode.SYNTHETIC_IDENTITY_NUMBER;
              },
              contract.subject() + " is not a number that is accepted here");
        }
      }
    }
    if (origin.onlyAbout() != null && !origin.onlyAbout().equals(subject)) {
      return Finding.stop(
          ReasonCode.UNKNOWN_SENDER, "The token (pid) was issued for another person");
    }
    LocalDate birthDate = null;
    if (contract.birthDate() != null) {
      try {
        String text = body.at(contract.birthDate()).asText("");
        birthDate = text.isEmpty() ? null : LocalDate.parse(text);
      } catch (DateTimeException e) {
        return Finding.stop(
            ReasonCode.SCHEMA_VIOLATION, contract.birthDate() + " is not a date (yyyy-mm-dd)");
      }
    }
    return addressed(contract, origin, body, subject, birthDate);
  }

  private Finding addressed(
      Contract contract,
      Caller origin,
      JsonNode body,
      @Nullable Pseudonym subject,
      @Nullable LocalDate birthDate) {
    Contract.Match match = contract.match();
    if (contract.mode() == Contract.Mode.MATCHING && match != null) {
      String counterpart = body.at(match.counterpart()).asText("");
      Optional<Caller> source = party(contract, counterpart);
      List<Contract.Recipient> asker = recipients(contract, origin.organisation().value());
      if (source.isEmpty()
          || asker.isEmpty()
          || counterpart.equals(origin.organisation().value())) {
        return Finding.stop(
            ReasonCode.UNKNOWN_RECIPIENT, match.counterpart() + " is not a party of the exchange");
      }
      return new Finding(subject, birthDate, asker, source.get(), null, null);
    }
    JsonPointer receiver = contract.receiver();
    List<Contract.Recipient> recipients =
        receiver == null ? contract.to() : recipients(contract, body.at(receiver).asText(""));
    if (recipients.isEmpty()) {
      return Finding.stop(
          ReasonCode.UNKNOWN_RECIPIENT, receiver + " is not a recipient of the exchange");
    }
    return new Finding(subject, birthDate, recipients, origin, null, null);
  }

  private static List<Contract.Recipient> recipients(Contract contract, String organisation) {
    return contract.to().stream()
        .filter(recipient -> recipient.organisation().value().equals(organisation))
        .toList();
  }

  private static Optional<Caller> party(Contract contract, String organisation) {
    for (Contract.Sender sender : contract.from()) {
      for (OrganisationNumber number : sender.organisations()) {
        if (number.value().equals(organisation)) {
          return Optional.of(Caller.of(sender, number));
        }
      }
    }
    return Optional.empty();
  }

  private static @Nullable String messageId(Contract contract, Good good) {
    if (contract.messageId() == null) {
      return good.messageId();
    }
    JsonNode id = good.body().at(contract.messageId());
    if (id.isMissingNode() || id.isNull() || id.asText().isEmpty()) {
      return null;
    }
    Contract.Match match = contract.match();
    return match == null ? id.asText() : good.body().at(match.list()).asText() + "/" + id.asText();
  }

  private static byte[] digest(JsonNode body, KeyedHash hash) {
    try {
      return hash.ofBytes(JSON.writeValueAsBytes(body));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A JSON tree that was just read cannot be written", e);
    }
  }

  private static Map<String, Object> attributes(JsonNode body, Set<String> names) {
    if (names.isEmpty()) {
      return Map.of();
    }
    Map<String, Object> attributes = HashMap.newHashMap(names.size());
    for (String name : names) {
      JsonNode value = body.get(name);
      if (value == null || value.isNull() || !value.isValueNode()) {
        continue;
      }
      attributes.put(
          name,
          value.isIntegralNumber()
              ? value.longValue()
              : value.isNumber()
                  ? value.doubleValue()
                  : value.isBoolean() ? value.booleanValue() : value.asText());
    }
    return attributes;
  }

  private static Facts facts(
      Contract contract,
      Caller source,
      OrganisationNumber receiver,
      AgencyKind receiverKind,
      @Nullable Pseudonym subject,
      @Nullable LocalDate birthDate,
      Map<String, Object> attributes,
      Map<Pseudonym, List<ConsentFact>> consents,
      FactSource facts,
      Instant at) {
    return new Facts(
        contract.id(),
        contract.purpose(),
        source.organisation(),
        source.party().kind(),
        receiver,
        receiverKind,
        subject,
        subject == null ? Protection.NONE : facts.protection(subject),
        subject == null ? List.of() : consents.getOrDefault(subject, List.of()),
        birthDate,
        attributes,
        at);
  }

  private Envelope judgeFor(
      LiveExchange exchange,
      PolicyPack pack,
      Caller origin,
      Identified record,
      JsonNode body,
      Contract.Recipient recipient,
      Facts known,
      Rosters rosters,
      KeyedHash hash,
      byte[] salt) {
    Contract contract = exchange.contract();
    Again again = record.incoming().again();
    boolean synchronous = contract.mode() == Contract.Mode.SYNCHRONOUS;
    Shaper shaper = exchange.shaper(recipient);
    Envelope.Listed listed = null;
    JsonNode input = body;
    Verdict verdict = null;
    Contract.Match match = contract.match();
    if (match != null && known.subject() != null) {
      String list = body.at(match.list()).asText();
      OrganisationNumber counterpart = known.sender();
      listed =
          again == null
              ? new Envelope.Listed(
                  counterpart, list, known.subject(), body.at(match.code()).asText(""))
              : null;
      Map<Pseudonym, String> roster = rosters.of(counterpart, origin.organisation(), list);
      if (roster == null) {
        Decision decision = pack.decide(contract, recipient.view(), known);
        verdict =
            decision.outcome().leaves()
                ? new Verdict(
                    Outcome.HELD,
                    ReasonCode.AWAITING_COUNTERPART_LIST,
                    null,
                    decision.grounds(),
                    List.of(),
                    Set.of(),
                    null)
                : stays(decision);
      } else {
        input = matched(body, roster.get(known.subject()));
      }
    }
    if (verdict == null) {
      verdict = decideAndShape(pack, contract, recipient.view(), shaper, known, input);
    }
    if (synchronous && verdict.outcome() == Outcome.HELD) {
      verdict = notKept(verdict);
    }
    byte[] key =
        again != null
            ? again.key()
            : hash.ofParts(
                contract.id(),
                origin.organisation().value(),
                record.messageId() == null ? "" : record.messageId(),
                recipient.name(),
                synchronous ? java.util.HexFormat.of().formatHex(salt) : "");
    String trace = record.incoming().trace();
    AuditEntry entry =
        entry(
            known.at(),
            contract.id(),
            known.sender(),
            recipient.organisation(),
            known.subject(),
            key,
            trace,
            verdict,
            shaper.version(),
            pack.hash(),
            salt);
    byte[] payload = verdict.payload();
    Envelope.Sealed outgoing =
        payload == null
            ? null
            : sealed(
                synchronous,
                new Outgoing(
                    -1,
                    key,
                    contract.id(),
                    recipient.name(),
                    known.sender(),
                    known.subject(),
                    verdict.outcome(),
                    verdict.withheld(),
                    known.birthDate(),
                    known.attributes(),
                    trace,
                    payload));
    Envelope.Waiting held =
        verdict.outcome() == Outcome.HELD && !synchronous
            ? new Envelope.Waiting(known.subject(), trace, vault.seal(bytes(body), key))
            : null;
    return new Envelope(
        key,
        record.digest(),
        record.place(),
        contract.id(),
        origin.organisation(),
        recipient.name(),
        verdict.outcome(),
        verdict.reason(),
        verdict.detail(),
        entry,
        outgoing,
        held,
        listed);
  }

  /** What is asked for synchronously is not kept, and so needs no encryption. */
  private Envelope.Sealed sealed(boolean synchronous, Outgoing message) {
    if (synchronous) {
      return new Envelope.Sealed(message, null, new byte[0]);
    }
    return new Envelope.Sealed(
        message,
        RecordFacts.of(message).map(facts -> vault.seal(facts, message.key())).orElse(null),
        vault.seal(message.payload(), message.key()));
  }

  private static JsonNode matched(JsonNode body, @Nullable String code) {
    ObjectNode input = ((ObjectNode) body).objectNode();
    input.setAll((ObjectNode) body);
    ObjectNode match = input.putObject("_match");
    match.put("present", code != null);
    match.put("code", code);
    return input;
  }

  private Verdict decideAndShape(
      PolicyPack pack,
      Contract contract,
      Contract.View view,
      Shaper shaper,
      Facts known,
      JsonNode input) {
    Decision decision = pack.decide(contract, view, known);
    if (decision.outcome() == Outcome.REFUSED) {
      return stays(decision);
    }
    Set<String> withheld = decision.withheldFields();
    // What is held is shaped too: its sender learns of a fault now, not when the consent comes.
    Shaped shaped = shaper.shape(input, withheld);
    if (shaped instanceof Shaped.Ok && decision.outcome() == Outcome.HELD) {
      return stays(decision);
    }
    return switch (shaped) {
      case Shaped.Ok ok ->
          new Verdict(
              decision.outcome(),
              decision.grounds().reason(),
              null,
              decision.grounds(),
              ok.released(),
              withheld,
              ok.json());
      case Shaped.Failed failed ->
          new Verdict(
              Outcome.REFUSED,
              failed.reason(),
              failed.detail(),
              decision.grounds(),
              List.of(),
              Set.of(),
              null);
    };
  }

  /** Somebody who waits for an answer cannot be held: refused, with the same reason. */
  private static Verdict notKept(Verdict held) {
    return new Verdict(
        Outcome.REFUSED, held.reason(), held.detail(), held.grounds(), List.of(), Set.of(), null);
  }

  private static Verdict stays(Decision decision) {
    return new Verdict(
        decision.outcome(),
        decision.grounds().reason(),
        null,
        decision.grounds(),
        List.of(),
        Set.of(),
        null);
  }

  private static Verdict refused(ReasonCode reason, @Nullable String detail) {
    return new Verdict(Outcome.REFUSED, reason, detail, null, List.of(), Set.of(), null);
  }

  private Envelope stopped(
      LiveExchange exchange,
      PolicyPack pack,
      Caller origin,
      Identified record,
      KeyedHash hash,
      Instant at) {
    Contract contract = exchange.contract();
    ReasonCode reason = record.stopped() == null ? ReasonCode.MALFORMED : record.stopped();
    Verdict verdict = refused(reason, record.detail());
    byte[] key =
        hash.ofParts(
            contract.id(),
            origin.organisation().value(),
            record.messageId() == null
                ? java.util.HexFormat.of().formatHex(record.digest())
                    + record.place().line()
                    + record.place().column()
                : record.messageId(),
            "");
    return new Envelope(
        key,
        record.digest(),
        record.place(),
        contract.id(),
        origin.organisation(),
        null,
        Outcome.REFUSED,
        reason,
        record.detail(),
        entry(
            at,
            contract.id(),
            origin.organisation(),
            null,
            record.subject(),
            key,
            record.incoming().trace(),
            verdict,
            null,
            pack.hash(),
            null),
        null,
        null,
        null);
  }

  private static AuditEntry entry(
      Instant at,
      String exchange,
      OrganisationNumber sender,
      @Nullable OrganisationNumber receiver,
      @Nullable Pseudonym subject,
      byte[] key,
      String trace,
      Verdict verdict,
      @Nullable String mapping,
      String policies,
      byte @Nullable [] salt) {
    Decision.Grounds grounds = verdict.grounds();
    byte[] payload = verdict.payload();
    byte[] hash = payload == null || salt == null ? null : AuditEntry.payloadHash(salt, payload);
    return new AuditEntry(
        at,
        Station.DECIDE,
        exchange,
        sender.value(),
        receiver == null ? null : receiver.value(),
        subject,
        java.util.HexFormat.of().formatHex(key),
        trace,
        verdict.outcome().name(),
        verdict.reason().name(),
        grounds == null ? List.of() : grounds.rules(),
        grounds == null ? null : grounds.agreement(),
        grounds == null ? List.of() : grounds.consents(),
        mapping,
        policies,
        verdict.released(),
        verdict.withheld().isEmpty() ? List.of() : verdict.withheld().stream().sorted().toList(),
        hash,
        salt,
        verdict.detail());
  }

  private static byte[] bytes(JsonNode tree) {
    try {
      return JSON.writeValueAsBytes(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A JSON tree that was just read cannot be written", e);
    }
  }

  /** The other side's lists for one batch; each is looked up once. */
  private static final class Rosters {
    private record Which(OrganisationNumber holder, String list) {}

    private final Contract contract;
    private final FactSource facts;
    private final Set<Pseudonym> subjects;
    private final Map<Which, Optional<Map<Pseudonym, String>>> found = new HashMap<>();

    Rosters(Contract contract, FactSource facts, Set<Pseudonym> subjects) {
      this.contract = contract;
      this.facts = facts;
      this.subjects = subjects;
    }

    @Nullable Map<Pseudonym, String> of(
        OrganisationNumber holder, OrganisationNumber counterpart, String list) {
      return found
          .computeIfAbsent(
              new Which(holder, list),
              which ->
                  Optional.ofNullable(
                      facts.roster(contract.id(), holder, counterpart, list, subjects)))
          .orElse(null);
    }
  }
}
