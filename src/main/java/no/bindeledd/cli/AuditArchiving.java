package no.bindeledd.cli;

import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Period;
import java.util.concurrent.Callable;
import no.bindeledd.audit.HouseVerifier;
import no.bindeledd.audit.Ledger;
import no.bindeledd.audit.LogArchive;
import no.bindeledd.audit.LogDirectory;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.Shard;
import no.bindeledd.audit.ShardHold;
import no.bindeledd.hub.ArchiveChore;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Old segments of the ledger in files of their own. */
final class AuditArchiving {
  private AuditArchiving() {}

  @Command(
      name = "archive",
      mixinStandardHelpOptions = true,
      description = {
        "Write a full segment of a published log (65,536 entries) into a file that verifies alone:",
        "check it with audit verify --archive FILE --key VKEY. A copy: the log and the database",
        "stay as they are; archive-old moves."
      })
  static final class Archive implements Callable<Integer> {
    @Mixin private final AuditCommand.Published published = new AuditCommand.Published();

    @Parameters(
        index = "0",
        paramLabel = "SEGMENT",
        description = "From 0: entries 65536 * SEGMENT and on")
    private long segment;

    @Parameters(index = "1", paramLabel = "FILE", description = "The archive, a ZIP file")
    private Path file = Path.of("");

    @SuppressWarnings("NullAway.Init")
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      LogArchive.write(published.log(), published.keys(), segment, file);
      spec.commandLine().getOut().println("Segment " + segment + ": " + file);
      spec.commandLine().getOut().flush();
      return 0;
    }
  }

  @Command(
      name = "archive-old",
      mixinStandardHelpOptions = true,
      description = {
        "Move the segments of a shard whose entries are all older than a period out of the database",
        "into archive files, as a hub with bindeledd.archive.after does every hour by itself: each is",
        "written, verified against the published log, compared with the database, and then leaves it",
        "with an entry ADMIN/ARCHIVED. For a hub that is not running."
      },
      footer = "%nExample: bindeledd audit archive-old --after P2Y --data ./data")
  static final class ArchiveOld implements Callable<Integer> {
    private static final Duration PATIENCE = Duration.ofSeconds(2);

    @Mixin private final HubData hub = new HubData();

    @Option(
        names = "--after",
        paramLabel = "PERIOD",
        required = true,
        description = "How old the newest entry of a segment must be, such as P2Y")
    private Period after = Period.ZERO;

    @Option(
        names = "--origin",
        paramLabel = "NAME",
        defaultValue = "bindeledd.local/1",
        description = "The house's origin (default: ${DEFAULT-VALUE})")
    private String origin = "";

    @Option(
        names = "--shard",
        paramLabel = "N",
        defaultValue = "0",
        description = "Whose segments: bindeledd.shard of the instance (default: ${DEFAULT-VALUE})")
    private int number;

    @Option(
        names = "--from-dir",
        paramLabel = "DIR",
        description = "The published log of the house (default: DATA/log/ORIGIN)")
    private @Nullable Path published;

    @Option(
        names = "--folder",
        paramLabel = "DIR",
        description = "Where the files go, and stay (default: archive beside the secrets)")
    private @Nullable Path folder;

    @SuppressWarnings("NullAway.Init")
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Shard shard = new Shard(number);
      Path secrets = hub.secrets().toAbsolutePath();
      LogKey key = LogKey.open(secrets.resolve(shard.keyFile()), shard.origin(origin));
      Path house = published == null ? hub.folder().resolve("log").resolve(origin) : published;
      int moved =
          hub.read(
              database -> {
                try (ShardHold held = ShardHold.take(database, shard, PATIENCE);
                    Ledger ledger = Ledger.hold(database, key, origin, shard, Clock.systemUTC())) {
                  ArchiveChore chore =
                      new ArchiveChore(
                          database,
                          ArchiveChore.Writer.of(database, ledger),
                          shard,
                          HouseVerifier.below(new LogDirectory(house), shard),
                          key.verifiers(),
                          folder == null ? secrets.resolveSibling("archive") : folder,
                          after,
                          Clock.systemUTC());
                  int segments = 0;
                  while (chore.next()) {
                    segments++;
                  }
                  return segments;
                }
              });
      spec.commandLine()
          .getOut()
          .println(moved == 0 ? "Nothing is old enough" : "Segments moved: " + moved);
      spec.commandLine().getOut().flush();
      return 0;
    }
  }
}
