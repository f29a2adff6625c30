package no.bindeledd.gate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.time.InstantSource;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warns and escalates when an answer is owed (E06; domain.md § 4 rule 13). A warning goes to the
 * one who owes the answer, an escalation to the contact that the agreement names. Both are messages
 * like any other, through the gate, in the exchange that the contract names, written for the
 * organisation that waits. What is due is in the database, so nothing is forgotten by a restart; a
 * notice that was sent just before a crash is recognised as a repeat. Thread-safe.
 */
public final class Deadlines {
  private static final Logger LOG = LoggerFactory.getLogger(Deadlines.class);
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final int PAGE = 500;

  /** What a notice tells. */
  enum Kind {
    WARNING("WARNED"),
    ESCALATION("ESCALATED");

    private final String state;

    Kind(String state) {
      this.state = state;
    }
  }

  private final DataSource database;
  private final Gate gate;
  private final Vault vault;
  private final InstantSource clock;

  private record Due(
      byte[] id,
      String exchange,
      OrganisationNumber waiting,
      OrganisationNumber owing,
      @Nullable String agreement,
      LocalDate lastDay,
      byte[] facts) {}

  public Deadlines(DataSource database, Gate gate, Vault vault, InstantSource clock) {
    this.database = database;
    this.gate = gate;
    this.vault = vault;
    this.clock = clock;
  }

  /**
   * Sends every notice that is due today.
   *
   * @return how many were sent
   * @throws GateShutException when nothing can be recorded now; what is left is due next time
   */
  public synchronized int send() throws SQLException {
    Instant now = clock.instant();
    LocalDate today = LocalDate.ofInstant(now, Timing.OSLO);
    // Whoever is past the last day is not warned any more.
    return send("state IN ('RUNNING', 'WARNED') AND last_day < ?", Kind.ESCALATION, today, now)
        + send("state = 'RUNNING' AND warn_on <= ?", Kind.WARNING, today, now);
  }

  private int send(String condition, Kind kind, LocalDate today, Instant now) throws SQLException {
    int sent = 0;
    byte[] last = new byte[0];
    while (true) {
      List<Due> page = due(condition, today, last);
      if (page.isEmpty()) {
        return sent;
      }
      last = page.getLast().id();
      for (Due due : page) {
        if (notify(due, kind, now)) {
          noted(due, kind);
          sent++;
        }
      }
    }
  }

  private List<Due> due(String condition, LocalDate today, byte[] after) throws SQLException {
    List<Due> found = new ArrayList<>();
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT id, exchange, waiting, owing, agreement, last_day, facts FROM deadline"
                    + " WHERE "
                    + condition
                    + " AND id > ? ORDER BY id LIMIT "
                    + PAGE)) {
      select.setObject(1, today);
      select.setBytes(2, after);
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          found.add(
              new Due(
                  row.getBytes(1),
                  row.getString(2),
                  new OrganisationNumber(row.getString(3)),
                  new OrganisationNumber(row.getString(4)),
                  row.getString(5),
                  row.getObject(6, LocalDate.class),
                  row.getBytes(7)));
        }
      }
    }
    return found;
  }

  /** False when nobody can be told now; it is tried again, since the state stays. */
  private boolean notify(Due due, Kind kind, Instant now) {
    Catalogue.Edition edition = gate.catalogue().current();
    Optional<LiveExchange> notice =
        edition
            .exchange(due.exchange())
            .map(live -> live.contract().deadline())
            .flatMap(deadline -> edition.exchange(deadline.notice()));
    Optional<Contract.Sender> sender =
        notice.flatMap(
            live ->
                live.contract().from().stream()
                    .filter(from -> from.authentication() == Contract.Authentication.HUB)
                    .filter(from -> from.organisations().contains(due.waiting()))
                    .findFirst());
    if (notice.isEmpty() || sender.isEmpty()) {
      LOG.error(
          "No {} can be sent for {}: there is no exchange for notices with a HUB sender for {}."
              + " Check deadline.notice of the contract",
          kind,
          due.exchange(),
          due.waiting());
      return false;
    }
    List<OrganisationNumber> receivers =
        kind == Kind.WARNING
            ? List.of(due.owing())
            : contacts(edition.pack(), due, notice.get().contract().id(), now);
    gate.receive(
        notice.get(),
        Caller.of(sender.get(), due.waiting()),
        List.of(
            new Gate.Arrival(new InputFormat.Raw(body(due, kind, receivers), null, null), null)));
    return true;
  }

  /**
   * Those whom the agreement lets have notices and who are not asked themselves. When it names
   * nobody, the notice is refused for want of a recipient, which the books and the ledger show.
   */
  private static List<OrganisationNumber> contacts(
      PolicyPack pack, Due due, String notice, Instant now) {
    String agreement = due.agreement();
    if (agreement == null) {
      return List.of();
    }
    String id = agreement.substring(0, agreement.lastIndexOf('@'));
    List<OrganisationNumber> asked = pack.receivers(id, due.exchange(), now);
    return pack.receivers(id, notice, now).stream().filter(to -> !asked.contains(to)).toList();
  }

  /** The same each time, so that a repeat is known as one. */
  private byte[] body(Due due, Kind kind, List<OrganisationNumber> receivers) {
    try {
      JsonNode facts = JSON.readTree(vault.open(due.facts(), due.id()));
      ObjectNode body = JSON.createObjectNode();
      body.put("messageId", HexFormat.of().formatHex(due.id()) + "-" + kind);
      body.put("kind", kind.name());
      ArrayNode to = body.putArray("receivers");
      receivers.forEach(receiver -> to.add(receiver.value()));
      body.put("owing", due.owing().value());
      body.put("exchange", due.exchange());
      body.put("lastDay", due.lastDay().toString());
      body.setAll((ObjectNode) facts);
      return JSON.writeValueAsBytes(body);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("A tree of texts cannot be written as JSON", e);
    } catch (IOException e) {
      throw new IllegalStateException("The facts of a deadline cannot be read as JSON", e);
    }
  }

  private void noted(Due due, Kind kind) throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement update =
            connection.prepareStatement(
                "UPDATE deadline SET state = ? WHERE id = ? AND state IN ('RUNNING', 'WARNED')")) {
      update.setString(1, kind.state);
      update.setBytes(2, due.id());
      update.executeUpdate();
    }
  }
}
