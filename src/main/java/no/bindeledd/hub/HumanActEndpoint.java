package no.bindeledd.hub;

import jakarta.servlet.http.HttpServletRequest;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import no.bindeledd.channel.TokenCheck;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.GateShutException;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.HumanAct;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * Where a sender's people do what only people may: sign a message that is held, settle by two what
 * the rules leave open, break the glass; and review afterwards. Needs a token with the scope {@code
 * bindeledd:acts} of the organisation that sent, or would send, the message. Each act is in the
 * ledger in the same transaction, without names.
 *
 * <p>{@code PUT /api/acts/<uuid>}, {@code POST /api/acts/<uuid>/confirmation}, {@code POST
 * /api/acts/<uuid>/review}, {@code GET /api/acts/unreviewed}. Repeating a request is harmless.
 */
@RestController
final class HumanActEndpoint {
  private static final String SCOPE = "bindeledd:acts";

  /** A signature is about one message, which may take days to get through. */
  private static final Duration SIGNED_FOR = Duration.ofDays(30);

  private static final Duration GLASS_BROKEN_FOR = Duration.ofHours(1);

  private final Callers callers;
  private final HumanActs acts;
  private final DataSource database;
  private final Catalogue catalogue;
  private final Journal journal;
  private final HeldMessages held;
  private final InstantSource clock;

  HumanActEndpoint(
      Callers callers,
      HumanActs acts,
      DataSource database,
      Catalogue catalogue,
      Journal journal,
      HeldMessages held,
      InstantSource clock) {
    this.callers = callers;
    this.acts = acts;
    this.database = database;
    this.catalogue = catalogue;
    this.journal = journal;
    this.held = held;
    this.clock = clock;
  }

  /** A person and why: the person's id at the organisation, the name, and a reason. */
  record Person(@Nullable String id, @Nullable String name, @Nullable String reason) {
    HumanActs.Actor actor() {
      if (isBlank(id) || isBlank(name) || isBlank(reason)) {
        throw new IllegalArgumentException(
            "person needs id, name and reason: a named person acts, and says why");
      }
      return new HumanActs.Actor(
          Objects.requireNonNull(id), Objects.requireNonNull(name), Objects.requireNonNull(reason));
    }

    private static boolean isBlank(@Nullable String text) {
      return text == null || text.isBlank();
    }

    @Override
    public String toString() {
      return "Person";
    }
  }

  /**
   * An act. Either {@code ledgerEntry}, the number in the receipt of the held message, or (to break
   * the glass for a question) {@code subject}, {@code exchange} and {@code recipient}.
   */
  record ActRequest(
      HumanAct.@Nullable Kind kind,
      @Nullable Long ledgerEntry,
      @Nullable String subject,
      @Nullable String exchange,
      @Nullable String recipient,
      @Nullable Person person) {
    @Override
    public String toString() {
      return "ActRequest";
    }
  }

  record PersonRequest(@Nullable Person person) {
    @Override
    public String toString() {
      return "PersonRequest";
    }
  }

  /** What an act is about. */
  private record About(
      Pseudonym subject, String exchange, OrganisationNumber receiver, byte @Nullable [] message) {}

