package no.bindeledd.hub;

import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.YearMonth;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import javax.sql.DataSource;
import no.bindeledd.reading.ReadRecord;
import no.bindeledd.reading.Statistics;
import no.bindeledd.reading.SupervisionExport;
import org.jspecify.annotations.Nullable;
import org.springframework.core.io.InputStreamResource;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.RestController;

/**
 * For those who supervise, with the scope {@code bindeledd:audit.supervision}: {@code POST
 * /audit/export} answers a ZIP archive with what organisations did in a period, {@code GET
 * /audit/statistics?month=2026-09} the counts of a month as JSON, or as CSV when that is what the
 * caller accepts. Each answer is recorded before it leaves.
 */
@RestController
final class SupervisionEndpoint {
  private static final MediaType CSV = new MediaType("text", "csv", StandardCharsets.UTF_8);
  private static final MediaType ZIP = new MediaType("application", "zip");

  private final AuditAccess access;
  private final DataSource database;

  SupervisionEndpoint(AuditAccess access, DataSource database) {
    this.access = access;
    this.database = database;
  }

  /** What is to be exported: {@code from} included, {@code to} excluded. */
  record ExportRequest(
      @Nullable List<String> organisations, @Nullable String from, @Nullable String to) {
    SupervisionExport.Scope scope() {
      Instant start = AuditAccess.instant(from, "from");
      Instant end = AuditAccess.instant(to, "to");
      if (organisations == null || start == null || end == null) {
        throw new IllegalArgumentException("Give organisations, from and to");
      }
      return new SupervisionExport.Scope(Set.copyOf(organisations), start, end);
    }
  }

  @PostMapping("/audit/export")
  ResponseEntity<Object> export(@RequestBody ExportRequest request, HttpServletRequest http) {
    return access.as(
        AuditAccess.Right.SUPERVISION,
        http,
        reader -> {
          SupervisionExport.Scope scope = request.scope();
          try {
            Path folder = Files.createTempDirectory("bindeledd-export-");
            try {
              long rows = export(scope, folder, reader.now());
              Path archive = zipped(folder);
              reader.record(ReadRecord.Kind.SUPERVISION_EXPORT, null, scope.described(), rows);
              return ResponseEntity.ok()
                  .contentType(ZIP)
                  .body(
                      new InputStreamResource(
                          Files.newInputStream(archive, StandardOpenOption.DELETE_ON_CLOSE)));
            } finally {
              remove(folder);
            }
          } catch (IOException e) {
            throw new UncheckedIOException(e);
          }
        });
  }

  private long export(SupervisionExport.Scope scope, Path folder, Instant now)
      throws SQLException, IOException {
    try (Connection connection = database.getConnection()) {
      return SupervisionExport.write(connection, scope, now, folder);
    }
  }

  private static Path zipped(Path folder) throws IOException {
    Path archive = Files.createTempFile("bindeledd-export-", ".zip");
    try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(archive));
        var files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        zip.putNextEntry(new ZipEntry(String.valueOf(file.getFileName())));
        Files.copy(file, zip);
        zip.closeEntry();
      }
    }
    return archive;
  }

  private static void remove(Path folder) throws IOException {
    try (var files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  @GetMapping("/audit/statistics")
  ResponseEntity<Object> statistics(
      @RequestParam Map<String, String> parameters, HttpServletRequest http) {
    return access.as(
        AuditAccess.Right.SUPERVISION,
        http,
        reader -> {
          AuditAccess.requireOnly(parameters, Set.of("month"));
          YearMonth month = month(parameters.get("month"));
          Statistics statistics;
          try (Connection connection = database.getConnection()) {
            statistics = Statistics.of(connection, month, reader.now());
          }
          reader.record(
              ReadRecord.Kind.STATISTICS, null, "statistics of " + month, statistics.cells());
          String accept = http.getHeader("Accept");
          return accept != null && accept.contains("text/csv")
              ? ResponseEntity.ok().contentType(CSV).body(statistics.csv())
              : ResponseEntity.ok().contentType(MediaType.APPLICATION_JSON).body(statistics);
        });
  }

  private static YearMonth month(@Nullable String text) {
    try {
      return YearMonth.parse(text == null ? "" : text);
    } catch (DateTimeException e) {
      throw new IllegalArgumentException("month is a month such as 2026-09");
    }
  }
}
