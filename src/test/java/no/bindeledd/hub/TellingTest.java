package no.bindeledd.hub;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import no.bindeledd.channel.Hl7Acknowledgement;
import no.bindeledd.exchange.InputFormat.Place;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.gate.Answer;
import no.bindeledd.gate.FileReports;
import no.bindeledd.policy.Outcome;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvFileSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.http.ProblemDetail;
import org.springframework.http.ResponseEntity;

/** A sender is told the same of a reason on every channel, and nothing that it may not know. */
class TellingTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<ReasonCode> ABOUT_THE_PERSON =
      List.of(
          ReasonCode.PROTECTED,
          ReasonCode.BLOCKED_BY_SUBJECT,
          ReasonCode.CONSENT_WITHDRAWN,
          ReasonCode.CONSENT_EXPIRED,
          ReasonCode.AWAITING_SECOND_GUARDIAN);
  private static final byte[] MESSAGE =
      "MSH|^~\\&|A|B|C|D|20260901||REF^I12|id-1|P|2.5\r".getBytes(UTF_8);

  private final Hl7Acknowledgement acknowledgement =
      new Hl7Acknowledgement(InstantSource.fixed(Instant.parse("2026-09-01T08:15:01Z")));

  private static Answer answer(Outcome outcome, ReasonCode reason) {
    return new Answer(Place.WHOLE, "nav", outcome, reason, "what the judge knew", 7, false);
  }

  @Test
  void everyReasonIsInTheTable() throws IOException {
    try (Stream<String> lines = Files.lines(Path.of("src/test/resources/told/reasons.csv"))) {
      assertThat(lines.filter(line -> !line.startsWith("#")).map(line -> line.split(";")[0]))
          .containsExactlyInAnyOrderElementsOf(
              Stream.of(ReasonCode.values()).map(ReasonCode::name).toList());
    }
  }

  @ParameterizedTest
  @CsvFileSource(resources = "/told/reasons.csv", delimiter = ';')
  void aReasonIsToldAlikeOnEveryChannel(
      ReasonCode reason, ReasonCode refused, int status, String hl7Error, ReasonCode held)
      throws IOException {
    Answer refusal = answer(Outcome.REFUSED, reason);
    Answer hold = answer(Outcome.HELD, reason);

    ResponseEntity<Object> rest = ExchangeEndpoint.refusal(refusal);
    assertThat(rest.getStatusCode().value()).isEqualTo(status);
    ProblemDetail problem = Objects.requireNonNull((ProblemDetail) rest.getBody());
    assertThat(problem.getStatus()).isEqualTo(status);
    assertThat(problem.getProperties()).containsEntry("code", refused.name());
    assertThat(problem.getProperties()).containsEntry("nb", refused.text().nb());
    assertThat(problem.getProperties()).containsEntry("en", refused.text().en());
    assertThat(problem.getTitle()).isEqualTo(refused.text().en());
    receipt(JSON.valueToTree(ExchangeEndpoint.Receipt.of(hold)), held);

    String nack = hl7(Hl7Acknowledgement.Code.AE, refusal);
    assertThat(nack).contains("|" + hl7Error + "^", "|" + refused + "|", refused.text().nb());
    String ack = hl7(Hl7Acknowledgement.Code.AA, hold);
    if (held != ReasonCode.RELEASED) {
      assertThat(ack).contains("|0^", "|" + held + "|", held.text().en(), held.text().nb());
    }

    byte[] report = FileReports.of("avbrudd.csv", List.of(refusal, hold));
    JsonNode records = JSON.readTree(report).path("records");
    receipt(records.get(0), refused);
    receipt(records.get(1), held);

    if (ABOUT_THE_PERSON.contains(reason)) {
      String everything =
          JSON.writeValueAsString(problem)
              + JSON.writeValueAsString(ExchangeEndpoint.Receipt.of(hold))
              + nack
              + ack
              + new String(report, UTF_8);
      assertThat(everything).doesNotContain(reason.name(), reason.text().nb(), reason.text().en());
      assertThat(everything).doesNotContain("what the judge knew");
    }
  }

  private static void receipt(JsonNode record, ReasonCode told) {
    assertThat(record.path("reason").asText()).isEqualTo(told.name());
    assertThat(record.path("nb").asText()).isEqualTo(told.text().nb());
    assertThat(record.path("en").asText()).isEqualTo(told.text().en());
  }

  private String hl7(Hl7Acknowledgement.Code code, Answer answer) {
    return new String(acknowledgement.write(MESSAGE, code, answer.reason()), UTF_8);
  }

  @ParameterizedTest
  @EnumSource
  void whatIsToldIsNotToldOtherwiseAgain(ReasonCode reason) {
    for (boolean waits : new boolean[] {true, false}) {
      ReasonCode told = reason.told(waits);
      assertThat(told.told(waits)).isEqualTo(told);
      assertThat(ABOUT_THE_PERSON).doesNotContain(told);
    }
  }

  @Property
  void aNotFoundIsToldAtAWholeTick(@ForAll @LongRange(min = 0, max = 10_000_000_000L) long gone) {
    long tick = Duration.ofMillis(250).toNanos();
    long wait = ExchangeEndpoint.toNextTick(gone);

    assertThat(wait).isBetween(1L, tick);
    assertThat((gone + wait) % tick).isZero();
  }
}
