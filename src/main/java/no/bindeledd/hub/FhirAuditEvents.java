package no.bindeledd.hub;

import ca.uhn.fhir.rest.annotation.Count;
import ca.uhn.fhir.rest.annotation.IdParam;
import ca.uhn.fhir.rest.annotation.OptionalParam;
import ca.uhn.fhir.rest.annotation.Read;
import ca.uhn.fhir.rest.annotation.Search;
import ca.uhn.fhir.rest.param.DateRangeParam;
import ca.uhn.fhir.rest.param.ReferenceParam;
import ca.uhn.fhir.rest.param.StringParam;
import ca.uhn.fhir.rest.param.TokenParam;
import ca.uhn.fhir.rest.server.IResourceProvider;
import ca.uhn.fhir.rest.server.exceptions.AuthenticationException;
import ca.uhn.fhir.rest.server.exceptions.BaseServerResponseException;
import ca.uhn.fhir.rest.server.exceptions.ForbiddenOperationException;
import ca.uhn.fhir.rest.server.exceptions.InvalidRequestException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import ca.uhn.fhir.rest.server.exceptions.UnclassifiedServerFailureException;
import jakarta.servlet.http.HttpServletRequest;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.reading.AuditEvents;
import no.bindeledd.reading.EntryQuery;
import no.bindeledd.reading.EntrySearch;
import no.bindeledd.reading.Place;
import no.bindeledd.reading.ReadRecord;
import org.hl7.fhir.r4.model.AuditEvent;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.OperationOutcome;
import org.jspecify.annotations.Nullable;
import org.springframework.http.ResponseEntity;
import org.springframework.stereotype.Component;

/**
 * {@code AuditEvent} of the FHIR server: read by the entry's index, search by patient, date and
 * agent, newest first. Needs the scope {@code bindeledd:audit.subjects}; each answer is recorded
 * before it leaves.
 *
 * <p>{@code patient.identifier} takes {@code urn:bindeledd:pseudonym|…}; an identity number only in
 * the body of {@code POST AuditEvent/_search}. {@code agent.identifier} takes an organisation
 * number. A page that is not the last has a link to the next.
 */
@Component
final class FhirAuditEvents implements IResourceProvider {
  private static final int USUAL = 100;
  private static final int MOST = 500;

  /** Entries looked through for one page; the link goes on from there. */
  private static final int LOOKED_THROUGH = 20_000;

  private final AuditAccess access;
  private final EntrySearch search;
  private final DataSource database;
  private final String origin;

  FhirAuditEvents(
      AuditAccess access, EntrySearch search, DataSource database, HubSettings settings) {
    this.access = access;
    this.search = search;
    this.database = database;
    this.origin = settings.origin();
  }

  @Override
  public Class<AuditEvent> getResourceType() {
    return AuditEvent.class;
  }

  @Read
  public AuditEvent read(@IdParam IdType id, HttpServletRequest http) {
    return as(
        http,
        reader -> {
          Long index = id.isIdPartValidLong() ? id.getIdPartAsLong() : null;
          Optional<AuditEvent> event = Optional.empty();
          if (index != null) {
            try (Connection connection = database.getConnection()) {
              event =
                  AuditReader.at(connection, List.of(index)).stream()
                      .findFirst()
                      .flatMap(found -> AuditEvents.of(index, found.entry(), origin));
            }
          }
          reader.record(
              ReadRecord.Kind.SUBJECTS_READ,
              null,
              "one FHIR AuditEvent",
              event.isPresent() ? 1 : 0);
          return event.orElseThrow(() -> told(new ResourceNotFoundException("None"), "No such"));
        });
  }

  /**
   * @param before as the link to the next page has it
   */
  @Search
  public Bundle search(
      @OptionalParam(name = "patient", chainWhitelist = "identifier")
          @Nullable ReferenceParam patient,
      @OptionalParam(name = "agent", chainWhitelist = "identifier") @Nullable ReferenceParam agent,
      @OptionalParam(name = "date") @Nullable DateRangeParam date,
      @OptionalParam(name = "_before") @Nullable StringParam before,
      @Count @Nullable Integer count,
      HttpServletRequest http) {
    return as(
        http,
        reader -> {
          Pseudonym person = patient == null ? null : person(patient, http);
          EntryQuery query =
              new EntryQuery(
                  person,
                  null,
                  null,
                  agent == null ? null : identifier(agent).getValue(),
                  null,
                  null,
                  null,
                  date == null ? null : instant(date.getLowerBoundAsInstant(), 0),
                  date == null ? null : instant(date.getUpperBoundAsInstant(), 1));
          int wanted = count == null ? USUAL : Math.clamp(count, 1, MOST);
          Place from = before == null ? null : AuditAccess.place(before.getValue(), "_before");
          Bundle bundle = page(query, from, wanted);
          reader.record(
              ReadRecord.Kind.SUBJECTS_READ,
              person,
              "FHIR AuditEvents, " + query.described(),
              bundle.getEntry().size());
          return bundle;
        });
  }

