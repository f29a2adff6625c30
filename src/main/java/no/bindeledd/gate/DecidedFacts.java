package no.bindeledd.gate;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collection;
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
    return new Writer().write(decisions);
  }

  /** Numbers what many decisions have in common; the numbers' meaning comes after them. */
  private static final class Writer {
    private final Map<List<String>, Integer> flows = new LinkedHashMap<>();
    private final Map<Set<String>, Integer> sets = new LinkedHashMap<>();

    byte[] write(List<Decided> decisions) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream(256 + 256 * decisions.size());
      try (JsonGenerator json = JSON.getFactory().createGenerator(bytes)) {
        json.writeStartObject();
        json.writeArrayFieldStart("decisions");
        for (Decided decided : decisions) {
          write(json, decided);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("flows");
        for (List<String> flow : flows.keySet()) {
          strings(json, flow);
        }
        json.writeEndArray();
        json.writeArrayFieldStart("sets");
        for (Set<String> set : sets.keySet()) {
          strings(json, new TreeSet<>(set));
        }
        json.writeEndArray();
        json.writeEndObject();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return bytes.toByteArray();
    }

    private static void strings(JsonGenerator json, Collection<String> strings) throws IOException {
      json.writeStartArray();
      for (String string : strings) {
        json.writeString(string);
      }
      json.writeEndArray();
    }

    private void write(JsonGenerator json, Decided decided) throws IOException {
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
      instant(json, "at", facts.at());
      json.writeStringField("outcome", decided.outcome().name());
      json.writeStringField("reason", decided.reason().name());
      set(json, "withheld", decided.withheld());
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
          instant(json, "from", act.from());
          instant(json, "to", act.to());
          json.writeEndObject();
        }
        json.writeEndArray();
      }
      json.writeEndObject();
    }

    private void write(JsonGenerator json, ConsentFact consent) throws IOException {
      json.writeStartObject();
      json.writeStringField("id", consent.id());
      json.writeNumberField("version", consent.version());
      json.writeStringField("kind", consent.kind().name());
      json.writeStringField("state", consent.state().name());
      json.writeBooleanField("person", consent.grantors().person());
      json.writeNumberField("guardians", consent.grantors().guardians());
      json.writeStringField("purpose", consent.purpose());
      set(json, "sources", consent.sources());
      set(json, "recipients", consent.recipients());
      set(json, "categories", consent.categories());
      instant(json, "from", consent.validFrom());
      if (consent.validTo() != null) {
        instant(json, "to", consent.validTo());
      }
      json.writeEndObject();
    }

    private void set(JsonGenerator json, String name, Set<String> set) throws IOException {
      if (!set.isEmpty()) {
        json.writeNumberField(name, sets.computeIfAbsent(set, s -> sets.size()));
      }
    }

    /** Seconds, and nanoseconds where there are any: much cheaper than text. */
    private static void instant(JsonGenerator json, String name, Instant at) throws IOException {
      json.writeArrayFieldStart(name);
      json.writeNumber(at.getEpochSecond());
      if (at.getNano() != 0) {
        json.writeNumber(at.getNano());
      }
      json.writeEndArray();
    }
  }

  /** Reads what {@link #write} wrote; every subject has become the same one. */
  static List<Decided> read(byte[] bytes) {
    try {
      JsonNode tree = JSON.readTree(bytes);
      JsonNode sets = tree.path("sets");
      List<Decided> decisions = new ArrayList<>();
      for (JsonNode node : tree.path("decisions")) {
        JsonNode flow = tree.path("flows").path(node.path("flow").asInt());
        String view = flow.path(1).asText();
        decisions.add(
            new Decided(
                facts(node, flow, sets),
                view.isEmpty() ? null : view,
                Outcome.valueOf(node.path("outcome").asText()),
                ReasonCode.valueOf(node.path("reason").asText()),
                strings(set(node.path("withheld"), sets))));
      }
      return decisions;
    } catch (IOException e) {
      throw new IllegalStateException("Recorded facts cannot be read", e);
    }
  }

  private static Facts facts(JsonNode node, JsonNode flow, JsonNode sets) {
    return new Facts(
        flow.path(0).asText(),
        flow.path(2).asText(),
        new OrganisationNumber(flow.path(3).asText()),
        AgencyKind.valueOf(flow.path(4).asText()),
        new OrganisationNumber(flow.path(5).asText()),
        AgencyKind.valueOf(flow.path(6).asText()),
        node.has("nobody") ? null : SOMEBODY,
        protection(node),
        consents(node.path("consents"), sets),
        node.has("born") ? LocalDate.parse(node.path("born").asText()) : null,
        attributes(node.path("record")),
        acts(node.path("acts")),
        instant(node.path("at")));
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
    return consents(list, MissingNode.getInstance());
  }

  private static List<ConsentFact> consents(JsonNode list, JsonNode sets) {
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
              strings(set(node.path("sources"), sets)),
              strings(set(node.path("recipients"), sets)),
              strings(set(node.path("categories"), sets)),
              node.has("from") ? instant(node.path("from")) : Instant.EPOCH,
              node.has("to") ? instant(node.path("to")) : null));
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
              node.has("from") ? instant(node.path("from")) : Instant.EPOCH,
              node.has("to") ? instant(node.path("to")) : Instant.parse("9999-12-31T00:00:00Z")));
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

  /** A set stands for itself or, where decisions are recorded, is a number among the sets. */
  private static JsonNode set(JsonNode node, JsonNode sets) {
    return node.isInt() ? sets.path(node.asInt()) : node;
  }

  private static Instant instant(JsonNode node) {
    return node.isArray()
        ? Instant.ofEpochSecond(node.path(0).asLong(), node.path(1).asLong(0))
        : Instant.parse(node.asText());
  }

  private static Set<String> strings(JsonNode list) {
    Set<String> strings = new TreeSet<>();
    list.forEach(node -> strings.add(node.asText()));
    return Set.copyOf(strings);
  }
}