  private static final class Unknown extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Unknown(String message) {
      super(message);
    }
  }

  @PutMapping("/api/acts/{id}")
  ResponseEntity<Object> act(
      @PathVariable("id") UUID id, @RequestBody ActRequest request, HttpServletRequest http) {
    return as(
        http,
        organisation -> {
          HumanAct.Kind kind = request.kind();
          if (kind == null || request.person() == null) {
            throw new IllegalArgumentException("kind and person are needed");
          }
          HumanActs.Actor actor = request.person().actor();
          About about = about(organisation, kind, request);
          Instant now = clock.instant();
          HumanActs.Kept kept =
              new HumanActs.Kept(
                  new HumanAct(
                      id.toString(),
                      kind,
                      1,
                      now,
                      now.plus(kind == HumanAct.Kind.BREAK_GLASS ? GLASS_BROKEN_FOR : SIGNED_FOR)),
                  about.subject(),
                  about.exchange(),
                  about.receiver(),
                  about.message(),
                  organisation,
                  List.of(actor));
          write(
              (connection, next) -> {
                if (acts.insert(connection, kept)) {
                  return Journal.Written.of(entry(kept, kind.name()));
                }
                HumanActs.Kept before = acts.find(connection, id).orElseThrow();
                boolean same =
                    before.act().kind() == kind
                        && before.organisation().equals(organisation)
                        && before.subject().equals(about.subject())
                        && before.actors().getFirst().equals(actor);
                if (!same) {
                  throw new IllegalArgumentException(
                      "The id is in use for another act; choose a new id");
                }
                return new Journal.Written(List.of(), List.of());
              });
          return done(kept);
        });
  }

  @PostMapping("/api/acts/{id}/confirmation")
  ResponseEntity<Object> confirm(
      @PathVariable("id") UUID id, @RequestBody PersonRequest request, HttpServletRequest http) {
    return as(
        http,
        organisation -> {
          HumanActs.Actor actor = actor(request);
          AtomicReference<HumanActs.@Nullable Kept> found = new AtomicReference<>();
          write(
              (connection, next) -> {
                HumanActs.Kept kept = own(connection, id, organisation);
                found.set(kept);
                if (kept.act().kind() != HumanAct.Kind.OVERRIDE) {
                  throw new IllegalArgumentException(
                      "Only an OVERRIDE is confirmed by a second person");
                }
                HumanActs.Actor first = kept.actors().getFirst();
                if (first.id().equals(actor.id())) {
                  throw new IllegalArgumentException(
                      "The same person cannot be both; a second person confirms");
                }
                if (kept.act().people() > 1) {
                  return new Journal.Written(List.of(), List.of());
                }
                acts.confirm(connection, kept, actor);
                return Journal.Written.of(entry(kept, "OVERRIDE_CONFIRMED"));
              });
          return done(Objects.requireNonNull(found.get()));
        });
  }

  @PostMapping("/api/acts/{id}/review")
  ResponseEntity<Object> review(
      @PathVariable("id") UUID id, @RequestBody PersonRequest request, HttpServletRequest http) {
    return as(
        http,
        organisation -> {
          HumanActs.Actor reviewer = actor(request);
          write(
              (connection, next) -> {
                HumanActs.Kept kept = own(connection, id, organisation);
                if (kept.actors().stream().anyMatch(a -> a.id().equals(reviewer.id()))) {
                  throw new IllegalArgumentException(
                      "Nobody reviews an act of their own; another person reviews it");
                }
                return acts.review(connection, id, reviewer)
                    ? Journal.Written.of(entry(kept, "REVIEWED"))
                    : new Journal.Written(List.of(), List.of());
              });
          return ResponseEntity.noContent().build();
        });
  }

  @GetMapping("/api/acts/unreviewed")
  ResponseEntity<Object> unreviewed(HttpServletRequest http) {
    return as(
        http,
        organisation -> {
          try {
            return ResponseEntity.ok(
                Map.of(
                    "acts",
                    acts.unreviewed(organisation).stream()
                        .map(
                            kept ->
                                Map.of(
                                    "id", kept.act().id(),
                                    "exchange", kept.exchange(),
                                    "recipient", kept.receiver().value(),
                                    "at", kept.act().from().toString(),
                                    "person", kept.actors().getFirst().name(),
                                    "reason", kept.actors().getFirst().reason()))
                        .toList()));
          } catch (SQLException e) {
            throw new GateShutException(e);
          }
        });
  }

  private static HumanActs.Actor actor(PersonRequest request) {
    if (request.person() == null) {
      throw new IllegalArgumentException("person is needed");
    }
    return request.person().actor();
  }

  private HumanActs.Kept own(Connection connection, UUID id, OrganisationNumber organisation)
      throws SQLException {
    return acts.find(connection, id)
        .filter(kept -> kept.organisation().equals(organisation))
        .orElseThrow(() -> new Unknown("This organisation has no act with this id"));
  }

  private About about(OrganisationNumber organisation, HumanAct.Kind kind, ActRequest request) {
    if (request.ledgerEntry() != null) {
      return heldMessage(organisation, request.ledgerEntry());
    }
    String recipient = request.recipient();
    if (kind != HumanAct.Kind.BREAK_GLASS
        || request.subject() == null
        || request.exchange() == null
        || recipient == null) {
      throw new IllegalArgumentException(
          "ledgerEntry is missing: the number in the receipt of the message that is held. Only to"
              + " break the glass may subject, exchange and recipient stand instead");
    }
    Pseudonym subject =
        callers
            .person(request.subject())
            .orElseThrow(
                () -> new IllegalArgumentException("subject is not a number accepted here"));
    Contract contract =
        contract(request.exchange())
            .filter(c -> isParty(c, organisation))
            .orElseThrow(() -> new Unknown("There is no such exchange for this organisation"));
    // For a question the one who answers gives the information, and the asker receives it.
    OrganisationNumber receiver =
        contract
            .recipient(recipient)
            .map(Contract.Recipient::organisation)
            .or(
                () ->
                    contract.sender(recipient).stream()
                        .flatMap(s -> s.organisations().stream())
                        .findFirst())
            .orElseThrow(() -> new Unknown("There is no such recipient in the exchange"));
    return new About(subject, contract.id(), receiver, null);
  }

  private static boolean isParty(Contract contract, OrganisationNumber organisation) {
    return contract.from().stream().anyMatch(s -> s.organisations().contains(organisation))
        || contract.to().stream().anyMatch(r -> r.organisation().equals(organisation));
  }

  private Optional<Contract> contract(String id) {
    return catalogue.current().exchange(id).map(LiveExchange::contract);
  }

  private About heldMessage(OrganisationNumber organisation, long entry) {
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT h.key, h.exchange, h.recipient, h.subject FROM held h JOIN envelope e"
                    + " ON e.key = h.key WHERE e.entry = ? AND h.sender = ?")) {
      select.setLong(1, entry);
      select.setString(2, organisation.value());
      try (ResultSet row = select.executeQuery()) {
        if (!row.next() || row.getBytes(4) == null) {
          throw new Unknown("This organisation has no held message with this ledger entry");
        }
        String recipient = row.getString(3);
        OrganisationNumber receiver =
            contract(row.getString(2))
                .flatMap(c -> c.recipient(recipient))
                .map(Contract.Recipient::organisation)
                .orElseThrow(() -> new Unknown("The recipient is no longer in the contract"));
        return new About(
            Pseudonym.of(row.getBytes(4)), row.getString(2), receiver, row.getBytes(1));
      }
    } catch (SQLException e) {
      throw new GateShutException(e);
    }
  }

  private void write(Journal.Work work) {
    journal.write(work).join();
    acts.reread();
  }

  private ResponseEntity<Object> done(HumanActs.Kept kept) {
    held.reconsider(kept.subject());
    return ResponseEntity.ok(Map.of("id", kept.act().id(), "until", kept.act().to().toString()));
  }

  private AuditEntry entry(HumanActs.Kept kept, String what) {
    byte[] message = kept.message();
    return AuditEntry.plain(
            clock.instant(),
            Station.ADMIN,
            kept.exchange(),
            kept.organisation().value(),
            kept.receiver().value(),
            kept.subject(),
            message == null ? null : java.util.HexFormat.of().formatHex(message),
            null,
            what,
            what,
            null)
        .withConsents(List.of(kept.act().reference()));
  }

  private interface Doing {
    ResponseEntity<Object> by(OrganisationNumber organisation);
  }

  private ResponseEntity<Object> as(HttpServletRequest http, Doing doing) {
    return switch (callers.check(http, SCOPE)) {
      case TokenCheck.Rejected rejected -> Problems.rejected(rejected);
      case TokenCheck.Accepted token -> answer(doing, token.consumer());
    };
  }

  private static ResponseEntity<Object> answer(Doing doing, OrganisationNumber organisation) {
    try {
      return doing.by(organisation);
    } catch (CompletionException | GateShutException | IllegalArgumentException | Unknown e) {
      Throwable cause = e instanceof CompletionException ? e.getCause() : e;
      if (cause instanceof Unknown) {
        return Problems.plain(HttpStatus.NOT_FOUND, String.valueOf(cause.getMessage()));
      }
      return cause instanceof IllegalArgumentException
          ? Problems.of(
              HttpStatus.UNPROCESSABLE_ENTITY,
              ReasonCode.SCHEMA_VIOLATION,
              String.valueOf(cause.getMessage()))
          : Problems.of(
              HttpStatus.SERVICE_UNAVAILABLE,
              ReasonCode.GATE_SHUT,
              "Nothing was recorded. Send the same request again later");
    }
  }
}
