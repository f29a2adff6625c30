package no.bindeledd.hub;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import no.bindeledd.audit.Station;
import no.bindeledd.exchange.Contract;
import no.bindeledd.exchange.Problem;
import no.bindeledd.exchange.ProblemsException;
import no.bindeledd.gate.Catalogue;
import no.bindeledd.gate.Deadlines;
import no.bindeledd.gate.Entries;
import no.bindeledd.gate.GateComponent;
import no.bindeledd.gate.HeldMessages;
import no.bindeledd.gate.Journal;
import no.bindeledd.gate.LiveExchange;
import no.bindeledd.gate.RouteFolders;
import no.bindeledd.gate.RouteWatcher;
import no.bindeledd.mapping.CodeLists;
import no.bindeledd.policy.PolicyPack;
import org.apache.camel.CamelContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Keeps the running exchanges equal to the folders: loads all at start and takes each change while
 * running. A broken folder is refused whole, its problems are logged and shown in the health, and
 * the old version keeps running; the other exchanges never notice. Every change taken is entered in
 * the ledger.
 */
final class Exchanges implements SmartLifecycle {
  private static final Logger LOG = LoggerFactory.getLogger(Exchanges.class);

  private static final String POLICIES = "policies";

  private final ExchangeFolders folders;
  private final Catalogue catalogue;
  private final CamelContext context;
  private final GateComponent gate;
  private final RouteFolders routes;
  private final Journal journal;
  private final HeldMessages held;
  private final Deadlines deadlines;
  private final Alone alone;
  private final InstantSource clock;
  private final ScheduledExecutorService chores;
  private final RouteWatcher watcher;
  private final Map<String, List<Problem>> refused = new ConcurrentHashMap<>();
  private volatile boolean running;

  Exchanges(
      HubSettings settings,
      Catalogue catalogue,
      CamelContext context,
      GateComponent gate,
      RouteFolders routes,
      Journal journal,
      HeldMessages held,
      Deadlines deadlines,
      Alone alone,
      InstantSource clock,
      ScheduledExecutorService chores) {
    this.folders = new ExchangeFolders(settings.home());
    this.catalogue = catalogue;
    this.context = context;
    this.gate = gate;
    this.routes = routes;
    this.journal = journal;
    this.held = held;
    this.deadlines = deadlines;
    this.alone = alone;
    this.clock = clock;
    this.chores = chores;
    this.watcher = new RouteWatcher(settings.home(), this::changed, chores, settings.watch());
  }

  /** What was refused at the last look, by exchange ({@code policies} for the rule pack). */
  Map<String, List<Problem>> refused() {
    return Map.copyOf(refused);
  }

  /** Routes whose peer is not there yet, by route id. */
  Map<String, String> waiting() {
    return new TreeMap<>(routes.waiting());
  }

  @Override
  public void start() {
    context.addComponent("gate", gate);
    watcher.start();
    // Once more: what changed since the catalogue was made is known to the watcher already.
    loadPack();
    load(folders.ids());
    held.reconsiderAll();
    // A day passes at midnight; what became due while the hub was down is sent at once.
    var unused = chores.scheduleWithFixedDelay(this::remind, 0, 1, TimeUnit.MINUTES);
    running = true;
  }

  private void remind() {
    try {
      var unused = alone.run("deadlines", () -> deadlines.send() > 0);
    } catch (Exception e) {
      LOG.warn(
          "Warnings about deadlines cannot be sent now ({}); it is tried again in a minute",
          e.getClass().getSimpleName());
    }
  }

  @Override
  public void stop() {
    watcher.close();
    running = false;
  }

  @Override
  public boolean isRunning() {
    return running;
  }

  /** After the Camel context, which starts at the very end of Camel's own phase. */
  @Override
  public int getPhase() {
    return Integer.MAX_VALUE;
  }

  private void changed(RouteWatcher.Change change) {
    Set<String> exchanges = new TreeSet<>(change.exchanges());
    // What was refused may have waited for the other: a clause for its exchange, or the other way.
    if (change.policies() || refused.containsKey(POLICIES)) {
      loadPack();
      exchanges.addAll(refused.keySet());
      exchanges.retainAll(folders.ids());
      exchanges.addAll(change.exchanges());
    }
    load(exchanges);
    tellWhatDangles();
    held.reconsiderAll();
  }

