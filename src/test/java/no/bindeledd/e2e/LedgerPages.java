package no.bindeledd.e2e;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.sql.DataSource;

/** The ledger's entries as the JSON that is proved. */
final class LedgerPages {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern NAMED = Pattern.compile("ledger entry (\\d+)");

  private final DataSource database;

  LedgerPages(DataSource database) {
    this.database = database;
  }

  JsonNode entry(long index) {
    return query("idx = ?", index).getFirst();
  }

  /** The reason of the refusal that a reply names, which the reply itself need not tell. */
  String reason(TestHouse.Reply refusal) {
    Matcher named = NAMED.matcher(refusal.json().path("detail").asText());
    if (!named.find()) {
      throw new AssertionError("No ledger entry in " + refusal);
    }
    return entry(Long.parseLong(named.group(1))).path("reason").asText();
  }

  /** Everything that happened to one message on its way to one recipient, in order. */
  List<JsonNode> ofMessageIn(long index) {
    return query("message = ?", entry(index).path("message").asText());
  }

  /** Everything that carries the trace, in order. */
  List<JsonNode> ofTrace(String traceparent) {
    return naming(traceparent);
  }

  /** Everything that has the text in it, in order. */
  List<JsonNode> naming(String text) {
    return query("position(convert_to(?, 'UTF8') in entry) > 0", text);
  }

  List<JsonNode> after(long index) {
    return query("idx > ?", index);
  }

  /** Index of the newest entry. */
  long newest() {
    try (Connection connection = database.getConnection();
        PreparedStatement select = connection.prepareStatement("SELECT max(idx) FROM audit_entry");
        ResultSet row = select.executeQuery()) {
      row.next();
      return row.getLong(1);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
  }

  private List<JsonNode> query(String condition, Object parameter) {
    List<JsonNode> entries = new ArrayList<>();
    try (Connection connection = database.getConnection();
        PreparedStatement select =
            connection.prepareStatement(
                "SELECT entry FROM audit_entry WHERE " + condition + " ORDER BY idx")) {
      select.setObject(1, parameter);
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) {
          entries.add(JSON.readTree(rows.getBytes(1)));
        }
      }
    } catch (SQLException | IOException e) {
      throw new AssertionError(e);
    }
    return entries;
  }
}
