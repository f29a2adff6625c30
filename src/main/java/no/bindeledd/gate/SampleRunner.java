package no.bindeledd.gate;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.YamlSource;
import no.bindeledd.person.AddressGrade;
import no.bindeledd.person.Numbers;
import no.bindeledd.person.Protection;
import no.bindeledd.person.Pseudonym;
import no.bindeledd.person.Pseudonymizer;
import no.bindeledd.person.Vault;
import no.bindeledd.policy.ConsentFact;
import no.bindeledd.policy.HumanAct;
import no.bindeledd.policy.PolicyPack;
import org.jspecify.annotations.Nullable;

/**
 * Runs an exchange's {@code samples/<case>/} through the same stations as live messages, without a
 * broker or a database: reads {@code input.*}, judges it with the facts of {@code case.yaml}, and
 * compares decision and output with what the case expects. Format: docs/formats.md. Not
 * thread-safe.
 */
public final class SampleRunner {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final byte[] SECRET =
      "samples hold synthetic people only".getBytes(StandardCharsets.UTF_8);

  /** A case that was run; it passed when there are no problems. */
  public record Result(String name, int expectations, List<Problem> problems) {
    public boolean passed() {
      return problems.isEmpty();
    }
  }

  private final Judge judge;

  public SampleRunner(Path scratch) {
    this.judge =
        new Judge(
            new Pseudonymizer(SECRET),
            Numbers.SYNTHETIC_ONLY,
            Vault.createIfMissing(scratch.resolve("samples.keyset.json")),
            SECRET,
            new StationTimes(new SimpleMeterRegistry()));
  }

