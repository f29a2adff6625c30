package no.bindeledd.policy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.stream.Stream;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.exchange.YamlSchema;
import no.bindeledd.exchange.YamlSource;
import no.bindeledd.person.Sha256;

/**
 * One reading of a {@code policies/} folder: first each file against its schema, then each entry
 * against itself and the vocabulary, then the entries against each other. Goes on after a problem,
 * to report them all. Used once, by one thread.
 */
final class PackReader {
  static final Comparator<Problem> BY_PLACE =
      Comparator.comparing(Problem::file)
          .thenComparingInt(Problem::line)
          .thenComparing(Problem::what);

  private static final String VOCABULARY = "vocabulary";
  private static final String GROUPS = "target-groups";
  private static final String BASES = "legal-bases";
  private static final String DENIALS = "denials";
  private static final String AGREEMENTS = "agreements";
  private static final List<String> PARTS = List.of(VOCABULARY, GROUPS, BASES, DENIALS, AGREEMENTS);

  private static final YamlSchema VOCABULARY_SCHEMA =
      YamlSchema.ofResource("/schema/vocabulary.schema.json");

  private final Path folder;
  private final List<Problem> problems = new ArrayList<>();

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
    Vocabulary vocabulary = vocabulary(files);
    if (!problems.isEmpty()) {
      // Without its words everything else would look misspelt.
      throw refusal();
    }
    GroupReader groups = new GroupReader();
    BasisReader law = new BasisReader(vocabulary);
    AgreementReader pacts = new AgreementReader(vocabulary);
    readAll(files, GROUPS, GroupReader.SCHEMA, groups::group);
    boolean groupsWhole = problems.isEmpty();
    readAll(files, BASES, BasisReader.BASIS, law::basis);
    readAll(files, DENIALS, BasisReader.DENIAL, law::denial);
    int before = problems.size();
    readAll(files, AGREEMENTS, AgreementReader.SCHEMA, pacts::agreement);
    boolean agreementsWhole = problems.size() == before;
    new PackChecks(law, groups, pacts).run(groupsWhole, agreementsWhole);
    if (!hash.equals(hash(files()))) {
      problems.add(
          new Problem(
              folder, 0, "The files changed while they were read", "read the rule pack again"));
    }
    if (!problems.isEmpty()) {
      throw refusal();
    }
    return new PolicyPack(
        vocabulary,
        groups.groups.stream().map(Placed::value).toList(),
        law.bases.stream().map(Placed::value).toList(),
        law.denials.stream().map(Placed::value).toList(),
        pacts.agreements,
        hash);
  }

  private ProblemsException refusal() {
    problems.sort(BY_PLACE);
    return new ProblemsException(problems);
  }

  private Vocabulary vocabulary(List<Path> files) {
    List<Vocabulary.Word> words = new ArrayList<>();
    Set<String> seen = new TreeSet<>();
    readAll(
        files,
        VOCABULARY,
        VOCABULARY_SCHEMA,
        entry -> {
          Vocabulary.Sort sort =
              entry.has("purpose") ? Vocabulary.Sort.PURPOSE : Vocabulary.Sort.CATEGORY;
          String key = entry.has("purpose") ? "purpose" : "category";
          String code = entry.line(key);
          if (entry.has("purpose") == entry.has("category")) {
            entry.problem(
                "", "The word is not either a purpose or a category", "write one of the two");
          } else if (!seen.add(sort + code)) {
            entry.problem(
                "/" + key, "The " + key + " " + code + " stands twice", "keep one of them");
          }
          words.add(new Vocabulary.Word(sort, code, entry.flag("special"), entry.text("text")));
        });
    return new Vocabulary(words);
  }

  private void readAll(List<Path> files, String part, YamlSchema schema, Consumer<Entry> take) {
    for (Path file : files) {
      if (folder.resolve(part).equals(file.getParent())) {
        readList(file, schema, take);
      }
    }
  }

  private void readList(Path file, YamlSchema schema, Consumer<Entry> take) {
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
      take.accept(new Entry(yaml, "/" + i, problems));
    }
  }

  // ---- files

  /** The files of the pack, sorted; anything else in the folder is a problem, save notes. */
  private List<Path> files() {
    List<Path> found = new ArrayList<>();
    for (Path entry : list(folder)) {
      String name = entry.getFileName().toString();
      if (!Files.isDirectory(entry)) {
        refuseUnlessNote(entry, "put it into one of " + String.join(", ", PARTS));
      } else if (PARTS.contains(name)) {
        found.addAll(yamlFiles(entry));
      } else if (!name.startsWith(".")) {
        addOnce(
            new Problem(
                entry,
                0,
                "The folder is not part of a rule pack",
                "rename it to one of " + String.join(", ", PARTS) + ", or move it away"));
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
      MessageDigest digest = Sha256.digest();
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
    }
  }

  private static ProblemsException unreadable(Path path) {
    return new ProblemsException(
        List.of(
            new Problem(path, 0, "The rule pack cannot be read", "check the files' permissions")));
  }
}
