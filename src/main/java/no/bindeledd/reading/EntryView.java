package no.bindeledd.reading;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.time.Instant;
import java.util.List;
import no.bindeledd.audit.AuditEntry;
import no.bindeledd.audit.AuditReader;
import org.jspecify.annotations.Nullable;

/**
 * An entry as those who read the trail see it. Whoever may not see subjects sees neither the
 * pseudonym nor the consents, whose ids would tie a person's entries together.
 *
 * @param intact false when stored bytes, leaf hash and columns do not agree
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record EntryView(
    long index,
    Instant at,
    String station,
    String exchange,
    @Nullable String sender,
    @Nullable String receiver,
    @Nullable String subject,
    @Nullable String message,
    @Nullable String trace,
    String outcome,
    String reason,
    List<String> rules,
    @Nullable String agreement,
    List<String> consents,
    @Nullable String mapping,
    @Nullable String policies,
    List<String> released,
    List<String> withheld,
    @Nullable String detail,
    boolean intact) {

  static EntryView of(AuditReader.Found found, boolean withSubject) {
    AuditEntry entry = found.entry();
    return new EntryView(
        found.index(),
        entry.at(),
        entry.station().name(),
        entry.exchange(),
        entry.sender(),
        entry.receiver(),
        withSubject && entry.subject() != null ? entry.subject().value() : null,
        entry.message(),
        entry.trace(),
        entry.outcome(),
        entry.reason(),
        entry.rules(),
        entry.agreement(),
        withSubject ? entry.consents() : List.of(),
        entry.mapping(),
        entry.policies(),
        entry.released(),
        entry.withheld(),
        entry.detail(),
        found.intact());
  }

  /** The entries of a page. */
  public static List<EntryView> of(EntrySearch.Page page, boolean withSubjects) {
    return page.entries().stream().map(found -> of(found, withSubjects)).toList();
  }
}
