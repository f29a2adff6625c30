package no.bindeledd.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.ScheduledExecutorService;
import java.util.stream.Collectors;
import javax.sql.DataSource;
import no.bindeledd.consent.Consent;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.Caller;
import no.bindeledd.gate.Gate;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The messages that follow from what happens to a consent. A consent to fetch starts a request to
 * each source that it names ({@value #REQUEST}); a withdrawal is told to those who received
 * something under the consent ({@value #WITHDRAWAL}). They are messages of exchanges like any
 * other: they pass the gate, are in the ledger, and are delivered by the folder's routes, each on
 * its own. So a withdrawal stops the requests that have not left and the answers that come later.
 *
 * <p>A request is from the recipient of the consent, a notice from the organisation that runs the
 * registry, the first sender of its exchange. That they are due is written with the consent;
 * sending them again after a crash is recognised by the message id. The keeper who recorded a
 * withdrawal is not told. Thread-safe; the work is done on the chores' thread.
 */
final class ConsentMessages {
  static final String WITHDRAWAL = "consent-withdrawal";
  static final String REQUEST = "collection-request";

  private static final Logger LOG = LoggerFactory.getLogger(ConsentMessages.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final DataSource database;
  private final ConsentRegistry consents;
  private final Deliveries deliveries;
  private final Journal journal;
  private final FactChanges changes;
  private final Gate gate;
  private final Vault vault;
  private final Alone alone;
  private final ScheduledExecutorService chores;

  private record Due(UUID consent, int version, OrganisationNumber keeper, byte[] payload) {
    byte[] context() {
      return ConsentMessages.context(consent, version);
    }
  }

  ConsentMessages(
      DataSource database,
      ConsentRegistry consents,
      Deliveries deliveries,
      Journal journal,
      FactChanges changes,
      Gate gate,
      Vault vault,
      Alone alone,
      ScheduledExecutorService chores) {
    this.database = database;
    this.consents = consents;
    this.deliveries = deliveries;
    this.journal = journal;
    this.changes = changes;
    this.gate = gate;
    this.vault = vault;
    this.alone = alone;
    this.chores = chores;
  }

  /** True when messages follow from this version. */
  static boolean follow(Consent consent) {
    return consent.state() == State.WITHDRAWN
        || (consent.state() == State.GIVEN && consent.kind() == Kind.FETCHING);
  }

  /** Written with the consent. */
  void note(Connection connection, Consent consent, OrganisationNumber keeper, String number)
      throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO consent_notice (consent, version, keeper, payload) VALUES (?, ?, ?, ?)")) {
      insert.setObject(1, consent.id());
      insert.setInt(2, consent.version());
      insert.setString(3, keeper.value());
      insert.setBytes(
          4,
          vault.seal(
              number.getBytes(StandardCharsets.US_ASCII),
              context(consent.id(), consent.version())));
      insert.executeUpdate();
    }
  }

  private static byte[] context(UUID consent, int version) {
    return ("consent-notice " + consent + "@" + version).getBytes(StandardCharsets.US_ASCII);
  }

  /** There is a new one. */
  void wake() {
    chores.execute(this::send);
  }

  /** Sends what is due and can be sent now. */
  void send() {
    try {
      var unused =
          alone.run(
              "messages that follow from consents",
              () -> {
                for (Due due : due()) {
                  if (sent(due)) {
                    done(due);
                  }
                }
                return true;
              });
    } catch (Exception e) {
      LOG.warn(
          "Messages that follow from consents cannot be sent now ({}); it is tried again",
          e.getClass().getSimpleName());
    }
  }

  private boolean sent(Due due) throws SQLException {
    List<ConsentRegistry.Version> versions = consents.versions(due.consent());
    Optional<ConsentRegistry.Version> found =
        versions.stream().filter(v -> v.consent().version() == due.version()).findFirst();
    if (found.isEmpty()) {
      return true;
    }
    if (found.get().consent().state() == State.GIVEN) {
      // One that has been changed meanwhile asks by its newer version, or not at all.
      return !found.get().equals(versions.getLast()) || requested(due, found.get().consent());
    }
    return told(due, found.get());
  }

  /** Asks each source; each goes its own way, and what comes back comes when it comes. */
  private boolean requested(Due due, Consent consent) {
    LiveExchange exchange = exchange(REQUEST, due);
    if (exchange == null) {
      return true;
    }
    for (String collector : new TreeSet<>(consent.recipients())) {
      Optional<Contract.Sender> sender =
          exchange.contract().from().stream()
              .filter(from -> from.organisations().contains(new OrganisationNumber(collector)))
              .findFirst();
      if (sender.isPresent()) {
        List<Gate.Arrival> requests = new ArrayList<>();
        for (String source : new TreeSet<>(consent.sources())) {
          requests.add(request(consent, number(due), collector, source));
        }
        gate.receive(
            exchange, Caller.of(sender.get(), new OrganisationNumber(collector)), requests);
      }
    }
    return true;
  }

  private boolean told(Due due, ConsentRegistry.Version found) {
    Consent withdrawn = found.consent();
    if (!changes.settled(withdrawn.subject(), Duration.ZERO)) {
      return false;
    }
    // Every receipt that was handed in before this is in the ledger after it.
    journal.enter(List.of()).join();
    Map<String, List<Deliveries.Delivery>> byRecipient =
        deliveries.under(withdrawn).stream()
            .filter(delivery -> !delivery.recipient().equals(due.keeper().value()))
            .collect(
                Collectors.groupingBy(
                    Deliveries.Delivery::recipient, TreeMap::new, Collectors.toList()));
    LiveExchange exchange = byRecipient.isEmpty() ? null : exchange(WITHDRAWAL, due);
    if (exchange == null) {
      return true;
    }
    Contract.Sender registry = exchange.contract().from().getFirst();
    List<Gate.Arrival> notices = new ArrayList<>();
    byRecipient.forEach(
        (recipient, received) ->
            notices.add(notice(withdrawn, found.recordedAt(), number(due), recipient, received)));
    gate.receive(exchange, Caller.of(registry, registry.organisations().getFirst()), notices);
    return true;
  }

  private @Nullable LiveExchange exchange(String id, Due due) {
    LiveExchange exchange = gate.catalogue().current().exchange(id).orElse(null);
    if (exchange == null) {
      gate.turnAway(
          null,
          due.keeper(),
          ReasonCode.UNKNOWN_EXCHANGE,
          "A message that follows from a consent is due, and there is no exchange " + id,
          null);
      LOG.error(
          "There is no folder routes/{}: nobody is sent what follows from a consent; do it by other"
              + " means",
          id);
    }
    return exchange;
  }

  private String number(Due due) {
    return new String(vault.open(due.payload(), due.context()), StandardCharsets.US_ASCII);
  }

  private static Gate.Arrival request(
      Consent consent, String number, String collector, String source) {
    ObjectNode body = JSON.createObjectNode();
    body.put("messageId", consent.reference() + ":" + source);
    body.put("source", source);
    body.put("foedselsnummer", number);
    body.put("consent", consent.id().toString());
    body.put("version", consent.version());
    body.put("collector", collector);
    ArrayNode categories = body.putArray("categories");
    new TreeSet<>(consent.categories()).forEach(categories::add);
    Instant validTo = consent.validTo();
    if (validTo != null) {
      body.put("validTo", validTo.toString());
    }
    return arrival(body);
  }

  private static Gate.Arrival notice(
      Consent withdrawn,
      Instant at,
      String number,
      String recipient,
      List<Deliveries.Delivery> received) {
    ObjectNode body = JSON.createObjectNode();
    body.put("messageId", withdrawn.reference() + ":" + recipient);
    body.put("recipient", recipient);
    body.put("foedselsnummer", number);
    body.put("consent", withdrawn.id().toString());
    body.put("version", withdrawn.version());
    body.put("purpose", withdrawn.purpose());
    body.put("withdrawnAt", at.toString());
    ArrayNode messages = body.putArray("received");
    for (Deliveries.Delivery delivery : received) {
      ObjectNode message = messages.addObject();
      message.put("exchange", delivery.exchange());
      message.put("message", delivery.message());
      message.put("deliveredAt", delivery.at().toString());
    }
    return arrival(body);
  }

  private static Gate.Arrival arrival(ObjectNode body) {
    try {
      return new Gate.Arrival(new InputFormat.Raw(JSON.writeValueAsBytes(body), null, null), null);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree that was just made cannot be written", e);
    }
  }

  private List<Due> due() throws SQLException {
    List<Due> due = new ArrayList<>();
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT consent, version, keeper, payload FROM consent_notice"
                    + " ORDER BY consent, version LIMIT 1000");
        ResultSet row = select.executeQuery()) {
      while (row.next()) {
        due.add(
            new Due(
                row.getObject(1, UUID.class),
                row.getInt(2),
                new OrganisationNumber(row.getString(3)),
                row.getBytes(4)));
      }
    }
    return due;
  }

  private void done(Due due) throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement delete =
            connection.prepareStatement(
                "DELETE FROM consent_notice WHERE consent = ? AND version = ?")) {
      delete.setObject(1, due.consent());
      delete.setInt(2, due.version());
      delete.executeUpdate();
    }
  }
}
