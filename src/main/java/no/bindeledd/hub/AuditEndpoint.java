package no.bindeledd.hub;

import com.fasterxml.jackson.annotation.JsonInclude;
import jakarta.servlet.http.HttpServletRequest;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.reading.EntryQuery;
import no.bindeledd.reading.EntrySearch;
import no.bindeledd.reading.EntryView;
import no.bindeledd.reading.Place;
import no.bindeledd.reading.ReadRecord;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * Queries on the audit trail. {@code GET /audit/entries} takes the parameters of {@link EntryQuery}
 * but the subject, and {@code limit} and {@code before}; {@code POST /audit/entries/search} takes
 * the same as JSON, and {@code subject}: an identity number, which never stands in an address.
 *
 * <p>With the scope {@code bindeledd:audit.read} entries come without subjects; with {@code
 * bindeledd:audit.subjects} also with them. Each answer is recorded before it leaves.
 */
@RestController
final class AuditEndpoint {
  private static final int USUAL_LIMIT = 100;
  private static final Set<String> PARAMETERS =
      Set.of(
          "message",
          "trace",
          "organisation",
          "exchange",
          "outcome",
          "rule",
          "from",
          "to",
          "limit",
          "before");

  private final AuditAccess access;
  private final EntrySearch search;

  AuditEndpoint(AuditAccess access, EntrySearch search) {
    this.access = access;
    this.search = search;
  }

  /** As the parameters of the GET, and an identity number that is not kept. */
  record Search(
      @Nullable String subject,
      @Nullable String message,
      @Nullable String trace,
      @Nullable String organisation,
      @Nullable String exchange,
      @Nullable String outcome,
      @Nullable String rule,
      @Nullable String from,
      @Nullable String to,
      @Nullable String limit,
      @Nullable String before) {
    @Override
    public String toString() {
      return "Search";
    }

    EntryQuery query() {
      return new EntryQuery(
          null,
          message,
          trace,
          organisation,
          exchange,
          outcome,
          rule,
          AuditAccess.instant(from, "from"),
          AuditAccess.instant(to, "to"));
    }
  }

  /**
   * A page of entries, newest first.
   *
   * @param before give this for the next, older page; absent on the last
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  record Answer(List<EntryView> entries, @Nullable String before) {}

  @GetMapping("/audit/entries")
  ResponseEntity<Object> list(
      @RequestParam Map<String, String> parameters, HttpServletRequest http) {
    return access.as(
        AuditAccess.Right.READ,
        http,
        reader -> {
          AuditAccess.requireOnly(parameters, PARAMETERS);
          Search asked =
              new Search(
                  null,
                  parameters.get("message"),
                  parameters.get("trace"),
                  parameters.get("organisation"),
                  parameters.get("exchange"),
                  parameters.get("outcome"),
                  parameters.get("rule"),
                  parameters.get("from"),
                  parameters.get("to"),
                  parameters.get("limit"),
                  parameters.get("before"));
          return answer(reader, asked, asked.query());
        });
  }

  @PostMapping("/audit/entries/search")
  ResponseEntity<Object> search(@RequestBody Search asked, HttpServletRequest http) {
    AuditAccess.Right right =
        asked.subject() == null ? AuditAccess.Right.READ : AuditAccess.Right.SUBJECTS;
    return access.as(
        right,
        http,
        reader -> {
          if (asked.subject() == null) {
            return answer(reader, asked, asked.query());
          }
          Optional<Pseudonym> subject = access.person(asked.subject());
          return subject.isEmpty()
              ? Problems.of(
                  HttpStatus.UNPROCESSABLE_ENTITY,
                  ReasonCode.INVALID_IDENTITY_NUMBER,
                  "subject is not a number that is accepted here")
              : answer(reader, asked, asked.query().about(subject.get()));
        });
  }

  private ResponseEntity<Object> answer(AuditAccess.Reader reader, Search asked, EntryQuery query)
      throws SQLException {
    Long limit = AuditAccess.whole(asked.limit(), "limit");
    EntrySearch.Page page =
        search.search(
            query,
            AuditAccess.place(asked.before(), "before"),
            limit == null ? USUAL_LIMIT : (int) Math.clamp(limit, 0, Integer.MAX_VALUE));
    boolean withSubjects = reader.may(AuditAccess.Right.SUBJECTS);
    reader.record(
        withSubjects ? ReadRecord.Kind.SUBJECTS_READ : ReadRecord.Kind.METADATA_READ,
        query.subject(),
        query.described(),
        page.entries().size());
    Place before = page.before();
    return ResponseEntity.ok(
        new Answer(EntryView.of(page, withSubjects), before == null ? null : before.toString()));
  }
}
