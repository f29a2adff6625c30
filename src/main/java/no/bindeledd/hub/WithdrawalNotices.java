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
import no.bindeledd.gate.Door;
import no.bindeledd.gate.Gate;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.person.Vault;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells those who received something under a consent that it has been withdrawn. A notice is a
 * message of the exchange {@value #EXCHANGE} like any other, from its first sender, the
 * organisation that runs the registry: it passes the gate, is in the ledger, and is delivered by
 * the folder's routes.
 *
 * <p>That notices are due is written with the withdrawal. Sending them again after a crash is
 * recognised by the message id. The keeper who recorded the withdrawal is not told. Thread-safe;
 * the work is done on the chores' thread.
 */
final class WithdrawalNotices {
  static final String EXCHANGE = "consent-withdrawal";

  private static final Logger LOG = LoggerFactory.getLogger(WithdrawalNotices.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final DataSource database;
  private final ConsentRegistry consents;
  private final Deliveries deliveries;
  private final Journal journal;
  private final Door door;
  private final Gate gate;
  private final Vault vault;
  private final ScheduledExecutorService chores;

  private record Due(UUID consent, int version, OrganisationNumber keeper, byte[] payload) {
    byte[] context() {
      return WithdrawalNotices.context(consent, version);
    }
  }

  WithdrawalNotices(
      DataSource database,
      ConsentRegistry consents,
      Deliveries deliveries,
      Journal journal,
      Door door,
      Gate gate,
      Vault vault,
      ScheduledExecutorService chores) {
    this.database = database;
    this.consents = consents;
    this.deliveries = deliveries;
    this.journal = journal;
    this.door = door;
    this.gate = gate;
    this.vault = vault;
    this.chores = chores;
  }

  /** Written with the withdrawal. */
  void note(Connection connection, Consent withdrawn, OrganisationNumber keeper, String number)
      throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO consent_notice (consent, version, keeper, payload) VALUES (?, ?, ?, ?)")) {
      insert.setObject(1, withdrawn.id());
      insert.setInt(2, withdrawn.version());
      insert.setString(3, keeper.value());
      insert.setBytes(
          4,
          vault.seal(
              number.getBytes(StandardCharsets.US_ASCII),
              context(withdrawn.id(), withdrawn.version())));
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
      for (Due due : due()) {
        if (sent(due)) {
          done(due);
        }
      }
    } catch (SQLException | RuntimeException e) {
      LOG.warn(
          "Withdrawal notices cannot be sent now ({}); it is tried again",
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
    Consent withdrawn = found.get().consent();
    if (!door.settled(withdrawn.subject(), Duration.ZERO)) {
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
    if (byRecipient.isEmpty()) {
      return true;
    }
    LiveExchange exchange = gate.catalogue().current().exchange(EXCHANGE).orElse(null);
    if (exchange == null) {
      gate.turnAway(
          null,
          due.keeper(),
          ReasonCode.UNKNOWN_EXCHANGE,
          "A withdrawal notice is due, and there is no exchange " + EXCHANGE,
          null);
      LOG.error(
          "The recipients of a withdrawn consent cannot be told: there is no folder routes/{}; tell"
              + " them by other means",
          EXCHANGE);
      return true;
    }
    Contract.Sender registry = exchange.contract().from().getFirst();
    Caller caller = Caller.of(registry, registry.organisations().getFirst());
    String number = new String(vault.open(due.payload(), due.context()), StandardCharsets.US_ASCII);
    List<Gate.Arrival> notices = new ArrayList<>();
    byRecipient.forEach(
        (recipient, received) ->
            notices.add(notice(withdrawn, found.get().recordedAt(), number, recipient, received)));
    gate.receive(exchange, caller, notices);
    return true;
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
