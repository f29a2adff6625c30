package no.bindeledd.gate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.mapping.Shaper;
import no.bindeledd.person.Numbers;
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

  private final Identifier identifier;
  private final Vault vault;
  private final KeyedHash hashes;
  private final StationTimes times;
  private final SecureRandom random = new SecureRandom();

  /**
   * @param secret the hub's own, for hashes of message ids and contents
   */
  public Judge(
      Pseudonymizer pseudonymizer, Numbers accept, Vault vault, byte[] secret, StationTimes times) {
    this.identifier = new Identifier(pseudonymizer, accept);
    this.vault = vault;
    this.hashes = KeyedHash.of(secret);
    this.times = times;
  }

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
      Identified record = identifier.identify(exchange, origin, incoming, hash);
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
      byte[] salt = Arrays.copyOfRange(salts, i * SALT, (i + 1) * SALT);
      JsonNode body = record.body();
      if (body == null || (record.stopped() != null && !record.standIn())) {
        envelopes.add(stopped(exchange, pack, origin, record, hash, at));
        continue;
      }
      for (Contract.Recipient recipient : record.recipients()) {
        Facts known =
            FactSource.gather(
                exchange.contract(),
                record.source(),
                recipient.organisation(),
                recipient.kind(),
                record.subject(),
                record.birthDate(),
                FactSource.attributes(body, attributes),
                consents,
                record.incoming().again() == null ? null : record.incoming().again().key(),
                facts,
                at);
        envelopes.add(
            judgeFor(exchange, pack, origin, record, body, recipient, known, rosters, hash, salt));
      }
    }
    times.shaped(exchange.contract().id(), started);
    return envelopes;
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
    Incoming.Again again = record.incoming().again();
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
                    decision,
                    List.of(),
                    Set.of(),
                    null)
                : Verdict.of(decision);
      } else {
        input = matched(body, roster.get(known.subject()));
      }
    }
    if (record.stopped() != null) {
      verdict =
          new Verdict(
              Outcome.HELD, record.stopped(), record.detail(), null, List.of(), Set.of(), null);
    }
    if (verdict == null) {
      verdict = Verdict.decided(pack, contract, recipient.view(), shaper, known, input);
    }
    if (synchronous && verdict.outcome() == Outcome.HELD) {
      verdict = verdict.notKept();
    }
    // A question is asked anew each time; a faulty message does not use up its id.
    boolean faulty = verdict.outcome() == Outcome.REFUSED && verdict.detail() != null;
    byte[] key =
        again != null
            ? again.key()
            : hash.ofParts(
                contract.id(),
                origin.organisation().value(),
                record.messageId() == null ? "" : record.messageId(),
                recipient.name(),
                synchronous
                    ? HexFormat.of().formatHex(salt)
                    : faulty ? HexFormat.of().formatHex(record.digest()) : "");
    String trace = record.incoming().trace();
    AuditEntry entry =
        verdict.entry(
            known.at(),
            contract.id(),
            known.sender(),
            recipient.organisation(),
            known.subject(),
            key,
            trace,
            shaper.version(),
            pack.hash(),
            salt);
    byte[] payload = verdict.payload();
    Envelope.Release outgoing =
        payload == null
            ? null
            : new Envelope.Release(
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
                    payload,
                    Outgoing.ALONE),
                Timing.of(
                    contract,
                    pack,
                    known.sender(),
                    recipient.organisation(),
                    known.subject(),
                    body,
                    verdict.grounds() == null ? null : verdict.grounds().agreement(),
                    known.at(),
                    hash,
                    vault),
                Envelope.Claim.of(contract, known.subject(), body));
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
        listed,
        DecisionArchive.Kept.of(pack, contract, known, recipient.name(), verdict));
  }

  private static JsonNode matched(JsonNode body, @Nullable String code) {
    ObjectNode input = ((ObjectNode) body).objectNode();
    input.setAll((ObjectNode) body);
    ObjectNode match = input.putObject("_match");
    match.put("present", code != null);
    match.put("code", code);
    return input;
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
    Verdict verdict = Verdict.refused(reason, record.detail());
    Incoming.Again again = record.incoming().again();
    // Each content has a key of its own, so that it is told its own fault and does not use up the
    // id.
    byte[] key =
        again != null
            ? again.key()
            : hash.ofParts(
                contract.id(),
                origin.organisation().value(),
                record.messageId() == null
                    ? "" + record.place().line() + record.place().column()
                    : record.messageId(),
                "",
                HexFormat.of().formatHex(record.digest()));
    return Envelope.stopped(
        key,
        record.digest(),
        record.place(),
        contract.id(),
        origin.organisation(),
        again == null ? null : again.recipient(),
        reason,
        record.detail(),
        verdict.entry(
            at,
            contract.id(),
            origin.organisation(),
            null,
            record.subject(),
            key,
            record.incoming().trace(),
            null,
            pack.hash(),
            null));
  }

  private static byte[] bytes(JsonNode tree) {
    try {
      return JSON.writeValueAsBytes(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A JSON tree that was just read cannot be written", e);
    }
  }
}
