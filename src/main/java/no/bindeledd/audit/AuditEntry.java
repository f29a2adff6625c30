package no.bindeledd.audit;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;

/**
 * One audited act: who received, or did not receive, what about whom, when and why. Never a
 * payload, name, address or identity number. Immutable, safe on any thread; the arrays are not
 * copied, do not change them.
 *
 * <p>Neither the subject nor the salt stands in the canonical bytes, only a hash of the two: when
 * the salt is destroyed, the entry can no longer be linked to the person, nor its payload hash be
 * tried against guesses, and every proof still holds. See docs/audit.md.
 *
 * @param at when, to the microsecond (finer is cut)
 * @param exchange the contract's id
 * @param sender organisation number
 * @param receiver organisation number
 * @param subject the person, null when the exchange has none
 * @param message the sender's message id
 * @param trace the OpenTelemetry trace id that follows the message
 * @param outcome the state that the act led to, for example {@code RELEASED} or {@code DELIVERED}
 * @param reason {@code ReasonCode} or other stable code
 * @param rules legal bases relied on, {@code id@version}
 * @param agreement {@code id@version}, or with the clauses that counted {@code id@version#4.1,4.2}
 * @param consents consent versions relied on or missing their mark, {@code id@version}
 * @param mapping version or hash of the mapping used
 * @param policies version or hash of the policy pack used
 * @param released names (JSON pointers) of the fields that left
 * @param withheld names of the fields that stayed
 * @param payloadHash {@link #payloadHash} of what left
 * @param salt at least 16 random bytes; needed with a payload hash, and drawn here when there is a
 *     subject and none is given
 * @param detail one more sentence for the reader, without personal data
 */
