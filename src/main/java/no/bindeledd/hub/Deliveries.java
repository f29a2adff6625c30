package no.bindeledd.hub;

import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Station;
import no.bindeledd.consent.Consent;
import no.bindeledd.exchange.Contract;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.GateShutException;
import org.jspecify.annotations.Nullable;

/** What left the hub under a consent, as the ledger tells. Thread-safe. */
final class Deliveries {
  private static final int PAGE = 1000;
  private static final String DELIVERED = "DELIVERED";

  private final AuditReader ledger;
  private final Catalogue catalogue;

  Deliveries(DataSource database, Catalogue catalogue) {
    this.ledger = new AuditReader(database);
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
    try {
      List<Delivery> found = new ArrayList<>();
      for (AuditReader.Found decision : decisions(consent, prefix).values()) {
        AuditEntry entry = decision.entry();
        Instant at = deliveredAt(entry);
        if (at != null) {
          found.add(
              new Delivery(
                  entry.exchange(),
                  orEmpty(entry.receiver()),
                  orEmpty(entry.message()),
                  at,
                  decision.index(),
                  entry.consents().stream()
                      .filter(c -> c.startsWith(prefix))
                      .findFirst()
                      .orElse(""),
                  entry.released()));
        }
      }
      return found;
    } catch (SQLException e) {
      throw new GateShutException(e);
    }
  }

  /** The newest decision on each message and receiver that let something out under the consent. */
  private Map<String, AuditReader.Found> decisions(Consent consent, String prefix)
      throws SQLException {
    AuditReader.Query about =
        new AuditReader.Query(consent.subject(), null, null, null, null, null);
    Map<String, AuditReader.Found> decisions = new LinkedHashMap<>();
    Long before = null;
    do {
      AuditReader.Page page = ledger.read(about, before, PAGE);
      for (AuditReader.Found found : page.entries()) {
        AuditEntry entry = found.entry();
        if (entry.station() == Station.DECIDE
            && !entry.released().isEmpty()
            && entry.consents().stream().anyMatch(c -> c.startsWith(prefix))) {
          decisions.putIfAbsent(entry.message() + "|" + entry.receiver(), found);
        }
      }
      before = page.before();
    } while (before != null);
    return decisions;
  }

  /** Null when it was stopped before it left, or has not left yet. */
  private @Nullable Instant deliveredAt(AuditEntry decision) throws SQLException {
    boolean reply =
        catalogue
            .current()
            .exchange(decision.exchange())
            .filter(live -> live.contract().mode() == Contract.Mode.SYNCHRONOUS)
            .isPresent();
    if (reply) {
      // A reply is given as soon as its decision is recorded.
      return decision.at();
    }
    AuditReader.Query receipts =
        new AuditReader.Query(null, decision.message(), null, DELIVERED, null, null);
    List<AuditReader.Found> found = ledger.read(receipts, null, 1).entries();
    return found.isEmpty() ? null : found.getFirst().entry().at();
  }

  private static String orEmpty(@Nullable String text) {
    return text == null ? "" : text;
  }
}