  private void loadPack() {
    PolicyPack pack;
    try {
      pack = folders.packFor(contracts());
    } catch (ProblemsException e) {
      refuse(POLICIES, e.problems());
      return;
    }
    refused.remove(POLICIES);
    catalogue.change(now -> new Catalogue.Edition(now.exchanges(), pack));
    note(Station.POLICY, POLICIES, "CHANGED", "rule pack " + pack.hash());
    LOG.info("The rule pack was taken: {}", pack.hash());
  }

  /** An exchange that went or changed may leave a clause without it. The pack stays in force. */
  private void tellWhatDangles() {
    if (refused.containsKey(POLICIES)) {
      return;
    }
    Set<String> unread = new HashSet<>(refused.keySet());
    List<Problem> problems = catalogue.current().pack().danglingClauses(contracts(), unread);
    if (!problems.isEmpty()) {
      refuse(POLICIES, problems);
    }
  }

  private List<Contract> contracts() {
    return catalogue.current().exchanges().values().stream().map(LiveExchange::contract).toList();
  }

  private void load(Iterable<String> ids) {
    CodeLists codes;
    try {
      codes = folders.codeLists();
    } catch (ProblemsException e) {
      refuse("mappings/codes", e.problems());
      return;
    }
    refused.remove("mappings/codes");
    List<String> present = folders.ids();
    List<String> taken = new ArrayList<>();
    for (String id : ids) {
      if (!present.contains(id)) {
        remove(id);
      } else if (take(id, codes)) {
        taken.add(id);
      }
    }
    if (!taken.isEmpty()) {
      LOG.info("Exchanges taken: {}", String.join(", ", taken));
    }
  }

  private boolean take(String id, CodeLists codes) {
    LiveExchange before = catalogue.current().exchange(id).orElse(null);
    try {
      LiveExchange now = folders.exchange(id, codes);
      List<Problem> problems =
          new ArrayList<>(catalogue.current().pack().unknownTo(now.contract()));
      problems.addAll(routes.check(now.contract(), folders.routeFiles(id)));
      if (problems.isEmpty()) {
        // The contract is in force before its routes run, and goes back if they do not start.
        put(id, now);
        problems = routes.load(now.contract(), folders.routeFiles(id));
        if (!problems.isEmpty()) {
          put(id, before);
        }
      }
      if (!problems.isEmpty()) {
        refuse(id, problems);
        return false;
      }
    } catch (ProblemsException e) {
      refuse(id, e.problems());
      return false;
    }
    refused.remove(id);
    note(Station.ROUTE, id, before == null ? "ADDED" : "CHANGED", null);
    return true;
  }

  private void remove(String id) {
    refused.remove(id);
    if (catalogue.current().exchange(id).isEmpty()) {
      return;
    }
    routes.remove(id);
    put(id, null);
    note(Station.ROUTE, id, "REMOVED", null);
    LOG.info("Exchange removed: {}", id);
  }

  private void put(String id, @Nullable LiveExchange exchange) {
    catalogue.change(
        now -> {
          Map<String, LiveExchange> all = new HashMap<>(now.exchanges());
          if (exchange == null) {
            all.remove(id);
          } else {
            all.put(id, exchange);
          }
          return new Catalogue.Edition(all, now.pack());
        });
  }

  private void refuse(String id, List<Problem> problems) {
    refused.put(id, List.copyOf(problems));
    problems.forEach(problem -> LOG.error("Refused {}: {}", id, problem));
  }

  private void note(Station station, String id, String outcome, @Nullable String detail) {
    var unused =
        journal
            .enter(List.of(Entries.act(clock.instant(), station, id, outcome, detail)))
            .whenComplete(
                (done, failure) -> {
                  if (failure != null) {
                    LOG.warn("The change of {} could not be entered in the ledger", id);
                  }
                });
  }
}