  private Bundle page(EntryQuery query, @Nullable Place from, int wanted) throws SQLException {
    List<AuditEvent> events = new ArrayList<>();
    Place before = from;
    int looked = 0;
    do {
      EntrySearch.Page page = search.search(query, before, EntrySearch.MAX_LIMIT);
      before = page.before();
      looked += page.entries().size();
      for (int i = 0; i < page.entries().size(); i++) {
        AuditReader.Found found = page.entries().get(i);
        Optional<AuditEvent> event = AuditEvents.of(found.index(), found.entry(), origin);
        if (event.isPresent() && events.size() == wanted) {
          return bundle(events, query, page.behind(i));
        }
        event.ifPresent(events::add);
      }
    } while (before != null && looked < LOOKED_THROUGH);
    return bundle(events, query, before);
  }

  private static Bundle bundle(List<AuditEvent> events, EntryQuery query, @Nullable Place before) {
    Bundle bundle = new Bundle();
    bundle.setType(Bundle.BundleType.SEARCHSET);
    for (AuditEvent event : events) {
      bundle
          .addEntry()
          .setResource(event)
          .setFullUrl("urn:bindeledd:entry:" + event.getIdElement().getIdPart())
          .getSearch()
          .setMode(Bundle.SearchEntryMode.MATCH);
    }
    if (before != null) {
      StringBuilder next = new StringBuilder("AuditEvent?_before=").append(before);
      if (query.subject() != null) {
        next.append("&patient.identifier=").append(AuditEvents.PSEUDONYMS).append("%7C");
        next.append(query.subject().value());
      }
      if (query.organisation() != null) {
        next.append("&agent.identifier=").append(AuditEvents.ORGANISATIONS).append("%7C");
        next.append(query.organisation());
      }
      if (query.from() != null) {
        next.append("&date=ge").append(query.from());
      }
      if (query.to() != null) {
        next.append("&date=lt").append(query.to());
      }
      bundle.addLink().setRelation("next").setUrl(next.toString());
    }
    return bundle;
  }

  /** A pseudonym, or in a body an identity number. */
  private Pseudonym person(ReferenceParam patient, HttpServletRequest http) {
    TokenParam identifier = identifier(patient);
    String value = identifier.getValue();
    if (AuditEvents.PSEUDONYMS.equals(identifier.getSystem())) {
      return new Pseudonym(value);
    }
    boolean inBody = http.getMethod().equals("POST") && http.getQueryString() == null;
    Optional<Pseudonym> person = inBody ? access.person(value) : Optional.empty();
    return person.orElseThrow(
        () ->
            new IllegalArgumentException(
                "patient.identifier is "
                    + AuditEvents.PSEUDONYMS
                    + "| and a pseudonym; an identity number only in the body of POST _search"));
  }

  private static TokenParam identifier(ReferenceParam reference) {
    if (!"identifier".equals(reference.getChain())) {
      throw new IllegalArgumentException("Search by patient.identifier and agent.identifier");
    }
    String value = reference.getValue();
    int bar = value.indexOf('|');
    return new TokenParam(bar < 0 ? null : value.substring(0, bar), value.substring(bar + 1));
  }

  /** FHIR's upper bound is included, the query's is not. */
  private static @Nullable Instant instant(@Nullable Date date, long more) {
    return date == null ? null : date.toInstant().plusMillis(more);
  }

  private interface Act<T> {
    T by(AuditAccess.Reader reader) throws SQLException;
  }

  private <T> T as(HttpServletRequest http, Act<T> act) {
    List<T> result = new ArrayList<>(1);
    ResponseEntity<Object> answer =
        access.as(
            AuditAccess.Right.SUBJECTS,
            http,
            reader -> {
              result.add(act.by(reader));
              return ResponseEntity.ok().build();
            });
    if (result.isEmpty()) {
      throw refused(answer.getStatusCode().value());
    }
    return result.getFirst();
  }

  private static BaseServerResponseException refused(int status) {
    return switch (status) {
      case 401 -> told(new AuthenticationException("Refused"), "Send an access token");
      case 403 -> told(new ForbiddenOperationException("Refused"), "The token lacks the scope");
      case 400 ->
          told(
              new InvalidRequestException("Refused"),
              "Search by patient.identifier, agent.identifier and date");
      default ->
          told(
              new UnclassifiedServerFailureException(status, "Refused"),
              "The audit trail cannot be read and the reading recorded now");
    };
  }

  private static <E extends BaseServerResponseException> E told(E failure, String diagnostics) {
    OperationOutcome outcome = new OperationOutcome();
    outcome
        .addIssue()
        .setSeverity(OperationOutcome.IssueSeverity.ERROR)
        .setCode(OperationOutcome.IssueType.PROCESSING)
        .setDiagnostics(diagnostics);
    failure.setOperationOutcome(outcome);
    return failure;
  }
}
