package no.bindeledd.cli;

import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.Callable;
import no.bindeledd.audit.LedgerVerifier;
import no.bindeledd.audit.SignedNote;
import no.bindeledd.audit.Verification;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.demo.EmbeddedDatabase;
import org.jspecify.annotations.Nullable;
import org.postgresql.ds.PGSimpleDataSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The audit trail from the command line. */
@Command(
    name = "audit",
    mixinStandardHelpOptions = true,
    description = "Check the audit trail.",
    subcommands = AuditCommand.Verify.class,
    footer = {"%nExample: bindeledd audit verify --data ./data"})
final class AuditCommand implements Runnable {
  @SuppressWarnings("NullAway.Init")
  @Spec
  private CommandSpec spec;

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  @Command(
      name = "verify",
      mixinStandardHelpOptions = true,
      description = {
        "Recompute every entry, the tree and the signature; name the first broken entry.",
        "Exit code 0: verified, 2: not."
      })
  static final class Verify implements Callable<Integer> {
    @Option(
        names = "--data",
        paramLabel = "DIR",
        defaultValue = "data",
        description = "Data folder of an embedded hub that is not running (default: ./data)")
    private Path data = Path.of("data");

    @Option(
        names = "--jdbc-url",
        paramLabel = "URL",
        description = "Database of a hub that runs against its own PostgreSQL")
    private @Nullable String jdbcUrl;

    @Option(
        names = "--secrets",
        paramLabel = "DIR",
        description = "Folder with log.key.vkey and log.key.checkpoint (default: DIR/secrets)")
    private @Nullable Path secrets;

    @SuppressWarnings("NullAway.Init")
    @Spec
    private CommandSpec spec;

    @Override
    public Integer call() throws Exception {
      Path folder = secrets == null ? data.resolve("secrets") : secrets;
      List<VerifierKey> keys =
          VerifierKey.parseAll(Files.readString(folder.resolve("log.key.vkey")));
      Path remembered = folder.resolve("log.key.checkpoint");
      List<SignedNote> known =
          Files.exists(remembered)
              ? List.of(SignedNote.parse(Files.readString(remembered)))
              : List.of();
      Verification result;
      PGSimpleDataSource database = new PGSimpleDataSource();
      if (jdbcUrl != null) {
        database.setUrl(jdbcUrl);
        result = verify(database, keys, known);
      } else {
        try (EmbeddedDatabase embedded = EmbeddedDatabase.start(data.resolve("postgres"))) {
          database.setUrl(embedded.jdbcUrl());
          database.setUser(embedded.user());
          database.setPassword(embedded.password());
          result = verify(database, keys, known);
        }
      }
      PrintWriter out = spec.commandLine().getOut();
      out.println(
          result.verified()
              ? "Verified: " + result.entries() + " entries"
              : "NOT verified: " + result.firstProblem());
      out.flush();
      return result.verified() ? 0 : 2;
    }

    private static Verification verify(
        PGSimpleDataSource database, List<VerifierKey> keys, List<SignedNote> known)
        throws SQLException {
      return LedgerVerifier.verify(database, keys, known, (done, of) -> {});
    }
  }
}
