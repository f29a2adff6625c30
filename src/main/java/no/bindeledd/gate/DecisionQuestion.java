package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.LocalDate;
import java.util.List;
import java.util.Map;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.Text;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.Explanation;
import no.bindeledd.policy.Facts;
import no.bindeledd.policy.HumanAct;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;

/**
 * "What would be decided?" about a message that is not sent: which exchange, from whom to whom, and
 * the facts. Nothing is recorded and nothing leaves. Immutable.
 *
 * @param from a sender's name in the contract; null for its first. Of an answer it is the source
 * @param to a recipient's name; null for the first; {@code answer} for the answer of a synchronous
 *     exchange
 * @param subject null when the exchange holds no personal data
 */
public record DecisionQuestion(
    String exchange,
    @Nullable String from,
    @Nullable String to,
    @Nullable Pseudonym subject,
    Protection protection,
    List<ConsentFact> consents,
    List<HumanAct> acts,
    @Nullable LocalDate birthDate,
    Map<String, Object> attributes,
    Instant at) {

  private static final ObjectMapper JSON = new ObjectMapper();

  /** Somebody, for a question about facts and not about a person. */
  public static final Pseudonym SOMEBODY = new Pseudonym("0".repeat(32));

  /** Facts that somebody states, instead of those of the registries. */
  public record Stated(
      Protection protection,
      List<ConsentFact> consents,
      List<HumanAct> acts,
      @Nullable LocalDate birthDate,
      Map<String, Object> attributes) {

    /**
     * Reads {@code {protection: {grade, shielded}, consents: [{purpose, state, kind, person,
     * guardians, sources, recipients, categories, from, to, id, version}], acts: [{kind, people}],
     * birthDate, record: {…}}}; everything may be left out.
     *
     * @throws IllegalArgumentException when a value has the wrong form; the message names no value
     */
    public static Stated parse(JsonNode facts) {
      try {
        return new Stated(
            DecidedFacts.protection(facts.path("protection")),
            DecidedFacts.consents(facts.path("consents")),
            DecidedFacts.acts(facts.path("acts")),
            facts.has("birthDate") ? LocalDate.parse(facts.path("birthDate").asText()) : null,
            DecidedFacts.attributes(facts.path("record")));
      } catch (IllegalArgumentException | java.time.DateTimeException e) {
        throw new IllegalArgumentException(
            "The facts cannot be read: dates are YYYY-MM-DD, instants end in Z, and grade, state"
                + " and kind are words that docs/policies.md lists");
      }
    }
  }

  /**
   * The reasoning.
   *
   * @throws IllegalArgumentException when the contract has no such party
   */
  public Explanation explain(Contract contract, PolicyPack pack) {
    boolean answer = "answer".equals(to);
    if (answer && contract.answer() == null) {
      throw new IllegalArgumentException(
          "The exchange " + contract.id() + " has no answer; name a recipient");
    }
    Contract.Recipient recipient =
        to == null || answer
            ? contract.to().getFirst()
            : contract
                .recipient(to)
                .orElseThrow(
                    () ->
                        new IllegalArgumentException(
                            "The exchange "
                                + contract.id()
                                + " has no such recipient; write one of "
                                + contract.to().stream().map(Contract.Recipient::name).toList()));
    Contract.Sender sender =
        from == null || answer
            ? contract.from().stream()
                .filter(s -> !s.organisations().contains(recipient.organisation()))
                .findFirst()
                .orElse(contract.from().getFirst())
            : contract
                .sender(from)
                .orElseThrow(
                    () ->
                        new IllegalArgumentException(
                            "The exchange "
                                + contract.id()
                                + " has no such sender; write one of "
                                + contract.from().stream().map(Contract.Sender::name).toList()));
    OrganisationNumber sending = sender.organisations().getFirst();
    Facts facts =
        new Facts(
            contract.id(),
            contract.purpose(),
            answer ? recipient.organisation() : sending,
            answer ? recipient.kind() : sender.kind(),
            answer ? sending : recipient.organisation(),
            answer ? sender.kind() : recipient.kind(),
            contract.subject() == null ? null : subject == null ? SOMEBODY : subject,
            protection,
            consents,
            birthDate,
            attributes,
            acts,
            at);
    Contract.View view =
        answer ? java.util.Objects.requireNonNull(contract.answer()) : recipient.view();
    return pack.explain(contract, view, facts);
  }

  /** An explanation as JSON, in both languages. */
  public static ObjectNode json(Explanation explanation) {
    ObjectNode json = JSON.createObjectNode();
    var grounds = explanation.decision().grounds();
    json.put("outcome", explanation.decision().outcome().name());
    json.put("reason", grounds.reason().name());
    text(json, explanation.summary());
    ObjectNode told = json.putObject("told");
    told.put("reason", explanation.told().name());
    text(told, explanation.told().text());
    strings(json, "rules", grounds.rules());
    json.put("agreement", grounds.agreement());
    strings(json, "clauses", grounds.clauses());
    strings(json, "consents", grounds.consents());
    strings(json, "acts", grounds.acts());
    json.put("protection", grounds.protection().name());
    ArrayNode steps = json.putArray("steps");
    for (Explanation.Step step : explanation.steps()) {
      ObjectNode node = steps.addObject();
      node.put("topic", step.topic().name());
      node.put("finding", step.finding().name());
      node.put("subject", step.subject());
      text(node, step.text());
    }
    ArrayNode fields = json.putArray("fields");
    for (Explanation.Field field : explanation.fields()) {
      ObjectNode node = fields.addObject();
      node.put("path", field.path());
      node.put("category", field.category());
      node.put("leaves", field.leaves());
      text(node, field.why());
    }
    return json;
  }

  private static void text(ObjectNode node, Text text) {
    node.put("nb", text.nb());
    node.put("en", text.en());
  }

  private static void strings(ObjectNode node, String name, List<String> strings) {
    ArrayNode list = node.putArray(name);
    strings.forEach(list::add);
  }
}
