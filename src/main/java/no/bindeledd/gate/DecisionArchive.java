package no.bindeledd.gate;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.Date;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Instant;
import java.time.LocalDate;
import java.time.Period;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import javax.sql.DataSource;
import no.bindeledd.exchange.Contract;
import no.bindeledd.gate.DecidedFacts.Decided;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.Decision;
import no.bindeledd.policy.Facts;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what decisions were made on, encrypted, for as long as the agreement (else the contract)
 * says, so that they can be replayed under other rules. One row per transaction of the journal and
 * length of keeping. Thread-safe.
 */
public final class DecisionArchive {
  private static final byte[] CONTEXT = "decision_facts".getBytes(StandardCharsets.US_ASCII);

  private final Vault vault;

  public DecisionArchive(Vault vault) {
    this.vault = vault;
  }

  /** A decision and how long it is to be kept. */
  record Kept(Decided decided, Period retention) {
    /** What was decided, for replay. What was stopped for another reason was not decided. */
    static @Nullable Kept of(
        PolicyPack pack, Contract contract, Facts facts, @Nullable String view, Verdict verdict) {
      Decision decision = verdict.decision();
      if (decision == null) {
        return null;
      }
      return new Kept(
          new Decided(
              facts,
              view,
              decision.outcome(),
              decision.grounds().reason(),
              decision.withheldFields()),
          pack.retention(decision.grounds().agreement()).orElse(contract.retention()));
    }
  }

  /** Writes in the caller's transaction. */
  void write(Connection connection, List<Kept> decisions) throws SQLException {
    Map<Period, List<Decided>> byRetention = new HashMap<>();
    for (Kept kept : decisions) {
      byRetention.computeIfAbsent(kept.retention(), r -> new ArrayList<>()).add(kept.decided());
    }
    if (byRetention.isEmpty()) {
      return;
    }
    try (PreparedStatement insert =
        connection.prepareStatement(
            "INSERT INTO decision_facts (first_at, last_at, keep_until, decisions, facts)"
                + " VALUES (?, ?, ?, ?, ?)")) {
      for (Map.Entry<Period, List<Decided>> entry : byRetention.entrySet()) {
        List<Decided> group = entry.getValue();
        Instant first = group.getFirst().facts().at();
        Instant last = first;
        for (Decided decided : group) {
          Instant at = decided.facts().at();
          first = at.isBefore(first) ? at : first;
          last = at.isAfter(last) ? at : last;
        }
        insert.setTimestamp(1, Timestamp.from(first));
        insert.setTimestamp(2, Timestamp.from(last));
        insert.setDate(3, Date.valueOf(day(last).plus(entry.getKey())));
        insert.setInt(4, group.size());
        insert.setBytes(5, vault.seal(Squeezed.squeeze(DecidedFacts.write(group)), CONTEXT));
        insert.addBatch();
      }
      insert.executeBatch();
    }
  }

  /**
   * Hands every decision from the first instant to before the second over, in order of time kept.
   */
  public void read(DataSource database, Instant from, Instant to, Consumer<Decided> each)
      throws SQLException {
    try (Connection connection = database.getConnection()) {
      connection.setAutoCommit(false);
      try (PreparedStatement select =
          connection.prepareStatement(
              "SELECT facts FROM decision_facts WHERE last_at >= ? AND first_at < ? ORDER BY id")) {
        select.setFetchSize(100);
        select.setTimestamp(1, Timestamp.from(from));
        select.setTimestamp(2, Timestamp.from(to));
        try (ResultSet rows = select.executeQuery()) {
          while (rows.next()) {
            for (Decided decided : open(rows.getBytes(1))) {
              Instant at = decided.facts().at();
              if (!at.isBefore(from) && at.isBefore(to)) {
                each.accept(decided);
              }
            }
          }
        }
      }
      connection.rollback();
    }
  }

  private List<Decided> open(byte[] sealed) {
    byte[] plain = vault.open(sealed, CONTEXT);
    // What older versions wrote is not compressed.
    return DecidedFacts.read(plain[0] == '{' ? plain : Squeezed.stretch(plain));
  }

  /** Removes what has been kept long enough; returns how many rows went. */
  public static int removeExpired(DataSource database, Instant now) throws SQLException {
    try (Connection connection = database.getConnection();
        PreparedStatement delete =
            connection.prepareStatement("DELETE FROM decision_facts WHERE keep_until < ?")) {
      delete.setDate(1, Date.valueOf(day(now)));
      return delete.executeUpdate();
    }
  }

  private static LocalDate day(Instant at) {
    return LocalDate.ofInstant(at, ZoneOffset.UTC);
  }
}
