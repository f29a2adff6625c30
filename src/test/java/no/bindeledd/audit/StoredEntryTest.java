package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import no.bindeledd.person.Pseudonym;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a row's columns may say beside its bytes: whoever alters one is found out. */
@SuppressWarnings("NullAway") // it does not read a nullable array from class files
class StoredEntryTest {
  private static final byte[] SALT = new byte[16];
  private static final Pseudonym SUBJECT = Entries.subject(1);
  private static final Instant AT = Instant.parse("2026-09-01T10:00:00.123456Z");

  private static AuditEntry entry(
      @Nullable Pseudonym subject, byte @Nullable [] payload, byte @Nullable [] salt) {
    return new AuditEntry(
        AT,
        Station.DECIDE,
        "dropout-notice",
        "311000004",
        null,
        subject,
        "m-1",
        null,
        "RELEASED",
        "RELEASED",
        List.of("rule@1"),
        null,
        List.of(),
        null,
        null,
        List.of("/a"),
        List.of(),
        payload,
        salt,
        null);
  }

  private static final AuditEntry WHOLE =
      entry(SUBJECT, AuditEntry.payloadHash(SALT, new byte[] {1}), SALT);

  private static StoredEntry row(
      String station,
      String exchange,
      String outcome,
      @Nullable String message,
      Instant at,
      byte @Nullable [] subject,
      byte @Nullable [] salt,
      byte[] entry) {
    return new StoredEntry(
        7, at, station, exchange, outcome, message, subject, salt, new byte[32], entry);
  }

  private static StoredEntry row(byte @Nullable [] subject, byte @Nullable [] salt, byte[] entry) {
    return row("DECIDE", "dropout-notice", "RELEASED", "m-1", AT, subject, salt, entry);
  }

  @Test
  void aRowAsItWasWrittenAgreesAndReadsAsTheEntry() {
    StoredEntry row = row(SUBJECT.bytes(), SALT, WHOLE.canonical());
    assertThat(row.disagreement()).isNull();
    assertThat(row.shredded()).isFalse();
    assertThat(row.parse()).isEqualTo(WHOLE);
    assertThat(row.parse().payloadHash()).isEqualTo(WHOLE.payloadHash());
    assertThat(row.leafHash(new TreeHash())).isEqualTo(new TreeHash().leaf(WHOLE.canonical()));
  }

  @ParameterizedTest
  @CsvSource({
    "station, SHAPE, dropout-notice, RELEASED, m-1, 0",
    "exchange, DECIDE, measure-event, RELEASED, m-1, 0",
    "outcome, DECIDE, dropout-notice, REFUSED, m-1, 0",
    "message, DECIDE, dropout-notice, RELEASED, m-2, 0",
    "message, DECIDE, dropout-notice, RELEASED, , 0",
    "at, DECIDE, dropout-notice, RELEASED, m-1, 1"
  })
  void aColumnThatWasAlteredIsNamed(
      String column, String station, String exchange, String outcome, String message, int micros) {
    StoredEntry row =
        row(
            station,
            exchange,
            outcome,
            message,
            AT.plusNanos(1000L * micros),
            SUBJECT.bytes(),
            SALT,
            WHOLE.canonical());
    assertThat(row.disagreement()).isEqualTo("the column " + column + " differs from it");
  }

  @Test
  void bytesThatAreNoCanonicalEntryOrAnotherPersonsAreToldSo() {
    String problem = "its bytes are not a canonical entry, or its subject or salt was changed";
    String text = new String(WHOLE.canonical(), StandardCharsets.UTF_8);
    byte[] spaced =
        text.replace(",\"at\"", ", \"at\"")
            .replace("\"v\":1", "\"v\": 1")
            .getBytes(StandardCharsets.UTF_8);
    byte[] other = SALT.clone();
    other[3] = 1;
    assertThat(row(SUBJECT.bytes(), SALT, spaced).disagreement()).isEqualTo(problem);
    assertThat(row(SUBJECT.bytes(), SALT, new byte[0]).disagreement()).isEqualTo(problem);
    assertThat(row(Entries.subject(2).bytes(), SALT, WHOLE.canonical()).disagreement())
        .isEqualTo(problem);
    assertThat(row(null, SALT, WHOLE.canonical()).disagreement()).isEqualTo(problem);
    assertThat(row(SUBJECT.bytes(), other, WHOLE.canonical()).disagreement()).isEqualTo(problem);
    assertThat(row(SUBJECT.bytes(), null, WHOLE.canonical()).disagreement()).isEqualTo(problem);
  }

  @Test
  void withoutSubjectAndSaltItsBytesStandAndItSaysNothingOfThePerson() {
    for (AuditEntry entry :
        List.of(WHOLE, entry(SUBJECT, null, SALT), entry(null, WHOLE.payloadHash(), SALT))) {
      StoredEntry row = row(null, null, entry.canonical());
      assertThat(row.shredded()).isTrue();
      assertThat(row.disagreement()).isNull();
      assertThat(row.parse().subject()).isNull();
      assertThat(row.parse().payloadHash()).isNull();
      assertThat(row.parse().salt()).isNull();
    }
    StoredEntry altered =
        row("SHAPE", "dropout-notice", "RELEASED", "m-1", AT, null, null, WHOLE.canonical());
    assertThat(altered.disagreement()).isEqualTo("the column station differs from it");
  }

  @Test
  void whatIsAboutNobodyWasNotShredded() {
    StoredEntry row = row(null, null, entry(null, null, null).canonical());
    assertThat(row.shredded()).isFalse();
    assertThat(row.disagreement()).isNull();
    StoredEntry salted = row(null, SALT, entry(null, null, SALT).canonical());
    assertThat(salted.shredded()).isFalse();
    assertThat(salted.disagreement()).isNull();
  }

  @Test
  void whatThePublishedBytesSayIsReadWithoutThePerson() {
    AuditEntry published = StoredEntry.published(7, WHOLE.canonical());
    assertThat(published.message()).isEqualTo("m-1");
    assertThat(published.rules()).containsExactly("rule@1");
    assertThat(published.released()).containsExactly("/a");
    assertThat(published.subject()).isNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "[]",
        "x",
        "{\"at\":\"2026-09-01T10:00:00.123456Z\"",
        "{\"at\":\"2026-09-01T10:00:00.123456Z\"}",
        "{\"station\":\"DECIDE\"}",
        "{\"at\":[],\"station\":\"DECIDE\"}",
        "{\"at\":\"2026-13-01T10:00:00.123456Z\",\"station\":\"DECIDE\"}",
        "{\"at\":\"2026-09-01T10:00:00.123456Z\",\"station\":\"NOWHERE\"}",
        "{\"at\":\"2026-09-01T10:00:00.123456Z\",\"station\":\"DECIDE\",\"payload\":\"x\"}"
      })
  void whatIsNoEntryCannotBeRead(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    assertThatIllegalArgumentException().isThrownBy(() -> row(null, SALT, bytes).parse());
  }

  @Test
  void aMemberThatIsNotThereReadsAsNothing() {
    byte[] least =
        "{\"at\":\"2026-09-01T10:00:00Z\",\"station\":\"DECIDE\"}".getBytes(StandardCharsets.UTF_8);
    AuditEntry entry = row(null, null, least).parse();
    assertThat(entry.at()).isEqualTo(Instant.parse("2026-09-01T10:00:00Z"));
    assertThat(entry.exchange()).isEmpty();
    assertThat(entry.sender()).isNull();
    assertThat(entry.rules()).isEmpty();
  }
}
