package no.bindeledd.gate;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.ReasonCode;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.Facts;
import no.bindeledd.policy.HumanAct;
import no.bindeledd.policy.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * What decisions were made on, as bytes for the table {@code decision_facts} (to be encrypted: they
 * are personal data). Holds everything that a decision is a function of besides the rules, and what
 * came of it; no payload, and nothing that tells who the person is.
 */
public final class DecidedFacts {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Stands for every subject: who it was is of no importance to a decision. */
  private static final Pseudonym SOMEBODY = new Pseudonym("0".repeat(32));

  private DecidedFacts() {}

  /**
   * One decision.
   *
   * @param view the recipient's name in the contract; null for the answer of a synchronous exchange
   * @param withheld the field paths that stayed
   */
  public record Decided(
      Facts facts,
      @Nullable String view,
      Outcome outcome,
      ReasonCode reason,
      Set<String> withheld) {}

  static byte[] write(List<Decided> decisions) {
    Map<List<String>, Integer> flows = new LinkedHashMap<>();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(64 + 64 * decisions.size());
    try (JsonGenerator json = JSON.getFactory().createGenerator(bytes)) {
      json.writeStartObject();
      json.writeArrayFieldStart("decisions");
      for (Decided decided : decisions) {
        write(json, decided, flows);
      }
      json.writeEndArray();
      // After the decisions, which number them.
      json.writeArrayFieldStart("flows");
      for (List<String> flow : flows.keySet()) {
        json.writeStartArray();
        for (String word : flow) {
          json.writeString(word);
        }
        json.writeEndArray();
      }
      json.writeEndArray();
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static void write(JsonGenerator json, Decided decided, Map<List<String>, Integer> flows)
      throws IOException {
    Facts facts = decided.facts();
    List<String> flow =
        List.of(
            facts.exchange(),
            decided.view() == null ? "" : decided.view(),
            facts.purpose(),
            facts.sender().value(),
            facts.senderKind().name(),
            facts.receiver().value(),
            facts.receiverKind().name());
    json.writeStartObject();
    json.writeNumberField("flow", flows.computeIfAbsent(flow, f -> flows.size()));
    json.writeStringField("at", facts.at().toString());
    json.writeStringField("outcome", decided.outcome().name());
    json.writeStringField("reason", decided.reason().name());
    if (!decided.withheld().isEmpty()) {
      strings(json, "withheld", decided.withheld());
    }
    if (facts.subject() == null) {
      json.writeBooleanField("nobody", true);
    }
    if (facts.protection().any()) {
      json.writeStringField("grade", facts.protection().grade().name());
      json.writeBooleanField("shielded", facts.protection().shielded());
    }
    if (facts.birthDate() != null) {
      json.writeStringField("born", facts.birthDate().toString());
    }
    if (!facts.attributes().isEmpty()) {
      json.writeObjectFieldStart("record");
      for (Map.Entry<String, Object> attribute : facts.attributes().entrySet()) {
        json.writeObjectField(attribute.getKey(), attribute.getValue());
      }
      json.writeEndObject();
    }
    if (!facts.consents().isEmpty()) {
      json.writeArrayFieldStart("consents");
      for (ConsentFact consent : facts.consents()) {
        write(json, consent);
      }
      json.writeEndArray();
    }
    if (!facts.acts().isEmpty()) {
      json.writeArrayFieldStart("acts");
      for (HumanAct act : facts.acts()) {
        json.writeStartObject();
        json.writeStringField("id", act.id());
        json.writeStringField("kind", act.kind().name());
        json.writeNumberField("people", act.people());
        json.writeStringField("from", act.from().toString());
        json.writeStringField("to", act.to().toString());
        json.writeEndObject();
      }
      json.writeEndArray();
    }
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, ConsentFact consent) throws IOException {
    json.writeStartObject();
    json.writeStringField("id", consent.id());
    json.writeNumberField("version", consent.version());
    json.writeStringField("kind", consent.kind().name());
    json.writeStringField("state", consent.state().name());
    json.writeBooleanField("person", consent.grantors().person());
    json.writeNumberField("guardians", consent.grantors().guardians());
    json.writeStringField("purpose", consent.purpose());
    strings(json, "sources", consent.sources());
    strings(json, "recipients", consent.recipients());
    strings(json, "categories", consent.categories());
    json.writeStringField("from", consent.validFrom().toString());
    if (consent.validTo() != null) {
      json.writeStringField("to", consent.validTo().toString());
    }
    json.writeEndObject();
  }

  private static void strings(JsonGenerator json, String name, Set<String> strings)
      throws IOException {
    if (strings.isEmpty()) {
      return;
    }
    json.writeArrayFieldStart(name);
    for (String string : new TreeSet<>(strings)) {
      json.writeString(string);
    }
    json.writeEndArray();
  }

  /** Reads what {@link #write} wrote; every subject has become the same one. */
  static List<Decided> read(byte[] bytes) {
    try {
      JsonNode tree = JSON.readTree(bytes);
      List<Decided> decisions = new ArrayList<>();
      for (JsonNode node : tree.path("decisions")) {
        JsonNode flow = tree.path("flows").path(node.path("flow").asInt());
        String view = flow.path(1).asText();
        decisions.add(
            new Decided(
                facts(node, flow),
                view.isEmpty() ? null : view,
                Outcome.valueOf(node.path("outcome").asText()),
                ReasonCode.valueOf(node.path("reason").asText()),
                strings(node.path("withheld"))));
      }
      return decisions;
    } catch (IOException e) {
      throw new IllegalStateException("Recorded facts cannot be read", e);
    }
  }

  private static Facts facts(JsonNode node, JsonNode flow) {
    return new Facts(
        flow.path(0).asText(),
        flow.path(2).asText(),
        new OrganisationNumber(flow.path(3).asText()),
        AgencyKind.valueOf(flow.path(4).asText()),
        new OrganisationNumber(flow.path(5).asText()),
        AgencyKind.valueOf(flow.path(6).asText()),
        node.has("nobody") ? null : SOMEBODY,
        protection(node),
        consents(node.path("consents")),
        node.has("born") ? LocalDate.parse(node.path("born").asText()) : null,
        attributes(node.path("record")),
        acts(node.path("acts")),
        Instant.parse(node.path("at").asText()));
  }

  static Protection protection(JsonNode node) {
    return node.has("grade") || node.has("shielded")
        ? new Protection(
            AddressGrade.valueOf(node.path("grade").asText(AddressGrade.UGRADERT.name())),
            node.path("shielded").asBoolean(false))
        : Protection.NONE;
  }

  /**
   * Consents as JSON; what is left out is the most common: given by the person, to all, for ever.
   */
  static List<ConsentFact> consents(JsonNode list) {
    List<ConsentFact> consents = new ArrayList<>();
    for (JsonNode node : list) {
      consents.add(
          new ConsentFact(
              node.path("id").asText("consent-" + (consents.size() + 1)),
              node.path("version").asInt(1),
              ConsentFact.Kind.valueOf(
                  node.path("kind").asText(ConsentFact.Kind.INFORMATION_SHARING.name())),
              ConsentFact.State.valueOf(node.path("state").asText(ConsentFact.State.GIVEN.name())),
              new ConsentFact.Grantors(
                  node.path("person").asBoolean(!node.has("guardians")),
                  node.path("guardians").asInt(0)),
              node.path("purpose").asText(),
              strings(node.path("sources")),
              strings(node.path("recipients")),
              strings(node.path("categories")),
              node.has("from") ? Instant.parse(node.path("from").asText()) : Instant.EPOCH,
              node.has("to") ? Instant.parse(node.path("to").asText()) : null));
    }
    return List.copyOf(consents);
  }

  static List<HumanAct> acts(JsonNode list) {
    List<HumanAct> acts = new ArrayList<>();
    for (JsonNode node : list) {
      acts.add(
          new HumanAct(
              node.path("id").asText("act-" + (acts.size() + 1)),
              HumanAct.Kind.valueOf(node.path("kind").asText()),
              node.path("people").asInt(1),
              node.has("from") ? Instant.parse(node.path("from").asText()) : Instant.EPOCH,
              node.has("to")
                  ? Instant.parse(node.path("to").asText())
                  : Instant.parse("9999-12-31T00:00:00Z")));
    }
    return List.copyOf(acts);
  }

  static Map<String, Object> attributes(JsonNode record) {
    Map<String, Object> attributes = new HashMap<>();
    record
        .properties()
        .forEach(
            entry -> {
              JsonNode value = entry.getValue();
              attributes.put(
                  entry.getKey(),
                  value.isIntegralNumber()
                      ? value.longValue()
                      : value.isNumber()
                          ? value.doubleValue()
                          : value.isBoolean() ? value.booleanValue() : value.asText());
            });
    return attributes;
  }

  private static Set<String> strings(JsonNode list) {
    Set<String> strings = new TreeSet<>();
    list.forEach(node -> strings.add(node.asText()));
    return Set.copyOf(strings);
  }
}
