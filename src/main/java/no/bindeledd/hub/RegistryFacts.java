package no.bindeledd.hub;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.FactSource;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.person.Protection;
import no.bindeledd.person.ProtectionRegistry;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.HumanAct;
import org.jspecify.annotations.Nullable;

/** Facts from the hub's registries. A registry that cannot be read shuts the gate. Thread-safe. */
public final class RegistryFacts implements FactSource {
  private final DataSource database;
  private final ConsentRegistry consents;
  private final ProtectionRegistry protections;
  private final @Nullable HumanActs acts;
  private final @Nullable FactChanges changes;

  /** Without anything done by hand, and of a hub that is alone. */
  public RegistryFacts(
      DataSource database, ConsentRegistry consents, ProtectionRegistry protections) {
    this(database, consents, protections, null, null);
  }

  RegistryFacts(
      DataSource database,
      ConsentRegistry consents,
      ProtectionRegistry protections,
      @Nullable HumanActs acts,
      @Nullable FactChanges changes) {
    this.acts = acts;
    this.changes = changes;
    this.database = database;
    this.consents = consents;
    this.protections = protections;
  }

  @Override
  public void refresh() {
    if (changes != null) {
      changes.catchUp();
    }
  }

  @Override
  public Map<Pseudonym, List<ConsentFact>> consents(Collection<Pseudonym> subjects) {
    if (subjects.isEmpty()) {
      return Map.of();
    }
    try {
      return consents.findAll(subjects);
    } catch (SQLException e) {
      throw new GateShutException(e);
    }
  }

  @Override
  public List<HumanAct> acts(
      Pseudonym subject, String exchange, OrganisationNumber receiver, byte @Nullable [] message) {
    return acts == null ? List.of() : acts.concerning(subject, exchange, receiver, message);
  }

  @Override
  public Protection protection(Pseudonym subject) {
    return protections.of(subject);
  }

  @Override
  public @Nullable Map<Pseudonym, String> roster(
      String exchange,
      OrganisationNumber holder,
      OrganisationNumber counterpart,
      String list,
      Collection<Pseudonym> subjects) {
    try (Connection connection = database.getConnection()) {
      return hasList(connection, exchange, holder, counterpart, list)
          ? codes(connection, exchange, holder, counterpart, list, subjects)
          : null;
    } catch (SQLException e) {
      throw new GateShutException(e);
    }
  }

  private static boolean hasList(
      Connection connection,
      String exchange,
      OrganisationNumber holder,
      OrganisationNumber counterpart,
      String list)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT 1 FROM roster WHERE exchange = ? AND holder = ? AND counterpart = ?"
                + " AND list = ? LIMIT 1")) {
      select.setString(1, exchange);
      select.setString(2, holder.value());
      select.setString(3, counterpart.value());
      select.setString(4, list);
      try (ResultSet row = select.executeQuery()) {
        return row.next();
      }
    }
  }

  private static Map<Pseudonym, String> codes(
      Connection connection,
      String exchange,
      OrganisationNumber holder,
      OrganisationNumber counterpart,
      String list,
      Collection<Pseudonym> subjects)
      throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(
            "SELECT subject, code FROM roster WHERE exchange = ? AND holder = ?"
                + " AND counterpart = ? AND list = ? AND subject = ANY (?)")) {
      select.setString(1, exchange);
      select.setString(2, holder.value());
      select.setString(3, counterpart.value());
      select.setString(4, list);
      byte[][] keys = subjects.stream().map(Pseudonym::bytes).toArray(byte[][]::new);
      select.setArray(5, connection.createArrayOf("bytea", keys));
      Map<Pseudonym, String> codes = new HashMap<>();
      try (ResultSet row = select.executeQuery()) {
        while (row.next()) {
          codes.put(Pseudonym.of(row.getBytes(1)), row.getString(2));
        }
      }
      return codes;
    }
  }
}
