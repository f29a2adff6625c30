package no.bindeledd.cli;

import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.audit.Witness;
import no.bindeledd.audit.WitnessServer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Keeps an eye on somebody else's log. */
@Command(
    name = "witness",
    mixinStandardHelpOptions = true,
    description = {
      "Cosign the checkpoints of logs that only grow (C2SP tlog-witness, cosignature/v1).",
      "Run it where the hub's people have no access: at the county governor, for example.",
      "Give its verifier key, which it prints, to the hub and to those who verify."
    },
    footer = {
      "%nExample:%n",
      "  bindeledd witness --name governor.example.no/w1 --log hub.vkey --data /var/lib/witness"
    })
final class WitnessCommand implements Callable<Integer> {
  @Option(
      names = "--name",
      required = true,
      paramLabel = "NAME",
      description = "The witness's own name, without white space or plus sign")
  private String name = "";

  @Option(
      names = "--log",
      required = true,
      paramLabel = "FILE",
      description = "Verifier keys of the logs to witness (.vkey)")
  private Path logs = Path.of("");

  @Option(
      names = "--data",
      defaultValue = "witness",
      paramLabel = "DIR",
      description = "Its key, and what it has seen; never restored from a backup (./witness)")
  private Path data = Path.of("witness");

  @Option(
      names = "--port",
      defaultValue = "2025",
      paramLabel = "PORT",
      description = "Where it listens: plain HTTP, put TLS before it (default: ${DEFAULT-VALUE})")
  private int port;

  @SuppressWarnings("NullAway.Init")
  @Spec
  private CommandSpec spec;

  @Override
  public Integer call() throws Exception {
    List<VerifierKey> known = VerifierKey.parseAll(Files.readString(logs));
    LogKey key = LogKey.openWitness(data.resolve("witness.key"), name);
    Witness witness = new Witness(data.resolve("seen"), key, known, Clock.systemUTC());
    try (WitnessServer server = new WitnessServer(witness, new InetSocketAddress(port))) {
      var out = spec.commandLine().getOut();
      out.println("Witness of " + known.size() + " keys on port " + server.port());
      out.println("Its verifier key: " + key.verifier().vkey());
      out.flush();
      new CountDownLatch(1).await();
      return 0;
    }
  }
}
