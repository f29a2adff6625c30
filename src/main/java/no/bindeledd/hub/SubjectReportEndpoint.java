package no.bindeledd.hub;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.util.List;
import java.util.Optional;
import javax.sql.DataSource;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.reading.Glossary;
import no.bindeledd.reading.ReadRecord;
import no.bindeledd.reading.ReportFiles;
import no.bindeledd.reading.SubjectTrail;
import org.jspecify.annotations.Nullable;
import org.springframework.http.HttpStatus;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code POST /audit/subject-report} with {@code {"subject": "<identity number>"}} answers the
 * report to the person concerned (GDPR article 15) as a ZIP archive, with the scope {@code
 * bindeledd:audit.report}. An entry that cannot be proved stops it with 409. Recorded before it
 * leaves, with the person's pseudonym.
 */
@RestController
final class SubjectReportEndpoint {
  private static final MediaType ZIP = new MediaType("application", "zip");

  private final AuditAccess access;
  private final DataSource database;
  private final LogDirectory log;
  private final Catalogue catalogue;
  private final HubSettings settings;

  SubjectReportEndpoint(
      AuditAccess access, DataSource database, Catalogue catalogue, HubSettings settings) {
    this.access = access;
    this.database = database;
    this.log = LogDirectory.of(settings.logs(), settings.origin());
    this.catalogue = catalogue;
    this.settings = settings;
  }

  /** {@code subject} is an identity number; it is not kept. */
  record ReportRequest(@Nullable String subject) {
    @Override
    public String toString() {
      return "ReportRequest";
    }
  }

  @PostMapping("/audit/subject-report")
  ResponseEntity<Object> report(@RequestBody ReportRequest request, HttpServletRequest http) {
    return access.as(
        AuditAccess.Right.REPORT,
        http,
        reader -> {
          Optional<Pseudonym> subject = access.person(request.subject());
          if (subject.isEmpty()) {
            return Problems.of(
                HttpStatus.UNPROCESSABLE_ENTITY,
                ReasonCode.INVALID_IDENTITY_NUMBER,
                "subject is not a number that is accepted here");
          }
          try (Connection connection = database.getConnection()) {
            List<VerifierKey> keys = VerifierKey.ofHouse(settings.secrets());
            SubjectTrail trail = SubjectTrail.read(connection, log, keys, subject.get());
            byte[] archive =
                ReportFiles.zipped(ReportFiles.of(trail, glossary(), keys, reader.now()));
            reader.record(
                ReadRecord.Kind.SUBJECT_REPORT,
                subject.get(),
                "the report to one person, log of " + trail.size() + " entries",
                trail.entries().size());
            return ResponseEntity.ok().contentType(ZIP).body(archive);
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private Glossary glossary() {
    return AuditWords.glossary(
        new ExchangeFolders(settings.home()),
        catalogue.current().pack(),
        catalogue.current().exchanges().values().stream().map(live -> live.contract()).toList());
  }
}
