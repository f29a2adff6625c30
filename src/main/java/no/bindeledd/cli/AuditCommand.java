package no.bindeledd.cli;

import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import no.bindeledd.audit.Checkpoint;
import no.bindeledd.audit.HouseVerifier;
import no.bindeledd.audit.LedgerVerifier;
import no.bindeledd.audit.LogArchive;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.LogProof;
import no.bindeledd.audit.LogSource;
import no.bindeledd.audit.LogWebsite;
import no.bindeledd.audit.ProgressListener;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.SignedNote;
import no.bindeledd.audit.TileTree;
import no.bindeledd.audit.Verification;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.audit.WitnessQuorum;
import no.bindeledd.demo.Progress;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The audit trail from the command line. */
@Command(
    name = "audit",
    mixinStandardHelpOptions = true,
    description = "Check and read the audit trail.",
    subcommands = {
      AuditCommand.Verify.class,
      AuditCommand.Prove.class,
      AuditCommand.CheckProof.class,
      AuditCommand.NewKey.class,
      AuditArchiving.Archive.class,
      AuditArchiving.ArchiveOld.class,
      AuditReading.Report.class,
      AuditReading.Export.class,
      AuditReading.Month.class
    },
    footer = {
      "%nExamples:%n",
      "  bindeledd audit verify --from-dir data/log/bindeledd.local/1 --key hub.vkey",
      "  bindeledd audit verify --url https://hub.example.no/log/bindeledd.local/1 --key hub.vkey",
      "  bindeledd audit verify --data ./data      the database of a hub that is not running",
      "  bindeledd audit prove 1137 --from-dir data/log/bindeledd.local/1 --key hub.vkey"
    })
final class AuditCommand implements Runnable {
  @SuppressWarnings("NullAway.Init")
  @Spec
  private CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  /** What {@code audit verify} finds, given these options. */
  static Verification verify(String... options) throws Exception {
    Verify verify = new Verify();
    new CommandLine(verify).parseArgs(options);
    return verify.verification();
  }

  /** Where a published log is, and which keys it is checked with. */
  static final class Published {
    @Option(
        names = "--from-dir",
        paramLabel = "DIR",
        description = "A published log: the folder with its checkpoint, or a copy of it")
    private @Nullable Path folder;

    @Option(
        names = "--url",
        paramLabel = "URL",
        description = "A published log over HTTP: the address above its checkpoint")
    private @Nullable URI url;

    @Option(
        names = "--key",
        paramLabel = "VKEY",
        description = "Verifier key of the log, or a file of them (.vkey)")
    private @Nullable String key;

    @Option(
        names = "--archive",
        paramLabel = "FILE",
        description =
            "An archived segment whose entries are not in the published log any more; can be"
                + " repeated")
    private List<Path> archives = List.of();

    boolean given() {
      return folder != null || url != null;
    }

    List<Path> archives() {
      return archives;
    }

    LogSource log() throws IOException {
      return LogArchive.beside(bare(), archives);
    }

    private LogSource bare() {
      if (folder != null) {
        return new LogDirectory(folder);
      }
      if (url != null) {
        return new LogWebsite(url, HttpClient.newHttpClient());
      }
      throw new IllegalArgumentException("Say where the log is: --from-dir DIR or --url URL");
    }

    List<VerifierKey> keys() throws IOException {
      if (key == null) {
        throw new IllegalArgumentException(
            "Say which key the log must be signed with: --key VKEY, as you had it from the hub's"
                + " owner and not from the log itself");
      }
      return keys(key);
    }

    /** From a file, or as it stands. */
    static List<VerifierKey> keys(String given) throws IOException {
      Path file = Path.of(given);
      if (Files.exists(file)) {
        return VerifierKey.parseAll(Files.readString(file));
      }
      if (!given.contains("+")) {
        throw new IllegalArgumentException(
            "There is no file %s, and it is no verifier key, which reads name+keyid+key; give either"
                .formatted(given));
      }
      return List.of(VerifierKey.parse(given));
    }

    /** Those that lie beside the logs of all shards. */
    List<byte[]> checkpoints() throws IOException {
      List<byte[]> kept = new ArrayList<>();
      for (int number = 0; folder != null && number < Shard.MOST; number++) {
        Path log = folder.resolve(new Shard(number).below());
        kept.addAll(new LogDirectory(log).earlierCheckpoints());
      }
      return kept;
    }
  }

  @Command(
      name = "verify",
      mixinStandardHelpOptions = true,
      description = {
        "Recompute every entry, the tree and the signatures; name the first broken entry.",
        "With --from-dir or --url: of a published log, with nothing but its verifier key.",
        "Else: of the database, columns, subjects and salts included; of the hub's keys it takes",
        "log.key.vkey and log.key.checkpoint, and those of the other shards (log-1.key.vkey, …).",
        "All shards are checked, and what each holds of the others.",
        "With --archive and neither a published log nor a database: each archived segment, alone.",
        "Exit code 0: verified, 2: not."
      })
  static final class Verify implements Callable<Integer> {
    @Mixin private final Published published = new Published();

