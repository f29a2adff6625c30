package no.bindeledd.hub;

import com.fasterxml.jackson.annotation.JsonInclude;
import jakarta.servlet.http.HttpServletRequest;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import no.bindeledd.consent.Captured;
import no.bindeledd.consent.Consent;
import no.bindeledd.consent.ConsentRegistry;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact.Kind;
import no.bindeledd.policy.ConsentFact.State;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;

/**
 * Where those who keep consents tell the hub about them, and read them back. Needs a token with the
 * keeper's scope. Each change is entered in the ledger in the same transaction as it is made, each
 * reading before it is answered.
 *
 * <p>Versions are ETags: {@code If-None-Match: *} goes with what is new, {@code If-Match} with what
 * is changed. Repeating a request is harmless and has the first answer; another version answers
 * 412, another use of the id 409.
 *
 * <p>200 means that nothing about the person leaves any more on the old facts. 202 means that the
 * change is recorded and bites, but a hand-over that had begun before it has not ended within ten
 * seconds, because a recipient hangs.
 */
@RestController
final class KeeperEndpoint {
  private final Keepers keepers;
  private final ConsentKeeping keeping;
  private final ConsentRegistry consents;
  private final Deliveries deliveries;
  private final InstantSource clock;

  KeeperEndpoint(
      Keepers keepers,
      ConsentKeeping keeping,
      ConsentRegistry consents,
      Deliveries deliveries,
      InstantSource clock) {
    this.keepers = keepers;
    this.keeping = keeping;
    this.consents = consents;
    this.deliveries = deliveries;
    this.clock = clock;
  }

  /** Who stands behind it. {@code guardians} are identity numbers; they are not kept. */
  record GrantorsRequest(boolean person, @Nullable Set<String> guardians) {
    @Override
    public String toString() {
      return "GrantorsRequest";
    }
  }

  /** A consent or a block. {@code subject} is the identity number; it is not kept. */
  record ConsentRequest(
      @Nullable String subject,
      @Nullable Kind kind,
      @Nullable State state,
      @Nullable GrantorsRequest grantors,
      @Nullable String purpose,
      @Nullable Set<String> sources,
      @Nullable Set<String> recipients,
      @Nullable Set<String> categories,
      @Nullable String textVersion,
      @Nullable Instant validFrom,
      @Nullable Instant validTo,
      @Nullable Captured captured) {
    @Override
    public String toString() {
      return "ConsentRequest";
    }
  }

  /** {@code subject} is the identity number: those who received something must be told whose. */
  record WithdrawalRequest(@Nullable String subject, @Nullable Captured captured) {
    @Override
    public String toString() {
      return "WithdrawalRequest";
    }
  }

  record SearchRequest(@Nullable String subject) {
    @Override
    public String toString() {
      return "SearchRequest";
    }
  }

  /** What was recorded. */
  record ConsentAnswer(UUID id, int version, State state) {
    static ConsentAnswer of(Consent consent) {
      return new ConsentAnswer(consent.id(), consent.version(), consent.state());
    }
  }

  /** How many guardians, not who. */
  record GrantorsView(boolean person, int guardians) {}

  /** A consent as it is read back: everything but who it is about. */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record ConsentView(
      UUID id,
      int version,
      Kind kind,
      State state,
      GrantorsView grantors,
      String purpose,
      Set<String> sources,
      Set<String> recipients,
      Set<String> categories,
      @Nullable String textVersion,
      Instant validFrom,
      @Nullable Instant validTo,
      Captured captured,
      @Nullable Instant recordedAt) {
    static ConsentView of(Consent consent, @Nullable Instant recordedAt) {
      return new ConsentView(
          consent.id(),
          consent.version(),
          consent.kind(),
          consent.state(),
          new GrantorsView(consent.grantors().person(), consent.grantors().guardians().size()),
          consent.purpose(),
          consent.sources(),
          consent.recipients(),
          consent.categories(),
          consent.textVersion(),
          consent.validFrom(),
          consent.validTo(),
          consent.captured(),
          recordedAt);
    }
  }

  @PutMapping("/consents/{id}")
  ResponseEntity<Object> give(
      @PathVariable("id") UUID id,
      @RequestHeader(name = "If-Match", required = false) @Nullable String ifMatch,
      @RequestHeader(name = "If-None-Match", required = false) @Nullable String ifNoneMatch,
      @RequestBody ConsentRequest request,
      HttpServletRequest http) {
    return keepers.let(
        http,
        keeper -> {
          int version = Keepers.expectedVersion(ifMatch, ifNoneMatch) + 1;
          String number = number(request.subject());
          Pseudonym subject = keepers.person(number, "subject");
          Consent.Grantors grantors = grantors(request.grantors());
          Captured captured = captured(request.captured());
          return answer(
              keeping.record(
                  keeper,
                  number,
                  connection -> {
                    // Repeated without a time of its own, it has the one it got then.
                    Instant validFrom =
                        request.validFrom() != null
                            ? request.validFrom()
                            : consents
                                .recorded(connection, id, version)
                                .map(Consent::validFrom)
                                .orElseGet(clock::instant);
                    return new Consent(
                        id,
                        version,
                        subject,
                        request.kind() == null ? Kind.INFORMATION_SHARING : request.kind(),
                        request.state() == null ? State.GIVEN : request.state(),
                        grantors,
                        request.purpose() == null ? "" : request.purpose(),
                        orEmpty(request.sources()),
                        orEmpty(request.recipients()),
                        orEmpty(request.categories()),
                        request.textVersion(),
                        validFrom,
                        request.validTo(),
                        captured);
                  }));
        });
  }

