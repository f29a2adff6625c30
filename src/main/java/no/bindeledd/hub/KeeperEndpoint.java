package no.bindeledd.hub;

import com.fasterxml.jackson.annotation.JsonInclude;
import jakarta.servlet.http.HttpServletRequest;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.consent.ConsentConflictException;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.consent.NewConsent;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.Door;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.gate.Journal;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import no.bindeledd.person.ProtectionRegistry;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * Where those who keep consents and person protection tell the hub about them. Needs a token with
 * the keeper's scope. Each change is entered in the ledger in the same transaction as it is made.
 *
 * <p>{@code PUT /consents/<uuid>} gives a consent or sets a block, {@code POST
 * /consents/<uuid>/withdrawal} withdraws one, {@code PUT /protection} sets a grading or shielding.
 * Repeating a request is harmless; a wrong {@code expectedVersion} answers 409.
 *
 * <p>200 and 204 mean that nothing about the person leaves any more on the old facts. 202 means
 * that the change is recorded and bites, but a hand-over that had begun before it has not ended
 * within ten seconds, because a recipient hangs.
 */
@RestController
final class KeeperEndpoint {
  private static final String CONSENT = "consent";
  private static final String PROTECTION = "protection";
  private static final Duration LONGEST_HAND_OVER = Duration.ofSeconds(10);

  private final Callers callers;
  private final ConsentRegistry consents;
  private final ProtectionRegistry protections;
  private final Journal journal;
  private final HeldMessages held;
  private final Door door;
  private final InstantSource clock;

  KeeperEndpoint(
      Callers callers,
      ConsentRegistry consents,
      ProtectionRegistry protections,
      Journal journal,
      HeldMessages held,
      Door door,
      InstantSource clock) {
    this.callers = callers;
    this.consents = consents;
    this.protections = protections;
    this.journal = journal;
    this.held = held;
    this.door = door;
    this.clock = clock;
  }

  /** A consent or a block. {@code subject} is the identity number; it is not kept. */
  record ConsentRequest(
      @Nullable String subject,
      int expectedVersion,
      ConsentFact.@Nullable State state,
      @Nullable String purpose,
      @Nullable Set<String> recipients,
      @Nullable Set<String> categories,
      @Nullable Instant validFrom,
      @Nullable Instant validTo,
      @Nullable String captured) {
    @Override
    public String toString() {
      return "ConsentRequest";
    }
  }

  record WithdrawalRequest(int expectedVersion, @Nullable String captured) {}

  record ProtectionRequest(
      @Nullable String subject, @Nullable AddressGrade grade, boolean shielded) {
    @Override
    public String toString() {
      return "ProtectionRequest";
    }
  }

