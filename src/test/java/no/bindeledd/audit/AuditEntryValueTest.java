package no.bindeledd.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When two entries are the same, what a changed copy keeps, and where texts and entries end. */
@SuppressWarnings("NullAway") // it does not read a nullable array from class files
class AuditEntryValueTest {
  private static final Instant AT = Instant.parse("2026-09-01T10:00:00Z");
  private static final byte[] SALT = HexFormat.of().parseHex("00112233445566778899aabbccddeeff");

  private static AuditEntry entry() {
    return Entries.of("dropout-notice", "RELEASED", Entries.subject(1), SALT, "m-1", AT);
  }

  private static String text(AuditEntry entry) {
    return new String(entry.canonical(), StandardCharsets.UTF_8);
  }

  @Test
  void aCopyDiffersInOneThingAlone() {
    String before = text(entry());
    assertThat(text(entry().withConsents(List.of("c@7"))))
        .isEqualTo(before.replaceFirst("\"consents\":\\[[^]]*]", "\"consents\":[\"c@7\"]"))
        .isNotEqualTo(before);
    assertThat(text(entry().withPolicies("sha256:77")))
        .isEqualTo(before.replaceFirst("\"policies\":\"[^\"]*\"", "\"policies\":\"sha256:77\""))
        .isNotEqualTo(before);
    byte[] under = new byte[16];
    AuditEntry other = entry().withPayload(AuditEntry.payloadHash(under, new byte[] {9}), under);
    assertThat(other.salt()).isEqualTo(under);
    assertThat(text(other))
        .contains(HexFormat.of().formatHex(TreeHash.sha256(under, new byte[] {0, 9})))
        .contains(HexFormat.of().formatHex(AuditEntry.subjectHash(under, Entries.subject(1))));
    assertThat(text(other).replaceAll("[0-9a-f]{64}", ""))
        .isEqualTo(before.replaceAll("[0-9a-f]{64}", ""));
  }

  @Test
  void whatStandsForAPersonIsAHashUnderTheSalt() {
    assertThat(AuditEntry.subjectHash(SALT, Entries.subject(1)))
        .isEqualTo(
            TreeHash.sha256(
                SALT, new byte[] {1}, HexFormat.of().parseHex(Entries.subject(1).value())));
    assertThat(text(entry()))
        .contains(HexFormat.of().formatHex(AuditEntry.subjectHash(SALT, Entries.subject(1))));
  }

  @Test
  void entriesAreTheSameWhenTheirBytesSubjectAndSaltAre() {
    assertThat(entry()).isEqualTo(entry()).hasSameHashCodeAs(entry());
    assertThat(entry().hashCode()).isNotZero();
    assertThat(entry())
        .isNotEqualTo(entry().withPolicies("other"))
        .isNotEqualTo("x")
        .isNotEqualTo(
            Entries.of("dropout-notice", "RELEASED", Entries.subject(1), new byte[16], "m-1", AT));
    AuditEntry nobody = Entries.of("x", "RELEASED", null, SALT, "m-1", AT);
    AuditEntry plain = Entries.of("x", "RELEASED", null, null, "m-1", AT);
    assertThat(nobody).isNotEqualTo(plain); // the payload hash stands in the one alone
    AuditEntry first =
        AuditEntry.plain(AT, Station.ADMIN, "x", null, null, null, null, null, "A", "B", null);
    AuditEntry second =
        AuditEntry.plain(AT, Station.ADMIN, "x", null, null, null, null, null, "A", "B", null)
            .withPayload(AuditEntry.payloadHash(SALT, SALT), SALT);
    assertThat(first).isNotEqualTo(second);
  }

  @Test
  void theShortFormSaysWhenWhereAndWhatCameOfIt() {
    assertThat(entry())
        .hasToString("AuditEntry[2026-09-01T10:00:00Z DECIDE dropout-notice RELEASED RELEASED]");
  }

  @ParameterizedTest
  @CsvSource({
    "511, '', 511",
    "512, '', 512",
    "513, '', 512",
    "510, 😀x, 511",
    "509, 😀xx, 512",
    "511, 😀, 512"
  })
  void aTextIsCutBetweenItsCharacters(int before, String after, int length) {
    String whole = "x".repeat(before) + Objects.requireNonNullElse(after, "");
    String cut = AuditEntry.cut(whole);
    assertThat(cut).hasSize(length);
    if (whole.length() <= AuditEntry.MAX_TEXT) {
      assertThat(cut).isEqualTo(whole);
    } else {
      assertThat(cut).endsWith("…");
      assertThat(whole).startsWith(cut.substring(0, length - 1));
      assertThat(Character.isHighSurrogate(cut.charAt(length - 2))).isFalse();
    }
  }

  private static AuditEntry ofLength(int length) {
    AuditEntry least =
        AuditEntry.plain(AT, Station.ADMIN, "x", null, null, null, null, null, "A", "B", null);
    int rest = length - least.canonical().length - ",\"withheld\":[\"\"]".length();
    return new AuditEntry(
        AT,
        Station.ADMIN,
        "x",
        null,
        null,
        null,
        null,
        null,
        "A",
        "B",
        List.of(),
        null,
        List.of(),
        null,
        null,
        List.of(),
        List.of("y".repeat(rest)),
        null,
        null,
        null);
  }

  @Test
  void anEntryHasAtMostAsManyBytesAsATileCanSayWhereverItIsWritten() {
    AuditEntry largest = ofLength(AuditEntry.MAX_CANONICAL);
    assertThat(largest.canonical()).hasSize(AuditEntry.MAX_CANONICAL);
    CanonicalWriter behind = new CanonicalWriter(10);
    for (AuditEntry each : Collections.nCopies(2, largest)) {
      each.writeTo(behind, TreeHash.newSha256());
    }
    assertThat(behind.position()).isEqualTo(2 * AuditEntry.MAX_CANONICAL);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ofLength(AuditEntry.MAX_CANONICAL + 1).canonical());
  }

  @Test
  void aTimeOutsideTheYearsOfFourDigitsIsRefused() {
    for (String good : List.of("0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z")) {
      AuditEntry entry = Entries.of("x", "A", null, null, "m", Instant.parse(good));
      assertThat(text(entry)).contains(good.substring(0, 19));
    }
    for (String bad : List.of("-0001-12-31T23:59:59Z", "+10000-01-01T00:00:00Z")) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Entries.of("x", "A", null, null, "m", Instant.parse(bad)));
    }
  }

  @Test
  void aSaltAndAHashHaveTheirLengths() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Entries.of("x", "A", Entries.subject(1), new byte[15], "m", AT));
    for (int length : new int[] {0, 31, 33}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> entry().withPayload(new byte[length], SALT));
    }
  }
}
