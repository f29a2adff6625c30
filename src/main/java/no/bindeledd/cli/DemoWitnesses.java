package no.bindeledd.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import no.bindeledd.audit.LogKey;
import no.bindeledd.audit.VerifierKey;
import no.bindeledd.audit.Witness;
import no.bindeledd.audit.WitnessServer;
import no.bindeledd.audit.Witnesses;

/**
 * The independent witnesses of the demo: each with its own key, its own memory of what it has seen,
 * and its own port on this machine, as {@code bindeledd witness} runs it elsewhere. A second start
 * goes on with what they saw. Safe on any thread.
 */
final class DemoWitnesses implements AutoCloseable {
  private static final List<String> NAMES =
      List.of("county-governor.example.no/w1", "youth-ombud.example.no/w1");

  private final Path keys;
  private final List<Witnesses.Peer> peers = new ArrayList<>();
  private final List<WitnessServer> servers = new ArrayList<>();

  private DemoWitnesses(Path keys) {
    this.keys = keys;
  }

  /**
   * Starts them.
   *
   * @param folder has a folder for each; none of the hub's
   * @param logs verifier keys of the logs to witness
   */
  static DemoWitnesses start(Path folder, List<VerifierKey> logs, InstantSource clock)
      throws IOException {
    DemoWitnesses witnesses = new DemoWitnesses(folder.resolve("witnesses.vkey"));
    try {
      for (String name : NAMES) {
        Path own = folder.resolve(name.substring(0, name.indexOf('.')));
        LogKey key = LogKey.openWitness(own.resolve("witness.key"), name);
        WitnessServer server =
            new WitnessServer(
                new Witness(own.resolve("seen"), key, logs, clock),
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
        witnesses.servers.add(server);
        witnesses.peers.add(
            new Witnesses.Peer(URI.create("http://127.0.0.1:" + server.port()), key.verifier()));
      }
      Files.writeString(
          witnesses.keys,
          witnesses.peers.stream()
              .map(peer -> peer.key().vkey() + "\n")
              .collect(Collectors.joining()));
      return witnesses;
    } catch (IOException | RuntimeException e) {
      witnesses.close();
      throw e;
    }
  }

  /** Where they are, and their keys. */
  List<Witnesses.Peer> peers() {
    return List.copyOf(peers);
  }

  /** The file with a verifier key on each line, for whoever verifies. */
  Path keys() {
    return keys;
  }

  int count() {
    return peers.size();
  }

  /** What makes a hub ask them. */
  Map<String, Object> settings() {
    Map<String, Object> settings = new TreeMap<>();
    for (int i = 0; i < peers.size(); i++) {
      String witness = "bindeledd.published.witnesses[" + i + "].";
      settings.put(witness + "url", peers.get(i).prefix().toString());
      settings.put(witness + "key", peers.get(i).key().vkey());
    }
    return settings;
  }

  @Override
  public void close() {
    servers.forEach(WitnessServer::close);
  }
}
