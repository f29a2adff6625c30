package no.bindeledd.policy;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.LocalDate;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import no.bindeledd.exchange.AgencyKind;
import no.bindeledd.exchange.OrganisationNumber;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.Text;
import no.bindeledd.exchange.YamlSchema;
import no.bindeledd.exchange.YamlSource;
import no.bindeledd.policy.Agreement.Clause;
import no.bindeledd.policy.LegalBasis.Consent;
import no.bindeledd.policy.LegalBasis.WhenFalse;
import org.jspecify.annotations.Nullable;

/**
 * One reading of a {@code policies/} folder: first each file against its schema, then each entry
 * against itself, then the entries against each other. Goes on after a problem, to report them all.
 * Used once, by one thread.
 */
final class PackReader {
  static final Comparator<Problem> BY_PLACE =
      Comparator.comparing(Problem::file)
          .thenComparingInt(Problem::line)
          .thenComparing(Problem::what);

  private static final String BASES = "legal-bases";
  private static final String AGREEMENTS = "agreements";

  private static final YamlSchema BASIS_SCHEMA =
      YamlSchema.ofResource("/schema/legal-basis.schema.json");
  private static final YamlSchema AGREEMENT_SCHEMA =
      YamlSchema.ofResource("/schema/agreement.schema.json");

  /** Special categories of personal data (GDPR article 9): information about health. */
  private static final Set<String> SPECIAL_CATEGORIES =
      Set.of("DIAGNOSIS", "HEALTH_REFERRAL", "MEASURE_CAUSE");

  /** Something read, and where it stands. */
  private record Placed<T>(T value, YamlSource yaml, String pointer) {
    Problem problem(String below, String what, String remedy) {
      return yaml.problem(pointer + below, what, remedy);
    }

    String place() {
      return yaml.file() + ":" + yaml.line(pointer);
    }
  }

  private final Path folder;
  private final List<Problem> problems = new ArrayList<>();
  private final List<Placed<LegalBasis>> bases = new ArrayList<>();
  private final List<Placed<Agreement>> agreements = new ArrayList<>();

  private PackReader(Path folder) {
    this.folder = folder;
  }

  static PolicyPack read(Path folder) {
    return new PackReader(folder).read();
  }

  private PolicyPack read() {
    if (!Files.isDirectory(folder)) {
      throw new ProblemsException(
          List.of(
              new Problem(
                  folder,
                  0,
                  "The folder of the rule pack does not exist",
                  "create it with the subfolders legal-bases and agreements")));
    }
    List<Path> files = files();
    String hash = hash(files);
    for (Path file : files) {
      if (Objects.equals(file.getParent(), folder.resolve(BASES))) {
        readList(file, BASIS_SCHEMA, this::basis);
      } else {
        readList(file, AGREEMENT_SCHEMA, this::agreement);
      }
    }
    checkVersionsOfBases();
    checkVersionsOfAgreements();
    checkAgreementsAgainstEachOther();
    if (!hash.equals(hash(files()))) {
      problems.add(
          new Problem(
              folder, 0, "The files changed while they were read", "read the rule pack again"));
    }
    if (!problems.isEmpty()) {
      problems.sort(BY_PLACE);
      throw new ProblemsException(problems);
    }
    return new PolicyPack(
        bases.stream().map(Placed::value).toList(),
        agreements.stream().map(Placed::value).toList(),
        mentions(),
        hash);
  }

  // ---- files

  /** The files of the pack, sorted; anything else in the folder is a problem, save notes. */
  private List<Path> files() {
    List<Path> found = new ArrayList<>();
    for (Path entry : list(folder)) {
      String name = entry.getFileName().toString();
      if (!Files.isDirectory(entry)) {
        refuseUnlessNote(entry, "put it into legal-bases or agreements");
      } else if (name.equals(BASES) || name.equals(AGREEMENTS)) {
        found.addAll(yamlFiles(entry));
      } else if (!name.startsWith(".")) {
        addOnce(
            new Problem(
                entry,
                0,
                "The folder is not part of a rule pack",
                "rename it to legal-bases or agreements, or move it away"));
      }
    }
    return found;
  }

  private List<Path> yamlFiles(Path subfolder) {
    List<Path> found = new ArrayList<>();
    for (Path entry : list(subfolder)) {
      if (Files.isRegularFile(entry) && entry.toString().endsWith(".yaml") && !hidden(entry)) {
        found.add(entry);
      } else {
        refuseUnlessNote(entry, "rename it to end in .yaml, or move it away");
      }
    }
    return found;
  }