  /** Runs every case of the exchange, in the order of their names. */
  public List<Result> run(LiveExchange exchange, PolicyPack pack) {
    Path samples = exchange.contract().folder().resolve("samples");
    if (!Files.isDirectory(samples)) {
      return List.of();
    }
    try (Stream<Path> cases = Files.list(samples)) {
      return cases.filter(Files::isDirectory).sorted().map(c -> run(exchange, pack, c)).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Result run(LiveExchange exchange, PolicyPack pack, Path folder) {
    String name = folder.getFileName().toString();
    YamlSource source;
    try {
      source = YamlSource.read(folder.resolve("case.yaml"));
    } catch (ProblemsException e) {
      return new Result(name, 0, e.problems());
    }
    try {
      Case sample = Case.of(exchange.contract(), folder, source);
      List<Problem> problems = new Running(exchange, pack, sample).run();
      return new Result(name, sample.expectations().size(), problems);
    } catch (ProblemsException e) {
      return new Result(name, 0, e.problems());
    } catch (IOException e) {
      return new Result(
          name,
          0,
          List.of(source.problem("", "cannot read a file of the case", "check the folder")));
    }
  }

  /** What a case says. */
  private record Case(
      Path folder, YamlSource source, Instant at, Caller caller, JsonNode expectations) {
    static Case of(Contract contract, Path folder, YamlSource source) {
      JsonNode tree = source.tree();
      Optional<Contract.Sender> sender = contract.sender(tree.path("from").asText(""));
      if (sender.isEmpty()) {
        throw new ProblemsException(
            List.of(
                source.problem(
                    "/from", "is not a sender of the contract", "name one of its senders")));
      }
      OrganisationNumber organisation =
          tree.has("organisation")
              ? new OrganisationNumber(tree.path("organisation").asText())
              : sender.get().organisations().getFirst();
      Instant at;
      try {
        at = Instant.parse(tree.path("at").asText(""));
      } catch (DateTimeException e) {
        throw new ProblemsException(
            List.of(
                source.problem("/at", "is not an instant", "write it as 2026-09-01T10:00:00Z")));
      }
      if (!tree.path("expect").isArray() || tree.path("expect").isEmpty()) {
        throw new ProblemsException(
            List.of(source.problem("/expect", "expects nothing", "list what must come out")));
      }
      return new Case(
          folder, source, at, Caller.of(sender.get(), organisation), tree.path("expect"));
    }

    Path input() throws IOException {
      try (Stream<Path> files = Files.list(folder)) {
        return files
            .filter(file -> file.getFileName().toString().startsWith("input."))
            .findFirst()
            .orElseThrow(
                () ->
                    new ProblemsException(
                        List.of(
                            source.problem(
                                "", "the case has no input file", "add input.json or the like"))));
      }
    }
  }

  /** One case being run. */
  private final class Running {
    private final LiveExchange exchange;
    private final PolicyPack pack;
    private final Case sample;
    private final SampleFacts facts;
    private final List<Problem> problems = new ArrayList<>();

    Running(LiveExchange exchange, PolicyPack pack, Case sample) {
      this.exchange = exchange;
      this.pack = pack;
      this.sample = sample;
      this.facts = new SampleFacts(sample.source().tree(), sample.at());
    }

    List<Problem> run() throws IOException {
      Path input = sample.input();
      List<InputFormat.Item> items =
          exchange
              .format()
              .read(
                  exchange.contract(),
                  new InputFormat.Raw(
                      Files.readAllBytes(input), input.getFileName().toString(), "sample"));
      Set<Integer> met = new HashSet<>();
      for (int record = 1; record <= items.size(); record++) {
        List<Envelope> envelopes = judge(items.get(record - 1));
        check(record, envelopes, met);
      }
      for (int i = 0; i < sample.expectations().size(); i++) {
        if (!met.contains(i)) {
          finding(i, "", "expects a record and recipient that did not come out");
        }
      }
      return problems;
    }

    private List<Envelope> judge(InputFormat.Item item) {
      return judge.judge(
          exchange,
          pack,
          sample.caller(),
          List.of(
              new Incoming(
                  item,
                  "00-00000000000000000000000000000001-0000000000000001-00",
                  new byte[KeyedHash.LENGTH],
                  null)),
          facts,
          sample.at());
    }

    private void check(int record, List<Envelope> envelopes, Set<Integer> met) throws IOException {
      boolean mentioned = false;
      Set<String> unnamed = new LinkedHashSet<>();
      for (Envelope envelope : envelopes) {
        if (envelope.recipient() != null && envelopes.size() > 1) {
          unnamed.add(envelope.recipient());
        }
      }
      for (int i = 0; i < sample.expectations().size(); i++) {
        JsonNode expected = sample.expectations().get(i);
        if (expected.path("record").asInt(1) != record) {
          continue;
        }
        mentioned = true;
        for (Envelope envelope : envelopes) {
          if (expected.has("recipient")
              ? expected.path("recipient").asText().equals(envelope.recipient())
              : envelopes.size() == 1) {
            met.add(i);
            unnamed.remove(envelope.recipient());
            check(i, expected, envelope);
          }
        }
      }
      for (String recipient : unnamed) {
        problems.add(
            sample
                .source()
                .problem(
                    "/expect",
                    "says nothing about record " + record + " for recipient " + recipient,
                    "add an expectation for every recipient of the record"));
      }
      if (!mentioned) {
        problems.add(
            sample
                .source()
                .problem(
                    "/expect",
                    "says nothing about record " + record,
                    "add an expectation for every record of the input"));
      }
    }

    private void check(int index, JsonNode expected, Envelope envelope) throws IOException {
      Envelope.Release outgoing = envelope.outgoing();
      byte[] payload = outgoing == null ? null : outgoing.message().payload();
      Envelope result = envelope;
      if (payload != null && exchange.contract().mode() == Contract.Mode.SYNCHRONOUS) {
        compare(index, expected, "forwarded", payload);
        Path answer =
            sample.folder().resolve(sample.source().tree().path("answer").asText("answer.json"));
        JudgedAnswer judged =
            JudgedAnswer.of(
                exchange,
                pack,
                sample.caller(),
                exchange.contract().to().getFirst(),
                envelope,
                outgoing == null ? null : outgoing.message().subject(),
                "",
                Files.readAllBytes(answer),
                facts,
                sample.at());
        result = judged.envelope();
        payload = judged.payload();
      }
      same(index, "outcome", expected.path("outcome").asText(), result.outcome().name());
      if (expected.has("reason")) {
        same(index, "reason", expected.path("reason").asText(), result.reason().name());
      }
      Set<String> withheld = new HashSet<>();
      expected.path("withheld").forEach(field -> withheld.add(field.asText()));
      if (expected.has("withheld") || result.outcome().leaves()) {
        same(
            index,
            "withheld",
            withheld.toString(),
            Set.copyOf(result.entry().withheld()),
            withheld);
      }
      compare(index, expected, "output", payload);
    }

    private void same(
        int index, String what, String shown, Set<String> found, Set<String> expected) {
      if (!found.equals(expected)) {
        finding(index, "/" + what, "expected " + shown + " withheld, found " + found);
      }
    }

    private void same(int index, String what, String expected, String found) {
      if (!expected.equals(found)) {
        finding(index, "/" + what, "expected " + what + " " + expected + ", found " + found);
      }
    }

    private void compare(int index, JsonNode expected, String member, byte @Nullable [] payload)
        throws IOException {
      if (!expected.has(member)) {
        if (payload != null && member.equals("output")) {
          finding(index, "", "something leaves, and the case names no expected output");
        }
        return;
      }
      if (payload == null) {
        finding(index, "/" + member, "expected an output, and nothing leaves");
        return;
      }
      JsonNode wanted =
          JSON.readTree(
              Files.readAllBytes(sample.folder().resolve(expected.path(member).asText())));
      JsonNode found = JSON.readTree(payload);
      if (!wanted.equals(found)) {
        finding(
            index,
            "/" + member,
            "the output differs at " + difference("", wanted, found).orElse("its order"));
      }
    }

    private void finding(int index, String member, String what) {
      problems.add(
          sample
              .source()
              .problem(
                  "/expect/" + index + member,
                  what,
                  "correct the case, the mapping or the policies"));
    }
  }

  /** Where two trees first differ: a path, never a value. */
  private static Optional<String> difference(String path, JsonNode wanted, JsonNode found) {
    if (wanted.equals(found)) {
      return Optional.empty();
    }
    if (wanted.isObject() && found.isObject()) {
      Set<String> names = new java.util.TreeSet<>();
      wanted.fieldNames().forEachRemaining(names::add);
      found.fieldNames().forEachRemaining(names::add);
      for (String name : names) {
        JsonNode one = wanted.get(name);
        JsonNode other = found.get(name);
        if (one == null || other == null) {
          return Optional.of(path + "/" + name + (one == null ? " (not expected)" : " (missing)"));
        }
        Optional<String> deeper = difference(path + "/" + name, one, other);
        if (deeper.isPresent()) {
          return deeper;
        }
      }
    }
    return Optional.of(path.isEmpty() ? "/" : path);
  }

  /** The facts that a case states, the same for every person in its input. */
  private static final class SampleFacts implements FactSource {
    private final JsonNode tree;
    private final Instant at;

    SampleFacts(JsonNode tree, Instant at) {
      this.tree = tree;
      this.at = at;
    }

    @Override
    public Map<Pseudonym, List<ConsentFact>> consents(Collection<Pseudonym> subjects) {
      List<ConsentFact> consents = new ArrayList<>();
      for (JsonNode consent : tree.path("consents")) {
        consents.add(
            new ConsentFact(
                "sample-" + consents.size(),
                1,
                ConsentFact.Kind.valueOf(
                    consent.path("kind").asText(ConsentFact.Kind.INFORMATION_SHARING.name())),
                ConsentFact.State.valueOf(consent.path("state").asText("GIVEN")),
                new ConsentFact.Grantors(
                    consent.path("person").asBoolean(!consent.has("guardians")),
                    consent.path("guardians").asInt(0)),
                consent.path("purpose").asText(),
                texts(consent.path("sources")),
                texts(consent.path("recipients")),
                texts(consent.path("categories")),
                consent.has("validFrom") ? Instant.parse(consent.path("validFrom").asText()) : at,
                consent.has("validTo") ? Instant.parse(consent.path("validTo").asText()) : null));
      }
      Map<Pseudonym, List<ConsentFact>> all = new HashMap<>();
      subjects.forEach(subject -> all.put(subject, consents));
      return all;
    }

    private static Set<String> texts(JsonNode list) {
      Set<String> texts = new HashSet<>();
      list.forEach(text -> texts.add(text.asText()));
      return texts;
    }

    @Override
    public List<HumanAct> acts(
        Pseudonym subject,
        String exchange,
        OrganisationNumber receiver,
        byte @Nullable [] message) {
      return DecidedFacts.acts(tree.path("acts"));
    }

    @Override
    public Protection protection(Pseudonym subject) {
      JsonNode protection = tree.path("protection");
      return protection.isMissingNode()
          ? Protection.NONE
          : new Protection(
              AddressGrade.valueOf(protection.path("grade").asText("UGRADERT")),
              protection.path("shielded").asBoolean(false));
    }

    @Override
    public @Nullable Map<Pseudonym, String> roster(
        String exchange,
        OrganisationNumber holder,
        OrganisationNumber counterpart,
        String list,
        Collection<Pseudonym> subjects) {
      JsonNode roster = tree.path("counterpart");
      if (roster.isMissingNode()) {
        return null;
      }
      Map<Pseudonym, String> codes = new HashMap<>();
      if (roster.path("present").asBoolean(false)) {
        subjects.forEach(subject -> codes.put(subject, roster.path("code").asText("")));
      }
      return codes;
    }
  }
}
