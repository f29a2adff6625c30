package no.bindeledd.gate;

import java.sql.Array;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Set;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.person.Pseudonym;
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

  public Outgoing read(ResultSet row) throws SQLException {
    byte[] key = row.getBytes(2);
    byte[] subject = row.getBytes(6);
    Array withheld = row.getArray(8);
    byte[] sealedFacts = row.getBytes(9);
    RecordFacts facts =
        RecordFacts.parse(sealedFacts == null ? null : vault.open(sealedFacts, key));
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
        vault.open(row.getBytes(11), key));
  }
}
