package no.bindeledd.hub;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import no.bindeledd.audit.Station;
import no.bindeledd.consent.Consent;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.Journal;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * Reads and changes consents on behalf of a keeper, however the keeper speaks. A change and its
 * ledger entry are one transaction; a reading is entered before it is answered. Thread-safe.
 */
final class ConsentKeeping {
  static final String CONSENT = "consent";
  static final Duration LONGEST_HAND_OVER = Duration.ofSeconds(10);

  private final ConsentRegistry consents;
  private final Journal journal;
  private final Keepers keepers;
  private final FactChanges changes;
  private final ConsentMessages messages;

  ConsentKeeping(
      ConsentRegistry consents,
      Journal journal,
      Keepers keepers,
      FactChanges changes,
      ConsentMessages messages) {
    this.consents = consents;
    this.journal = journal;
    this.keepers = keepers;
    this.changes = changes;
    this.messages = messages;
  }

  /** Says what to record, once the transaction is open. */
  interface Preparation {
    Consent in(Connection connection) throws SQLException;
  }

  /**
   * A change that is recorded and bites.
   *
   * @param settled false when a hand-over that had begun before it has not ended in time, because a
   *     recipient hangs
   */
  record Done(Consent consent, boolean settled) {}

  /**
   * Records a version, and starts the messages that follow from it.
   *
   * @param number the person's identity number, for the messages; must be the consent's person
   * @throws CompletionException caused by {@link no.bindeledd.consent.ConsentConflictException},
   *     {@link GateShutException} (nothing is recorded, or a repeat will be recognised) or {@link
   *     IllegalArgumentException}
   */
  Done record(OrganisationNumber keeper, String number, Preparation preparation) {
    Pseudonym person = keepers.person(number, "subject");
    AtomicReference<ConsentRegistry.@Nullable Change> made = new AtomicReference<>();
    try {
      journal
          .write(
              (connection, next) -> {
                Consent consent = preparation.in(connection);
                if (!consent.subject().equals(person)) {
                  throw new IllegalArgumentException(
                      "subject is not the person whom the consent is about; correct the number or"
                          + " the id");
                }
                ConsentRegistry.Change change = consents.write(connection, consent);
                made.set(change);
                if (change.changed() && ConsentMessages.follow(consent)) {
                  messages.note(connection, consent, keeper, number);
                }
                return change.changed()
                    ? Journal.Written.of(
                        keepers.entry(
                            Station.CONSENT,
                            CONSENT,
                            keeper,
                            change.subject(),
                            change.consent().state().name(),
                            List.of(change.consent().reference())))
                    : new Journal.Written(List.of(), List.of());
              })
          .join();
    } catch (CompletionException e) {
      ConsentRegistry.Change unheardOf = made.get();
      if (unheardOf != null) {
        // The commit may have happened all the same: what is cached is in doubt.
        consents.invalidate(unheardOf.subject());
      }
      throw e;
    }
    ConsentRegistry.Change change = Objects.requireNonNull(made.get());
    consents.committed(change);
    boolean settled = changes.settled(change.subject(), LONGEST_HAND_OVER);
    if (ConsentMessages.follow(change.consent())) {
      messages.wake();
    }
    return new Done(change.consent(), settled);
  }

  /** The newest version of each consent and block of a person. The reading is entered first. */
  List<Consent> about(OrganisationNumber reader, Pseudonym subject) {
    try {
      List<Consent> found = consents.about(subject);
      entered(reader, subject, found);
      return found;
    } catch (SQLException e) {
      throw new GateShutException(e);
    }
  }

  /** Every version of one id, the oldest first; empty when there is none. Entered first. */
  List<ConsentRegistry.Version> versions(OrganisationNumber reader, UUID id) {
    try {
      List<ConsentRegistry.Version> found = consents.versions(id);
      if (!found.isEmpty()) {
        Consent newest = found.getLast().consent();
        entered(reader, newest.subject(), List.of(newest));
      }
      return found;
    } catch (SQLException e) {
      throw new GateShutException(e);
    }
  }

  private void entered(OrganisationNumber reader, Pseudonym subject, List<Consent> read) {
    journal
        .enter(
            List.of(
                keepers.entry(
                    Station.CONSENT,
                    CONSENT,
                    reader,
                    subject,
                    "READ",
                    read.stream().map(Consent::reference).toList())))
        .join();
  }
}
