package no.bindeledd.hub;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.HumanAct;
import org.jspecify.annotations.Nullable;

/**
 * The acts of named people, with the table {@code human_act} as the truth. Those in force are few
 * and held in memory, read anew each second: an act of another instance is seen within that, and an
 * act of this one at once. Names and reasons are encrypted and leave only in a review. Thread-safe.
 */
final class HumanActs {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final long FRESH_NANOS = 1_000_000_000;

  /** Who did it and why. */
  record Actor(String id, String name, String reason) {
    @Override
    public String toString() {
      return "Actor";
    }
  }

  /**
   * An act as it is kept.
   *
   * @param message the key of the one message; null for any message of the subject in the exchange
   */
  record Kept(
      HumanAct act,
      Pseudonym subject,
      String exchange,
      OrganisationNumber receiver,
      byte @Nullable [] message,
      OrganisationNumber organisation,
      List<Actor> actors) {}

  private record Snapshot(long readAt, Map<Pseudonym, List<Kept>> bySubject) {}

  private final DataSource database;
  private final Vault vault;
  private final InstantSource clock;
  private volatile Snapshot snapshot = new Snapshot(System.nanoTime() - FRESH_NANOS - 1, Map.of());

  HumanActs(DataSource database, Vault vault, InstantSource clock) {
    this.database = database;
    this.vault = vault;
    this.clock = clock;
  }

  /** Those that concern this message. */
  List<HumanAct> concerning(
      Pseudonym subject, String exchange, OrganisationNumber receiver, byte @Nullable [] message) {
    List<Kept> kept = current().bySubject().get(subject);
    if (kept == null) {
      return List.of();
    }
    List<HumanAct> found = new ArrayList<>(1);
    for (Kept one : kept) {
      boolean concerns =
          one.exchange().equals(exchange)
              && one.receiver().equals(receiver)
              && (one.message() == null || Arrays.equals(one.message(), message));
      if (concerns) {
        found.add(one.act());
      }
    }
    return found;
  }

  private Snapshot current() {
    Snapshot now = snapshot;
    if (System.nanoTime() - now.readAt() <= FRESH_NANOS) {
      return now;
    }
    return refresh();
  }

  private synchronized Snapshot refresh() {
    if (System.nanoTime() - snapshot.readAt() <= FRESH_NANOS) {
      return snapshot;
    }
    return reread();
  }