public record AuditEntry(
    Instant at,
    Station station,
    String exchange,
    @Nullable String sender,
    @Nullable String receiver,
    @Nullable Pseudonym subject,
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
    byte @Nullable [] payloadHash,
    byte @Nullable [] salt,
    @Nullable String detail) {

  /** Longer single texts are cut: what comes from outside must not burst the ledger. */
  public static final int MAX_TEXT = 512;

  /** C2SP tlog-tiles gives an entry's length two bytes. */
  public static final int MAX_CANONICAL = 65_535;

  private static final int MIN_SALT = 16;
  private static final SecureRandom RANDOM = new SecureRandom();
  private static final HexFormat HEX = HexFormat.of();
  private static final long FIRST_SECOND = -62_167_219_200L; // 0000-01-01T00:00:00Z
  private static final long LAST_SECOND = 253_402_300_799L; // 9999-12-31T23:59:59Z

  public AuditEntry {
    if (at.getEpochSecond() < FIRST_SECOND || at.getEpochSecond() > LAST_SECOND) {
      throw new IllegalArgumentException("An audit entry's time lies in the years 0000 to 9999");
    }
    at = at.truncatedTo(ChronoUnit.MICROS);
    exchange = cut(exchange);
    sender = optional(sender);
    receiver = optional(receiver);
    message = optional(message);
    trace = optional(trace);
    outcome = cut(outcome);
    reason = cut(reason);
    rules = List.copyOf(rules);
    agreement = optional(agreement);
    consents = List.copyOf(consents);
    mapping = optional(mapping);
    policies = optional(policies);
    released = List.copyOf(released);
    withheld = List.copyOf(withheld);
    detail = optional(detail);
    if (salt == null && subject != null && payloadHash == null) {
      salt = newSalt();
    }
    if (salt == null && payloadHash != null) {
      throw new IllegalArgumentException(
          "A payload hash is recorded with the salt it was made with");
    }
    if (salt != null && salt.length < MIN_SALT) {
      throw new IllegalArgumentException("A salt has at least " + MIN_SALT + " bytes");
    }
    if (payloadHash != null && payloadHash.length != TreeHash.LENGTH) {
      throw new IllegalArgumentException("A payload hash has " + TreeHash.LENGTH + " bytes");
    }
  }

  /** An entry without grounds, fields and payload; the salt is made when there is a subject. */
  public static AuditEntry plain(
      Instant at,
      Station station,
      String exchange,
      @Nullable String sender,
      @Nullable String receiver,
      @Nullable Pseudonym subject,
      @Nullable String message,
      @Nullable String trace,
      String outcome,
      String reason,
      @Nullable String detail) {
    return new AuditEntry(
        at, station, exchange, sender, receiver, subject, message, trace, outcome, reason,
        List.of(), null, List.of(), null, null, List.of(), List.of(), null, null, detail);
  }

  /** The same, decided on these consents, {@code id@version}. */
  public AuditEntry withConsents(List<String> looked) {
    return with(looked, policies, payloadHash, salt);
  }

  /** The same, decided under the rules with this hash. */
  public AuditEntry withPolicies(String hash) {
    return with(consents, hash, payloadHash, salt);
  }

  /** The same, with a hash under a salt of its own, see {@link #payloadHash(byte[], byte[])}. */
  public AuditEntry withPayload(byte[] hash, byte[] under) {
    return with(consents, policies, hash, under);
  }

  private AuditEntry with(
      List<String> looked,
      @Nullable String rulePack,
      byte @Nullable [] hash,
      byte @Nullable [] under) {
    return new AuditEntry(
        at, station, exchange, sender, receiver, subject, message, trace, outcome, reason, rules,
        agreement, looked, mapping, rulePack, released, withheld, hash, under, detail);
  }

  /** 16 bytes for one entry. */
  public static byte[] newSalt() {
    byte[] salt = new byte[MIN_SALT];
    RANDOM.nextBytes(salt);
    return salt;
  }

  /** SHA-256(salt ‖ 0x00 ‖ payload). */
  public static byte[] payloadHash(byte[] salt, byte[] payload) {
    return TreeHash.sha256(salt, new byte[] {0}, payload);
  }

  /** The agreement without clauses, {@code id@version}; null when there is none. */
  public @Nullable String underAgreement() {
    int clauses = agreement == null ? -1 : agreement.indexOf('#');
    return agreement == null || clauses < 0 ? agreement : agreement.substring(0, clauses);
  }

  /** SHA-256(salt ‖ 0x01 ‖ the pseudonym's 16 bytes): what stands for the subject in the entry. */
  public static byte[] subjectHash(byte[] salt, Pseudonym subject) {
    return TreeHash.sha256(salt, new byte[] {1}, HEX.parseHex(subject.value()));
  }

  /**
   * The bytes that the tree is built over: RFC 8785 JSON, absent and empty members left out.
   *
   * @throws IllegalArgumentException when they are more than {@link #MAX_CANONICAL}
   */
  public byte[] canonical() {
    CanonicalWriter writer = new CanonicalWriter(1024);
    writeTo(writer, TreeHash.newSha256());
    return writer.toByteArray();
  }

  /** Appends the canonical bytes. */
  void writeTo(CanonicalWriter to, MessageDigest sha256) {
    byte[] subjectHash = null;
    if (subject != null && salt != null) {
      sha256.update(salt);
      sha256.update((byte) 1);
      sha256.update(HEX.parseHex(subject.value()));
      subjectHash = sha256.digest();
    }
    writeTo(to, payloadHash, subjectHash);
  }

  /**
   * As the other, with hashes that are given: those of a shredded entry stand in its bytes alone.
   */
  void writeTo(CanonicalWriter to, byte @Nullable [] payload, byte @Nullable [] subjectHash) {
    int start = to.position();
    if (agreement != null) {
      to.raw(Key.AGREEMENT);
      to.quoted(agreement);
      to.raw(Key.AT);
    } else {
      to.raw(Key.AT_FIRST);
    }
    to.quotedTime(at.getEpochSecond(), at.getNano() / 1000);
    list(to, Key.CONSENTS, consents);
    member(to, Key.DETAIL, detail);
    member(to, Key.EXCHANGE, exchange);
    member(to, Key.MAPPING, mapping);
    member(to, Key.MESSAGE, message);
    member(to, Key.OUTCOME, outcome);
    if (payload != null) {
      to.raw(Key.PAYLOAD);
      to.quotedHex(payload);
    }
    member(to, Key.POLICIES, policies);
    member(to, Key.REASON, reason);
    member(to, Key.RECEIVER, receiver);
    list(to, Key.RELEASED, released);
    list(to, Key.RULES, rules);
    member(to, Key.SENDER, sender);
    to.raw(Key.STATION);
    to.quoted(station.name());
    if (subjectHash != null) {
      to.raw(Key.SUBJECT);
      to.quotedHex(subjectHash);
    }
    member(to, Key.TRACE, trace);
    to.raw(Key.VERSION);
    list(to, Key.WITHHELD, withheld);
    to.raw(Key.END);
    if (to.position() - start > MAX_CANONICAL) {
      throw new IllegalArgumentException(
          "An audit entry has at most " + MAX_CANONICAL + " bytes; its lists are too long");
    }
  }

  private static void member(CanonicalWriter to, byte[] key, @Nullable String value) {
    if (value != null && !value.isEmpty()) {
      to.raw(key);
      to.quoted(value);
    }
  }

  private static void list(CanonicalWriter to, byte[] key, List<String> values) {
    if (values.isEmpty()) {
      return;
    }
    to.raw(key);
    to.quoted(values);
  }

  /** The text as the ledger keeps it: at most {@link #MAX_TEXT} characters. */
  static String cut(String text) {
    if (text.length() <= MAX_TEXT) {
      return text;
    }
    int end = MAX_TEXT - 1;
    return text.substring(0, Character.isHighSurrogate(text.charAt(end - 1)) ? end - 1 : end) + "…";
  }

  private static @Nullable String optional(@Nullable String text) {
    return text == null || text.isEmpty() ? null : cut(text);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof AuditEntry e
        && Arrays.equals(salt, e.salt)
        && Objects.equals(subject, e.subject)
        && Arrays.equals(canonical(), e.canonical());
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(canonical());
  }

  /** Short, for logs: no subject, no message id. */
  @Override
  public String toString() {
    return "AuditEntry[" + at + " " + station + " " + exchange + " " + outcome + " " + reason + "]";
  }

  /** The member names in the order of RFC 8785, with the punctuation before and after. */
  private static final class Key {
    static final byte[] AGREEMENT = ascii("{\"agreement\":");
    static final byte[] AT = ascii(",\"at\":");
    static final byte[] AT_FIRST = ascii("{\"at\":");
    static final byte[] CONSENTS = ascii(",\"consents\":");
    static final byte[] DETAIL = ascii(",\"detail\":");
    static final byte[] EXCHANGE = ascii(",\"exchange\":");
    static final byte[] MAPPING = ascii(",\"mapping\":");
    static final byte[] MESSAGE = ascii(",\"message\":");
    static final byte[] OUTCOME = ascii(",\"outcome\":");
    static final byte[] PAYLOAD = ascii(",\"payload\":");
    static final byte[] POLICIES = ascii(",\"policies\":");
    static final byte[] REASON = ascii(",\"reason\":");
    static final byte[] RECEIVER = ascii(",\"receiver\":");
    static final byte[] RELEASED = ascii(",\"released\":");
    static final byte[] RULES = ascii(",\"rules\":");
    static final byte[] SENDER = ascii(",\"sender\":");
    static final byte[] STATION = ascii(",\"station\":");
    static final byte[] SUBJECT = ascii(",\"subject\":");
    static final byte[] TRACE = ascii(",\"trace\":");
    static final byte[] VERSION = ascii(",\"v\":1");
    static final byte[] WITHHELD = ascii(",\"withheld\":");
    static final byte[] END = ascii("}");

    private static byte[] ascii(String text) {
      return text.getBytes(StandardCharsets.US_ASCII);
    }
  }
}
