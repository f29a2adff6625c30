package no.bindeledd.cli;

import java.nio.file.Path;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line: {@code ./bindeledd <command>}. */
@Command(
    name = "bindeledd",
    mixinStandardHelpOptions = true,
    version = "Bindeledd 0.1.0",
    description = {
      "Integration hub and data-sharing gateway between the agencies that follow the same young"
          + " person."
    },
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      DemoCommand.class,
      RunCommand.class,
      ValidateCommand.class,
      TestCommand.class,
      BenchCommand.class,
      AuditCommand.class,
      WitnessCommand.class,
      ExplainCommand.class,
      ReplayDecisionsCommand.class
    },
    footerHeading = "%nExamples:%n",
    footer = {
      "  bindeledd demo                     everything on this machine, until Ctrl-C",
      "  bindeledd demo --once --json       the same, once, with a JSON summary",
      "  bindeledd run --embedded           the hub with its own broker and database",
      "  bindeledd run --config hub.yaml    the hub against your broker and database",
      "  bindeledd validate --home DIR      check routes, mappings and policies",
      "  bindeledd test dropout-notice      run an exchange's samples",
      "  bindeledd bench --json             measure the hub beside bare Camel",
      "  bindeledd audit verify             check every entry of the audit trail",
      "  bindeledd witness --help           cosign another house's log",
      "  bindeledd explain --exchange ID    why a message would be shared or not",
      "  bindeledd replay-decisions …       what other rules would have changed"
    })
public final class Bindeledd {
  private Bindeledd() {}

  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new Bindeledd());
    line.setExecutionExceptionHandler(
        (failure, command, parsed) -> {
          command.getErr().println(reason(failure));
          return 1;
        });
    return line;
  }

  /** The innermost cause that says something in words, without a stack trace. */
  private static String reason(Throwable failure) {
    String said = failure.toString();
    for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
      String message = cause.getMessage();
      if (message != null && message.contains(" ")) {
        said = message;
      }
    }
    return "bindeledd: " + said;
  }

  /** Where the project's own routes, mappings and policies lie. */
  static Path projectHome() {
    return Path.of(System.getProperty("bindeledd.project", "."));
  }
}