  /** What was recorded. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record ConsentAnswer(UUID id, int version, ConsentFact.State state) {}

  private interface Writing {
    NewConsent prepare(java.sql.Connection connection) throws SQLException;
  }

  @PutMapping("/consents/{id}")
  ResponseEntity<Object> give(
      @PathVariable("id") UUID id, @RequestBody ConsentRequest request, HttpServletRequest http) {
    return asKeeper(
        http,
        keeper -> {
          Optional<Pseudonym> subject = subject(request.subject());
          if (subject.isEmpty()) {
            return invalidNumber();
          }
          NewConsent consent =
              new NewConsent(
                  id,
                  request.expectedVersion(),
                  subject.get(),
                  request.state() == null ? ConsentFact.State.GIVEN : request.state(),
                  request.purpose() == null ? "" : request.purpose(),
                  request.recipients() == null ? Set.of() : request.recipients(),
                  request.categories() == null ? Set.of() : request.categories(),
                  request.validFrom() == null ? clock.instant() : request.validFrom(),
                  request.validTo(),
                  request.captured() == null ? "" : request.captured());
          return record(id, keeper, connection -> consent);
        });
  }

  @PostMapping("/consents/{id}/withdrawal")
  ResponseEntity<Object> withdraw(
      @PathVariable("id") UUID id,
      @RequestBody WithdrawalRequest request,
      HttpServletRequest http) {
    return asKeeper(
        http,
        keeper ->
            record(
                id,
                keeper,
                connection ->
                    consents.withdrawal(
                        connection,
                        id,
                        request.expectedVersion(),
                        request.captured() == null ? "" : request.captured())));
  }

  @PutMapping("/protection")
  ResponseEntity<Object> protect(@RequestBody ProtectionRequest request, HttpServletRequest http) {
    return asKeeper(
        http,
        keeper -> {
          Optional<Pseudonym> subject = subject(request.subject());
          if (subject.isEmpty()) {
            return invalidNumber();
          }
          try {
            protections.put(
                subject.get(),
                new Protection(
                    request.grade() == null ? AddressGrade.UGRADERT : request.grade(),
                    request.shielded()));
          } catch (SQLException e) {
            throw new GateShutException(e);
          }
          // The class of protection is not entered: who reads the ledger may not know it.
          journal
              .enter(List.of(entry(Station.ADMIN, PROTECTION, keeper, subject.get(), "SET", null)))
              .join();
          held.reconsider(subject.get());
          return door.settled(subject.get(), LONGEST_HAND_OVER)
              ? ResponseEntity.noContent().build()
              : ResponseEntity.accepted().build();
        });
  }

  private ResponseEntity<Object> record(UUID id, OrganisationNumber keeper, Writing writing) {
    AtomicReference<ConsentRegistry.@Nullable Change> made = new AtomicReference<>();
    try {
      journal
          .write(
              (connection, next) -> {
                NewConsent consent = writing.prepare(connection);
                ConsentRegistry.Change change = consents.write(connection, consent);
                made.set(change);
                return change.changed()
                    ? Journal.Written.of(
                        entry(
                            Station.CONSENT,
                            CONSENT,
                            keeper,
                            change.subject(),
                            change.fact().state().name(),
                            id + "@" + change.fact().version()))
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
    ConsentRegistry.Change change = java.util.Objects.requireNonNull(made.get());
    consents.committed(change);
    boolean settled = door.settled(change.subject(), LONGEST_HAND_OVER);
    return ResponseEntity.status(settled ? HttpStatus.OK : HttpStatus.ACCEPTED)
        .body(new ConsentAnswer(id, change.fact().version(), change.fact().state()));
  }

  private AuditEntry entry(
      Station station,
      String exchange,
      OrganisationNumber keeper,
      Pseudonym subject,
      String outcome,
      @Nullable String consent) {
    return new AuditEntry(
        clock.instant(),
        station,
        exchange,
        keeper.value(),
        null,
        subject,
        null,
        null,
        outcome,
        outcome,
        List.of(),
        null,
        consent == null ? List.of() : List.of(consent),
        null,
        null,
        List.of(),
        List.of(),
        null,
        null,
        null);
  }

  private Optional<Pseudonym> subject(@Nullable String number) {
    return number == null ? Optional.empty() : callers.person(number);
  }

  private static ResponseEntity<Object> invalidNumber() {
    return Problems.of(
        HttpStatus.UNPROCESSABLE_ENTITY,
        ReasonCode.INVALID_IDENTITY_NUMBER,
        "subject is not a number that is accepted here");
  }

  private interface Act {
    ResponseEntity<Object> by(OrganisationNumber keeper);
  }

  private ResponseEntity<Object> asKeeper(HttpServletRequest http, Act act) {
    switch (callers.check(http, callers.keeperScope())) {
      case TokenCheck.Rejected rejected -> {
        return Problems.rejected(rejected);
      }
      case TokenCheck.Accepted token -> {
        return act(act, token.consumer());
      }
    }
  }

  private static ResponseEntity<Object> act(Act act, OrganisationNumber keeper) {
    try {
      return act.by(keeper);
    } catch (CompletionException | GateShutException e) {
      Throwable cause = e instanceof CompletionException ? e.getCause() : e;
      if (cause instanceof ConsentConflictException conflict) {
        return Problems.of(
            HttpStatus.CONFLICT,
            ReasonCode.MESSAGE_ID_REUSED,
            String.valueOf(conflict.getMessage()));
      }
      return Problems.of(
          HttpStatus.SERVICE_UNAVAILABLE,
          ReasonCode.GATE_SHUT,
          "Nothing was recorded. Send the same request again later");
    } catch (IllegalArgumentException e) {
      return Problems.of(
          HttpStatus.UNPROCESSABLE_ENTITY,
          ReasonCode.SCHEMA_VIOLATION,
          String.valueOf(e.getMessage()));
    }
  }
}
