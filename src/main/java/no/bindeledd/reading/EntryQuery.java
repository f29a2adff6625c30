package no.bindeledd.reading;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * What to look for in the ledger; null means any, and all that is given must hold. Every member but
 * the subject has a form that no identity number has, so that it may stand in an address and in the
 * record of the reading. Immutable.
 *
 * @param subject the person that a decision was about. A receipt names its message instead
 * @param message the hub's hash of a message to one recipient, 32 to 64 hexadecimal characters
 * @param trace the W3C trace id, or a whole {@code traceparent}
 * @param organisation sender or receiver, nine digits
 * @param rule a legal basis or agreement: {@code id@version}, or {@code id} for all its versions
 * @param from included
 * @param to excluded
 */
public record EntryQuery(
    @Nullable Pseudonym subject,
    @Nullable String message,
    @Nullable String trace,
    @Nullable String organisation,
    @Nullable String exchange,
    @Nullable String outcome,
    @Nullable String rule,
    @Nullable Instant from,
    @Nullable Instant to) {
  private static final Pattern TRACE_ID = Pattern.compile("[0-9a-f]{32}");
  private static final Pattern MESSAGE = Pattern.compile("[0-9a-f]{32,64}");
  private static final Pattern ORGANISATION = Pattern.compile("[0-9]{9}");
  private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9-]{0,99}");
  private static final Pattern OUTCOME = Pattern.compile("[A-Z][A-Z_]{0,39}");
  private static final Pattern RULE = Pattern.compile("[a-z][a-z0-9-]{0,99}(@[0-9]{1,6})?");

  public static final EntryQuery ALL =
      new EntryQuery(null, null, null, null, null, null, null, null, null);

  public EntryQuery {
    require(message, MESSAGE, "message is 32 to 64 hexadecimal characters");
    trace = trace == null ? null : traceId(trace);
    require(trace, TRACE_ID, "trace is a W3C trace id or traceparent");
    require(organisation, ORGANISATION, "organisation is an organisation number of nine digits");
    require(exchange, NAME, "exchange is the id of an exchange");
    require(outcome, OUTCOME, "outcome is a word in capitals, such as RELEASED");
    require(rule, RULE, "rule is the id of a legal basis or agreement, or id@version");
    if (from != null && to != null && !from.isBefore(to)) {
      throw new IllegalArgumentException("from lies before to");
    }
  }

  /** The same for one person. */
  public EntryQuery about(Pseudonym person) {
    return new EntryQuery(person, message, trace, organisation, exchange, outcome, rule, from, to);
  }

  boolean matches(AuditEntry entry) {
    return (subject == null || subject.equals(entry.subject()))
        && (message == null || message.equals(entry.message()))
        && (trace == null || trace.equals(traceId(entry.trace())))
        && (organisation == null
            || organisation.equals(entry.sender())
            || organisation.equals(entry.receiver()))
        && (exchange == null || exchange.equals(entry.exchange()))
        && (outcome == null || outcome.equals(entry.outcome()))
        && (rule == null || rules(entry).stream().anyMatch(this::isRule))
        && (from == null || !entry.at().isBefore(from))
        && (to == null || entry.at().isBefore(to));
  }

  /**
   * What the bytes of every such entry have in them, for the database to look for. Members are
   * sought where the canonical form has them; what is found is still to be compared.
   */
  AuditReader.Narrowing narrowing() {
    List<String> texts = new ArrayList<>();
    if (outcome != null) {
      texts.add("\"outcome\":\"" + outcome + "\"");
    }
    if (exchange != null) {
      texts.add("\"exchange\":\"" + exchange + "\"");
    }
    if (message != null) {
      texts.add("\"message\":\"" + message + "\"");
    }
    if (organisation != null) {
      texts.add("er\":\"" + organisation + "\""); // sender or receiver
    }
    if (trace != null) {
      texts.add(trace);
    }
    if (rule != null) {
      texts.add("\"" + rule);
    }
    return new AuditReader.Narrowing(subject, List.of(), from, to, texts);
  }

  private boolean isRule(String reference) {
    return reference.equals(rule) || withoutVersion(reference).equals(rule);
  }

  /** Legal bases and agreement, without its clauses; a reference may stand there twice. */
  static List<String> rules(AuditEntry entry) {
    String agreement = entry.underAgreement();
    if (agreement == null) {
      return entry.rules();
    }
    List<String> rules = new ArrayList<>(entry.rules());
    rules.add(agreement);
    return rules;
  }

  static String withoutVersion(String reference) {
    int at = reference.lastIndexOf('@');
    return at < 0 ? reference : reference.substring(0, at);
  }

  static @Nullable String traceId(@Nullable String trace) {
    return trace == null || !isTraceparent(trace) ? trace : trace.substring(3, 35);
  }

  /** Two, 32, 16 and two hexadecimal digits with hyphens between; asked of every entry. */
  private static boolean isTraceparent(String trace) {
    if (trace.length() != 55) {
      return false;
    }
    for (int i = 0; i < trace.length(); i++) {
      char c = trace.charAt(i);
      boolean fits =
          i == 2 || i == 35 || i == 52
              ? c == '-'
              : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      if (!fits) {
        return false;
      }
    }
    return true;
  }

  /** In words for the record of the reading: which members were asked for, never the subject. */
  public String described() {
    List<String> parts = new ArrayList<>();
    if (subject != null) {
      parts.add("one person");
    }
    add(parts, "message", message);
    add(parts, "trace", trace);
    add(parts, "organisation", organisation);
    add(parts, "exchange", exchange);
    add(parts, "outcome", outcome);
    add(parts, "rule", rule);
    add(parts, "from", from);
    add(parts, "to", to);
    return parts.isEmpty() ? "everything" : String.join(", ", parts);
  }

  private static void add(List<String> parts, String name, @Nullable Object value) {
    if (value != null) {
      parts.add(name + " " + value);
    }
  }

  private static void require(@Nullable String value, Pattern form, String rule) {
    if (value != null && !form.matcher(value).matches()) {
      throw new IllegalArgumentException(rule);
    }
  }

  /** Without the person. */
  @Override
  public String toString() {
    return "EntryQuery[" + described() + "]";
  }
}
