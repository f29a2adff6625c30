package no.bindeledd.reading;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.SignedNote;
import no.bindeledd.person.Sha256;
import org.jspecify.annotations.Nullable;

/**
 * What organisations did in a period, for those who supervise them: {@code entries.csv} and {@code
 * entries.jsonl} with the same entries, oldest first and without persons; {@code checkpoint}, the
 * signed size and root of the log they are from; and {@code manifest.json} with what was asked for,
 * how many entries there are, and each file's SHA-256. No state, safe on any thread.
 */
public final class SupervisionExport {
  private static final ObjectMapper JSON =
      new ObjectMapper()
          .registerModule(new JavaTimeModule())
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS);
  private static final List<String> COLUMNS =
      List.of(
          "index",
          "at",
          "station",
          "exchange",
          "sender",
          "receiver",
          "message",
          "trace",
          "outcome",
          "reason",
          "rules",
          "agreement",
          "released",
          "withheld");

  private SupervisionExport() {}

  /**
   * What is asked for.
   *
   * @param organisations sender or receiver is one of these; at least one
   * @param from included
   * @param to excluded
   */
  public record Scope(Set<String> organisations, Instant from, Instant to) {
    public Scope {
      organisations = Set.copyOf(organisations);
      if (organisations.isEmpty()) {
        throw new IllegalArgumentException("Name at least one organisation");
      }
      for (String organisation : organisations) {
        // the query knows the form
        var unused = new EntryQuery(null, null, null, organisation, null, null, null, from, to);
      }
    }

    public String described() {
      return "organisations "
          + String.join(" ", new TreeSet<>(organisations))
          + ", from "
          + from
          + ", to "
          + to;
    }

    boolean has(AuditEntry entry) {
      return is(entry.sender()) || is(entry.receiver());
    }

    private boolean is(@Nullable String organisation) {
      return organisation != null && organisations.contains(organisation);
    }
  }

  /**
   * Writes the files into a folder.
   *
   * @return entries written
   */
  public static long write(Connection connection, Scope scope, Instant made, Path folder)
      throws SQLException, IOException {
    Files.createDirectories(folder);
    EntryQuery period =
        new EntryQuery(null, null, null, null, null, null, null, scope.from(), scope.to());
    long[] rows = {0};
    ObjectNode manifest = JSON.createObjectNode();
    manifest.put("format", "bindeledd-supervision-export/1");
    manifest.put("made", made.toString());
    manifest.put("from", scope.from().toString());
    manifest.put("to", scope.to().toString());
    new TreeSet<>(scope.organisations()).forEach(manifest.withArray("organisations")::add);
    try (Hashed csv = new Hashed(folder, "entries.csv");
        Hashed lines = new Hashed(folder, "entries.jsonl")) {
      csv.write(String.join(",", COLUMNS) + "\r\n");
      EntrySearch.all(
          connection,
          period,
          (index, entry) -> {
            if (scope.has(entry)) {
              csv.write(csv(index, entry));
              lines.write(
                  json(EntryView.of(new AuditReader.Found(index, entry, true), false)) + "\n");
              rows[0]++;
            }
          });
      manifest.put("entries", rows[0]);
      csv.describe(manifest);
      lines.describe(manifest);
    }
    for (Map.Entry<Shard, SignedNote> shard : AuditReader.checkpoints(connection).entrySet()) {
      int number = shard.getKey().number();
      try (Hashed note = new Hashed(folder, "checkpoint" + (number == 0 ? "" : "-" + number))) {
        note.write(shard.getValue().encoded());
        note.describe(manifest);
      }
    }
    Files.write(
        folder.resolve("manifest.json"),
        JSON.writerWithDefaultPrettyPrinter().writeValueAsBytes(manifest));
    return rows[0];
  }

  private static String json(EntryView view) {
    try {
      return JSON.writeValueAsString(view);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String csv(long index, AuditEntry entry) {
    return String.join(
            ",",
            String.valueOf(index),
            entry.at().toString(),
            entry.station().name(),
            cell(entry.exchange()),
            cell(entry.sender()),
            cell(entry.receiver()),
            cell(entry.message()),
            cell(entry.trace()),
            cell(entry.outcome()),
            cell(entry.reason()),
            cell(String.join(" ", entry.rules())),
            cell(entry.agreement()),
            cell(String.join(" ", entry.released())),
            cell(String.join(" ", entry.withheld())))
        + "\r\n";
  }

  /** A value as RFC 4180 quotes it; one that a spreadsheet would compute is kept a text. */
  static String cell(@Nullable String value) {
    if (value == null || value.isEmpty()) {
      return "";
    }
    boolean formula = "=+-@\t\r".indexOf(value.charAt(0)) >= 0;
    String text = formula ? "'" + value : value;
    boolean quoted = text.chars().anyMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
    return quoted ? '"' + text.replace("\"", "\"\"") + '"' : text;
  }

  /** A file whose hash is known when it is written. */
  private static final class Hashed implements AutoCloseable {
    private final String name;
    private final MessageDigest sha256 = Sha256.digest();
    private final OutputStream out;
    private long bytes;

    Hashed(Path folder, String name) throws IOException {
      this.name = name;
      this.out =
          new DigestOutputStream(
              new BufferedOutputStream(Files.newOutputStream(folder.resolve(name)), 1 << 16),
              sha256);
    }

    void write(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      try {
        out.write(utf8);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      bytes += utf8.length;
    }

    /** Once all is written. */
    void describe(ObjectNode manifest) throws IOException {
      out.flush();
      ObjectNode file = manifest.withArray("files").addObject();
      file.put("name", name);
      file.put("bytes", bytes);
      file.put("sha256", HexFormat.of().formatHex(sha256.digest()));
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }
}
