package no.bindeledd.gate;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Station;

/** Makes dead letters of what cannot be delivered; writes for the journal. */
public final class Burial {
  private static final String DEAD = "DEAD";

  private Burial() {}

  /**
   * One message. Does nothing when it no longer waits.
   *
   * @param receiver the recipient's organisation number
   */
  public static Journal.Work of(
      OutboxRows rows, Outgoing message, String receiver, String why, Instant at) {
    return (connection, next) -> {
      rows.alone(connection, message);
      try (PreparedStatement update =
          connection.prepareStatement(
              "UPDATE outbox SET state = 'DEAD' WHERE id = ? AND state = 'PENDING'")) {
        update.setLong(1, message.id());
        return update.executeUpdate() == 0
            ? new Journal.Written(List.of(), List.of())
            : Journal.Written.of(Entries.delivery(at, message, receiver, DEAD, why));
      }
    };
  }

  /**
   * Every message that waits in a parcel that cannot be opened: the ledger knows which they are.
   * Does nothing when it is dead already.
   */
  public static Journal.Work ofParcel(long parcel, String receiver, String why, Instant at) {
    return (connection, next) -> {
      List<AuditEntry> entries = new ArrayList<>();
      for (AuditReader.Found decision :
          AuditReader.at(connection, bury(connection, parcel)).reversed()) {
        AuditEntry of = decision.entry();
        entries.add(
            AuditEntry.plain(
                at,
                Station.DELIVER,
                of.exchange(),
                of.sender(),
                receiver,
                null,
                of.message(),
                of.trace(),
                DEAD,
                DEAD,
                why));
      }
      return new Journal.Written(entries, List.of());
    };
  }

  /** Returns the numbers of those that wait in it. */
  private static List<Long> bury(Connection connection, long parcel) throws SQLException {
    try (PreparedStatement update =
        connection.prepareStatement(
            "UPDATE parcel SET state = 'DEAD' WHERE id = ? AND state = 'PENDING'"
                + " RETURNING last, gone")) {
      update.setLong(1, parcel);
      try (ResultSet row = update.executeQuery()) {
        return row.next() ? waiting(parcel, row.getLong(1), row.getBytes(2)) : List.of();
      }
    }
  }

  /** The numbers in a parcel whose bit is not set. */
  static List<Long> waiting(long parcel, long last, byte[] gone) {
    BitSet absent = BitSet.valueOf(gone);
    List<Long> numbers = new ArrayList<>();
    for (int place = absent.nextClearBit(0); parcel + place <= last; ) {
      numbers.add(parcel + place);
      place = absent.nextClearBit(place + 1);
    }
    return numbers;
  }
}
