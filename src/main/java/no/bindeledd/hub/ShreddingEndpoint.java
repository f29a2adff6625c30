package no.bindeledd.hub;

import jakarta.servlet.http.HttpServletRequest;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Shredder;
import no.bindeledd.gate.Forgetting;
import no.bindeledd.gate.Journal;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.reading.EntryIndex;
import no.bindeledd.reading.EntrySearch;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code POST /audit/shredding} with an identity number: nothing in the ledger can be linked to
 * that person any more, and every proof still holds. Itself in the ledger. Cannot be undone.
 */
@RestController
final class ShreddingEndpoint {
  private final AuditAccess access;
  private final Callers callers;
  private final Journal journal;

  ShreddingEndpoint(AuditAccess access, Callers callers, Journal journal) {
    this.access = access;
    this.callers = callers;
    this.journal = journal;
  }

  /** The identity number is not kept. */
  record Request(@Nullable String subject) {
    @Override
    public String toString() {
      return "Request";
    }
  }

  @PostMapping("/audit/shredding")
  ResponseEntity<Object> shred(@RequestBody Request request, HttpServletRequest http) {
    return access.as(
        AuditAccess.Right.SHRED,
        http,
        reader -> {
          Optional<Pseudonym> subject =
              request.subject() == null ? Optional.empty() : callers.person(request.subject());
          return subject.isEmpty()
              ? Problems.plain(
                  HttpStatus.BAD_REQUEST, "subject is no identity number that is accepted here")
              : ResponseEntity.ok(Map.of("entries", shred(subject.get(), reader)));
        });
  }

  private int shred(Pseudonym subject, AuditAccess.Reader by) {
    AtomicInteger entries = new AtomicInteger();
    journal
        .write(
            (connection, nextIndex) -> {
              List<Long> about =
                  EntrySearch.about(connection, subject).stream()
                      .map(AuditReader.Found::index)
                      .toList();
              Forgetting.person(connection, subject);
              Shredder.Shredding done =
                  Shredder.subject(
                      connection, subject, about, nextIndex, by.now(), by.organisation());
              if (done == null) {
                entries.set(0);
                return new Journal.Written(List.of(), List.of());
              }
              EntryIndex.forget(connection, done.links());
              entries.set(done.links().size());
              return Journal.Written.of(done.entry());
            })
        .join();
    return entries.get();
  }
}
