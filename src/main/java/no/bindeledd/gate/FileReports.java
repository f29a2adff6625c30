package no.bindeledd.gate;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.List;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/** The report that a file's sender finds beside the file: JSON in UTF-8. */
public final class FileReports {
  private static final ObjectMapper JSON = new ObjectMapper();

  private FileReports() {}

  /** What happened to each record; nothing from the records themselves. */
  public static byte[] of(@Nullable String name, List<Answer> answers) {
    ObjectNode report = JSON.createObjectNode();
    report.put("file", name);
    ObjectNode counts = report.putObject("outcomes");
    for (Outcome outcome : Outcome.values()) {
      counts.put(outcome.name(), answers.stream().filter(a -> a.outcome() == outcome).count());
    }
    ArrayNode records = report.putArray("records");
    for (Answer answer : answers) {
      write(records.addObject(), answer);
    }
    return report.toPrettyString().getBytes(StandardCharsets.UTF_8);
  }

  private static void write(ObjectNode record, Answer answer) {
    record.put("line", answer.place().line());
    if (answer.place().column() != null) {
      record.put("column", answer.place().column());
    }
    if (answer.recipient() != null) {
      record.put("recipient", answer.recipient());
    }
    record.put("outcome", answer.outcome().name());
    record.put("reason", answer.reason().name());
    record.put("nb", answer.reason().text().nb());
    record.put("en", answer.reason().text().en());
    if (answer.detail() != null) {
      record.put("detail", answer.detail());
    }
    record.put("ledgerEntry", answer.entry());
    record.put("repeated", answer.repeated());
  }
}
