package no.bindeledd.reading;

import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.Station;
import org.jspecify.annotations.Nullable;

/**
 * An entry as an ArcSight CEF line, with the fields that NAV's audit log reads (contracts.md § 3):
 *
 * <p>{@code CEF:0|bindeledd|AuditLogger|1.0|audit:access|<text>|INFO|suid=… duid=… end=… sproc=…
 * request=… requestMethod=… flexString1Label=Decision flexString1=Permit}
 *
 * <p>{@code suid} is the organisation that got access, or did not: the receiver, or whoever read;
 * {@code duid} the person's <em>pseudonym</em>, since the hub holds no identity number; {@code cn1}
 * the entry's index, without gaps, so that a reader sees what it lacks and what came twice. No
 * state, safe on any thread.
 */
public final class CefLine {
  private static final String VENDOR = "bindeledd";
  private static final String PRODUCT = "AuditLogger";
  private static final String VERSION = "1.0";

  private static final Set<String> DENIED = Set.of("REFUSED", "HELD", "DEAD");

  private static final Pattern LINE_BREAK = Pattern.compile("[\\r\\n\\u0085\\u2028\\u2029]+");

  private CefLine() {}

  /** True when the entry says that something was not given. */
  public static boolean denies(AuditEntry entry) {
    return DENIED.contains(entry.outcome());
  }

  public static String of(long index, AuditEntry entry) {
    StringBuilder line = new StringBuilder(512).append("CEF:0");
    for (String part :
        List.of(
            VENDOR, PRODUCT, VERSION, event(entry), text(entry), denies(entry) ? "WARN" : "INFO")) {
      header(line.append('|'), part);
    }
    boolean towards = entry.receiver() != null;
    line.append("|end=").append(entry.at().toEpochMilli());
    field(line, "suid", towards ? entry.receiver() : entry.sender());
    field(line, "duid", entry.subject() == null ? null : entry.subject().value());
    field(line, "sproc", EntryQuery.traceId(entry.trace()));
    field(line, "request", "/" + entry.exchange());
    field(line, "requestMethod", entry.station() == Station.READ ? "GET" : "POST");
    if (isDecision(entry)) {
      labelled(line, "flexString1", "Decision", denies(entry) ? "Deny" : "Permit");
    }
    labelled(line, "cn1", "LedgerIndex", String.valueOf(index));
    labelled(line, "cs1", "Sender", towards ? entry.sender() : null);
    labelled(line, "cs2", "Outcome", entry.outcome());
    labelled(line, "cs3", "Reason", entry.reason());
    labelled(line, "cs4", "Rules", String.join(" ", entry.rules()));
    labelled(line, "cs5", "Agreement", entry.agreement());
    field(line, "externalId", entry.message());
    field(line, "msg", entry.detail());
    return line.toString();
  }

  private static boolean isDecision(AuditEntry entry) {
    return switch (entry.station()) {
      case CONSENT, POLICY, ROUTE, ADMIN -> false;
      case RECEIVE, IDENTIFY, DECIDE, SHAPE, RECORD, DELIVER, READ -> true;
    };
  }

  private static String event(AuditEntry entry) {
    return isDecision(entry) ? "audit:access" : "audit:update";
  }

  private static String text(AuditEntry entry) {
    return "Bindeledd " + entry.station() + " " + entry.exchange() + " " + entry.outcome();
  }

  private static void labelled(
      StringBuilder line, String key, String label, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      field(line, key + "Label", label);
      field(line, key, value);
    }
  }

  private static void field(StringBuilder line, String key, @Nullable String value) {
    if (value == null || value.isEmpty()) {
      return;
    }
    extension(line.append(' ').append(key).append('='), value);
  }

  /** A header's text: {@code \} and {@code |} escaped; it is one line. */
  static void header(StringBuilder line, String value) {
    String oneLine = LINE_BREAK.matcher(value).replaceAll(" ");
    for (int i = 0; i < oneLine.length(); i++) {
      char c = oneLine.charAt(i);
      if (c == '\\' || c == '|') {
        line.append('\\');
      }
      line.append(c);
    }
  }

  /** An extension's value: {@code \}, {@code =}, line feed and carriage return escaped. */
  static void extension(StringBuilder line, String value) {
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      switch (c) {
        case '\\' -> line.append("\\\\");
        case '=' -> line.append("\\=");
        case '\n' -> line.append("\\n");
        case '\r' -> line.append("\\r");
        default -> line.append(c);
      }
    }
  }
}
