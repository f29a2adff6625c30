package no.bindeledd.hub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.fault.Parts;
import no.bindeledd.fault.RealDatabase;
import no.bindeledd.gate.DecidedFacts.Decided;
import no.bindeledd.gate.DecisionReplay;
import no.bindeledd.gate.Deliverer;
import no.bindeledd.gate.Deliverers;
import no.bindeledd.gate.Gate;
import no.bindeledd.gate.Outgoing;
import no.bindeledd.policy.Outcome;
import no.bindeledd.policy.PolicyPack;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A question is decided twice, when it is sent on and when it is answered; both are replayed. */
class QuestionReplayTest {
  private static final String QUERY = "rights-query";
  private static final Path SAMPLE = Path.of("routes/rights-query/samples/without-consent");

  private static final DataSource database = RealDatabase.source();

  private Parts parts;

  @BeforeEach
  void open(@TempDir Path folder) throws Exception {
    Parts.empty(database);
    parts = new Parts(folder, database, QUERY);
  }

  @AfterEach
  void close() throws Exception {
    parts.close();
  }

  @Test
  void theForwardedQuestionAndTheAnswerAreBothKept() throws Exception {
    answered(Files.readAllBytes(SAMPLE.resolve("answer.json")));
    assertThat(ask()).isEqualTo(Outcome.REDUCED);

    List<Decided> kept = kept();
    assertThat(kept).extracting(Decided::view).containsExactly("county", null);
    assertThat(kept)
        .extracting(Decided::outcome)
        .containsExactly(Outcome.RELEASED, Outcome.REDUCED);
  }

  @Test
  void theQuestionIsKeptAlsoWhenNobodyAnswers() throws Exception {
    assertThat(ask()).isEqualTo(Outcome.REFUSED);
    List<Decided> kept = kept();
    assertThat(kept).extracting(Decided::view).containsExactly("county");
    assertThat(kept).extracting(Decided::outcome).containsExactly(Outcome.RELEASED);
  }

  @Test
  void otherRulesShowWhatWouldHaveBecomeOfTheQuestionItself(@TempDir Path empty) throws Exception {
    answered(Files.readAllBytes(SAMPLE.resolve("answer.json")));
    ask();
    Contract contract = parts.exchange(QUERY).contract();

    DecisionReplay same =
        new DecisionReplay(Map.of(QUERY, contract), parts.catalogue.current().pack());
    kept().forEach(same::take);
    assertThat(same.replayed()).isEqualTo(2);
    assertThat(same.changes()).isEmpty();

    DecisionReplay none = new DecisionReplay(Map.of(QUERY, contract), PolicyPack.read(empty));
    kept().forEach(none::take);
    assertThat(none.changes().keySet())
        .extracting(DecisionReplay.Change::recipient)
        .containsExactlyInAnyOrder("county", "");
    assertThat(none.changes().keySet())
        .allMatch(change -> change.wouldBe().reason() == ReasonCode.NO_AGREEMENT);
  }

  private Outcome ask() {
    byte[] question;
    try {
      question = Files.readAllBytes(SAMPLE.resolve("input.json"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return parts
        .gate
        .ask(
            parts.exchange(QUERY),
            parts.caller(QUERY),
            new Gate.Arrival(new InputFormat.Raw(question, null, null), null))
        .answer()
        .outcome();
  }

  private List<Decided> kept() throws SQLException {
    List<Decided> kept = new ArrayList<>();
    parts.archive.read(database, Parts.NOW, Parts.NOW.plusSeconds(1), kept::add);
    return kept;
  }

  private void answered(byte[] answer) {
    parts.deliverers.attach(
        new Deliverers.Way(QUERY, "county"),
        new Deliverer() {
          @Override
          public boolean batches() {
            return false;
          }

          @Override
          public Result deliver(List<Outgoing> messages) {
            throw new IllegalStateException("a question is not delivered");
          }

          @Override
          public byte[] ask(Outgoing question) {
            return answer;
          }
        });
  }
}