  /** Reads what is in force; after a commit, so that the next decision knows of it. */
  synchronized Snapshot reread() {
    long readAt = System.nanoTime();
    Map<Pseudonym, List<Kept>> bySubject = new HashMap<>();
    try (Connection connection = database.getConnection();
        PreparedStatement select = connection.prepareStatement(SELECT + " WHERE ends > ?")) {
      select.setTimestamp(1, Timestamp.from(clock.instant()));
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          Kept kept = kept(rows);
          bySubject.computeIfAbsent(kept.subject(), s -> new ArrayList<>()).add(kept);
        }
      }
    } catch (SQLException e) {
      throw new GateShutException(e);
    }
    snapshot = new Snapshot(readAt, bySubject);
    return snapshot;
  }

  private static final String SELECT =
      "SELECT id, kind, people, starts, ends, subject, exchange, receiver, message, organisation,"
          + " actors FROM human_act";

  private Kept kept(ResultSet row) throws SQLException {
    UUID id = row.getObject(1, UUID.class);
    return new Kept(
        new HumanAct(
            id.toString(),
            HumanAct.Kind.valueOf(row.getString(2)),
            row.getInt(3),
            row.getTimestamp(4).toInstant(),
            row.getTimestamp(5).toInstant()),
        Pseudonym.of(row.getBytes(6)),
        row.getString(7),
        new OrganisationNumber(row.getString(8)),
        row.getBytes(9),
        new OrganisationNumber(row.getString(10)),
        actors(vault.open(row.getBytes(11), context(id))));
  }

  Optional<Kept> find(Connection connection, UUID id) throws SQLException {
    try (PreparedStatement select =
        connection.prepareStatement(SELECT + " WHERE id = ? FOR UPDATE")) {
      select.setObject(1, id);
      try (ResultSet row = select.executeQuery()) {
        return row.next() ? Optional.of(kept(row)) : Optional.empty();
      }
    }
  }

  /** False when the id is taken. */
  boolean insert(Connection connection, Kept kept) throws SQLException {
    UUID id = UUID.fromString(kept.act().id());
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO human_act (id, kind, people, starts, ends, subject, exchange, receiver,"
                + " message, organisation, actors) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                + " ON CONFLICT DO NOTHING")) {
      insert.setObject(1, id);
      insert.setString(2, kept.act().kind().name());
      insert.setInt(3, kept.act().people());
      insert.setTimestamp(4, Timestamp.from(kept.act().from()));
      insert.setTimestamp(5, Timestamp.from(kept.act().to()));
      insert.setBytes(6, kept.subject().bytes());
      insert.setString(7, kept.exchange());
      insert.setString(8, kept.receiver().value());
      insert.setBytes(9, kept.message());
      insert.setString(10, kept.organisation().value());
      insert.setBytes(11, vault.seal(bytes(kept.actors()), context(id)));
      return insert.executeUpdate() == 1;
    }
  }

  /** A second person stands behind it too. */
  void confirm(Connection connection, Kept kept, Actor second) throws SQLException {
    UUID id = UUID.fromString(kept.act().id());
    List<Actor> actors = new ArrayList<>(kept.actors());
    actors.add(second);
    try (PreparedStatement update =
        connection.prepareStatement("UPDATE human_act SET people = ?, actors = ? WHERE id = ?")) {
      update.setInt(1, actors.size());
      update.setBytes(2, vault.seal(bytes(actors), context(id)));
      update.setObject(3, id);
      update.executeUpdate();
    }
  }

  /** False when it is reviewed already. */
  boolean review(Connection connection, UUID id, Actor reviewer) throws SQLException {
    try (PreparedStatement update =
        connection.prepareStatement(
            "UPDATE human_act SET reviewed = ?, review = ? WHERE id = ? AND reviewed IS NULL")) {
      update.setTimestamp(1, Timestamp.from(clock.instant()));
      update.setBytes(2, vault.seal(bytes(List.of(reviewer)), context(id)));
      update.setObject(3, id);
      return update.executeUpdate() == 1;
    }
  }

  /** Every breaking of the glass that nobody has reviewed, oldest first. */
  List<Kept> unreviewed(OrganisationNumber organisation) throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                SELECT
                    + " WHERE kind = 'BREAK_GLASS' AND reviewed IS NULL AND organisation = ?"
                    + " ORDER BY starts")) {
      select.setString(1, organisation.value());
      List<Kept> found = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          found.add(kept(rows));
        }
      }
      return found;
    }
  }

  private static byte[] context(UUID id) {
    return ByteBuffer.allocate(16)
        .putLong(id.getMostSignificantBits())
        .putLong(id.getLeastSignificantBits())
        .array();
  }

  private static byte[] bytes(List<Actor> actors) {
    ArrayNode list = JSON.createArrayNode();
    for (Actor actor : actors) {
      list.addObject()
          .put("id", actor.id())
          .put("name", actor.name())
          .put("reason", actor.reason());
    }
    try {
      return JSON.writeValueAsBytes(list);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Texts cannot be written as JSON", e);
    }
  }

  private static List<Actor> actors(byte[] bytes) {
    try {
      List<Actor> actors = new ArrayList<>();
      for (JsonNode node : JSON.readTree(bytes)) {
        actors.add(
            new Actor(
                node.path("id").asText(),
                node.path("name").asText(),
                node.path("reason").asText()));
      }
      return actors;
    } catch (IOException e) {
      throw new IllegalStateException("An act's people cannot be read", e);
    }
  }
}