  private Consent.Grantors grantors(@Nullable GrantorsRequest request) {
    if (request == null) {
      return Consent.Grantors.PERSON;
    }
    Set<Pseudonym> guardians = new HashSet<>();
    for (String number : orEmpty(request.guardians())) {
      guardians.add(keepers.person(number, "grantors.guardians"));
    }
    return new Consent.Grantors(request.person(), guardians);
  }

  private static String number(@Nullable String number) {
    if (number == null) {
      throw new IllegalArgumentException("subject is missing; give the person's identity number");
    }
    return number;
  }

  private static Captured captured(@Nullable Captured captured) {
    if (captured == null) {
      throw new IllegalArgumentException(
          "captured is missing; say how it was given, such as PORTAL or PAPER");
    }
    return captured;
  }

  private static Set<String> orEmpty(@Nullable Set<String> set) {
    return set == null ? Set.of() : set;
  }

  private static ResponseEntity<Object> answer(ConsentKeeping.Done done) {
    return ResponseEntity.status(done.settled() ? HttpStatus.OK : HttpStatus.ACCEPTED)
        .eTag("\"" + done.consent().version() + "\"")
        .body(ConsentAnswer.of(done.consent()));
  }

  @PostMapping("/consents/{id}/withdrawal")
  ResponseEntity<Object> withdraw(
      @PathVariable("id") UUID id,
      @RequestHeader(name = "If-Match", required = false) @Nullable String ifMatch,
      @RequestBody WithdrawalRequest request,
      HttpServletRequest http) {
    return keepers.let(
        http,
        keeper -> {
          int version = Keepers.expectedVersion(ifMatch, null);
          Captured captured = captured(request.captured());
          return answer(
              keeping.record(
                  keeper,
                  number(request.subject()),
                  connection -> consents.withdrawal(connection, id, version, captured)));
        });
  }

  /** The newest version. */
  @GetMapping("/consents/{id}")
  ResponseEntity<Object> read(@PathVariable("id") UUID id, HttpServletRequest http) {
    return keepers.let(
        http,
        keeper -> {
          List<ConsentRegistry.Version> versions = keeping.versions(keeper, id);
          if (versions.isEmpty()) {
            return unknown();
          }
          ConsentRegistry.Version newest = versions.getLast();
          return ResponseEntity.ok()
              .eTag("\"" + newest.consent().version() + "\"")
              .body(ConsentView.of(newest.consent(), newest.recordedAt()));
        });
  }

  /** Every version, the oldest first. */
  @GetMapping("/consents/{id}/versions")
  ResponseEntity<Object> versions(@PathVariable("id") UUID id, HttpServletRequest http) {
    return keepers.let(
        http,
        keeper -> {
          List<ConsentRegistry.Version> versions = keeping.versions(keeper, id);
          return versions.isEmpty()
              ? unknown()
              : ResponseEntity.ok(
                  Map.of(
                      "versions",
                      versions.stream()
                          .map(v -> ConsentView.of(v.consent(), v.recordedAt()))
                          .toList()));
        });
  }

  /** Everything about one person. A body, since an address is logged on its way. */
  @PostMapping("/consents/search")
  ResponseEntity<Object> search(@RequestBody SearchRequest request, HttpServletRequest http) {
    return keepers.let(
        http,
        keeper -> {
          Pseudonym subject = keepers.person(number(request.subject()), "subject");
          return ResponseEntity.ok(
              Map.of(
                  "consents",
                  keeping.about(keeper, subject).stream()
                      .map(consent -> ConsentView.of(consent, null))
                      .toList()));
        });
  }

  /** What was delivered under any version of it, the newest first, and to whom. */
  @GetMapping("/consents/{id}/deliveries")
  ResponseEntity<Object> deliveries(@PathVariable("id") UUID id, HttpServletRequest http) {
    return keepers.let(
        http,
        keeper -> {
          List<ConsentRegistry.Version> versions = keeping.versions(keeper, id);
          return versions.isEmpty()
              ? unknown()
              : ResponseEntity.ok(
                  Map.of("deliveries", deliveries.under(versions.getLast().consent())));
        });
  }

  private static ResponseEntity<Object> unknown() {
    return Problems.plain(HttpStatus.NOT_FOUND, "There is no consent with this id; correct the id");
  }
}