    @Option(
        names = "--checkpoint",
        paramLabel = "FILE",
        description = "Another signed checkpoint that the log must agree with; can be repeated")
    private List<Path> checkpoints = List.of();

    @Option(
        names = "--disregard",
        paramLabel = "ENTRY",
        description =
            "Number of a cross-link whose word about another shard is not taken: it was found to be"
                + " planted; can be repeated")
    private Set<Long> disregarded = Set.of();

    @Option(
        names = "--witness",
        paramLabel = "VKEY",
        description =
            "Verifier key, or file of them, of a witness whose cosignature is demanded; can be"
                + " repeated. For a published log or an archive")
    private List<String> witnesses = List.of();

    @Option(
        names = "--quorum",
        paramLabel = "N",
        description = "How many of the witnesses must have cosigned (default: all)")
    private @Nullable Integer quorum;

    @Mixin private final HubData hub = new HubData();

    @SuppressWarnings("NullAway.Init")
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Verification result = verification();
      PrintWriter out = spec.commandLine().getOut();
      out.println(
          result.verified()
              ? "Verified: " + result.entries() + " entries" + without()
              : "NOT verified: " + result.firstProblem());
      out.flush();
      return result.verified() ? 0 : 2;
    }

    private String without() {
      return disregarded.isEmpty()
          ? ""
          : ", without what these say of other shards: "
              + new TreeSet<>(disregarded)
                  .stream().map(String::valueOf).collect(Collectors.joining(", "));
    }

    private Verification verification() throws Exception {
      WitnessQuorum demanded = demanded();
      if (published.given()) {
        return published(demanded);
      }
      return published.archives().isEmpty() ? database() : archives(demanded);
    }

    private @Nullable WitnessQuorum demanded() throws IOException {
      Set<VerifierKey> keys = new LinkedHashSet<>();
      for (String witness : witnesses) {
        keys.addAll(Published.keys(witness));
      }
      if (keys.isEmpty() && quorum == null) {
        return null;
      }
      if (published.archives().isEmpty() && !published.given()) {
        throw new IllegalArgumentException(
            "The database holds no cosignatures: give --from-dir, --url or --archive");
      }
      return new WitnessQuorum(keys, quorum == null ? Math.max(1, keys.size()) : quorum);
    }

    /** The same checkpoint that was verified, with what the witnesses say of it. */
    private static Verification and(
        Verification result, @Nullable WitnessQuorum demanded, byte @Nullable [] checkpoint) {
      if (demanded == null || checkpoint == null || !result.verified()) {
        return result;
      }
      String problem = demanded.problem(SignedNote.parse(checkpoint));
      return problem == null ? result : new Verification(false, result.entries(), problem);
    }

    /** Each of them; what is wrong names the file when there are several. */
    private Verification archives(@Nullable WitnessQuorum demanded) throws IOException {
      long entries = 0;
      for (Path file : published.archives()) {
        try (LogArchive segment = LogArchive.open(file)) {
          Verification alone = segment.verify(published.keys(), ProgressListener.NONE);
          Verification one = and(alone, demanded, segment.read(LogDirectory.CHECKPOINT));
          entries += one.entries();
          if (!one.verified()) {
            String name = published.archives().size() == 1 ? "" : file + ": ";
            return new Verification(false, entries, name + one.firstProblem());
          }
        }
      }
      return new Verification(true, entries, null);
    }

    private Verification published(@Nullable WitnessQuorum demanded) throws IOException {
      LogSource log = published.log();
      byte[] checkpoint = log.read(LogDirectory.CHECKPOINT); // a newer one may come meanwhile
      List<byte[]> known = new ArrayList<>(published.checkpoints());
      for (Path file : checkpoints) {
        known.add(Files.readAllBytes(file));
      }
      try (Bar bar = new Bar()) {
        Verification result =
            HouseVerifier.verify(
                path -> path.equals(LogDirectory.CHECKPOINT) ? checkpoint : log.read(path),
                published.keys(),
                known,
                disregarded,
                Runtime.getRuntime().availableProcessors(),
                bar);
        return and(result, demanded, checkpoint);
      }
    }

