package no.bindeledd.gate;

import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.SealBrokenException;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.Outcome;

/** Reads rows of the table {@code outbox}. Thread-safe. */
public final class OutboxRows {
  /** The columns that {@link #read} expects, in order. */
  public static final String COLUMNS =
      "id, key, exchange, recipient, sender, subject, outcome, withheld, facts, trace, payload";

  private final Vault vault;

  public OutboxRows(Vault vault) {
    this.vault = vault;
  }

  /** Takes a row that cannot be opened; it has neither payload nor facts. */
  public interface Broken {
    void row(Outgoing message, RuntimeException cause);
  }

  /** Reads all rows; what cannot be opened goes to the other and stops nothing. */
  public List<Outgoing> read(ResultSet rows, Broken broken) throws SQLException {
    List<Outgoing> found = new ArrayList<>();
    while (rows.next()) {
      try {
        found.add(read(rows));
      } catch (SealBrokenException e) {
        broken.row(message(rows, RecordFacts.parse(null), new byte[0]), e);
      }
    }
    return found;
  }

  /**
   * Reads one row.
   *
   * @throws SealBrokenException when it cannot be opened
   */
  public Outgoing read(ResultSet row) throws SQLException {
    byte[] key = row.getBytes(2);
    byte[] sealedFacts = row.getBytes(9);
    RecordFacts facts =
        RecordFacts.parse(sealedFacts == null ? null : vault.open(sealedFacts, key));
    return message(row, facts, vault.open(row.getBytes(11), key));
  }

  private static Outgoing message(ResultSet row, RecordFacts facts, byte[] payload)
      throws SQLException {
    byte[] key = row.getBytes(2);
    byte[] subject = row.getBytes(6);
    Array withheld = row.getArray(8);
    return new Outgoing(
        row.getLong(1),
        key,
        row.getString(3),
        row.getString(4),
        new OrganisationNumber(row.getString(5)),
        subject == null ? null : Pseudonym.of(subject),
        Outcome.valueOf(row.getString(7)),
        Set.of((String[]) withheld.getArray()),
        facts.birthDate(),
        facts.attributes(),
        row.getString(10),
        payload);
  }
}
