package no.bindeledd.exchange;

import com.fasterxml.jackson.core.JsonPointer;
import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Period;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an exchange is, as its folder says: who may send, to whom, for which purpose, and field by
 * field what may leave. Immutable; read by {@link ContractReader}.
 *
 * @param id the folder's name, also the name in {@code gate:<id>}
 * @param code the exchange's number in domain.md § 3, such as {@code E02}
 * @param purpose the purpose code that legal bases and agreements name
 * @param subject where the identity number stands in an input record; null when the exchange holds
 *     no personal data
 * @param messageId where the sender's message id stands; null when the channel gives it (file name
 *     and line, MSH-10, Kafka key)
 * @param receiver where the organisation number of the addressed recipient stands, or a list of
 *     them; null when every recipient of the contract gets the message
 * @param birthDate where the birth date (ISO) stands; null when the record has none
 * @param answer of a synchronous exchange: what the asker may see of the answer
 * @param deadline within which time the recipient owes an answer; null when it owes none
 * @param answers the exchange whose messages this one answers; null when it answers none
 * @param single what at most one organisation may be to a person at a time; null when there is no
 *     such thing
 * @param retention how long the decision's facts are kept
 */
public record Contract(
    String id,
    String code,
    Text title,
    Mode mode,
    String purpose,
    Input input,
    @Nullable JsonPointer subject,
    @Nullable JsonPointer messageId,
    @Nullable JsonPointer receiver,
    @Nullable JsonPointer birthDate,
    @Nullable Match match,
    List<Sender> from,
    List<Recipient> to,
    @Nullable View answer,
    @Nullable Deadline deadline,
    @Nullable Answers answers,
    @Nullable Single single,
    Period retention,
    Path folder) {

  /** A contract that sets no deadline, answers none and has nothing that is one's alone. */
  public Contract(
      String id,
      String code,
      Text title,
      Mode mode,
      String purpose,
      Input input,
      @Nullable JsonPointer subject,
      @Nullable JsonPointer messageId,
      @Nullable JsonPointer receiver,
      @Nullable JsonPointer birthDate,
      @Nullable Match match,
      List<Sender> from,
      List<Recipient> to,
      @Nullable View answer,
      Period retention,
      Path folder) {
    this(
        id, code, title, mode, purpose, input, subject, messageId, receiver, birthDate, match, from,
        to, answer, null, null, null, retention, folder);
  }

  /** How records flow. */
  public enum Mode {
    /** Received, recorded, acknowledged; delivered afterwards. */
    ASYNCHRONOUS,
    /** Request, decide, forward, decide on the answer, reply. */
    SYNCHRONOUS,
    /** Each side hands in its own list; each learns at most a code about its own names (E01). */
    MATCHING
  }

  /** How a sender proves which organisation it is. Never read from the payload. */
  public enum Authentication {
    /** The ACL of a Kafka topic, the account of an SFTP directory, the peer of an MLLP port. */
    CHANNEL,
    /** A Maskinporten token; the organisation is {@code consumer.ID}. */
    MASKINPORTEN,
    /** Nobody from outside: the hub itself writes for the organisation, when a time is up. */
    HUB
  }

  /**
   * How the input is written.
   *
   * @param format {@code json}, {@code csv} or {@code hl7v2}
   * @param schema JSON Schema of one input record, relative to {@code mappings/<exchange>/}
   * @param records where the list of records stands in one JSON document; null when the document is
   *     the record
   * @param profile the format's own settings (columns of a CSV profile, the HL7 message type); an
   *     empty object when there are none
   */
  public record Input(
      String format, String schema, @Nullable JsonPointer records, JsonNode profile) {}

  /** Who may send. {@code scope} is the Maskinporten scope, for that kind of authentication. */
  public record Sender(
      String name,
      AgencyKind kind,
      List<OrganisationNumber> organisations,
      Authentication authentication,
      @Nullable String scope) {}

  /**
   * Who receives, and where.
   *
   * @param address the endpoint without its options, such as {@code kafka:ot.dropout-notice.v1};
   *     the only outside address a route from {@code gate:<id>?to=<name>} may go to. May hold
   *     {@code {{placeholders}}}
   * @param sealed the payload leaves as a JWE that only the recipient's key opens
   */
  public record Recipient(
      String name,
      AgencyKind kind,
      OrganisationNumber organisation,
      String address,
      boolean sealed,
      View view) {}

  /** One recipient's view: the mapping to it, its schema, and each field that may leave. */
  public record View(String mapping, String schema, List<Field> fields) {}

  /**
   * A field that may leave.
   *
   * @param path RFC 6901 pointer into the output; {@code *} stands for every element of an array. A
   *     path covers everything below it
   * @param category the data category that legal bases, agreements and consents speak of
   * @param identifier identifies the person: removed when a release is de-identified
   * @param freeText written by people: removed when a release is de-identified
   * @param locating school, office or unit: removed for STRENGT_FORTROLIG (contracts.md § 3)
   */
  public record Field(
      String path,
      String category,
      String meaning,
      String example,
      boolean identifier,
      boolean freeText,
      boolean locating) {}

  /**
   * For {@link Mode#MATCHING}.
   *
   * @param counterpart where the other side's organisation number stands
   * @param list where the id of the list (period) stands
   * @param code where the sender's own code for the person stands
   */
  public record Match(JsonPointer counterpart, JsonPointer list, JsonPointer code) {}

  /**
   * The time within which a recipient owes an answer. How many days that is, is a rule and stands
   * in the rule pack, by date; when none is in force, no answer is owed.
   *
   * @param reference where the id stands that the answer quotes
   * @param starts where the date (ISO) stands from which is counted; null for the day on which the
   *     hub lets the message out. A date after that day counts as that day
   * @param group the target group whose rule counts
   * @param rule the id of one of its deadlines
   * @param notice the exchange that carries warnings and escalations
   */
  public record Deadline(
      JsonPointer reference,
      @Nullable JsonPointer starts,
      String group,
      String rule,
      String notice) {}

  /**
   * That the exchange answers another one.
   *
   * @param exchange the one with the deadline
   * @param reference where the id stands that the answered message had
   */
  public record Answers(String exchange, JsonPointer reference) {}

  /**
   * What at most one organisation may be to a person at a time, such as the coordinating service
   * (E18).
   *
   * @param holder where the organisation number of the one stands
   * @param ended where {@code true} stands when it no longer is
   */
  public record Single(JsonPointer holder, JsonPointer ended) {}

  public Optional<Recipient> recipient(String name) {
    return to.stream().filter(r -> r.name().equals(name)).findFirst();
  }

  public Optional<Sender> sender(String name) {
    return from.stream().filter(s -> s.name().equals(name)).findFirst();
  }
}
