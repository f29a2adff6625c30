package no.bindeledd.hub;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import no.bindeledd.channel.CsvFormat;
import no.bindeledd.channel.Hl7v2Format;
import no.bindeledd.channel.JsonFormat;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.ContractReader;
import no.bindeledd.exchange.InputFormat;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.mapping.CodeLists;
import no.bindeledd.mapping.InputSchema;
import no.bindeledd.mapping.Shaper;
import no.bindeledd.policy.PolicyPack;

/**
 * What lies under the home folder, read and compiled: {@code routes/<exchange>/exchange.yaml} with
 * its mappings and schemas, the code lists and the rule pack. Immutable; each read looks at the
 * files afresh.
 */
public final class ExchangeFolders {
  private final Path home;
  private final ContractReader contracts = new ContractReader();

  public ExchangeFolders(Path home) {
    this.home = home;
  }

  public Path routes() {
    return home.resolve("routes");
  }

  public Path mappings() {
    return home.resolve("mappings");
  }

  public Path policies() {
    return home.resolve("policies");
  }

  /** The ids of all exchange folders, sorted. */
  public List<String> ids() {
    if (!Files.isDirectory(routes())) {
      return List.of();
    }
    try (Stream<Path> folders = Files.list(routes())) {
      return folders
          .filter(Files::isDirectory)
          .map(folder -> folder.getFileName().toString())
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The Camel YAML files of an exchange, sorted. */
  public List<Path> routeFiles(String id) {
    Path folder = routes().resolve(id);
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.getFileName().toString().endsWith(".camel.yaml"))
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  public PolicyPack pack() {
    return PolicyPack.read(policies());
  }

  /**
   * The rule pack as a running hub takes it: whole in itself, whole against the exchanges here, and
   * with everything that the exchanges in force speak of. An exchange whose contract cannot be read
   * stops no pack.
   *
   * @throws ProblemsException with every problem found
   */
  PolicyPack packFor(Collection<Contract> inForce) {
    PolicyPack pack = pack();
    Map<String, Contract> known = new HashMap<>();
    inForce.forEach(contract -> known.put(contract.id(), contract));
    Set<String> unread = new HashSet<>();
    List<Problem> problems = new ArrayList<>();
    List<String> ids = ids();
    known.keySet().retainAll(ids);
    for (String id : ids) {
      try {
        Contract contract = contracts.read(routes().resolve(id));
        if (known.containsKey(id)) {
          problems.addAll(pack.unknownTo(contract));
        }
        known.put(id, contract);
      } catch (ProblemsException e) {
        unread.add(id);
      }
    }
    problems.addAll(pack.danglingClauses(known.values(), unread));
    if (!problems.isEmpty()) {
      throw new ProblemsException(problems);
    }
    return pack;
  }

  public CodeLists codeLists() {
    Path folder = mappings().resolve("codes");
    return Files.isDirectory(folder) ? CodeLists.read(folder) : CodeLists.none();
  }

  /**
   * Reads and compiles one exchange.
   *
   * @throws ProblemsException with everything that is wrong with it
   */
  public LiveExchange exchange(String id, CodeLists codes) {
    Contract contract = contracts.read(routes().resolve(id));
    List<Problem> problems = new ArrayList<>();
    Path folder = mappings();
    InputFormat format = null;
    InputSchema schema = null;
    Map<String, Shaper> shapers = new HashMap<>();
    Shaper answer = null;
    try {
      format = format(contract, codes);
    } catch (ProblemsException e) {
      problems.addAll(e.problems());
    }
    try {
      schema = InputSchema.compile(contract, folder);
    } catch (ProblemsException e) {
      problems.addAll(e.problems());
    }
    for (Contract.Recipient recipient : contract.to()) {
      try {
        shapers.put(recipient.name(), Shaper.compile(contract, recipient.view(), folder, codes));
      } catch (ProblemsException e) {
        problems.addAll(e.problems());
      }
    }
    if (contract.answer() != null) {
      try {
        answer = Shaper.compile(contract, contract.answer(), folder, codes);
      } catch (ProblemsException e) {
        problems.addAll(e.problems());
      }
    }
    if (!problems.isEmpty() || format == null || schema == null) {
      throw new ProblemsException(problems.stream().distinct().toList());
    }
    return new LiveExchange(contract, format, schema, Map.copyOf(shapers), answer);
  }

  private static InputFormat format(Contract contract, CodeLists codes) {
    return switch (contract.input().format()) {
      case "csv" -> {
        CsvFormat csv =
            new CsvFormat(
                new CsvFormat.Codes() {
                  @Override
                  public boolean has(String list) {
                    return codes.has(list);
                  }

                  @Override
                  public boolean has(String list, String code) {
                    return codes.has(list, code);
                  }
                });
        csv.checkProfile(contract);
        yield csv;
      }
      case "hl7v2" -> {
        Hl7v2Format hl7 = new Hl7v2Format();
        hl7.checkProfile(contract);
        yield hl7;
      }
      default -> new JsonFormat();
    };
  }

  /** Everything that was read, and everything that is wrong. */
  public record Read(SortedMap<String, LiveExchange> exchanges, List<Problem> problems) {}

  /** Reads all exchanges; a broken one is left out and its problems are told. */
  public Read all(CodeLists codes) {
    SortedMap<String, LiveExchange> exchanges = new TreeMap<>();
    List<Problem> problems = new ArrayList<>();
    for (String id : ids()) {
      try {
        exchanges.put(id, exchange(id, codes));
      } catch (ProblemsException e) {
        problems.addAll(e.problems());
      }
    }
    return new Read(exchanges, problems);
  }
}