    private Verification database() throws Exception {
      Path folder = hub.secrets();
      List<VerifierKey> keys = VerifierKey.ofHouse(folder);
      if (keys.isEmpty()) {
        throw new NoSuchFileException(folder.resolve("log.key.vkey").toString());
      }
      List<SignedNote> known = new ArrayList<>();
      for (int number = 0; number < Shard.MOST; number++) {
        Path remembered = folder.resolve(new Shard(number).keyFile() + ".checkpoint");
        if (Files.exists(remembered)) {
          known.add(SignedNote.parse(Files.readString(remembered)));
        }
      }
      for (Path file : checkpoints) {
        known.add(SignedNote.parse(Files.readAllBytes(file)));
      }
      return hub.read(
          database -> {
            try (Bar bar = new Bar()) {
              return LedgerVerifier.verify(database, keys, known, disregarded, bar);
            }
          });
    }
  }

  /** How far a verification has come, on standard error. */
  private static final class Bar implements ProgressListener, AutoCloseable {
    private final Progress progress = Progress.onStandardError();
    private Progress.@Nullable Task task;
    private long done;

    @Override
    public void progress(long entries, long total) {
      Progress.Task shown = task;
      if (shown == null) {
        shown = progress.task("entries", total);
        task = shown;
      }
      done = entries;
      shown.at(entries);
    }

    @Override
    public void close() {
      if (task != null) {
        task.ended(done + " read");
      }
    }
  }

  @Command(
      name = "prove",
      mixinStandardHelpOptions = true,
      description = {
        "Write a proof that an entry is in a published log (C2SP tlog-proof), and the entry.",
        "Whoever has the two files and the verifier key can check them: see check-proof, or",
        "docs/audit.md for programs not written here."
      })
  static final class Prove implements Callable<Integer> {
    @Mixin private final Published published = new Published();

    @Parameters(paramLabel = "ENTRY", description = "The entry's number in the ledger")
    private long entry;

    @Option(
        names = "--out",
        paramLabel = "DIR",
        defaultValue = ".",
        description = "Where ENTRY.tlog-proof and ENTRY.json are written (default: here)")
    private Path out = Path.of(".");

    @SuppressWarnings("NullAway.Init")
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Shard shard = Shard.of(entry);
      long index = Shard.index(entry);
      LogSource log = HouseVerifier.below(published.log(), shard);
      byte[] checkpoint = log.read(LogDirectory.CHECKPOINT);
      if (checkpoint == null) {
        throw new IOException(
            "There is no published log of " + shard + " here: it has no checkpoint");
      }
      LogProof proof = LogProof.of(log, index, SignedNote.parse(checkpoint));
      long size = Checkpoint.parse(proof.checkpoint().text()).size();
      byte[] bytes = new TileTree(log, size).entry(index);
      String problem = proof.problem(bytes, published.keys());
      if (problem != null) {
        throw new IllegalStateException("No proof: " + problem + ". Run audit verify");
      }
      Files.createDirectories(out);
      Files.writeString(out.resolve(entry + ".tlog-proof"), proof.encoded());
      Files.write(out.resolve(entry + ".json"), bytes);
      spec.commandLine()
          .getOut()
          .println(
              "Entry %d of %d: %s and %s"
                  .formatted(
                      index,
                      size,
                      out.resolve(entry + ".tlog-proof"),
                      out.resolve(entry + ".json")));
      spec.commandLine().getOut().flush();
      return 0;
    }
  }

  @Command(
      name = "check-proof",
      mixinStandardHelpOptions = true,
      description = {
        "Check an entry against its proof and the log's verifier key. Exit code 0: holds, 2: not."
      })
  static final class CheckProof implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "PROOF", description = "File with the proof")
    private Path proof = Path.of("");

    @Parameters(index = "1", paramLabel = "ENTRY", description = "File with the entry's bytes")
    private Path entry = Path.of("");

    @Option(
        names = "--key",
        required = true,
        paramLabel = "VKEY",
        description = "Verifier key of the log, or a file of them (.vkey)")
    private String key = "";

    @SuppressWarnings("NullAway.Init")
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Published published = new Published();
      published.key = key;
      LogProof read = LogProof.parse(Files.readString(proof));
      String problem = read.problem(Files.readAllBytes(entry), published.keys());
      PrintWriter out = spec.commandLine().getOut();
      out.println(
          problem == null
              ? "The entry is number " + read.index() + " of the signed log"
              : "NOT proved: " + problem);
      out.flush();
      return problem == null ? 0 : 2;
    }
  }

  @Command(
      name = "new-key",
      mixinStandardHelpOptions = true,
      description = {
        "Make the log's next signing key. From the next start both sign; when all who verify have",
        "the new verifier key, put log.key.next in the place of log.key and start again."
      })
  static final class NewKey implements Callable<Integer> {
    @Option(
        names = "--secrets",
        required = true,
        paramLabel = "DIR",
        description = "Folder with log.key")
    private Path secrets = Path.of("");

    @Option(
        names = "--origin",
        defaultValue = "bindeledd.local/1",
        paramLabel = "NAME",
        description = "The house's origin (default: ${DEFAULT-VALUE})")
    private String origin = "";

    @Option(
        names = "--shard",
        defaultValue = "0",
        paramLabel = "N",
        description = "Whose key: bindeledd.shard of the instance (default: ${DEFAULT-VALUE})")
    private int shard;

    @SuppressWarnings("NullAway.Init")
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Shard of = new Shard(shard);
      LogKey key = LogKey.addNext(secrets.resolve(of.keyFile()), of.origin(origin));
      PrintWriter out = spec.commandLine().getOut();
      out.println("Give this verifier key to all who verify, then start the hub again:");
      out.println(key.verifiers().getLast().vkey());
      out.flush();
      return 0;
    }
  }
}
