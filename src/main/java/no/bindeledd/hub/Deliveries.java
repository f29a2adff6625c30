package no.bindeledd.hub;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Station;
import no.bindeledd.consent.Consent;
import no.bindeledd.exchange.Contract;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.reading.EntrySearch;
import org.jspecify.annotations.Nullable;

/** What left the hub under a consent, as the ledger tells. Thread-safe. */
final class Deliveries {
  private static final String DELIVERED = "DELIVERED";

  private final DataSource database;
  private final Catalogue catalogue;

  Deliveries(DataSource database, Catalogue catalogue) {
    this.database = database;
    this.catalogue = catalogue;
  }

  /**
   * Something that was delivered.
   *
   * @param recipient organisation number
   * @param message the hub's id of it, which it carried as {@code Idempotency-Key}
   * @param entry index in the ledger of the decision that let it out
   * @param consent the version that was relied on
   */
  record Delivery(
      String exchange,
      String recipient,
      String message,
      Instant at,
      long entry,
      String consent,
      List<String> fields) {}

  /**
   * Everything delivered under any version of the consent, the newest first.
   *
   * @throws GateShutException when the ledger cannot be read now
   */
  List<Delivery> under(Consent consent) {
    String prefix = consent.id() + "@";
    try (Connection connection = database.getConnection()) {
      Map<String, AuditReader.Found> decisions = new TreeMap<>();
      Map<String, Instant> receipts = new HashMap<>();
      for (AuditReader.Found each : EntrySearch.about(connection, consent.subject())) {
        AuditEntry entry = each.entry();
        if (entry.outcome().equals(DELIVERED)) {
          receipts.put(orEmpty(entry.message()), entry.at());
        } else if (entry.station() == Station.DECIDE
            && !entry.released().isEmpty()
            && entry.consents().stream().anyMatch(c -> c.startsWith(prefix))) {
          // The newest decision on each message and receiver that let something out.
          decisions.put(entry.message() + "|" + entry.receiver(), each);
        }
      }
      return decisions.values().stream()
          .sorted(Comparator.comparingLong(AuditReader.Found::index).reversed())
          .flatMap(decision -> delivery(decision, prefix, receipts))
          .toList();
    } catch (SQLException e) {
      throw new GateShutException(e);
    }
  }

  private Stream<Delivery> delivery(
      AuditReader.Found decision, String prefix, Map<String, Instant> receipts) {
    AuditEntry entry = decision.entry();
    // A reply is given as soon as its decision is recorded.
    Instant at = reply(entry) ? entry.at() : receipts.get(orEmpty(entry.message()));
    if (at == null) {
      return Stream.empty(); // it was stopped before it left, or has not left yet
    }
    return Stream.of(
        new Delivery(
            entry.exchange(),
            orEmpty(entry.receiver()),
            orEmpty(entry.message()),
            at,
            decision.index(),
            entry.consents().stream().filter(c -> c.startsWith(prefix)).findFirst().orElse(""),
            entry.released()));
  }

  private boolean reply(AuditEntry decision) {
    return catalogue
        .current()
        .exchange(decision.exchange())
        .filter(live -> live.contract().mode() == Contract.Mode.SYNCHRONOUS)
        .isPresent();
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }
}