  private void refuseUnlessNote(Path entry, String remedy) {
    String name = entry.getFileName().toString();
    if (!hidden(entry) && !name.endsWith(".md") && !name.endsWith("~")) {
      addOnce(new Problem(entry, 0, "The file would be ignored", remedy));
    }
  }

  private static boolean hidden(Path entry) {
    return entry.getFileName().toString().startsWith(".");
  }

  private void addOnce(Problem problem) {
    if (!problems.contains(problem)) {
      problems.add(problem);
    }
  }

  private static List<Path> list(Path folder) {
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.sorted().toList();
    } catch (IOException e) {
      throw unreadable(folder);
    }
  }

  private String hash(List<Path> files) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      for (Path file : files) {
        String name = folder.relativize(file).toString().replace('\\', '/');
        byte[] bytes = Files.readAllBytes(file);
        // The lengths keep "ab" + "c" and "a" + "bc" apart.
        digest.update((name + "\n" + bytes.length + "\n").getBytes(StandardCharsets.UTF_8));
        digest.update(bytes);
      }
      return HexFormat.of().formatHex(digest.digest());
    } catch (IOException e) {
      throw unreadable(folder);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java has SHA-256", e);
    }
  }

  private static ProblemsException unreadable(Path path) {
    return new ProblemsException(
        List.of(
            new Problem(path, 0, "The rule pack cannot be read", "check the files' permissions")));
  }

  private void readList(
      Path file, YamlSchema schema, BiConsumer<YamlSource, String> entryAtPointer) {
    YamlSource yaml;
    try {
      yaml = YamlSource.read(file);
    } catch (ProblemsException e) {
      problems.addAll(e.problems());
      return;
    }
    List<Problem> found = schema.problems(yaml);
    problems.addAll(found);
    if (!found.isEmpty()) {
      return;
    }
    for (int i = 0; i < yaml.tree().size(); i++) {
      entryAtPointer.accept(yaml, "/" + i);
    }
  }

  // ---- a legal basis

  private void basis(YamlSource yaml, String at) {
    JsonNode node = yaml.tree().at(at);
    int before = problems.size();
    List<LegalBasis.Period> status = new ArrayList<>();
    for (int i = 0; i < node.path("status").size(); i++) {
      status.add(period(yaml, at + "/status/" + i, status));
    }
    Set<String> categories = categories(yaml, at + "/categories");
    Consent consent = Consent.valueOf(node.path("consent").asText());
    boolean deidentified = node.path("deidentifiedWithoutConsent").asBoolean(false);
    JsonNode gdpr = node.path("gdprBasis");
    checkSpecialCategories(yaml, at, categories, gdpr);
    if (consent == Consent.NONE && !node.has("necessity")) {
      problems.add(
          yaml.problem(
              at,
              "The basis needs no consent and states no necessity",
              "write necessity, nb and en: why the release is necessary"));
    }
    if (consent == Consent.NONE && deidentified) {
      problems.add(
          yaml.problem(
              at + "/deidentifiedWithoutConsent",
              "deidentifiedWithoutConsent stands on a basis that needs no consent",
              "remove it, or set consent to PERSON"));
    }
    if (node.has("whenFalse") && !node.has("condition")) {
      problems.add(
          yaml.problem(
              at + "/whenFalse", "whenFalse stands without a condition", "remove it, or add one"));
    }
    Condition condition = condition(yaml, at);
    if (problems.size() > before) {
      return;
    }
    LegalBasis basis =
        new LegalBasis(
            node.path("id").asText(),
            node.path("version").asInt(),
            node.path("statute").asText(),
            text(node.path("text")),
            List.copyOf(status),
            kinds(node.path("senders")),
            kinds(node.path("receivers")),
            strings(node.path("purposes")),
            categories,
            text(node.path("confidentialityRelease")),
            new LegalBasis.GdprBasis(gdpr.path("article6").asText(), optional(gdpr, "article9")),
            consent,
            node.has("necessity") ? text(node.path("necessity")) : null,
            deidentified,
            node.path("protectedPersons").asBoolean(false),
            condition,
            node.has("whenFalse")
                ? WhenFalse.valueOf(node.path("whenFalse").asText())
                : WhenFalse.DOES_NOT_APPLY,
            node.path("source").asText(),
            optional(node, "note"));
    bases.add(new Placed<>(basis, yaml, at));
  }

  private LegalBasis.Period period(YamlSource yaml, String at, List<LegalBasis.Period> earlier) {
    LocalDate from = day(yaml, at + "/from");
    LocalDate to = yaml.tree().at(at).has("to") ? day(yaml, at + "/to") : null;
    checkOrder(yaml, at + "/to", from, to);
    LegalBasis.Period previous = earlier.isEmpty() ? null : earlier.getLast();
    if (previous != null && (previous.to() == null || !from.isAfter(previous.to()))) {
      problems.add(
          yaml.problem(
              at,
              "The period begins before the previous one has ended",
              "give the previous period a last day before " + from));
    }
    String state = yaml.tree().at(at + "/state").asText();
    return new LegalBasis.Period(LegalBasis.Status.valueOf(state), from, to);
  }

  private void checkSpecialCategories(
      YamlSource yaml, String at, Set<String> categories, JsonNode gdpr) {
    Set<String> special = new TreeSet<>(categories);
    special.retainAll(SPECIAL_CATEGORIES);
    if (!special.isEmpty() && !gdpr.has("article9")) {
      problems.add(
          yaml.problem(
              at + "/gdprBasis",
              "Information about health (" + String.join(", ", special) + ") without an article 9",
              "write gdprBasis.article9, or remove the category"));
    }
  }

  private @Nullable Condition condition(YamlSource yaml, String at) {
    String expression = optional(yaml.tree().at(at), "condition");
    if (expression == null) {
      return null;
    }
    try {
      return Condition.compile(expression);
    } catch (Condition.Invalid e) {
      problems.add(
          yaml.problem(
              at + "/condition",
              "The condition is not valid: " + e.getMessage(),
              "use birthDateKnown, age, ageAtYearEnd, at and record.name, and compare to true or"
                  + " false"));
      return null;
    }
  }

  private void checkVersionsOfBases() {
    Map<String, Placed<LegalBasis>> seen = new HashMap<>();
    for (Placed<LegalBasis> placed : bases) {
      LegalBasis basis = placed.value();
      Placed<LegalBasis> twin = seen.putIfAbsent(basis.reference(), placed);
      if (twin != null) {
        problems.add(
            placed.problem(
                "/version",
                "Legal basis " + basis.reference() + " already stands in " + twin.place(),
                "give it the next version, or remove one"));
        continue;
      }
      for (Placed<LegalBasis> other : seen.values()) {
        if (other != placed && other.value().id().equals(basis.id())) {
          checkNotBothInForce(placed, other);
        }
      }
    }
  }

  private void checkNotBothInForce(Placed<LegalBasis> placed, Placed<LegalBasis> other) {
    for (Days mine : inForce(placed.value())) {
      for (Days theirs : inForce(other.value())) {
        if (mine.overlaps(theirs)) {
          problems.add(
              placed.problem(
                  "/status",
                  "Two versions are in force on "
                      + mine.firstCommonDay(theirs)
                      + ": "
                      + placed.value().reference()
                      + " and "
                      + other.value().reference(),
                  "end one the day before the other begins"));
          return;
        }
      }
    }
  }

  private static List<Days> inForce(LegalBasis basis) {
    return basis.status().stream()
        .filter(p -> p.state() == LegalBasis.Status.IN_FORCE)
        .map(p -> Days.inclusive(p.from(), p.to()))
        .toList();
  }

  // ---- an agreement

  private void agreement(YamlSource yaml, String at) {
    JsonNode node = yaml.tree().at(at);
    int before = problems.size();
    List<Agreement.Stage> status = new ArrayList<>();
    for (int i = 0; i < node.path("status").size(); i++) {
      status.add(stage(yaml, at + "/status/" + i, status));
    }
    LocalDate from = day(yaml, at + "/valid/from");
    LocalDate to = node.path("valid").has("to") ? day(yaml, at + "/valid/to") : null;
    checkOrder(yaml, at + "/valid/to", from, to);

    List<Agreement.Party> parties = new ArrayList<>();
    for (int i = 0; i < node.path("parties").size(); i++) {
      party(yaml, at + "/parties/" + i, parties);
    }
    if (node.path("parties").size() == 1) {
      problems.add(
          yaml.problem(
              at + "/parties", "The agreement has a single party", "name everyone who signed"));
    }
    List<Clause> clauses = new ArrayList<>();
    for (int i = 0; i < node.path("clauses").size(); i++) {
      clause(yaml, at + "/clauses/" + i, parties, clauses);
    }
    if (problems.size() > before) {
      return;
    }
    Agreement agreement =
        new Agreement(
            node.path("id").asText(),
            node.path("version").asInt(),
            text(node.path("title")),
            List.copyOf(status),
            from,
            to,
            List.copyOf(parties),
            List.copyOf(clauses),
            node.path("source").asText());
    boolean signed = status.stream().anyMatch(s -> s.state().inEffect());
    if (signed && agreement.inEffect() == null) {
      problems.add(
          yaml.problem(
              at + "/valid",
              "The agreement is signed but never in effect: it ends before it begins",
              "correct the days of status and valid"));
      return;
    }
    agreements.add(new Placed<>(agreement, yaml, at));
  }

  private Agreement.Stage stage(YamlSource yaml, String at, List<Agreement.Stage> earlier) {
    LocalDate from = day(yaml, at + "/from");
    Agreement.Lifecycle state = Agreement.Lifecycle.valueOf(yaml.tree().at(at + "/state").asText());
    Agreement.Stage previous = earlier.isEmpty() ? null : earlier.getLast();
    if (previous != null && previous.state().compareTo(state) >= 0) {
      problems.add(
          yaml.problem(
              at + "/state",
              state + " cannot follow " + previous.state(),
              "keep the order DRAFT, HEARING, SIGNED, PUBLISHED, REVISED"));
    }
    if (previous != null && from.isBefore(previous.from())) {
      problems.add(
          yaml.problem(
              at + "/from",
              "The state begins before the previous one",
              "write a day from " + previous.from() + " on"));
    }
    return new Agreement.Stage(state, from);
  }

  private void party(YamlSource yaml, String at, List<Agreement.Party> parties) {
    OrganisationNumber organisation = organisation(yaml, at + "/organisation");
    if (organisation == null) {
      return;
    }
    if (isParty(parties, organisation)) {
      problems.add(
          yaml.problem(
              at + "/organisation",
              "The party " + organisation + " stands twice",
              "keep one of them"));
      return;
    }
    parties.add(
        new Agreement.Party(
            organisation, Agreement.Level.valueOf(yaml.tree().at(at + "/level").asText())));
  }

  private void clause(
      YamlSource yaml, String at, List<Agreement.Party> parties, List<Clause> clauses) {
    JsonNode node = yaml.tree().at(at);
    OrganisationNumber from = node.has("from") ? partyOfClause(yaml, at + "/from", parties) : null;
    OrganisationNumber to = partyOfClause(yaml, at + "/to", parties);
    Set<String> categories = categories(yaml, at + "/categories");
    String number = node.path("number").asText();
    if (from != null && from.equals(to)) {
      problems.add(
          yaml.problem(
              at + "/to", "The clause goes from a party to itself", "name the other party"));
    }
    if (clauses.stream().anyMatch(c -> c.number().equals(number))) {
      problems.add(
          yaml.problem(
              at + "/number", "Clause " + number + " stands twice", "give each its own number"));
    }
    if (to == null) {
      return;
    }
    clauses.add(
        new Clause(
            number,
            node.path("exchange").asText(),
            from,
            to,
            categories,
            Agreement.Bindingness.valueOf(node.path("bindingness").asText()),
            text(node.path("text"))));
  }

  private @Nullable OrganisationNumber partyOfClause(
      YamlSource yaml, String at, List<Agreement.Party> parties) {
    OrganisationNumber organisation = organisation(yaml, at);
    if (organisation != null && !isParty(parties, organisation)) {
      problems.add(
          yaml.problem(
              at,
              organisation + " is not a party to the agreement",
              "add it to parties, or correct the number"));
    }
    return organisation;
  }

  private static boolean isParty(List<Agreement.Party> parties, OrganisationNumber organisation) {
    return parties.stream().anyMatch(p -> p.organisation().equals(organisation));
  }

  private void checkVersionsOfAgreements() {
    Map<String, Placed<Agreement>> seen = new HashMap<>();
    for (Placed<Agreement> placed : agreements) {
      Agreement agreement = placed.value();
      Placed<Agreement> twin = seen.putIfAbsent(agreement.reference(), placed);
      if (twin != null) {
        problems.add(
            placed.problem(
                "/version",
                "Agreement " + agreement.reference() + " already stands in " + twin.place(),
                "give it the next version, or remove one"));
      }
    }
  }

  /** A message between two parties must find one answer, so one agreement, on any day. */
  private void checkAgreementsAgainstEachOther() {
    for (int i = 0; i < agreements.size(); i++) {
      for (int j = 0; j < i; j++) {
        checkPair(agreements.get(i), agreements.get(j));
      }
    }
  }

  private void checkPair(Placed<Agreement> placed, Placed<Agreement> other) {
    Days mine = placed.value().inEffect();
    Days theirs = other.value().inEffect();
    boolean twins = placed.value().reference().equals(other.value().reference());
    if (mine == null || theirs == null || !mine.overlaps(theirs) || twins) {
      return;
    }
    if (placed.value().id().equals(other.value().id())) {
      problems.add(
          placed.problem(
              "/status",
              "Two versions are in effect on "
                  + mine.firstCommonDay(theirs)
                  + ": "
                  + placed.value().reference()
                  + " and "
                  + other.value().reference(),
              "let the older one be REVISED from the day the newer is SIGNED"));
      return;
    }
    Set<String> flows = flows(other.value());
    List<Clause> clauses = placed.value().clauses();
    for (int i = 0; i < clauses.size(); i++) {
      Set<String> both = flows(placed.value(), clauses.get(i));
      both.retainAll(flows);
      if (!both.isEmpty()) {
        problems.add(
            placed.problem(
                "/clauses/" + i,
                "On "
                    + mine.firstCommonDay(theirs)
                    + " agreement "
                    + other.value().reference()
                    + " in "
                    + other.place()
                    + " rules the same flow: "
                    + both.iterator().next(),
                "let one agreement rule it: remove the clause from the other, or part their days"));
        return;
      }
    }
  }

  private static Set<String> flows(Agreement agreement) {
    Set<String> flows = new LinkedHashSet<>();
    agreement.clauses().forEach(c -> flows.addAll(flows(agreement, c)));
    return flows;
  }

  private static Set<String> flows(Agreement agreement, Clause clause) {
    Set<String> flows = new LinkedHashSet<>();
    for (Agreement.Party p : agreement.parties()) {
      boolean sends =
          clause.from() == null
              ? !p.organisation().equals(clause.to())
              : p.organisation().equals(clause.from());
      if (sends) {
        flows.add(clause.exchange() + " from " + p.organisation() + " to " + clause.to());
      }
    }
    return flows;
  }

  private Map<String, List<Problem>> mentions() {
    Map<String, List<Problem>> mentions = new TreeMap<>();
    for (Placed<Agreement> placed : agreements) {
      List<Clause> clauses = placed.value().clauses();
      for (int i = 0; i < clauses.size(); i++) {
        String exchange = clauses.get(i).exchange();
        mentions
            .computeIfAbsent(exchange, e -> new ArrayList<>())
            .add(
                placed.problem(
                    "/clauses/" + i + "/exchange",
                    "There is no exchange '" + exchange + "'",
                    "correct the name to a folder under routes/, or remove the clause"));
      }
    }
    return mentions;
  }

  // ---- values

  private LocalDate day(YamlSource yaml, String at) {
    String text = yaml.tree().at(at).asText();
    try {
      return LocalDate.parse(text);
    } catch (DateTimeParseException e) {
      problems.add(
          yaml.problem(at, "'" + text + "' is not a day of the calendar", "correct the date"));
      return LocalDate.EPOCH;
    }
  }

  private void checkOrder(YamlSource yaml, String at, LocalDate from, @Nullable LocalDate to) {
    if (to != null && to.isBefore(from)) {
      problems.add(
          yaml.problem(
              at,
              "The last day " + to + " is before the first day " + from,
              "write a day from " + from + " on"));
    }
  }

  private @Nullable OrganisationNumber organisation(YamlSource yaml, String at) {
    String text = yaml.tree().at(at).asText();
    if (!OrganisationNumber.isValid(text)) {
      problems.add(
          yaml.problem(
              at,
              "'" + text + "' is not an organisation number: its control digit is wrong",
              "correct the digits"));
      return null;
    }
    return new OrganisationNumber(text);
  }

  private Set<String> categories(YamlSource yaml, String at) {
    Set<String> categories = strings(yaml.tree().at(at));
    if (categories.contains(Plan.REFERENCE)) {
      problems.add(
          yaml.problem(
              at,
              "REFERENCE is listed, but technical fields go along without a permission",
              "remove REFERENCE from the list"));
    }
    return categories;
  }

  private static Set<AgencyKind> kinds(JsonNode list) {
    Set<AgencyKind> kinds = new LinkedHashSet<>();
    list.forEach(k -> kinds.add(AgencyKind.valueOf(k.asText())));
    return Set.copyOf(kinds);
  }

  private static Set<String> strings(JsonNode list) {
    Set<String> strings = new LinkedHashSet<>();
    list.forEach(s -> strings.add(s.asText()));
    return Set.copyOf(strings);
  }

  private static Text text(JsonNode node) {
    return new Text(node.path("nb").asText(), node.path("en").asText());
  }

  private static @Nullable String optional(JsonNode node, String key) {
    return node.has(key) ? node.path(key).asText() : null;
  }
}
