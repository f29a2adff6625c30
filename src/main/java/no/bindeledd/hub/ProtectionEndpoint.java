package no.bindeledd.hub;

import jakarta.servlet.http.HttpServletRequest;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import no.bindeledd.audit.Station;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.gate.Journal;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import no.bindeledd.person.ProtectionRegistry;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code PUT /protection}: sets or ends a person's address grading and shielding. Needs a token
 * with the keeper's scope. The change and its ledger entry are one transaction; repeating is
 * harmless.
 *
 * <p>204 means that nothing about the person leaves any more on the old facts. 202 means that the
 * change is recorded and bites, but a hand-over that had begun before it has not ended within ten
 * seconds, because a recipient hangs.
 */
@RestController
final class ProtectionEndpoint {
  private static final Logger LOG = LoggerFactory.getLogger(ProtectionEndpoint.class);
  private static final String PROTECTION = "protection";

  private final Keepers keepers;
  private final ProtectionRegistry protections;
  private final Journal journal;
  private final HeldMessages held;
  private final FactChanges changes;

  ProtectionEndpoint(
      Keepers keepers,
      ProtectionRegistry protections,
      Journal journal,
      HeldMessages held,
      FactChanges changes) {
    this.keepers = keepers;
    this.protections = protections;
    this.journal = journal;
    this.held = held;
    this.changes = changes;
  }

  record ProtectionRequest(
      @Nullable String subject, @Nullable AddressGrade grade, boolean shielded) {
    @Override
    public String toString() {
      return "ProtectionRequest";
    }
  }

  @PutMapping("/protection")
  ResponseEntity<Object> protect(@RequestBody ProtectionRequest request, HttpServletRequest http) {
    return keepers.let(
        http,
        keeper -> {
          String number = request.subject() == null ? "" : request.subject();
          Pseudonym subject = keepers.person(number, "subject");
          AddressGrade grade = request.grade() == null ? AddressGrade.UGRADERT : request.grade();
          record(keeper, subject, new Protection(grade, request.shielded()));
          held.reconsider(subject);
          return changes.settled(subject, ConsentKeeping.LONGEST_HAND_OVER)
              ? ResponseEntity.noContent().build()
              : ResponseEntity.accepted().build();
        });
  }

  private void record(OrganisationNumber keeper, Pseudonym subject, Protection protection) {
    AtomicReference<ProtectionRegistry.@Nullable Change> made = new AtomicReference<>();
    try {
      journal
          .write(
              (connection, next) -> {
                made.set(protections.write(connection, subject, protection, next));
                // The class of protection is not entered: who reads the ledger may not know it.
                return Journal.Written.of(
                    keepers.entry(Station.ADMIN, PROTECTION, keeper, subject, "SET", List.of()));
              })
          .join();
    } catch (CompletionException e) {
      if (made.get() != null) {
        readAgain();
      }
      throw e;
    }
    protections.committed(Objects.requireNonNull(made.get()));
  }

  /** The commit may have happened all the same. */
  private void readAgain() {
    try {
      protections.reload();
    } catch (SQLException e) {
      LOG.error(
          "A protection may or may not be recorded, and the database does not tell (SQLSTATE {});"
              + " its keeper was told to send it again",
          e.getSQLState());
    }
  }
}
